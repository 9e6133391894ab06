# One static binary in an empty image: no shell, no package manager, nothing to update but the program.
#
#   docker build --build-arg VERSION="$(git describe --tags --always)" -t linkstead .
#
# By itself it is a whole archive in one volume, which begins with its first capture; docker-compose.yml runs it on
# PostgreSQL and an S3 store:
#
#   alias run='docker run --rm -v archive:/var/lib/linkstead --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges'
#   run linkstead capture https://example.org/some-post
#   run -p 127.0.0.1:8080:8080 -p 127.0.0.1:8081:8081 linkstead

FROM golang:1.26.8 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
# timetzdata embeds the time zones that schedules name.
RUN CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags "-s -w -X main.version=${VERSION}" -o /out/linkstead ./cmd/linkstead
# What the program needs around it: a name for its uid, the authorities that sign web sites, and two folders it may write.
RUN mkdir -p /out/etc/ssl/certs /out/tmp /state/linkstead && chmod 1777 /out/tmp \
 && cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ \
 && echo 'linkstead:x:65532:65532::/var/lib/linkstead:/sbin/nologin' > /out/etc/passwd \
 && echo 'linkstead:x:65532:' > /out/etc/group

FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="Linkstead" \
      org.opencontainers.image.description="Keeps the sources of a post alive: captures a post and every source it links to, and replays the copies." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /out/ /
# A fresh named volume takes its owner from this folder.
COPY --from=build --chown=65532:65532 /state/ /var/lib/
USER 65532:65532
WORKDIR /var/lib/linkstead
# The folder is the archive, unless a store and a database are named. Listening on every address is listening on the
# container's own; which of the machine's leads there is for -p or the compose file to say.
ENV LINKSTEAD_ARCHIVE=/var/lib/linkstead \
    LINKSTEAD_SERVE_LISTEN=0.0.0.0:8080 \
    LINKSTEAD_SERVE_REPLAY_LISTEN=0.0.0.0:8081
VOLUME /var/lib/linkstead
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["/linkstead", "health"]
ENTRYPOINT ["/linkstead"]
CMD ["serve"]

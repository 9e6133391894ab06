package storage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// explain puts the store's refusals into words: what, of what, and what to try. ErrNotFound is for an object that is
// not there; a bucket that is not there is another matter.
func (s *S3) explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	r := answer(err)
	hint := s.hint(doing, r)
	switch {
	case r.Code == "NoSuchKey", r.Code == "" && r.StatusCode == http.StatusNotFound:
		return ErrNotFound
	case hint != "":
		return &Refusal{Code: r.Code, Hint: hint, err: err}
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return fmt.Errorf("%s does not speak TLS: write http:// for it, if that is meant: %w", s.Endpoint(), err)
	case r.Code != "":
		return fmt.Errorf("the store at %s says %s: %w", s.Endpoint(), r.Code, err)
	}
	return err
}

func (s *S3) hint(doing string, r minio.ErrorResponse) string {
	switch r.Code {
	case "NoSuchBucket":
		return fmt.Sprintf("the bucket %q does not exist at %s: name another, or make it, for example with: aws s3 mb s3://%s --endpoint-url %s",
			s.bucket, s.Endpoint(), s.bucket, s.Endpoint())
	case "InvalidBucketName":
		return badBucket(s.bucket).Error()
	case "InvalidAccessKeyId", "XAdminUserNotFound":
		return fmt.Sprintf("the store at %s does not know the access key %q, which was taken from %s: check it there", s.Endpoint(), s.who.key, s.who.from)
	case "SignatureDoesNotMatch":
		return fmt.Sprintf("the secret key that belongs to access key %q is not right for the store at %s: it was taken from %s, check it there", s.who.key, s.Endpoint(), s.who.secret)
	case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
		return fmt.Sprintf("the session token of access key %q, taken from %s, has expired or is not right: get a new one", s.who.key, s.who.from)
	case "RequestTimeTooSkewed":
		return fmt.Sprintf("the clock of this machine and the one of the store at %s differ by %s, more than the store allows: set this machine's clock (NTP)",
			s.Endpoint(), s.Skew().Abs().Round(time.Second))
	case "AuthorizationHeaderMalformed", "InvalidRegion", "IllegalLocationConstraintException", "PermanentRedirect":
		return fmt.Sprintf("the bucket %q is in another region than the one that was named: set s3.region or AWS_REGION to the bucket's%s", s.bucket, region(r))
	case "AccessDenied", "AllAccessDisabled", "AccountProblem":
		return fmt.Sprintf("the access key %q, taken from %s, may not %s in the bucket %q: give it the rights to list, read, write and delete there",
			s.who.key, s.who.from, doing, s.bucket)
	}
	return ""
}

func badBucket(name string) error {
	return fmt.Errorf("%q can't be the name of a bucket: use 3 to 63 of a-z, 0-9, dot and dash", name)
}

func region(r minio.ErrorResponse) string {
	if r.Region == "" {
		return ""
	}
	return ", " + r.Region
}

// Refusal is a store's no: trying again changes nothing until somebody has done what Hint says.
type Refusal struct {
	Code string // the store's own word, as in AccessDenied
	Hint string // what is wrong, with names, and what to try
	err  error
}

// Error implements error.
func (r *Refusal) Error() string { return r.Hint }

// Unwrap is what the store said.
func (r *Refusal) Unwrap() error { return r.err }

// probe asks the store for one key, which finds out what is wrong with address, credentials, bucket and clock; and
// unless the store is only read, whether it may be written.
func (s *S3) probe(ctx context.Context, readOnly bool) error {
	err := s.try(ctx, "list", func(ctx context.Context, _ *watch) error {
		for o := range s.client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix, Recursive: true, MaxKeys: 1}) {
			return o.Err
		}
		return ctx.Err()
	})
	if err != nil || readOnly {
		return err
	}
	checks, err := s.RefusesWrong(ctx)
	if err == nil && !checks {
		s.log.Warn("the blob store does not check what it takes: everything that is put is read back", "store", s.String())
	}
	return err
}

// RefusesWrong sends an object that the store must refuse, since it is not what its checksum says, and says whether it
// did. Whoever may not write is told so, and nothing is left behind. Of a store that takes it all the same, what is put
// is read back.
func (s *S3) RefusesWrong(ctx context.Context) (bool, error) {
	name := s.prefix + "linkstead-probe-" + Random(8)
	refused := true
	err := s.try(ctx, "write", func(ctx context.Context, w *watch) error {
		err := s.send(ctx, w, name, strings.NewReader("wrong"), 5, emptySum)
		if code := answer(err).Code; mismatch(code) || code == "InvalidRequest" || code == "InvalidArgument" {
			return nil
		}
		refused = false
		return err
	})
	if err != nil || refused {
		return refused, err
	}
	err = s.try(ctx, "delete", func(ctx context.Context, _ *watch) error {
		return s.client.RemoveObject(ctx, s.bucket, name, minio.RemoveObjectOptions{})
	})
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return false, err
}

// emptySum is the SHA-256 of nothing.
const emptySum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

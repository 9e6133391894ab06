package replay

import (
	"crypto/sha256"
	"encoding/base32"
	"net/http"
	"strings"

	"linkstead/archive/urlkey"
)

// Mode is how archived sites are kept apart, from the archive and from each other (decision 0036).
type Mode uint8

const (
	// OneHost shows all of them at the origin itself, each document in an opaque origin of its own (HTML standard,
	// sandboxed origin browsing context flag).
	OneHost Mode = iota
	// PerSite shows the documents of each archived site at a host of their own, one label below the origin's host. What
	// is asked for at the origin itself by something that is no browser is answered there, as by OneHost.
	PerSite
	// Shared shows all at the origin itself, where they can reach whatever else is served there: insecure.
	Shared
)

// label is the name of an archived site's host, below that of the origin: one label of at most 63 octets, and of no other
// site. "www.a-b.example.org" is of "example-org", "a-b.org" is "a--b-org"; whatever that spelling would leave unclear has
// a digest behind "---", which it never contains. A document that was handed in is a site by itself.
func label(url string) string {
	site := urlkey.Site(url)
	if site == "" {
		return hashed("document", url)
	}
	name := strings.ReplaceAll(strings.ReplaceAll(site, "-", "--"), ".", "-")
	if plainName(site) && len(name) <= 63 {
		return name
	}
	return hashed(site, site)
}

// plainName says whether a name can be spelled as one label without a doubt: hyphens stand between letters or digits, and
// it can't be taken for an internationalised one (RFC 5890 §2.3.1).
func plainName(name string) bool {
	letter := false
	for i := range len(name) {
		switch c := name[i]; {
		case isLower(c) || c >= '0' && c <= '9':
			letter = true
		case (c == '-' || c == '.') && letter && i < len(name)-1:
			letter = false
		default:
			return false
		}
	}
	return name != "" && !strings.HasPrefix(name, "xn-")
}

// hashed is a label of what begins so, and of the digest of what is meant.
func hashed(begin, of string) string {
	var b strings.Builder
	for i := range min(len(begin), 32) {
		if c := begin[i]; isLower(c) || c >= '0' && c <= '9' {
			b.WriteByte(c)
		} else if s := b.String(); s != "" && !strings.HasSuffix(s, "-") {
			b.WriteByte('-')
		}
	}
	readable := strings.TrimRight(b.String(), "-")
	if readable == "" || readable == "xn" {
		readable = "site"
	}
	sum := sha256.Sum256([]byte(of))
	return readable + "---" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:24]
}

// seat tells at which of our hosts a request came: the label of a site, or "" for the origin itself; not ok if at none.
func (h *Handler) seat(host string) (site string, ok bool) {
	scheme, base, _ := strings.Cut(strings.TrimSuffix(h.Origin, "/"), "://")
	host, base = portless(scheme, host), portless(scheme, base)
	if host == base {
		return "", base != ""
	}
	site, ok = strings.CutSuffix(host, "."+base)
	return site, ok && h.Mode == PerSite && isLabel(site)
}

// Home says whether a host is the handler's own, rather than that of an archived site.
func (h *Handler) Home(host string) bool {
	site, ok := h.seat(host)
	return ok && site == ""
}

// portless takes off the port that a scheme has anyway.
func portless(scheme, host string) string {
	port := ":80"
	if scheme == "https" {
		port = ":443"
	}
	return strings.TrimSuffix(strings.ToLower(host), port)
}

func isLabel(s string) bool {
	return s != "" && len(s) <= 63 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// originOf is the origin of a site's host; of "" our own.
func (h *Handler) originOf(site string) string {
	origin := strings.TrimSuffix(h.Origin, "/")
	if scheme, base, ok := strings.Cut(origin, "://"); ok && site != "" {
		return scheme + "://" + site + "." + base
	}
	return origin
}

// navigates says whether a browser is about to show the answer as a document, in a window or in a frame. Where it sends no
// Fetch Metadata, as to hosts without TLS that are not on loopback, it says so by another field (Upgrade Insecure Requests §3.2.1).
func navigates(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "document", "iframe", "frame", "fencedframe", "embed", "object":
		return true
	case "":
		return r.Header.Get("Upgrade-Insecure-Requests") == "1"
	}
	return false
}

// elsewhere tells the origin at which a browser is to show a document of url, if it is not the one that it asked.
// Requisites are had from any: a page asks its own host for them, whosever they are, so that its scripts may read them.
func (h *Handler) elsewhere(r *http.Request, mod modifier, url string) (origin string, ok bool) {
	if h.Mode != PerSite || mod == asIs || !navigates(r) {
		return "", false
	}
	site := label(url)
	if at, ok := h.seat(r.Host); ok && at == site {
		return "", false
	}
	return h.originOf(site), true
}

// leadHome sends whoever asks a site's host for one of our own pages to the origin itself: what stands at the site's host,
// the site's scripts can read and use.
func (h *Handler) leadHome(w http.ResponseWriter, r *http.Request, target string) {
	h.redirect(w, r, http.StatusTemporaryRedirect, h.originOf("")+target)
}

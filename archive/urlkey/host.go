package urlkey

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Host returns the lease key of a serialised http or https URL: its host name, with ":port" unless that is 80 or 443.
// Of anything else it returns "".
func Host(url string) string {
	_, h := split(url)
	return strings.TrimSuffix(strings.TrimSuffix(h, ":80"), ":443")
}

// Origin returns "scheme://host", with ":port" unless it is the scheme's own, of a serialised http or https URL.
// Of anything else it returns "".
func Origin(url string) string {
	scheme, h := split(url)
	if h == "" {
		return ""
	}
	if end := len(scheme) + 2 + len(h); strings.HasPrefix(url[len(scheme)+2:], h) {
		return url[:end]
	}
	return scheme + "//" + h // without its userinfo
}

// Hostname returns the host of a serialised http or https URL without its port; IPv6 addresses keep their brackets.
func Hostname(url string) string {
	_, h := split(url)
	if i := strings.LastIndexByte(h, ':'); i >= 0 && !strings.HasSuffix(h, "]") {
		h = h[:i]
	}
	return h
}

// Site returns the registrable domain of a serialised http or https URL by the public suffix list: two URLs of different
// sites have different owners. An address, a public suffix and a single label are their own sites, without their ports.
func Site(url string) string {
	h := strings.Trim(Hostname(url), ".")
	if h == "" || h[0] == '[' {
		return h
	}
	if _, err := netip.ParseAddr(h); err == nil {
		return h
	}
	if site, err := publicsuffix.EffectiveTLDPlusOne(h); err == nil {
		return site
	}
	return h
}

// ID returns the 63-bit hash of a URL that keys it in the frontier: the first eight bytes of its SHA-256 with the sign
// bit cleared. It is never 0.
func ID(url string) int64 {
	var buf [512]byte // a longer address costs an allocation
	sum := sha256.Sum256(append(buf[:0], url...))
	id := int64(binary.BigEndian.Uint64(sum[:8]) &^ (1 << 63)) //nolint:gosec // the sign bit is clear
	if id == 0 {
		return 1
	}
	return id
}

// split returns "http:" or "https:" and the host with its port, without userinfo; empty strings for all else.
func split(url string) (scheme, host string) {
	if !Fetchable(url) {
		return "", ""
	}
	i := strings.Index(url, "//")
	scheme, host = url[:i], url[i+2:]
	if end := strings.IndexAny(host, "/?#"); end >= 0 {
		host = host[:end]
	}
	return scheme, host[strings.LastIndexByte(host, '@')+1:]
}

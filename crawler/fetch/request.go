package fetch

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Defaults of the request fields. Accept-Encoding names what archive/httpmsg decodes and replay can pass on.
const (
	accept         = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	acceptEncoding = "gzip, deflate, br"
)

var errBadURL = errors.New("not an address that can be asked")

// target is where an exchange goes: an address taken apart without altering a byte of it.
type target struct {
	url    string // without fragment
	secure bool
	host   string // without brackets
	port   string
	host1  string // the Host field: with brackets, and with the port unless it is the scheme's own
	path   string // the request target: path and query
}

// addr is the host:port of t, for dialling and for people.
func (t target) addr() string { return net.JoinHostPort(t.host, t.port) }

// key names the connections that can serve t.
func (t target) key() string {
	if t.secure {
		return "https://" + t.addr()
	}
	return "http://" + t.addr()
}

// parseTarget takes a serialised http or https URL apart. It neither escapes nor unescapes: net/url would turn "/a|b"
// into "/a%7Cb" and refuse "/100%", and neither is what the page says or a browser asks.
func parseTarget(u string) (target, error) {
	u, _, _ = strings.Cut(u, "#")
	t := target{url: u, port: "80"}
	scheme, rest, ok := strings.Cut(u, "://")
	switch {
	case !ok:
		return target{}, errBadURL
	case strings.EqualFold(scheme, "https"):
		t.secure, t.port = true, "443"
	case !strings.EqualFold(scheme, "http"):
		return target{}, errBadURL
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, t.path = rest[:i], rest[i:]
	}
	if !strings.HasPrefix(t.path, "/") {
		t.path = "/" + t.path
	}
	// What stands before "@" is a name and a password. They were the author's, not ours: never sent.
	authority = authority[strings.LastIndexByte(authority, '@')+1:]
	if !t.setHost(authority) || strings.ContainsFunc(t.path, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
		return target{}, errBadURL
	}
	return t, nil
}

func (t *target) setHost(authority string) bool {
	host, port, own := authority, "", t.port
	if i := strings.LastIndexByte(authority, ':'); i > strings.LastIndexByte(authority, ']') {
		host, port = authority[:i], authority[i+1:]
	}
	if host == "" || strings.Trim(port, "0123456789") != "" || len(port) > 5 {
		return false
	}
	t.host, t.host1 = host, host
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		t.host = host[1 : len(host)-1]
		if _, err := netip.ParseAddr(t.host); err != nil {
			return false
		}
	} else if strings.ContainsFunc(host, func(c rune) bool { return c <= ' ' || c >= 0x7f || strings.ContainsRune(`:[]<>^|%\@`, c) }) {
		return false
	}
	if port != "" && port != own {
		t.port, t.host1 = port, host+":"+port
	}
	return true
}

// message writes the request as it is to be sent.
func (r *Recorder) message(t target, req Request) ([]byte, bool) {
	b := make([]byte, 0, 256+len(t.path))
	b = append(b, req.Method...)
	b = append(b, ' ')
	b = append(b, t.path...)
	b = append(b, " HTTP/1.1\r\n"...)
	b = field(b, "Host", t.host1)
	for _, f := range [...][2]string{{"User-Agent", r.UserAgent}, {"Accept", accept}, {"Accept-Encoding", acceptEncoding}} {
		if _, own := req.Header[f[0]]; !own && f[1] != "" {
			b = field(b, f[0], f[1])
		}
	}
	names := make([]string, 0, len(req.Header))
	for name := range req.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch http.CanonicalHeaderKey(name) {
		case "Host", "Connection", "Content-Length", "Transfer-Encoding", "Te", "Trailer", "Upgrade", "Expect":
			continue
		}
		for _, v := range req.Header[name] {
			if strings.ContainsAny(name, "\x00\r\n: ") || strings.ContainsAny(v, "\x00\r\n") || name == "" {
				return nil, false
			}
			b = field(b, name, v)
		}
	}
	return append(b, "\r\n"...), true
}

func field(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}

package urlkey

import (
	"errors"
	"fmt"
	"strings"

	whatwg "github.com/nlnwa/whatwg-url/url"
)

// ErrInvalid says that a string is no URL by the WHATWG standard; its cause is wrapped beside it.
var ErrInvalid = errors.New("not a valid URL")

// MaxLength bounds a reference, in bytes. No server takes such a request, and the full parser takes time that grows with
// its square. A data: URL may well be longer: it is none that is requested.
const MaxLength = 16 << 10

var errLong = fmt.Errorf("longer than %d bytes", MaxLength)

// Base is a parsed URL against which references are resolved. It is safe for use by many goroutines at once, and worth
// keeping for all references of a page: parsing it costs more than resolving most references.
type Base struct {
	url    *whatwg.Url
	href   string // without fragment and userinfo
	scheme string // "http:" or "https:" if the fast path may resolve against it, else empty
	origin string // "http://host:port"
	path   string // "/dir/page"
	dir    string // "/dir/"
}

// NewBase parses an absolute URL. Its error is ErrInvalid.
func NewBase(url string) (*Base, error) {
	if len(url) > MaxLength {
		return nil, invalid(url, errLong)
	}
	u, err := whatwg.Parse(url)
	if err != nil {
		return nil, invalid(url, err)
	}
	u.SearchParams() // The library makes these when first asked, and then without a lock.
	b := &Base{url: u, href: href(u)}
	if !Fetchable(b.href) {
		return b, nil
	}
	b.scheme = u.Protocol()
	slash := strings.IndexByte(b.href[len(b.scheme)+2:], '/') + len(b.scheme) + 2
	b.origin = b.href[:slash]
	b.path, _, _ = strings.Cut(b.href[slash:], "?")
	b.dir = b.path[:strings.LastIndexByte(b.path, '/')+1]
	return b, nil
}

// String returns the base itself, serialised without fragment and userinfo.
func (b *Base) String() string { return b.href }

// Dir is what path-relative references are put behind: the base up to and with the last slash of its path. It is empty
// if the base is none that is fetched.
func (b *Base) Dir() string { return b.href[:len(b.origin)+len(b.dir)] }

// Resolve returns the URL that ref stands for: resolved against the base and serialised by the WHATWG URL standard,
// without fragment and userinfo. Its scheme may be any; see Fetchable. Its error is ErrInvalid.
func (b *Base) Resolve(ref string) (string, error) {
	if len(ref) > MaxLength {
		return "", invalid(ref, errLong)
	}
	if s, ok := b.fast(ref); ok {
		return within(s)
	}
	u, err := b.url.Parse(ref)
	if err != nil {
		return "", invalid(ref, err)
	}
	return within(href(u))
}

// within refuses what has become too long by being resolved and encoded: it could not be a reference itself.
func within(url string) (string, error) {
	if len(url) > MaxLength {
		return "", invalid(url, errLong)
	}
	return url, nil
}

// Parse resolves ref against base, as Base.Resolve does. An empty base stands for none: ref must be absolute then.
// For many references on one page keep a Base.
func Parse(base, ref string) (string, error) {
	if base == "" {
		if len(ref) > MaxLength {
			return "", invalid(ref, errLong)
		}
		if s, ok := absolute(ref); ok {
			return within(s)
		}
		u, err := whatwg.Parse(ref)
		if err != nil {
			return "", invalid(ref, err)
		}
		return within(href(u))
	}
	b, err := NewBase(base)
	if err != nil {
		return "", err
	}
	return b.Resolve(ref)
}

// Fragment returns what follows the first "#" of a reference, as it was spelled, and whether there is one.
func Fragment(ref string) (string, bool) {
	_, f, ok := strings.Cut(ref, "#")
	return f, ok
}

// SerialisedFragment returns the fragment of a reference as the WHATWG standard serialises it, "" if there is none: what a
// link to a copy needs in order to lead to the place that was meant.
func SerialisedFragment(ref string) string {
	f, ok := Fragment(strings.TrimFunc(ref, func(r rune) bool { return r <= ' ' }))
	if !ok || len(ref) > MaxLength {
		return ""
	}
	const upper = "0123456789ABCDEF"
	var sb strings.Builder
	for _, c := range []byte(strings.ToValidUTF8(f, "\uFFFD")) {
		switch {
		case c == '\t' || c == '\n' || c == '\r':
		case c <= ' ' || c >= 0x7F || strings.IndexByte("\"<>`", c) >= 0:
			sb.Write([]byte{'%', upper[c>>4], upper[c&15]})
		default:
			sb.WriteByte(c)
		}
	}
	return sb.String()
}

// Fetchable reports whether a serialised URL is one that we capture: http or https, with a host.
func Fetchable(url string) bool {
	rest, ok := strings.CutPrefix(url, "http://")
	if !ok {
		rest, ok = strings.CutPrefix(url, "https://")
	}
	return ok && rest != "" && rest[0] != '/' && rest[0] != '?' && rest[0] != '#'
}

// href serialises without userinfo and fragment. It takes them out of u.
func href(u *whatwg.Url) string {
	if u.Username() != "" || u.Password() != "" {
		u = u.Clone()
		u.SetUsername("")
		u.SetPassword("")
	}
	return u.Href(true)
}

func invalid(ref string, err error) error {
	if len(ref) > 200 {
		ref = strings.ToValidUTF8(ref[:200], "") + "…"
	}
	return fmt.Errorf("%q: %w: %w", ref, ErrInvalid, err)
}

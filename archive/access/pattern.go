package access

import (
	"errors"
	"fmt"
	"strings"
)

// scope is how much a pattern is about, from little to much the higher the more specific.
type scope uint8

const (
	all    scope = iota // of a collection
	domain              // a host and all hosts under it
	host
	prefix
	exact // one address, which means all that have its key
)

// Pattern is what a rule is about. The zero Pattern is about everything.
type Pattern struct {
	scope scope
	key   string // SURT: of a domain and a host without the parenthesis, of a prefix where it ends
	text  string
}

// KeyOf tells the key under which captures of a URL are found (SURT), or what is wrong with the URL.
type KeyOf func(url string) (string, error)

// ParsePattern reads what a rule is about. Keys fold http, https and www (docs/urlkeys.md), and so does a pattern:
//
//   - everything in the collection
//     *.example.org               a domain: the host and all hosts under it, at any port
//     example.org                 a host, at any port; example.org:8080 at that one
//     http://example.org/dir/*    a prefix
//     http://example.org/page     one address; http://example.org/page?* with any query
//     surt:org,example)/dir/      a prefix as SURT
func ParsePattern(text string, keyOf KeyOf) (Pattern, error) {
	p := Pattern{text: text}
	if len(text) > MaxPattern {
		return p, fmt.Errorf("a pattern has %d bytes at most", MaxPattern)
	}
	err := p.read(keyOf)
	if err != nil {
		err = fmt.Errorf("pattern %.200q: %w", text, err)
	}
	return p, err
}

func (p *Pattern) read(keyOf KeyOf) error {
	text := p.text
	if text == "*" {
		return nil
	}
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return errors.New("name an address, a prefix such as http://example.org/dir/*, a host, *.DOMAIN, or * for everything")
	}
	if surt, ok := strings.CutPrefix(text, "surt:"); ok {
		return p.surt(strings.TrimSuffix(surt, "*"))
	}
	if !hasScheme(text) {
		if !strings.ContainsAny(text, "/?#") {
			return p.host(text, keyOf)
		}
		text = "http://" + text
	}
	if rest, ok := starHost(text); ok {
		return p.host(rest, keyOf)
	}
	if bare, ok := strings.CutSuffix(text, "*"); ok {
		return p.prefix(bare, keyOf)
	}
	if strings.Contains(text, "#") {
		return errors.New("a fragment is never asked for: leave it off")
	}
	var err error
	p.scope = exact
	p.key, err = keyOf(text)
	return err
}

// hasScheme says whether a text begins with a scheme. "host:80/" does not.
func hasScheme(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || rest == "" || rest[0] >= '0' && rest[0] <= '9' {
		return false
	}
	c := scheme[0] | 0x20
	return c >= 'a' && c <= 'z' && !strings.ContainsAny(scheme, "/?#.*")
}

// starHost takes "*.host" out of "http://*.host/*"; not ok if the text is about something else.
func starHost(text string) (string, bool) {
	_, rest, ok := strings.Cut(text, "://")
	if !ok || !strings.HasPrefix(rest, "*.") {
		return "", false
	}
	name, path, _ := strings.Cut(rest, "/")
	return name, path == "" || path == "*"
}

func (p *Pattern) surt(key string) error {
	if key == "" {
		return errors.New("a SURT prefix is empty: write * for everything")
	}
	if name, _, isURL := strings.Cut(key, ")"); isURL || strings.Contains(name, ":/") {
		p.scope, p.key = prefix, key
		return nil
	}
	p.scope, p.key = domain, strings.TrimSuffix(key, ",")
	if p.key == "" {
		return errors.New("a SURT prefix names no host")
	}
	return nil
}

// host reads "host", "host:port" and "*.host".
func (p *Pattern) host(text string, keyOf KeyOf) error {
	p.scope = host
	if under, ok := strings.CutPrefix(text, "*."); ok {
		p.scope, text = domain, under
	}
	if strings.ContainsAny(text, "*@") || text == "" {
		return errors.New("a star stands in front of a domain (*.example.org) or at the end of a prefix (http://example.org/dir/*)")
	}
	key, err := keyOf("http://" + text + "/")
	if err != nil {
		return err
	}
	name, ok := strings.CutSuffix(key, ")/")
	if !ok || name == "" || strings.Contains(name, ")") {
		return errors.New("it is no name of a host")
	}
	p.key = name
	return nil
}

func (p *Pattern) prefix(bare string, keyOf KeyOf) error {
	p.scope = prefix
	if page, ok := strings.CutSuffix(bare, "?"); ok && !strings.Contains(page, "?") {
		key, err := keyOf(page)
		p.key = key + "?"
		return err
	}
	_, rest, web := strings.Cut(bare, "://")
	if strings.HasPrefix(strings.ToLower(bare), "file:") {
		web = false
	}
	switch {
	case strings.ContainsAny(bare, "*#"):
		return errors.New("one star, at the end, is all that a prefix has")
	case strings.Contains(bare, "?"):
		return errors.New("a prefix can't end within a query, whose fields may stand in any order: write http://host/page?* for all queries of a page, or the whole address")
	case web && !strings.Contains(rest, "/"):
		return errors.New("a prefix begins with a whole host: write http://example.org/* or *.example.org")
	case halfEscape(bare):
		return errors.New("a prefix can't end within a percent-escape")
	case strings.HasSuffix(bare, "/.") || strings.HasSuffix(bare, "/.."):
		return errors.New("a prefix can't end with a dot segment")
	}
	key, err := keyOf(bare)
	if err != nil {
		return err
	}
	if strings.HasSuffix(bare, "/") && !strings.HasSuffix(key, "/") {
		key += "/" // keys drop it
	}
	p.key = key
	return nil
}

func halfEscape(s string) bool {
	i := strings.LastIndexByte(s, '%')
	return i >= 0 && i > len(s)-3
}

// String is the pattern as it was written.
func (p Pattern) String() string {
	if p.text == "" {
		return "*"
	}
	return p.text
}

// Key is the SURT that the pattern is about: whole, or where it begins. Empty: everything.
func (p Pattern) Key() string { return p.key }

// Says tells for people what a pattern is about.
func (p Pattern) Says() string {
	switch p.scope {
	case domain:
		return "the domain " + unSURT(p.key) + " with all its hosts"
	case host:
		return "the host " + unSURT(p.key)
	case prefix:
		if !strings.HasPrefix(p.text, "surt:") {
			return "all addresses under " + strings.TrimSuffix(p.text, "*")
		}
		return "all addresses under " + p.key
	case exact:
		return "one address, " + p.text
	}
	return "the whole collection"
}

// unSURT turns the labels of a host round again: "org,example:80" is "example.org:80".
func unSURT(key string) string {
	name, port, hasPort := strings.Cut(key, ":")
	if strings.HasPrefix(key, "[") {
		return key
	}
	labels := strings.Split(name, ",")
	for i, k := 0, len(labels)-1; i < k; i, k = i+1, k-1 {
		labels[i], labels[k] = labels[k], labels[i]
	}
	name = strings.Join(labels, ".")
	if hasPort {
		name += ":" + port
	}
	return name
}

// places are the keys, and where keys may begin, that a pattern is about. No key is among more than one of them.
func (p Pattern) places() (whole, begin []string) {
	switch p.scope {
	case exact:
		return []string{p.key}, nil
	case domain:
		return nil, []string{p.key + ")", p.key + ":", p.key + ","}
	case host:
		if name := p.key[strings.LastIndexByte(p.key, ']')+1:]; strings.Contains(name, ":") {
			return nil, []string{p.key + ")"}
		}
		return nil, []string{p.key + ")", p.key + ":"}
	case prefix:
		dir, ok := strings.CutSuffix(p.key, "/")
		if !ok || strings.HasSuffix(dir, ")") || strings.HasSuffix(dir, "/") {
			return nil, []string{p.key}
		}
		return []string{dir}, []string{p.key, dir + "?"} // the folder's own page has no slash at its end
	}
	return nil, nil
}

// Ranges are the keys that a pattern is about: those from From on, and before To, as bytes. An empty To is no bound.
func (p Pattern) Ranges() (out []Range) {
	if p.scope == all {
		return []Range{{}}
	}
	whole, begin := p.places()
	for _, k := range whole {
		out = append(out, Range{k, k + "\x00"})
	}
	for _, k := range begin {
		to := []byte(k)
		for len(to) > 0 && to[len(to)-1] == 0xff {
			to = to[:len(to)-1]
		}
		if len(to) > 0 {
			to[len(to)-1]++
		}
		out = append(out, Range{k, string(to)})
	}
	return out
}

// Range is keys in their order.
type Range struct{ From, To string }

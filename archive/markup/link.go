package markup

import (
	"bytes"
	"io"
	"strings"
)

// relations are the link types that have a role (HTML §4.6.7 and the microformats registry), the stronger ones first:
// an "alternate stylesheet" is a stylesheet.
var relations = []struct {
	rel  string
	role Role
}{
	{"stylesheet", Stylesheet},
	{"icon", Icon},
	{"apple-touch-icon", Icon},
	{"apple-touch-icon-precomposed", Icon},
	{"apple-touch-startup-image", Icon},
	{"mask-icon", Icon},
	{"fluid-icon", Icon},
	{"manifest", Manifest},
	{"modulepreload", Module},
	{"preload", Preload},
	{"prefetch", Prefetch},
	{"image_src", Social},
	{"prerender", Link},
	{"dns-prefetch", Hint},
	{"preconnect", Hint},
	{"canonical", Canonical},
	{"alternate", Alternate},
	{"amphtml", Alternate},

	// What HTML calls hyperlinks (§4.6.7), and what HTML 4.01 did (§6.12). Old browsers showed them as buttons.
	{"author", Link}, {"help", Link}, {"license", Link}, {"next", Link}, {"prev", Link}, {"privacy-policy", Link},
	{"search", Link}, {"terms-of-service", Link}, {"appendix", Link}, {"chapter", Link}, {"contents", Link},
	{"copyright", Link}, {"glossary", Link}, {"index", Link}, {"section", Link}, {"start", Link}, {"subsection", Link},
	{"first", Link}, {"last", Link}, {"previous", Link}, {"top", Link}, {"up", Link},
}

// destinations are what a preload may be for (Fetch §2.2.5, potential destinations).
var destinations = []struct {
	as   string
	role Role
}{
	{"style", Stylesheet}, {"script", Script}, {"font", Font}, {"image", Image}, {"track", Track}, {"audio", Media},
	{"video", Media}, {"document", Frame}, {"iframe", Frame}, {"frame", Frame}, {"embed", Object}, {"object", Object},
	{"manifest", Manifest},
}

// linkRole tells the role of a link from its rel and as attributes.
func linkRole(rel, as []byte) Role {
	best := len(relations)
	eachWord(rel, func(start, end int) {
		for i := range best {
			if equalFold(rel[start:end], relations[i].rel) {
				best = i
				break
			}
		}
	})
	if best == len(relations) {
		return Related
	}
	role := relations[best].role
	if role == Preload {
		for _, d := range destinations {
			if trimFold(as, d.as) {
				return d.role
			}
		}
	}
	return role
}

// LinkHeader visits the targets of a Link header field's value (RFC 8288 §3), preloads with their imagesrcset among
// them. A link with an anchor speaks of another resource, and is no more than Related.
func LinkHeader(dst io.Writer, src []byte, visit Visit) error {
	return run(dst, src, visit, func(s *scan, _ *text) {
		t := &text{b: src}
		for i := 0; i < len(src); {
			if src[i] != '<' {
				i = skipQuoted(src, i, ",<")
				if i < len(src) && src[i] == ',' {
					i++
				}
				continue
			}
			n := bytes.IndexByte(src[i:], '>')
			if n < 0 {
				return
			}
			start, end := trim(src, i+1, i+n)
			p := linkParams(src, i+n+1)
			role := linkRole(p.rel, p.as)
			if p.anchor {
				role = Related
			}
			s.found(t, Ref{URL: string(src[start:end]), Role: role, Context: "Link", Start: start, End: end}, escapeHeader)
			if p.srcset != nil {
				scanSrcset(s, &text{b: p.srcset, outer: t, base: p.srcsetAt, esc: escapeHeader}, Image, "Link")
			}
			i = p.end
		}
	})
}

type params struct {
	rel, as, srcset []byte
	srcsetAt        int
	anchor          bool
	end             int
}

// linkParams reads the parameters at i, up to the comma that ends the link. The first of a name counts (RFC 8288 §3.3).
func linkParams(b []byte, i int) (p params) {
	for i < len(b) && b[i] != ',' {
		if b[i] != ';' {
			i++
			continue
		}
		name := skipSpace(b, i+1)
		for i = name; i < len(b) && !isSpace(b[i]) && b[i] != '=' && b[i] != ';' && b[i] != ','; {
			i++
		}
		key := b[name:i]
		if i = skipSpace(b, i); i >= len(b) || b[i] != '=' {
			continue
		}
		i = skipSpace(b, i+1)
		start := i
		i = skipQuoted(b, i, ";,")
		from, to := trim(b, start, i)
		if to-from >= 2 && b[from] == '"' && b[to-1] == '"' {
			from, to = from+1, to-1
		}
		value := b[from:to:to]
		switch {
		case equalFold(key, "rel") && p.rel == nil:
			p.rel = value
		case equalFold(key, "as") && p.as == nil:
			p.as = value
		case equalFold(key, "anchor"):
			p.anchor = true
		case equalFold(key, "imagesrcset") && p.srcset == nil && !bytes.ContainsAny(value, `\"`):
			p.srcset, p.srcsetAt = value, from
		}
	}
	p.end = i
	return p
}

// skipQuoted returns the position from i on of the first byte that is one of stops and not in a quoted string.
func skipQuoted(b []byte, i int, stops string) int {
	quoted := false
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case !quoted && strings.IndexByte(stops, c) >= 0:
			return i
		}
	}
	return len(b)
}

// escapeHeader spells a URL so that it can end neither its brackets nor its quotes nor the field.
func escapeHeader(s string) string { return percent(s, "<>\"\\\r\n") }

// percent replaces the given bytes by their percent-encoded form.
func percent(s, chars string) string {
	if !strings.ContainsAny(s, chars) {
		return s
	}
	const hex = "0123456789ABCDEF"
	out := make([]byte, 0, len(s)+16)
	for i := range len(s) {
		if c := s[i]; strings.IndexByte(chars, c) >= 0 {
			out = append(out, '%', hex[c>>4], hex[c&15])
		} else {
			out = append(out, c)
		}
	}
	return string(out)
}

package replay

import (
	"fmt"
	"net/http"
	"strings"

	"linkstead/archive/httpmsg"
)

// passed are the archived fields that reach the client as they are; Content-Encoding, Content-Range, Location,
// Content-Location and Refresh are ours to decide, see reply. All others only tell what was, under another name: among them are some that act
// on the whole origin (Clear-Site-Data, Strict-Transport-Security, NEL, Set-Cookie, Service-Worker-Allowed), that
// undo our policy (Content-Security-Policy, Referrer-Policy, Access-Control-*), or speak in our name (Link, Vary).
//
// X-Content-Type-Options is as it was: without nosniff a page may have relied on sniffing, and to sniff is no danger on
// an origin that holds archived content alone.
var passed = map[string]bool{
	"Content-Type": true, "Content-Language": true, "Content-Disposition": true, "X-Content-Type-Options": true,
}

// Bounds of what is told of the archived head.
const (
	origPrefix = "X-Archive-Orig-"
	maxFields  = 128
	maxField   = 4 << 10 // bytes of a value
	maxOrig    = 24 << 10
)

// copyHeaders passes the archived fields on.
func copyHeaders(dst http.Header, head httpmsg.Head) {
	total := 0
	for i, f := range head.Fields {
		if i >= maxFields || !isToken(f.Name) || len(f.Name) > 100 {
			continue
		}
		name, value := http.CanonicalHeaderKey(f.Name), fieldValue(f.Value)
		if passed[name] {
			dst.Set(name, value)
			continue
		}
		if total += len(name) + len(value); total <= maxOrig {
			dst.Add(origPrefix+name, value)
		}
	}
}

// fieldValue spells a value so that it is one (RFC 9110 §5.5): without control characters, and not too long.
func fieldValue(s string) string {
	if len(s) > maxField {
		s = s[:maxField]
	}
	return unbroken(s)
}

// unbroken is a value without control characters, however long.
func unbroken(s string) string {
	if strings.IndexFunc(s, isControl) < 0 {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		if isControl(rune(c)) {
			b[i] = ' '
		}
	}
	return string(b)
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// isToken says whether s can be a field name (RFC 9110 §5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !isLower(c|0x20) && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// mementoHeaders sets what tells a client what it has got (RFC 7089 §2.1.1, §2.2.1).
func (p *reply) mementoHeaders() {
	head := p.w.Header()
	head.Set("Memento-Datetime", p.c.At.UTC().Format(http.TimeFormat))
	head.Set("Link", p.h.links(p.r, p.a, &choice{Capture: p.c, near: p.near}))
	p.timing()
	if p.c.Flags != "" {
		head.Set("X-Archive-Flags", fieldValue(p.c.Flags))
	}
	if p.differs != nil {
		head.Set("X-Archive-Fuzzy", p.differs.String())
	}
	// A capture never changes, but a nearer one may come for any address that is not its own.
	head.Set("Cache-Control", "private, no-cache")
	if own := p.a.own(&p.c); own.stamp == p.a.stamp && own.url == p.a.url {
		head.Set("Cache-Control", "private, max-age=3600")
	}
}

// tag is the entity tag of what is sent: which capture, how it is shown, and by which of our scripts.
func (p *reply) tag(form string) string {
	return fmt.Sprintf(`"%s-%d-%s%s-%s-%s"`, strings.Map(tagRune, p.c.Segment), p.c.Offset, p.a.stamp, p.a.mod, form, shimVersion)
}

func tagRune(r rune) rune {
	if r <= ' ' || r == '"' || r >= 0x7f {
		return '_'
	}
	return r
}

// unchanged answers 304 to a client that has the tag already (RFC 9110 §13.1.2).
func (p *reply) unchanged(tag string) bool {
	p.w.Header().Set("ETag", tag)
	if p.status != http.StatusOK || !reads(p.r) || !strings.Contains(p.r.Header.Get("If-None-Match"), tag) {
		return false
	}
	p.w.WriteHeader(http.StatusNotModified)
	return true
}

package elsewhere

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// link is an entry of a Link field (RFC 8288 §3) or of a document of link-format (RFC 6690 §2).
type link struct {
	to      string
	memento bool // its relations name it one (RFC 7089 §2.2): memento, first memento, …
	at      time.Time
}

// maxLinks bounds the entries of one answer.
const maxLinks = 100_000

// linksOf reads the links of a field or document. What can't be read as one ends it.
func linksOf(s string) (out []link) {
	for len(out) < maxLinks {
		s = strings.TrimLeft(s, " \t\r\n,")
		target, rest, ok := strings.Cut(strings.TrimPrefix(s, "<"), ">")
		if !strings.HasPrefix(s, "<") || !ok {
			return out
		}
		l := link{to: target}
		s = rest
		for {
			s = strings.TrimLeft(s, " \t\r\n")
			if !strings.HasPrefix(s, ";") {
				break
			}
			var name, value string
			name, value, s = parameter(s[1:])
			switch name {
			case "rel":
				l.memento = l.memento || slices.Contains(strings.Fields(strings.ToLower(value)), "memento")
			case "datetime":
				l.at, _ = http.ParseTime(value) // one without a date is nearest to nothing
			}
		}
		l.memento = l.memento && !l.at.IsZero()
		out = append(out, l)
	}
	return out
}

// parameter reads name=value, whose value may be quoted.
func parameter(s string) (name, value, rest string) {
	i := strings.IndexAny(s, "=;,")
	if i < 0 {
		return strings.ToLower(strings.TrimSpace(s)), "", ""
	}
	name = strings.ToLower(strings.TrimSpace(s[:i]))
	if s[i] != '=' {
		return name, "", s[i:]
	}
	s = strings.TrimLeft(s[i+1:], " \t")
	if !strings.HasPrefix(s, `"`) {
		if i = strings.IndexAny(s, ";,"); i < 0 {
			i = len(s)
		}
		return name, strings.TrimSpace(s[:i]), s[i:]
	}
	var b strings.Builder
	for i = 1; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return name, b.String(), s[min(i+1, len(s)):]
}

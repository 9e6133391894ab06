package fuzzy

import (
	"slices"
	"strings"
)

// reserved begins the fields that tell a request's method and body: they always count.
const reserved = "__wb_"

// Address is a key as the rules see it.
type Address struct {
	Key    string
	rules  *Rules
	host   string
	path   string   // without what is masked
	fields []string // that count, in the order of the key
	noise  []noise  // that do not
}

// noise is a part that does not count.
type noise struct{ text, rule string }

// Of reads a key. One that is no SURT of a host has no parts that rules could name.
func (s *Rules) Of(key string) Address {
	a := Address{Key: key, rules: s}
	host, rest, ok := strings.Cut(key, ")")
	if !ok || rest == "" || rest[0] != '/' || strings.ContainsAny(host, "/?") {
		a.host, a.path = key, ""
		return a
	}
	path, query, _ := strings.Cut(rest, "?")
	a.host, a.path = host, path
	holds := make([]*rule, 0, 8)
	for i := range s.list {
		if s.list[i].of(host, path) {
			holds = append(holds, &s.list[i])
		}
	}
	for _, r := range holds {
		for _, re := range r.mask {
			for _, m := range re.FindAllString(a.path, -1) {
				if m != "" {
					a.noise = append(a.noise, noise{m, r.name})
					a.path = strings.Replace(a.path, m, "", 1)
				}
			}
		}
	}
	if query == "" {
		return a
	}
	for f := range strings.SplitSeq(query, "&") {
		if name := goes(holds, f); name != "" {
			a.noise = append(a.noise, noise{f, name})
		} else {
			a.fields = append(a.fields, f)
		}
	}
	return a
}

// goes names the rule by which a field does not count; "": it counts.
func goes(holds []*rule, field string) string {
	name, _, _ := strings.Cut(field, "=")
	if strings.HasPrefix(name, reserved) {
		return ""
	}
	for _, r := range holds {
		if r.drops(field) || r.keep != nil && !named(r.keep, name) {
			return r.name
		}
	}
	return ""
}

// Span is a part of an index: the keys from From on, before To, compared as bytes.
type Span struct{ From, To string }

// Spans are where keys stand that may mean the same, the narrowest first: each holds the one before.
func (a *Address) Spans() []Span {
	if a.path == "" {
		return nil
	}
	_, rest, _ := strings.Cut(a.Key, ")")
	path, query, _ := strings.Cut(rest, "?")
	front := a.host + ")" + common(a.path, path)
	var out []Span
	if len(a.noise) > 0 && path == a.path {
		// Most differ in the same field as this one.
		if at := strings.Index("&"+query, "&"+a.noise[0].text); at >= 0 {
			name, _, has := strings.Cut(a.noise[0].text, "=")
			if has {
				name += "="
			}
			out = append(out, spanOf(front+"?"+query[:at]+name))
		}
	}
	return append(out, spanOf(front))
}

// common is what two texts begin with, both.
func common(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

// spanOf holds all keys with a prefix. Keys are printable ASCII.
func spanOf(prefix string) Span { return Span{prefix, prefix + "\x7f"} }

// Difference is in what two addresses differ, neither of which counts.
type Difference struct {
	Rules []string // the names of those that say so
	Asked []string // what only the one that was asked for has
	Found []string // what only the other has
}

// Far is how many parts only one of them has.
func (d *Difference) Far() int { return len(d.Asked) + len(d.Found) }

// Same says whether another key means the same, and in what they differ.
func (a *Address) Same(key string) (Difference, bool) {
	b := a.rules.Of(key)
	if a.path == "" || a.host != b.host || a.path != b.path || !slices.Equal(a.fields, b.fields) {
		return Difference{}, false
	}
	var d Difference
	d.Asked = d.only(a.noise, b.noise)
	d.Found = d.only(b.noise, a.noise)
	slices.Sort(d.Rules)
	d.Rules = slices.Compact(d.Rules)
	return d, true
}

// only brings the parts that one has and the other has not.
func (d *Difference) only(one, other []noise) (out []string) {
	left := slices.Clone(other)
	for _, n := range one {
		if i := slices.IndexFunc(left, func(m noise) bool { return m.text == n.text }); i >= 0 {
			left = slices.Delete(left, i, i+1)
			continue
		}
		out, d.Rules = append(out, n.text), append(d.Rules, n.rule)
	}
	return out
}

// String tells it in a line: the rules, what was asked, what was found.
func (d *Difference) String() string {
	side := func(parts []string) string {
		s := strings.Join(parts, "&")
		if len(s) > maxTold {
			s = s[:maxTold] + "..."
		}
		return strings.Map(func(r rune) rune {
			if r < ' ' || r == '"' || r == '\\' || r > '~' {
				return '?'
			}
			return r
		}, s)
	}
	return strings.Join(d.Rules, ",") + `; asked="` + side(d.Asked) + `"; found="` + side(d.Found) + `"`
}

// maxTold bounds what is told of a side, in bytes.
const maxTold = 500

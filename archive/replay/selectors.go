package replay

import (
	"strings"

	"linkstead/archive/markup"
)

// Selectors of attributes ask for what an author wrote. Beside that they are to match the addresses that stand there now, by how
// these tell what was written (spelling.go): `[href^="/"]` becomes `[href]:where(…)`, which weighs as much as one selector does. The
// shim does the same with what scripts ask for (selectors.js).

// match is what a selector asks for in other words: values for which all comparisons hold, and none of the others.
type match struct{ all, none []comparison }

type comparison struct{ op, value string }

// Comparisons that tell the spellings apart. In a query the marks would be taken for what they are not; nobody has them there.
var (
	rooted     = comparison{"*=", markOfPath + "/"}
	segmented  = comparison{"*=", "/" + markOfSegment}
	questioned = comparison{"*=", "/" + markOfQuery}
)

// matches tells which of our addresses a selector means, and whether those that it would find by itself are to be left out.
func (r *references) matches(op byte, v string) (list []match, hides bool) {
	ours, led := comparison{"^=", r.root}, comparison{"^=", leadOfScheme + r.root}
	whole := []comparison{rooted, segmented, questioned}
	notSegmented := []comparison{segmented} // "./a" looks like "/a" behind its mark
	bare := hostOnly(v)
	switch op {
	case '*':
		list = []match{{all: []comparison{ours, {"*=", v}}, none: whole}}
		if !strings.Contains(v, ":") && !strings.Contains(webScheme, v) {
			list = append(list, match{all: []comparison{led, {"*=", v}}})
		}
		return list, true
	case '$':
		end := comparison{"$=", v + "/" + markOfHost}
		return []match{{all: []comparison{ours, end}}, {all: []comparison{led, end}}}, false
	case '^':
		hides = strings.HasPrefix(led.value, v) || strings.HasPrefix(ours.value, v)
		switch {
		case v == "/":
			return []match{{all: []comparison{ours, rooted}, none: notSegmented}, {all: []comparison{led}}}, hides
		case v == "//":
			return []match{{all: []comparison{led}}}, hides
		case strings.HasPrefix(v, "//"):
			return []match{{all: []comparison{led, {"*=", ":" + v}}}}, hides
		case v[0] == '/':
			return []match{{all: []comparison{ours, {"*=", markOfPath + v}}, none: notSegmented}}, hides
		case v[0] == '?':
			return []match{{all: []comparison{ours, questioned, {"*=", v}}}}, hides
		}
		list = []match{{all: []comparison{ours, {"*=", "/" + markOfSegment + v}}}}
		if beginsURL(v) {
			list = append(list, match{all: []comparison{ours, {"*=", "/" + v}}, none: whole})
		}
		return list, hides
	}
	switch {
	case strings.HasPrefix(v, "//"):
		return []match{{all: []comparison{led, {"$=", ":" + bare}}}}, false
	case v[0] == '/':
		return []match{{all: []comparison{ours, {"$=", markOfPath + v}}, none: notSegmented}}, false
	case v[0] == '?':
		return []match{{all: []comparison{ours, questioned, {"$=", v}}}}, false
	case beginsURL(v):
		return []match{{all: []comparison{ours, {"$=", "/" + bare}}, none: whole}}, false
	}
	return []match{{all: []comparison{ours, {"$=", "/" + markOfSegment + v}}}}, false
}

// hostOnly is v as an address ends if v ends with a host.
func hostOnly(v string) string {
	if _, rest, ok := strings.Cut(v, "//"); ok && rest != "" && !strings.ContainsAny(rest, "/?#") {
		return v + "/" + markOfHost
	}
	return v
}

// beginsURL says whether absolute URLs of the web begin with v, or v with one.
func beginsURL(v string) bool {
	v = strings.ToLower(v)
	for _, scheme := range [...]string{"http://", "https://"} {
		if strings.HasPrefix(v, scheme) || strings.HasPrefix(scheme, v) {
			return true
		}
	}
	return false
}

const webScheme = "https://"

// concerns says whether what a selector asks for can be otherwise now.
func (r *references) concerns(op byte, v string) bool {
	if v == "" || v[0] == '#' {
		return false
	}
	switch op {
	case '*':
		// A relative reference now holds the page's host, which its author did not write.
		origin, host := "", ""
		if r.doc != nil {
			origin = strings.TrimSuffix(r.doc.String(), "/")
			if i := strings.Index(origin, "://"); i >= 0 {
				host, _, _ = strings.Cut(origin[i+3:], "/")
				origin = origin[:i+3] + host + "/"
			}
		}
		return len(v) > 1 && (strings.Contains(origin, v) || host != "" && strings.Contains(v, host) || strings.Contains(webScheme, v))
	case '$':
		return strings.Contains(v, "//") && hostOnly(v) != v || tops[v[strings.LastIndexByte(v, '.')+1:]] && !strings.Contains(v, "/")
	}
	scheme, _, ok := strings.Cut(v, ":")
	return !ok || scheme == "http" || scheme == "https" || strings.ContainsAny(scheme, "/?#.") // mailto: and the like stay as they are
}

// tops are the ends of host names that selectors ask for, and that are not those of files.
var tops = map[string]bool{"com": true, "org": true, "net": true, "edu": true, "gov": true}

// selects has the selectors of a style sheet turned.
func (r *references) selects() *markup.Selects {
	return &markup.Selects{Root: r.root, Turn: r.selector}
}

// selector is what stands in the place of one, if it is to be another.
func (r *references) selector(s markup.Selector) (string, bool) {
	if !r.concerns(s.Op, s.Value) {
		return "", false
	}
	test := func(c comparison) string {
		flag := ""
		if s.Flag != 0 {
			flag = " " + string(s.Flag)
		}
		return "[" + s.Attr + c.op + markup.CSSString(c.value) + flag + "]"
	}
	op := "="
	if s.Op != '=' {
		op = string(s.Op) + "="
	}
	list, hides := r.matches(s.Op, s.Value)
	var out strings.Builder
	out.WriteString("[" + s.Attr + "]:where(" + test(comparison{op, s.Value}))
	if hides {
		out.WriteString(":not(" + test(comparison{"^=", r.root}) + "," + test(comparison{"^=", leadOfScheme + r.root}) + ")")
	}
	for _, m := range list {
		out.WriteByte(',')
		for _, c := range m.all {
			out.WriteString(test(c))
		}
		for i, c := range m.none {
			out.WriteString([2]string{":not(", ","}[min(i, 1)] + test(c))
		}
		if len(m.none) > 0 {
			out.WriteByte(')')
		}
	}
	out.WriteByte(')')
	return out.String(), true
}

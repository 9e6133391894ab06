package fuzzy_test

import (
	"strings"
	"testing"

	"linkstead/archive/fuzzy"
	"linkstead/archive/urlkey"
)

// TestRules tries the cases of each rule, both ways.
func TestRules(t *testing.T) {
	hits := map[string]bool{}
	for _, c := range fuzzy.Default.Cases() {
		a, b := urlkey.Key(c.A), urlkey.Key(c.B)
		if a == b {
			t.Errorf("%s: %s and %s have one key: nothing is tried", c.Rule, c.A, c.B)
		}
		for _, pair := range [][2]string{{a, b}, {b, a}} {
			asked := fuzzy.Default.Of(pair[0])
			d, same := asked.Same(pair[1])
			if same != c.Hit {
				t.Errorf("%s: %s and %s: the same: %v", c.Rule, pair[0], pair[1], same)
			}
			if same && c.Hit && (d.Far() == 0 || !strings.Contains(d.String(), c.Rule)) {
				t.Errorf("%s: %s and %s: %s", c.Rule, pair[0], pair[1], d.String())
			}
			if same && !holds(&asked, pair[1]) {
				t.Errorf("%s: %s is not looked for where %s stands: %q", c.Rule, pair[0], pair[1], asked.Spans())
			}
		}
		hits[c.Rule] = hits[c.Rule] || c.Hit
	}
	for rule, hit := range hits {
		if !hit {
			t.Errorf("%s has no hit", rule)
		}
	}
	if len(hits) < 10 {
		t.Errorf("%d rules with cases", len(hits))
	}
}

func holds(a *fuzzy.Address, key string) bool {
	spans := a.Spans()
	last := spans[len(spans)-1]
	return key >= last.From && key < last.To
}

// TestCounts: what always counts, and what is told.
func TestCounts(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		want       string // "": they are two
	}{
		{"itself", "example,e)/a?x=1", "example,e)/a?x=1", `; asked=""; found=""`},
		{"two fields", "example,e)/a?_=1600000000000&utm_source=a&x=1", "example,e)/a?_=1600000000001&x=1",
			`cache-buster,campaign; asked="_=1600000000000&utm_source=a"; found="_=1600000000001"`},
		{"another host", "example,e)/a?_=1600000000000", "example,f)/a?_=1600000000000", ""},
		{"another port", "example,e:81)/a?_=1600000000000", "example,e)/a?_=1600000000000", ""},
		{"another path", "example,e)/a?_=1600000000000", "example,e)/b?_=1600000000000", ""},
		{"another method", "example,e)/a?__wb_method=post&_=1600000000000", "example,e)/a?_=1600000000000", ""},
		{"another body", "example,e)/a?__wb_method=post&__wb_post_data=aa", "example,e)/a?__wb_method=post&__wb_post_data=bb", ""},
		{"a body that differs in what does not count", "example,e)/a?__wb_method=post&_=1600000000000&q=x", "example,e)/a?__wb_method=post&_=1600000000001&q=x",
			`cache-buster; asked="_=1600000000000"; found="_=1600000000001"`},
		{"a body of a host of which little counts", "com,googlevideo)/videoplayback?__wb_method=post&id=1", "com,googlevideo)/videoplayback?id=1", ""},
		{"what could break a line", "example,e)/a.js?v=\"\\%0a", "example,e)/a.js?v=2", `static-version; asked="v=??%0a"; found="v=2"`},
		{"no key of a host", "urn:uuid:1?_=1600000000000", "urn:uuid:1?_=1600000000001", ""},
	} {
		asked := fuzzy.Default.Of(c.a)
		d, same := asked.Same(c.b)
		if same != (c.want != "") || same && d.String() != c.want {
			t.Errorf("%s: %v %s", c.name, same, d.String())
		}
	}
}

func TestParseFaults(t *testing.T) {
	for file, want := range map[string]string{
		"drop x":                                "before the first rule",
		"rule a b":                              "no name",
		"rule a":                                "lets nothing go",
		"rule a\nwhen x":                        "lets nothing go",
		"rule a\nmask x\nwhen y":                "which it has not",
		"rule a\nkeep x":                        "of which host",
		"rule a\ndrop":                          "says nothing",
		"rule a\ndrop x\nhit one":               "two addresses",
		"rule a\nmask (":                        "missing closing",
		"rule a\nfly x":                         "use rule, host",
		"rule a\ndrop x\npath x\npath y":        "one path",
		strings.Repeat("#", 1<<20) + "# longer": "longer than",
	} {
		if _, err := fuzzy.Parse(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", file, err, want)
		}
	}
	own, err := fuzzy.Parse("rule own\nhost site.example\nkeep id\nhit http://site.example/a?id=1&b=2 http://site.example/a?id=1")
	if err != nil {
		t.Fatal(err)
	}
	a := fuzzy.Default.With(own).Of("example,site,api)/a?b=2&id=1")
	if _, same := a.Same("example,site,api)/a?b=3&id=1"); !same {
		t.Error("rules of one's own do not count")
	}
}

// FuzzSame: what means the same does so both ways, and lies in the span that is searched.
func FuzzSame(f *testing.F) {
	f.Add("example,e)/a?_=1600000000000&x=1", "example,e)/a?x=1")
	f.Add("example,e)/a;jsessionid=1/b", "example,e)/a/b")
	f.Add("com,googlevideo)/videoplayback?id=1&x", "com,googlevideo)/videoplayback?id=1")
	f.Add("", ")/?&&=")
	f.Fuzz(func(t *testing.T, one, two string) {
		a, b := fuzzy.Default.Of(one), fuzzy.Default.Of(two)
		d, same := a.Same(two)
		if _, back := b.Same(one); back != same {
			t.Errorf("%q and %q: %v and %v", one, two, same, back)
		}
		if strings.ContainsAny(d.String(), "\r\n") {
			t.Errorf("%q", d.String())
		}
		if printable := !strings.ContainsFunc(two, func(r rune) bool { return r <= ' ' || r >= 0x7f }); same && printable && !holds(&a, two) {
			t.Errorf("%q is not looked for where %q stands: %q", one, two, a.Spans())
		}
	})
}

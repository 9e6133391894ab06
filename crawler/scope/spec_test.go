package scope_test

import (
	"reflect"
	"strings"
	"testing"

	"linkstead/crawler/scope"
)

func TestCompileSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*scope.Spec)
		want   []string // all of these stand in the error
	}{
		{"no source", func(s *scope.Spec) { s.Source = "" }, []string{"no source", "file"}},
		{"links", func(s *scope.Spec) { s.Links = "some" }, []string{`"some"`, "outbound"}},
		{"scope", func(s *scope.Spec) { s.Scope = "site" }, []string{`"site"`, "prefix"}},
		{"robots", func(s *scope.Spec) { s.Robots = "no" }, []string{`"no"`, "ignore"}},
		{"collection", func(s *scope.Spec) { s.Collection = "../x" }, []string{`"../x"`, "dash"}},
		{"date", func(s *scope.Spec) { s.Dated = "May 5" }, []string{`"May 5"`, "2024-05-17"}},
		{"depth", func(s *scope.Spec) { s.Depth = 91 }, []string{"depth 91", "90"}},
		{"per host", func(s *scope.Spec) { s.PerHost = 0 }, []string{"per_host 0", "1 to"}},
		{"delay", func(s *scope.Spec) { s.DelayMS = -1 }, []string{"delay_ms -1"}},
		{"exclude", func(s *scope.Spec) { s.Exclude = []string{"ok", "a(b"} }, []string{`"a(b"`, "missing closing )", "RE2"}},
		{"base", func(s *scope.Spec) { s.Base = "/posts/" }, []string{`"/posts/"`, "in full"}},
		{"document without address", func(s *scope.Spec) { s.Source, s.Depth = "post.md", 1 }, []string{"--base", "--scope any"}},
		{"resolve parts", func(s *scope.Spec) { s.Resolve = []string{"a:80"} }, []string{`"a:80"`, "missing", "HOST:PORT:ADDRESS"}},
		{"resolve port", func(s *scope.Spec) { s.Resolve = []string{"a:http:127.0.0.1"} }, []string{`"http" is no port`}},
		{"resolve address", func(s *scope.Spec) { s.Resolve = []string{"a:80:b"} }, []string{`"b" is no IP address`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := scope.Default()
			spec.Source = post
			c.change(&spec)
			_, err := spec.Compile()
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
		})
	}
}

func TestDocuments(t *testing.T) {
	spec := scope.Default()
	spec.Source, spec.Dated = "post.md", "2024-05"
	if _, err := spec.Compile(); err != nil {
		t.Errorf("a document alone: %v", err)
	}
	spec.Base, spec.Depth = "HTTP://Blog.example.org/2024/", 2
	s, err := spec.Compile()
	if err != nil {
		t.Fatalf("a document with a base: %v", err)
	}
	if v := s.Admit(scope.Link{URL: "https://blog.example.org/x", Hop: scope.HopLink, Hops: "L", Depth: 1}); !v.Admitted {
		t.Errorf("bounds are not measured from the base: %+v", v)
	}
}

func TestSpecKeepsAsJSON(t *testing.T) {
	spec := scope.Default()
	spec.Source, spec.Exclude, spec.Resolve, spec.Depth = post, []string{"x"}, []string{"a:80:::1"}, 3
	b, err := spec.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := scope.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, spec) {
		t.Errorf("got %+v, want %+v", back, spec)
	}
	old, err := scope.Decode([]byte(`{"source":"x"}`))
	if err != nil || old.MaxRedirects != 20 {
		t.Errorf("missing fields: %+v, %v", old, err)
	}
	if _, err := scope.Decode([]byte(`{"source":"x","later":1}`)); err == nil {
		t.Error("an unknown rule was dropped in silence")
	}
}

func TestLinksSelects(t *testing.T) {
	for _, c := range []struct {
		mode                    scope.Links
		none, content, outbound bool
	}{
		{scope.LinksSources, false, true, true},
		{scope.LinksContent, false, true, false},
		{scope.LinksOutbound, false, false, true},
		{scope.LinksAll, true, true, true},
	} {
		if c.mode.Selects(false, false) != c.none || c.mode.Selects(true, false) != c.content || c.mode.Selects(false, true) != c.outbound {
			t.Errorf("%s selects otherwise", c.mode)
		}
	}
}

func TestSplitResolve(t *testing.T) {
	for in, want := range map[string]string{
		"Docs.Python.test:80:127.0.7.1": "docs.python.test:80 127.0.7.1",
		"a:443:[::1]":                   "a:443 ::1",
		"a:443:::1":                     "a:443 ::1",
	} {
		hp, addr, err := scope.SplitResolve(in)
		if err != nil || hp+" "+addr.String() != want {
			t.Errorf("%s: got %s %s, %v", in, hp, addr, err)
		}
	}
}

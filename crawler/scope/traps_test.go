package scope_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"linkstead/crawler/scope"
)

// trapScope is a crawl that began in 2026.
func trapScope(t testing.TB, change func(*scope.Spec)) *scope.Scope {
	t.Helper()
	spec := scope.Default()
	spec.Source, spec.Depth = "http://site.example/", 80
	if change != nil {
		change(&spec)
	}
	s, err := spec.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return s.In(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC))
}

func TestTrapped(t *testing.T) {
	s := trapScope(t, nil)
	const from = "http://site.example/"
	for _, c := range []struct{ url, from, want string }{
		// Honest addresses.
		{"http://site.example/2016/02/aleppo/", from, ""},
		{"http://site.example/1851/09/18/archives/news-of-the-morning.html", from, ""},
		{"http://site.example/calendar/2027/01/", from, ""},
		{"http://site.example/a/a/a/", from, ""},
		{"http://site.example/tree/main/src/github.com/x/y/vendor/github.com/x/y/z", from, ""},
		{"http://site.example/parts/3021/07/", from, ""},
		{"http://site.example/issue/9999", from, ""},
		{"http://site.example/sku/2093-0512", from, ""},
		{"http://site.example/docs/rfc/2616/12", from, ""},
		{"http://site.example/events/?date=2026-12", from, ""},
		{"http://site.example/?tag=a&tag=a&tag=a", from, ""},
		{"http://site.example/x?y=" + strings.Repeat("é", 300), from, ""},
		// Made up.
		{"http://site.example/calendar/2038/01/", from, "calendar's page of 2038, more than 5 years ahead"},
		{"http://site.example/2038/01/05/", from, "calendar's page of 2038"},
		{"http://site.example/events/2038-01", from, "calendar's page of 2038"},
		{"http://site.example/x/2038-01-05/", from, "calendar's page of 2038"},
		{"http://site.example/cal?month=2038-01", from, "calendar's page of 2038"},
		{"http://site.example/cal?year=1500&month=1", from, "more than 300 years back"},
		{"http://site.example/agenda/20380105", from, "calendar's page of 2038"},
		{"http://site.example/a/a/a/a/", from, `"/a" stands there more than 3 times`},
		{"http://site.example/x" + strings.Repeat("/a/b", 4) + "/", from, `"/a/b" stands there`},
		{"http://site.example/?a=1" + strings.Repeat("&a=1", 3), from, `"a=1" stands there`},
		{"http://site.example/" + strings.Repeat("x", 4096), from, "longer than 4096 bytes"},
		{"http://site.example/" + many("s%d/", 41), from, "more than 40 segments"},
		{"http://site.example/?" + many("f%d=1&", 41), from, "more than 40 fields"},
	} {
		got := s.Trapped(c.url, c.from, 2)
		if c.want == "" && got != "" || c.want != "" && !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.url, got, c.want)
		}
		if got := s.Trapped(c.url, c.from, 1); got != "" {
			t.Errorf("the post's own link %s is cut: %s", c.url, got)
		}
	}
	off := trapScope(t, func(s *scope.Spec) { s.Traps = scope.Traps{} })
	if got := off.Trapped("http://site.example/a/a/a/a/a/a/", from, 9); got != "" {
		t.Errorf("without limits: %s", got)
	}
}

func many(f string, n int) string {
	var sb strings.Builder
	for i := range n {
		fmt.Fprintf(&sb, f, i)
	}
	return sb.String()
}

// TestGrowth: a path that grows from page to page is cut; one that is as deep, but was found elsewhere, isn't.
func TestGrowth(t *testing.T) {
	s := trapScope(t, nil)
	at := func(n int) string { return "http://site.example/" + many("d%d/", n) }
	if got := s.Trapped(at(26), at(25), 30); !strings.Contains(got, "grew from page to page") {
		t.Errorf("a path that grows: %q", got)
	}
	for _, c := range []struct{ url, from string }{{at(25), at(24)}, {at(30), "http://site.example/toc/index.html"}, {at(30), at(31)}, {at(30) + "x", at(30) + "y"}} {
		if got := s.Trapped(c.url, c.from, 30); got != "" {
			t.Errorf("%s from %s: %s", c.url, c.from, got)
		}
	}
}

func TestAdmitTraps(t *testing.T) {
	s := trapScope(t, nil)
	const bad = "http://site.example/calendar/2099/01/"
	link := scope.Link{URL: bad, Hop: scope.HopLink, From: "http://site.example/x", Hops: "L", Depth: 1}
	if v := s.Admit(link); v.Admitted || v.Reason != scope.ReasonTrap || v.Kind != scope.KindPage || v.Depth != 2 || v.Hops != "LL" || v.Detail == "" {
		t.Errorf("a trap: %+v", v)
	}
	own := scope.Link{URL: bad, Hop: scope.HopLink, From: "http://site.example/", Cited: true}
	if v := s.Admit(own); !v.Admitted {
		t.Errorf("the post's own link: %+v", v)
	}
	own.Cited = false
	if v := s.Admit(own); !v.Admitted {
		t.Errorf("a link of the post: %+v", v)
	}
	link.Hop = scope.HopRedirect
	if v := s.Admit(link); !v.Admitted {
		t.Errorf("where the post's own link redirects to: %+v", v)
	}
	link.Hops, link.Depth = "LL", 2
	if v := s.Admit(link); v.Admitted || v.Reason != scope.ReasonTrap || v.Kind != scope.KindRedirect {
		t.Errorf("where a page redirects to: %+v", v)
	}
	link.Hop = scope.HopEmbed
	if v := s.Admit(link); !v.Admitted {
		t.Errorf("a requisite: %+v", v)
	}
	far := scope.Link{URL: "http://far.example/calendar/2099/01/", Hop: scope.HopLink, From: "http://site.example/x", Hops: "L", Depth: 1}
	if v := s.Admit(far); v.Reason != scope.ReasonScope {
		t.Errorf("what is out of scope anyway: %+v", v)
	}
}

func TestPattern(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"http://a.example/", ""},
		{"http://a.example/about/team", ""},
		{"http://a.example/calendar/2031/07", "/calendar/{n}/{n}"},
		{"http://a.example/calendar/2031/7/?view=day&a", "/calendar/{n}/{n}/?a&view="},
		{"http://a.example/page-12.html", "/page-{n}.html"},
		{"http://a.example/p/550e8400-e29b-41d4-a716-446655440000", "/p/{id}"},
		{"http://a.example/p/9f86d081884c7d65", "/p/{id}"},
		{"http://a.example/p/20240517", "/p/{n}"},
		{"http://a.example/x?b=2&a=1&b=3", "/x?a=&b="},
		{"http://a.example/x?p10=1&p11=2", "/x?p{n}="},
		{"http://a.example/x;jsessionid=0123", ""},
		{"http://a.example/x?PHPSESSID=0123&id=7", "/x?id="},
	} {
		if got := scope.Pattern(c.url); got != c.want {
			t.Errorf("Pattern(%q) = %q, want %q", c.url, got, c.want)
		}
	}
	long := func(end string) string { return "http://a.example/1/" + strings.Repeat("x/", 400) + end }
	if a, b := scope.Pattern(long("a")), scope.Pattern(long("b")); len(a) > 300 || a == b || a != scope.Pattern(long("a")) {
		t.Errorf("long ones: %q, %q", a, b)
	}
}

func TestTallied(t *testing.T) {
	s := trapScope(t, func(s *scope.Spec) { s.Traps.Host, s.Traps.Depth, s.Traps.Pattern, s.Traps.Same = 10, 0, 5, 3 })
	got := s.Tallied("http://site.example/p/1", "LL", 2)
	if len(got) != 3 || got[0].Key != "host" || got[1].Key != "depth 2" || got[2].Key != "like /p/{n}" {
		t.Fatalf("counts %+v", got)
	}
	for _, c := range []struct {
		count   int
		n, same int64
		want    string
	}{
		{0, 9, 9, ""}, {0, 10, 0, "more than 10 pages"}, {1, 1 << 40, 0, ""}, {2, 4, 2, ""}, {2, 5, 0, "more than 5 pages like /p/{n}"},
		{2, 4, 3, "the last 3 pages like /p/{n} were the same"},
	} {
		if why := got[c.count].Reached(c.n, c.same); c.want == "" && why != "" || !strings.Contains(why, c.want) {
			t.Errorf("%s at %d, %d: %q, want %q", got[c.count].Key, c.n, c.same, why, c.want)
		}
	}
	if got := s.Tallied("http://site.example/about", "LL", 2); len(got) != 2 {
		t.Errorf("what is one of its kind counts as %+v", got)
	}
}

// FuzzTrapped: whatever an address is, it is judged, and its pattern is bounded and that of its own session.
func FuzzTrapped(f *testing.F) {
	for _, u := range []string{"http://a.example/", "http://a.example/a/a/a/a?a=1&a=1", "https://a.example/2099/01/01/?date=2099-01-01", "http://a.example//////"} {
		f.Add(u, "http://a.example/x", 3)
	}
	s := trapScope(f, nil)
	f.Fuzz(func(t *testing.T, url, from string, depth int) {
		if !strings.HasPrefix(url, "http://a.example/") || !strings.HasPrefix(from, "http://a.example/") {
			return
		}
		if why := s.Trapped(url, from, depth); depth <= 1 && why != "" {
			t.Errorf("%q at %d: %s", url, depth, why)
		}
		if p := scope.Pattern(url); len(p) > 260 || p != scope.Pattern(url) {
			t.Errorf("the pattern of %q is %q", url, p)
		}
	})
}

package scope_test

import (
	"strings"
	"testing"

	"linkstead/crawler/scope"
)

const post = "https://blog.example.org/2024/05/post.html"

func compile(t *testing.T, change func(*scope.Spec)) *scope.Scope {
	t.Helper()
	spec := scope.Default()
	spec.Source = post
	if change != nil {
		change(&spec)
	}
	s, err := spec.Compile()
	if err != nil {
		t.Fatalf("compile: %v", err)
	}
	return s
}

func TestAdmit(t *testing.T) {
	whole := func(b scope.Bound, depth int) func(*scope.Spec) {
		return func(s *scope.Spec) { s.Scope, s.Depth = b, depth }
	}
	excluding := func(e ...string) func(*scope.Spec) {
		return func(s *scope.Spec) { s.Exclude = e }
	}
	cited := func(u string) scope.Link {
		return scope.Link{URL: u, Hop: scope.HopLink, Cited: true, From: post}
	}
	link := func(u, hops string) scope.Link {
		return scope.Link{URL: u, Hop: scope.HopLink, From: post, Hops: hops, Depth: strings.Count(hops, "L")}
	}
	embed := func(u, hops string) scope.Link {
		l := link(u, hops)
		l.Hop = scope.HopEmbed
		return l
	}
	redirect := func(u, hops string) scope.Link {
		l := link(u, hops)
		l.Hop = scope.HopRedirect
		return l
	}
	page := func(depth int, hops string, due int64) scope.Verdict {
		return scope.Verdict{Admitted: true, Kind: scope.KindPage, Depth: depth, Hops: hops, Due: due}
	}
	task := func(k scope.Kind, depth int, hops string, due int64) scope.Verdict {
		v := page(depth, hops, due)
		v.Kind = k
		return v
	}
	no := func(r scope.Reason) scope.Verdict { return scope.Verdict{Reason: r} }

	for _, c := range []struct {
		name string
		spec func(*scope.Spec)
		link scope.Link
		want scope.Verdict
	}{
		{"a post's own link leads anywhere", nil, cited("http://far.example/"), page(1, "L", 10)},
		{"a post's own link, found after the post was redirected", nil, scope.Link{URL: "http://far.example/", Hop: scope.HopLink, Cited: true, Hops: "RR"}, page(1, "RRL", 10)},
		{"a link that is none of its own", nil, link("https://blog.example.org/about", ""), no(scope.ReasonDepth)},
		{"the same in a whole site", whole(scope.BoundHost, 1), link("https://blog.example.org/about", ""), page(1, "L", 15)},
		{"cited means nothing beyond the post", nil, scope.Link{URL: post, Hop: scope.HopLink, Cited: true, Hops: "L", Depth: 1}, no(scope.ReasonDepth)},
		{"deeper, in scope", whole(scope.BoundHost, 2), link("https://blog.example.org/x", "L"), page(2, "LL", 20)},
		{"deeper, http instead of https", whole(scope.BoundHost, 2), link("http://blog.example.org/x", "L"), page(2, "LL", 20)},
		{"deeper, another port", whole(scope.BoundHost, 2), link("http://blog.example.org:8080/x", "L"), no(scope.ReasonScope)},
		{"deeper, another host", whole(scope.BoundHost, 2), link("https://example.org/x", "L"), no(scope.ReasonScope)},
		{"deeper, another host of the domain", whole(scope.BoundDomain, 2), link("https://example.org/x", "L"), page(2, "LL", 20)},
		{"deeper, a host that ends alike", whole(scope.BoundDomain, 2), link("https://badexample.org/x", "L"), no(scope.ReasonScope)},
		{"deeper, anywhere", whole(scope.BoundAny, 2), link("https://far.example/x", "L"), page(2, "LL", 20)},
		{"deeper, within the folder", whole(scope.BoundPrefix, 2), link("https://blog.example.org/2024/05/other.html?a=/", "L"), page(2, "LL", 20)},
		{"deeper, beside the folder", whole(scope.BoundPrefix, 2), link("https://blog.example.org/2024/04/other.html", "L"), no(scope.ReasonScope)},
		{"too deep", whole(scope.BoundHost, 2), link("https://blog.example.org/x", "LL"), no(scope.ReasonDepth)},
		{"a link in a frame is a hop further", whole(scope.BoundHost, 2), link("https://blog.example.org/x", "LE"), page(2, "LEL", 20)},
		{"very deep", whole(scope.BoundHost, 90), link("https://blog.example.org/x", strings.Repeat("L", 89)), page(90, strings.Repeat("L", 90), 900)},

		{"a requisite of the post from any host", nil, embed("http://cdn.example/a.css", ""), task(scope.KindRequisite, 0, "E", 2)},
		{"a requisite of a source", nil, embed("http://cdn.example/a.css", "L"), task(scope.KindRequisite, 1, "LE", 12)},
		{"a font of a stylesheet of a deeper page", nil, embed("http://cdn.example/a.woff", "LLE"), task(scope.KindRequisite, 2, "LLEE", 22)},
		{"as far within as may be", nil, embed("http://cdn.example/a", "LEEEEEEE"), task(scope.KindRequisite, 1, "LEEEEEEEE", 12)},
		{"frames within frames without end", nil, embed("http://cdn.example/a", "LEEEEEEEE"), no(scope.ReasonQuota)},
		{"one requisite too many", nil, scope.Link{URL: "http://cdn.example/a", Hop: scope.HopEmbed, Nth: 2000}, no(scope.ReasonQuota)},
		{"the last that may be", nil, scope.Link{URL: "http://cdn.example/a", Hop: scope.HopEmbed, Nth: 1999}, task(scope.KindRequisite, 0, "E", 2)},

		{"the post's redirect", nil, redirect("http://far.example/", ""), task(scope.KindRedirect, 0, "R", 1)},
		{"a source's redirect leads anywhere", whole(scope.BoundHost, 3), redirect("http://far.example/", "L"), task(scope.KindRedirect, 1, "LR", 10)},
		{"a deeper redirect in scope", whole(scope.BoundHost, 3), redirect("https://blog.example.org/y", "LL"), task(scope.KindRedirect, 2, "LLR", 20)},
		{"a deeper redirect out of scope", whole(scope.BoundHost, 3), redirect("http://far.example/", "LL"), no(scope.ReasonScope)},
		{"a requisite's redirect leads anywhere", whole(scope.BoundHost, 3), redirect("http://far.example/", "LLE"), task(scope.KindRedirect, 2, "LLER", 22)},
		{"a redirect to itself", nil, redirect(post, "L"), no(scope.ReasonLoop)},
		{"the twentieth redirect", nil, redirect("http://far.example/", "L"+strings.Repeat("R", 19)), task(scope.KindRedirect, 1, "L"+strings.Repeat("R", 20), 10)},
		{"the twenty-first", nil, redirect("http://far.example/", "L"+strings.Repeat("R", 20)), no(scope.ReasonRedirects)},
		{"a redirect to another scheme", nil, redirect("ftp://far.example/", "L"), no(scope.ReasonScheme)},

		{"robots.txt", excluding("."), scope.Link{URL: "http://far.example/robots.txt", Hop: scope.HopPrereq, Hops: "L", Depth: 1}, task(scope.KindRobots, 1, "LP", 0)},
		{"its redirect", excluding("."), redirect("http://far.example/r", "LPRRRR"), task(scope.KindRedirect, 1, "LPRRRRR", 0)},
		{"its sixth", nil, redirect("http://far.example/r", "LPRRRRR"), no(scope.ReasonRedirects)},

		{"an excluded source", excluding("x", `\.zip$`), cited("http://far.example/a.zip"), no(scope.ReasonExcluded)},
		{"not the excluded end", excluding(`\.zip$`), cited("http://far.example/a.zip?x"), page(1, "L", 10)},
		{"an excluded requisite", excluding("cdn"), embed("http://cdn.example/a.css", ""), no(scope.ReasonExcluded)},
		{"an excluded redirect of a source", excluding("far"), redirect("http://far.example/", "L"), no(scope.ReasonExcluded)},
		{"the post's redirect is not excluded", excluding("far"), redirect("http://far.example/", "R"), task(scope.KindRedirect, 0, "RR", 1)},
		{"mail", nil, cited("mailto:a@example.org"), no(scope.ReasonScheme)},
		{"script", whole(scope.BoundAny, 5), link("javascript:alert(1)", "L"), no(scope.ReasonScheme)},
		{"data", nil, embed("data:image/png,x", ""), no(scope.ReasonScheme)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := compile(t, c.spec).Admit(c.link)
			if got.Admitted == (got.Detail != "") {
				t.Errorf("detail %q with admitted=%v", got.Detail, got.Admitted)
			}
			if got.Due >= 1000 {
				t.Errorf("due %d is no priority", got.Due)
			}
			got.Detail = ""
			if got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestBoundsFollowThePost(t *testing.T) {
	s := compile(t, func(s *scope.Spec) { s.Source, s.Depth = "http://short.example/p", 2 })
	moved, err := s.Rooted(post)
	if err != nil {
		t.Fatal(err)
	}
	deeper := scope.Link{URL: "https://blog.example.org/x", Hop: scope.HopLink, Hops: "L", Depth: 1}
	if v := s.Admit(deeper); v.Reason != scope.ReasonScope {
		t.Errorf("before the redirect: %+v", v)
	}
	if v := moved.Admit(deeper); !v.Admitted {
		t.Errorf("after the redirect: %+v", v)
	}
	if _, err := s.Rooted("file:///x"); err == nil {
		t.Error("a file was taken as an address to measure from")
	}
}

func TestPost(t *testing.T) {
	v := compile(t, func(s *scope.Spec) { s.Exclude = []string{"."} }).Post()
	if want := (scope.Verdict{Admitted: true, Kind: scope.KindPage, Due: 1}); v != want {
		t.Errorf("got %+v, want %+v", v, want)
	}
}

func TestRole(t *testing.T) {
	for hops, want := range map[string]scope.Kind{
		"": scope.KindPage, "R": scope.KindPage, "L": scope.KindPage, "LRR": scope.KindPage,
		"E": scope.KindRequisite, "LER": scope.KindRequisite, "LEE": scope.KindRequisite,
		"P": scope.KindRobots, "LPR": scope.KindRobots, "LEL": scope.KindPage,
	} {
		if got := scope.Role(hops); got != want {
			t.Errorf("%q: got %s, want %s", hops, got, want)
		}
		if got, want := scope.Default().IsPost(hops), hops == "" || hops == "R"; got != want {
			t.Errorf("%q: is the post: %v", hops, got)
		}
	}
}

// TestWatch: what the documents of a run are, by what the run watches.
func TestWatch(t *testing.T) {
	const paths = "|R|M|MR|RM|N|NR|RNM|NN|L|ML|E|ME|P"
	for _, c := range []struct {
		watch       scope.Watch
		posts       bool
		lists, post string
	}{
		{watch: "", post: "|R"},
		{watch: scope.WatchFeed, lists: "|R|N|NR", post: "M|MR|RM|RNM"},
		{watch: scope.WatchSitemap, lists: "|R|N|NR"},
		{watch: scope.WatchSitemap, posts: true, lists: "|R|N|NR", post: "M|MR|RM|RNM"},
		{watch: scope.WatchList, lists: "|R|N|NR"},
		{watch: scope.WatchRecheck},
	} {
		s := scope.Default()
		s.Watch, s.Posts = c.watch, c.posts
		var lists, post []string
		for _, hops := range strings.Split(paths, "|") {
			if s.Lists(hops) {
				lists = append(lists, hops)
			}
			if s.IsPost(hops) {
				post = append(post, hops)
			}
		}
		if got := strings.Join(lists, "|"); got != c.lists {
			t.Errorf("%s: lists are %q, want %q", c.watch, got, c.lists)
		}
		if got := strings.Join(post, "|"); got != c.post {
			t.Errorf("%s: posts are %q, want %q", c.watch, got, c.post)
		}
	}
}

// TestAdmitEntries: entries stand where a post stands, and their links are counted from them.
func TestAdmitEntries(t *testing.T) {
	feed := compile(t, func(s *scope.Spec) { s.Watch, s.Exclude = scope.WatchFeed, []string{"/draft/"} })
	const at = "https://blog.example.org/x"
	for _, c := range []struct {
		link scope.Link
		want scope.Verdict
	}{
		{scope.Link{URL: at, Hop: scope.HopEntry}, scope.Verdict{Admitted: true, Kind: scope.KindPage, Hops: "M", Due: 1}},
		{scope.Link{URL: at + "/draft/", Hop: scope.HopEntry}, scope.Verdict{Reason: scope.ReasonExcluded}},
		{scope.Link{URL: at, Hop: scope.HopRedirect, Hops: "M"}, scope.Verdict{Admitted: true, Kind: scope.KindRedirect, Hops: "MR", Due: 1}},
		{scope.Link{URL: at, Hop: scope.HopRedirect, Hops: "N"}, scope.Verdict{Admitted: true, Kind: scope.KindRedirect, Hops: "NR", Due: 1}},
		{scope.Link{URL: "http://far.example/", Hop: scope.HopLink, Cited: true, Hops: "MR"}, scope.Verdict{Admitted: true, Kind: scope.KindPage, Depth: 1, Hops: "MRL", Due: 10}},
		{scope.Link{URL: at, Hop: scope.HopLink, Hops: "M"}, scope.Verdict{Reason: scope.ReasonDepth}},
		{scope.Link{URL: at, Hop: scope.HopEmbed, Hops: "M"}, scope.Verdict{Admitted: true, Kind: scope.KindRequisite, Hops: "ME", Due: 2}},
	} {
		got := feed.Admit(c.link)
		got.Detail = ""
		if got != c.want {
			t.Errorf("%+v: got %+v, want %+v", c.link, got, c.want)
		}
	}
	recheck := compile(t, func(s *scope.Spec) { s.Watch = scope.WatchRecheck })
	if v := recheck.Admit(scope.Link{URL: at, Hop: scope.HopEmbed, Hops: "L", Depth: 1}); v.Reason != scope.ReasonWatch {
		t.Errorf("a recheck fetches requisites: %+v", v)
	}
}

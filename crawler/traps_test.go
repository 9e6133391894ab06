package crawler_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"linkstead/archive/outcome"
	"linkstead/crawler/scope"
)

// endless serves what a hostile or careless site makes up without end.
func endless(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Content-Type", "text/html")
	path, q := r.URL.Path, r.URL.Query()
	number := func(s string) int { n, _ := strconv.Atoi(strings.Trim(s, "/")); return n }
	switch {
	case strings.HasPrefix(path, "/calendar/"):
		y, m := 2026, 1
		_, _ = fmt.Sscanf(path, "/calendar/%d/%d/", &y, &m)
		next, prev := time.Date(y, time.Month(m)+1, 1, 0, 0, 0, 0, time.UTC), time.Date(y, time.Month(m)-1, 1, 0, 0, 0, 0, time.UTC)
		fmt.Fprintf(rw, `%s <a href="/calendar/%d/%02d/">next</a> <a href="/calendar/%d/%02d/">previous</a>`, path, next.Year(), next.Month(), prev.Year(), prev.Month())
	case strings.HasPrefix(path, "/loop/"):
		fmt.Fprintf(rw, `%s <a href="a/b/">on</a>`, path)
	case strings.HasPrefix(path, "/rel/"):
		fmt.Fprintf(rw, `%s <a href="x/">on</a>`, path)
	case strings.HasPrefix(path, "/deeper/"):
		fmt.Fprintf(rw, `%s <a href="d%d/">on</a>`, path, strings.Count(path, "/"))
	case strings.HasPrefix(path, "/item/"):
		fmt.Fprintf(rw, `item %s <a href="/item/%d">on</a>`, path, number(path[len("/item/"):])+1)
	case strings.HasPrefix(path, "/void/"):
		n := number(path[len("/void/"):])
		fmt.Fprintf(rw, `There is nothing here. <a href="/void/%d">on</a><a href="../void/%d">on</a>`, 7, n+1)
		if n > 0 { // the same text everywhere, and yet another link in its head
			return
		}
	case path == "/grow":
		v := r.URL.RawQuery + "&more=1"
		rw.Header().Set("Location", "/grow?"+v)
		rw.WriteHeader(http.StatusFound)
	case path == "/login" && q.Get("PHPSESSID") == "":
		rw.Header().Set("Location", "/login?PHPSESSID=first0000000000000000000")
		rw.WriteHeader(http.StatusFound)
	case strings.HasPrefix(path, "/shop/"), path == "/login":
		id := fmt.Sprintf("%026x", time.Now().UnixNano())
		fmt.Fprintf(rw, `%s <a href="/shop/a?PHPSESSID=%s">a</a> <a href="/shop/b;jsessionid=%s?c=1">b</a> <a href="/login?PHPSESSID=%s">in</a>`, path, id, id, id)
	default:
		http.NotFound(rw, r)
	}
}

// TestTraps: a crawl of a site that has no end ends by itself, what was cut is recorded with the reason, and the honest pages
// are all there.
func TestTraps(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.set("site.test/*", endless)
	w.html("site.test/", `<a href="/honest/1">one</a> <a href="/start/">traps</a> <a href="/calendar/2099/01/">cited</a>`)
	for i := range 12 {
		w.html(fmt.Sprintf("site.test/honest/%d", i), fmt.Sprintf(`page %d <a href="/honest/%d">next</a>`, i, i+1))
	}
	w.html("site.test/start/", `<a href="/calendar/2026/01/">1</a> <a href="/loop/a/b/">2</a> <a href="/rel/">3</a> <a href="/item/1">4</a>
		<a href="/deeper/">5</a> <a href="/grow?x=1">6</a> <a href="/shop/a?PHPSESSID=zero00000000000000000000">7</a> <a href="/login">8</a>`)
	n := newNode(t, archive(t))
	s := w.spec("site.test/")
	s.Depth, s.Traps.Pattern, s.Traps.Growth, s.Traps.Back = 60, 25, 12, 1
	r := n.capture(s)
	hits := w.hits()
	total := 0
	for _, k := range hits {
		total += k
	}
	if total > 200 {
		t.Errorf("%d requests", total)
	}
	for i := 1; i < 12; i++ {
		if hits[fmt.Sprintf("site.test/honest/%d", i)] != 1 {
			t.Errorf("honest page %d was asked for %d times", i, hits[fmt.Sprintf("site.test/honest/%d", i)])
		}
	}
	if hits["site.test/calendar/2099/01/"] != 1 || hits["site.test/calendar/2099/02/"] != 0 {
		t.Errorf("of the calendar, the post's own page was asked for %d times, and the one after it %d times",
			hits["site.test/calendar/2099/01/"], hits["site.test/calendar/2099/02/"])
	}
	for what, most := range map[string]int{"/shop/a": 1, "/shop/b": 1, "/login": 2, "/item/": 25, "/loop/": 5, "/rel/": 5, "/deeper/": 14, "/grow": 6} {
		if k := under(hits, "site.test"+what); k == 0 || k > most {
			t.Errorf("%s was asked for %d times, want 1 to %d", what, k, most)
		}
	}
	tally, err := n.db.Tally(t.Context(), r.ID)
	must(t, err)
	if tally[string(outcome.Trap)] < 7 {
		t.Errorf("the run's tasks ended as %v", tally)
	}
	for url, want := range map[string]string{
		"site.test/calendar/2099/02/":                       "calendar's page of 2099, more than 5 years ahead",
		"site.test/loop/a/b/a/b/a/b/a/b/":                   `"/a/b" stands there more than 3 times`,
		"site.test/rel/x/x/x/x/":                            `"/x" stands there`,
		"site.test/item/26":                                 "more than 25 pages like /item/{n}",
		"site.test/grow?x=1" + strings.Repeat("&more=1", 4): `"more=1" stands there`,
	} {
		a := failure(n, w.at(url))
		if a.Outcome != string(outcome.Trap) || !strings.Contains(a.Detail, want) {
			t.Errorf("%s ended as %q: %s", url, a.Outcome, a.Detail)
		}
	}
	if left, err := n.db.Tallies(t.Context(), r.ID, "site.test:"+w.port); err != nil || len(left) != 0 {
		t.Errorf("counts of a run that is done: %v, %v", left, err)
	}
}

func under(hits map[string]int, prefix string) (n int) {
	for path, k := range hits {
		if strings.HasPrefix(path, prefix) {
			n += k
		}
	}
	return n
}

// TestTrapsHoldAcrossWorkers: the limits count what other workers have fetched, and what was fetched before a stop.
func TestTrapsHoldAcrossWorkers(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.set("site.test/*", endless)
	w.html("site.test/", `<a href="/item/1">on</a>`)
	dir := archive(t)
	s := w.spec("site.test/")
	s.Depth, s.Traps.Pattern = 80, 30
	first := newNode(t, dir)
	first.Hold = time.Millisecond // each lease anew
	r := first.begin(s)
	stopAfter(t, first, w, 10)
	first.close()
	second := newNode(t, dir)
	second.Hold = time.Millisecond
	second.work()
	second.done(r)
	if k := under(w.hits(), "site.test/item/"); k < 30 || k > 31 { // one more, if the stop came between a fetch and its acknowledgement
		t.Errorf("%d pages of one pattern, want 30", k)
	}
	if a := failure(second, w.at("site.test/item/31")); a.Outcome != string(outcome.Trap) {
		t.Errorf("the page after the limit ended as %+v", a)
	}
}

// stopAfter works until the web has had so many visits.
func stopAfter(t *testing.T, n *node, w *web, visits int) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- n.Work(ctx, nil) }()
	waitFor(t, "there were enough visits", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.visits) >= visits
	})
	stop()
	must(t, <-done)
}

// TestSameContent: pages of one pattern that all hold the same close it; the same text where no pattern is does nothing.
func TestSameContent(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	var list strings.Builder
	for i := range 40 {
		fmt.Fprintf(&list, `<a href="/void/%d">x</a> <a href="/word%s">y</a>`, i, strings.Repeat("a", i))
		w.html(fmt.Sprintf("site.test/void/%d", i), "There is nothing here.")
		w.html("site.test/word"+strings.Repeat("a", i), "There is nothing here.")
	}
	w.html("site.test/", `<a href="/list">list</a>`)
	w.html("site.test/list", list.String())
	n := newNode(t, archive(t))
	s := w.spec("site.test/")
	s.Depth, s.Traps.Same = 2, 5
	n.capture(s)
	if k := under(w.hits(), "site.test/void/"); k != 5 && k != 6 {
		t.Errorf("%d pages with the same content, want 5", k)
	}
	if k := under(w.hits(), "site.test/word"); k != 40 {
		t.Errorf("%d pages of no pattern, want 40", k)
	}
}

// TestTrapsAreBounded: of what a page names that is known for a trap, a hundred become tasks; the others are outlinks with a
// reason, and a note counts them.
func TestTrapsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	var list strings.Builder
	for i := range 500 {
		fmt.Fprintf(&list, `<a href="/events/%d-01">x</a>`, 3000+i)
	}
	w.html("site.test/", `<a href="/list">list</a>`)
	w.html("site.test/list", list.String())
	n := newNode(t, archive(t))
	s := w.spec("site.test/")
	s.Depth = 3
	r := n.capture(s)
	tally, err := n.db.Tally(t.Context(), r.ID)
	must(t, err)
	if tally[string(outcome.Trap)] != 100 {
		t.Errorf("the run's tasks ended as %v", tally)
	}
	c := n.closing(w.at("site.test/list"))
	left := 0
	for _, l := range c.Outlinks {
		if l.Kind == "" && l.Reason == string(scope.ReasonTrap) {
			left++
		}
	}
	if left != 400 || len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "400 links were left out as traps") {
		t.Errorf("%d outlinks were left out; notes %q", left, c.Notes)
	}
}

// TestHostLimit: a host has no more pages than the run allows, and a post's own links are not cut by it.
func TestHostLimit(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	own, more := "", ""
	for _, c := range "abcdefghij" {
		own += fmt.Sprintf(`<a href="/own%c">x</a>`, c)
		more += fmt.Sprintf(`<a href="/more%c">x</a>`, c)
		w.html(fmt.Sprintf("site.test/own%c", c), "own")
		w.html(fmt.Sprintf("site.test/more%c", c), "more")
	}
	w.html("site.test/owna", more)
	w.html("site.test/", own)
	n := newNode(t, archive(t))
	s := w.spec("site.test/")
	s.Depth, s.Traps.Host = 3, 5
	n.capture(s)
	if k := under(w.hits(), "site.test/own"); k != 10 {
		t.Errorf("%d of the post's own links, want 10", k)
	}
	if k := under(w.hits(), "site.test/more"); k != 0 {
		t.Errorf("%d pages beyond the limit", k)
	}
}

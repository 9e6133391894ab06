package watch_test

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"linkstead/crawler/scope"
	"linkstead/crawler/watch"
	"linkstead/storage"
)

// ends writes ends as words: URL=OUTCOME:STATUS:VERSION, with the hop path before a slash if it has one.
func ends(s string) iter.Seq2[storage.RunEnd, error] {
	return func(yield func(storage.RunEnd, error) bool) {
		for _, w := range strings.Fields(s) {
			var e storage.RunEnd
			url, rest, _ := strings.Cut(w, "=")
			if hops, u, ok := strings.Cut(url, "/"); ok {
				e.Hops, url = hops, u
			}
			e.URL = url
			parts := strings.Split(rest, ":")
			e.Outcome = parts[0]
			if len(parts) == 3 {
				if _, err := fmt.Sscan(parts[1]+" "+parts[2], &e.Status, &e.Version); err != nil {
					panic(err)
				}
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name, before, after string
		goes                bool
		want                string // changes in order, and how many are the same
	}{
		{"nothing", "", "", true, "0"},
		{"the same", "a=captured:200:1", "a=captured:200:1", true, "1"},
		{"another payload", "a=captured:200:1", "a=captured:200:2", true, "a:changed 0"},
		{"new ones around", "b=captured:200:1", "a=captured:200:1 b=captured:200:1 c=dns", true, "a:new c:new 1"},
		{"gone ones around", "a=captured:200:1 b=captured:200:1 c=dns", "b=captured:200:1", true, "a:gone c:gone 1"},
		{"not asked for, where that is no loss", "a=captured:200:1 b=captured:200:1", "b=captured:200:1", false, "1"},
		{"fails now", "a=captured:200:1 b=captured:200:1 c=captured:200:1", "a=captured:404:2 b=dns c=timeout", true, "a:failed b:failed c:failed 0"},
		{"back again", "a=captured:503:1 b=dns", "a=captured:200:2 b=cut-short:200:3", true, "a:back b:back 0"},
		{"fails still", "a=captured:404:1 b=dns", "a=captured:410:2 b=refused", true, "2"},
		{"our own rules say nothing", "a=captured:200:1 b=robots c=quota", "a=robots b=captured:200:1 c=captured:200:1", true, "0"},
		{"cut now is not new", "", "a=quota", true, "0"},
		{"cut before is not gone", "a=quota b=", "", true, "0"},
		{"redirects of pages count, of requisites not", "", "LR/a=captured:200:1 LER/b=captured:200:1 M/c=captured:200:1", true, "a:new c:new 0"},
		{"an address twice", "a=captured:200:1 a=dns", "a=captured:200:1", true, "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := watch.Compare(ends(c.before), ends(c.after), c.goes)
			var words []string
			for _, i := range d.List {
				words = append(words, i.URL+":"+string(i.Change))
			}
			if got := strings.Join(append(words, fmt.Sprint(d.Same)), " "); err != nil || got != c.want {
				t.Errorf("%q, %v, want %q", got, err, c.want)
			}
			if n := d.New + d.Changed + d.Failed + d.Back + d.Gone; n != len(d.List) || d.Any() != (n > 0) {
				t.Errorf("%d counted, %d listed", n, len(d.List))
			}
		})
	}
}

func TestCompareBounds(t *testing.T) {
	var many strings.Builder
	for i := range watch.MaxItems + 5 {
		fmt.Fprintf(&many, "u%06d=captured:200:1 ", i)
	}
	d, err := watch.Compare(ends(""), ends(many.String()), true)
	if err != nil || d.New != watch.MaxItems+5 || len(d.List) != watch.MaxItems || d.More != 5 {
		t.Errorf("%d new, %d listed, %d more, %v", d.New, len(d.List), d.More, err)
	}
	away := errors.New("away")
	broken := func(yield func(storage.RunEnd, error) bool) { yield(storage.RunEnd{}, away) }
	for _, c := range [][2]iter.Seq2[storage.RunEnd, error]{{broken, ends("a=dns")}, {ends("a=dns"), broken}} {
		if _, err := watch.Compare(c[0], c[1], true); !errors.Is(err, away) {
			t.Errorf("a fault is told as %v", err)
		}
	}
}

func TestSchedule(t *testing.T) {
	s := &watch.Schedule{Name: "blog", Kind: watch.Sitemap, When: watch.When{Every: "6h"}, Spec: scope.Default()}
	s.Spec.Source, s.Spec.Posts, s.Spec.Budget.Pages = "https://s.example/sitemap.xml", true, 7
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	raw, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := watch.Decode(storage.Schedule{Name: "blog", Spec: raw})
	if err != nil || fmt.Sprintf("%+v", back) != fmt.Sprintf("%+v", s) || back.Spec.Watch != scope.WatchSitemap {
		t.Errorf("%+v, %v, want %+v", back, err, s)
	}
	for _, c := range []struct {
		change func(*watch.Schedule)
		say    string
	}{
		{func(s *watch.Schedule) { s.Name = "My Blog" }, "no name"},
		{func(s *watch.Schedule) { s.Kind = "blog" }, "use post, recheck"},
		{func(s *watch.Schedule) { s.Kind = watch.Feed }, "posts is for sitemaps"},
		{func(s *watch.Schedule) { s.When = watch.When{} }, "in one way"},
		{func(s *watch.Schedule) { s.Spec.Source = "notes.md" }, "in full"},
		{func(s *watch.Schedule) { s.Kind, s.Spec.Posts = watch.Site, false }, "depth"},
		{func(s *watch.Schedule) { s.Spec.Robots = "maybe" }, "robots"},
		{func(s *watch.Schedule) { s.Kind, s.Spec.Posts, s.Spec.Source = watch.Recheck, false, "a post" }, "short name"},
		{func(s *watch.Schedule) { s.Kind, s.Spec.Posts, s.Spec.Source = watch.Recheck, false, "x:\x1b[2J" }, "control characters"},
		{func(s *watch.Schedule) {
			s.Kind, s.Spec.Posts, s.Spec.Source, s.URLs = watch.List, false, "a\nb", []string{"https://a.example/"}
		}, "control characters"},
		{func(s *watch.Schedule) { s.Spec.Budget.Bytes = -1 }, "budget.bytes"},
	} {
		bad := *s
		c.change(&bad)
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%v, want a word of %s", err, c.say)
		}
	}
	s.When = watch.When{Cron: "0 3\n*\t*  *"}
	if err := s.Check(); err != nil || s.When.Cron != "0 3 * * *" {
		t.Errorf("cron over lines: %q, %v", s.When.Cron, err)
	}
}

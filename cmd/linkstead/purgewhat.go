package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// selection is what a purge is to take out.
type selection struct {
	e      *env
	s      *store
	before *time.Time // nil: at any time
	prefix bool

	spots    map[string]map[int64]bool // by segment: offsets
	urls     map[string]int            // captures, by address
	runs     map[int64]bool            // that made them
	posts    []string                  // titles or addresses of the posts' versions among them
	forget   []int64
	captures int
	attempts int
	bytes    int64
	rule     string
	outside  []string // files that were imported in place, and hold something of it
}

func newSelection(e *env, s *store, before *time.Time, prefix bool) *selection {
	return &selection{e: e, s: s, before: before, prefix: prefix, spots: map[string]map[int64]bool{}, urls: map[string]int{}, runs: map[int64]bool{}}
}

func (sel *selection) empty() bool { return len(sel.spots) == 0 }

// choose finds all that the arguments name; without any, all that is too old.
func (sel *selection) choose(ctx context.Context, what []string) error {
	switch {
	case len(what) == 0 && sel.before == nil:
		return usageError{errNothingNamed}
	case len(what) == 0:
		sel.rule = fmt.Sprintf("what collection %s captured before %s", sel.e.cfg.Collection, sel.before.Format(time.RFC3339))
		if err := sel.take(ctx, storage.Everything(sel.e.cfg.Collection, *sel.before), func(*storage.Spot) bool { return true }); err != nil {
			return err
		}
	}
	for _, arg := range what {
		if err := sel.argument(ctx, arg); err != nil {
			return err
		}
	}
	if err := sel.nameOutside(ctx); err != nil {
		return err
	}
	return sel.namePosts(ctx)
}

// nameOutside finds the files that hold something of what is meant and are not the archive's.
func (sel *selection) nameOutside(ctx context.Context) error {
	for id := range sel.spots {
		if !warc.Imported(id) {
			continue
		}
		s, err := sel.s.db.Segment(ctx, id)
		if err != nil {
			return err
		}
		if storage.Outside(s.Location) {
			sel.outside = append(sel.outside, strings.TrimPrefix(s.Location, "file:"))
		}
	}
	slices.Sort(sel.outside)
	sel.outside = slices.Compact(sel.outside)
	return nil
}

// tellOutside says of such files that they stay as they are.
func (sel *selection) tellOutside(w io.Writer, are string) {
	for _, file := range sel.outside {
		fmt.Fprintf(w, "  %s was imported in place and is not the archive's to change: its captures %s out of the archive, and still in the file.\n", clean(file), are)
	}
}

func (sel *selection) argument(ctx context.Context, arg string) error {
	versions, err := sel.s.db.PostVersions(ctx, arg)
	if err != nil {
		return err
	}
	if len(versions) > 0 && sel.prefix {
		return usageError{fmt.Errorf("--prefix is for addresses, and %s is a post", arg)}
	}
	if len(versions) > 0 {
		return sel.post(ctx, versions)
	}
	url, err := urlkey.Parse("", arg)
	if !hasScheme(arg) || err != nil {
		return usageError{fmt.Errorf("%q is neither a post's short name ('linkstead list' tells them) nor an address", arg)}
	}
	if sel.prefix {
		return sel.below(ctx, url)
	}
	key := urlkey.Key(url)
	return sel.take(ctx, storage.Span{Collection: sel.e.cfg.Collection, From: key, To: key, Before: sel.before},
		func(p *storage.Spot) bool { return p.URL == url })
}

// below takes all that begins with an address. The keys of one host stand together.
func (sel *selection) below(ctx context.Context, url string) error {
	host, _, ok := strings.Cut(urlkey.Key(url), ")")
	if !ok {
		return usageError{fmt.Errorf("%q has no host: --prefix needs an http(s) address", url)}
	}
	return sel.take(ctx, storage.Span{Collection: sel.e.cfg.Collection, From: host + ")", To: host + "*", Before: sel.before},
		func(p *storage.Spot) bool { return strings.HasPrefix(p.URL, url) })
}

// post takes a post's versions, and what its runs captured for it. Other runs have captures of their own, also of the same
// addresses: those stay.
func (sel *selection) post(ctx context.Context, versions []storage.Post) error {
	for _, v := range versions {
		if v.Run < 0 { // nobody knows what belonged to which page of an import: the page itself goes
			key := urlkey.Key(v.URL)
			if err := sel.take(ctx, storage.Span{Collection: v.Collection, From: key, To: key, Before: sel.before},
				func(p *storage.Spot) bool { return p.Run == v.Run && p.URL == v.URL }); err != nil {
				return err
			}
			continue
		}
		run, err := sel.s.db.Run(ctx, v.Run)
		if err != nil {
			return err
		}
		if run.State == storage.RunActive && sel.before == nil {
			return fmt.Errorf("run %d of %s goes on and captures more\nWait for it or interrupt it, and purge then", run.ID, v.Source)
		}
		posts, err := sel.s.db.RunPosts(ctx, v.Run)
		if err != nil {
			return err
		}
		whole := len(posts) == 1
		if whole && sel.before == nil {
			sel.forget = append(sel.forget, v.Run)
		}
		var own map[string]bool
		if !whole {
			if own, err = sel.owned(ctx, v, posts); err != nil {
				return err
			}
		}
		if err := sel.ofRun(ctx, v, func(url string) bool { return whole || own[url] }); err != nil {
			return err
		}
	}
	return nil
}

// owned are the addresses that a run captured for one of its posts: the post, its citations, and what was found through
// them; but none that another post of the run is or cites.
func (sel *selection) owned(ctx context.Context, v storage.Post, posts []storage.Post) (map[string]bool, error) {
	own, others := map[string]bool{}, map[string]bool{}
	for _, p := range posts {
		into := others
		if p.ID == v.ID {
			into = own
		}
		into[p.URL], into[p.Source] = true, true
		for _, c := range p.Citations {
			into[c.URL] = true
		}
	}
	found := map[string][]string{}
	for t, err := range sel.s.db.RunTasks(ctx, v.Run) {
		if err != nil {
			return nil, err
		}
		found[t.Via] = append(found[t.Via], t.URL)
	}
	todo := make([]string, 0, len(own))
	for url := range own {
		todo = append(todo, url)
	}
	for len(todo) > 0 {
		url := todo[0]
		todo = todo[1:]
		if others[url] {
			delete(own, url)
			continue
		}
		for _, next := range found[url] {
			if !own[next] {
				own[next] = true
				todo = append(todo, next)
			}
		}
	}
	return own, nil
}

func (sel *selection) ofRun(ctx context.Context, v storage.Post, own func(url string) bool) error {
	for t, err := range sel.s.db.RunTasks(ctx, v.Run) {
		if err != nil {
			return err
		}
		if t.URL == "" || !own(t.URL) {
			continue
		}
		key := urlkey.Key(t.URL)
		if err := sel.take(ctx, storage.Span{Collection: v.Collection, From: key, To: key, Before: sel.before},
			func(p *storage.Spot) bool { return p.Run == v.Run && p.URL == t.URL }); err != nil {
			return err
		}
	}
	return nil
}

// take adds what stands in a span and is meant.
func (sel *selection) take(ctx context.Context, span storage.Span, meant func(*storage.Spot) bool) error {
	for p, err := range sel.s.db.Spots(ctx, span) {
		if err != nil {
			return err
		}
		if !meant(&p) || sel.spots[p.Segment][p.Offset] {
			continue
		}
		if sel.spots[p.Segment] == nil {
			sel.spots[p.Segment] = map[int64]bool{}
		}
		sel.spots[p.Segment][p.Offset] = true
		switch p.Kind {
		case storage.SpotCapture:
			sel.captures++
			sel.bytes += p.Length
			sel.urls[p.URL]++
			sel.runs[p.Run] = true
		case storage.SpotAttempt:
			sel.attempts++
			sel.urls[p.URL] += 0
		case storage.SpotVoided: // it was never seen, and goes all the same
		}
	}
	return nil
}

// namePosts finds the versions of posts that go with their documents.
func (sel *selection) namePosts(ctx context.Context) error {
	for run := range sel.runs {
		posts, err := sel.s.db.RunPosts(ctx, run)
		if err != nil {
			return err
		}
		for _, p := range posts {
			if _, goes := sel.urls[p.URL]; goes {
				sel.posts = append(sel.posts, fmt.Sprintf("%s (%s, %s)", clean(cmp.Or(p.Title, p.Source)), p.ID, runName(p.Run)))
			}
		}
	}
	slices.Sort(sel.posts)
	return nil
}

func (sel *selection) order(reason, operator string) warc.PurgeOrder {
	o := warc.PurgeOrder{Spots: map[string][]int64{}, Forget: sel.forget, Reason: reason, By: operator, What: sel.rule}
	for segment, offsets := range sel.spots {
		for off := range offsets {
			o.Spots[segment] = append(o.Spots[segment], off)
		}
	}
	return o
}

// maxNamed bounds how many addresses are named to a person.
const maxNamed = 20

// print tells a person what is meant.
func (sel *selection) print(w io.Writer, verb string) {
	bound := ""
	if sel.before != nil {
		bound = ", captured before " + sel.before.Format("2006-01-02 15:04:05 MST")
	}
	fmt.Fprintf(w, "%s %s and %s of %s, %s of responses, in %s%s:\n", verb, plural(sel.captures, "capture", "captures"),
		plural(sel.attempts, "failed attempt", "failed attempts"), plural(len(sel.urls), "address", "addresses"), size(sel.bytes),
		plural(len(sel.spots), "WARC file", "WARC files"), bound)
	for _, p := range sel.posts {
		fmt.Fprintf(w, "  post %s\n", p)
	}
	for i, url := range sel.sorted() {
		if i == maxNamed {
			fmt.Fprintf(w, "  and %d more; --dry-run --json names all\n", len(sel.urls)-maxNamed)
			break
		}
		fmt.Fprintf(w, "  %d  %s\n", sel.urls[url], clean(url))
	}
	sel.tellOutside(w, "will be")
}

func (sel *selection) sorted() []string {
	urls := make([]string, 0, len(sel.urls))
	for url := range sel.urls {
		urls = append(urls, url)
	}
	slices.Sort(urls)
	return urls
}

// purgeJSON is a purge in JSON.
type purgeJSON struct {
	Purged   bool              `json:"purged"`
	ID       string            `json:"id,omitempty"`
	Captures int               `json:"captures"`
	Attempts int               `json:"attempts"`
	Bytes    int64             `json:"bytes"` // of the responses alone; counts tells of all their records
	Segments int               `json:"segments"`
	Posts    []string          `json:"posts"`
	URLs     []purgeURL        `json:"urls"`
	Outside  []string          `json:"outside,omitempty"` // files imported in place that hold something of it, and stay as they are
	Counts   *warc.PurgeCounts `json:"counts,omitempty"`  // what was done, payloads that never counted among it
}

type purgeURL struct {
	URL      string `json:"url"`
	Captures int    `json:"captures"`
}

// json tells a program what is meant, or was done.
func (sel *selection) json(done *warc.Purged) purgeJSON {
	j := purgeJSON{Captures: sel.captures, Attempts: sel.attempts, Bytes: sel.bytes, Segments: len(sel.spots), Posts: []string{}, URLs: []purgeURL{}, Outside: sel.outside}
	j.Posts = append(j.Posts, sel.posts...)
	for _, url := range sel.sorted() {
		j.URLs = append(j.URLs, purgeURL{url, sel.urls[url]})
	}
	if done != nil {
		j.Purged, j.ID, j.Counts = true, done.ID, &done.Counts
	}
	return j
}

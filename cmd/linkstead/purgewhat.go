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
	added    []int64 // runs that completed others, of which something goes
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
	for _, run := range sel.completing() {
		fmt.Fprintf(w, "  of %s, too, which completed a post\n", runName(run))
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
	Runs     []int64           `json:"completing"` // runs that completed a post (repairs, --missing) of which something goes
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
	j := purgeJSON{Captures: sel.captures, Attempts: sel.attempts, Bytes: sel.bytes, Segments: len(sel.spots), Posts: []string{}, Runs: []int64{}, URLs: []purgeURL{}, Outside: sel.outside}
	j.Posts = append(j.Posts, sel.posts...)
	j.Runs = append(j.Runs, sel.completing()...)
	for _, url := range sel.sorted() {
		j.URLs = append(j.URLs, purgeURL{url, sel.urls[url]})
	}
	if done != nil {
		j.Purged, j.ID, j.Counts = true, done.ID, &done.Counts
	}
	return j
}

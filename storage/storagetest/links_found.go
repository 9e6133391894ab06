package storagetest

import (
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/storage"
)

// targets are what notes are about: in this test, all of them count but those that were taken back.
func targets(notes []storage.Note) (out []string) {
	for _, n := range notes {
		if string(n.Body) == "{}" {
			out = slices.DeleteFunc(out, func(u string) bool { return u == n.Target })
			continue
		}
		out = append(out, n.Target)
	}
	return out
}

// linksFound: what was found again is cited like any link, and what is taken back is cited no more, unless the post, or another one,
// cites it by itself.
func linksFound(b *bench) {
	ctx := b.t.Context()
	b.post(citing("p", 1, b.clock.Now(), "http://a.test/own"))
	b.post(citing("q", 2, b.clock.Now(), "http://a.test/shared"))
	b.repair("p", b.note("n1", "http://a.test/found"), b.note("n2", "http://a.test/own"), b.note("n3", "http://a.test/shared"))
	b.cites("p", "http://a.test/found", "http://a.test/own", "http://a.test/shared")
	l := b.folded("http://a.test/found", "a.test", "alive", time.Hour)
	if _, err := b.Task(ctx, "a.test", storage.Standing, l.ID); err != nil {
		b.t.Errorf("it is not watched: %v", err)
	}
	if ps, err := b.PostsCiting(ctx, l.ID); err != nil || len(ps) != 1 || ps[0].ID != "p" {
		b.t.Errorf("PostsCiting = %+v, %v", ps, err)
	}
	if posts, err := b.DamagedPosts(ctx); err != nil || !slices.Equal(posts, []string{"p"}) {
		b.t.Errorf("DamagedPosts = %q, %v", posts, err)
	}
	if err := b.CiteFound(ctx, "p", targets); err != nil { // changes nothing
		b.t.Fatal(err)
	}
	if got := b.link(l.URL); got.Live != "alive" {
		b.t.Errorf("what was known of the link is lost: %+v", got)
	}
	var back []storage.Note
	for _, u := range []string{"http://a.test/found", "http://a.test/own", "http://a.test/shared"} {
		n := b.note("back "+u, u)
		n.Body = []byte("{}")
		back = append(back, n)
	}
	b.repair("p", back...)
	b.cites("p", "http://a.test/own")
	b.cites("q", "http://a.test/shared")
	if _, err := b.Link(ctx, l.ID); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("the link is still there: %v", err)
	}
	if _, err := b.Task(ctx, "a.test", storage.Standing, l.ID); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("its task is still there: %v", err)
	}
	b.repair("nobody", b.note("n9", "http://a.test/nowhere"))
	b.cites("nobody")
	b.foundAtOnce()
}

// foundAtOnce: many decide on one post at once, and all of what they found is cited.
func (b *bench) foundAtOnce() {
	var all errgroup.Group
	want := []string{"http://a.test/own"}
	for _, id := range []string{"m1", "m2", "m3", "m4", "m5", "m6"} {
		n := b.note(id, "http://b.test/"+id)
		want = append(want, n.Target)
		all.Go(func() error {
			return b.AddRepairs(b.t.Context(), "p", func([]storage.Note) ([]storage.Note, error) { return []storage.Note{n}, nil }, targets)
		})
	}
	if err := all.Wait(); err != nil {
		b.t.Fatal(err)
	}
	b.cites("p", want...)
}

func (b *bench) repair(post string, notes ...storage.Note) {
	b.t.Helper()
	err := b.AddRepairs(b.t.Context(), post, func([]storage.Note) ([]storage.Note, error) { return notes, nil }, targets)
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) cites(post string, want ...string) {
	b.t.Helper()
	ls, err := b.LinksOf(b.t.Context(), post)
	if err != nil {
		b.t.Fatal(err)
	}
	var got []string
	for _, l := range ls {
		got = append(got, l.URL)
	}
	if !slices.Equal(got, want) {
		b.t.Errorf("links of %s: %q, want %q", post, got, want)
	}
}

package storagetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"linkstead/storage"
)

// Links holds a database to the contract of links and the looks at them.
func Links(t *testing.T, rows Rows) {
	suite(t, rows, []test{
		{"Cited", linksCited},
		{"Looked", linksLooked},
		{"Stale", linksStale},
		{"Parked", linksParked},
		{"Uncited", linksUncited},
		{"Found", linksFound},
	})
}

// citing is a post that cites addresses.
func citing(id string, run int64, at time.Time, urls ...string) storage.Post {
	p := storage.Post{ID: id, Run: run, Collection: "c", Source: id, URL: id, At: at, Segment: "s", Offset: run}
	for i, u := range urls {
		p.Citations = append(p.Citations, storage.Citation{Seq: i, URL: u})
	}
	return p
}

func (b *bench) post(p storage.Post) {
	b.t.Helper()
	if err := b.Adopt(b.t.Context(), []storage.End{{Post: &p}}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) link(url string) storage.Link {
	b.t.Helper()
	l, err := b.Link(b.t.Context(), storage.LinkID("c", url))
	if err != nil {
		b.t.Fatal(err)
	}
	return l
}

// folded is a link as somebody who has folded it writes it.
func (b *bench) folded(url, host, live string, in time.Duration) storage.Link {
	b.t.Helper()
	l := b.link(url)
	l.Host, l.URLKey, l.Live, l.State = host, url, live, json.RawMessage(`{"live":"`+live+`"}`)
	l.Since, l.Looked, l.Strikes, l.Next = b.clock.Now().UTC(), b.clock.Now().UTC(), 1, b.clock.Now().Add(in).UnixMilli()
	if err := b.SaveLinks(b.t.Context(), []storage.Link{l}); err != nil {
		b.t.Fatal(err)
	}
	return b.link(url)
}

// linksCited: a link is there as long as posts cite it, once, however many do, and those left out are none.
func linksCited(b *bench) {
	ctx := b.t.Context()
	p := citing("p", 1, b.clock.Now(), "http://a.test/x", "http://a.test/x", "http://a.test/out")
	p.Citations[2].LeftOut = "navigation"
	p.Citations[0].Quotation, p.Citations[1].Quotation, p.Citations[2].Quotation = "said first", "said then", "never"
	b.post(p)
	b.clock.Advance(time.Hour)
	b.post(citing("q", 2, b.clock.Now(), "http://a.test/x", "http://b.test/y"))
	urls := func(post string) (out []string) {
		ls, err := b.LinksOf(ctx, post)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, l := range ls {
			out = append(out, l.URL)
		}
		return out
	}
	if got := urls("p"); !slices.Equal(got, []string{"http://a.test/x"}) {
		b.t.Errorf("links of p: %q", got)
	}
	if got := urls("q"); !slices.Equal(got, []string{"http://a.test/x", "http://b.test/y"}) {
		b.t.Errorf("links of q: %q", got)
	}
	l := b.link("http://a.test/x")
	if !l.Added.Equal(p.At.UTC().Truncate(time.Microsecond)) || l.Stale == 0 || l.Host != "" {
		b.t.Errorf("%+v", l)
	}
	ps, err := b.PostsCiting(ctx, l.ID)
	if err != nil || len(ps) != 2 || ps[0].ID != "p" {
		b.t.Errorf("PostsCiting = %+v, %v", ps, err)
	}
	quotes, err := b.QuotedBy(ctx, "p", 1, "http://a.test/x", 9)
	if none, nerr := b.QuotedBy(ctx, "p", 1, "http://a.test/out", 9); err != nil || nerr != nil || !slices.Equal(quotes, []string{"said first", "said then"}) || len(none) != 0 {
		b.t.Errorf("QuotedBy = %q, %q, %v", quotes, none, err)
	}
	if more, err := b.LinkPosts(ctx); more || err != nil {
		b.t.Errorf("LinkPosts = %v, %v", more, err)
	}
	if err := b.LookNow(ctx, l); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("a link that nobody has folded is looked at: %v", err)
	}
}

// linksLooked: a link's task comes when it is due; a step elsewhere goes on with the look, and its end says when the link is
// looked at again. Each is written once, whatever was read before.
func linksLooked(b *bench) {
	ctx := b.t.Context()
	b.opened("s", "n")
	b.post(citing("p", 1, b.clock.Now(), "http://a.test/x"))
	l := b.folded("http://a.test/x", "a.test", "alive", time.Hour)
	if l.Stale != 0 || l.Live != "alive" || l.Strikes != 1 || string(l.State) != `{"live":"alive"}` {
		b.t.Errorf("%+v", l)
	}
	b.claimNone("the link is not due")
	b.clock.Advance(time.Hour)
	lease := b.claimOne("a.test")
	t := lease.Tasks[0]
	if t.ID != l.ID || t.Run != storage.Standing || t.Kind != storage.KindProbe {
		b.t.Fatalf("%+v", t)
	}
	hop := storage.Task{Host: "b.test", Run: storage.Standing, ID: 77, URL: "http://b.test/", Kind: storage.KindProbe, Via: l.URL, Due: b.ms()}
	first := b.failed(lease, t, "s", 10, b.clock.Now().Add(24*time.Hour).UnixMilli())
	first.Attempts[0].Link, first.New = l.ID, []storage.Task{hop}
	open := l
	open.Look, open.Hop = json.RawMessage(`{"steps":1}`), 77
	first.Look = &storage.LookEnd{Link: open}
	b.commit([]storage.Progress{{Segment: "s", Committed: 20}}, first)
	b.release(0, lease)
	if got, err := b.LinkOfTask(ctx, 77); err != nil || got.ID != l.ID || string(got.Look) != `{"steps":1}` {
		b.t.Errorf("LinkOfTask = %+v, %v", got, err)
	}
	other := b.claimOne("b.test")
	second := b.failed(other, other.Tasks[0], "s", 20, storage.Never)
	second.Attempts[0].Link, second.Attempts[0].Look = l.ID, `{"status":404}`
	gone := l
	gone.Live, gone.Next = "gone", b.clock.Now().Add(time.Minute).UnixMilli()
	second.Look = &storage.LookEnd{Link: gone, Root: storage.Task{Host: "a.test", Run: storage.Standing, ID: l.ID, URL: l.URL, Due: gone.Next}}
	b.commit([]storage.Progress{{Segment: "s", Committed: 30}}, second)
	b.release(0, other)
	if _, err := b.Task(ctx, "b.test", storage.Standing, 77); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("the step is still there: %v", err)
	}
	looks, err := b.Looks(ctx, l.ID)
	if err != nil || len(looks) != 2 || looks[0].Look != "" || looks[1].Look != `{"status":404}` {
		b.t.Errorf("Looks = %+v, %v", looks, err)
	}
	if as, err := b.Attempts(ctx, "c", "http://b.test/"); err != nil || len(as) != 0 {
		b.t.Errorf("looks are among the attempts: %+v, %v", as, err)
	}
	b.clock.Advance(time.Minute)
	if again := b.claimOne("a.test"); again.Tasks[0].ID != l.ID || b.link(l.URL).Live != "gone" {
		b.t.Errorf("%+v, %+v", again, b.link(l.URL))
	}
	if n, err := b.CountLinks(ctx, "c"); err != nil || fmt.Sprint(n) != "map[gone:1]" {
		b.t.Errorf("CountLinks = %v, %v", n, err)
	}
}

// linksStale: what comes of a link's address leaves it stale, also what came between its reading and its writing.
func linksStale(b *bench) {
	ctx := b.t.Context()
	r := b.startRun(task("h", 0, 1, 1))
	b.opened("s", "n")
	lease := b.claimOne("h")
	t := lease.Tasks[0]
	b.post(citing("p", 1, b.clock.Now(), t.URL))
	read := b.folded(t.URL, "h", "alive", time.Hour)
	if ls, err := b.StaleLinks(ctx, 10); err != nil || len(ls) != 0 {
		b.t.Fatalf("%+v, %v", ls, err)
	}
	b.commit([]storage.Progress{{Segment: "s", Committed: 20}}, b.captured(lease, t, "s", 10))
	if got := b.link(t.URL); got.Stale != 1 {
		b.t.Errorf("after a capture of run %d: %+v", r.ID, got)
	}
	read.Host = "h"
	if err := b.SaveLinks(ctx, []storage.Link{read}); err != nil { // as it was read before
		b.t.Fatal(err)
	}
	if ls, err := b.StaleLinks(ctx, 10); err != nil || len(ls) != 1 {
		b.t.Errorf("what came meanwhile is forgotten: %+v, %v", ls, err)
	}
}

// linksParked: parked looks are not due, whatever else their host has to do, and are due again afterwards.
func linksParked(b *bench) {
	ctx := b.t.Context()
	b.post(citing("p", 1, b.clock.Now(), "http://a.test/x"))
	l := b.folded("http://a.test/x", "a.test", "alive", 0)
	for range 2 { // the second time, there is nothing to do
		if _, err := b.ParkLooks(ctx, true); err != nil {
			b.t.Fatal(err)
		}
	}
	b.claimNone("looks are parked")
	b.enqueue(task("a.test", 5, 1, 1))
	lease := b.claimOne("a.test")
	if len(lease.Tasks) != 1 || lease.Tasks[0].Run != 5 {
		b.t.Errorf("%+v", lease)
	}
	b.commit(nil, done(lease, lease.Tasks[0]))
	b.release(0, lease)
	if n, err := b.ParkLooks(ctx, false); n != 1 || err != nil {
		b.t.Errorf("ParkLooks = %d, %v", n, err)
	}
	if lease := b.claimOne("a.test"); lease.Tasks[0].ID != l.ID {
		b.t.Errorf("%+v", lease)
	}
}

// linksUncited: who purges a post takes its links away, but for those that another post cites.
func linksUncited(b *bench) {
	ctx := b.t.Context()
	b.post(citing("p", 1, b.clock.Now(), "http://a.test/x", "http://b.test/y"))
	b.post(citing("q", 2, b.clock.Now(), "http://b.test/y"))
	l := b.folded("http://a.test/x", "a.test", "alive", time.Hour)
	kept := b.folded("http://b.test/y", "b.test", "alive", time.Hour)
	if err := b.Mend(ctx, &storage.Mend{Segment: "s", Posts: []storage.Post{{ID: "p", Run: 1}}}); err != nil {
		b.t.Fatal(err)
	}
	if err := b.DropUncited(ctx); err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.Link(ctx, l.ID); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("the link is still there: %v", err)
	}
	if _, err := b.Task(ctx, "a.test", storage.Standing, l.ID); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("its task is still there: %v", err)
	}
	if got, err := b.Task(ctx, "b.test", storage.Standing, kept.ID); err != nil || got.URL != kept.URL {
		b.t.Errorf("%+v, %v", got, err)
	}
}

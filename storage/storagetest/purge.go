package storagetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"linkstead/storage"
)

// Purge holds a database to the contract of purges and of collections.
func Purge(t *testing.T, rows Rows) {
	suite(t, rows, []test{
		{"Lock", purgeLock},
		{"Swap", purgeSwap},
		{"Stale", purgeStale},
		{"Original", purgeOriginal},
		{"Race", purgeRace},
		{"Resolve", purgeResolve},
		{"ResolveEach", purgeResolveEach},
		{"Lead", mendLead},
		{"DueAgain", mendDueAgain},
		{"Spots", purgeSpots},
		{"Collections", purgeCollections},
	})
}

// purgeLock: one owner at a time has a lock; whoever lost it is told; the same owner takes it over.
func purgeLock(b *bench) {
	ctx := b.t.Context()
	first, err := b.Lock(ctx, storage.PurgeLock, "n", ttl)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.Lock(ctx, storage.PurgeLock, "m", ttl); !errors.Is(err, storage.ErrLocked) {
		b.t.Errorf("two owners: %v", err)
	}
	again, err := b.Lock(ctx, storage.PurgeLock, "n", ttl)
	if err != nil || again == first {
		b.t.Errorf("taken over: %v", err)
	}
	if err := b.KeepLock(ctx, storage.PurgeLock, first, ttl); !errors.Is(err, storage.ErrLocked) {
		b.t.Errorf("a lock that was lost is kept: %v", err)
	}
	b.clock.Advance(ttl - time.Second)
	if err := b.KeepLock(ctx, storage.PurgeLock, again, ttl); err != nil {
		b.t.Error(err)
	}
	b.clock.Advance(2 * time.Second)
	if _, err := b.Lock(ctx, storage.PurgeLock, "m", ttl); !errors.Is(err, storage.ErrLocked) {
		b.t.Errorf("a lock that was prolonged: %v", err)
	}
	b.clock.Advance(ttl)
	other, err := b.Lock(ctx, storage.PurgeLock, "m", ttl)
	if err != nil {
		b.t.Errorf("a lock that has ended: %v", err)
	}
	for _, token := range []int64{again, other} {
		if err := b.Unlock(ctx, storage.PurgeLock, token); err != nil {
			b.t.Error(err)
		}
	}
	if _, err := b.Lock(ctx, storage.PurgeLock, "n", ttl); err != nil {
		b.t.Errorf("a lock that was given back: %v", err)
	}
}

func (b *bench) lockPurge() int64 {
	b.t.Helper()
	token, err := b.Lock(b.t.Context(), storage.PurgeLock, "n", ttl)
	if err != nil {
		b.t.Fatal(err)
	}
	return token
}

// stored adopts a stored segment with captures; kinds are by position: "response", or the place that a revisit refers to.
func (b *bench) stored(id string, kinds ...string) {
	b.t.Helper()
	s := storage.Segment{ID: id, Collection: "c", State: storage.SegmentStored, Location: "warc/c/" + id, Size: 100, Created: b.clock.Now()}
	if err := b.AdoptSegment(b.t.Context(), s); err != nil {
		b.t.Fatal(err)
	}
	for i, k := range kinds {
		c := capture(id, int64(10*i), fmt.Sprintf("http://%s/%d", id, i), b.clock.Now().Add(time.Duration(i)*time.Microsecond))
		c.RecordID = fmt.Sprintf("<urn:uuid:%s-%d>", id, i)
		if k != "response" {
			c.Kind, c.RefersTo = "revisit", k
		}
		if err := b.Adopt(b.t.Context(), []storage.End{{Captures: []storage.Capture{c}}}); err != nil {
			b.t.Fatal(err)
		}
	}
	b.clock.Advance(time.Second)
}

// swapOf plans the replacement of a segment by one that holds what is kept, in order.
func (b *bench) swapOf(lock int64, id, next string, keep func(storage.Capture) bool) storage.Swap {
	b.t.Helper()
	rows, err := b.SegmentRows(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	s := storage.Swap{
		Lock: lock, Keys: []string{"warc/c/" + next}, Old: []storage.SegmentRows{rows}, Moves: map[string]string{},
		New:   []storage.Segment{{ID: next, Collection: "c", State: storage.SegmentStored, Location: "warc/c/" + next, Size: 50, Created: rows.Segment.Created}},
		Audit: storage.Audit{ID: next, At: b.clock.Now(), Node: "n", Action: "purge", Detail: json.RawMessage(`{}`)},
	}
	for _, c := range rows.Captures {
		if !keep(c) {
			continue
		}
		from := fmt.Sprintf("%s/%d", c.Segment, c.Offset)
		c.Segment, c.Offset = next, c.Offset+5
		s.Captures = append(s.Captures, c)
		s.Moves[from] = fmt.Sprintf("%s/%d", c.Segment, c.Offset)
	}
	return s
}

func (b *bench) at(segment string, offset int64) storage.Capture {
	b.t.Helper()
	c, err := b.CaptureAt(b.t.Context(), segment, offset)
	if err != nil {
		b.t.Fatalf("%d in %s: %v", offset, segment, err)
	}
	return c
}

// purgeSwap: rows move to the new segment, those that are purged go, and every revisit finds its original.
func purgeSwap(b *bench) {
	ctx := b.t.Context()
	b.stored("old", "response", "response", "old/10")
	b.stored("other", "response", "old/0", "old/10")
	e := storage.End{
		Attempts: []storage.Attempt{{Collection: "c", URLKey: "k", URL: "http://k/", At: b.clock.Now(), Segment: "old", Offset: 30, Outcome: "dns"}},
		Post:     &storage.Post{ID: "p", Run: 1, Collection: "c", At: b.clock.Now(), Segment: "old", Offset: 5, Citations: []storage.Citation{{URL: "http://x/"}}},
	}
	stays := storage.Post{ID: "q", Run: 2, Collection: "c", At: b.clock.Now(), Segment: "old", Offset: 15}
	if err := b.Adopt(ctx, []storage.End{e, {Post: &stays}}); err != nil {
		b.t.Fatal(err)
	}
	lock := b.lockPurge()
	if err := b.Doom(ctx, lock, "warc/c/new"); err != nil {
		b.t.Fatal(err)
	}
	s := b.swapOf(lock, "old", "new", func(c storage.Capture) bool { return c.Offset != 0 })
	s.Moves["old/0"] = "other/0"
	stays.Segment, stays.Offset = "new", 20
	s.Posts, s.Gone = []storage.Post{stays}, []storage.Post{*e.Post}
	if err := b.Swap(ctx, &s); err != nil {
		b.t.Fatal(err)
	}
	for place, want := range map[storage.Capture]string{
		b.at("other", 10): "other/0", b.at("other", 20): "new/15", b.at("new", 25): "new/15", b.at("new", 15): "",
	} {
		if place.RefersTo != want {
			b.t.Errorf("%d in %s refers to %q, want %q", place.Offset, place.Segment, place.RefersTo, want)
		}
	}
	if _, err := b.CaptureAt(ctx, "old", 0); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("what was purged: %v", err)
	}
	if as, err := b.Attempts(ctx, "c", "k"); len(as) > 0 || err != nil {
		b.t.Errorf("attempts %+v, %v", as, err)
	}
	if ps, err := b.RunPosts(ctx, 1); len(ps) > 0 || err != nil {
		b.t.Errorf("posts %+v, %v", ps, err)
	}
	if ps, err := b.RunPosts(ctx, 2); err != nil || len(ps) != 1 || ps[0].Segment != "new" || ps[0].Offset != 20 {
		b.t.Errorf("posts %+v, %v", ps, err)
	}
	if doomed, err := b.Doomed(ctx); err != nil || !slices.Equal(doomed, []string{"warc/c/old"}) {
		b.t.Errorf("doomed: %q, %v", doomed, err)
	}
	if _, err := b.Segment(ctx, "old"); !errors.Is(err, storage.ErrPurged) || !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("the old segment: %v", err)
	}
	if moved, err := b.Moved(ctx, storage.Capture{Collection: "c", URLKey: "key(http://old/1)", At: b.at("new", 15).At, RecordID: "<urn:uuid:old-1>"}); err != nil || moved.Segment != "new" {
		b.t.Errorf("looked for again: %+v, %v", moved, err)
	}
	if audits, err := b.Audits(ctx); err != nil || len(audits) != 1 || audits[0].ID != "new" || string(audits[0].Detail) != "{}" {
		b.t.Errorf("log: %+v, %v", audits, err)
	}
}

// purgeStale: a plan that no longer fits changes nothing.
func purgeStale(b *bench) {
	ctx := b.t.Context()
	b.stored("old", "response", "response")
	b.stored("other", "old/0")
	lock := b.lockPurge()
	all := func(storage.Capture) bool { return true }
	for why, spoil := range map[string]func(*storage.Swap){
		"a revisit that the plan does not know": func(s *storage.Swap) { delete(s.Moves, "old/0") },
		"another number of captures":            func(s *storage.Swap) { s.Old[0].Captures = s.Old[0].Captures[:1] },
		"another place":                         func(s *storage.Swap) { s.Old[0].Segment.Location = "elsewhere" },
		"another purge":                         func(s *storage.Swap) { s.Lock++ },
	} {
		s := b.swapOf(lock, "old", "new", all)
		spoil(&s)
		err := b.Swap(ctx, &s)
		if want := map[bool]error{false: storage.ErrStale, true: storage.ErrLocked}[why == "another purge"]; !errors.Is(err, want) {
			b.t.Errorf("%s: %v, want %v", why, err, want)
		}
		if b.at("other", 0).RefersTo != "old/0" || b.at("old", 10).Segment != "old" {
			b.t.Errorf("%s: something was changed", why)
		}
	}
	if err := b.Doom(ctx, lock+1, "x"); !errors.Is(err, storage.ErrLocked) {
		b.t.Errorf("doomed without the lock: %v", err)
	}
	s := b.swapOf(lock, "old", "new", all)
	run := b.startRun()
	s.Forget = []int64{run.ID}
	if err := b.Swap(ctx, &s); !errors.Is(err, storage.ErrRunActive) {
		b.t.Errorf("a run that goes on is forgotten: %v", err)
	}
	if r, err := b.Run(ctx, run.ID); err != nil || r.Source == "" || b.at("old", 10).Segment != "old" {
		b.t.Errorf("of a run that goes on: %+v, %v", r, err)
	}
	b.finishRun(run)
	more, err := b.StartRun(ctx, storage.Run{Collection: "c", Source: run.Source, Spec: fmt.Appendf(nil, `{"missing":%d,"x":1}`, run.ID), Started: b.clock.Now()}, nil, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.Swap(ctx, &s); !errors.Is(err, storage.ErrRunActive) {
		b.t.Errorf("a run is forgotten that another has begun to complete: %v", err)
	}
	b.finishRun(more)
	s.Forget = append(s.Forget, more.ID)
	if err := b.Swap(ctx, &s); err != nil {
		b.t.Error(err)
	}
}

// revisitOf is the end of a task that yielded a revisit.
func (b *bench) revisitOf(l storage.Lease, t storage.Task, segment, place, digest string) storage.End {
	e := done(l, t)
	c := capture(segment, t.ID, t.URL, b.clock.Now())
	c.RecordID, c.Kind, c.RefersTo, c.Digest, c.Run = fmt.Sprintf("<urn:uuid:%s-%d>", segment, t.ID), "revisit", place, digest, t.Run
	e.Captures = []storage.Capture{c}
	return e
}

// purgeOriginal: a revisit is committed with an original that is there: the one that was looked up, or where its payload
// stands now; or not at all, and a purge finds it all the same.
func purgeOriginal(b *bench) {
	ctx := b.t.Context()
	b.stored("old", "response")
	b.openSegment("s")
	b.enqueue(task("h", 1, 1, 1), task("h", 1, 2, 1), task("h", 1, 3, 1), task("h", 1, 4, 1))
	l := b.claimOne("h")
	const digest = "sha256:X"
	there := b.revisitOf(l, l.Tasks[0], "s", "old/0", digest)
	moved := b.revisitOf(l, l.Tasks[1], "s", "gone/0", digest)
	lost := b.revisitOf(l, l.Tasks[2], "s", "gone/0", "sha256:Y")
	own := b.revisitOf(l, l.Tasks[3], "s", "s/99", "sha256:Y") // of an exchange of the same segment that was fenced
	if fenced := b.commit(nil, there, moved, lost, own); !slices.Equal(fenced, []int{2}) {
		b.t.Errorf("fenced %v, want the one whose payload is nowhere", fenced)
	}
	for offset, want := range map[int64]string{1: "old/0", 2: "old/0", 4: "s/99"} {
		if got := b.at("s", offset).RefersTo; got != want {
			b.t.Errorf("revisit %d refers to %q, want %q", offset, got, want)
		}
	}
	if got := b.task("h", 1, 3); got.Due == storage.Never {
		b.t.Errorf("the task of a revisit without a payload has ended: %+v", got)
	}
	var voided []int64
	for s, err := range b.Spots(ctx, storage.Everything("c", ever)) {
		if err != nil {
			b.t.Fatal(err)
		}
		if s.Kind == storage.SpotVoided {
			voided = append(voided, s.Offset)
		}
	}
	if !slices.Equal(voided, []int64{3}) {
		b.t.Errorf("voided at %v, want 3", voided)
	}
}

// purgeRace: revisits are committed while their original is moved again and again: none is ever left without it.
func purgeRace(b *bench) {
	const hosts, rounds = 3, 12
	ctx := b.t.Context()
	b.stored("old-0", "response")
	b.openSegment("s")
	for h := range hosts {
		for i := range int64(30) {
			b.enqueue(task(fmt.Sprint("h", h), 1, int64(h)*100+i+1, 1))
		}
	}
	leases := b.claim(hosts)
	lock := b.lockPurge()
	var wg sync.WaitGroup
	for _, l := range leases {
		wg.Go(func() {
			for i, t := range l.Tasks {
				place := fmt.Sprintf("old-%d/%d", i%rounds, 5*(i%rounds)) // it is there now, or was, or will be
				if fenced, err := b.Commit(ctx, nil, []storage.End{b.revisitOf(l, t, "s", place, "sha256:X")}); err != nil || len(fenced) > 0 {
					b.t.Errorf("a revisit whose payload is somewhere: %v, %v", fenced, err)
				}
			}
		})
	}
	for i := range rounds {
		s := b.swapOf(lock, fmt.Sprint("old-", i), fmt.Sprint("old-", i+1), func(storage.Capture) bool { return true })
		if err := b.Swap(ctx, &s); err != nil {
			b.t.Error(err)
		}
	}
	wg.Wait()
	n, want := 0, fmt.Sprintf("old-%d/%d", rounds, 5*rounds)
	for c, err := range b.SegmentCaptures(ctx, "s") {
		if err != nil {
			b.t.Fatal(err)
		}
		n++
		if c.RefersTo != want {
			b.t.Errorf("%s refers to %s, and its payload is at %s", c.URL, c.RefersTo, want)
		}
	}
	if n != hosts*30 {
		b.t.Errorf("%d revisits", n)
	}
}

// purgeResolve: a rebuild finds originals by name, or by payload, and tells which are nowhere.
func purgeResolve(b *bench) {
	ctx := b.t.Context()
	b.stored("a", "response", "response")
	b.stored("r", "<urn:uuid:a-1>", "<urn:uuid:gone>", "<>")
	c := capture("r", 70, "http://lost/", b.clock.Now())
	c.Kind, c.RefersTo, c.Digest = "revisit", "<urn:uuid:a-0>", "sha256:Y"
	if err := b.Adopt(ctx, []storage.End{{Captures: []storage.Capture{c}}}); err != nil {
		b.t.Fatal(err)
	}
	lost, err := b.ResolveRevisits(ctx)
	if err != nil || lost != 1 {
		b.t.Errorf("%d lost, %v; want 1", lost, err)
	}
	for offset, want := range map[int64]string{0: "a/10", 10: "a/0", 20: "a/0", 70: "<urn:uuid:a-0>"} {
		if got := b.at("r", offset).RefersTo; got != want {
			b.t.Errorf("revisit at %d refers to %q, want %q", offset, got, want)
		}
	}
}

// purgeResolveEach: one record can be the original of pages that were not modified, at addresses of their own, and of equal
// payloads at others. If it is gone, each goes where it may: a page to its own address alone, an equal payload to the oldest.
func purgeResolveEach(b *bench) {
	ctx := b.t.Context()
	b.stored("a", "response", "response", "response")
	b.stored("r", "<urn:uuid:gone>", "<urn:uuid:gone>")
	revisits := []storage.Capture{capture("r", 70, b.at("a", 10).URL, b.clock.Now()), capture("r", 80, b.at("a", 20).URL, b.clock.Now()),
		capture("r", 90, "http://other/", b.clock.Now())}
	for k := range revisits {
		c := &revisits[k]
		c.Kind, c.RefersTo, c.Digest, c.Unmodified = "revisit", "<urn:uuid:gone>", b.at("a", 0).Digest, true
	}
	if err := b.Adopt(ctx, []storage.End{{Captures: revisits}}); err != nil {
		b.t.Fatal(err)
	}
	lost, err := b.ResolveRevisits(ctx)
	if err != nil || lost != 1 {
		b.t.Errorf("%d lost, %v; want 1", lost, err)
	}
	for offset, want := range map[int64]string{0: "a/0", 10: "a/0", 70: "a/10", 80: "a/20", 90: "<urn:uuid:gone>"} {
		if got := b.at("r", offset).RefersTo; got != want {
			b.t.Errorf("revisit at %d refers to %q, want %q", offset, got, want)
		}
	}
}

// purgeSpots: spans are of keys and of time, page by page.
func purgeSpots(b *bench) {
	const n = 1203 // more than two pages
	ctx := b.t.Context()
	var ends []storage.End
	for i := range n {
		c := capture("s", int64(i), fmt.Sprintf("http://h/%04d", i), b.clock.Now().Add(time.Duration(i)*time.Second))
		c.URLKey = fmt.Sprintf("h)/%04d", i)
		ends = append(ends, storage.End{Captures: []storage.Capture{c}})
	}
	if err := b.Adopt(ctx, ends); err != nil {
		b.t.Fatal(err)
	}
	for want, span := range map[int]storage.Span{
		n:  storage.Everything("c", ever),
		0:  storage.Everything("d", ever),
		77: storage.Everything("c", b.clock.Now().Add(77*time.Second)),
		1:  {Collection: "c", From: "h)/0100", To: "h)/0100"},
		11: {Collection: "c", From: "h)/0100", To: "h)/0110"},
		5:  {Collection: "c", From: "h)/0100", To: "h)/0110", Before: new(b.clock.Now().Add(105 * time.Second))},
	} {
		got := 0
		for s, err := range b.Spots(ctx, span) {
			if err != nil {
				b.t.Fatal(err)
			}
			if s.Kind != storage.SpotCapture || s.Segment != "s" || s.Length != 10 || s.URL == "" {
				b.t.Errorf("%+v", s)
			}
			got++
		}
		if got != want {
			b.t.Errorf("%+v holds %d, want %d", span, got, want)
		}
	}
	for s, err := range b.Spots(ctx, storage.Everything("c", time.Time{})) {
		if err == nil {
			b.t.Fatalf("a bound that nobody has set holds %+v", s)
		}
	}
}

// ever is behind all that tests capture.
var ever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// purgeCollections: rows of collections, and those that only segments name.
func purgeCollections(b *bench) {
	ctx := b.t.Context()
	made := storage.Collection{Name: "m", About: json.RawMessage(`{"title":"M"}`), Created: b.clock.Now().UTC()}
	if err := b.CreateCollection(ctx, made); err != nil {
		b.t.Fatal(err)
	}
	if err := b.CreateCollection(ctx, made); !errors.Is(err, storage.ErrExists) {
		b.t.Errorf("made twice: %v", err)
	}
	b.stored("s", "response", "response") // of collection c
	all, err := b.Collections(ctx)
	if err != nil || len(all) != 2 || all[0].Name != "c" || len(all[0].About) > 0 || !all[0].Created.IsZero() || string(all[1].About) != string(made.About) {
		b.t.Errorf("%+v, %v", all, err)
	}
	if _, err := b.Collection(ctx, "none"); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("a collection that is not there: %v", err)
	}
	for _, name := range []string{"c", "m"} {
		err := b.ChangeCollection(ctx, name, b.clock.Now(), func(old json.RawMessage) (json.RawMessage, error) {
			return json.RawMessage(`{"was":"` + fmt.Sprint(len(old)) + `"}`), nil
		})
		if c, cerr := b.Collection(ctx, name); err != nil || cerr != nil || c.Created.IsZero() || !slices.Contains([]string{`{"was":"0"}`, `{"was":"13"}`}, string(c.About)) {
			b.t.Errorf("changed %+v: %v, %v", c, err, cerr)
		}
	}
	if c, err := b.Collection(ctx, "m"); err != nil || !c.Created.Equal(made.Created) {
		b.t.Errorf("%+v, %v", c, err)
	}
	if s, err := b.CollectionSize(ctx, "c"); err != nil || s != (storage.CollectionSize{Captures: 2, Segments: 1, Bytes: 100}) {
		b.t.Errorf("%+v, %v", s, err)
	}
	for name, want := range map[string]error{"c": storage.ErrInUse, "m": nil, "none": storage.ErrNotFound} {
		if err := b.RemoveCollection(ctx, name); !errors.Is(err, want) {
			b.t.Errorf("remove %s: %v, want %v", name, err, want)
		}
	}
}

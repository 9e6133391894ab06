package warc

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// TestJournalRows: one exchange of each kind, and every row that comes of it.
func TestJournalRows(t *testing.T) {
	w := newWorld(t, nil, nil)
	r := w.run("default", "http://a.test/post", "http://gone.test/", "http://slow.test/")
	post := w.entry(r, "http://a.test/post", okResponse("<p>post"))
	post.Meta.Outlinks = []Outlink{{URL: "http://b.test/x", Hop: 'L', Context: "a/@href", Kind: "page", Depth: 1, Due: 200},
		{URL: "http://c.test/no", Hop: 'L', Context: "a/@href"}}
	post.New = post.Meta.Tasks(post.Task.URL)
	post.Post = &storage.Post{ID: "p1", Run: r.ID, Collection: "default", Source: "http://a.test/post", URL: "http://a.test/post",
		Title: "A post", At: w.clock.Now(), Citations: []storage.Citation{{Seq: 0, URL: "http://b.test/x", Raw: "/x", Text: "x", Start: 3, End: 4, Where: "content"}}}
	w.add(post)
	gone := w.entry(r, "http://gone.test/", "")
	gone.Exchange.Outcome, gone.Exchange.Detail, gone.Exchange.Request, gone.Exchange.Response = outcome.DNS, "no such host", nil, nil
	w.add(gone)
	slow := w.entry(r, "http://slow.test/", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
	slow.Exchange.Outcome, slow.Exchange.Truncated, slow.Meta.Retry = outcome.CutShort, "disconnect", w.clock.Now().UnixMilli()+5000
	w.add(slow)

	c := w.capture("default", "http://a.test/post")
	want := storage.Capture{Collection: "default", URLKey: urlkey.Key(c.URL), At: w.clock.Now(), Segment: c.Segment, Offset: c.Offset,
		Length: c.Length, URL: "http://a.test/post", Status: 200, Mime: "text/html", Digest: Digest(post.Exchange.Payload.SHA256),
		Kind: KindResponse, RecordID: c.RecordID, Run: r.ID, Outcome: "captured", Size: 7, MS: 5}
	if c != want {
		t.Errorf("capture %+v\nwant    %+v", c, want)
	}
	w.reads(c, "<p>post")
	p, err := w.db.PostOf(t.Context(), r.ID)
	if post.Post.Segment, post.Post.Offset = c.Segment, p.Offset; err != nil || !reflect.DeepEqual(p, *post.Post) || p.Offset <= c.Offset {
		t.Errorf("post %+v, %v\nwant %+v", p, err, *post.Post)
	}
	as, err := w.db.Attempts(t.Context(), "default", urlkey.Key("http://gone.test/"))
	if err != nil || len(as) != 1 || as[0].Outcome != "dns" || as[0].Detail != "no such host" || as[0].Segment != c.Segment || as[0].Offset <= 0 {
		t.Errorf("attempts %+v, %v", as, err)
	}
	if c := w.capture("default", "http://slow.test/"); c.Kind != KindTruncated {
		t.Errorf("kind %s", c.Kind)
	}
	for _, tc := range []struct {
		url, outcome string
		due          int64
		attempts     int
	}{
		{"http://a.test/post", "captured", storage.Never, 1}, {"http://gone.test/", "dns", storage.Never, 1},
		{"http://slow.test/", "", slow.Meta.Retry, 1}, {"http://b.test/x", "", 200, 0},
	} {
		task, err := w.db.Task(t.Context(), urlkey.Host(tc.url), r.ID, urlkey.ID(tc.url))
		if err != nil || task.Outcome != tc.outcome || task.Due != tc.due || task.Attempts != tc.attempts {
			t.Errorf("task %+v, %v; want %+v", task, err, tc)
		}
	}
	if _, err := w.db.Task(t.Context(), "c.test", r.ID, urlkey.ID("http://c.test/no")); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a link that was not admitted became a task: %v", err)
	}
	s := w.segment(c.Segment)
	_, size, err := w.spool.Open(c.Segment)
	if err != nil || s.State != storage.SegmentOpen || s.Committed != size || s.Node != w.spool.Node() {
		t.Errorf("segment %+v with %d bytes, %v", s, size, err)
	}
	w.settled()
	if got := w.segment(c.Segment); got.Size != size || got.Location != SegmentKey(got) || len(got.SHA256) != 64 {
		t.Errorf("stored %+v", got)
	}
	w.reads(c, "<p>post")
}

// TestJournalConcurrent: hundreds of appends at once into several collections and small segments.
func TestJournalConcurrent(t *testing.T) {
	w := newWorld(t, nil, func(p *JournalParts) { p.MaxSize = 24 << 10 })
	all := urls(80, 8)
	r := [2]storage.Run{w.run("one", all...), w.run("two", all...)}
	entries := [2][]*Entry{}
	for i, u := range all {
		for k := range r {
			// Every eighth has a twin in its collection.
			entries[k] = append(entries[k], w.entry(r[k], u, okResponse(fmt.Sprintf("body %d %s", i/8*8+i%8/2, noise(200)))))
		}
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	ended := map[string]int{}
	for k := range r {
		for n := range 8 {
			wg.Go(func() {
				for i := n; i < len(all); i += 8 {
					e := entries[k][i]
					must(t, w.j.Append(context.Background(), e, func(held bool, err error) {
						mu.Lock()
						defer mu.Unlock()
						ended[e.Collection+e.Task.URL]++
						if !held || err != nil {
							t.Errorf("%s: held %v, %v", e.Task.URL, held, err)
						}
					}))
				}
			})
		}
	}
	wg.Wait()
	w.settled()
	for k := range r {
		kinds := map[string]int{}
		segments := map[string]bool{}
		for i, u := range all {
			c := w.capture(r[k].Collection, u)
			kinds[c.Kind]++
			segments[c.Segment] = true
			w.reads(c, bodyOf(t, entries[k][i]))
			if n := ended[r[k].Collection+u]; n != 1 {
				t.Errorf("done was called %d times for %s", n, u)
			}
			if s := w.segment(c.Segment); s.Collection != r[k].Collection {
				t.Errorf("%s of %s is in a segment of %s", u, r[k].Collection, s.Collection)
			}
		}
		if kinds[KindRevisit] == 0 || kinds[KindResponse] < 40 || len(segments) < 3 {
			t.Errorf("kinds %v in %d segments", kinds, len(segments))
		}
	}
	names := w.published()
	for _, name := range names[:2] {
		if faults, err := StrictRead(name); err != nil || len(faults) > 0 {
			t.Errorf("strict read of %s: %+v, %v", name, faults, err)
		}
	}
}

// TestJournalTwins: two equal payloads appended at the same time are one response and one revisit.
func TestJournalTwins(t *testing.T) {
	w := newWorld(t, nil, nil)
	all := urls(40, 4)
	r := w.run("default", all...)
	for i := 0; i < len(all); i += 2 {
		var wg sync.WaitGroup
		for _, u := range all[i : i+2] {
			e := w.entry(r, u, okResponse(fmt.Sprint("twin ", i)))
			wg.Go(func() { _, err := w.append(e); must(t, err) })
		}
		wg.Wait()
	}
	w.flush()
	for i := 0; i < len(all); i += 2 {
		a, b := w.capture("default", all[i]), w.capture("default", all[i+1])
		if (a.Kind == KindRevisit) == (b.Kind == KindRevisit) {
			t.Errorf("twins are %s and %s", a.Kind, b.Kind)
		}
		w.reads(a, fmt.Sprint("twin ", i))
		w.reads(b, fmt.Sprint("twin ", i))
	}
}

// TestJournalRevisits is decision 9.
func TestJournalRevisits(t *testing.T) {
	var away sync.Mutex // held while the store is away
	w := newWorld(t, nil, func(p *JournalParts) { p.Blobs = gate{p.Blobs, &away} })
	u := urls(12, 3)
	r, other := w.run("default", u...), w.run("other", u...)
	kind := func(r storage.Run, url, body, want string) storage.Capture {
		t.Helper()
		c := w.page(r, url, body)
		if c.Kind != want {
			t.Errorf("%s in %s is a %s, want %s", url, r.Collection, c.Kind, want)
		}
		w.reads(c, body)
		return c
	}
	first := kind(r, u[0], "same", KindResponse)
	if c := kind(r, u[1], "same", KindRevisit); c.RefersTo != location(first.Segment, first.Offset) {
		t.Errorf("refers to %s, want %d in %s", c.RefersTo, first.Offset, first.Segment)
	}
	kind(other, u[0], "same", KindResponse)

	away.Lock()
	w.j.mu.Lock()
	w.j.retire("default") // full, say
	w.j.mu.Unlock()
	w.waitFor(first.Segment, storage.SegmentSealed)
	full := kind(r, u[2], "same", KindResponse) // sealed, but the store does not have it yet
	kind(r, u[3], "same", KindRevisit)
	away.Unlock()
	w.flush()
	c := kind(r, u[4], "same", KindRevisit) // now it does
	if c.RefersTo != location(first.Segment, first.Offset) && c.RefersTo != location(full.Segment, full.Offset) {
		t.Errorf("refers to %s", c.RefersTo)
	}
	kind(r, u[5], "", KindResponse)
	kind(r, u[6], "", KindResponse)
	cut := w.entry(r, u[7], "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\ncut off")
	cut.Exchange.Outcome, cut.Exchange.Truncated = outcome.CutShort, "disconnect"
	w.add(cut)
	kind(r, u[8], "cut off", KindResponse)
	w.flush()
	kind(r, u[9], "cut off", KindRevisit)
	again := w.entry(r, u[10], "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\ncut off")
	again.Exchange.Outcome, again.Exchange.Truncated = outcome.CutShort, "disconnect"
	w.add(again)
	if c := w.capture("default", u[10]); c.Kind != KindTruncated || c.RefersTo != "" {
		t.Errorf("a truncated response is %+v", c)
	}
	w.settled()
}

// gate is a store that is away while the lock is held.
type gate struct {
	Store
	away *sync.Mutex
}

func (g gate) Put(ctx context.Context, key, path, sum string) error {
	if !g.away.TryLock() {
		return errors.New("the store is away")
	}
	defer g.away.Unlock()
	return g.Store.Put(ctx, key, path, sum)
}

// waitFor nudges the journal until a segment has come to a state.
func (w *world) waitFor(segment string, state storage.SegmentState) {
	w.t.Helper()
	for end := time.Now().Add(time.Minute); w.segment(segment).State != state; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("segment %s is %s, want %s", segment, w.segment(segment).State, state)
		}
		w.j.nudge()
	}
}

func TestJournalRotation(t *testing.T) {
	w := newWorld(t, nil, func(p *JournalParts) { p.MaxSize, p.MaxAge = 2000, 40*time.Millisecond })
	u := urls(3, 1)
	r := w.run("default", u...)
	a := w.page(r, u[0], noise(2500)) // over the size, so that the next one begins a new segment
	w.clock.Advance(time.Millisecond)
	b := w.page(r, u[1], "small")
	if a.Segment >= b.Segment {
		t.Errorf("segments %s, then %s", a.Segment, b.Segment)
	}
	w.waitFor(a.Segment, storage.SegmentStored)
	time.Sleep(60 * time.Millisecond)
	if s := w.segment(b.Segment); s.State != storage.SegmentOpen {
		t.Errorf("a young segment is %s", s.State)
	}
	w.clock.Advance(40 * time.Millisecond)
	w.waitFor(b.Segment, storage.SegmentStored)
	if c := w.page(r, u[2], "small"); c.Kind != KindRevisit || c.RefersTo != location(b.Segment, b.Offset) {
		t.Errorf("an old segment's payload is not referred to: %+v", c)
	}
}

// TestJournalClose: what is pending is acknowledged, and later appends are refused; with a context that has ended, what
// is not stored waits in the spool, and the next start stores it.
func TestJournalClose(t *testing.T) {
	for _, tc := range []struct {
		name string
		away bool
	}{{"stored", false}, {"the store is away", true}} {
		t.Run(tc.name, func(t *testing.T) {
			var away sync.Mutex
			w := newWorld(t, nil, func(p *JournalParts) {
				p.Blobs = gate{p.Blobs, &away}
				if tc.away {
					p.Window = time.Hour // nothing is committed until Close says so
				}
			})
			u := urls(3, 1)
			r := w.run("default", u...)
			wait, err := w.append(w.entry(r, u[0], okResponse("one")))
			must(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			if tc.away {
				away.Lock()
				cancel()
			}
			late := w.entry(r, u[1], okResponse("two"))
			err = w.j.Close(ctx)
			cancel()
			if tc.away != errors.Is(err, context.Canceled) {
				t.Errorf("close: %v", err)
			}
			if held, err := wait(); !held || err != nil {
				t.Errorf("what was pending: held %v, %v", held, err)
			}
			if _, err := w.append(late); !errors.Is(err, errClosed) {
				t.Errorf("append after close: %v", err)
			}
			must(t, w.j.Close(t.Context()))
			if n := len(w.spooled()); (n == 1) != tc.away {
				t.Errorf("%d segments in the spool", n)
			}
			if tc.away {
				away.Unlock()
			}
			w.tune = nil
			w.again()
			w.settled()
			w.accounts(r, map[string]string{u[0]: "one"}, map[string]string{u[0]: "one", u[1]: "two", u[2]: ""})
		})
	}
}

// TestJournalEmptySegment: one that was begun for an exchange that can't be recorded is not kept.
func TestJournalEmptySegment(t *testing.T) {
	w := newWorld(t, nil, nil)
	r := w.run("default", "http://a.test/")
	e := w.entry(r, "http://a.test/", okResponse("x"))
	e.Exchange.URL = "http://a.test/ \n"
	if _, err := w.append(e); !errors.Is(err, ErrURL) {
		t.Errorf("append: %v, want ErrURL", err)
	}
	w.settled()
	if ss, err := w.db.Segments(t.Context()); err != nil || len(ss) != 0 {
		t.Errorf("segments %+v, %v", ss, err)
	}
}

func TestJournalDiskFull(t *testing.T) {
	full := storagetest.NewFaultFS(storage.OS{}, storagetest.Point{Op: storagetest.OpWrite, Suffix: segmentSuffix, N: 3, When: storagetest.Half}, syscall.ENOSPC)
	w := newWorld(t, full, nil)
	r := w.run("default", urls(3, 1)...)
	_, err := w.append(w.entry(r, urls(3, 1)[0], okResponse(noise(5000))))
	for _, word := range []string{"no space left", "Free some space", w.dir + "/spool"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("error %v lacks %q", err, word)
		}
	}
	if _, err := w.append(w.entry(r, urls(3, 1)[1], okResponse("y"))); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("the journal goes on: %v", err)
	}
}

// urls makes n addresses, spread over hosts.
func urls(n, hosts int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("http://h%d.test/%d", i%hosts, i))
	}
	return out
}

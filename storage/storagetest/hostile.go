package storagetest

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"linkstead/storage"
)

// Hostile holds a database to what must be so whatever servers send: bytes that are no text, keys longer than an index
// holds, more rows than a statement takes, the largest numbers. It is the same on every database.
func Hostile(t *testing.T, rows Rows) {
	suite(t, rows, []test{
		{"Bytes", hostileBytes},
		{"Keys", hostileKeys},
		{"Hosts", hostileHosts},
		{"LongKeys", hostileLongKeys},
		{"LongHosts", hostileLongHosts},
		{"Numbers", hostileNumbers},
		{"Many", hostileMany},
	})
}

// hostile holds each byte that TEXT can't.
const hostile = "a\x00b\xff\xfe\xc3(\xed\xa0\x80ä\x00"

func harmless(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// hostileBytes: whatever stands in a field, the row is kept, and what is read back is text.
func hostileBytes(b *bench) {
	ctx := b.t.Context()
	b.openSegment("s")
	bad := task("h", 1, 1, 1)
	bad.URL, bad.Via, bad.Hops, bad.Outcome = "http://h/"+hostile, hostile, hostile, hostile
	if n := b.enqueue(bad); n != 1 {
		b.t.Fatalf("%d tasks", n)
	}
	l := b.claimOne("h")
	if got := l.Tasks[0]; !harmless(got.URL) || !harmless(got.Via) || !strings.HasPrefix(got.URL, "http://h/a\uFFFDb\uFFFD") {
		b.t.Errorf("the task came back as %+v", got)
	}
	e := done(l, l.Tasks[0], task("g", 1, 2, 1))
	e.Task.Outcome, e.New[0].URL = "ok"+hostile, hostile
	c := capture("s", 0, "http://h/"+hostile, b.clock.Now())
	c.Mime, c.Redirect, c.Outcome, c.Collection = hostile, hostile, hostile, "c"
	e.Captures = []storage.Capture{c}
	e.Attempts = []storage.Attempt{{Collection: "c", URL: hostile, URLKey: "k", At: b.clock.Now(), Segment: "s", Outcome: hostile, Detail: hostile}}
	e.Post = &storage.Post{ID: "p", Run: 1, Collection: "c", Source: hostile, URL: hostile, Title: hostile, Dated: hostile, At: b.clock.Now(),
		Segment: "s", Citations: []storage.Citation{{URL: hostile, Raw: hostile, Text: hostile, Context: hostile, LeftOut: hostile, Of: hostile,
			Selector: hostile, Quotation: hostile, Dated: hostile, Entry: hostile, Alternatives: hostile}}}
	if fenced := b.commit([]storage.Progress{{Segment: "s", Committed: 10}}, e); len(fenced) != 0 {
		b.t.Fatalf("fenced %d", fenced)
	}
	if un, err := b.Uncounted(ctx, []storage.End{e}); err != nil || len(un) != 0 {
		b.t.Errorf("uncounted %d, %v", un, err)
	}
	got, err := b.CaptureAt(ctx, "s", 0)
	if want := "a\uFFFDb\uFFFD(\uFFFDä\uFFFD"; err != nil || got.Mime != want || got.Redirect != want {
		b.t.Errorf("a capture's MIME type came back as %q, redirect %q, %v, want %q", got.Mime, got.Redirect, err, want)
	}
	as, err := b.Attempts(ctx, "c", "k")
	if err != nil || len(as) != 1 || !harmless(as[0].Detail+as[0].URL+as[0].Outcome) {
		b.t.Errorf("attempts %+v, %v", as, err)
	}
	p, err := b.PostOf(ctx, 1)
	if err != nil || len(p.Citations) != 1 || !harmless(p.Title+p.Source+p.Citations[0].Context+p.Citations[0].Of+p.Citations[0].Quotation+p.Citations[0].Entry) {
		b.t.Errorf("post %+v, %v", p, err)
	}
	if ps, err := b.PostsBy(ctx, hostile); err != nil || len(ps) != 1 {
		b.t.Errorf("the post is found under its source: %d, %v", len(ps), err)
	}
}

// hostileKeys: what was written under a key is found under it.
func hostileKeys(b *bench) {
	c := capture("s", 3, "http://e/"+hostile, b.clock.Now())
	c.URLKey = "e)/" + hostile
	b.adopt(c)
	if got := b.captures(c.URLKey); len(got) != 1 || got[0].Offset != 3 {
		b.t.Errorf("Captures brings %+v", got)
	}
	if got, err := b.Closest(b.t.Context(), "c", c.URLKey, c.URL, b.clock.Now()); err != nil || got.Offset != 3 {
		b.t.Errorf("Closest brings %+v, %v", got, err)
	}
	r, err := b.StartRun(b.t.Context(), storage.Run{Collection: hostile, Source: hostile, Spec: []byte(`{"a":"` + hostile + `"}`), Started: b.clock.Now()},
		&storage.Document{Mime: hostile, Body: []byte(hostile)}, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if d, err := b.Document(b.t.Context(), r.ID); err != nil || string(d.Body) != hostile || !harmless(d.Mime) {
		b.t.Errorf("the document's bytes are kept as they are: %+q, %v", d, err)
	}
}

func hostileHosts(b *bench) {
	host := "h" + hostile
	b.enqueue(task(host, 1, 1, 1))
	l := b.claim(10)
	if len(l) != 1 || len(l[0].Tasks) != 1 || l[0].Host != l[0].Tasks[0].Host {
		b.t.Fatalf("claimed %+v", l)
	}
	for _, h := range []string{host, l[0].Host} {
		if ts, err := b.Due(b.t.Context(), h, 10); err != nil || len(ts) != 1 {
			b.t.Errorf("Due(%q) = %+v, %v", h, ts, err)
		}
		b.task(h, 1, 1)
	}
	e := done(l[0], l[0].Tasks[0])
	e.Task.Host = host // as whoever works out the host from the address calls it
	if fenced := b.commit(nil, e); len(fenced) != 0 {
		b.t.Error("fenced")
	}
	b.release(0, l...)
	b.claimNone("all is done")
}

// long makes a text of n bytes that does not compress well, with a mark at its end.
func long(n int, mark string) string {
	var sb strings.Builder
	for x := uint32(1); sb.Len() < n; x = x*1664525 + 1013904223 {
		fmt.Fprintf(&sb, "%x", x)
	}
	return sb.String()[:n-len(mark)] + mark
}

// hostileLongKeys: keys of any length are told apart, and keep their order as far as their first bytes go.
func hostileLongKeys(b *bench) {
	for i, n := range []int{900, 999, 1000, 1001, 2700, 8000, 16000} {
		for k, mark := range []string{"a", "b", "ä"} {
			c := capture("s", int64(10*i+k), "http://e/"+long(n, mark), b.clock.Now())
			c.URLKey, c.Redirect = long(n, mark), long(n, mark)
			c.Digest = "sha256:" + mark
			b.adopt(c)
			b.adopt(c)
			if err := b.Adopt(b.t.Context(), []storage.End{{Attempts: []storage.Attempt{{Collection: "c", URLKey: c.URLKey, URL: c.URL,
				At: b.clock.Now(), Segment: "s", Offset: c.Offset, Outcome: "dns"}}}}); err != nil {
				b.t.Fatalf("%d bytes: %v", n, err)
			}
			got, err := b.Closest(b.t.Context(), "c", c.URLKey, c.URL, b.clock.Now())
			if err != nil || got.Offset != c.Offset || got.URL != c.URL || got.Redirect != c.Redirect {
				b.t.Errorf("a key of %d bytes, ending with %s: number %d, %v, want %d", n, mark, got.Offset, err, c.Offset)
			}
			if all := b.captures(c.URLKey); len(all) != 1 || all[0].Offset != c.Offset {
				b.t.Errorf("a key of %d bytes, ending with %s: %d captures", n, mark, len(all))
			} else if key := all[0].URLKey; key[:800] != c.URLKey[:800] || n <= 1000 && key != c.URLKey {
				b.t.Errorf("a key of %d bytes begins otherwise in its row: %q", n, key)
			} else if again := b.captures(key); len(again) != 1 {
				b.t.Errorf("the key as its row has it finds %d captures", len(again))
			}
			if as, err := b.Attempts(b.t.Context(), "c", c.URLKey); err != nil || len(as) != 1 {
				b.t.Errorf("a key of %d bytes: %d attempts, %v", n, len(as), err)
			}
			if un, err := b.Uncounted(b.t.Context(), []storage.End{{Captures: []storage.Capture{c}}}); err != nil || len(un) != 0 {
				b.t.Errorf("a key of %d bytes: uncounted %d, %v", n, un, err)
			}
		}
	}
	n := 0
	for _, err := range b.SegmentCaptures(b.t.Context(), "s") {
		if err != nil {
			b.t.Fatal(err)
		}
		n++
	}
	if n != 21 {
		b.t.Errorf("%d captures in the segment, want 21", n)
	}
}

func hostileLongHosts(b *bench) {
	for i, n := range []int{1000, 1001, 2700, 16000} {
		host := long(n, "x")
		b.enqueue(task(host, 1, int64(i), 1))
		ls := b.claim(1)
		if len(ls) != 1 || len(ls[0].Tasks) != 1 || ls[0].Tasks[0].Host != ls[0].Host || ls[0].Tasks[0].URL != fmt.Sprintf("http://%s/%d", host, i) {
			b.t.Fatalf("a host of %d bytes: claimed %d leases", n, len(ls))
		}
		if fenced := b.commit(nil, done(ls[0], ls[0].Tasks[0], task(host, 1, int64(100+i), 1))); len(fenced) != 0 {
			b.t.Fatal("fenced")
		}
		if ts, err := b.Due(b.t.Context(), host, 5); err != nil || len(ts) != 1 {
			b.t.Errorf("a host of %d bytes: due %d, %v", n, len(ts), err)
		}
		b.release(0, ls...)
		ls = b.claim(1)
		b.commit(nil, done(ls[0], ls[0].Tasks[0]))
		b.release(0, ls...)
		b.claimNone("all is done")
	}
}

func hostileNumbers(b *bench) {
	c := capture("s", math.MaxInt64, "http://e/", time.UnixMicro(math.MaxInt64/2).UTC())
	c.Length, c.Run, c.Status = math.MaxInt64, math.MaxInt64, math.MaxInt32
	b.adopt(c)
	if got, err := b.CaptureAt(b.t.Context(), "s", math.MaxInt64); err != nil || got != c {
		b.t.Errorf("CaptureAt brings %+v, %v, want %+v", got, err, c)
	}
	old := capture("s", 1, "http://e/", time.UnixMicro(-1<<40).UTC())
	b.adopt(old)
	if got := b.captures(old.URLKey); len(got) != 2 || got[0] != old {
		b.t.Errorf("Captures brings %+v", got)
	}
	want := task("h", math.MaxInt64, math.MaxInt64, 1)
	want.Depth, want.Attempts = math.MaxInt64, math.MaxInt64-1
	b.enqueue(want)
	if got := b.claimOne("h").Tasks[0]; got != want {
		b.t.Errorf("claimed %+v, want %+v", got, want)
	}
	if _, err := b.Task(b.t.Context(), "h", math.MinInt64, -1); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("no such task: %v", err)
	}
}

// hostileMany: one exchange may bring more than a statement has parameters for.
func hostileMany(b *bench) {
	const n = 12000 // of 11 values each
	b.enqueue(task("h", 1, -1, 1))
	l := b.claimOne("h")
	e := done(l, l.Tasks[0])
	for i := range int64(n) {
		e.New = append(e.New, task(fmt.Sprint("g", i%7000), 1, i, 1))
	}
	if fenced := b.commit(nil, e); len(fenced) != 0 {
		b.t.Fatal("fenced")
	}
	ls, err := b.Claim(b.t.Context(), "w", n, 10, ttl)
	if err != nil || len(ls) != 7000 {
		b.t.Fatalf("claimed %d hosts, %v, want 7000", len(ls), err)
	}
	var ends []storage.End
	for _, l := range ls {
		for _, t := range l.Tasks {
			ends = append(ends, done(l, t))
		}
	}
	if fenced := b.commit(nil, ends...); len(fenced) != 0 || len(ends) != n {
		b.t.Fatalf("%d ended, %d fenced", len(ends), len(fenced))
	}
	if lost, err := b.Renew(b.t.Context(), ls, ttl); err != nil || len(lost) != 0 {
		b.t.Errorf("%d lost, %v", len(lost), err)
	}
	if err := b.FreeOwner(b.t.Context(), "w", b.clock.Now()); err != nil {
		b.t.Error(err)
	}
	if open, err := b.Open(b.t.Context(), 1); err != nil || open {
		b.t.Errorf("tasks are open, %v", err)
	}
}

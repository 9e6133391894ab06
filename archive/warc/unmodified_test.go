package warc

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/storage"
)

// unmodified is the entry of a page whose server answered 304, when it was asked by the validators of c.
func (w *world) unmodified(r storage.Run, c storage.Capture, answer string) *Entry {
	w.t.Helper()
	e := w.entry(r, c.URL, answer)
	m, err := w.lib.Open(w.t.Context(), c)
	must(w.t, err)
	must(w.t, m.Close())
	e.Confirmed = &Confirmed{
		Original: Original{RecordID: c.RecordID, URL: c.URL, At: c.At, Location: location(c.Segment, c.Offset)},
		Digest:   c.Digest, Size: c.Size, Head: m.Head.Updated(e.Exchange.Head),
	}
	e.Meta.Mime = m.Head.Mime()
	return e
}

// faultless verifies every stored segment, by our own reader and by another's.
func (w *world) faultless() {
	w.t.Helper()
	for _, name := range w.published() {
		faults, err := StrictRead(name)
		must(w.t, err)
		for _, f := range faults {
			w.t.Errorf("%s: %s", filepath.Base(name), f)
		}
	}
}

const taggedResponse = "HTTP/1.1 200 OK\r\nDate: Mon, 02 Jan 2006 16:00:00 GMT\r\nContent-Type: text/html\r\nContent-Encoding: identity\r\n" +
	"ETag: \"1\"\r\nLast-Modified: Mon, 02 Jan 2006 15:00:00 GMT\r\nX-Own: first\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"

const later304 = "HTTP/1.1 304 Not Modified\r\nDate: Tue, 03 Jan 2006 16:00:00 GMT\r\nContent-Type: text/plain\r\nETag: \"1\"\r\nX-Own: later\r\n\r\n"

// maxUnmodified bounds what the records of an unmodified page may take here, in bytes: a recrawl is nearly nothing but such.
const maxUnmodified = 1150

// TestUnmodified: the rows of a page that was not modified are those of the page, also after a rebuild, and its record is as
// WARC 1.1 §6.7.3 has it.
func TestUnmodified(t *testing.T) {
	w := newWorld(t, nil, nil)
	u := urls(1, 1)
	r := w.run("default", u...)
	body := "page " + noise(3000)
	w.add(w.entry(r, u[0], fmt.Sprintf(taggedResponse, len(body), body)))
	first := w.capture("default", u[0])
	w.flush()
	w.clock.Advance(time.Hour)
	r = w.run("default", u...)
	again := w.unmodified(r, first, later304)
	sent := slices.Clone(again.Exchange.Request)
	w.add(again)
	w.flush()
	second := w.captures("default", u[0])[1]
	if second.Kind != KindRevisit || !second.Unmodified || second.Status != 200 || second.Mime != "text/html" || second.Digest != first.Digest || second.Size != first.Size ||
		second.ETag != `"1"` || second.Modified != "Mon, 02 Jan 2006 15:00:00 GMT" || second.RefersTo != location(first.Segment, first.Offset) {
		t.Errorf("row %+v", second)
	}
	w.reads(second, body)
	w.faultless()
	want := w.purgeDump()
	if r := w.rebuild(); len(r.Damaged) > 0 {
		t.Errorf("rebuilt %+v", r)
	}
	same(t, w.purgeDump(), want)
	f, err := os.Open(filepath.Join(w.dir, "blobs", w.segment(second.Segment).Location))
	must(t, err)
	defer f.Close()
	for u, err := range Exchanges(f, 0, w.segment(second.Segment).Size) {
		must(t, err)
		m := u.Main()
		if m == nil {
			continue
		}
		if len(u.Records) != 2 || string(u.Closing.Request) != string(sent) {
			t.Errorf("%d records, request %q", len(u.Records), u.Closing.Request)
		}
		if n := u.End - u.Offset; n > maxUnmodified {
			t.Errorf("a page that was not modified takes %d bytes, more than %d", n, maxUnmodified)
		}
		for name, value := range map[string]string{
			fieldProfile: "http://netpreserve.org/warc/1.1/revisit/server-not-modified", fieldRefersTo: first.RecordID,
			fieldRefersURI: first.URL, fieldRefersDate: formatDate(first.At), fieldPayloadDigest: first.Digest,
			fieldLength: fmt.Sprint(len(later304)), fieldTruncated: "",
		} {
			if got := m.Header.Get(name); got != value {
				t.Errorf("%s is %q, want %q", name, got, value)
			}
		}
	}
}

// TestUnmodifiedRefuses: only a 304 without a body stands for a page.
func TestUnmodifiedRefuses(t *testing.T) {
	for _, answer := range []string{okResponse("x"), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"} {
		ex := exchangeOf(t, "http://a.test/", answer)
		c := &Confirmed{Original: Original{URL: ex.URL, At: ex.At}, Digest: Digest(emptySum)}
		if g, err := new(Composer).Compose(ex, &Meta{}, Options{Original: &c.Original, Confirmed: c}); err == nil {
			t.Errorf("%q was taken", answer)
			must(t, g.Release())
		}
	}
}

// TestPurgeUnmodified: where a page goes that others say has not changed since, the earliest of them becomes the page: what a
// cache would show, with the 304 beside it. A response of the same bytes under another URL does not do, for its head is another's.
func TestPurgeUnmodified(t *testing.T) {
	var away sync.Mutex
	w := newWorld(t, nil, func(p *JournalParts) { p.Blobs = gate{p.Blobs, &away} })
	u := urls(2, 2)
	body := "payload " + noise(70000)
	r := w.run("default", u...)
	away.Lock()
	w.add(w.entry(r, u[0], fmt.Sprintf(taggedResponse, len(body), body)))
	w.j.mu.Lock()
	w.j.retire("default")
	w.j.mu.Unlock()
	first := w.capture("default", u[0])
	w.waitFor(first.Segment, storage.SegmentSealed)
	if c := w.page(r, u[1], body); c.Kind != KindResponse {
		t.Fatalf("the same bytes once more: %+v", c)
	}
	away.Unlock()
	w.flush()
	w.settled()
	for range 2 {
		w.clock.Advance(time.Hour)
		w.add(w.unmodified(w.run("default", u...), first, later304))
		w.flush()
	}
	done := w.purge(first)
	if done.Promoted != 1 {
		t.Errorf("%+v", done)
	}
	cs := w.captures("default", u[0])
	if len(cs) != 2 {
		t.Fatalf("captures %+v", cs)
	}
	heir, last := cs[0], cs[1]
	if heir.Kind != KindResponse || heir.Unmodified || heir.RefersTo != "" || heir.Status != 200 || heir.ETag != `"1"` {
		t.Errorf("heir %+v", heir)
	}
	if !last.Unmodified || last.RefersTo != location(heir.Segment, heir.Offset) {
		t.Errorf("last %+v", last)
	}
	m, err := w.lib.Open(t.Context(), heir)
	must(t, err)
	if m.Head.Status != 200 || m.Head.Get("X-Own") != "later" || m.Head.Mime() != "text/html" || m.Head.Get("Last-Modified") == "" ||
		m.Head.Framing("GET").Kind != httpmsg.Chunked {
		t.Errorf("head %+v", m.Head)
	}
	must(t, m.Close())
	w.reads(heir, body)
	w.reads(last, body)
	if all := string(w.contents()); !strings.Contains(all, later304) || strings.Contains(all, "X-Own: first") {
		t.Error("the 304 as it came is nowhere, or what was purged is somewhere")
	}
	w.faultless()
	w.clean()
	want := w.purgeDump()
	if r := w.rebuild(); len(r.Damaged) > 0 {
		t.Errorf("rebuilt %+v", r)
	}
	same(t, w.purgeDump(), want)
	w.reads(w.capture("default", u[1]), body)
}

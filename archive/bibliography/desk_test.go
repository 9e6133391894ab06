package bibliography_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"linkstead/archive/bibliography"
	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
)

var day = time.Date(2016, 2, 6, 12, 0, 0, 0, time.UTC)

// kept is an archive with a desk.
type kept struct {
	*bibliography.Desk
	t     *testing.T
	db    *storage.DB
	spool string
	made  int
}

func newKept(t *testing.T) *kept {
	t.Helper()
	k := &kept{t: t, spool: t.TempDir()}
	db, err := storage.OpenDB(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "linkstead.db"), storage.DBOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	k.db = db
	blobs, err := storage.OpenDir(t.TempDir(), storage.OS{})
	k.check(err)
	k.Desk = &bibliography.Desk{
		Rows: db, Posts: db, Names: db, Library: &warc.Library{Shelves: db, Spool: k.spool, Blobs: blobs}, Collection: "default", Replay: "http://replay.test", Pages: "http://pages.test",
		Resolver: "http://replay.test", Archive: "Library of Test", PWID: "archive.test", Now: func() time.Time { return day.AddDate(10, 0, 0) },
	}
	return k
}

func (k *kept) check(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

// capture keeps an answer to an address, in a segment of its own that is in the spool.
func (k *kept) capture(url string, at time.Time, head, body string) storage.Capture {
	k.t.Helper()
	response := fmt.Sprintf("HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s", head, len(body), body)
	x := &warc.Exchange{URL: url, Method: http.MethodGet, At: at, Request: []byte("GET / HTTP/1.1\r\n\r\n"), Outcome: outcome.Captured, Response: storage.NewSpill(k.spool, 1<<20)}
	_, err := x.Response.Write([]byte(response))
	k.check(err)
	x.Head, err = httpmsg.ParseHead([]byte(response))
	k.check(err)
	x.Payload = warc.Payload{Size: int64(len(body)), SHA256: sha256.Sum256([]byte(body))}
	g, err := (&warc.Composer{}).Compose(x, &warc.Meta{Run: 1, Attempt: 1, Kind: "page"}, warc.Options{})
	k.check(err)
	var b bytes.Buffer
	_, err = g.WriteTo(&b)
	k.check(err)
	seg := k.segment(storage.SegmentOpen)
	path := storage.SpoolPath(k.spool, seg)
	k.check(os.MkdirAll(filepath.Dir(path), 0o755))
	k.check(os.WriteFile(path, b.Bytes(), 0o644))
	m, _ := g.Main()
	c := storage.Capture{
		Collection: "default", URL: url, URLKey: urlkey.Key(url), At: at, Segment: seg, Offset: m.Offset, Length: m.Length, Status: x.Head.Status, Mime: x.Head.Get("Content-Type"),
		Kind: warc.KindResponse, RecordID: m.RecordID, Run: 1, Outcome: string(outcome.Captured), Size: -1, Redirect: x.Head.Get("Location"), Digest: "sha256:" + fmt.Sprint(k.made),
	}
	k.adopt(storage.End{Captures: []storage.Capture{c}})
	return c
}

func (k *kept) segment(state storage.SegmentState) string {
	k.t.Helper()
	k.made++
	seg := storage.Segment{ID: fmt.Sprintf("default-%d", k.made), Collection: "default", Node: "n", State: state, Created: day}
	if state == storage.SegmentStored {
		seg.Location = "segments/" + seg.ID + ".warc.gz"
	}
	k.check(k.db.AdoptSegment(k.t.Context(), seg))
	return seg.ID
}

func (k *kept) attempt(url string, at time.Time, o outcome.Outcome) storage.Attempt {
	k.t.Helper()
	seg := k.segment(storage.SegmentStored)
	a := storage.Attempt{
		Collection: "default", URL: url, URLKey: urlkey.Key(url), At: at, Run: 1, Outcome: string(o), Segment: seg, RecordID: "<urn:uuid:" + seg + ">",
	}
	k.adopt(storage.End{Attempts: []storage.Attempt{a}})
	return a
}

func (k *kept) post(p storage.Post) {
	k.t.Helper()
	p.Collection, p.Segment = "default", k.segment(storage.SegmentStored)
	for i := range p.Citations {
		p.Citations[i].Seq = i
	}
	k.adopt(storage.End{Post: &p})
}

func (k *kept) adopt(e storage.End) {
	k.t.Helper()
	k.made++
	e.Task = storage.Task{Host: "h", Run: 1, ID: int64(k.made), URL: "http://h/"}
	k.check(k.db.Adopt(k.t.Context(), []storage.End{e}))
}

// purge takes all that stands in a segment out of the archive.
func (k *kept) purge(segment string) {
	k.t.Helper()
	ctx := k.t.Context()
	rows, err := k.db.SegmentRows(ctx, segment)
	k.check(err)
	lock, err := k.db.Lock(ctx, storage.PurgeLock, "test", time.Minute)
	k.check(err)
	k.check(k.db.Swap(ctx, &storage.Swap{Lock: lock, Old: []storage.SegmentRows{rows}, Gone: rows.Posts, Audit: storage.Audit{ID: segment, At: day}}))
	k.check(k.db.Unlock(ctx, storage.PurgeLock, lock))
}

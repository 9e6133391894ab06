package pack_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"linkstead/archive/access"
	"linkstead/archive/guard"
	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/pack"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
	"linkstead/storage/storagetest"
)

const collection = "main"

// day is when captures of the tests were made.
var day = time.Date(2020, 5, 17, 10, 20, 30, 123_456_000, time.UTC)

// world is a small archive of real segments and rows.
type world struct {
	t       testing.TB
	dir     string
	db      *storage.DB
	blobs   *storage.Dir
	journal *warc.Journal
	clock   *storagetest.Clock
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), clock: storagetest.NewClock()}
	w.clock.Advance(day.Add(time.Hour).Sub(w.clock.Now()))
	var err error
	w.db, err = storage.OpenDB(t.Context(), "sqlite:"+filepath.Join(w.dir, "linkstead.db"), storage.DBOptions{Now: w.clock.Now})
	must(t, err)
	spool, err := storage.HoldSpool(filepath.Join(w.dir, "spool"), storage.OS{})
	must(t, err)
	w.blobs, err = storage.OpenDir(filepath.Join(w.dir, "blobs"), storage.OS{})
	must(t, err)
	w.journal = warc.NewJournal(warc.JournalParts{
		Rows: w.db, Segments: w.db, Blobs: w.blobs, Spool: spool, Composer: &warc.Composer{Dir: w.dir, Memory: 1 << 20},
		MaxSize: 1 << 30, MaxAge: time.Hour, Window: time.Millisecond, Now: w.clock.Now, Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(func() {
		must(t, w.journal.Close(context.Background()))
		must(t, spool.Close())
		must(t, w.db.Close())
	})
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// exchange is what is to be recorded.
type exchange struct {
	url, mime, body string
	request         string // "": a GET
	at              time.Time
}

// add records an exchange, and waits until it is acknowledged.
func (w *world) add(x exchange) {
	w.t.Helper()
	first := storage.Task{Host: urlkey.Host(x.url), ID: urlkey.ID(x.url), URL: x.url, Kind: "page", Due: 1}
	_, err := w.db.StartRun(w.t.Context(), storage.Run{Collection: collection, Source: x.url, Started: w.clock.Now()}, nil, []storage.Task{first})
	must(w.t, err)
	w.clock.Advance(time.Minute)
	leases, err := w.db.Claim(w.t.Context(), "test", 1, 1, time.Second)
	must(w.t, err)
	if len(leases) != 1 || len(leases[0].Tasks) != 1 {
		w.t.Fatalf("no lease for %s: %+v", x.url, leases)
	}
	task, token := leases[0].Tasks[0], leases[0].Token
	raw := []byte(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Type: %s\r\n\r\n%s", len(x.body), x.mime, x.body))
	head, err := httpmsg.ParseHead(raw)
	must(w.t, err)
	spill := storage.NewSpill(w.dir, 1<<20)
	_, err = spill.Write(raw)
	must(w.t, err)
	if x.at.IsZero() {
		x.at = day
	}
	ex := &warc.Exchange{
		URL: x.url, Method: http.MethodGet, At: x.at, Request: []byte("GET / HTTP/1.1\r\n\r\n"), Response: spill, Head: head,
		Payload: warc.Payload{Size: int64(len(x.body)), SHA256: sha256.Sum256([]byte(x.body))}, Outcome: outcome.Captured,
	}
	if x.request != "" {
		ex.Method, _, _ = strings.Cut(x.request, " ")
		ex.Request = []byte(x.request)
	}
	e := &warc.Entry{Collection: collection, Exchange: ex, Meta: warc.Meta{Token: token, Mime: head.Mime()}, Task: task}
	e.Meta.Run, e.Meta.Host, e.Meta.Task, e.Meta.Kind, e.Meta.Attempt = task.Run, task.Host, task.ID, "page", 1
	done := make(chan error, 1)
	must(w.t, w.journal.Append(w.t.Context(), e, func(held bool, err error) {
		if err == nil && !held {
			err = fmt.Errorf("it does not count")
		}
		done <- err
	}))
	must(w.t, <-done)
	must(w.t, w.db.Release(w.t.Context(), []storage.Lease{{Host: task.Host, Token: token}}, time.Time{}))
}

// imports takes in a WARC file, in place or not, as the program does.
func (w *world) imports(name string, inPlace bool) warc.ImportReport {
	w.t.Helper()
	f, err := os.Open(name)
	must(w.t, err)
	defer f.Close()
	st, err := f.Stat()
	must(w.t, err)
	file := pack.File{Name: name, Location: "file:" + name, R: f, Size: st.Size()}
	temp := w.t.TempDir()
	srcs, err := file.Sources(temp, inPlace)
	must(w.t, err)
	defer srcs.Close()
	var rep warc.ImportReport
	for _, src := range srcs.List {
		src.Collection, src.InPlace = collection, inPlace
		im := &warc.Importer{Rows: w.db, Blobs: w.blobs, Temp: temp, Now: w.clock.Now, MaxSize: 1 << 30}
		rep, err = im.Import(w.t.Context(), src)
		must(w.t, err)
	}
	return rep
}

// exporter is one as a reader's: under the rules that hold.
func (w *world) exporter() *pack.Exporter {
	w.t.Helper()
	must(w.t, w.journal.FlushAll(w.t.Context()))
	readers := &guard.Guard{Rows: w.db, Rules: w.db, Now: w.clock.Now, Fresh: time.Nanosecond}
	open := func(ctx context.Context, s storage.Segment) (io.ReaderAt, io.Closer, error) {
		if path, ok := strings.CutPrefix(s.Location, "file:"); ok {
			f, err := os.Open(path)
			return f, f, err
		}
		return storage.NewReaderAt(ctx, w.blobs, s.Location, s.Size), io.NopCloser(nil), nil
	}
	return &pack.Exporter{
		Collection: collection, Rows: readers, Segments: w.db, Library: &warc.Library{Shelves: w.db, Blobs: w.blobs, Spool: filepath.Join(w.dir, "spool")},
		Open: open, Temp: w.t.TempDir(), Info: warc.Info{Software: "test"}, Now: w.clock.Now,
	}
}

// all selects what readers may see of the collection.
func (w *world) all() pack.Selection {
	w.t.Helper()
	sel := pack.Selection{}
	readers := &guard.Guard{Rows: w.db, Rules: w.db, Now: w.clock.Now, Fresh: time.Nanosecond}
	for c, err := range readers.CapturesIn(w.t.Context(), storage.KeySpan{Collection: collection}, storage.Place{}, false) {
		must(w.t, err)
		sel.Add(c.Segment, c.Offset)
	}
	return sel
}

// hide makes an address private.
func (w *world) hide(url string) {
	w.t.Helper()
	change := access.Change{ID: "1", At: w.clock.Now(), Sets: true, Reason: "test", Rule: access.Rule{
		ID: "r", Collection: collection, Pattern: url, Effect: access.Private, Hidden: true, Reason: "test", Since: w.clock.Now(),
	}}
	raw, err := change.Encode()
	must(w.t, err)
	must(w.t, w.db.ChangeAccess(w.t.Context(), collection, func([]storage.AccessChange) ([]storage.AccessChange, error) {
		return []storage.AccessChange{{ID: change.ID, Collection: collection, Rule: "r", At: change.At, Sets: true, Change: raw}}, nil
	}))
}

// wacz exports all of it, and opens it.
func (w *world) wacz(p pack.Package) []byte {
	w.t.Helper()
	var out bytes.Buffer
	_, err := w.exporter().WACZ(w.t.Context(), &out, p, w.all())
	must(w.t, err)
	return out.Bytes()
}

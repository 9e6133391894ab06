package replay_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/replay"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
	"linkstead/storage/storagetest"
)

const (
	testOrigin = "http://replay.localhost:8081"
	testPages  = "http://127.0.0.1:8080"
	collection = "main"
)

// day is when most captures of the tests were made.
var day = time.Date(2020, 5, 17, 10, 20, 30, 0, time.UTC)

// testArchive is a small archive of real segments and rows.
type testArchive struct {
	t       testing.TB
	db      *storage.DB
	journal *warc.Journal
	dir     string
	clock   *storagetest.Clock
	handler *replay.Handler
	log     *bytes.Buffer
}

func newArchive(t testing.TB) *testArchive {
	t.Helper()
	a := &testArchive{t: t, dir: t.TempDir(), clock: storagetest.NewClock(), log: &bytes.Buffer{}}
	a.clock.Advance(day.Add(time.Hour).Sub(a.clock.Now()))
	now := a.clock.Now
	var err error
	a.db, err = storage.OpenDB(t.Context(), "sqlite:"+filepath.Join(a.dir, "linkstead.db"), storage.DBOptions{Now: now})
	must(t, err)
	spool, err := storage.HoldSpool(filepath.Join(a.dir, "spool"), storage.OS{})
	must(t, err)
	blobs, err := storage.OpenDir(filepath.Join(a.dir, "blobs"), storage.OS{})
	must(t, err)
	log := slog.New(slog.NewTextHandler(a.log, nil))
	a.journal = warc.NewJournal(warc.JournalParts{
		Rows: a.db, Segments: a.db, Shelves: a.db, Blobs: blobs, Spool: spool, Composer: &warc.Composer{Dir: a.dir, Memory: 1 << 20},
		MaxSize: 1 << 30, MaxAge: time.Hour, Window: time.Millisecond, Now: now, Log: log,
	})
	t.Cleanup(func() {
		must(t, a.journal.Close(context.Background()))
		must(t, spool.Close())
		must(t, a.db.Close())
	})
	a.handler = &replay.Handler{
		Index: a.db, Library: &warc.Library{Shelves: a.db, Blobs: blobs, Spool: filepath.Join(a.dir, "spool")},
		Collection: collection, Origin: testOrigin, Mode: replay.PerSite, Pages: testPages, Now: now, Log: log,
	}
	return a
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// task starts a run of one task and leases its host.
func (a *testArchive) task(url string) (storage.Task, int64) {
	a.t.Helper()
	host := urlkey.Host(url)
	if host == "" {
		host = "document"
	}
	first := storage.Task{Host: host, ID: urlkey.ID(url), URL: url, Kind: "page", Due: 1}
	_, err := a.db.StartRun(a.t.Context(), storage.Run{Collection: collection, Source: url, Started: a.clock.Now()}, nil, []storage.Task{first})
	must(a.t, err)
	a.clock.Advance(time.Minute)
	leases, err := a.db.Claim(a.t.Context(), "test", 1, 1, time.Second)
	must(a.t, err)
	if len(leases) != 1 || len(leases[0].Tasks) != 1 {
		a.t.Fatalf("no lease for %s: %+v", url, leases)
	}
	return leases[0].Tasks[0], leases[0].Token
}

// add records an entry and waits until it is acknowledged.
func (a *testArchive) add(e *warc.Entry) {
	a.t.Helper()
	e.Collection = collection
	e.Meta.Run, e.Meta.Host, e.Meta.Task, e.Meta.Kind, e.Meta.Attempt = e.Task.Run, e.Task.Host, e.Task.ID, "page", 1
	type end struct {
		held bool
		err  error
	}
	done := make(chan end, 1)
	must(a.t, a.journal.Append(a.t.Context(), e, func(held bool, err error) { done <- end{held, err} }))
	if got := <-done; got.err != nil || !got.held {
		a.t.Fatalf("the entry does not count: %+v", got)
	}
	must(a.t, a.db.Release(a.t.Context(), []storage.Lease{{Host: e.Task.Host, Token: e.Meta.Token}}, time.Time{}))
}

// capture is one response to be recorded: the message as it came.
type capture struct {
	url       string
	at        time.Time
	response  string
	truncated string
	payload   string // what its digest is of; "": its own
	request   string // that was answered; "": a GET
	anew      bool   // kept in full, though an equal one is there
}

func (a *testArchive) capture(c capture) {
	a.t.Helper()
	if c.anew { // within a segment, none is
		must(a.t, a.journal.FlushAll(a.t.Context()))
	}
	task, token := a.task(c.url)
	if c.at.IsZero() {
		c.at = day
	}
	raw := []byte(c.response)
	head, err := httpmsg.ParseHead(raw)
	must(a.t, err)
	spill := storage.NewSpill(a.dir, 1<<20)
	_, err = spill.Write(raw)
	must(a.t, err)
	payload, _ := io.ReadAll(httpmsg.Body(head, "", bytes.NewReader(raw[head.Len:])))
	if c.payload != "" {
		payload = []byte(c.payload)
	}
	ex := &warc.Exchange{
		URL: c.url, Method: "GET", At: c.at, Request: []byte("GET / HTTP/1.1\r\n\r\n"), Response: spill, Head: head,
		Payload:   warc.Payload{Size: int64(len(payload)), SHA256: sha256.Sum256(payload)},
		Truncated: c.truncated, Outcome: outcome.Captured,
	}
	if c.request != "" {
		ex.Method, _, _ = strings.Cut(c.request, " ")
		ex.Request = []byte(c.request)
	}
	meta := warc.Meta{Token: token, Mime: head.Mime()}
	if loc := head.Get("Location"); loc != "" {
		meta.Redirect, err = urlkey.Parse(c.url, loc)
		must(a.t, err)
	}
	a.add(&warc.Entry{Exchange: ex, Meta: meta, Task: task, Anew: c.anew})
}

// page records a 200 with a body.
func (a *testArchive) page(url, mime, body string, fields ...string) {
	a.t.Helper()
	a.capture(capture{url: url, response: message(200, mime, body, fields...)})
}

func message(status int, mime, body string, fields ...string) string {
	head := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Length: %d\r\n", status, http.StatusText(status), len(body))
	if mime != "" {
		head += "Content-Type: " + mime + "\r\n"
	}
	for _, f := range fields {
		head += f + "\r\n"
	}
	return head + "\r\n" + body
}

// failure records an attempt that yielded nothing.
func (a *testArchive) failure(url string, at time.Time, o outcome.Outcome, detail string) {
	a.t.Helper()
	task, token := a.task(url)
	ex := &warc.Exchange{URL: url, Method: "GET", At: at, Outcome: o, Detail: detail}
	a.add(&warc.Entry{Exchange: ex, Meta: warc.Meta{Token: token}, Task: task})
}

// document records one that was handed in.
func (a *testArchive) document(url, mime, body string) {
	a.t.Helper()
	task, token := a.task(url)
	a.add(&warc.Entry{Resource: &warc.Resource{URL: url, Mime: mime, At: day, Body: []byte(body)}, Meta: warc.Meta{Token: token}, Task: task})
}

// answer is what a request got.
type answer struct {
	*http.Response
	body string
}

// get asks the handler for a target exactly as it is spelled. Fields are "Name: value"; "HEAD" and the like set the
// method.
func (a *testArchive) get(target string, fields ...string) answer {
	a.t.Helper()
	r := httptest.NewRequest(http.MethodGet, testOrigin+"/", nil)
	r.RequestURI, r.Host = target, strings.TrimPrefix(testOrigin, "http://")
	for _, f := range fields {
		name, value, ok := strings.Cut(f, ": ")
		switch {
		case !ok:
			r.Method = f
		case name == "Host":
			r.Host = value
		default:
			r.Header.Add(name, value)
		}
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	res := w.Result()
	body, err := io.ReadAll(res.Body)
	must(a.t, err)
	if n := res.Header.Get("Content-Length"); n != "" && r.Method == http.MethodGet && res.StatusCode != http.StatusNotModified {
		if n != strconv.Itoa(len(body)) {
			a.t.Errorf("%s: Content-Length %s, %d bytes", target, n, len(body))
		}
	}
	return answer{res, string(body)}
}

func zipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return b.String()
}

// file reads a file of testdata.
func file(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	must(t, err)
	return string(b)
}

package warc

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"linkstead/archive/outcome"
	"linkstead/storage"
)

// tables are the rows that a rebuild must make anew: all columns that segments tell. A run's state and counters,
// which node wrote a segment, and in which one that is not stored a task's last try stands, are not among them.
var tables = map[string]string{
	"segments":  `SELECT id, collection, location, state, committed, size, sha256, created FROM segments`,
	"captures":  `SELECT * FROM captures`,
	"attempts":  `SELECT * FROM attempts`,
	"posts":     `SELECT * FROM posts`,
	"ledger":    `SELECT * FROM ledger`,
	"citations": `SELECT * FROM citations`,
	"scars":     `SELECT * FROM scars`,
	"runs":      `SELECT id, collection, source, spec, started FROM runs`,
	"tasks":     `SELECT host, run, id, url, kind, depth, hops, via, due_at, attempts, outcome, status, version FROM tasks`,
}

// dump brings every row that matters as text.
func (w *world) dump() map[string][]string {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, "linkstead.db")+"?_pragma=busy_timeout(5000)")
	must(w.t, err)
	defer db.Close()
	out := map[string][]string{}
	for table, query := range tables {
		out[table] = rowsOf(w.t, db, query)
	}
	return out
}

// query brings the rows of one query as text.
func (w *world) query(query string) []string {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, "linkstead.db")+"?_pragma=busy_timeout(5000)")
	must(w.t, err)
	defer db.Close()
	return rowsOf(w.t, db, query)
}

// rowsOf brings the rows of a query as text, in an order that does not depend on when they were written.
func rowsOf(t testing.TB, db *sql.DB, query string) (out []string) {
	t.Helper()
	rows, err := db.Query(query)
	must(t, err)
	defer rows.Close()
	cols, err := rows.Columns()
	must(t, err)
	for rows.Next() {
		vals, into := make([]any, len(cols)), make([]any, len(cols))
		for i := range vals {
			into[i] = &vals[i]
		}
		must(t, rows.Scan(into...))
		var sb strings.Builder
		for i, c := range cols {
			fmt.Fprintf(&sb, "%s=%v ", c, vals[i])
		}
		out = append(out, sb.String())
	}
	must(t, rows.Err())
	slices.Sort(out)
	return out
}

// same compares two dumps.
func same(t testing.TB, got, want map[string][]string) {
	t.Helper()
	for table := range want {
		for _, row := range want[table] {
			if !slices.Contains(got[table], row) {
				t.Errorf("%s lacks  %s", table, row)
			}
		}
		for _, row := range got[table] {
			if !slices.Contains(want[table], row) {
				t.Errorf("%s has also %s", table, row)
			}
		}
	}
}

// rebuild deletes the database and makes it anew.
func (w *world) rebuild() Rebuilt {
	w.t.Helper()
	must(w.t, w.stop())
	for _, suffix := range []string{"", "-wal", "-shm"} {
		must(w.t, os.RemoveAll(filepath.Join(w.dir, "linkstead.db"+suffix)))
	}
	empty, err := emptyDB()
	must(w.t, err)
	must(w.t, os.WriteFile(filepath.Join(w.dir, "linkstead.db"), empty, 0o644))
	must(w.t, w.start())
	return w.rebuildOver()
}

// rebuildOver rebuilds into the database as it is.
func (w *world) rebuildOver() Rebuilt {
	w.t.Helper()
	b := &Rebuilder{Rows: w.db, Blobs: w.blobs, Store: w.blobs, Spool: w.spool, Temp: w.spool.Temp()}
	done, err := b.Rebuild(context.Background())
	must(w.t, err)
	must(w.t, done.DropSpooled(w.spool))
	return done
}

// full is an archive with something of everything: two collections, posts, citations, failures, retries, fenced
// exchanges, truncated and handed-in documents, revisits within and across segments, and tasks that are still open.
func full(t *testing.T) (w *world, run, other storage.Run) {
	t.Helper()
	w = newWorld(t, nil, nil)
	run, other = w.run("default", "http://a.test/post", "http://gone.test/", "http://slow.test/", "http://late.test/", "http://cut.test/"),
		w.run("other", "http://a.test/post", "http://doc.test/x")
	link := func(u, kind string, hop byte, due int64) Outlink {
		return Outlink{URL: u, Hop: hop, Context: "a/@href", Kind: kind, Depth: 1, Due: due}
	}
	post := w.entry(run, "http://a.test/post", "HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Type: Text/HTML; charset=x\r\nContent-Length: 4\r\n\r\npost")
	post.Meta.Redirect = "http://a.test/"
	post.Meta.Outlinks = []Outlink{link("http://b.test/1", "page", 'L', 200), link("http://b.test/2", "page", 'L', 201),
		link("http://a.test/style.css", "requisite", 'E', 5), {URL: "http://no.test/", Hop: 'L', Context: "a/@href"}}
	post.New = post.Meta.Tasks(post.Task.URL)
	post.Post = &storage.Post{ID: "p1", Run: run.ID, Collection: "default", Source: "http://a.test/post", URL: "http://a.test/post",
		Title: "Ünï <b> & \"x\"", Dated: "2020-01", At: w.clock.Now().Add(time.Microsecond), Citations: []storage.Citation{
			{Seq: 0, URL: "http://b.test/1", Raw: "//b.test/1#f", Text: "a\nb", Context: "So & so.", Start: 3, End: 9, Where: "content", Page: 7,
				Selector: "text=So-,a%2C%20b", Quotation: "Sö\nit “is”", Dated: "2019-12-31", Entry: "<1>", Alternatives: "http://b.test/3\nhttp://b.test/4"},
			{Seq: 1, URL: "http://b.test/2", Start: 10, End: 12, Where: "outbound", LeftOut: "share", Of: "http://web.archive.org/x"}}}
	w.add(post)
	gone := w.entry(run, "http://gone.test/", "")
	gone.Exchange.Outcome, gone.Exchange.Detail, gone.Exchange.Request, gone.Exchange.Response = outcome.DNS, "no such host: \x00\\ gone", nil, nil
	w.add(gone)
	slow := w.entry(run, "http://slow.test/", "")
	slow.Exchange.Outcome, slow.Exchange.Response, slow.Meta.Retry = outcome.Timeout, nil, w.clock.Now().UnixMilli()
	w.add(slow)
	w.clock.Advance(1500 * time.Microsecond)
	late := w.entry(run, "http://late.test/", okResponse("late"))
	late.Meta.Token++
	late.Meta.Outlinks = []Outlink{link("http://never.test/", "page", 'L', 9)}
	late.New = late.Meta.Tasks(late.Task.URL)
	wait, err := w.append(late)
	must(t, err)
	if held, err := wait(); held || err != nil {
		t.Fatalf("a lost lease: %v, %v", held, err)
	}
	w.flush()
	w.clock.Advance(time.Second)
	slow = w.entry(run, "http://slow.test/", "") // the second try, which is followed by a third
	slow.Exchange.Outcome, slow.Exchange.Response = outcome.Reset, nil
	slow.Meta.Attempt, slow.Meta.Retry = 2, w.clock.Now().UnixMilli()+9000
	w.add(slow)
	w.lease()
	b := w.entry(run, "http://b.test/1", okResponse("post"))
	b.Task.Due, b.Task.Depth, b.Task.Hops, b.Task.Via = 200, 1, "L", "http://a.test/post"
	b.Meta.Depth, b.Meta.Hops, b.Meta.Via = 1, "L", "http://a.test/post"
	b.Meta.Outlinks = []Outlink{link("http://b.test/2", "page", 'L', 77)} // known already, by another way
	b.New = b.Meta.Tasks(b.Task.URL)
	w.add(b)
	cut := w.entry(run, "http://cut.test/", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npost")
	cut.Exchange.Outcome, cut.Exchange.Truncated = outcome.CutShort, "disconnect"
	w.add(cut)
	w.page(other, "http://a.test/post", "post")
	doc := w.entry(other, "http://doc.test/x", "")
	doc.Exchange, doc.Resource = nil, &Resource{URL: "http://doc.test/x", Mime: "Text/Markdown; charset=utf-8", At: w.clock.Now(), Body: []byte("# hi")}
	w.add(doc)
	w.flush()
	return w, run, other
}

func TestRebuild(t *testing.T) {
	w, run, _ := full(t)
	want := w.dump()
	if done := w.rebuild(); done.Segments != 3 || done.Exchanges != 8 || len(done.Damaged) > 0 {
		t.Errorf("rebuilt %+v", done)
	}
	// A task of which no segment tells: its one exchange did not count.
	want["tasks"] = slices.DeleteFunc(want["tasks"], func(row string) bool { return strings.Contains(row, "http://late.test/") })
	same(t, w.dump(), want)
	w.rebuildOver()
	same(t, w.dump(), want)
	w.reads(w.capture("default", "http://b.test/1"), "post")

	// What was still open goes on.
	if open, err := w.db.Open(t.Context(), run.ID); !open || err != nil {
		t.Errorf("nothing of the run is open: %v", err)
	}
	w.lease()
	w.page(run, "http://b.test/2", "post")
	w.settled()
}

// TestRebuildSpool: segments that a stopped process left in the spool are taken in, without their torn ends.
func TestRebuildSpool(t *testing.T) {
	w := newWorld(t, nil, nil)
	u := urls(4, 4)
	r := w.run("default", u...)
	w.page(r, u[0], "stored")
	w.flush()
	w.clock.Advance(time.Millisecond)
	c := w.page(r, u[1], "in the spool")
	w.page(r, u[2], "stored")
	want := w.dump()
	must(t, w.stop())
	spool := filepath.Join(w.dir, "spool")
	name := filepath.Join(spool, c.Segment+segmentSuffix)
	whole, err := os.ReadFile(name)
	must(t, err)
	must(t, errors.Join(
		os.WriteFile(name, append(slices.Clip(whole), whole[:300]...), 0o644),                          // torn
		os.WriteFile(filepath.Join(spool, "default-empty.warc.gz"), nil, 0o644),                        // just begun
		os.WriteFile(filepath.Join(spool, "default-torn.warc.gz"), whole[:40], 0o644),                  // its warcinfo is torn
		os.WriteFile(filepath.Join(spool, "default-foreign.warc.gz"), []byte("no gzip at all"), 0o644), // not ours
	))
	done := w.rebuild()
	if !slices.Equal(done.Foreign, []string{"default-foreign"}) || done.Segments != 2 || done.Exchanges != 3 {
		t.Errorf("rebuilt %+v", done)
	}
	if left := w.spooled(); len(left) != 1 || filepath.Base(left[0]) != "default-foreign.warc.gz" {
		t.Errorf("the spool holds %v", left)
	}
	got := w.dump()
	for _, rows := range []map[string][]string{got, want} {
		delete(rows, "segments") // one was open
		rows["tasks"] = slices.DeleteFunc(rows["tasks"], func(row string) bool { return strings.Contains(row, u[3]) })
	}
	same(t, got, want)
	if s := w.segment(c.Segment); s.State != storage.SegmentStored || s.Size != int64(len(whole)) {
		t.Errorf("segment %+v", s)
	}
	for url, body := range map[string]string{u[0]: "stored", u[1]: "in the spool", u[2]: "stored"} {
		w.reads(w.capture("default", url), body)
	}
	must(t, os.Remove(filepath.Join(spool, "default-foreign.warc.gz")))
	w.settled()
}

// TestRebuildStopped: after a rebuild that never came to put its rows in place, the old rows hold, and the work goes on.
func TestRebuildStopped(t *testing.T) {
	w := newWorld(t, nil, nil)
	u := urls(4, 4)
	r := w.run("default", u...)
	w.page(r, u[0], "stored")
	w.flush()
	w.clock.Advance(time.Millisecond)
	w.page(r, u[1], "in the spool")
	open := w.page(r, u[2], "stored").RefersTo
	must(t, w.stop())
	must(t, w.start())
	w.page(r, u[3], "in the spool, later")
	db, err := storage.OpenDB(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "new.db"), storage.DBOptions{})
	must(t, err)
	must(t, w.stop())
	must(t, w.start())
	b := &Rebuilder{Rows: db, Blobs: w.blobs, Store: w.blobs, Spool: w.spool, Temp: w.spool.Temp()}
	_, err = b.Rebuild(t.Context())
	must(t, errors.Join(err, db.Close()))
	w.again()
	for url, body := range map[string]string{u[0]: "stored", u[1]: "in the spool", u[2]: "stored", u[3]: "in the spool, later"} {
		w.reads(w.capture("default", url), body)
	}
	if open == "" {
		t.Error("no revisit was among them")
	}
	w.settled()
}

// TestRebuildOrder: tries of a task that lie in segments which are read in the wrong order end as they did.
func TestRebuildOrder(t *testing.T) {
	w := newWorld(t, nil, nil)
	r := w.run("default", "http://slow.test/")
	for try := 1; try <= 4; try++ {
		e := w.entry(r, "http://slow.test/", "")
		e.Exchange.Outcome, e.Exchange.Response = outcome.Timeout, nil
		e.Meta.Attempt, e.Meta.Retry = try, w.clock.Now().UnixMilli()-int64(try) // so that it is due again at once
		w.add(e)
		w.flush() // all in the same millisecond: only chance orders their names
	}
	want := w.dump()
	w.rebuild()
	same(t, w.dump(), want)
}

// TestRebuildFencedOriginal: revisits of a payload whose own exchange was fenced can be read, before and after.
func TestRebuildFencedOriginal(t *testing.T) {
	w := newWorld(t, nil, func(p *JournalParts) { p.Window = 100 * time.Millisecond })
	u := urls(3, 3)
	r := w.run("default", u...)
	late := w.entry(r, u[0], okResponse("same"))
	late.Meta.Token++
	lost, err := w.append(late)
	must(t, err)
	held, err := w.append(w.entry(r, u[1], okResponse("same"))) // before anybody knows
	must(t, err)
	if ok, err := lost(); ok || err != nil {
		t.Errorf("a lost lease: %v, %v", ok, err)
	}
	if ok, err := held(); !ok || err != nil {
		t.Errorf("a lease that is held: %v, %v", ok, err)
	}
	if c := w.page(r, u[2], "same"); c.Kind != KindResponse {
		t.Errorf("a payload that does not count is referred to: %+v", c)
	}
	check := func() {
		t.Helper()
		if n := len(w.captures("default", u[0])); n != 0 {
			t.Errorf("%d captures of the exchange that was fenced", n)
		}
		if c := w.capture("default", u[1]); c.Kind != KindRevisit {
			t.Errorf("%+v", c)
		}
		w.reads(w.capture("default", u[1]), "same")
		w.reads(w.capture("default", u[2]), "same")
	}
	check()
	w.settled()
	check()
	w.rebuild()
	check()
	if live := w.unvoided(); !maps.Equal(live, map[string]int{u[1]: 1, u[2]: 1}) {
		t.Errorf("the segment counts %v", live)
	}
}

// TestRebuildKnew: a stored segment was whole, so that one that is cut, gone or another's is told of; what a database knows
// of it tells even where the bytes that are left read well.
func TestRebuildKnew(t *testing.T) {
	w := newWorld(t, nil, nil)
	u := urls(3, 3)
	r := w.run("default", u...)
	var at []string
	knew := map[string]storage.Segment{}
	for _, url := range u {
		w.clock.Advance(time.Millisecond)
		c := w.page(r, url, "page "+url)
		w.flush()
		g := w.segment(c.Segment)
		knew[g.ID] = g
		at = append(at, filepath.Join(w.dir, "blobs", g.Location))
		must(t, os.Chmod(at[len(at)-1], 0o644))
	}
	w.settled()
	again := func() Rebuilt {
		b := &Rebuilder{Rows: w.db, Blobs: w.blobs, Store: w.blobs, Spool: w.spool, Temp: w.spool.Temp(), Knew: knew}
		done, err := b.Rebuild(t.Context())
		must(t, err)
		must(t, done.DropSpooled(w.spool))
		return done
	}
	if done := again(); len(done.Damaged)+len(done.Differ) > 0 {
		t.Errorf("nothing is wrong: %+v", done)
	}
	first, err := os.ReadFile(at[0])
	must(t, err)
	must(t, os.WriteFile(at[0], first[:len(first)-10], 0o644)) // torn within its last record
	second, err := os.ReadFile(at[1])
	must(t, err)
	must(t, os.WriteFile(at[1], slices.Concat(second, first[:memberEnd(t, first)]), 0o644)) // a record too many, and whole
	must(t, os.Remove(at[2]))
	done := again()
	if len(done.Damaged) != 1 || !strings.HasPrefix(done.Damaged[0], segmentID(at[0])) {
		t.Errorf("damaged: %v, want the one that is torn", done.Damaged)
	}
	if len(done.Differ) != 3 {
		t.Errorf("not as stored: %v, want all three", done.Differ)
	}
	knew = nil
	if done := again(); len(done.Damaged) != 1 || len(done.Differ) > 0 {
		t.Errorf("without a database that knew: %+v", done)
	}
}

// memberEnd is the length of a file's first member.
func memberEnd(t *testing.T, b []byte) int64 {
	t.Helper()
	rec, err := ReadMember(bytes.NewReader(b))
	must(t, err)
	must(t, rec.Finish())
	return rec.Length()
}

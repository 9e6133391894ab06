package warc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// purger is one of the world's, on the store that it is given.
func (w *world) purger(blobs PurgeStore) *Purger {
	return &Purger{
		Index: w.db, Tasks: w.db, Rows: w.db, Locks: w.db, Blobs: blobs, Composer: w.parts.Composer, Info: w.parts.Info,
		Collection: w.db.Collection, FS: w.fs, Dir: filepath.Join(w.dir, "spool", "purge"), Node: "test", Wait: time.Second,
		Now: w.clock.Now, Log: w.parts.Log,
	}
}

// order purges captures for a reason.
func order(cs ...storage.Capture) PurgeOrder {
	o := PurgeOrder{Spots: map[string][]int64{}, Reason: "a test", By: "a tester"}
	for _, c := range cs {
		o.Spots[c.Segment] = append(o.Spots[c.Segment], c.Offset)
	}
	return o
}

func (w *world) purge(cs ...storage.Capture) Purged {
	w.t.Helper()
	done, err := w.purger(w.blobs).Purge(context.Background(), order(cs...))
	must(w.t, err)
	return done
}

// everything brings all captures of a collection.
func (w *world) everything(collection string) (out []storage.Capture) {
	w.t.Helper()
	ss, err := w.db.Segments(context.Background())
	must(w.t, err)
	for _, s := range ss {
		if s.Collection != collection {
			continue
		}
		for c, err := range w.db.SegmentCaptures(context.Background(), s.ID) {
			must(w.t, err)
			out = append(out, c)
		}
	}
	return out
}

// purgeTables are the rows that a rebuild after a purge must make anew, beside those of every rebuild.
func (w *world) purgeDump() map[string][]string {
	out := w.dump()
	for table, query := range map[string]string{
		"voided": `SELECT * FROM voided`, "audit": `SELECT * FROM audit`, "collections": `SELECT * FROM collections`,
	} {
		out[table] = w.query(query)
	}
	out["tasks"] = slices.DeleteFunc(out["tasks"], func(row string) bool { return !strings.Contains(row, fmt.Sprint(storage.Never)) })
	return out
}

// contents are the bytes of all segments in the store, decompressed. Each must pass a strict read.
func (w *world) contents() []byte {
	w.t.Helper()
	var all bytes.Buffer
	for _, name := range w.published() {
		faults, err := StrictRead(name)
		must(w.t, err)
		if len(faults) > 0 {
			w.t.Errorf("%s: %v", name, faults)
		}
		f, err := os.Open(name)
		must(w.t, err)
		for rec, err := range Scan(f, 0) {
			must(w.t, err)
			for _, h := range rec.Header.Fields {
				fmt.Fprintf(&all, "%s: %s\r\n", h.Name, h.Value)
			}
			_, err = io.Copy(&all, rec.Block)
			must(w.t, err)
		}
		must(w.t, f.Close())
	}
	return all.Bytes()
}

// clean checks that a purge has left nothing lying about.
func (w *world) clean() {
	w.t.Helper()
	doomed, err := w.db.Doomed(context.Background())
	must(w.t, err)
	if len(doomed) > 0 {
		w.t.Errorf("blobs are still doomed: %v", doomed)
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, "spool", "purge", "*")); len(left) > 0 {
		w.t.Errorf("files of the purge are left: %v", left)
	}
	ss, err := w.db.Segments(context.Background())
	must(w.t, err)
	var want, got []string
	for _, s := range ss {
		want = append(want, filepath.Join(w.dir, "blobs", s.Location))
	}
	got = w.published()
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		w.t.Errorf("the store holds %v, rows name %v", got, want)
	}
}

// model is an archive whose captures are known by heart.
type model struct {
	*world
	rng    *rand.Rand
	bodies []string
	want   map[string]string // payloads, by record id
	of     map[string]string // collections, by record id
	voided map[string]bool   // payloads that stand in voided exchanges
}

func newModel(t *testing.T, seed uint64) *model {
	w := newWorld(t, nil, nil)
	m := &model{world: w, rng: rand.New(rand.NewPCG(seed, 1)), want: map[string]string{}, of: map[string]string{}}
	for i := range 6 {
		m.bodies = append(m.bodies, fmt.Sprintf("<%d %s>", i, noise(40+i*3000)))
	}
	return m
}

// fill makes runs with random payloads, equal ones among them, in some segments.
func (m *model) fill(runs int) {
	m.t.Helper()
	for i := range runs {
		collection := []string{"one", "two"}[i%2]
		u := urls(8, 4)
		r := m.run(collection, u...)
		for _, url := range u {
			body := m.bodies[m.rng.IntN(len(m.bodies))]
			e := m.entry(r, url, okResponse(body))
			switch m.rng.IntN(4) {
			case 0:
				e = m.entry(r, url, fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", body[:5], len(body)-5, body[5:]))
			case 1:
				if m.rng.IntN(3) == 0 {
					m.late(e)
				}
			}
			m.add(e)
			m.clock.Advance(time.Duration(1+m.rng.IntN(900)) * time.Microsecond)
			if m.rng.IntN(5) == 0 {
				m.flush()
			}
		}
		for _, c := range m.everything(collection) {
			if _, known := m.want[c.RecordID]; !known {
				body, err := m.payload(c)
				must(m.t, err)
				m.want[c.RecordID], m.of[c.RecordID] = body, collection
			}
		}
	}
	m.flush()
}

// late appends the exchange of somebody who has lost the lease.
func (m *model) late(e *Entry) {
	m.t.Helper()
	l := *e
	l.Meta.Token++
	wait, err := m.append(&l)
	must(m.t, err)
	if held, err := wait(); held || err != nil {
		m.t.Fatalf("a lost lease: %v, %v", held, err)
	}
}

// holds checks every capture against what is known by heart.
func (m *model) holds() {
	m.t.Helper()
	seen := map[string]bool{}
	for _, collection := range []string{"one", "two"} {
		for _, c := range m.everything(collection) {
			seen[c.RecordID] = true
			if m.of[c.RecordID] != collection {
				m.t.Errorf("%s is in %s", c.RecordID, collection)
			}
			m.reads(c, m.want[c.RecordID])
		}
	}
	for id := range m.want {
		if !seen[id] {
			m.t.Errorf("%s is gone", id)
		}
	}
	m.clean()
	all := m.contents()
	for i, body := range m.bodies {
		used := false
		for _, b := range m.want {
			used = used || b == body
		}
		if !used && bytes.Contains(all, []byte(body[:30])) && !m.live(body) {
			m.t.Errorf("payload %d is still in a segment", i)
		}
	}
}

// live says whether a payload stands in an exchange that was voided and that nobody has purged.
func (m *model) live(body string) bool { return m.voided[body] }

// TestPurgeModel purges random captures again and again: what stays reads back, what goes is in no byte of any segment, and
// a rebuild makes the same rows.
func TestPurgeModel(t *testing.T) {
	for range 2 {
		seed := rand.Uint64N(1000) // named by the subtest
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			m := newModel(t, seed)
			m.fill(4)
			for round := 0; round < 4 && len(m.want) > 0; round++ {
				m.clock.Advance(time.Second)
				m.round(round)
				if round == 2 {
					m.fill(2)
				}
			}
		})
	}
}

func (m *model) round(round int) {
	m.t.Helper()
	var going []storage.Capture
	o := PurgeOrder{Spots: map[string][]int64{}, Reason: "a test"}
	collection := []string{"one", "two"}[m.rng.IntN(2)]
	body := m.bodies[m.rng.IntN(len(m.bodies))]
	for _, c := range m.everything(collection) {
		if m.want[c.RecordID] == body && round%2 == 0 || m.rng.IntN(6) == 0 {
			going = append(going, c)
		}
	}
	for s, err := range m.db.Spots(context.Background(), storage.Everything(collection, m.clock.Now().Add(time.Hour))) {
		must(m.t, err)
		if s.Kind == storage.SpotVoided || slices.ContainsFunc(going, func(c storage.Capture) bool { return c.Segment == s.Segment && c.Offset == s.Offset }) {
			o.Spots[s.Segment] = append(o.Spots[s.Segment], s.Offset)
		}
	}
	p := m.purger(m.blobs)
	p.Batch = 1 + m.rng.IntN(4)
	done, err := p.Purge(context.Background(), o)
	must(m.t, err)
	if int(done.Counts.Captures) != len(going) {
		m.t.Errorf("purged %+v, want %d captures", done.Counts, len(going))
	}
	for _, c := range going {
		delete(m.want, c.RecordID)
	}
	m.voided = map[string]bool{}
	for _, c := range []string{"one", "two"} {
		for s, err := range m.db.Spots(context.Background(), storage.Everything(c, m.clock.Now().Add(time.Hour))) {
			must(m.t, err)
			if s.Kind == storage.SpotVoided {
				for _, b := range m.bodies { // whichever it was
					m.voided[b] = true
				}
			}
		}
	}
	m.holds()
	want := m.purgeDump()
	if r := m.rebuild(); len(r.Damaged) > 0 {
		m.t.Errorf("rebuilt %+v", r)
	}
	same(m.t, m.purgeDump(), want)
	m.holds()
	m.lease()
}

// TestPurgePromotes: the earliest revisit takes the payload over in its own framing, and the others find it there.
func TestPurgePromotes(t *testing.T) {
	w := newWorld(t, nil, nil)
	u := urls(4, 4)
	r := w.run("default", u...)
	body := "payload " + noise(70000)
	first := w.page(r, u[0], body)
	w.clock.Advance(time.Millisecond)
	w.flush()
	w.add(w.entry(r, u[1], fmt.Sprintf("HTTP/1.1 404 Nope\r\nX-Own: head\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)))
	w.clock.Advance(time.Millisecond)
	w.page(r, u[2], body)
	w.flush()
	w.page(r, u[3], body)
	w.flush()
	for _, url := range u[1:] {
		if c := w.capture("default", url); c.Kind != KindRevisit {
			t.Fatalf("%+v", c)
		}
	}
	done := w.purge(first)
	if done.Promoted != 1 || done.Counts != (PurgeCounts{Segments: 2, Captures: 1, Bytes: done.Counts.Bytes}) {
		t.Errorf("%+v", done)
	}
	heir := w.capture("default", u[1])
	if heir.Kind != KindResponse || heir.RefersTo != "" || heir.Status != 404 {
		t.Errorf("%+v", heir)
	}
	m, err := w.lib.Open(t.Context(), heir)
	must(t, err)
	if m.Head.Get("X-Own") != "head" {
		t.Errorf("another head: %+v", m.Head)
	}
	must(t, m.Close())
	for _, url := range u[1:] {
		w.reads(w.capture("default", url), body)
	}
	if cs := w.captures("default", u[0]); len(cs) > 0 {
		t.Errorf("%+v", cs)
	}
	w.contents()
	w.clean()
	if !strings.Contains(string(w.contents()), "a tester") {
		t.Error("no segment tells of the purge")
	}
	// A capture that was looked up before is found where it is now; one that is gone is gone.
	w.reads(storage.Capture{Collection: "default", URLKey: heir.URLKey, URL: heir.URL, At: heir.At, RecordID: heir.RecordID, Kind: KindRevisit,
		Segment: first.Segment, Offset: 1, RefersTo: location(first.Segment, first.Offset)}, body)
	if _, err := w.payload(first); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("what was purged: %v", err)
	}
}

// TestPurgeRevisitUnderWay: a revisit whose original goes between look-up and commit never counts without a payload.
func TestPurgeRevisitUnderWay(t *testing.T) {
	for _, other := range []bool{true, false} {
		t.Run(fmt.Sprint("another holds it: ", other), func(t *testing.T) {
			w := newWorld(t, nil, func(p *JournalParts) { p.Window = 300 * time.Millisecond })
			u := urls(3, 3)
			r := w.run("default", u...)
			first := w.page(r, u[0], "payload")
			w.flush()
			if other {
				w.page(r, u[1], "payload")
				w.flush()
			}
			wait, err := w.append(w.entry(r, u[2], okResponse("payload")))
			must(t, err)
			w.purge(first)
			held, err := wait()
			must(t, err)
			if held != other {
				t.Errorf("held: %v", held)
			}
			if !other {
				w.lease()
				w.page(r, u[2], "payload")
			}
			w.settled()
			w.reads(w.capture("default", u[2]), "payload")
			want := w.purgeDump()
			w.rebuild()
			got := w.purgeDump()
			same(t, got, want)
			w.reads(w.capture("default", u[2]), "payload")
		})
	}
}

// TestPurgeWaits: what is not stored yet is waited for, which is told once, and then named.
func TestPurgeWaits(t *testing.T) {
	w := newWorld(t, nil, nil)
	r := w.run("default", "http://a.test/one")
	c := w.page(r, "http://a.test/one", "one")
	var told []string
	p := w.purger(w.blobs)
	p.Wait = 400 * time.Millisecond
	p.Waiting = func(s storage.Segment) { told = append(told, s.ID+" "+s.Node) }
	_, err := p.Purge(t.Context(), order(c))
	node := w.segment(c.Segment).Node
	if !errors.Is(err, ErrNotStored) || !strings.Contains(err.Error(), node) {
		t.Errorf("purged what no store has: %v", err)
	}
	if len(told) != 1 || told[0] != c.Segment+" "+node {
		t.Errorf("told %q, want segment and node once", told)
	}
	w.flush()
	told = nil
	if _, err := p.Purge(t.Context(), order(c)); err != nil || len(told) != 0 {
		t.Errorf("stored, and %v after having told %q", err, told)
	}
}

// TestPurgeEnded: what was purged is not captured again by its run, after a rebuild neither, although another page leads
// there.
func TestPurgeEnded(t *testing.T) {
	w := newWorld(t, nil, nil)
	r := w.run("default", "http://a.test/")
	post := w.entry(r, "http://a.test/", okResponse("post"))
	post.Meta.Outlinks = []Outlink{{URL: "http://a.test/secret", Hop: 'L', Context: "a/@href", Kind: "page", Depth: 1, Due: 9}}
	post.New = post.Meta.Tasks(post.Task.URL)
	w.add(post)
	e := w.entry(r, "http://a.test/secret", okResponse("secret"))
	e.Meta.Depth = 1
	e.Task.Depth = 1
	w.add(e)
	w.flush()
	w.purge(w.capture("default", "http://a.test/secret"))
	for range 2 {
		task, err := w.db.Task(t.Context(), "a.test", r.ID, urlkey.ID("http://a.test/secret"))
		must(t, err)
		if task.Due != storage.Never || task.Outcome == "" || task.URL != "" {
			t.Errorf("%+v", task)
		}
		if open, err := w.db.Open(t.Context(), r.ID); open || err != nil {
			t.Errorf("the run is open: %v, %v", open, err)
		}
		want := w.purgeDump()
		w.rebuild()
		same(t, w.purgeDump(), want)
	}
}

// TestPurgeForgets: of a run that is forgotten, neither source nor tasks are left, in rows and files.
func TestPurgeForgets(t *testing.T) {
	w := newWorld(t, nil, nil)
	gone, stays := w.run("default", "http://gone.test/post"), w.run("default", "http://stays.test/")
	a := w.page(gone, "http://gone.test/post", "a secret")
	w.page(stays, "http://stays.test/", "a secret")
	w.flush()
	o := order(a)
	o.Forget = []int64{gone.ID}
	want := w.purgeDump()
	if _, err := w.purger(w.blobs).Purge(t.Context(), o); !errors.Is(err, storage.ErrRunActive) {
		t.Errorf("a run that goes on is forgotten: %v", err)
	}
	same(t, w.purgeDump(), want)
	must(t, w.db.UpdateRun(t.Context(), storage.Run{ID: gone.ID, State: storage.RunDone}))
	_, err := w.purger(w.blobs).Purge(t.Context(), o)
	must(t, err)
	for range 2 {
		run, err := w.db.Run(t.Context(), gone.ID)
		must(t, err)
		if run.Source != "" || string(run.Spec) != "{}" || run.State != storage.RunDone {
			t.Errorf("%+v", run)
		}
		if tally, err := w.db.Tally(t.Context(), gone.ID); len(tally) > 0 || err != nil {
			t.Errorf("%v, %v", tally, err)
		}
		w.reads(w.capture("default", "http://stays.test/"), "a secret")
		want := w.purgeDump()
		w.rebuild()
		must(t, w.db.UpdateRun(t.Context(), storage.Run{ID: gone.ID, State: storage.RunDone}))
		same(t, w.purgeDump(), want)
	}
	if all := string(w.contents()); strings.Contains(strings.ReplaceAll(all, "WARC-Refers-To-Target-URI: http://gone.test/post", ""), "gone.test") {
		t.Error("a segment still names it")
	}
}

// TestPurgeFaults fails and stops a purge at every step. Whatever happened: either nothing is purged or all of it, every
// capture that stays reads back, a rebuild agrees, and the next purge finishes and leaves nothing behind.
func TestPurgeFaults(t *testing.T) {
	for _, p := range []storagetest.Point{
		{Op: storagetest.OpOpen}, {Op: storagetest.OpWrite}, {Op: storagetest.OpSync}, {Op: storagetest.OpClose}, {Op: storagetest.OpRemove},
		{Op: storagetest.OpLink}, {Op: storagetest.OpLink, When: storagetest.After}, {Op: storagetest.OpSyncDir},
		{Op: storagetest.OpPut}, {Op: storagetest.OpPut, When: storagetest.After}, {Op: storagetest.OpDelete},
		{Op: storagetest.OpDelete, When: storagetest.After}, {Op: storagetest.OpBlob},
	} {
		t.Run(strings.TrimSuffix(p.String(), ":0"), func(t *testing.T) {
			t.Parallel()
			for p.N = 1 + rand.IntN(stride); p.N < 60 && purgeFault(t, p); p.N += stride {
			}
		})
	}
}

func purgeFault(t *testing.T, p storagetest.Point) (reached bool) {
	t.Helper()
	fsys := new(switchFS).to(storage.OS{})
	w := newWorld(t, fsys, nil)
	u := urls(5, 5)
	r := w.run("default", u...)
	body := "secret " + noise(500)
	w.page(r, u[0], body)
	w.page(r, u[1], "other "+noise(500))
	w.flush()
	w.clock.Advance(time.Second)
	for _, url := range u[2:] {
		w.page(r, url, body)
	}
	w.flush()
	faulty := storagetest.NewFaultFS(storage.OS{}, p, nil)
	blobs := storagetest.NewFaultBlobs(w.blobs, p, nil)
	fsys.to(faulty)
	_, err := w.purger(blobs).Purge(t.Context(), order(w.capture("default", u[0]), w.capture("default", u[2])))
	fsys.to(storage.OS{})
	if faulty.Seen() < p.N && blobs.Seen() < p.N {
		must(t, err)
		return false
	}
	stay := []string{u[1], u[3], u[4]}
	check := func(what string) {
		t.Helper()
		for _, url := range stay {
			if _, err := w.payload(w.capture("default", url)); err != nil {
				t.Errorf("%s, %s: %s: %v", p, what, url, err)
			}
		}
		if a, b := len(w.captures("default", u[0])), len(w.captures("default", u[2])); a != b {
			t.Errorf("%s, %s: half of it is purged", p, what)
		} else if a == 1 {
			w.reads(w.capture("default", u[0]), body)
		}
	}
	check("failed")
	want := w.purgeDump()
	gone := len(w.captures("default", u[0])) == 0
	w.rebuild()
	check("rebuilt")
	if gone {
		same(t, w.purgeDump(), want)
	}
	var o PurgeOrder
	if cs := w.captures("default", u[0]); len(cs) > 0 {
		o = order(cs[0], w.capture("default", u[2]))
	}
	if _, err := w.purger(w.blobs).Purge(t.Context(), o); err != nil {
		t.Errorf("%s: once more: %v", p, err)
	}
	check("purged")
	w.clean()
	if bytes.Contains(w.contents(), []byte(body)) && len(w.captures("default", u[3])) == 0 {
		t.Error("the payload is still there")
	}
	_ = w.stop()
	return true
}

package warc

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// points are the ways to stop at the n-th step.
var points = []storagetest.Point{
	{Op: storagetest.OpAny}, {Op: storagetest.OpWrite, When: storagetest.Half},
	// After one of these come rows, and not another step.
	{Op: storagetest.OpSync, When: storagetest.After}, {Op: storagetest.OpSyncDir, When: storagetest.After},
}

// TestCrash stops the process at each step in turn, and starts it again.
func TestCrash(t *testing.T) {
	for _, p := range points {
		t.Run(strings.Replace(p.String(), ":0", "", 1), func(t *testing.T) {
			t.Parallel()
			p.N = 1 + rand.IntN(stride)
			for reached := true; reached; p.N += stride {
				fsys := new(switchFS).to(storage.OS{})
				s := newStory(newWorld(t, fsys, nil))
				c := storagetest.NewCrashFS(storage.OS{}, p, s.die)
				fsys.to(c)
				if err := s.play(); err != nil && !errors.Is(err, storagetest.ErrCrashed) && s.life.Err() == nil {
					t.Errorf("%v", err)
				}
				reached = c.Crashed()
				s.goOn()
				must(t, s.stop())
				if t.Failed() {
					t.Fatalf("crashed at %s; the log:\n%s", p, s.log)
				}
			}
		})
	}
}

// TestPowerCut cuts the power at each step in turn: what was not synced is gone.
func TestPowerCut(t *testing.T) {
	for _, p := range points {
		t.Run(strings.Replace(p.String(), ":0", "", 1), func(t *testing.T) {
			t.Parallel()
			p.N = 1 + rand.IntN(stride)
			for reached := true; reached; p.N += stride {
				cut := storagetest.NewPowerCutFS(storage.OS{})
				fsys := new(switchFS).to(cut)
				s := newStory(newWorld(t, fsys, nil))
				after := worldIn(t, fastDir(t), nil, nil)
				after.tokens = s.tokens
				c := storagetest.NewCrashFS(cut, p, func() { s.leave(cut, after); s.die() })
				fsys.to(c)
				if err := s.play(); err != nil && !errors.Is(err, storagetest.ErrCrashed) && s.life.Err() == nil {
					t.Errorf("%v", err)
				}
				if reached = c.Crashed(); reached {
					(&story{world: after, run: s.run, all: s.all, lost: s.lost}).goOn()
					must(t, after.stop())
				}
				_ = s.stop()
				if t.Failed() {
					t.Fatalf("cut at %s; the log:\n%s%s", p, s.log, after.log)
				}
			}
		})
	}
}

// leave writes into another world what a power cut leaves of this one. The database is as durable as it says.
func (w *world) leave(cut *storagetest.PowerCutFS, to *world) {
	w.mu.Lock()
	defer w.mu.Unlock()
	to.acked = maps.Clone(w.acked)
	err := cut.Clone(w.dir, to.dir)
	for _, name := range []string{"linkstead.db", "linkstead.db-wal", "linkstead.db-shm"} {
		err = errors.Join(err, os.RemoveAll(filepath.Join(to.dir, name)))
	}
	db, oerr := sql.Open("sqlite", "file:"+filepath.Join(w.dir, "linkstead.db")+"?_pragma=busy_timeout(5000)")
	if err = errors.Join(err, oerr); err == nil {
		_, err = db.Exec(`VACUUM INTO ?`, filepath.Join(to.dir, "linkstead.db"))
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		w.t.Error(err)
	}
}

// TestRecoverCounts tells apart what a crash leaves behind the committed bytes: whole exchanges under a lease that is
// still held, under one that is lost, and a torn one.
func TestRecoverCounts(t *testing.T) {
	w := newWorld(t, nil, func(p *JournalParts) { p.Window = 1 << 40 })
	u := urls(4, 4)
	r := w.run("default", u...)
	for _, url := range u[:3] {
		_, err := w.append(w.entry(r, url, okResponse("body of "+url)))
		must(t, err)
	}
	name := w.spooled()[0]
	whole, err := os.ReadFile(name)
	must(t, err)
	_, err = w.append(w.entry(r, u[3], okResponse(noise(3000))))
	must(t, err)
	torn, err := os.ReadFile(name)
	must(t, err)
	left := fastDir(t)
	must(t, w.snapshot(left))
	must(t, os.WriteFile(filepath.Join(left, "spool", filepath.Base(name)), torn[:len(torn)-100], 0o644))

	after := worldIn(t, left, nil, nil)
	must(t, after.start())
	must(t, after.db.Release(t.Context(), []storage.Lease{{Host: "h1.test", Token: w.tokens["h1.test"]}}, after.clock.Now()))
	rec, err := after.j.Recover(t.Context())
	must(t, err)
	if rec.Segments != 1 || rec.Exchanges != 2 || rec.Cut != int64(len(torn)-100-len(whole)) || len(rec.Missing) != 0 {
		t.Errorf("recovered %+v", rec)
	}
	after.settled()
	held := map[string]string{u[0]: "body of " + u[0], u[2]: "body of " + u[2]}
	after.accounts(r, held, map[string]string{u[0]: held[u[0]], u[1]: "-", u[2]: held[u[2]], u[3]: "-"})
	if live := after.unvoided(); live[u[0]] != 1 || live[u[1]] != 0 || live[u[2]] != 1 || live[u[3]] != 0 {
		t.Errorf("the segment counts %v", live)
	}
	if rec := after.again(); rec.Segments != 0 {
		t.Errorf("a second recovery finds %+v", rec)
	}
}

// snapshot copies an archive that goes on: what kill -9 leaves at this moment.
func (w *world) snapshot(to string) error {
	err := os.Mkdir(filepath.Join(to, "spool"), 0o755)
	node, rerr := os.ReadFile(filepath.Join(w.dir, "spool", "node"))
	err = errors.Join(err, rerr, os.WriteFile(filepath.Join(to, "spool", "node"), node, 0o644))
	db, oerr := sql.Open("sqlite", "file:"+filepath.Join(w.dir, "linkstead.db")+"?_pragma=busy_timeout(5000)")
	if err = errors.Join(err, oerr); err == nil {
		_, err = db.Exec(`VACUUM INTO ?`, filepath.Join(to, "linkstead.db"))
		err = errors.Join(err, db.Close())
	}
	return err
}

// TestRecoverVoids: a process that dies between the transaction that fenced an exchange and its void record leaves the
// exchange to be voided by the next one.
func TestRecoverVoids(t *testing.T) {
	w := newWorld(t, nil, nil)
	u := urls(2, 2)
	r := w.run("default", u...)
	w.page(r, u[1], "in time")
	late := w.entry(r, u[0], okResponse("late"))
	late.Meta.Token++
	wait, err := w.append(late)
	must(t, err)
	if held, err := wait(); held || err != nil {
		t.Fatalf("a lost lease: held %v, %v", held, err)
	}
	name := w.spooled()[0]
	must(t, w.stop())
	var cut []byte // the segment without its void record
	b, err := os.ReadFile(name)
	must(t, err)
	for v, err := range Exchanges(strings.NewReader(string(b)), 0, int64(len(b))) {
		must(t, err)
		if v.Voids == "" {
			cut = append(cut, b[v.Offset:v.End]...)
		}
	}
	must(t, os.WriteFile(name, cut, 0o644))
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, "linkstead.db"))
	must(t, err)
	_, err = db.Exec(`UPDATE segments SET committed=?`, len(cut))
	must(t, errors.Join(err, db.Close()))
	must(t, w.start())
	rec, err := w.j.Recover(t.Context())
	if err != nil || rec.Segments != 1 || len(rec.Missing) > 0 {
		t.Fatalf("recovered %+v, %v", rec, err)
	}
	w.settled()
	if live := w.unvoided(); live[u[0]] != 0 || live[u[1]] != 1 {
		t.Errorf("the segment counts %v", live)
	}
}

// TestRecoverSealed: rows say sealed, and what is there of the bytes differs.
func TestRecoverSealed(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(w *world, s storage.Segment) error
		missing bool
		state   storage.SegmentState
	}{
		"file and blob": {func(w *world, s storage.Segment) error {
			return w.blobs.Put(context.Background(), SegmentKey(s), w.spool.Path(s.ID), s.SHA256)
		}, false, storage.SegmentStored},
		"blob alone": {func(w *world, s storage.Segment) error {
			err := w.blobs.Put(context.Background(), SegmentKey(s), w.spool.Path(s.ID), s.SHA256)
			return errors.Join(err, w.spool.Drop(s.ID))
		}, false, storage.SegmentStored},
		"another blob": {func(w *world, s storage.Segment) error {
			path := filepath.Join(w.dir, "blobs", SegmentKey(s))
			return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("?"), 0o644), w.spool.Drop(s.ID))
		}, true, storage.SegmentSealed},
		"neither":  {func(w *world, s storage.Segment) error { return w.spool.Drop(s.ID) }, true, storage.SegmentSealed},
		"cut file": {func(w *world, s storage.Segment) error { return os.Truncate(w.spool.Path(s.ID), s.Size-1) }, true, storage.SegmentSealed},
		"file":     {func(*world, storage.Segment) error { return nil }, false, storage.SegmentStored},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil, nil)
			r := w.run("default", urls(2, 2)...)
			c := w.page(r, urls(2, 2)[0], "body")
			must(t, w.stop()) // it waits in the spool, open
			must(t, w.start())
			f, size, err := w.spool.Open(c.Segment)
			must(t, err)
			s, err := sealFile(w.segment(c.Segment), f)
			must(t, errors.Join(err, f.Close(), w.db.SealSegment(t.Context(), s.ID, size, s.SHA256)))
			must(t, tc.prepare(w, s))
			rec, err := w.j.Recover(t.Context())
			must(t, err)
			if missing := len(rec.Missing) == 1 && rec.Missing[0] == s.ID; rec.Segments != 1 || missing != tc.missing {
				t.Errorf("recovered %+v", rec)
			}
			w.flush()
			if got := w.segment(s.ID); got.State != tc.state {
				t.Errorf("segment %+v", got)
			}
			if !tc.missing {
				w.reads(c, "body")
				w.settled()
			}
			w.page(r, urls(2, 2)[1], "work goes on")
		})
	}
}

// TestRecoverStoreAway: a store that is away keeps nobody from starting.
func TestRecoverStoreAway(t *testing.T) {
	w := newWorld(t, nil, nil)
	r := w.run("default", urls(2, 2)...)
	c := w.page(r, urls(2, 2)[0], "body")
	must(t, w.stop())
	w.tune = func(p *JournalParts) {
		p.Blobs = storagetest.NewFaultBlobs(p.Blobs.(storagetest.BlobStore), storagetest.Point{Op: storagetest.OpPut, N: 1, Rest: true}, nil)
	}
	w.again()
	w.reads(c, "body")
	w.page(r, urls(2, 2)[1], "more")
	w.tune = nil
	w.again()
	w.settled()
}

// TestRecoverLostEnd: an open segment that is shorter than what was acknowledged is reported, and work goes on.
func TestRecoverLostEnd(t *testing.T) {
	w := newWorld(t, nil, nil)
	r := w.run("default", urls(2, 2)...)
	c := w.page(r, urls(2, 2)[0], "body")
	must(t, w.stop())
	must(t, os.Truncate(filepath.Join(w.dir, "spool", c.Segment+segmentSuffix), 700))
	if rec := w.again(); len(rec.Missing) != 1 || !strings.Contains(w.log.String(), "linkstead rebuild") {
		t.Errorf("recovered %+v; the log:\n%s", rec, w.log)
	}
	w.page(r, urls(2, 2)[1], "work goes on")
}

// TestRecoverRenamed: a spool that has lost its name gets another, and takes over what it began under the old one; but not
// while a node of that name is at work.
func TestRecoverRenamed(t *testing.T) {
	w := newWorld(t, nil, func(p *JournalParts) { p.Window = 1 << 40 })
	u := urls(2, 2)
	r := w.run("default", u...)
	held := map[string]string{}
	for _, url := range u {
		held[url] = "body of " + url
		_, err := w.append(w.entry(r, url, okResponse(held[url])))
		must(t, err)
	}
	name := w.spooled()[0]
	left := fastDir(t)
	must(t, w.snapshot(left))
	b, err := os.ReadFile(name)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(left, "spool", filepath.Base(name)), b, 0o644))
	must(t, os.Remove(filepath.Join(left, "spool", "node")))

	after := worldIn(t, left, nil, nil)
	after.tokens = w.tokens
	must(t, after.start())
	must(t, after.db.Announce(t.Context(), storage.Node{Name: w.spool.Node()}))
	rec, err := after.j.Recover(t.Context())
	must(t, err)
	if rec.Segments != 0 || !strings.Contains(after.log.String(), "it is of another node that was at work") {
		t.Errorf("recovered %+v while the node is at work; the log:\n%s", rec, after.log)
	}
	must(t, after.db.Leave(t.Context(), w.spool.Node()))
	if rec := after.again(); rec.Segments != 1 || rec.Exchanges != 2 {
		t.Errorf("recovered %+v; the log:\n%s", rec, after.log)
	}
	after.settled()
	after.accounts(r, held, held)
}

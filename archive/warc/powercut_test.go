package warc

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// TestPowerCutDatabase lets an archive live on a disk that remembers, and cuts the power at moments of that life: between
// any two writes, syncs and names of the segments, of the store, and of SQLite's database and its write-ahead log. What was
// synced is there, and an arbitrary part of what was not. Whatever is left: it opens and is sound, all that was acknowledged
// reads back and has its rows, no task is lost, verify finds nothing, and the work goes on to its end.
func TestPowerCutDatabase(t *testing.T) {
	l := newLife(t)
	l.live()
	moments := l.cut.Moments()
	if len(l.acked) != len(l.urls) || moments < 200 {
		t.Fatalf("%d of %d exchanges were acknowledged, in %d moments", len(l.acked), len(l.urls), moments)
	}
	// A sample of the moments, another one each time: one out of each of so many stretches of equal length.
	const jobs, cuts = 4, 140 / stride
	for job := range jobs {
		t.Run(fmt.Sprint(job), func(t *testing.T) {
			t.Parallel()
			for n := job; n < cuts; n += jobs {
				from, to := n*(moments+1)/cuts, (n+1)*(moments+1)/cuts
				at, seed := from+rand.IntN(to-from), rand.Uint64()
				if n%3 == 0 {
					seed = 0 // the harshest cut
				}
				l.leftAt(t, at, seed)
				if t.Failed() {
					t.Fatalf("cut at moment %d of %d (%s), seed %d", at, moments, l.cut.What(at), seed)
				}
			}
		})
	}
}

// life is all that an archive goes through until it is stopped: two segments or more, revisits, tasks that pages led to,
// checkpoints of every kind, the end of the last connection and another beginning.
type life struct {
	*world
	cut   *storagetest.PowerCutFS
	r     storage.Run
	began int      // the moment from which the run is there and its hosts are leased
	urls  []string // each of the second half is found on the page of the first half that stands so far into it
	body  map[string]string
	acked map[string]int // the moment by which each was acknowledged
}

func newLife(t *testing.T) *life {
	cut, dir := storagetest.NewPowerCutFS(storage.OS{}), fastDir(t)
	vfs := cut.VFS(t)
	empty, err := emptyDB()
	must(t, errors.Join(err, os.WriteFile(filepath.Join(dir, "linkstead.db"), empty, 0o644)))
	l := &life{world: worldIn(t, dir, cut, nil), cut: cut, urls: urls(8, 2), body: map[string]string{}, acked: map[string]int{}}
	l.vfs = vfs
	for i, url := range l.urls {
		l.body[url] = fmt.Sprintf("body %d", i/2) + noise(2000)
	}
	return l
}

func (l *life) live() {
	t := l.t
	t.Helper()
	must(t, l.cut.Settle(l.dir))
	must(t, l.start())
	l.r = l.run("default", l.urls[:l.half()]...)
	l.began = l.cut.Moments()
	for i, url := range l.urls {
		l.add(l.found(l.world, i))
		l.acked[url] = l.cut.Moments()
		switch i {
		case 1:
			l.checkpoint("PASSIVE")
		case 2:
			l.flush()
		case 3:
			l.checkpoint("TRUNCATE")
		case 4:
			l.again()
		case 6:
			l.checkpoint("RESTART")
		}
	}
	l.flush()
	must(t, l.stop())
}

func (l *life) half() int { return len(l.urls) / 2 }

// found is the exchange of the i-th URL, with the task it leads to.
func (l *life) found(w *world, i int) *Entry {
	e := w.entry(l.r, l.urls[i], okResponse(l.body[l.urls[i]]))
	if i < l.half() {
		e.Meta.Outlinks = []Outlink{{URL: l.urls[i+l.half()], Hop: 'L', Context: "a/@href", Kind: "page", Depth: 1, Due: 1}}
		e.New = e.Meta.Tasks(l.urls[i])
	} else { // as the page on which it is found tells of it
		e.Meta.Depth, e.Meta.Hops, e.Meta.Via = 1, "L", l.urls[i-l.half()]
		e.Task.Depth, e.Task.Hops, e.Task.Via = e.Meta.Depth, e.Meta.Hops, e.Meta.Via
	}
	return e
}

func (w *world) raw() *sql.DB {
	w.t.Helper()
	dsn := "file:" + filepath.Join(w.dir, "linkstead.db") + "?_pragma=busy_timeout(15000)"
	if w.vfs != "" {
		dsn += "&vfs=" + w.vfs
	}
	db, err := sql.Open("sqlite", dsn)
	must(w.t, err)
	return db
}

func (w *world) checkpoint(kind string) {
	w.t.Helper()
	db := w.raw()
	_, err := db.Exec(`PRAGMA wal_checkpoint(` + kind + `)`)
	must(w.t, errors.Join(err, db.Close()))
}

// sound fails the test unless SQLite finds the database whole.
func (w *world) sound() {
	w.t.Helper()
	db := w.raw()
	var check string
	err := db.QueryRow(`PRAGMA integrity_check`).Scan(&check)
	must(w.t, errors.Join(err, db.Close()))
	if check != "ok" {
		w.t.Errorf("the database is damaged: %s", check)
	}
}

// verifiesClean fails the test if verify finds anything.
func (w *world) verifiesClean() {
	w.t.Helper()
	i := &Inspector{Rows: w.db, Index: w.db, Blobs: w.blobs, Spool: filepath.Join(w.dir, "spool"), Node: w.spool.Node(), Jobs: 1, Now: time.Now}
	done, err := i.Inspect(context.Background())
	must(w.t, err)
	if done.Left() > 0 || len(done.Elsewhere) > 0 {
		w.t.Errorf("verify: %+v", done)
	}
}

// leftAt opens what a power cut leaves, and checks all that is promised of it.
func (l *life) leftAt(t *testing.T, moment int, seed uint64) {
	after := worldIn(t, fastDir(t), nil, nil)
	after.tokens = maps.Clone(l.tokens)
	must(t, l.cut.CloneAt(moment, seed, l.dir, after.dir))
	must(t, after.start())
	after.sound()
	rec, err := after.j.Recover(t.Context())
	must(t, err)
	if len(rec.Missing) > 0 {
		t.Errorf("missing: %v", rec.Missing)
	}
	after.flush()
	after.verifiesClean()
	if moment >= l.began {
		l.keeps(after, moment)
		l.goesOn(after)
	}
	after.sound()
	if t.Failed() {
		t.Logf("the log:\n%s", after.log)
	}
	must(t, after.stop())
}

// keeps checks that what was acknowledged by a moment is there and reads back; that of the rest, what is there is whole;
// and that every task is there whose page is, done if it has a capture and open if not.
func (l *life) keeps(w *world, moment int) {
	w.t.Helper()
	for i, url := range l.urls {
		cs := w.captures(l.r.Collection, url)
		acked := l.acked[url] <= moment
		if acked && len(cs) != 1 || len(cs) > 1 {
			w.t.Errorf("%s: %d captures (acknowledged: %v)", url, len(cs), acked)
		}
		for _, c := range cs {
			w.reads(c, l.body[url])
		}
		task, err := w.db.Task(context.Background(), urlkey.Host(url), l.r.ID, urlkey.ID(url))
		known := i < l.half() || len(w.captures(l.r.Collection, l.urls[i-l.half()])) > 0
		switch done := task.Due == storage.Never && task.Outcome == string(outcome.Captured); {
		case err != nil && !errors.Is(err, storage.ErrNotFound):
			w.t.Error(err)
		case known != (err == nil):
			w.t.Errorf("%s: task %+v, %v; it was found: %v", url, task, err, known)
		case err == nil && done != (len(cs) == 1), err == nil && !done && (task.Due == storage.Never || task.Outcome != ""):
			w.t.Errorf("%s: %d captures, and its task is %+v", url, len(cs), task)
		}
	}
}

// goesOn captures what is left to be captured, and finds all of it in the store.
func (l *life) goesOn(w *world) {
	w.t.Helper()
	for i, url := range l.urls {
		if len(w.captures(l.r.Collection, url)) == 0 {
			w.add(l.found(w, i))
		}
	}
	w.settled()
	w.accounts(l.r, l.body, l.body)
	if live := w.unvoided(); !slices.Equal(slices.Sorted(maps.Keys(live)), slices.Sorted(slices.Values(l.urls))) {
		w.t.Errorf("the segments hold %v", live)
	}
}

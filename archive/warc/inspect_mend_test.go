package warc

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"linkstead/storage"
)

// inspected verifies the archive, and repairs it if mend is set.
func (w *world) inspected(mend, deleteRows bool) *Inspected {
	w.t.Helper()
	i := w.inspector()
	if mend {
		i.Mender = &Mender{Rows: w.db, Adopter: w.db, Store: w.blobs, Temp: w.spool.Temp(), Node: "n", DeleteRows: deleteRows, Now: w.clock.Now}
	}
	done, err := i.Inspect(context.Background())
	must(w.t, err)
	return done
}

func (w *world) inspector() *Inspector {
	return &Inspector{Rows: w.db, Index: w.db, Blobs: w.blobs, Spool: filepath.Join(w.dir, "spool"), Node: w.spool.Node(), Jobs: 2, Now: w.clock.Now}
}

// words are the faults, by word.
func (d *Inspected) words() map[Word]int {
	out := map[Word]int{}
	for _, f := range d.Flaws {
		out[f.Word]++
	}
	return out
}

// withPost has the exchange of an entry hold a post.
func withPost(e *Entry) *Entry {
	e.Post = &storage.Post{ID: "p", Run: e.Meta.Run, Collection: e.Collection, Source: e.Task.URL, URL: e.Task.URL, Title: "T", At: e.Exchange.At,
		Citations: []storage.Citation{{Seq: 1, URL: "http://a.test/1", Raw: "/1"}, {Seq: 2, URL: "http://a.test/2", Raw: "/2"}}}
	return e
}

// twoSegments fills an archive with two stored segments, each with a post and pages of its own.
func twoSegments(t *testing.T) (w *world, names []string) {
	w = newWorld(t, nil, nil)
	for _, run := range []string{"1", "2"} {
		r := w.run("c", "http://a.test/post", "http://a.test/1", "http://a.test/2")
		w.add(withPost(w.entry(r, "http://a.test/post", okResponse("post "+run))))
		w.add(w.entry(r, "http://a.test/1", okResponse("one "+run)))
		if run == "2" {
			w.add(w.entry(r, "http://a.test/2", okResponse("two")))
		}
		w.flush()
		w.clock.Advance(time.Hour)
	}
	names = w.published()
	slices.Sort(names)
	if len(names) != 2 {
		t.Fatalf("segments: %v", names)
	}
	if d := w.inspected(false, false); d.Left() > 0 {
		t.Fatalf("faults to begin with: %+v", d.Flaws)
	}
	return w, names
}

func swapFiles(t *testing.T, a, b string) {
	t.Helper()
	must(t, os.Rename(a, a+".t"))
	must(t, os.Rename(b, a))
	must(t, os.Rename(a+".t", b))
}

// Bytes that are not those which were stored may be another segment's: nothing is written by what they tell, and no row
// goes because they don't tell it.
func TestMendLeavesSwappedObjectsAlone(t *testing.T) {
	for _, deleteRows := range []bool{false, true} {
		w, names := twoSegments(t)
		before := w.dump()
		swapFiles(t, names[0], names[1])
		d := w.inspected(true, deleteRows)
		if d.Mended > 0 || d.words()[WordDiffers] != 2 {
			t.Errorf("mended %d, faults %v", d.Mended, d.words())
		}
		if after := w.dump(); !reflect.DeepEqual(before, after) {
			t.Errorf("rows were changed:\n%v\n%v", before, after)
		}
		swapFiles(t, names[0], names[1])
		if d := w.inspected(false, false); d.Left() > 0 {
			t.Errorf("with the files where they belong: %+v", d.Flaws)
		}
	}
}

// Of a segment that is damaged, the rows go whose bytes can't be read; only if that is asked for.
func TestMendDeletesWhatIsDamaged(t *testing.T) {
	w, names := twoSegments(t)
	before := w.captures("c", "http://a.test/1")
	b, err := os.ReadFile(names[1])
	must(t, err)
	c := before[len(before)-1]
	b[c.Offset+c.Length/2] ^= 4
	must(t, os.WriteFile(names[1], b, 0o644))
	if d := w.inspected(true, false); d.Mended > 0 {
		t.Errorf("mended: %+v", d.Flaws)
	}
	if d := w.inspected(true, true); d.Mended != 1 {
		t.Errorf("mended: %+v", d.Flaws)
	}
	if after := w.captures("c", "http://a.test/1"); !slices.Equal(after, before[:1]) {
		t.Errorf("captures left: %+v", after)
	}
	if ps, err := w.db.Posts(context.Background()); err != nil || len(ps) == 0 {
		t.Errorf("posts: %v, %v", ps, err)
	}
}

// A revisit whose payload went with its segment is at fault, and is led to an equal payload as soon as there is one.
func TestMendLeadsRevisitsOfLostSegments(t *testing.T) {
	w := newWorld(t, nil, nil)
	r := w.run("c", "http://a.test/1", "http://a.test/2")
	first := w.page(r, "http://a.test/1", "the same body")
	w.flush()
	second := w.page(r, "http://a.test/2", "the same body")
	w.flush()
	if second.Kind != KindRevisit {
		t.Fatalf("the second is a %s", second.Kind)
	}
	name := filepath.Join(w.dir, "blobs", w.segment(first.Segment).Location)
	must(t, os.Rename(name, filepath.Join(w.dir, "away")))
	if d := w.inspected(false, false); d.words()[WordMissing] != 1 || d.words()[WordDangling] != 1 {
		t.Errorf("without the object: %+v", d.Flaws)
	}
	if d := w.inspected(true, true); d.Left() != 1 || d.Mended != 1 { // the segment is given up, the revisit has nothing yet
		t.Errorf("given up: %+v", d.Flaws)
	}
	w.lib = &Library{Shelves: w.db, Blobs: w.blobs, Spool: filepath.Join(w.dir, "spool")}
	if _, err := w.payload(second); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("what was given up is read with %v", err)
	}
	w.lease()
	e := w.entry(r, "http://a.test/1", okResponse("the same body"))
	e.Meta.Attempt = 2
	e.Task.Attempts = 1
	w.add(e)
	w.flush()
	if d := w.inspected(true, false); d.Left() != 0 || d.Mended == 0 {
		t.Errorf("captured again: %+v", d.Flaws)
	}
	w.reads(w.capture("c", "http://a.test/2"), "the same body")
	if d := w.inspected(false, false); d.Left() != 0 {
		t.Errorf("faults are left: %+v", d.Flaws)
	}
}

package warc

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"linkstead/storage"
)

// addNote adds a note about a subject.
func (w *world) addNote(collection, kind, subject, id string) {
	w.t.Helper()
	must(w.t, w.db.AddNote(w.t.Context(), storage.Note{
		ID: id, Kind: kind, Subject: subject, Collection: collection, Target: "t " + id, At: w.clock.Now().UTC(), Node: "desk",
		Body: json.RawMessage(`{"says":"` + id + `"}`),
	}))
	w.clock.Advance(time.Second)
}

func (w *world) noteRows() map[string][]string {
	return map[string][]string{
		"notes":    w.query(`SELECT * FROM notes`),
		"access":   w.query(`SELECT * FROM access`),
		"segments": w.query(`SELECT id, collection, location, state, committed, size, sha256 FROM segments`),
	}
}

// TestNotesRebuild: a rebuild knows every note, beside access rules, also of a collection without a capture.
func TestNotesRebuild(t *testing.T) {
	w, _, _ := full(t)
	w.addNote("default", storage.NoteRepair, "post/with:signs", "n1")
	w.addNote("default", storage.NoteRepair, "post/with:signs", "n2")
	w.addNote("empty", storage.NoteIdentifier, "b7k3x", "n3")
	w.change("default", "r1", "k1", true)
	if n, err := w.teller().Tell(t.Context()); n != 4 || err != nil {
		t.Fatalf("told of %d: %v", n, err)
	}
	if n, err := w.teller().Tell(t.Context()); n != 0 || err != nil {
		t.Errorf("told of %d again: %v", n, err)
	}
	w.flush()
	before := w.noteRows()
	if len(before["notes"]) != 3 || slices.ContainsFunc(before["notes"], func(s string) bool { return strings.HasSuffix(s, "segment= ") }) {
		t.Fatalf("%q", before["notes"])
	}
	if done := w.rebuild(); len(done.Damaged) > 0 {
		t.Errorf("damaged: %q", done.Damaged)
	}
	same(t, w.noteRows(), before)
	w.rebuildOver()
	same(t, w.noteRows(), before)
}

// TestNotesByNumber: what a machine adds whose clock is behind comes last all the same: told of, rebuilt and verified, whether one
// segment tells of all or the last one's name is the first.
func TestNotesByNumber(t *testing.T) {
	for _, apart := range []bool{false, true} {
		w := newWorld(t, nil, nil)
		for i, id := range []string{"n2", "n3", "n1"} {
			w.addNote("c", storage.NoteRepair, "p", id)
			w.clock.Advance(-time.Duration(1+i) * time.Hour)
			if apart {
				must(t, tell(w, 1))
			}
		}
		if !apart {
			must(t, tell(w, 3))
		}
		must(t, tell(w, 0))
		before, in := w.noteRows(), func() (out []string) {
			got, err := w.db.Notes(t.Context(), storage.NoteRepair, "p")
			must(t, err)
			for _, n := range got {
				out = append(out, n.ID)
			}
			return out
		}
		want := []string{"n2", "n3", "n1"}
		if got := in(); !slices.Equal(got, want) {
			t.Errorf("added as %q", got)
		}
		for range 2 {
			if n := w.inspected(false, false); len(n.Flaws) > 0 {
				t.Errorf("%+v", n.Flaws)
			}
			w.rebuild()
			same(t, w.noteRows(), before)
			if got := in(); !slices.Equal(got, want) {
				t.Errorf("rebuilt as %q", got)
			}
		}
		toldOnce(t, w.db, filepath.Join(w.dir, "blobs"))
	}
}

// TestNotesInspect: a note whose row is gone, or says otherwise, is told of, and is there again after a repair.
func TestNotesInspect(t *testing.T) {
	w := newWorld(t, nil, nil)
	w.addNote("c", storage.NoteRepair, "p", "n1")
	w.addNote("c", storage.NoteIdentifier, "b7k3x", "n2")
	if _, err := w.teller().Tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := w.noteRows()
	if n := w.inspected(false, false); len(n.Flaws) > 0 {
		t.Fatalf("at first: %+v", n.Flaws)
	}
	w.spoil(`DELETE FROM notes WHERE id='n1'`)
	w.spoil(`UPDATE notes SET body='{}' WHERE id='n2'`)
	want := []string{string(WordNoRow) + " urn:linkstead:note:repair:p", string(WordRow) + " urn:linkstead:note:identifier:b7k3x"}
	slices.Sort(want)
	for _, mend := range []bool{false, true} {
		var got []string
		for _, f := range w.inspected(mend, false).Flaws {
			got = append(got, string(f.Word)+" "+f.URL)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("mend %v: %q", mend, got)
		}
	}
	if n := w.inspected(false, false); len(n.Flaws) > 0 {
		t.Errorf("after the repair: %+v", n.Flaws)
	}
	same(t, w.noteRows(), before)
}

// TestNotesPurged: with the last version of a post its repairs go, in rows and in segments; what stood beside them stays.
func TestNotesPurged(t *testing.T) {
	w, _, _ := full(t)
	w.addNote("default", storage.NoteRepair, "p1", "n1")
	w.addNote("default", storage.NoteRepair, "p2", "n2")
	w.addNote("default", storage.NoteIdentifier, "b7k3x", "n3")
	w.change("default", "r1", "k1", true)
	must(t, tell(w, 4))
	w.flush()
	was, err := w.db.Note(t.Context(), "n1")
	must(t, err)
	w.purge(w.everything("default")...)
	if got := w.query(`SELECT id, segment FROM notes`); len(got) != 2 || !strings.Contains(got[0]+got[1], "n2") || !strings.Contains(got[0]+got[1], "n3") {
		t.Fatalf("left: %q", got)
	}
	must(t, tell(w, 3))
	must(t, w.purger(w.blobs).Clean(t.Context()))
	for b, err := range w.blobs.List(t.Context(), "") {
		if must(t, err); was.Segment == "" || strings.Contains(b.Key, was.Segment) {
			t.Errorf("%s is there", b.Key)
		}
	}
	before := w.noteRows()
	if n := w.inspected(false, false); len(n.Flaws) > 0 {
		t.Errorf("%+v", n.Flaws)
	}
	w.rebuild()
	same(t, w.noteRows(), before)
}

// tell tells of what nobody has told of, which is so much.
func tell(w *world, want int) error {
	n, err := w.teller().Tell(w.t.Context())
	if n != want {
		w.t.Errorf("told of %d, not %d", n, want)
	}
	return err
}

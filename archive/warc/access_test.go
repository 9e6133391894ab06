package warc

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"linkstead/archive/access"
	"linkstead/storage"
)

func (w *world) teller() *Teller {
	return &Teller{
		Rows: w.db, Blobs: w.blobs, Composer: w.parts.Composer, Info: w.parts.Info, Collection: w.db.Collection,
		FS: w.fs, Dir: filepath.Join(w.dir, "spool", "told"), Node: "test", Now: w.clock.Now,
	}
}

// change sets a rule, or lifts it.
func (w *world) change(collection, rule, id string, sets bool) {
	w.t.Helper()
	c := access.Change{ID: id, At: w.clock.Now().UTC(), Node: "desk", By: "Ada", Sets: sets, Reason: "because",
		Rule: access.Rule{ID: rule, Collection: collection, Pattern: "http://a.test/*", Effect: access.Private, Reason: "because", Since: w.clock.Now().UTC()}}
	raw, err := c.Encode()
	must(w.t, err)
	must(w.t, w.db.ChangeAccess(context.Background(), collection, func([]storage.AccessChange) ([]storage.AccessChange, error) {
		return []storage.AccessChange{{ID: id, Rule: rule, At: c.At, Sets: sets, Change: raw, Node: c.Node}}, nil
	}))
}

func (w *world) accessRows() map[string][]string {
	return map[string][]string{
		"access":   w.query(`SELECT * FROM access`),
		"audit":    w.query(`SELECT * FROM audit WHERE action='access'`),
		"segments": w.query(`SELECT id, collection, location, state, committed, size, sha256 FROM segments`),
	}
}

// TestAccessRebuild: a rebuild knows every rule, who set it and why, also after a purge of all else.
func TestAccessRebuild(t *testing.T) {
	w, _, _ := full(t)
	w.change("default", "r1", "k1", true)
	w.clock.Advance(time.Second)
	w.change("default", "r1", "k2", false)
	w.change("default", "r2", "k3", true)
	w.change("empty", "r3", "k4", true) // of a collection without a capture
	if n, err := w.teller().Tell(t.Context()); n != 4 || err != nil {
		t.Fatalf("told of %d: %v", n, err)
	}
	if n, err := w.teller().Tell(t.Context()); n != 0 || err != nil {
		t.Errorf("told of %d again: %v", n, err)
	}
	w.flush()
	w.purge(w.everything("default")...)
	before := w.accessRows()
	if len(before["access"]) != 4 || slices.ContainsFunc(before["access"], func(s string) bool { return strings.HasSuffix(s, "segment= ") }) {
		t.Fatalf("%q", before["access"])
	}
	if done := w.rebuild(); len(done.Damaged) > 0 {
		t.Errorf("damaged: %q", done.Damaged)
	}
	same(t, w.accessRows(), before)
	_, holds, err := w.db.AccessRules(t.Context())
	if err != nil || len(holds) != 2 || holds[0].Rule != "r2" || holds[1].Collection != "empty" {
		t.Errorf("%+v, %v", holds, err)
	}
	w.rebuildOver()
	same(t, w.accessRows(), before)
}

// forgetful fails the rows once the blob is there.
type forgetfulRows struct{ *storage.DB }

var errForgot = errors.New("the database went away")

func (forgetfulRows) Told(context.Context, storage.Segment, []string, []string) error {
	return errForgot
}

// TestAccessToldTwice: a blob whose row was never written is harmless, and the change is told of again.
func TestAccessToldTwice(t *testing.T) {
	w := newWorld(t, nil, nil)
	w.change("c", "r1", "k1", true)
	teller := w.teller()
	teller.Rows = forgetfulRows{w.db}
	if _, err := teller.Tell(t.Context()); !errors.Is(err, errForgot) {
		t.Fatal(err)
	}
	w.clock.Advance(time.Second)
	if n, err := w.teller().Tell(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, "spool", "told", "*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	w.rebuild()
	if _, holds, err := w.db.AccessRules(t.Context()); err != nil || len(holds) != 1 || holds[0].ID != "k1" || holds[0].Segment == "" {
		t.Errorf("%+v, %v", holds, err)
	}
	if got := w.query(`SELECT id FROM segments`); len(got) != 2 {
		t.Errorf("segments %q", got)
	}
}

// TestAccessOddRecord: a record that tells nothing is damage, and the next one counts.
func TestAccessOddRecord(t *testing.T) {
	w := newWorld(t, nil, nil)
	must(t, w.db.ChangeAccess(t.Context(), "c", func([]storage.AccessChange) ([]storage.AccessChange, error) {
		return []storage.AccessChange{{ID: "odd", Rule: "r", At: w.clock.Now(), Sets: true, Change: []byte(`{"rule":7}`)}}, nil
	}))
	w.change("c", "r1", "k1", true)
	if _, err := w.teller().Tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := w.rebuild()
	_, holds, err := w.db.AccessRules(t.Context())
	if err != nil || len(holds) != 1 || holds[0].ID != "k1" || len(done.Damaged) != 1 {
		t.Errorf("%+v, %v, %q", holds, err, done.Damaged)
	}
}

// TestAccessInspect: a rule whose row is gone, or says otherwise, is told of, and is there again after a repair.
func TestAccessInspect(t *testing.T) {
	w := newWorld(t, nil, nil)
	w.change("c", "r1", "k1", true)
	w.change("c", "r2", "k2", true)
	if _, err := w.teller().Tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := w.accessRows()
	if n := w.inspected(false, false); len(n.Flaws) > 0 {
		t.Fatalf("at first: %+v", n.Flaws)
	}
	w.spoil(`DELETE FROM access WHERE id='k1'`)
	w.spoil(`UPDATE access SET sets=0 WHERE id='k2'`)
	words := func(n *Inspected) (out []string) {
		for _, f := range n.Flaws {
			out = append(out, string(f.Word)+" "+f.URL)
		}
		slices.Sort(out)
		return out
	}
	want := []string{string(WordNoRow) + " urn:linkstead:access:r1", string(WordRow) + " urn:linkstead:access:r2"}
	slices.Sort(want)
	for _, mend := range []bool{false, true} {
		if got := words(w.inspected(mend, false)); !slices.Equal(got, want) {
			t.Errorf("mend %v: %q", mend, got)
		}
	}
	if n := w.inspected(false, false); len(n.Flaws) > 0 {
		t.Errorf("after the repair: %+v", n.Flaws)
	}
	same(t, w.accessRows(), before)
}

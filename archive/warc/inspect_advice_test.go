package warc

import (
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// sql changes rows behind the back of everybody.
func (w *world) spoil(q string, args ...any) {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, "linkstead.db")+"?_pragma=busy_timeout(5000)")
	must(w.t, err)
	_, err = db.Exec(q, args...)
	must(w.t, err)
	must(w.t, db.Close())
}

// tries is what is advised about faults of a word.
func (d *Inspected) tries(word Word) (out []string) {
	for _, f := range d.Flaws {
		if f.Word == word {
			out = append(out, f.Detail+": "+f.Try)
		}
	}
	return out
}

// Whatever is advised, nobody who does so loses the only bytes.
func TestAdviceIsSafe(t *testing.T) {
	for name, c := range map[string]struct {
		harm  func(w *world, names []string)
		word  Word
		wants string
	}{
		"a row that calls the segment otherwise": {func(w *world, names []string) {
			w.spoil(`UPDATE segments SET id=id||'x' WHERE id=$1`, segmentID(names[0]))
		}, WordUnknown, "leave it where it is"},
		"a row that says open": {func(w *world, names []string) {
			w.spoil(`UPDATE segments SET state='open', location='' WHERE id=$1`, segmentID(names[0]))
		}, WordRow, "the store has it at warc/"},
		"a row that says sealed": {func(w *world, names []string) {
			w.spoil(`UPDATE segments SET state='sealed', location='' WHERE id=$1`, segmentID(names[0]))
		}, WordRow, "the next start of a worker"},
		"a copy of what is damaged": {func(w *world, names []string) {
			b, err := os.ReadFile(names[0])
			must(t, err)
			must(t, os.WriteFile(strings.TrimSuffix(names[0], segmentSuffix)+"x"+segmentSuffix, b, 0o644))
			b[len(b)-30] ^= 1
			must(t, os.Remove(names[0]))
			must(t, os.WriteFile(names[0], b, 0o644))
		}, WordUnknown, "keep it"},
		"a copy of what is whole": {func(w *world, names []string) {
			must(t, os.Link(names[0], strings.TrimSuffix(names[0], segmentSuffix)+"x"+segmentSuffix))
		}, WordUnknown, "delete the copy"},
		"an object of no bytes": {func(w *world, names []string) {
			must(t, os.Truncate(names[0], 0))
		}, WordFraming, "the segment is empty: bring the file back"},
		"a file of the spool cut short": {func(w *world, names []string) {
			r := w.run("c", "http://b.test/1")
			first := w.page(r, "http://b.test/1", "body")
			must(t, os.Truncate(w.spool.Path(first.Segment), 100))
		}, WordDiffers, "'linkstead rebuild' takes in what is left of it"},
	} {
		t.Run(name, func(t *testing.T) {
			w, names := twoSegments(t)
			c.harm(w, names)
			d := w.inspected(false, false)
			tries := d.tries(c.word)
			if !slices.ContainsFunc(tries, func(s string) bool { return strings.Contains(s, c.wants) }) {
				t.Errorf("of %s is said %q", c.word, tries)
			}
			for _, f := range d.Flaws {
				only := name != "a copy of what is whole"
				if only && (strings.Contains(f.Try, "delete the copy") || strings.Contains(f.Try, "segments --lost")) {
					t.Errorf("%s: %s: %s", f.Word, f.Detail, f.Try)
				}
			}
		})
	}
}

// What is no file among the segments is named, and nobody waits for it: neither who verifies nor who makes the rows anew.
func TestWhatIsNoFileIsPassedOver(t *testing.T) {
	w, names := twoSegments(t)
	dir := filepath.Dir(names[0])
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"+segmentSuffix), 0o644))
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "evil"+segmentSuffix)))
	for _, mend := range []bool{false, true} {
		d := w.inspected(mend, false)
		tries := d.tries(WordUnknown)
		if len(d.Flaws) != 2 || d.Mended > 0 || !strings.Contains(tries[0], "a symbolic link, no file, and was passed over") || !strings.Contains(tries[1], "a named pipe") {
			t.Errorf("%d mended, %q", d.Mended, tries)
		}
	}
	want := w.dump()
	delete(want, "tasks") // one waits, and no record tells of it
	r := w.rebuild()
	if len(r.Odd) != 2 || len(r.Damaged)+len(r.Differ) > 0 {
		t.Errorf("rebuilt %+v", r)
	}
	same(t, w.dump(), want)
	must(t, os.Remove(names[0])) // a segment's own place, too
	must(t, syscall.Mkfifo(names[0], 0o644))
	if d := w.inspected(false, false); d.words()[WordMissing] != 1 {
		t.Errorf("a pipe in the place of a segment: %v", d.words())
	}
	if _, err := w.payload(w.captures("c", "http://a.test/1")[0]); err == nil {
		t.Error("a pipe was read")
	}
}

// What was verified is noted for whoever goes on; where that can't be, it is verified all the same.
func TestInspectWithoutState(t *testing.T) {
	w, _ := twoSegments(t)
	for name, path := range map[string]string{"no file": filepath.Join(w.dir, "spool"), "full disk": "/dev/full"} {
		s, err := OpenInspectState(path, "a", false)
		must(t, err)
		i := w.inspector()
		i.State = s
		d, err := i.Inspect(t.Context())
		must(t, err)
		if d.Left() > 0 || d.Segments != 2 || s.Fault() == nil {
			t.Errorf("%s: %+v, told %v", name, d, s.Fault())
		}
		must(t, s.Close())
	}
}

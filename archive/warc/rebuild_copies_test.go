package warc

import (
	"os"
	"path/filepath"
	"testing"
)

// A copy of a collection's folder, or of one segment under another name, is no part of the archive: a rebuild passes it over, and
// makes the rows that were there; verify calls it a copy, and what the rows name is whole.
func TestRebuildPassesCopiesOver(t *testing.T) {
	for name, to := range map[string]func(dir, base string) string{
		"a folder that sorts before": func(dir, base string) string { return filepath.Join(filepath.Dir(dir), "c.bak", base) },
		"a folder that sorts behind": func(dir, base string) string { return filepath.Join(filepath.Dir(dir), "d", base) },
		"a name that sorts before":   func(dir, base string) string { return filepath.Join(dir, "a"+base) },
		"a name that sorts behind":   func(dir, base string) string { return filepath.Join(dir, "z"+base) },
	} {
		t.Run(name, func(t *testing.T) {
			w, first := rotting(t)
			w.rebuild() // what no record tells of is gone
			want, copies := w.dump(), 0
			for _, from := range w.published() {
				b, err := os.ReadFile(from)
				must(t, err)
				at := to(filepath.Dir(first), filepath.Base(from))
				must(t, os.MkdirAll(filepath.Dir(at), 0o755))
				must(t, os.WriteFile(at, b, 0o644))
				copies++
			}
			for range 2 {
				r := w.rebuild()
				if len(r.Copies) != copies || len(r.Damaged)+len(r.Differ) > 0 {
					t.Errorf("%d copies: %+v", copies, r)
				}
				same(t, w.dump(), want)
			}
			d := w.inspected(true, true)
			if n := d.words()[WordUnknown]; n != copies || len(d.Flaws) != copies || d.Mended > 0 {
				t.Errorf("%d copies, %d mended: %+v", copies, d.Mended, d.Flaws)
			}
			same(t, w.dump(), want)
		})
	}
}

// What stands where no other does is taken, whatever it says of where it belongs: it may be all that there is.
func TestRebuildTakesWhatIsAlone(t *testing.T) {
	w, first := rotting(t)
	exchanges := w.rebuild().Exchanges
	names := w.published()
	moved := filepath.Join(filepath.Dir(first), "moved"+filepath.Base(names[0]))
	must(t, os.Rename(names[0], moved))
	// Two whose names were changed for each other's.
	must(t, os.Rename(names[1], names[0]))
	must(t, os.Rename(names[2], names[1]))
	must(t, os.Rename(names[0], names[2]))
	r := w.rebuild()
	if r.Exchanges != exchanges || len(r.Copies) > 0 {
		t.Errorf("%d exchanges, want %d: %+v", r.Exchanges, exchanges, r)
	}
	// A damaged one that stands where it belongs does not give way to its copy, which is kept and named.
	w, first = rotting(t)
	b, err := os.ReadFile(first)
	must(t, err)
	bak := filepath.Join(filepath.Dir(filepath.Dir(first)), "c.bak", filepath.Base(first))
	must(t, os.MkdirAll(filepath.Dir(bak), 0o755))
	must(t, os.WriteFile(bak, b, 0o644))
	b[30] ^= 1
	must(t, os.Remove(first))
	must(t, os.WriteFile(first, b, 0o644))
	if r := w.rebuild(); len(r.Copies) != 1 || len(r.Damaged) == 0 {
		t.Errorf("%+v", r)
	}
	if got := w.query(`SELECT DISTINCT collection FROM captures`); len(got) != 1 {
		t.Errorf("collections %v", got)
	}
}

package warc

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"linkstead/archive/outcome"
	"linkstead/storage"
)

// rotting is an archive of three runs: a post, an image, a failure and a page that another address has, too; a run that was told
// of each that it was not modified; and a third that got the image whole again, while the first was thought to be damaged.
func rotting(t *testing.T) (w *world, first string) {
	w = newWorld(t, nil, nil)
	u := []string{"http://a.test/post", "http://a.test/i.png", "http://a.test/gone", "http://a.test/x"}
	r := w.run("c", u...)
	w.add(withPost(w.entry(r, u[0], tagged("post"))))
	w.add(w.entry(r, u[1], tagged("image")))
	gone := w.entry(r, u[2], "")
	gone.Exchange.Outcome, gone.Exchange.Detail, gone.Exchange.Request, gone.Exchange.Response = outcome.DNS, "no such host", nil, nil
	w.add(gone)
	w.add(w.entry(r, u[3], tagged("page")))
	w.flush()
	c := w.captures("c", u[0])[0]
	first = filepath.Join(w.dir, "blobs", w.segment(c.Segment).Location)
	w.clock.Advance(time.Hour)
	r = w.run("c", u...)
	for _, k := range []int{0, 1, 3} {
		w.add(w.unmodified(r, w.captures("c", u[k])[0], later304))
	}
	w.flush()
	w.clock.Advance(time.Hour)
	r = w.run("c", u...)
	image := w.entry(r, u[1], tagged("image"))
	image.Anew = true
	w.add(image)
	other := w.entry(r, u[2], tagged("page")) // the same payload as another address: no page's head
	other.Anew = true
	w.add(other)
	w.flush()
	if d := w.inspected(false, false); d.Left() > 0 {
		t.Fatalf("faults to begin with: %+v", d.Flaws)
	}
	return w, first
}

func tagged(body string) string { return fmt.Sprintf(taggedResponse, len(body), body) }

// membersOf are the offsets of the records of a segment, and its end.
func membersOf(t *testing.T, b []byte) (out []int64) {
	for rec, err := range Scan(bytes.NewReader(b), 0) {
		must(t, err)
		out = append(out, rec.Offset)
	}
	return append(out, int64(len(b)))
}

// Whatever record is broken, what a rebuild makes of the rest is what verify asks for, row for row: all that it finds is the
// damage itself, and what led to what was lost and stands nowhere else.
func TestVerifyAgreesWithRebuild(t *testing.T) {
	w, name := rotting(t)
	whole, err := os.ReadFile(name)
	must(t, err)
	ms := membersOf(t, whole)
	for k := range ms[1:] {
		b := slices.Clone(whole)
		b[(ms[k]+ms[k+1])/2] ^= 0x10
		must(t, os.Remove(name))
		must(t, os.WriteFile(name, b, 0o644))
		r := w.rebuild()
		if len(r.Damaged) == 0 {
			t.Errorf("record %d: no damage", k)
		}
		lost := 0
		for _, f := range w.inspected(false, false).Flaws {
			switch f.Word {
			case WordTorn, WordFraming, WordDigest, WordRecord, WordUnclosed:
			case WordDangling:
				lost++
			case WordNoRow: // only the run's own record tells of the run
				if k != 1 {
					t.Errorf("record %d: %s", k, f.Detail)
				}
			default:
				t.Errorf("record %d of %d: %s at %d of %s: %s", k, len(ms)-1, f.Word, f.Offset, f.URL, f.Detail)
			}
		}
		if lost > 1 {
			t.Errorf("record %d: %d revisits lead nowhere", k, lost)
		}
		if n := len(w.query(`SELECT url FROM attempts`)); n > 1 {
			t.Errorf("record %d: %d failed attempts", k, n)
		}
	}
}

// A page that was not modified, and whose original is damaged, is led to the same page where it stands whole: by a rebuild, by a
// repair, and for a reader at once.
func TestRottenOriginals(t *testing.T) {
	image, page := "http://a.test/i.png", "http://a.test/x"
	harm := func(t *testing.T) (*world, storage.Capture) {
		w, name := rotting(t)
		b, err := os.ReadFile(name)
		must(t, err)
		for _, u := range []string{image, page} {
			c := w.captures("c", u)[0]
			b[c.Offset+c.Length-20] ^= 1
		}
		must(t, os.Remove(name))
		must(t, os.WriteFile(name, b, 0o644))
		w.lib = &Library{Shelves: w.db, Blobs: w.blobs, Spool: w.lib.Spool}
		return w, w.captures("c", image)[1]
	}
	t.Run("replay", func(t *testing.T) {
		w, c := harm(t)
		w.reads(c, "image")
		if _, err := w.payload(w.captures("c", page)[1]); err == nil {
			t.Error("a page of another address stands for it")
		}
	})
	for name, mend := range map[string]func(w *world){
		"repair": func(w *world) {
			d := w.inspected(true, false)
			if d.words()[WordDangling] != 2 || d.Mended != 1 {
				w.t.Errorf("%d mended: %v", d.Mended, d.words())
			}
		},
		"rebuild":         func(w *world) { w.rebuild() },
		"repair, deleted": func(w *world) { w.inspected(true, true) },
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := harm(t)
			mend(w)
			cs := w.captures("c", image)
			k := slices.IndexFunc(cs, func(c storage.Capture) bool { return c.Kind == KindRevisit })
			good := cs[len(cs)-1]
			if cs[k].RefersTo != location(good.Segment, good.Offset) {
				t.Errorf("it leads to %s, and the image stands at %s", cs[k].RefersTo, location(good.Segment, good.Offset))
			}
			w.reads(cs[k], "image")
			for _, f := range w.inspected(false, false).Flaws {
				if f.Word == WordDangling && f.URL != page || f.Word == WordTask {
					t.Errorf("%s of %s: %s", f.Word, f.URL, f.Detail)
				}
			}
		})
	}
}

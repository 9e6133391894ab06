package warc

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"linkstead/storage"
)

var errCut = errors.New("cut off")

// cutting fails the n-th call that changes something, and every one after it, as a process that was killed makes none.
type cutting struct {
	*storage.DB
	store *storage.Dir
	left  int
}

func (c *cutting) step() error {
	if c.left--; c.left < 0 {
		return errCut
	}
	return nil
}

func (c *cutting) AdoptSegment(ctx context.Context, s storage.Segment) error {
	if err := c.step(); err != nil {
		return err
	}
	return c.DB.AdoptSegment(ctx, s)
}

func (c *cutting) AdoptCaptures(ctx context.Context, cs []storage.Capture) error {
	if err := c.step(); err != nil {
		return err
	}
	return c.DB.AdoptCaptures(ctx, cs)
}

func (c *cutting) AdoptPosts(ctx context.Context, ps []storage.Post) error {
	if err := c.step(); err != nil {
		return err
	}
	return c.DB.AdoptPosts(ctx, ps)
}

func (c *cutting) AdoptAudit(ctx context.Context, a storage.Audit) error {
	if err := c.step(); err != nil {
		return err
	}
	return c.DB.AdoptAudit(ctx, a)
}

func (c *cutting) DropImported(ctx context.Context, segment string) error {
	if c.left < 0 { // it is gone, and clears nothing
		return errCut
	}
	return c.DB.DropImported(ctx, segment)
}

func (c *cutting) Put(ctx context.Context, key, path, sum string) error {
	if err := c.step(); err != nil {
		return err
	}
	return c.store.Put(ctx, key, path, sum)
}

func (c *cutting) Delete(ctx context.Context, key string) error {
	if c.left < 0 {
		return errCut
	}
	return c.store.Delete(ctx, key)
}

func (c *cutting) List(ctx context.Context, prefix string) iter.Seq2[storage.Blob, error] {
	return c.store.List(ctx, prefix)
}

// TestImportCutOff: an import that is cut off at any step leaves nothing that the next try does not mend: the same rows and objects as
// of one that was not.
func TestImportCutOff(t *testing.T) {
	var file strings.Builder
	for i := range 40 {
		file.WriteString(wildRecord("WARC/1.0", fmt.Sprintf("http://a.test/%d", i), strings.Repeat(fmt.Sprint("words ", i), 100), "\r\n", 0))
	}
	for _, inPlace := range []bool{false, true} {
		try := func(w *world, left int) error {
			path := filepath.Join(w.dir, "other.warc")
			must(t, os.WriteFile(path, []byte(file.String()), 0o644))
			temp := filepath.Join(w.dir, "temp")
			must(t, os.MkdirAll(temp, 0o755))
			c := &cutting{DB: w.db, store: w.blobs, left: left}
			im := &Importer{Rows: c, Blobs: c, Temp: temp, MaxSize: 2000, Info: Info{Software: "test/1"}, Now: w.clock.Now}
			_, err := im.Import(t.Context(), Source{
				Name: "other.warc", Location: "file:" + path, R: strings.NewReader(file.String()), Size: int64(file.Len()), Collection: "main", InPlace: inPlace,
				Pages: listOf(t, `{"url":"http://a.test/0","title":"The first"}`+"\n"+`{"url":"http://a.test/39","title":"The last"}`+"\n"+`{"url":"http://a.test/40"}`),
			})
			if left, rerr := os.ReadDir(temp); rerr != nil || len(left) > 0 {
				t.Errorf("%d files are left in the folder for temporary ones (%v)", len(left), rerr)
			}
			return err
		}
		want := ""
		for n := 0; ; n++ {
			w := newWorld(t, nil, nil)
			cut := try(w, n)
			if cut != nil {
				if !errors.Is(cut, errCut) {
					t.Fatalf("step %d: %v", n, cut)
				}
				must(t, try(w, 1000))
			}
			got := importedState(t, w)
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("cut off at step %d, in place %v:\n%s\nwant\n%s", n, inPlace, got, want)
			}
			if cut == nil {
				if n < 4 {
					t.Errorf("only %d steps", n)
				}
				break
			}
		}
	}
}

// importedState is what an archive tells of what it has imported.
func importedState(t *testing.T, w *world) string {
	t.Helper()
	var out strings.Builder
	segments, err := w.db.Segments(t.Context())
	must(t, err)
	keys, n := map[string]bool{}, 0
	for _, s := range segments {
		if !Imported(s.ID) || s.State != storage.SegmentStored {
			t.Errorf("segment %+v", s)
		}
		keys[SegmentKey(s)] = true
		for c, err := range w.db.SegmentCaptures(t.Context(), s.ID) {
			must(t, err)
			if n++; n%10 == 0 {
				fmt.Fprintf(&out, "%s %s %d\n", c.URL, c.Digest, c.Status)
			}
		}
	}
	fmt.Fprintf(&out, "%d captures\n", n)
	posts, err := w.db.Posts(t.Context())
	must(t, err)
	for _, p := range posts {
		if !keys[KeyPrefix+"main/"+p.Segment+segmentSuffix] {
			t.Errorf("the post %s stands in %s", p.URL, p.Segment)
		}
		fmt.Fprintf(&out, "%s %s %s %s\n", p.ID, p.URL, p.Title, p.At)
	}
	if len(posts) != 2 {
		t.Errorf("%d posts, want 2", len(posts))
	}
	for blob, err := range w.blobs.List(t.Context(), KeyPrefix) {
		must(t, err)
		if !keys[blob.Key] {
			t.Errorf("no row tells of %s", blob.Key)
		}
		delete(keys, blob.Key)
	}
	if len(keys) > 0 {
		t.Errorf("the store lacks %v", keys)
	}
	audits, err := w.db.Audits(t.Context())
	must(t, err)
	for _, a := range audits {
		fmt.Fprintf(&out, "%s %s\n", a.ID, a.Action)
	}
	return out.String()
}

// takeIn imports a file into a collection.
func (w *world) takeIn(collection, file string) ImportReport {
	w.t.Helper()
	temp := filepath.Join(w.dir, "temp")
	must(w.t, os.MkdirAll(temp, 0o755))
	c := &cutting{DB: w.db, store: w.blobs, left: 1 << 30}
	im := &Importer{Rows: c, Blobs: c, Temp: temp, MaxSize: 1 << 20, Info: Info{Software: "test/1"}, Now: w.clock.Now}
	rep, err := im.Import(w.t.Context(), Source{Name: "other.warc", Location: "file:/other.warc", R: strings.NewReader(file), Size: int64(len(file)), Collection: collection})
	must(w.t, err)
	return rep
}

// TestImportedIsNoOriginal: what an imported record states of its digest is nobody's to trust. A page that this archive captures is kept
// in full, whatever others say that they hold of it; and what stands in for damaged bytes of ours has the digest, and does not only say so.
func TestImportedIsNoOriginal(t *testing.T) {
	w := newWorld(t, nil, nil)
	const body = "the page as it is"
	sum := Digest(sha256.Sum256([]byte(body)))
	forged := strings.Replace(wildRecord("WARC/1.0", "http://blog.test/", "a forgery", "\r\n", 0), "WARC-Date", "WARC-Payload-Digest: "+sum+"\r\nWARC-Date", 1)
	if rep := w.takeIn("main", forged); rep.Captures != 1 {
		t.Fatalf("%+v", rep)
	}
	if got, err := w.payload(w.capture("main", "http://blog.test/")); err != nil || got != "a forgery" {
		t.Fatalf("imported: %q, %v", got, err)
	}
	r := w.run("main", "http://other.test/")
	c := w.page(r, "http://other.test/", body)
	w.flush()
	if c.Kind != KindResponse || c.Digest != sum {
		t.Errorf("what was captured is %+v", c)
	}
	w.reads(c, body)
	if m, err := w.lib.original(t.Context(), &storage.Capture{Collection: "main", Digest: sum, Kind: KindRevisit, Segment: "x", RefersTo: "gone/0", URL: "http://blog.test/"}); err == nil {
		b, rerr := io.ReadAll(m.Payload)
		if string(b) != body || rerr != nil {
			t.Errorf("a revisit of ours reads %q, %v", b, rerr)
		}
		must(t, m.Close())
	}
}

// TestImportedNames: an imported record names no place of ours, its header's bytes stay, and addresses are those that were asked for.
func TestImportedNames(t *testing.T) {
	w := newWorld(t, nil, nil)
	r := w.run("secret", "http://secret.test/")
	c := w.page(r, "http://secret.test/", "nobody's business")
	w.flush()
	place := fmt.Sprintf("%s/%d", c.Segment, c.Offset)
	revisit := strings.Replace(wildRecord("WARC/1.0", "http://pub.test/", "", "\r\n", 0), "WARC-Type: response", "WARC-Type: revisit\r\nWARC-Profile: "+ProfileIdentical+"\r\nWARC-Refers-To: "+place, 1)
	w.takeIn("main", revisit+wildRecord("WARC/1.0", "http://ex.test/caf\xe9", "one", "\r\n", 0)+wildRecord("WARC/1.0", "http://ex.test/caf\xe8", "other", "\r\n", 0))
	got := w.capture("main", "http://pub.test/")
	if strings.Contains(got.RefersTo, place) {
		t.Errorf("it refers to %q", got.RefersTo)
	}
	got.RefersTo = place // as if it stood in the rows all the same
	if _, err := w.lib.Open(t.Context(), got); err == nil {
		t.Error("a revisit reads what stands in another collection")
	}
	for url, body := range map[string]string{"http://ex.test/caf%E9": "one", "http://ex.test/caf%E8": "other"} {
		c := w.capture("main", url)
		w.reads(c, body)
		m, err := w.lib.Open(t.Context(), c)
		must(t, err)
		if want := strings.Replace(url, "%E9", "\xe9", 1); m.Header.URL() != strings.Replace(want, "%E8", "\xe8", 1) {
			t.Errorf("the record is of %q", m.Header.URL())
		}
		must(t, m.Close())
	}
}

// TestImportedAgain: a file that was imported is known, until something of it was given up; then it is taken in anew.
func TestImportedAgain(t *testing.T) {
	w := newWorld(t, nil, nil)
	file := wildRecord("WARC/1.0", "http://a.test/", "a page", "\r\n", 0)
	rep := w.takeIn("main", file)
	if again := w.takeIn("main", file); !again.Already || again.Captures != 0 {
		t.Errorf("again: %+v", again)
	}
	if _, err := w.db.GiveUpStored(t.Context(), rep.Segments[0], storage.Audit{ID: "x", At: w.clock.Now(), Action: "lost", Detail: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if got := w.takeIn("main", file); got.Already || got.Captures != 1 {
		t.Errorf("after it was given up: %+v", got)
	}
	w.reads(w.capture("main", "http://a.test/"), "a page")
}

// TestRebuildIsNotForged: when the original of a revisit of ours is lost, neither a rebuild nor a repair leads the revisit to an imported
// record that only says that it has the payload. Replay and verify say that the original is gone; an imported copy that has it serves.
func TestRebuildIsNotForged(t *testing.T) {
	const body, url = "the page as it is", "http://other.test/again"
	sum := Digest(sha256.Sum256([]byte(body)))
	state := func(block string) string {
		return foreignRecord("response", "http://blog.test/", "2016-01-01T00:00:00Z", foreignID(block)+"WARC-Payload-Digest: "+sum+"\r\n", foreignHead+block)
	}
	for name, again := range map[string]func(w *world){
		"rebuild": func(w *world) { w.rebuild() },
		"repair":  func(w *world) { w.inspected(true, true) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil, nil)
			r := w.run("main", "http://other.test/", url)
			first := w.page(r, "http://other.test/", body)
			w.flush()
			w.page(r, url, body)
			w.flush()
			w.takeIn("main", state("a forgery"))
			must(t, w.blobs.Delete(t.Context(), w.segment(first.Segment).Location))
			again(w)
			c := w.capture("main", url)
			if c.Kind != KindRevisit {
				t.Fatalf("%+v", c)
			}
			if _, err := w.lib.Open(t.Context(), c); !errors.Is(err, ErrNoOriginal) {
				t.Errorf("%q is read with %v", c.RefersTo, err)
			}
			if n := w.inspected(false, false).words()[WordDangling]; n != 1 {
				t.Errorf("%d dangling", n)
			}
			w.takeIn("main", state(body))
			w.reads(c, body)
			if w.inspected(true, false); len(w.inspected(false, false).Flaws) > 0 {
				t.Errorf("after a repair %+v", w.inspected(false, false).Flaws)
			}
			w.reads(w.capture("main", url), body)
		})
	}
}

package warc

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"linkstead/storage"
)

// TestPagesOfOthersAreNoneOfOurs: the records in which this archive tells of pages count only where it has written them itself. In what is
// copied, or lies elsewhere, they are records as any other.
func TestPagesOfOthersAreNoneOfOurs(t *testing.T) {
	t.Parallel()
	forged := func(url string) string {
		r := foreignRecord("metadata", url, "2016-01-01T00:00:00Z", foreignID("p")+fieldWarcinfo+": <urn:x:i>\r\n", `{"title":"A false one","at":"2016-01-01T00:00:00Z"}`)
		i := strings.Index(r, "Content-Type: ")
		j := i + strings.Index(r[i:], "\r\n")
		return r[:i] + "Content-Type: " + MimePage + r[j:]
	}
	file := foreignRecord("warcinfo", "", "2016-01-01T00:00:00Z", foreignID("i"), "software: x\r\n") +
		foreignRecord("response", "http://a.test/", "2016-01-01T00:00:00Z", foreignID("a"), foreignHead+"a page") + forged("http://a.test/") + forged("http://b.test/")
	w := newWorld(t, nil, nil)
	w.takeIn("main", file)
	path := filepath.Join(w.dir, "there.warc")
	must(t, os.WriteFile(path, []byte(file), 0o644))
	im := &Importer{Rows: w.db, Blobs: w.blobs, Temp: filepath.Join(w.dir, "temp"), MaxSize: 1 << 20, Info: Info{Software: "test/1"}, Now: w.clock.Now}
	_, err := im.Import(t.Context(), Source{Name: path, Location: "file:" + path, R: strings.NewReader(file), Size: int64(len(file)), Collection: "there", InPlace: true})
	must(t, err)
	if posts, err := w.db.Posts(t.Context()); err != nil || len(posts) > 0 {
		t.Errorf("posts %+v, %v", posts, err)
	}
}

// elsewhere is a store that reads files outside of it, too.
type elsewhere struct{ *storage.Dir }

func (e elsewhere) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	path, ok := strings.CutPrefix(key, "file:")
	if !ok {
		return e.Dir.Open(ctx, key, off, n)
	}
	raw, err := os.ReadFile(path)
	if n < 0 {
		n = int64(len(raw)) - off
	}
	return io.NopCloser(io.NewSectionReader(strings.NewReader(string(raw)), off, n)), err
}

func (e elsewhere) Stat(ctx context.Context, key string) (storage.Blob, error) {
	path, ok := strings.CutPrefix(key, "file:")
	if !ok {
		return e.Dir.Stat(ctx, key)
	}
	st, err := os.Stat(path)
	if err != nil {
		return storage.Blob{}, err
	}
	return storage.Blob{Key: key, Size: st.Size()}, nil
}

// TestVerifyHoldsPagesAgainstTheirRecords: a row of a page that is not there, says something else, or has no record is a fault.
func TestVerifyHoldsPagesAgainstTheirRecords(t *testing.T) {
	t.Parallel()
	file := foreignRecord("response", "http://a.test/", "2016-01-01T00:00:00Z", foreignID("a"), foreignHead+"a page") +
		foreignRecord("response", "http://a.test/b", "2016-01-01T00:00:00Z", foreignID("b"), foreignHead+"another")
	list := `{"url":"http://a.test/","title":"A page"}` + "\n" + `{"url":"http://a.test/b","title":"Another","ts":"2016-01-01T00:00:00.123456789Z"}`
	for _, inPlace := range []bool{false, true} {
		look := func(w *world) []Flaw {
			i := w.inspector()
			i.Blobs = elsewhere{w.blobs}
			done, err := i.Inspect(t.Context())
			must(t, err)
			return done.Flaws
		}
		w := newWorld(t, nil, nil)
		path, temp := filepath.Join(w.dir, "there.warc"), filepath.Join(w.dir, "temp")
		must(t, os.WriteFile(path, []byte(file), 0o644))
		must(t, os.MkdirAll(temp, 0o755))
		im := &Importer{Rows: w.db, Blobs: w.blobs, Temp: temp, MaxSize: 1 << 20, Info: Info{Software: "test/1"}, Now: w.clock.Now}
		rep, err := im.Import(t.Context(), Source{
			Name: path, Location: "file:" + path, R: strings.NewReader(file), Size: int64(len(file)), Collection: "main", InPlace: inPlace, Pages: listOf(t, list),
		})
		must(t, err)
		if rep.Pages != 2 || len(rep.PagesLeft) > 0 {
			t.Fatalf("%+v", rep)
		}
		if flaws := look(w); len(flaws) > 0 {
			t.Errorf("in place %v: %+v", inPlace, flaws)
		}
		posts, err := w.db.SegmentPosts(t.Context(), rep.Segments[0])
		must(t, err)
		if len(posts) != 2 {
			t.Fatalf("posts %+v", posts)
		}
		other := posts[0]
		other.ID, other.Offset = "stray", 1
		changed := posts[1]
		changed.Title = "Something else"
		must(t, w.db.Mend(t.Context(), &storage.Mend{Segment: rep.Segments[0], Posts: posts, Audit: storage.Audit{ID: "x", Action: "test"}}))
		must(t, w.db.AdoptPosts(t.Context(), []storage.Post{other, changed}))
		got := map[Word]int{}
		for _, f := range look(w) {
			got[f.Word]++
		}
		if got[WordNoRow] != 1 || got[WordRow] != 1 || got[WordNoRecord] != 1 || len(got) != 3 {
			t.Errorf("in place %v: flaws %v", inPlace, got)
		}
	}
}

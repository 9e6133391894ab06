package storagetest

import (
	"fmt"
	"strings"
	"testing"

	"linkstead/storage"
)

// Tails holds a database to the contract of addresses that are found by how they end, or begin.
func Tails(t *testing.T, rows Rows) {
	suite(t, rows, []test{
		{"Ending", tailsEnding},
		{"Beginning", tailsBeginning},
		{"Hostile", tailsHostile},
		{"Gone", tailsGone},
	})
}

func (b *bench) ending(rest string) string {
	b.t.Helper()
	out, err := b.URLsEnding(b.t.Context(), "c", rest, 10)
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.Join(out, " ")
}

// document captures an address as a document of a type.
func document(segment string, offset int64, url, mime string, status int, b *bench) storage.Capture {
	c := capture(segment, offset, url, b.clock.Now())
	c.Mime, c.Status = mime, status
	return c
}

const cutStory = "https://www.paper.test/world/2016/02/06/us-drops-demand--politics.html"

// tailsEnding: links and captured documents are found by how they end, whatever became of dashes, escapes and case.
func tailsEnding(b *bench) {
	b.post(citing("p", 1, b.clock.Now(), cutStory, "http://a.test/x?q=1", "http://a.test/caf%C3%A9/"))
	b.openSegment("s")
	b.adopt(document("s", 10, "http://b.test/one.html", "text/html", 200, b), document("s", 20, "http://b.test/style.css", "text/css", 200, b),
		document("s", 30, "http://b.test/gone.html", "text/html", 404, b), document("s", 40, "http://b.test/one.html", "text/html", 200, b))
	for rest, want := range map[string]string{
		"–politics.html": cutStory, "--politics.html": cutStory, "demand—Politics.html": cutStory, "-politics.html": cutStory,
		"/2016/02/06/us-drops-demand--politics.html": cutStory, "://www.paper.test/world/2016/02/06/us-drops-demand–politics.html": cutStory,
		"–politics.html?x=1#y": cutStory, "other–politics.html": "", "/x": "http://a.test/x?q=1", "café": "http://a.test/caf%C3%A9/",
		"one.html": "http://b.test/one.html", "style.css": "", "gone.html": "", "": "", "/": "", "?": "",
	} {
		if got := b.ending(rest); got != want {
			b.t.Errorf("%q ends %q, want %q", rest, got, want)
		}
	}
	if out, err := b.URLsEnding(b.t.Context(), "other", "politics.html", 10); err != nil || len(out) != 0 {
		b.t.Errorf("another collection: %q, %v", out, err)
	}
	if out, err := b.URLsEnding(b.t.Context(), "c", "html", 1); err != nil || len(out) != 1 {
		b.t.Errorf("bounded: %q, %v", out, err)
	}
}

// tailsBeginning: addresses are found by how they begin, long ones too.
func tailsBeginning(b *bench) {
	long := "http://long.test/" + strings.Repeat("é", 300)
	b.post(citing("p", 1, b.clock.Now(), cutStory, "https://www.paper.test/about", long+"a", long+"b"))
	for head, want := range map[string]string{
		"https://www.paper.test/world/2016/02/06/us": cutStory, "https://www.paper.test/world/2017": "", long + "b": long + "b", "": "",
		"https://www.paper.test/": "https://www.paper.test/about " + cutStory,
	} {
		out, err := b.URLsBeginning(b.t.Context(), "c", head, 10)
		if got := strings.Join(out, " "); err != nil || got != want {
			b.t.Errorf("%.60q begins %.80q, %v; want %.80q", head, got, err, want)
		}
	}
}

// tailsHostile: nothing that stands in an address or in a text spoils an answer, or a write.
func tailsHostile(b *bench) {
	odd := []string{"http://h.test/\xff", "http://h.test/%00x", "http://h.test/a\x00b", "http://h.test/100%", "http://h.test/'; DROP TABLE tails; --", "http://h.test/" + strings.Repeat("x", 20_000)}
	b.post(citing("p", 1, b.clock.Now(), odd...))
	for i, u := range odd {
		for _, rest := range []string{u, u[len("http://h.test"):]} {
			if out, err := b.URLsEnding(b.t.Context(), "c", rest, 10); err != nil || len(out) != 1 {
				b.t.Errorf("%d: %.40q, %v", i, out, err)
			}
		}
		if _, err := b.URLsBeginning(b.t.Context(), "c", u, 10); err != nil {
			b.t.Error(err)
		}
	}
}

// tailsGone: an address that nothing names any more is forgotten; what is cited or captured is not.
func tailsGone(b *bench) {
	ctx := b.t.Context()
	b.post(citing("p", 1, b.clock.Now(), "http://a.test/cited.html", "http://a.test/both.html"))
	b.openSegment("t")
	b.adopt(document("t", 10, "http://a.test/both.html", "text/html", 200, b))
	if err := b.Mend(ctx, &storage.Mend{Segment: "s", Posts: []storage.Post{{ID: "p", Run: 1}}}); err != nil {
		b.t.Fatal(err)
	}
	if err := b.DropUncited(ctx); err != nil {
		b.t.Fatal(err)
	}
	if got := b.ending(".html"); got != "http://a.test/both.html" {
		b.t.Errorf("%q are left", got)
	}
	if err := b.FillTails(ctx); err != nil {
		b.t.Error(err)
	}
	if err := b.DropImported(ctx, "t"); err != nil {
		b.t.Fatal(err)
	}
	if err := b.DropUncited(ctx); err != nil {
		b.t.Fatal(err)
	}
	if got := b.ending(".html"); got != "" {
		b.t.Errorf("%q are left", got)
	}
}

// Tailed fills a database with n addresses, for benchmarks.
func Tailed(t testing.TB, db *storage.DB, n int) {
	t.Helper()
	for from := 0; from < n; from += 1000 {
		p := storage.Post{ID: fmt.Sprint("p", from), Run: int64(from + 1), Collection: "c", Source: fmt.Sprint(from), Segment: "s"}
		for i := from; i < min(n, from+1000); i++ {
			p.Citations = append(p.Citations, storage.Citation{Seq: i - from,
				URL: fmt.Sprintf("https://host%d.example.org/2016/%02d/story-%d-of-the-day--politics.html", i%500, i%12+1, i)})
		}
		if err := db.Adopt(t.Context(), []storage.End{{Post: &p}}); err != nil {
			t.Fatal(err)
		}
	}
}

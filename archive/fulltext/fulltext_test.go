package fulltext_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"linkstead/archive/access"
	"linkstead/archive/fulltext"
	"linkstead/archive/guard"
	"linkstead/archive/httpmsg"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// shelf holds payloads by their digests.
type shelf map[string]string

func (s shelf) Open(_ context.Context, c storage.Capture) (*warc.Memento, error) {
	body, ok := s[c.Digest]
	switch {
	case !ok:
		return nil, storage.ErrNotFound
	case body == "elsewhere":
		return nil, warc.ErrElsewhere
	}
	head, err := httpmsg.ParseHead([]byte("HTTP/1.1 200 OK\r\nContent-Type: " + c.Mime + "; charset=utf-8\r\n\r\n"))
	return &warc.Memento{Capture: c, Head: head, Original: head, Payload: strings.NewReader(body)}, err
}

type world struct {
	*testing.T
	db      *storage.DB
	shelf   shelf
	segment int
}

func newWorld(t *testing.T) *world {
	db, err := storage.OpenDB(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "linkstead.db"), storage.DBOptions{})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return &world{T: t, db: db, shelf: shelf{}}
}

// captured puts captures of pages into a segment; a change makes each another than a page that answered well.
func (w *world) captured(change func(*storage.Capture), urls ...string) {
	w.Helper()
	w.segment++
	id := fmt.Sprintf("s%d", w.segment)
	must(w, w.db.OpenSegment(w.Context(), storage.Segment{ID: id, Collection: "c", Node: "n", State: storage.SegmentOpen, Created: now}))
	for i, u := range urls {
		c := storage.Capture{Collection: "c", URLKey: urlkey.Key(u), URL: u, At: now.Add(time.Duration(w.segment) * time.Hour), Segment: id, Offset: int64(100 * i), Length: 10,
			Status: 200, Mime: "text/html", Digest: u, Kind: "response", RecordID: id + u, Size: 1, Outcome: "ok"}
		if change != nil {
			change(&c)
		}
		must(w, w.db.Adopt(w.Context(), []storage.End{{Captures: []storage.Capture{c}}}))
	}
}

func (w *world) index() fulltext.Done {
	w.Helper()
	d, err := (&fulltext.Indexer{Rows: w.db, Library: w.shelf}).Run(w.Context())
	must(w, err)
	return d
}

func (w *world) find(captures fulltext.Captures, a fulltext.Ask, query string) (out []string) {
	w.Helper()
	q, err := fulltext.Parse(query)
	must(w, err)
	a.Query, a.Collections = q, []string{"c"}
	found, err := (&fulltext.Finder{Texts: w.db, Captures: captures}).Find(w.Context(), a)
	must(w, err)
	for _, r := range found.Results {
		out = append(out, r.Capture.URL)
	}
	return out
}

// What is indexed, and that it is done once.
func TestWhatIsIndexed(t *testing.T) {
	w := newWorld(t)
	w.shelf["http://a.test/"] = "<title>One</title><nav>imprint</nav><p>The words of a page, which go on for long enough that its menu is no part of what it says: " + strings.Repeat("and on ", 50)
	w.shelf["http://a.test/b"] = "words as they are"
	w.shelf["http://a.test/robots.txt"] = "words for robots"
	for _, c := range []struct {
		change func(*storage.Capture)
		url    string
		texts  int64
	}{
		{nil, "http://a.test/", 1},
		{nil, "http://a.test/", 0}, // the same payload
		{func(c *storage.Capture) { c.Mime = "text/plain" }, "http://a.test/b", 1},
		{func(c *storage.Capture) { c.Mime, c.Digest = "image/png", "x" }, "http://a.test/b", 0},
		{func(c *storage.Capture) { c.Status = 404; c.Digest = "y" }, "http://a.test/b", 0},
		{func(c *storage.Capture) { c.Flags = "bot"; c.Digest = "z" }, "http://a.test/b", 0},
		{func(c *storage.Capture) { c.Kind = "truncated"; c.Digest = "u" }, "http://a.test/b", 0},
		{func(c *storage.Capture) { c.Mime = "text/plain" }, "http://a.test/robots.txt", 0},
		{nil, "http://a.test/lost", 0},
	} {
		w.captured(c.change, c.url)
		if d := w.index(); d.Texts != c.texts || d.Captures != 1 {
			t.Errorf("%s: %+v, want %d texts", c.url, d, c.texts)
		}
	}
	if d := w.index(); d != (fulltext.Done{}) {
		t.Errorf("again: %+v", d)
	}
	if got := w.find(w.db, fulltext.Ask{}, "words"); len(got) != 2 {
		t.Errorf("found %q", got)
	}
	if got := w.find(w.db, fulltext.Ask{}, "imprint"); len(got) != 0 {
		t.Errorf("found %q", got)
	}
}

// What another machine holds is waited for, and nothing behind it is passed over.
func TestElsewhere(t *testing.T) {
	w := newWorld(t)
	w.shelf["http://a.test/1"], w.shelf["http://a.test/2"], w.shelf["http://a.test/3"] = "first words", "elsewhere", "third words"
	w.captured(nil, "http://a.test/1", "http://a.test/2", "http://a.test/3")
	if d := w.index(); d.Texts != 1 || d.Waiting != 1 {
		t.Errorf("%+v", d)
	}
	w.shelf["http://a.test/2"] = "second words"
	if d := w.index(); d.Texts != 2 || d.Waiting != 0 {
		t.Errorf("later: %+v", d)
	}
	if got := w.find(w.db, fulltext.Ask{}, "words"); len(got) != 3 {
		t.Errorf("found %q", got)
	}
}

// A reader finds what may be seen, and learns of nothing else: neither hits nor counts.
func TestReaders(t *testing.T) {
	w := newWorld(t)
	w.shelf["http://a.test/open"], w.shelf["http://a.test/secret"], w.shelf["shared"] = "open words to be found", "secret words to be found", "shared words in two places"
	w.captured(nil, "http://a.test/open", "http://a.test/secret")
	w.captured(func(c *storage.Capture) { c.Digest = "shared" }, "http://a.test/secret/too", "http://a.test/open/too")
	w.index()
	change := access.Change{ID: "1", At: now, Sets: true, Rule: access.Rule{ID: "r", Collection: "c", Pattern: "http://a.test/secret*", Effect: access.Private, Reason: "why", Since: now}}
	raw, err := change.Encode()
	must(t, err)
	must(t, w.db.ChangeAccess(t.Context(), "c", func([]storage.AccessChange) ([]storage.AccessChange, error) {
		return []storage.AccessChange{{ID: "1", Rule: "r", At: now, Sets: true, Change: raw}}, nil
	}))
	g := &guard.Guard{Rows: w.db, Rules: w.db, Now: func() time.Time { return now.Add(240 * time.Hour) }, Fresh: 1}
	for _, c := range []struct {
		query, all, readers string
	}{
		{"secret", "[http://a.test/secret]", "[]"},
		{"found", "[http://a.test/open http://a.test/secret]", "[http://a.test/open]"},
		{`"two places"`, "[http://a.test/secret/too]", "[http://a.test/open/too]"},
	} {
		if got := fmt.Sprint(w.find(g, fulltext.Ask{}, c.query)); got != c.readers {
			t.Errorf("readers find %s for %s, want %s", got, c.query, c.readers)
		}
		all := w.find(w.db, fulltext.Ask{}, c.query)
		slices.Sort(all)
		if got := fmt.Sprint(all); got != c.all {
			t.Errorf("the archivist finds %s for %s, want %s", got, c.query, c.all)
		}
	}
	f := &fulltext.Finder{Texts: w.db, Captures: g}
	if qs, err := f.Quotation(t.Context(), "secret words to be found", fulltext.Ask{Collections: []string{"c"}}); err != nil || len(qs) != 0 {
		t.Errorf("%+v, %v", qs, err)
	}
}

func TestNarrowed(t *testing.T) {
	w := newWorld(t)
	for _, u := range []string{"http://a.test/", "http://www.a.test/x", "http://b.test/", "http://ba.test/"} {
		w.shelf[u] = "words of " + u
	}
	w.captured(nil, "http://a.test/", "http://b.test/", "http://ba.test/")
	w.captured(nil, "http://www.a.test/x")
	w.shelf["other"] = "words of another version"
	w.captured(func(c *storage.Capture) { c.Digest = "other" }, "http://b.test/")
	w.index()
	for _, c := range []struct {
		a    fulltext.Ask
		want int
	}{
		{fulltext.Ask{}, 4}, // of an address once
		{fulltext.Ask{Site: "a.test"}, 2},
		{fulltext.Ask{Site: "*.A.test."}, 2},
		{fulltext.Ask{Limit: 1}, 1},
		{fulltext.Ask{From: now.Add(90 * time.Minute)}, 2},
		{fulltext.Ask{To: now.Add(90 * time.Minute)}, 3},
		{fulltext.Ask{To: now}, 0},
	} {
		if got := w.find(w.db, c.a, "words"); len(got) != c.want {
			t.Errorf("%+v finds %q, want %d", c.a, got, c.want)
		}
	}
}

// A long text is found at its end, across its parts, and once.
func TestLongTexts(t *testing.T) {
	w := newWorld(t)
	var sb strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&sb, "word%d ", i)
	}
	w.shelf["http://a.test/"] = sb.String()
	w.captured(func(c *storage.Capture) { c.Mime = "text/plain" }, "http://a.test/")
	w.index()
	for _, q := range []string{`"word19998 word19999"`, `"word3995 word3996 word3997 word3998 word3999 word4000 word4001 word4002"`, "word0", "wor*"} {
		if got := w.find(w.db, fulltext.Ask{}, q); len(got) != 1 {
			t.Errorf("%s finds %q", q, got)
		}
	}
	f := &fulltext.Finder{Texts: w.db, Captures: w.db}
	words := strings.Fields(sb.String())
	quotation := strings.Join(words[7950:7970], " ") + " […] " + strings.Join(words[7990:8030], " ")
	qs, err := f.Quotation(t.Context(), strings.Replace(quotation, "word7960", "another", 1), fulltext.Ask{Collections: []string{"c"}})
	if err != nil || len(qs) != 1 || !qs[0].Match.Found || qs[0].Match.Score < 0.9 || qs[0].Match.Score == 1 {
		t.Errorf("%d found, %v", len(qs), err)
	}
}

func TestSnippets(t *testing.T) {
	w := newWorld(t)
	w.shelf["http://a.test/"] = "<title>Cats</title><p>" + strings.Repeat("nothing of note ", 100) + "<p>the Café in the\nmiddle of the town " + strings.Repeat("goes on ", 100)
	w.captured(nil, "http://a.test/")
	w.index()
	f := &fulltext.Finder{Texts: w.db, Captures: w.db}
	for query, want := range map[string]string{
		`cafe "of the town"`: "[Café] in the middle [of the town] ",
		"cats":               "nothing of note nothing",
		"mid*":               "in the [middle] of the",
	} {
		q, err := fulltext.Parse(query)
		must(t, err)
		found, err := f.Find(t.Context(), fulltext.Ask{Query: q, Collections: []string{"c"}})
		must(t, err)
		if len(found.Results) != 1 {
			t.Fatalf("%s: %+v", query, found)
		}
		got := ""
		for _, p := range found.Results[0].Snippet {
			if p.Mark {
				got += "[" + p.Text + "]"
			} else {
				got += p.Text
			}
		}
		if !strings.Contains(got, want) || len(got) > 600 {
			t.Errorf("%s: %q, want %q in it", query, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	w := newWorld(t)
	w.shelf["http://a.test/"] = "The U.S.-Russian talks, l’homme d’état, e-mail; iPhoneを買う"
	w.captured(nil, "http://a.test/")
	w.index()
	for query, want := range map[string]int{
		"u.s.": 1, "U.S.-Russian": 1, `"russian TALKS"`: 1, `"talks russian"`: 0, "talks -homme": 0, "talks -femme": 1, `talks -"russian talks"`: 0,
		"etat": 1, "état": 1, "mai*": 1, "e-mai*": 1, "「を買う」": 1, "買": 1, "う": 1, "iphoneを": 1, "売": 0, `“russian talks”`: 1, `"russian tal"*`: 1, `"unclosed talks`: 0, "AND talks": 0, "talks OR x": 0,
	} {
		if got := w.find(w.db, fulltext.Ask{}, query); len(got) != want {
			t.Errorf("%s finds %q, want %d", query, got, want)
		}
	}
	for _, bad := range []string{"", "  ", "-x", `""`, "…", "*", strings.Repeat("a ", 40), strings.Repeat("a", 3000), "a\xff"} {
		if _, err := fulltext.Parse(bad); err == nil {
			t.Errorf("%.20q is understood", bad)
		}
	}
}

// No query of any bytes is a fault of the database.
func FuzzParse(f *testing.F) {
	db, err := storage.OpenDB(context.Background(), "sqlite:"+filepath.Join(f.TempDir(), "linkstead.db"), storage.DBOptions{})
	must(f, err)
	f.Cleanup(func() { _ = db.Close() })
	for _, s := range []string{`a "b c" -d e*`, `"`, `-"x`, "東京*", "NEAR(a b)", `a:"b`, "'; --"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := fulltext.Parse(s)
		if err != nil {
			return
		}
		finder := &fulltext.Finder{Texts: db, Captures: db}
		if _, err := finder.Find(context.Background(), fulltext.Ask{Query: q, Collections: []string{"c"}}); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if _, err := finder.Quotation(context.Background(), s, fulltext.Ask{Collections: []string{"c"}}); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
	})
}

package bibliography_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"linkstead/archive/bibliography"
	"linkstead/archive/cite"
	"linkstead/archive/outcome"
	"linkstead/archive/repair"
	"linkstead/storage"
)

const page = `<html lang=en><head><title>Schools</title><meta property="og:site_name" content="The Source"></head><body><article><p>On that day two schools were bombed, and a hospital.</p></article></body></html>`

const isPage = "200 OK\r\nContent-Type: text/html"

// TestCopyIsCited: of an address its copy nearest to a moment, with what the page at the end of its redirects says, and whether it holds the quotation.
func TestCopyIsCited(t *testing.T) {
	k := newKept(t)
	moved := k.capture("http://src.test/old", day.Add(2*time.Hour), "301 Moved\r\nLocation: http://src.test/story", "")
	k.capture("http://src.test/story", day.Add(3*time.Hour), isPage, page)
	k.capture("http://src.test/story", day.AddDate(1, 0, 0), isPage, strings.ReplaceAll(page, "Schools", "Changed"))
	cited, _ := cite.ParseDate("2016-02-06T12:00:00Z")
	for quote, holds := range map[string]bool{"two schools were bombed": true, "“Two schools were bombed,”": true, "three schools were bombed and nobody knew of it": false} {
		e, err := k.URL(t.Context(), bibliography.Wanted{Collection: "default", URL: moved.URL, At: day, Cited: cited, CitedIn: "the post", Quote: quote, Brief: true})
		k.check(err)
		if e.Quoted != holds || e.Meta.Title.Value != "Schools" || e.Meta.Site.Value != "The Source" || e.URL != moved.URL || e.Named.Record != moved.RecordID || e.Failure != "" ||
			e.Distance() != "2 hours after the post" || e.Memento != "http://replay.test/web/20160206140000/http://src.test/old" || e.Live != "" {
			t.Errorf("%q: %+v", quote, e)
		}
		if doc := e.Document(); doc.Quoted == nil || *doc.Quoted != holds || doc.Title.Value != "Schools" || doc.PWID != "urn:pwid:archive.test:2016-02-06T14:00:00Z:part:http://src.test/old" {
			t.Errorf("%q: %+v", quote, doc)
		}
	}
	e, err := k.URL(t.Context(), bibliography.Wanted{Collection: "default", URL: "http://src.test/story"})
	k.check(err)
	if e.Meta.Title.Value != "Changed" || e.Document().Quoted != nil {
		t.Errorf("without a date the newest copy is cited: %+v", e.Document())
	}
}

// TestRedirectsInARing: copies that lead to one another are cited, and that ends.
func TestRedirectsInARing(t *testing.T) {
	k := newKept(t)
	k.capture("http://a.test/", day, "302 Found\r\nLocation: http://b.test/", "")
	k.capture("http://b.test/", day, "302 Found\r\nLocation: http://a.test/", "")
	k.capture("http://own.test/", day, "302 Found\r\nLocation: http://own.test/", "")
	for _, url := range []string{"http://a.test/", "http://own.test/"} {
		if e, err := k.URL(t.Context(), bibliography.Wanted{Collection: "default", URL: url}); err != nil || e.URL != url || e.Title() == "" {
			t.Errorf("%s: %+v, %v", url, e, err)
		}
	}
}

// TestAttemptIsCited: where there is no copy, the attempt that is nearest to the moment; where there is neither, nothing.
func TestAttemptIsCited(t *testing.T) {
	k := newKept(t)
	first := k.attempt("http://dead.test/", day, outcome.Timeout)
	last := k.attempt("http://dead.test/", day.AddDate(1, 0, 0), outcome.Refused)
	for at, want := range map[time.Time]storage.Attempt{day.AddDate(0, 1, 0): first, {}: last} {
		e, err := k.URL(t.Context(), bibliography.Wanted{Collection: "default", URL: "http://dead.test/", At: at})
		k.check(err)
		if e.Named.What != bibliography.OfAttempt || e.Named.Record != want.RecordID || e.Memento != "" || e.Failure == "" || e.PWID() != "" || !strings.HasPrefix(e.Evidence, "http://pages.test/attempts/") {
			t.Errorf("%v: %+v", at, e)
		}
	}
	if _, err := k.URL(t.Context(), bibliography.Wanted{Collection: "default", URL: "http://never.test/"}); !errors.Is(err, bibliography.ErrNothing) {
		t.Errorf("what was never asked for: %v", err)
	}
	if _, err := k.URL(t.Context(), bibliography.Wanted{Collection: "other", URL: "http://dead.test/"}); !errors.Is(err, bibliography.ErrNothing) {
		t.Errorf("what stands in another collection: %v", err)
	}
}

// TestSourcesOfAPost: each address once, at the date that is told of its place, else of the post; with the quotation that any of its places has.
func TestSourcesOfAPost(t *testing.T) {
	k := newKept(t)
	k.capture("http://blog.test/post", day, isPage, "<p>no title")
	k.capture("http://src.test/story", day.Add(2*time.Hour), isPage, page)
	k.capture("http://src.test/story", day.AddDate(3, 0, 0), isPage, page)
	k.capture("http://src.test/later", day.AddDate(3, 0, 0), isPage, page)
	k.attempt("http://dead.test/", day, outcome.Timeout)
	k.post(storage.Post{ID: "p1", Run: 1, Source: "http://blog.test/post", URL: "http://blog.test/post", Title: "A post", Dated: "2016-02-06T12:00:00Z", At: day, Citations: []storage.Citation{
		{URL: "http://src.test/story"}, {URL: "http://src.test/story", Quotation: "two schools were bombed", Dated: "2019-02-06"}, {URL: "http://out.test/", LeftOut: "navigation"},
		{URL: "http://src.test/later", Dated: "2019-02-07T12:00:00Z"}, {URL: "http://dead.test/", Dated: "no date"}, {URL: "http://never.test/"},
	}})
	p, entries, missing, err := k.Sources(t.Context(), "p1", 0)
	k.check(err)
	if p.ID != "p1" || !slices.Equal(missing, []string{"http://never.test/"}) || len(entries) != 3 {
		t.Fatalf("%+v: %d entries, missing %v", p, len(entries), missing)
	}
	for i, want := range []struct {
		url, distance string
		quoted        bool
	}{
		{"http://src.test/story", "2 hours after the post", true}, {"http://src.test/later", "24 hours before its citation", false}, {"http://dead.test/", "within a minute of the post", false},
	} {
		if e := entries[i]; e.URL != want.url || e.Distance() != want.distance || e.Quoted != want.quoted {
			t.Errorf("%d: %s, %q, quoted %v; want %+v", i, e.URL, e.Distance(), e.Quoted, want)
		}
	}
	if got := bibliography.Records(entries); len(got) != 3 || got[0].Quote != "two schools were bombed" {
		t.Errorf("%+v", got)
	}
	e, err := k.Post(t.Context(), "p1", bibliography.Wanted{})
	k.check(err)
	if e.Named.What != bibliography.OfPost || e.Meta.Title.Value != "A post" || e.Evidence != "http://pages.test/posts/p1" || e.Meta.Published.String() == "" {
		t.Errorf("%+v", e)
	}
	for _, of := range []struct {
		id  string
		run int64
	}{{"p1", 7}, {"none", 0}} {
		if _, _, _, err := k.Sources(t.Context(), of.id, of.run); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%+v: %v", of, err)
		}
	}
}

// TestLostSourcesOfAPost: a link that the post has lost and that was found again is a source like any other, and says so; one that is only
// proposed, or taken back, is none, and what the post has is not told twice.
func TestLostSourcesOfAPost(t *testing.T) {
	k := newKept(t)
	k.capture("http://src.test/story", day.Add(2*time.Hour), isPage, page)
	k.capture("http://src.test/lost", day.Add(3*time.Hour), isPage, strings.ReplaceAll(page, "Schools", "Found again"))
	k.capture("http://src.test/error", day, "404 Not Found\r\nContent-Type: text/html", "<title>Not here</title>")
	k.attempt("http://src.test/named", day, outcome.Timeout)
	k.post(storage.Post{ID: "p1", Run: 1, Source: "http://blog.test/post", URL: "http://blog.test/post", Dated: "2016-02-06T12:00:00Z", At: day, Citations: []storage.Citation{{URL: "http://src.test/story"}}})
	for i, n := range []struct {
		url, method, by string
		verdict         repair.Verdict
	}{
		{"http://src.test/lost", repair.ByAlignment, repair.ByRule, repair.Accepted}, {"http://src.test/named", repair.ByHand, "jane", repair.Accepted},
		{"http://src.test/error", repair.ByQuotation, "jane", repair.Accepted}, {"http://src.test/maybe", repair.ByQuotation, "", repair.Proposed},
		{"http://src.test/story", repair.ByAlignment, repair.ByRule, repair.Accepted}, {"http://src.test/back", repair.ByAlignment, repair.ByRule, repair.Accepted},
		{"http://src.test/back", repair.ByAlignment, "jane", repair.Rejected}, {"http://src.test/never", repair.ByAlignment, repair.ByRule, repair.Accepted},
	} {
		note := repair.Note{N: i, Verdict: n.verdict, By: n.by, Run: 1}
		note.Key, note.URL, note.Method, note.Confidence = n.url, n.url, n.method, 0.98
		body, err := json.Marshal(&note)
		k.check(err)
		k.check(k.db.AddNote(t.Context(), storage.Note{ID: fmt.Sprint(i), Kind: storage.NoteRepair, Subject: "p1", Collection: "default", At: day.Add(time.Duration(i) * time.Second), Body: body}))
	}
	_, entries, missing, err := k.Sources(t.Context(), "p1", 0)
	k.check(err)
	if !slices.Equal(missing, []string{"http://src.test/never"}) || len(entries) != 4 {
		t.Fatalf("%d entries, missing %v", len(entries), missing)
	}
	for i, want := range []struct {
		url, repaired string
		dead          bool
	}{
		{"http://src.test/story", "", false}, {"http://src.test/lost", "The post has lost its link. It was found again by alignment with a copy of the post that has it, confidence 0.98", false},
		{"http://src.test/named", "The post has lost its link. An archivist named it", true},
		{"http://src.test/error", "The post has lost its link. It was found again by the words that the post quotes, confidence 0.98, and accepted by an archivist", true},
	} {
		e := entries[i]
		if e.URL != want.url || e.Repaired != want.repaired || e.Document().Repaired != want.repaired || e.Dead != want.dead || e.NoPage != want.dead {
			t.Errorf("%d: %+v, want %+v", i, e, want)
		}
	}
	if e := entries[1]; e.Title() != "Found again" || e.Distance() != "3 hours after the post" {
		t.Errorf("%+v", e)
	}
	for _, f := range cite.Formats {
		if f.Name != "wikipedia" && !strings.Contains(f.Write(bibliography.Records(entries)), "found again by alignment with a copy of the post that has it, confidence 0.98") {
			t.Errorf("%s does not say that a link was lost", f.Name)
		}
	}
}

// TestTwoGiveIdentifiersAtOnce: whatever the order, both are told the same one, and every one that was given leads to the same thing.
func TestTwoGiveIdentifiersAtOnce(t *testing.T) {
	k := newKept(t)
	c := k.capture("http://src.test/story", day, isPage, page)
	const n = 8
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			e, err := k.URL(t.Context(), bibliography.Wanted{Collection: "default", URL: c.URL})
			if err == nil {
				err = k.Mint(t.Context(), e, "node")
			}
			if err != nil || e.ID == "" {
				t.Errorf("%q, %v", e.ID, err)
			}
		})
	}
	wg.Wait()
	notes, err := k.db.NotesOf(t.Context(), storage.NoteIdentifier, c.RecordID)
	k.check(err)
	e, err := k.URL(t.Context(), bibliography.Wanted{Collection: "default", URL: c.URL})
	k.check(err)
	if len(notes) == 0 || len(notes) > n || e.ID != cite.ID(notes[0].Subject) {
		t.Fatalf("%s, of %d", e.ID, len(notes))
	}
	if e.Evidence != "http://pages.test/cite/"+e.ID.String() || e.Permanent != "http://replay.test/r/"+e.ID.String() {
		t.Errorf("%s, %s", e.Evidence, e.Permanent)
	}
	for _, note := range notes {
		got, named, err := k.ID(t.Context(), cite.ID(note.Subject), bibliography.Wanted{})
		k.check(err)
		if named.Record != c.RecordID || got.URL != c.URL || got.ID != cite.ID(note.Subject) {
			t.Errorf("%s: %+v", note.Subject, named)
		}
	}
}

// TestIdentifierAfterAPurge: what it names is gone, the identifier is not: it names nothing for ever after.
func TestIdentifierAfterAPurge(t *testing.T) {
	k := newKept(t)
	k.capture("http://blog.test/post", day, isPage, page)
	k.post(storage.Post{ID: "p1", Run: 1, Source: "http://blog.test/post", URL: "http://blog.test/post", At: day})
	a := k.attempt("http://dead.test/", day, outcome.Timeout)
	stored := k.segment(storage.SegmentStored)
	k.adopt(storage.End{Captures: []storage.Capture{{
		Collection: "default", URL: "http://src.test/", URLKey: "test,src)/", At: day, Segment: stored, Status: 200, Mime: "text/html", Kind: "response", RecordID: "<urn:uuid:c>", Run: 1,
		Outcome: string(outcome.Captured), Size: -1,
	}}})
	post, err := k.Post(t.Context(), "p1", bibliography.Wanted{})
	k.check(err)
	attempt, err := k.URL(t.Context(), bibliography.Wanted{Collection: "default", URL: a.URL})
	k.check(err)
	capture, err := k.URL(t.Context(), bibliography.Wanted{Collection: "default", URL: "http://src.test/"}) // whose bytes can't be read: it is cited all the same
	k.check(err)
	versions, err := k.db.PostVersions(t.Context(), "p1")
	k.check(err)
	for segment, e := range map[string]*bibliography.Entry{versions[0].Segment: post, a.Segment: attempt, stored: capture} {
		k.check(k.Mint(t.Context(), e, "node"))
		got, _, err := k.ID(t.Context(), e.ID, bibliography.Wanted{})
		k.check(err)
		if got.ID != e.ID || got.Named.What != e.Named.What {
			t.Errorf("%+v, not %+v", got.Named, e.Named)
		}
		k.purge(segment)
		_, named, err := k.ID(t.Context(), e.ID, bibliography.Wanted{})
		if !errors.Is(err, bibliography.ErrGone) || named.What != e.Named.What {
			t.Errorf("%s: %+v, %v", e.Named.What, named, err)
		}
	}
	if _, _, err := k.ID(t.Context(), "0000000000", bibliography.Wanted{}); !errors.Is(err, bibliography.ErrUnknown) {
		t.Errorf("one that was never given: %v", err)
	}
	if err := k.Mint(t.Context(), &bibliography.Entry{Named: bibliography.Named{What: bibliography.OfCapture}}, "node"); !errors.Is(err, bibliography.ErrNoName) {
		t.Errorf("a record without a name: %v", err)
	}
}

// TestIdentifierOfANewerVersion: what this version does not know is told, not guessed.
func TestIdentifierOfANewerVersion(t *testing.T) {
	k := newKept(t)
	body, err := json.Marshal(bibliography.Named{What: "chapter", Collection: "default"})
	k.check(err)
	k.check(k.db.AddNote(t.Context(), storage.Note{ID: "n1", Kind: storage.NoteIdentifier, Subject: "3f8k29qrtz", Collection: "default", Target: "x", At: day, Body: body}))
	if _, _, err := k.ID(t.Context(), "3f8k29qrtz", bibliography.Wanted{}); err == nil || errors.Is(err, bibliography.ErrGone) || !strings.Contains(err.Error(), "a chapter") {
		t.Error(err)
	}
}

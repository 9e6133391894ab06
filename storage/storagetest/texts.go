package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"linkstead/storage"
)

// Texts holds a database to the contract of texts and the search in them.
func Texts(t *testing.T, rows Rows) {
	suite(t, rows, []test{
		{"Found", textsFound},
		{"Hostile", textsHostile},
		{"Long", textsLong},
		{"Marks", textsMarks},
		{"Purged", textsPurged},
		{"Lost", textsLost},
		{"Imported", textsImported},
	})
}

// text is what a payload says.
func text(digest, title, body string) storage.Text {
	return storage.Text{Collection: "c", Digest: digest, Title: title, Lang: "en", Body: body, TitleWords: strings.Fields(title), BodyWords: strings.Fields(body)}
}

// worded captures payloads into a segment and keeps their texts.
func (b *bench) worded(segment string, texts ...storage.Text) {
	b.t.Helper()
	b.openSegment(segment)
	b.addWorded(segment, texts...)
}

func (b *bench) addWorded(segment string, texts ...storage.Text) {
	b.t.Helper()
	for i, t := range texts {
		c := capture(segment, int64(10*i+10), "http://"+t.Digest+".test/", b.clock.Now())
		c.Digest, c.Status, c.Flags = t.Digest, 200, ""
		b.adopt(c)
	}
	if err := b.PutTexts(b.t.Context(), segment, int64(10*len(texts)), texts); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) found(q storage.TextQuery) string {
	b.t.Helper()
	if q.Collections == nil {
		q.Collections = []string{"c"}
	}
	hits, err := b.SearchTexts(b.t.Context(), q, 0, 100)
	if err != nil {
		b.t.Fatal(err)
	}
	var out []string
	for _, h := range hits {
		out = append(out, h.Digest)
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), " ")
}

func terms(ts ...string) (out []storage.TextTerm) {
	for _, t := range ts {
		s, prefix := strings.CutSuffix(t, "*")
		out = append(out, storage.TextTerm{Words: strings.Fields(s), Prefix: prefix})
	}
	return out
}

// textsFound: words, phrases, beginnings, alternatives and what must not be there mean the same on each database.
func textsFound(b *bench) {
	b.worded("s", text("a", "cats", "the cat sat on the mat"), text("b", "dogs", "the dog sat on the cat"), text("d", "東京", "東京 京都 都"), text("e", "the end", "of it"))
	for _, c := range []struct {
		q    storage.TextQuery
		want string
	}{
		{storage.TextQuery{All: terms("cat")}, "a b"},
		{storage.TextQuery{All: terms("cat", "dog")}, "b"},
		{storage.TextQuery{All: terms("the cat sat")}, "a"},
		{storage.TextQuery{All: terms("cat the")}, ""},
		{storage.TextQuery{All: terms("cats")}, "a"},
		{storage.TextQuery{All: terms("cats the")}, ""}, // not across title and text
		{storage.TextQuery{All: terms("ca*")}, "a b"},
		{storage.TextQuery{All: terms("the do*")}, "b"},
		{storage.TextQuery{All: terms("cat"), Not: terms("dog")}, "a"},
		{storage.TextQuery{All: terms("cat"), Not: terms("dog sat", "nothing")}, "a"},
		{storage.TextQuery{Any: terms("mat", "dog")}, "a b"},
		{storage.TextQuery{All: terms("on the"), Any: terms("mat", "nothing"), Not: terms("nobody")}, "a"},
		{storage.TextQuery{All: terms("東京 京都")}, "d"},
		{storage.TextQuery{All: terms("都*")}, "d"},
		{storage.TextQuery{All: terms("cat"), Collections: []string{"other"}}, ""},
		{storage.TextQuery{All: terms("cat"), Collections: []string{"other", "c"}}, "a b"},
	} {
		if got := b.found(c.q); got != c.want {
			b.t.Errorf("%+v finds %q, want %q", c.q, got, c.want)
		}
	}
	for _, q := range []storage.TextQuery{{Collections: []string{"c"}}, {Collections: []string{"c"}, Not: terms("cat")}, {All: terms("cat")}} {
		if _, err := b.SearchTexts(b.t.Context(), q, 0, 1); !errors.Is(err, storage.ErrNothingAsked) {
			b.t.Errorf("%+v: %v", q, err)
		}
	}
	hits, err := b.SearchTexts(b.t.Context(), storage.TextQuery{Collections: []string{"c"}, All: terms("mat")}, 0, 1)
	if err != nil || len(hits) != 1 || hits[0].Body != "the cat sat on the mat" || hits[0].Title != "cats" || hits[0].Lang != "en" || hits[0].Rank <= 0 {
		b.t.Errorf("%+v, %v", hits, err)
	}
	if hits, err = b.SearchTexts(b.t.Context(), storage.TextQuery{Collections: []string{"c"}, All: terms("mat")}, 1, 1); err != nil || len(hits) != 0 {
		b.t.Errorf("behind the last: %+v, %v", hits, err)
	}
}

// textsHostile: no word is taken for anything but a word.
func textsHostile(b *bench) {
	odd := []string{"o'clock", `back\slash`, `quo"te`, "a:*", "&", "|", "!x", "<->", "AND", "NEAR", "x\x00y", "\xff", "$1", "'; DROP TABLE texts; --", "col:word", "^", strings.Repeat("long", 500)}
	b.openSegment("s")
	for i, w := range odd {
		t := text(fmt.Sprint("d", i), "", "")
		t.BodyWords = []string{w, "common"}
		c := capture("s", int64(10*i+10), "http://x.test/", b.clock.Now())
		c.Digest, c.Status = t.Digest, 200
		b.adopt(c)
		if err := b.PutTexts(b.t.Context(), "s", 1, []storage.Text{t}); err != nil {
			b.t.Fatalf("%.30q: %v", w, err)
		}
	}
	for _, w := range odd {
		for _, q := range []storage.TextQuery{{All: []storage.TextTerm{{Words: []string{w}}}}, {Any: []storage.TextTerm{{Words: []string{w, "common"}, Prefix: true}}, Not: []storage.TextTerm{{Words: []string{w + "z"}}}}} {
			b.found(q)
		}
	}
	if got := b.found(storage.TextQuery{All: []storage.TextTerm{{Words: []string{"o'clock"}}}}); got != "d0" {
		b.t.Errorf("o'clock: %q", got)
	}
	if got := b.found(storage.TextQuery{All: terms("common")}); strings.Count(got, "d") != len(odd) {
		b.t.Errorf("common: %q", got)
	}
}

// textsLong: a part as long as parts get, with one word all over it, is kept, and phrases at its end are found.
func textsLong(b *bench) {
	words := strings.Fields(strings.Repeat("the quick brown fox jumps over a lazy dog in spring ", 363))
	words = append(words, "the", "very", "end")
	t := text("a", "long", strings.Join(words, " "))
	b.worded("s", t)
	if got := b.found(storage.TextQuery{All: terms("very end")}); got != "a" {
		b.t.Errorf("%q", got)
	}
	if ok, err := b.HasText(b.t.Context(), "c", "a"); err != nil || !ok {
		b.t.Errorf("HasText = %v, %v", ok, err)
	}
	if ts, err := b.TextOf(b.t.Context(), "c", "a"); err != nil || len(ts) != 1 || ts[0].Body != t.Body || ts[0].Title != t.Title {
		b.t.Errorf("TextOf = %d texts, %v", len(ts), err)
	}
}

// textsMarks: what has been looked at is not looked at again, what has come since is, and nothing is kept of what no capture has.
func textsMarks(b *bench) {
	ctx := b.t.Context()
	left := func() (out string) {
		ms, err := b.Unindexed(ctx, "", 10)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, m := range ms {
			out += fmt.Sprintf(" %s>%d", m.ID, m.Upto)
		}
		return out
	}
	b.openSegment("s")
	b.openSegment("t")
	b.adopt(capture("s", 10, "http://a.test/", b.clock.Now()), capture("s", 20, "http://b.test/", b.clock.Now()), capture("t", 10, "http://c.test/", b.clock.Now()))
	if got := left(); got != " s>-1 t>-1" {
		b.t.Errorf("at first: %q", got)
	}
	if err := b.PutTexts(ctx, "s", 10, []storage.Text{text("nobody's", "x", "some words")}); err != nil {
		b.t.Fatal(err)
	}
	if ok, err := b.HasText(ctx, "c", "nobody's"); ok || err != nil {
		b.t.Errorf("a text without a capture is kept: %v", err)
	}
	if got := left(); got != " s>10 t>-1" {
		b.t.Errorf("after one: %q", got)
	}
	cs, err := b.CapturesBehind(ctx, "s", 10, 5)
	if err != nil || len(cs) != 1 || cs[0].URL != "http://b.test/" {
		b.t.Errorf("behind it: %+v, %v", cs, err)
	}
	for _, s := range []string{"s", "t", "no such"} {
		if err := b.PutTexts(ctx, s, 20, nil); err != nil {
			b.t.Fatal(err)
		}
	}
	if got := left(); got != "" {
		b.t.Errorf("after all: %q", got)
	}
	b.adopt(capture("t", 30, "http://d.test/", b.clock.Now()))
	if got := left(); got != " t>20" {
		b.t.Errorf("what came since: %q", got)
	}
	if err := b.ForgetTexts(ctx, "c"); err != nil {
		b.t.Fatal(err)
	}
	if got := left(); got != " s>-1 t>-1" {
		b.t.Errorf("all anew: %q", got)
	}
}

// textsPurged: with its last capture a text goes, words and all; what is captured elsewhere, too, stays.
func textsPurged(b *bench) {
	ctx := b.t.Context()
	lock := b.lockPurge()
	b.openSegment("old")
	b.addWorded("old", text("a", "secret", "secret words"), text("b", "open", "open words"), text("twice", "two", "twice words"))
	if err := b.SealSegment(ctx, "old", 100, "sum"); err != nil {
		b.t.Fatal(err)
	}
	if err := b.StoreSegment(ctx, "old", "warc/c/old"); err != nil {
		b.t.Fatal(err)
	}
	b.openSegment("other")
	c := capture("other", 10, "http://twice.test/", b.clock.Now())
	c.Digest, c.Status, c.Kind = "twice", 200, "revisit"
	b.adopt(c)
	swap := b.swapOf(lock, "old", "new", func(c storage.Capture) bool { return c.Digest == "b" })
	if err := b.Doom(ctx, lock, swap.Keys...); err != nil {
		b.t.Fatal(err)
	}
	if err := b.Swap(ctx, &swap); err != nil {
		b.t.Fatal(err)
	}
	if got := b.found(storage.TextQuery{All: terms("words")}); got != "b twice" {
		b.t.Errorf("%q are left", got)
	}
	if ok, err := b.HasText(ctx, "c", "a"); ok || err != nil {
		b.t.Errorf("the text is still there: %v", err)
	}
	cs, err := b.CapturesOfText(ctx, "c", "twice", 5)
	if err != nil || len(cs) != 1 || cs[0].Segment != "other" {
		b.t.Errorf("captures %+v, %v", cs, err)
	}
	// An indexer that had read the page before keeps nothing of it.
	if err := b.PutTexts(ctx, "old", 10, []storage.Text{text("a", "secret", "secret words")}); err != nil {
		b.t.Fatal(err)
	}
	if got := b.found(storage.TextQuery{All: terms("secret")}); got != "" {
		b.t.Errorf("%q was put again", got)
	}
}

// textsLost: the texts of what was lost go with it.
func textsLost(b *bench) {
	b.opened("gone", "n1")
	b.addWorded("gone", text("a", "", "lost words"))
	if _, err := b.LoseSegment(b.t.Context(), "gone"); err != nil {
		b.t.Fatal(err)
	}
	if got := b.found(storage.TextQuery{All: terms("words")}); got != "" {
		b.t.Errorf("%q are left", got)
	}
}

// textsImported: those of an imported file go with it, and come again if it does.
func textsImported(b *bench) {
	ctx := b.t.Context()
	for range 2 {
		b.worded("imported-1", text("a", "", "foreign words"))
		if got := b.found(storage.TextQuery{All: terms("foreign")}); got != "a" {
			b.t.Errorf("%q", got)
		}
		if err := b.DropImported(ctx, "imported-1"); err != nil {
			b.t.Fatal(err)
		}
		if got := b.found(storage.TextQuery{All: terms("foreign")}); got != "" {
			b.t.Errorf("%q are left", got)
		}
	}
}

package storagetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"linkstead/storage"
)

// IndexSpan holds a database to the contract of spans: parts of the index that are walked through.
func IndexSpan(t *testing.T, rows Rows) {
	suite(t, rows, []test{
		{"Model", spanModel},
		{"Places", spanPlaces},
		{"LongKeys", spanLongKeys},
		{"PassOver", spanPassOver},
		{"Brief", spanBrief},
	})
}

// spanRows are captures of some keys, more than one page of one of them, in the order of the index.
func spanRows(b *bench) []storage.Capture {
	var cs []storage.Capture
	for k, key := range []string{"org,a)/", "org,a)/x", "org,a)/x/y", "org,a)/y", "org,a,b)/", "org,a-b)/", "org,ä)/", "urn:x"} {
		n := 7
		if k == 2 {
			n = 650
		}
		for i := range n {
			c := capture(fmt.Sprint("s", i%3), int64(i), "http://e/", b.clock.Now().Add(time.Duration(i/4)*time.Second))
			c.URLKey = key
			cs = append(cs, c)
		}
	}
	other := capture("s", 1, "http://e/", b.clock.Now())
	other.URLKey, other.Collection = "org,a)/x", "other"
	b.adopt(append(slices.Clone(cs), other)...)
	slices.SortFunc(cs, func(x, y storage.Capture) int {
		return cmp.Or(strings.Compare(x.URLKey, y.URLKey), x.At.Compare(y.At), strings.Compare(x.Segment, y.Segment), cmp.Compare(x.Offset, y.Offset))
	})
	return cs
}

// spans are parts of spanRows.
func spans(b *bench) map[string]storage.KeySpan {
	at := func(sec int) time.Time { return b.clock.Now().Add(time.Duration(sec) * time.Second).UTC() }
	return map[string]storage.KeySpan{
		"all":                 {Collection: "c"},
		"none":                {Collection: "none"},
		"one key":             storage.OneKey("c", "org,a)/x/y"),
		"one small key":       storage.OneKey("c", "org,a)/x"),
		"no such key":         storage.OneKey("c", "org,a)/xx"),
		"one key since":       {Collection: "c", From: "org,a)/x/y", To: "org,a)/x/y\x01", Since: at(20)},
		"one key until":       {Collection: "c", From: "org,a)/x/y", To: "org,a)/x/y\x01", Until: at(20)},
		"one key of a moment": {Collection: "c", From: "org,a)/x/y", To: "org,a)/x/y\x01", Since: at(20), Until: at(21)},
		"prefix":              {Collection: "c", From: "org,a)/x", To: "org,a)/y"},
		"domain":              {Collection: "c", From: "org,a)", To: "org,a-"},
		"from":                {Collection: "c", From: "org,a,b)/"},
		"to":                  {Collection: "c", To: "org,a)/x/y"},
		"between":             {Collection: "c", From: "org,a)", To: "org,b)", Since: at(1), Until: at(3)},
		"upside down":         {Collection: "c", From: "z", To: "a"},
	}
}

func inSpan(s storage.KeySpan, c storage.Capture) bool {
	return c.Collection == s.Collection && c.URLKey >= s.From && (s.To == "" || c.URLKey < s.To) &&
		(s.Since.IsZero() || !c.At.Before(s.Since)) && (s.Until.IsZero() || c.At.Before(s.Until))
}

func (b *bench) span(s storage.KeySpan, after storage.Place, backwards bool) (out []storage.Capture) {
	b.t.Helper()
	for c, err := range b.CapturesIn(b.t.Context(), s, after, backwards) {
		if err != nil {
			b.t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

// spanModel: a span brings just what lies in it, in order, both ways.
func spanModel(b *bench) {
	rows := spanRows(b)
	for name, s := range spans(b) {
		want := slices.DeleteFunc(slices.Clone(rows), func(c storage.Capture) bool { return !inSpan(s, c) })
		if got := b.span(s, storage.Place{}, false); !slices.Equal(got, want) {
			b.t.Errorf("%s brings %d rows, want %d", name, len(got), len(want))
		}
		slices.Reverse(want)
		if got := b.span(s, storage.Place{}, true); !slices.Equal(got, want) {
			b.t.Errorf("%s backwards brings %d rows, want %d", name, len(got), len(want))
		}
	}
}

// spanPlaces: from any place, whether it lies in the span or not, and is a row's or not, a span brings what follows.
func spanPlaces(b *bench) {
	rows := spanRows(b)
	follows := func(p storage.Place, c storage.Capture) int {
		return cmp.Or(strings.Compare(c.URLKey, p.URLKey), c.At.Compare(p.At), strings.Compare(c.Segment, p.Segment), cmp.Compare(c.Offset, p.Offset))
	}
	places := []storage.Place{{URLKey: "a"}, {URLKey: "zz"}, {URLKey: "org,a)/x", At: b.clock.Now().Add(time.Hour).UTC()}, {URLKey: "org,a)/x/y"}}
	for i := 0; i < len(rows); i += 41 {
		places = append(places, rows[i].Place())
	}
	for name, s := range spans(b) {
		for _, p := range places {
			for _, backwards := range []bool{false, true} {
				var want []storage.Capture
				for _, c := range rows {
					if d := follows(p, c); inSpan(s, c) && (backwards && d < 0 || !backwards && d > 0) {
						want = append(want, c)
					}
				}
				if backwards {
					slices.Reverse(want)
				}
				if got := b.span(s, p, backwards); !slices.Equal(got, want) {
					b.t.Fatalf("%s behind %+v (backwards: %t) brings %d rows, want %d", name, p, backwards, len(got), len(want))
				}
			}
		}
	}
}

// spanLongKeys: a key that is longer than the index keeps them is found by all of it, and by a beginning.
func spanLongKeys(b *bench) {
	long := "org,a)/" + strings.Repeat("x", 2000)
	for i, key := range []string{long + "1", long + "2"} {
		c := capture("s", int64(i), "http://e/", b.clock.Now())
		c.URLKey = key
		b.adopt(c)
	}
	if got := b.span(storage.OneKey("c", long+"2"), storage.Place{}, false); len(got) != 1 || got[0].Offset != 1 {
		b.t.Errorf("a long key brings %+v", got)
	}
	if got := b.span(storage.KeySpan{Collection: "c", From: long[:800], To: long[:799] + "y"}, storage.Place{}, false); len(got) != 2 {
		b.t.Errorf("its beginning brings %+v", got)
	}
}

// spanPassOver: passing over counts as walking does, and ends where walking does.
func spanPassOver(b *bench) {
	spanRows(b)
	for name, s := range spans(b) {
		for _, backwards := range []bool{false, true} {
			rows := b.span(s, storage.Place{}, backwards)
			for _, n := range []int64{-1, 0, 1, 6, 500, 649, 650, 5000, 200_000} {
				for _, from := range []int{-1, 3} {
					var after storage.Place
					rest := rows
					if from >= 0 && from < len(rows) {
						after, rest = rows[from].Place(), rows[from+1:]
					}
					wantN := max(0, min(n, int64(len(rest))))
					want := after
					if wantN > 0 {
						want = rest[wantN-1].Place()
					}
					got, passed, err := b.PassOver(b.t.Context(), s, after, backwards, n)
					if err != nil || passed != wantN || got != want {
						b.t.Errorf("%s (backwards: %t): passing over %d from %d ends at %+v after %d, %v, want %+v after %d",
							name, backwards, n, from, got, passed, err, want, wantN)
					}
				}
			}
		}
	}
}

// spanBrief: what is read briefly is the same captures, without what was not asked for.
func spanBrief(b *bench) {
	c := capture("s", 1, "http://e/", b.clock.Now())
	c.URLKey, c.RefersTo, c.Redirect, c.Kind, c.Status = "k", "s/0", "http://r/", "revisit", 302
	c.ETag, c.Modified, c.Flags, c.Canonical, c.TLSInvalid, c.Size, c.MS, c.Unmodified = "e", "m", "login", "http://c/", "t", 5, 6, true
	b.adopt(c)
	s := storage.OneKey("c", "k")
	if got := b.span(s, storage.Place{}, false); len(got) != 1 || got[0] != c {
		b.t.Errorf("all of it is %+v, want %+v", got, c)
	}
	s.Brief = true
	want := storage.Capture{Collection: "c", URLKey: "k", At: c.At, Segment: "s", Offset: 1, Length: c.Length, URL: c.URL, Status: 302, Mime: c.Mime,
		Digest: c.Digest, Kind: "revisit", RefersTo: "s/0", Redirect: "http://r/"}
	if got := b.span(s, storage.Place{}, false); len(got) != 1 || got[0] != want {
		b.t.Errorf("in brief it is %+v, want %+v", got, want)
	}
}

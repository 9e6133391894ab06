package storagetest

import (
	"fmt"
	"slices"
	"time"

	"linkstead/storage"
)

// indexBuckets: captures are counted by days, as rows and without them, within the span's time.
func indexBuckets(b *bench) {
	day := time.Date(2016, 2, 28, 0, 0, 0, 0, time.UTC)
	var cs []storage.Capture
	add := func(after time.Duration, status int, kind string) {
		c := capture("s", int64(len(cs)), "http://e/", day.Add(after))
		c.URLKey, c.Status, c.Kind = "k", status, kind
		cs = append(cs, c)
	}
	add(-1, 200, "response")
	add(0, 200, "response")
	add(time.Hour, 404, "response")
	add(24*time.Hour-time.Microsecond, 301, "revisit")
	add(24*time.Hour, 0, "resource")
	add(72*time.Hour, 200, "revisit")
	add(400*24*time.Hour, 500, "response")
	other := capture("s", 99, "http://e/", day)
	other.URLKey = "k2"
	b.adopt(append(cs, other)...)
	span := storage.OneKey("c", "k")
	span.Since, span.Until = day, day.AddDate(1, 0, 0)
	want := []storage.Bucket{{From: day, N: 3, Good: 1, Moved: 1, Revisits: 1}, {From: day.AddDate(0, 0, 1), N: 1, Good: 1}, {From: day.AddDate(0, 0, 3), N: 1, Good: 1, Revisits: 1}}
	for _, what := range []bool{true, false} {
		got, err := b.Buckets(b.t.Context(), span, 24*time.Hour, what)
		if err != nil || !slices.Equal(got, want) {
			b.t.Errorf("Buckets brings %+v, %v, want %+v", got, err, want)
		}
		for i := range want {
			want[i] = storage.Bucket{From: want[i].From, N: want[i].N}
		}
	}
	span.Since, span.Until = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Time{}
	if got, err := b.Buckets(b.t.Context(), span, 24*time.Hour, true); err != nil || len(got) != 5 || !got[0].From.Equal(day.AddDate(0, 0, -1)) {
		b.t.Errorf("Buckets of all brings %+v, %v", got, err)
	}
	if got, err := b.Buckets(b.t.Context(), withKey(span, "none"), time.Hour, true); err != nil || len(got) != 0 {
		b.t.Errorf("Buckets of nothing brings %+v, %v", got, err)
	}
}

func withKey(s storage.KeySpan, key string) storage.KeySpan {
	one := storage.OneKey(s.Collection, key)
	one.Since, one.Until = s.Since, s.Until
	return one
}

// indexRecentPosts: the newest posts of a collection come first, each once.
func indexRecentPosts(b *bench) {
	for i := range 5 {
		for run := range 2 {
			p := storage.Post{ID: fmt.Sprint("p", i), Run: int64(10*i + run + 1), Collection: []string{"c", "d"}[i/4], URL: fmt.Sprintf("http://e/%d", i), At: b.clock.Now().Add(time.Duration(i) * time.Hour), Segment: "s"}
			if err := b.Adopt(b.t.Context(), []storage.End{{Post: &p}}); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	got, err := b.RecentPosts(b.t.Context(), "c", 3)
	if err != nil || len(got) != 3 || got[0].ID != "p3" || got[0].Run != 32 || got[2].ID != "p1" {
		b.t.Errorf("the newest posts are %+v, %v", got, err)
	}
}

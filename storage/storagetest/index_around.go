package storagetest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"linkstead/storage"
)

// indexAround holds Around and Closest to a model, on keys of few and of many captures: ties in time, walls, other spellings,
// truncated ones and such as tell of a moment alone.
func indexAround(b *bench) {
	rnd := rand.New(rand.NewPCG(7, 7089))
	base := b.clock.Now()
	for k, size := range []int{1, 2, 3, 5, 8, 20, 60} {
		key := fmt.Sprint("k", k)
		cs := make([]storage.Capture, size)
		for i := range cs {
			c := capture(fmt.Sprint("s", rnd.IntN(3)), int64(i), pick(rnd, "http://e/", "http://e/", "http://www.e/"), base.Add(time.Duration(rnd.IntN(2*size))*time.Second))
			c.URLKey, c.Run = key, int64(rnd.IntN(3))
			c.Kind = pick(rnd, "response", "response", "response", "revisit", "truncated")
			c.Flags = pick(rnd, "", "", "", "bot-wall")
			c.Status = pick(rnd, 200, 200, 200, 200, 404, 503)
			cs[i] = c
		}
		b.adopt(cs...)
		slices.SortFunc(cs, func(x, y storage.Capture) int { return comparePlaces(x.Place(), y.Place()) })
		for i := range cs {
			b.checkBeside(cs, i)
		}
		for sec := -1; sec <= 2*size; sec++ {
			at := base.Add(time.Duration(sec) * time.Second)
			b.checkAround(cs, key, at)
			for _, url := range []string{"http://e/", "http://www.e/", "https://e/"} {
				got, err := b.Closest(b.t.Context(), "c", key, url, at)
				if want := modelClosest(cs, url, at); err != nil || got != want {
					b.t.Errorf("the closest of %s to %s at %d s is %s/%d, %v, want %s/%d", key, url, sec, got.Segment, got.Offset, err, want.Segment, want.Offset)
				}
			}
		}
	}
	if near, err := b.Around(b.t.Context(), "c", "none", base, 3); err != nil || len(near.Before)+len(near.After) > 0 || !near.First || !near.Last {
		b.t.Errorf("around nothing is %+v, %v", near, err)
	}
}

func pick[T any](rnd *rand.Rand, of ...T) T { return of[rnd.IntN(len(of))] }

// checkAround compares what stands about a moment with a sorted list.
func (b *bench) checkAround(cs []storage.Capture, key string, at time.Time) {
	b.t.Helper()
	const n = 3
	near, err := b.Around(b.t.Context(), "c", key, at, n)
	if err != nil {
		b.t.Fatal(err)
	}
	i := 0
	for i < len(cs) && !cs[i].At.After(at) {
		i++
	}
	before, after := slices.Clone(cs[max(0, i-n):i]), cs[i:min(len(cs), i+n)]
	slices.Reverse(before)
	if !slices.Equal(near.Before, before) || !slices.Equal(near.After, after) {
		b.t.Errorf("around %s of %s are %v and %v, want %v and %v", at, key, near.Before, near.After, before, after)
	}
	if near.First != (i < n) || near.Last != (len(cs)-i < n) {
		b.t.Errorf("around %s of %s: first %v, last %v of %d and %d", at, key, near.First, near.Last, i, len(cs)-i)
	}
}

// checkBeside compares what stands about a capture with a sorted list.
func (b *bench) checkBeside(cs []storage.Capture, i int) {
	b.t.Helper()
	got, err := b.Beside(b.t.Context(), "c", cs[i].Place())
	if err != nil {
		b.t.Fatal(err)
	}
	is := func(got *storage.Capture, want int) bool {
		if want < 0 || want >= len(cs) {
			return got == nil
		}
		return got != nil && *got == cs[want]
	}
	if !is(got.First, 0) || !is(got.Prev, i-1) || !is(got.Next, i+1) || !is(got.Last, len(cs)-1) {
		b.t.Errorf("beside number %d of %d stand %v, %v, %v, %v", i, len(cs), got.First, got.Prev, got.Next, got.Last)
	}
}

// modelClosest is what Closest promises, by looking at all.
func modelClosest(cs []storage.Capture, url string, at time.Time) (best storage.Capture) {
	rank := func(c storage.Capture) []bool { return []bool{c.Flags != "", c.URL != url, c.Kind == "truncated"} }
	better := func(c, than storage.Capture) bool {
		for i, bad := range rank(c) {
			if worse := rank(than)[i]; bad != worse {
				return worse
			}
		}
		x, y := c.At.Sub(at), than.At.Sub(at)
		switch {
		case x.Abs() != y.Abs():
			return x.Abs() < y.Abs()
		case x != y:
			return x < 0
		case x <= 0:
			return comparePlaces(c.Place(), than.Place()) > 0
		}
		return comparePlaces(c.Place(), than.Place()) < 0
	}
	for _, c := range cs {
		superseded := c.Status == 503 && slices.ContainsFunc(cs, func(o storage.Capture) bool {
			return o.At.After(c.At) && o.Flags == "" && o.Run == c.Run && o.URL == c.URL && o.Status != 503
		})
		if !superseded && (best.Segment == "" || better(c, best)) {
			best = c
		}
	}
	return best
}

// comparePlaces is the order of the index.
func comparePlaces(x, y storage.Place) int {
	return cmp.Or(strings.Compare(x.URLKey, y.URLKey), x.At.Compare(y.At), strings.Compare(x.Segment, y.Segment), cmp.Compare(x.Offset, y.Offset))
}

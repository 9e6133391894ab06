package storagetest

import (
	"slices"
	"time"

	"linkstead/storage"
)

// indexMomentary: that a server could not answer at some moment is kept, and nobody gets it for a copy if the run that heard
// so was answered better later. What another run heard stands for itself.
func indexMomentary(b *bench) {
	const url = "http://x/"
	at := func(sec int) time.Time { return b.clock.Now().Add(time.Duration(sec) * time.Second) }
	heard := func(sec int, run int64, status int) storage.Capture {
		c := capture("s", int64(sec), url, at(sec))
		c.Run, c.Status = run, status
		return c
	}
	b.adopt(heard(10, 1, 503), heard(12, 1, 429), heard(14, 1, 200), heard(100, 2, 503), heard(102, 2, 504), heard(200, 3, 404), heard(300, 4, 200),
		heard(302, 4, 503))
	for sec, want := range map[int]int{0: 14, 10: 14, 12: 14, 14: 14, 50: 14, 99: 100, 103: 102, 190: 200, 300: 300, 400: 302} {
		got, err := b.Closest(b.t.Context(), "c", "key("+url+")", url, at(sec))
		if err != nil || got.Offset != int64(want) {
			b.t.Errorf("at %d s the closest is that of %d s (%d), %v; want %d s", sec, got.Offset, got.Status, err, want)
		}
	}
	var all []int64
	for _, c := range b.captures("key(" + url + ")") {
		all = append(all, c.Offset)
	}
	if !slices.Equal(all, []int64{10, 12, 14, 100, 102, 200, 300, 302}) {
		b.t.Errorf("the captures are those of %d s, want all", all)
	}
}

package configs

import (
	"fmt"
	"time"
)

// Verdicts says what the history of a link comes to, and when it is looked at again: docs/verdicts.md.
type Verdicts struct {
	Apart       Duration // between failures that count
	Gone        int      // failures: 404
	GoneForGood int      // the same: 410, no such name
	Failing     int      // the same: 5xx, no answer, TLS …
	FailingFor  Duration // … from the first to the last
	Lapse       Duration // without a look that sees the page, after which failures before it lapse
	Flaps       int      // recoveries …
	FlapWindow  Duration // … within this time, after which twice the failures are needed
	Moved       int      // looks

	Soft404 struct {
		Similar float64 // to a random sibling
		Same    float64 // to our copy
		Paths   int     // that end at one target
		Looks   int
	}
	Usurped struct {
		Mismatch float64 // similarity to our copy, below which
		Looks    int
	}
	Drifted struct {
		Distance int     // of simhashes
		Words    float64 // share
		Least    int     // words of the copy
		Looks    int
	}
	Next struct {
		Suspect    Duration
		AliveMin   Duration
		AliveMax   Duration
		DeadMin    Duration
		DeadMax    Duration
		Excluded   Duration
		Again      Duration
		First      Duration
		Spread     float64
		RetryAfter Duration // bound of what a server may ask for
	}
	Parking string // a file of rules; or empty
}

func (c *Config) verdictKeys() []key {
	v := &c.Verdicts
	return []key{
		{"verdicts.apart", &v.Apart}, {"verdicts.gone", &v.Gone}, {"verdicts.gone_for_good", &v.GoneForGood},
		{"verdicts.failing", &v.Failing}, {"verdicts.failing_for", &v.FailingFor}, {"verdicts.lapse", &v.Lapse},
		{"verdicts.flaps", &v.Flaps}, {"verdicts.flap_window", &v.FlapWindow}, {"verdicts.moved", &v.Moved},
		{"verdicts.soft_404.similar", &v.Soft404.Similar}, {"verdicts.soft_404.same", &v.Soft404.Same},
		{"verdicts.soft_404.paths", &v.Soft404.Paths}, {"verdicts.soft_404.looks", &v.Soft404.Looks},
		{"verdicts.usurped.mismatch", &v.Usurped.Mismatch}, {"verdicts.usurped.looks", &v.Usurped.Looks},
		{"verdicts.drifted.distance", &v.Drifted.Distance}, {"verdicts.drifted.words", &v.Drifted.Words},
		{"verdicts.drifted.least", &v.Drifted.Least}, {"verdicts.drifted.looks", &v.Drifted.Looks},
		{"verdicts.next.suspect", &v.Next.Suspect}, {"verdicts.next.alive_min", &v.Next.AliveMin},
		{"verdicts.next.alive_max", &v.Next.AliveMax}, {"verdicts.next.dead_min", &v.Next.DeadMin},
		{"verdicts.next.dead_max", &v.Next.DeadMax}, {"verdicts.next.excluded", &v.Next.Excluded},
		{"verdicts.next.again", &v.Next.Again}, {"verdicts.next.first", &v.Next.First},
		{"verdicts.next.spread", &v.Next.Spread}, {"verdicts.next.retry_after", &v.Next.RetryAfter},
		{"verdicts.parking", &v.Parking},
	}
}

const year = 366 * 24 * time.Hour

func (c Config) checkVerdicts(f *findings, count func(key string, n, low, high int), span func(key string, d Duration, low, high time.Duration)) {
	v := &c.Verdicts
	share := func(key string, x float64) {
		if !(x >= 0 && x <= 1) {
			f.add(key, x, "use 0 to 1")
		}
	}
	span("verdicts.apart", v.Apart, 0, year)
	count("verdicts.gone", v.Gone, 1, 100)
	count("verdicts.gone_for_good", v.GoneForGood, 1, 100)
	count("verdicts.failing", v.Failing, 1, 100)
	span("verdicts.failing_for", v.FailingFor, 0, year)
	span("verdicts.lapse", v.Lapse, 0, 10*year)
	count("verdicts.flaps", v.Flaps, 0, 16)
	span("verdicts.flap_window", v.FlapWindow, 0, 10*year)
	count("verdicts.moved", v.Moved, 1, 100)
	share("verdicts.soft_404.similar", v.Soft404.Similar)
	share("verdicts.soft_404.same", v.Soft404.Same)
	count("verdicts.soft_404.paths", v.Soft404.Paths, 2, 100)
	count("verdicts.soft_404.looks", v.Soft404.Looks, 1, 100)
	share("verdicts.usurped.mismatch", v.Usurped.Mismatch)
	count("verdicts.usurped.looks", v.Usurped.Looks, 1, 100)
	count("verdicts.drifted.distance", v.Drifted.Distance, 0, 64)
	if !(v.Drifted.Words > 0 && v.Drifted.Words <= 1000) {
		f.add("verdicts.drifted.words", v.Drifted.Words, "use more than 0, and 1000 at most: 1 is twice as many words, or half")
	}
	count("verdicts.drifted.least", v.Drifted.Least, 0, 1_000_000)
	count("verdicts.drifted.looks", v.Drifted.Looks, 1, 100)
	for _, d := range []struct {
		key string
		is  Duration
	}{
		{"suspect", v.Next.Suspect}, {"alive_min", v.Next.AliveMin}, {"alive_max", v.Next.AliveMax}, {"dead_min", v.Next.DeadMin},
		{"dead_max", v.Next.DeadMax}, {"excluded", v.Next.Excluded}, {"again", v.Next.Again},
	} {
		span("verdicts.next."+d.key, d.is, time.Second, 10*year)
	}
	span("verdicts.next.first", v.Next.First, 0, year)
	span("verdicts.next.retry_after", v.Next.RetryAfter, 0, year)
	share("verdicts.next.spread", v.Next.Spread)
	for _, d := range []struct {
		key      string
		min, max Duration
	}{{"alive", v.Next.AliveMin, v.Next.AliveMax}, {"dead", v.Next.DeadMin, v.Next.DeadMax}} {
		if d.max < d.min {
			f.add("verdicts.next."+d.key+"_max", d.max, fmt.Sprintf("it is the end of what begins at verdicts.next.%s_min: use %s or more", d.key, d.min))
		}
	}
}

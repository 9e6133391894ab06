package link

import (
	"fmt"
	"time"
)

const day = 24 * time.Hour

// Rules are the thresholds of every judgement. Their keys in the configuration, and where they come from, stand in
// docs/verdicts.md.
type Rules struct {
	Apart time.Duration // failures count if they are so far from the one before that counted

	Gone     int           // failures that make a page gone
	Fast     int           // the same, if the server says that it is gone for good (410) or the name does not exist (NXDOMAIN)
	Slow     int           // failures of the server: 5xx, no answer, TLS …
	SlowSpan time.Duration // … from the first of which to the last so much time passes

	Lapse time.Duration // failures lapse if the link could not be judged for so long after them (blocked, excluded)

	Flaps      int           // recoveries within FlapWindow after which a link flaps: it takes twice the failures
	FlapWindow time.Duration // at most MaxFlaps recoveries are remembered

	MovedLooks int // looks that find the same permanent target at another site

	SoftSimilar float64 // similarity with a random sibling from which on a page is the host's answer to everything
	SoftSame    float64 // similarity with our copy from which on it is still the page
	SoftPaths   int     // unlike paths, the link's own among them, that end at one target
	SoftLooks   int     // looks that make the verdict

	UsurpedLooks    int     // looks that make the verdict
	UsurpedMismatch float64 // similarity with the copy below which the page is another one

	DriftDistance int     // of simhashes, in bits, beyond which the text has changed
	DriftWords    float64 // share of its words by which a text has grown or shrunk: 1 is twice as long, or half
	DriftLeast    int     // words that a copy must have to be judged by these two
	DriftLooks    int     // looks that make the verdict

	Suspect   time.Duration // from one look to the next while failures stand against a link
	AliveMin  time.Duration // the same for a living link, at first …
	AliveMax  time.Duration // … and in the end
	DeadMin   time.Duration // the same for a dead one
	DeadMax   time.Duration
	Excluded  time.Duration // the same for one that is not to be asked
	Again     time.Duration // after a look that did not count
	FirstLook time.Duration // within which a link that nobody looked at is looked at
	Spread    float64       // share of an interval over which links are spread
	MaxWait   time.Duration // bound of what a server may ask for by Retry-After
}

// MaxFlaps bounds Rules.Flaps.
const MaxFlaps = 16

// Defaults are the rules as configs/default.yaml has them.
func Defaults() Rules {
	return Rules{
		Apart: 72 * time.Hour, Gone: 3, Fast: 2, Slow: 5, SlowSpan: 14 * day,
		Lapse: 30 * day, Flaps: 3, FlapWindow: 180 * day, MovedLooks: 3,
		SoftSimilar: 0.95, SoftSame: 0.8, SoftPaths: 3, SoftLooks: 2,
		UsurpedLooks: 2, UsurpedMismatch: 0.5,
		DriftDistance: 20, DriftWords: 1, DriftLeast: 50, DriftLooks: 2,
		Suspect: 72 * time.Hour, AliveMin: 7 * day, AliveMax: 30 * day, DeadMin: 7 * day, DeadMax: 90 * day,
		Excluded: 30 * day, Again: day, FirstLook: day, Spread: 0.15, MaxWait: 30 * day,
	}
}

// Check says what is wrong with the rules, if anything is.
func (r Rules) Check() error {
	for _, n := range []struct {
		name  string
		value int
		low   int
		high  int
	}{
		{"gone", r.Gone, 1, 100}, {"fast", r.Fast, 1, 100}, {"slow", r.Slow, 1, 100}, {"flaps", r.Flaps, 0, MaxFlaps},
		{"moved looks", r.MovedLooks, 1, 100}, {"soft paths", r.SoftPaths, 2, 100}, {"soft looks", r.SoftLooks, 1, 100},
		{"usurped looks", r.UsurpedLooks, 1, 100}, {"drift distance", r.DriftDistance, 0, 64}, {"drift looks", r.DriftLooks, 1, 100},
		{"drift least", r.DriftLeast, 0, 1e6},
	} {
		if n.value < n.low || n.value > n.high {
			return fmt.Errorf("%s is %d: use %d to %d", n.name, n.value, n.low, n.high)
		}
	}
	for name, share := range map[string]float64{
		"soft similar": r.SoftSimilar, "soft same": r.SoftSame, "usurped mismatch": r.UsurpedMismatch, "spread": r.Spread,
	} {
		if !(share >= 0 && share <= 1) {
			return fmt.Errorf("%s is %v: use 0 to 1", name, share)
		}
	}
	if !(r.DriftWords > 0) {
		return fmt.Errorf("drift words is %v: use more than 0", r.DriftWords)
	}
	for name, d := range map[string]time.Duration{"suspect": r.Suspect, "alive": r.AliveMin, "dead": r.DeadMin, "excluded": r.Excluded, "again": r.Again} {
		if d <= 0 {
			return fmt.Errorf("%s is %s: a link can't be looked at all the time", name, d)
		}
	}
	if r.Apart < 0 || r.SlowSpan < 0 || r.Lapse < 0 || r.FlapWindow < 0 || r.FirstLook < 0 || r.MaxWait < 0 {
		return fmt.Errorf("a span of time is negative")
	}
	if r.AliveMax < r.AliveMin || r.DeadMax < r.DeadMin {
		return fmt.Errorf("the longest interval is shorter than the first")
	}
	return nil
}

package robots

import (
	"slices"
	"time"
)

// Forsaken is for how long a robots.txt has to be unreachable until it counts as not being there (RFC 9309 §2.3.1.4).
const Forsaken = 30 * 24 * time.Hour

// Fresh is for how long an answer is trusted (RFC 9309 §2.4).
const Fresh = 24 * time.Hour

// Try is one request for a robots.txt, as it was recorded.
type Try struct {
	At     time.Time
	Status int // 0: no answer
}

// UnreachableSince is when a robots.txt was found unreachable for the first time since it could last be had, by what was
// recorded of it, in any order; zero if the last try could have it, or there was none.
func UnreachableSince(tries []Try) time.Time {
	tries = slices.Clone(tries)
	slices.SortStableFunc(tries, func(a, b Try) int { return a.At.Compare(b.At) })
	var since time.Time
	for _, t := range tries {
		switch unreachable := FromStatus(t.Status, nil).Unreachable(); {
		case !unreachable:
			since = time.Time{}
		case since.IsZero():
			since = t.At
		}
	}
	return since
}

// Period is the number of the time in which a robots.txt is asked for once, of those into which a run is divided that began
// at began: 0 in its first day.
func Period(began, now time.Time) int64 { return max(0, int64(now.Sub(began)/Fresh)) }

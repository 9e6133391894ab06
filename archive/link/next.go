package link

import (
	"hash/fnv"
	"time"
)

// NextCheck says when a link is to be looked at again: not before now, and not before its server lets us. Links are spread
// over part of their interval by a hash of their address, always in the same way.
//
// What fails is looked at again at another time of the day: the interval is a little longer than Rules.Suspect, so that a
// server that is mended each night is not met at it each time.
func NextCheck(s State, now time.Time, r Rules) time.Time {
	due := s.due(now, &r)
	if s.Wait.After(due) {
		due = s.Wait
	}
	if due.Before(now) {
		return now
	}
	return due
}

func (s *State) due(now time.Time, r *Rules) time.Time {
	f := share(s.URL)
	if s.Asked.IsZero() {
		return now.Add(time.Duration(f * float64(r.FirstLook)))
	}
	if s.Asked.After(s.Last) {
		return s.Asked.Add(stretch(r.Again, r.Spread*f))
	}
	switch {
	case s.Suspect != "":
		return s.Last.Add(stretch(r.Suspect, r.Spread*(1+f)/2))
	case s.Verdict == Excluded:
		return s.Last.Add(stretch(r.Excluded, r.Spread*f))
	case s.Verdict.Dead():
		return s.Last.Add(grow(s.Last.Sub(s.Since), r.DeadMin, r.DeadMax, r.Spread, f))
	case s.Verdict == Unknown:
		return s.Last.Add(stretch(r.Again, r.Spread*f))
	}
	since := s.Memory.GoodSince
	if since.IsZero() {
		since = s.Since
	}
	return s.Last.Add(grow(s.Last.Sub(since), r.AliveMin, r.AliveMax, r.Spread, f))
}

// grow is an interval of half of what has been so for long, within its bounds, spread.
func grow(long, low, high time.Duration, spread, f float64) time.Duration {
	high = time.Duration(float64(high) / (1 + spread))
	return stretch(max(low, min(high, long/2)), spread*f)
}

func stretch(d time.Duration, by float64) time.Duration { return time.Duration(float64(d) * (1 + by)) }

// share is the place of an address among all others, from 0 to 1.
func share(url string) float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(url)) // it can't fail
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd // FNV mixes its last bytes badly into the upper bits: the finaliser of MurmurHash3
	x ^= x >> 33
	return float64(x>>11) / (1 << 53)
}

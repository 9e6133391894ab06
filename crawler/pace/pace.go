// Package pace says how a host is to be asked: how long after each exchange, how long it is left alone when it fails or
// asks for it, and when it counts as down. It is pure: it keeps no time, rolls no dice and asks nobody.
package pace

import (
	"time"
)

// Limits are the settings by which every host is treated. The zero value asks without regard to how a host fares.
type Limits struct {
	Factor     float64       // the pause after an exchange, in response times of the host; 0: it does not adapt
	MaxDelay   time.Duration // bound of a pause that adapts
	RetryAfter time.Duration // bound of what a host may ask for by Retry-After
	Backoff    time.Duration // for so long a host is left alone after a failure, twice as long after each further one
	MaxBackoff time.Duration // bound of that
	DownAfter  int           // failures in a row after which a host counts as down; 0: it never does
	Patience   time.Duration // since the first of them, for so long tasks of a host that is down wait for it
}

// Reason is why a host is left alone: a word that rows, JSON and people share.
type Reason string

// The reasons.
const (
	ReasonNone       Reason = ""
	ReasonDelay      Reason = "delay"       // the pause after an exchange
	ReasonCrawlDelay Reason = "crawl-delay" // the same, as its robots.txt has it
	ReasonRetryAfter Reason = "retry-after" // it asked for it
	ReasonBackoff    Reason = "backoff"     // it failed
	ReasonDown       Reason = "down"        // it has not answered for several times in a row
	ReasonRobots     Reason = "robots"      // its robots.txt is to be had first
)

// State is what is known of a host, whoever asked it. The zero State is that of a host of which nothing is known.
type State struct {
	Failures int           // exchanges in a row that failed; those under way at the same time count as one
	Since    time.Time     // when the first of them ended
	Response time.Duration // how long it takes to answer, smoothed; 0 if nobody knows
	Until    time.Time     // before which it is not to be asked because of the last failure …
	Reason   Reason        // … and what that was: retry-after, backoff, down
	last     time.Time     // when the last failure that counts ended
}

// Kind is how a host fared in an exchange.
type Kind uint8

// The kinds.
const (
	Unknown  Kind = iota // nothing of it is told: it was not reached for reasons of ours, or has no address
	Answered             // whatever the answer was, the host is well
	Busy                 // it answered that it can't, or asked to be left alone
	Silent               // it gave no answer
)

// Answer is how an exchange ended.
type Answer struct {
	Kind  Kind
	Began time.Time
	Ended time.Time
	Took  time.Duration // to the first byte of the answer; 0 if nobody knows
	Wait  time.Duration // what it asked for by Retry-After, see RetryAfter; 0: nothing
}

// smoothing is the weight of all earlier response times against the last one.
const smoothing = 4

// After is what is known of a host after an exchange. jitter, from 0 to 1, is how much of half a wait is added to it: hosts
// that failed together don't come back together.
func (l Limits) After(s State, a Answer, jitter float64) State {
	if a.Took > 0 && a.Kind != Silent {
		if s.Response == 0 {
			s.Response = a.Took
		}
		s.Response += (a.Took - s.Response) / smoothing
	}
	switch a.Kind {
	case Unknown:
		return s
	case Answered:
		return s.answered(a)
	}
	together := s.Failures > 0 && a.Began.Before(s.last)
	if s.Failures == 0 {
		s.Since = a.Ended
	}
	if !together {
		s.Failures, s.last = s.Failures+1, a.Ended
	}
	wait, why := Backoff(l.Backoff, l.MaxBackoff, s.Failures, jitter), ReasonBackoff
	if a.Kind == Silent && l.Down(s) {
		why = ReasonDown
	}
	if asked := min(a.Wait, l.RetryAfter); asked > 0 && asked >= wait {
		wait, why = asked, ReasonRetryAfter
	}
	if until := a.Ended.Add(wait); wait > 0 && (until.After(s.Until) || !together && s.Reason != ReasonRetryAfter) {
		s.Until, s.Reason = until, why
	}
	return s
}

// answered is the state of a host that is well. What it asked for a moment ago still holds, if the exchange began before.
func (s State) answered(a Answer) State {
	if s.Reason == ReasonRetryAfter && a.Began.Before(s.last) {
		return s
	}
	return State{Response: s.Response}
}

// Down says whether a host counts as down.
func (l Limits) Down(s State) bool { return l.DownAfter > 0 && s.Failures >= l.DownAfter }

// Verdict is what may be asked of a host.
type Verdict uint8

// The verdicts.
const (
	Ask    Verdict = iota // whatever is due, not before State.Until
	Probe                 // one request at a time, not before State.Until: it may be up again
	GiveUp                // nothing but what has to be asked at least once: the rest ends unasked
)

// Judge says what may be asked of a host. One that is down is waited for, and tried ever less often, until the patience is
// over; then tasks end unasked until it is time for the next try.
func (l Limits) Judge(s State, now time.Time) Verdict {
	switch {
	case !l.Down(s):
		return Ask
	case now.Sub(s.Since) < l.Patience || !now.Before(s.Until):
		return Probe
	}
	return GiveUp
}

// Remembered is what still counts of a state that is read at now: a host that nobody has asked for long is given the
// patience anew.
func (l Limits) Remembered(s State, now time.Time) State {
	if s.Failures > 0 && now.Sub(s.Until) >= max(l.Patience, l.MaxBackoff) {
		return State{Response: s.Response}
	}
	return s
}

// Alone is before when a host is not to be asked, whatever the delay is; zero if at any time. forced says that it is given
// up, and asked all the same for what has to be asked at least once: one that does not answer is not waited for then, one
// that asked to be left alone is.
func (s State) Alone(forced bool) time.Time {
	if forced && s.Reason == ReasonDown {
		return time.Time{}
	}
	return s.Until
}

// Delay is the pause after an exchange with a host that takes response to answer: delay, or more if the host is slow. A
// delay of 0 asks for none.
func (l Limits) Delay(delay, response time.Duration) time.Duration {
	if delay <= 0 || l.Factor <= 0 || response <= 0 {
		return max(delay, 0)
	}
	grown := float64(response) * l.Factor
	if grown >= float64(l.MaxDelay) {
		return max(delay, l.MaxDelay)
	}
	return max(delay, time.Duration(grown))
}

// Backoff is the wait after the nth failure in a row: first, and twice as long each further time up to most; jitter, from 0
// to 1, is how much of half of it is added.
func Backoff(first, most time.Duration, n int, jitter float64) time.Duration {
	if first <= 0 || n <= 0 {
		return 0
	}
	wait := first
	for ; n > 1 && wait < most; n-- {
		wait *= 2
	}
	if most > 0 {
		wait = min(wait, most)
	}
	return wait + time.Duration(float64(wait/2)*min(max(jitter, 0), 1))
}

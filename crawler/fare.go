package crawler

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/warc"
	"linkstead/crawler/pace"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// leaveFor is the wait beyond which a host that is left alone is given back: its place may be another's meanwhile.
const leaveFor = time.Second

func stateOf(p storage.Pace) pace.State {
	return pace.State{Failures: p.Failures, Since: p.Since, Until: p.Retry, Reason: pace.Reason(p.Why), Response: p.Response}
}

func paceOf(s pace.State) storage.Pace {
	return storage.Pace{Failures: s.Failures, Since: s.Since, Retry: s.Until, Why: string(s.Reason), Response: s.Response}
}

// passing says whether a status tells of a moment rather than of what was asked for: it is asked for again. For a robots.txt
// that is every fault of the server (RFC 9309 §2.3.1.4).
func passing(status int, robots bool) bool {
	switch status {
	case 408, 429, 502, 503, 504:
		return true
	}
	return robots && status >= 500
}

// fared is how a host fared in an exchange.
func fared(x *warc.Exchange, now time.Time, most time.Duration) pace.Answer {
	a := pace.Answer{Began: now.Add(-x.Timing.Total), Ended: now, Took: x.Timing.FirstByte} // by one clock
	switch x.Outcome {
	case outcome.Refused, outcome.Unreachable, outcome.Reset, outcome.Timeout, outcome.Empty:
		a.Kind = pace.Silent
	case outcome.Captured, outcome.CutShort, outcome.TooLong, outcome.TooSlow, outcome.Protocol:
		a.Kind = pace.Answered
	}
	switch x.Head.Status {
	case 429, 503:
		a.Kind = pace.Busy
		a.Wait = pace.RetryAfter(x.Head.Get("Retry-After"), x.Head.Get("Date"), now, most)
	case 502, 504:
		a.Kind = pace.Busy
	}
	return a
}

// fares takes note of how the host fared in an exchange. It tells before when a task that failed is not to be tried again,
// and whether it is to be at all: a host that is given up is asked for nothing twice.
func (h *host) fares(r *run, x *warc.Exchange) (after time.Time, again bool) {
	now := h.c.Now()
	h.mu.Lock()
	h.state = h.c.Pace.After(h.state, fared(x, now, h.c.Pace.RetryAfter), rand.Float64())
	s := h.state
	if at := h.touched.Add(h.delay(r)); !h.touched.IsZero() && at.After(h.quiet) {
		h.quiet = at
	}
	h.mu.Unlock()
	if s.Until.Sub(now) > leaveFor {
		h.pledge(s)
	}
	return s.Until, h.c.Pace.Judge(s, now) != pace.GiveUp
}

// pledge writes until when the host is to be left alone into its row at once: that must hold if this process is killed, too.
// An error says that the lease can't be renewed, of which others take note.
func (h *host) pledge(s pace.State) {
	if h.verdict() == pace.GiveUp { // its tasks are to come to their end
		return
	}
	p := paceOf(s)
	p.Until, p.Reason = s.Until, p.Why
	ctx, cancel := context.WithTimeout(h.c.last, h.c.Lease/6)
	defer cancel()
	began := time.Now()
	ls := []storage.Lease{{Host: h.lease.Host, Token: h.lease.Token, Pace: p}}
	lost, err := h.c.Queue.Renew(ctx, ls, h.c.Lease)
	switch {
	case err != nil:
		h.c.Log.Debug("until when a host is left alone could not be written", "host", h.lease.Host, "error", err)
	case len(lost) > 0:
		h.c.held.lose(ls[0])
	default:
		h.c.held.prolong(ls, began.Add(h.c.Lease))
	}
}

func (h *host) verdict() pace.Verdict {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.c.Pace.Judge(h.state, h.c.Now())
}

// owed says whether a task has to be asked for at least once, whatever became of its host: what a run was begun with, what it
// lists, the links of its posts, robots.txt, and what has been asked for before.
func owed(t storage.Task) bool {
	return t.Attempts > 0 || t.Kind == KindDocument || scope.Role(t.Hops) == scope.KindRobots || scope.Owed(t.Hops, t.Due)
}

// unasked is the permission of a task whose host is given up; nil if it is to be asked for.
func (h *host) unasked(t storage.Task) *permission {
	if h.verdict() != pace.GiveUp || owed(t) {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	did := "has not answered"
	if h.state.Reason != pace.ReasonDown {
		did = "has asked to be left alone, or could not answer,"
	}
	return &permission{outcome: outcome.Down, detail: fmt.Sprintf("%s %s %d times in a row since %s, and is not asked before %s.",
		h.lease.Host, did, h.state.Failures, h.state.Since.UTC().Format(time.DateTime), h.state.Until.UTC().Format("15:04:05 MST"))}
}

// alone is before when the host is not to be asked because of how it fares, and how many requests it may get at a time
// then. The lock is held.
func (h *host) alone(perHost int) (time.Time, int) {
	switch h.c.Pace.Judge(h.state, h.c.Now()) {
	case pace.Probe:
		return h.state.Until, 1
	case pace.GiveUp:
		return h.state.Alone(true), 1
	}
	return h.state.Until, perHost
}

// pace is what is known of the host for whoever has it next, which is nobody before quiet.
func (h *host) pace(quiet time.Time) storage.Pace {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, now := paceOf(h.state), h.c.Now()
	switch alone, _ := h.alone(1); {
	case !quiet.After(now):
	case !alone.Before(quiet):
		p.Reason = string(h.state.Reason)
	case h.waits != pace.ReasonNone:
		p.Reason = string(h.waits)
	case h.slow > 0 && !h.touched.Add(h.slow).Before(quiet):
		p.Reason = string(pace.ReasonCrawlDelay)
	default:
		p.Reason = string(pace.ReasonDelay)
	}
	return p
}

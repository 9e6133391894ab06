package link

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Fold is the state of a link after all that was seen of it, in whatever order that is handed in. The evidence of one
// record counts once. It is always the same for the same history: a state that is lost can be made anew.
func Fold(history []Evidence, r Rules) State {
	history = slices.Clone(history)
	slices.SortStableFunc(history, func(a, b Evidence) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Ref, b.Ref))
	})
	var s State
	s.Verdict = Unknown
	for i := range history {
		s, _ = s.Add(history[i], r)
	}
	return s
}

// Add is the state after one more piece of evidence: the same as folding the whole history again. It is false, and nothing
// has changed, if the evidence is older than what was folded: then the history is to be folded anew, as where a round
// turns out later not to count.
func (s State) Add(e Evidence, r Rules) (State, bool) {
	if s.Verdict == "" {
		s.Verdict = Unknown
	}
	switch order := cmp.Or(e.At.Compare(s.Asked), strings.Compare(e.Ref, s.Memory.Ref)); {
	case order < 0 && !s.Asked.IsZero():
		return s, false
	case order == 0 && e.Ref != "":
		return s, true
	}
	if s.URL == "" {
		s.URL = e.URL
	}
	s.Asked, s.Memory.Ref = e.At, e.Ref
	s.Memory.clone()
	s.Evidence = slices.Clone(s.Evidence)
	if e.RetryAfter > 0 {
		s.Wait = e.At.Add(min(e.RetryAfter, r.MaxWait))
	}
	f := judge(&e, s.Memory.Good, &r)
	if !f.Counts {
		return s, true
	}
	s.Looks, s.Last = s.Looks+1, e.At
	if s.Looks == 1 {
		s.First = e.At
	}
	switch {
	case f.Shows == Blocked || f.Shows == Paywalled || f.Shows == Excluded:
		s.unseen(&e, f)
	case f.failure():
		s.failed(&e, f, &r)
	case f.Shows == Drifted:
		s.changed(&e, f, &r)
	default:
		s.good(&e, f, &r)
	}
	return s, true
}

// become sets the verdict. Since stands where the verdict stays what it was.
func (s *State) become(v Verdict, since time.Time, reason string) {
	if s.Verdict != v {
		s.Verdict, s.Since = v, since
	}
	s.Reason = reason
}

// unseen folds a look that could not see the page. It says nothing of its life: failures before it stand, and are no verdict
// until the next.
func (s *State) unseen(e *Evidence, f Finding) {
	s.Memory.GoodSince = time.Time{}
	if s.Memory.Unseen.IsZero() {
		s.Memory.Unseen = e.At
	}
	s.Suspect, s.Strikes, s.Needed, s.Target = "", 0, 0, ""
	s.note(e, f, false, s.Verdict != f.Shows)
	s.become(f.Shows, e.At, f.Reason)
}

// rise ends whatever stood against a link that answers.
func (s *State) rise(at time.Time) {
	m := &s.Memory
	if len(m.Tally) > 0 {
		m.Rose = append(m.Rose, at)
		m.Rose = m.Rose[max(0, len(m.Rose)-MaxFlaps):]
	}
	m.forgive()
	m.Unseen = time.Time{}
	s.Suspect, s.Strikes, s.Needed = "", 0, 0
}

// good folds a look that found the page.
func (s *State) good(e *Evidence, f Finding, r *Rules) {
	m := &s.Memory
	s.note(e, f, false, m.GoodSince.IsZero() || m.Drift.N > 0)
	s.rise(e.At)
	m.Drift = Tally{}
	if m.GoodSince.IsZero() {
		m.GoodSince = e.At
	}
	s.LastGood, s.Target = e.At, f.Target
	if e.Text != nil && whole(e) {
		text := *e.Text
		m.Good = &text
	}
	v, since := f.Shows, e.At
	if f.Permanent && site(f.Target) != site(e.URL) {
		if m.Target != f.Target {
			m.Target, m.Move = f.Target, Tally{}
		}
		m.Move.add(e.At, r.Apart)
		if m.Move.N >= r.MovedLooks {
			v, since = Moved, m.Move.First
		}
	} else {
		m.Target, m.Move = "", Tally{}
	}
	s.become(v, since, f.Reason)
}

// changed folds a look that found a page, and not the one that was cited. Until there are enough of them, a living link
// stays what it was, and of any other nothing is known.
func (s *State) changed(e *Evidence, f Finding, r *Rules) {
	m := &s.Memory
	s.note(e, f, true, m.Drift.N == 0)
	s.rise(e.At)
	m.Drift.add(e.At, r.Apart)
	m.Target, m.Move = "", Tally{}
	if m.GoodSince.IsZero() {
		m.GoodSince = e.At
	}
	s.Target = f.Target
	switch {
	case m.Drift.N >= r.DriftLooks:
		s.become(Drifted, m.Drift.First, f.Reason)
		s.LastGood = e.At
		return
	case !s.Verdict.Live():
		s.become(Unknown, e.At, f.Reason)
	}
	s.Suspect, s.Strikes, s.Needed = Drifted, m.Drift.N, r.DriftLooks
}

// failed folds a failure.
func (s *State) failed(e *Evidence, f Finding, r *Rules) {
	m := &s.Memory
	if !m.Unseen.IsZero() && e.At.Sub(m.Unseen) >= r.Lapse {
		m.forgive()
	}
	m.Unseen = time.Time{}
	fresh := len(m.Tally) == 0
	t := m.Tally[f.Shows]
	if m.Kind != f.Shows && e.At.Sub(t.Last) >= r.Lapse {
		t = Tally{} // it has failed in another way since
	}
	m.Kind = f.Shows
	strike := t.add(e.At, r.Apart)
	if f.Fast {
		t.addFast(e.At, r.Apart)
	}
	if m.Tally == nil {
		m.Tally = map[Verdict]Tally{}
	}
	m.Tally[f.Shows] = t
	if f.Shows != Soft404 && f.Shows != Usurped {
		m.Any.add(e.At, r.Apart)
	}
	m.GoodSince = time.Time{}
	s.note(e, f, strike, fresh)
	s.sentence(e.At, f, r)
}

// sentence makes a verdict of the failures, if they are enough for one.
func (s *State) sentence(at time.Time, f Finding, r *Rules) {
	m := &s.Memory
	factor := 1
	if s.Flapping(at, *r) {
		factor = 2
	}
	t := m.Tally[f.Shows]
	switch {
	case r.enough(f.Shows, t, factor):
		s.become(f.Shows, t.First, f.Reason)
	case s.Verdict == f.Shows && s.Verdict.Dead():
		s.Reason = f.Reason
	case !s.Verdict.Dead() && r.slow(m.Any, factor):
		s.become(m.most(f.Shows), m.Any.First, f.Reason)
	}
	if s.Verdict.Dead() {
		m.Drift, m.Target, m.Move = Tally{}, "", Tally{}
		t = m.Tally[s.Verdict]
		s.Suspect, s.Strikes, s.Target = "", t.N, ""
		s.Needed = r.needed(s.Verdict, t.Fast > 0) * factor
		if s.Verdict != f.Shows {
			s.Suspect = f.Shows // dead otherwise than before: it is looked at more often until that is sure
		}
		return
	}
	s.Suspect, s.Strikes = f.Shows, t.N
	if s.Needed = r.needed(f.Shows, f.Fast) * factor; f.Fast {
		s.Strikes = t.Fast
	}
}

// most is the kind of failure that came most often; first, if no other did more often.
func (m *Memory) most(first Verdict) Verdict {
	best := first
	for _, v := range Verdicts {
		if v != Soft404 && v != Usurped && m.Tally[v].N > m.Tally[best].N {
			best = v
		}
	}
	return best
}

// needed is how many failures make a verdict.
func (r *Rules) needed(v Verdict, fast bool) int {
	switch {
	case v == Soft404:
		return r.SoftLooks
	case v == Usurped:
		return r.UsurpedLooks
	case fast:
		return r.Fast
	case v == Gone:
		return r.Gone
	}
	return r.Slow
}

func (r *Rules) enough(v Verdict, t Tally, factor int) bool {
	switch v {
	case Soft404:
		return t.N >= r.SoftLooks*factor
	case Usurped:
		return t.N >= r.UsurpedLooks*factor
	case Gone:
		return t.Fast >= r.Fast*factor || t.N >= r.Gone*factor
	case DNSDead:
		return t.Fast >= r.Fast*factor || r.slow(t, factor)
	}
	return r.slow(t, factor)
}

func (r *Rules) slow(t Tally, factor int) bool {
	return t.N >= r.Slow*factor && t.span() >= r.SlowSpan*time.Duration(factor)
}

// Flapping says whether a link has so often failed and come back lately that its failures mean less.
func (s *State) Flapping(at time.Time, r Rules) bool {
	n := 0
	for _, rose := range s.Memory.Rose {
		if at.Sub(rose) <= r.FlapWindow {
			n++
		}
	}
	return r.Flaps > 0 && n >= r.Flaps
}

// note adds a look to the evidence; anew begins a new list.
func (s *State) note(e *Evidence, f Finding, strike, anew bool) {
	if anew {
		s.Evidence = nil
	}
	s.Evidence = append(s.Evidence, Reference{e.Ref, e.At, e.Kind, f.Shows, f.Reason, strike})
	if len(s.Evidence) > MaxEvidence {
		s.Evidence = slices.Delete(s.Evidence, MaxEvidence/2, MaxEvidence/2+1)
	}
}

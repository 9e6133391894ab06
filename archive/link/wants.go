package link

import "slices"

// Wants is what a look should find out beyond the answer itself.
type Wants struct {
	Sibling bool // what a random path beside the link is answered
	Host    bool // the name servers of the domain
}

// Wants says what a look that has its answer should find out besides, so that hosts are asked for no more than a judgement
// takes: a page that is sure to be what it was takes nothing. The sibling is asked for once a changed or new page, the name
// servers only where something speaks for a change of hands.
func (s *State) Wants(e *Evidence, r Rules) (w Wants) {
	f := judge(e, s.Memory.Good, &r)
	here, ok := parse(e.URL)
	if !ok || e.Status < 200 || e.Status > 299 || f.Shows == Blocked || f.Shows == Paywalled {
		return w
	}
	changed := s.Memory.Good == nil || e.Text == nil || distance(s.Memory.Good, e.Text) > r.DriftDistance/2
	sure := e.matches(&r) || !changed && s.Verdict.Live() && s.Suspect == "" && target(e) == s.Target
	if sure {
		return w
	}
	w.Sibling = !here.home() && !slices.ContainsFunc(e.Siblings, func(s Sibling) bool { return s.Random }) && !slices.Contains(e.Flags, "needs-browser")
	parked := e.Host != nil && len(e.Host.Parking) > 0
	mismatch := e.Copy != nil && e.Copy.Similarity < r.UsurpedMismatch || s.Memory.Good != nil && changed
	w.Host = (parked || mismatch) && (e.Host == nil || e.Host.NameServers == nil)
	return w
}

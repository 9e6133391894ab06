package link

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Explain says in plain words what is known of a link, as in "Gone since 3 August (404, 3 checks over 9 days)." Days are in
// UTC; a year that is not that of now is told.
func Explain(s State, now time.Time) string {
	text := s.sentenceOf(now)
	if s.Suspect != "" && !s.Verdict.Dead() {
		text += " " + s.doubt()
	}
	return text
}

var deadly = map[Verdict]string{
	Soft404: "Not there since", Usurped: "In other hands since", Gone: "Gone since", DNSDead: "Its host is gone since",
	TLSBad: "No trusted connection since", Timeout: "No answer since", ServerError: "Its server fails since",
}

func (s *State) sentenceOf(now time.Time) string {
	since := Day(s.Since, now)
	switch s.Verdict {
	case "", Unknown:
		if s.Suspect != "" {
			return "Nothing is certain yet."
		}
		if s.Asked.IsZero() {
			return "Not looked at yet."
		}
		return "Looked at, and nothing that counts was learnt yet."
	case Alive:
		return "Alive on " + Day(s.LastGood, now) + plural(s.Looks, " (%d check in all).", " (%d checks in all).")
	case Redirected:
		return fmt.Sprintf("Alive on %s, and leads to %s since %s (%s).", Day(s.LastGood, now), s.Target, since, s.Reason)
	case Moved:
		return fmt.Sprintf("Moved for good to %s since %s (%s, %s).", s.Target, since, s.Reason, over(s.Memory.Move))
	case Drifted:
		return fmt.Sprintf("Changed since %s: %s (%s).", since, s.Reason, over(s.Memory.Drift))
	case Blocked:
		return fmt.Sprintf("Not shown to programs since %s (%s): whether it is still there can't be told.", since, s.Reason)
	case Paywalled:
		return fmt.Sprintf("Not shown without a login, consent or payment since %s (%s): whether it is still there can't be told.", since, s.Reason)
	case Excluded:
		return fmt.Sprintf("Not looked at since %s: %s.", since, s.Reason)
	}
	t := s.Memory.Tally[s.Verdict]
	if s.Memory.Any.N > t.N && s.Since.Equal(s.Memory.Any.First) {
		t = s.Memory.Any
	}
	return fmt.Sprintf("%s %s (%s, %s).", deadly[s.Verdict], since, s.Reason, over(t))
}

// doubt tells what stands against a link that has no verdict for it yet.
func (s *State) doubt() string {
	last := ""
	if n := len(s.Evidence); n > 0 {
		last = " (" + s.Evidence[n-1].Reason + ")"
	}
	return fmt.Sprintf("In doubt: %s%s; %d in that way make it %s.",
		plural(s.Strikes, "%d check that counts went wrong", "%d checks that count went wrong"), last, s.Needed, s.Suspect)
}

func over(t Tally) string {
	n := plural(t.N, "%d check", "%d checks")
	days := int(math.Round(t.span().Hours() / 24))
	if days == 0 {
		return n
	}
	return n + plural(days, " over %d day", " over %d days")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf(one, n)
	}
	return fmt.Sprintf(many, n)
}

// Day writes a day for people, in UTC: "3 August", with its year if that is not the one of now.
func Day(t, now time.Time) string {
	t = t.UTC()
	if t.Year() == now.UTC().Year() {
		return t.Format("2 January")
	}
	return t.Format("2 January 2006")
}

// Distance writes how long before or after the post a copy was made: "2 hours after the post".
func Distance(copied, cited time.Time) string {
	d := copied.Sub(cited)
	side := "after"
	if d < 0 {
		d, side = -d, "before"
	}
	var n string
	switch {
	case d < time.Minute:
		return "as the post was written"
	case d < time.Hour:
		n = plural(int(d.Minutes()), "%d minute", "%d minutes")
	case d < 48*time.Hour:
		n = plural(int(d.Hours()), "%d hour", "%d hours")
	case d < 60*day:
		n = plural(int(d/day), "%d day", "%d days")
	case d < 730*day:
		n = plural(int(d.Hours()/24/30.44), "%d month", "%d months")
	default:
		n = plural(int(d.Hours()/24/365.25), "%d year", "%d years")
	}
	return strings.Join([]string{n, side, "the post"}, " ")
}

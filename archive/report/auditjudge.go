package report

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"linkstead/archive/link"
	"linkstead/archive/outcome"
	"linkstead/archive/wall"
)

// AuditState is what one look makes of a link.
type AuditState string

// The states.
const (
	StateOK         AuditState = "ok"
	StateRedirected AuditState = "redirected" // ok, at another address
	StateBlocked    AuditState = "blocked"    // it is not shown to programs, or to those without a login: nobody can tell
	StateBroken     AuditState = "broken"
	StateUnchecked  AuditState = "unchecked" // it was not asked for
)

// AuditStates are all of them, the worst first.
var AuditStates = []AuditState{StateBroken, StateBlocked, StateRedirected, StateUnchecked, StateOK}

// What an audit can be made to fail on besides states.
const (
	FailDamaged  = "damaged"
	FailFragment = "fragment" // places that pages do not have
)

// AuditRules say what an audit takes for good.
type AuditRules struct {
	Accept func(status int) bool // answers that are ok
}

// Judge says what a look at a link means, which shows by itself what f says, in its State, Verdict, Reason and Suggest.
func (l *AuditLink) Judge(f link.Finding, r AuditRules) {
	l.Verdict, l.Suggest = string(f.Shows), ""
	l.State, l.Reason = l.judge(f, r)
	if l.State == StateOK && l.Final != "" {
		l.State, l.Reason = StateRedirected, "redirects to "+l.Final
		if !slices.ContainsFunc(l.Redirects, func(h Hop) bool {
			return h.Status != http.StatusMovedPermanently && h.Status != http.StatusPermanentRedirect
		}) {
			l.Suggest, l.Reason = l.Final, "redirects for good to "+l.Final
		}
	}
}

func (l *AuditLink) judge(f link.Finding, r AuditRules) (AuditState, string) {
	o := outcome.Outcome(l.Outcome)
	switch {
	case l.Outcome == "":
		return StateUnchecked, l.Reason
	case o.Ours():
		return StateUnchecked, sentence(l.Detail, o)
	case !o.Kept():
		return StateBroken, sentence(l.Detail, o)
	}
	said := strings.TrimSpace(fmt.Sprintf("%d %s", l.Status, http.StatusText(l.Status)))
	good := l.Status/100 == 2
	if !good && r.Accept(l.Status) {
		return StateOK, said
	}
	switch f.Shows {
	case link.Blocked, link.Paywalled:
		if walls := wall.Names(l.Flags); walls != "" {
			said += ", " + walls
		}
		return StateBlocked, said
	case link.Unknown, link.Excluded:
		return StateUnchecked, f.Reason
	case link.TLSBad:
		return StateBroken, cmp.Or(l.TLSInvalid, f.Reason)
	case link.Soft404:
		return StateBroken, f.Reason
	case link.Alive, link.Redirected, link.Moved:
		if r.Accept(l.Status) {
			return StateOK, ""
		}
	case link.ServerError:
		if empty(l.Status) {
			said += ", which leads nowhere"
		}
	}
	return StateBroken, said
}

func sentence(detail string, o outcome.Outcome) string {
	if detail == "" {
		detail = o.Describe().Meaning
	}
	return strings.TrimSuffix(detail, ".")
}

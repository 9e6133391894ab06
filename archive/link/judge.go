package link

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// Finding is what one look shows by itself. It is no verdict on the link's life: that takes several (see Fold).
type Finding struct {
	Shows     Verdict
	Reason    string // in a few words
	Counts    bool   // false: it tells nothing of the link
	Fast      bool   // the failure is of a kind that needs no long proof: 410, NXDOMAIN
	Target    string // where it leads, if it does so to another page
	Permanent bool   // and the server says: for good
}

// Judge says what a look shows by itself: for a link checker, which has no history. What takes a copy or an earlier look
// to be known is judged only as far as the evidence has a comparison.
func Judge(e *Evidence, r *Rules) Finding { return judge(e, nil, r) }

// judge is Judge; good is what the page said when it was last known to be itself, or nil.
func judge(e *Evidence, good *Text, r *Rules) Finding {
	if e.Void {
		return nothing("our own network failed at the time")
	}
	f := judgeAnswer(e, good, r)
	if f.Counts && e.Method == "HEAD" && f.failure() {
		return nothing("a failure told by HEAD alone, which servers often answer otherwise than GET")
	}
	return f
}

func nothing(reason string) Finding { return Finding{Shows: Unknown, Reason: reason} }

func shows(v Verdict, format string, args ...any) Finding {
	return Finding{Shows: v, Reason: fmt.Sprintf(format, args...), Counts: true}
}

func (f Finding) failure() bool { return f.Shows.Dead() }

// judgeAnswer tells answers from failures to give one.
func judgeAnswer(e *Evidence, good *Text, r *Rules) Finding {
	switch e.Outcome {
	case "captured", "cut-short", "too-long", "too-slow", "withheld":
		return judgeStatus(e, good, r)
	case "":
		if e.Status != 0 {
			return judgeStatus(e, good, r)
		}
		return nothing("not looked at yet")
	case "dns":
		f := shows(DNSDead, "its name does not resolve")
		if f.Fast = e.DNS == "not-found"; !f.Fast && e.DNS != "" {
			f.Reason = "its name servers fail: " + e.DNS
		}
		return f
	case "timeout":
		if e.Phase == "dns" {
			return shows(DNSDead, "its name servers do not answer")
		}
		return shows(Timeout, "no answer in time")
	case "refused":
		return shows(Timeout, "connection refused")
	case "unreachable":
		return shows(Timeout, "no route to its address")
	case "reset":
		return shows(Timeout, "connection reset")
	case "tls":
		return shows(TLSBad, "no secure connection%s", paren(e.TLS))
	case "protocol":
		return shows(ServerError, "what it answers is not HTTP")
	case "empty":
		return shows(ServerError, "empty reply")
	case "redirects", "redirect-loop":
		return shows(ServerError, "redirects without an end")
	case "robots":
		return shows(Excluded, "robots.txt asks not to fetch it")
	case "excluded":
		return shows(Excluded, "our own rules leave it out")
	case "private":
		return shows(Excluded, "its name leads to a private address")
	case "bad-url":
		return shows(Excluded, "not an address that can be asked")
	}
	return nothing("not asked: " + e.Outcome)
}

func paren(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// judgeStatus judges a response by its flags and its status. Walls come first: what one says is said to programs.
func judgeStatus(e *Evidence, good *Text, r *Rules) Finding {
	for _, flag := range e.Flags {
		switch flag {
		case "bot-wall":
			return shows(Blocked, "a bot wall stands before it")
		case "cookie-wall":
			return shows(Blocked, "it asks for cookies first")
		case "consent-wall":
			return shows(Paywalled, "it asks for consent or payment first")
		case "login":
			return shows(Paywalled, "it asks for a login first")
		}
	}
	switch e.Status {
	case 401, 402:
		return shows(Paywalled, "%d", e.Status)
	case 403, 429, 451, 999:
		return shows(Blocked, "%d", e.Status)
	case 404:
		return shows(Gone, "404")
	case 410:
		f := shows(Gone, "410")
		f.Fast = true
		return f
	case 407, 511:
		return nothing(fmt.Sprintf("%d: a proxy or network of ours asks for a login", e.Status))
	case 304:
		return leads(e, shows(Alive, "304: unchanged"))
	case 408:
		return shows(Timeout, "408")
	}
	switch {
	case e.Status >= 200 && e.Status < 300:
		return judgePage(e, good, r)
	case e.Status >= 300 && e.Status < 400 && e.Target != "":
		return nothing("it leads to " + e.Target + ", which was not asked")
	case e.Status >= 300 && e.Status < 600:
		return shows(ServerError, "%d", e.Status)
	case e.Status >= 600 && e.Status < 1000: // made up by firewalls against programs
		return shows(Blocked, "%d", e.Status)
	}
	return shows(ServerError, "an answer with status %d", e.Status)
}

// judgePage judges a page: is it what was cited?
func judgePage(e *Evidence, good *Text, r *Rules) Finding {
	if u := TakenOver(e, good, r); u.Counts || u.Reason != "" {
		return u
	}
	if s := SoftNotFound(e, r); s.Counts {
		return s
	}
	if e.TLS != "" {
		return shows(TLSBad, "no browser trusts its certificate (%s)", e.TLS)
	}
	if d := Drift(e, r); d.Counts {
		d.Target = target(e)
		return d
	}
	return leads(e, shows(Alive, "%d", e.Status))
}

// target is where a look ended, if that is another page; else empty.
func target(e *Evidence) string {
	if e.Final == "" || samePage(e.URL, e.Final) {
		return ""
	}
	return e.Final
}

// leads makes a finding of a living page one of a redirect, if it is.
func leads(e *Evidence, f Finding) Finding {
	if f.Target = target(e); f.Target == "" {
		return f
	}
	f.Shows = Redirected
	f.Permanent = len(e.Hops) > 0
	for _, h := range e.Hops {
		f.Permanent = f.Permanent && (h.Status == 301 || h.Status == 308)
	}
	if len(e.Hops) > 0 {
		f.Reason = fmt.Sprint(e.Hops[0].Status)
	}
	return f
}

// matches says whether a page is still our copy of it.
func (e *Evidence) matches(r *Rules) bool {
	c := e.Copy
	return c != nil && (c.Equal || c.Similarity >= r.SoftSame || c.Had == Yes && c.Quoted == Yes)
}

// SoftNotFound says whether a page that was answered is the host's answer to what is not there. The finding counts if so.
// A home page is never judged, nor one that still matches our copy, nor one that is empty without scripts: it may be the
// same for every address, and yet be many pages.
func SoftNotFound(e *Evidence, r *Rules) Finding {
	here, ok := parse(e.URL)
	if !ok || here.home() || e.matches(r) || slices.Contains(e.Flags, "needs-browser") {
		return Finding{}
	}
	end := target(e)
	like := map[string]bool{}
	for i := range e.Siblings {
		s := &e.Siblings[i]
		if s.Status < 200 || s.Status > 299 || samePage(s.URL, e.URL) {
			continue
		}
		if s.Random && s.Similarity >= r.SoftSimilar {
			return shows(Soft404, "a random path of its host is answered alike (%d %% the same words)", int(s.Similarity*100))
		}
		if end != "" && samePage(s.Final, end) && !samePage(s.URL, end) {
			if s.Random {
				return shows(Soft404, "a random path of its host leads to the same place, %s", end)
			}
			a, _ := parse(s.URL)
			like[a.path+"?"+a.query] = true
		}
	}
	if n := len(like) + 1; end != "" && n >= r.SoftPaths {
		return shows(Soft404, "%d unlike addresses of its host lead to %s", n, end)
	}
	if to, ok := parse(end); ok && here.deep() && to.root() {
		return shows(Soft404, "it leads to the front page %s", end)
	}
	return Finding{}
}

// TakenOver says whether somebody else has the domain: there is parking evidence, and the page is not what it was. The
// finding counts if so. Where there is evidence of parking and nothing to compare with, it tells that as its reason, and
// counts for nothing.
func TakenOver(e *Evidence, good *Text, r *Rules) Finding {
	if e.Host == nil || len(e.Host.Parking) == 0 || e.matches(r) {
		return Finding{}
	}
	rules := strings.Join(e.Host.Parking, ", ")
	switch {
	case e.Copy != nil:
		if e.Copy.Similarity >= r.UsurpedMismatch {
			return Finding{}
		}
		return shows(Usurped, "parked (%s), and %d %% of our copy's words are there", rules, int(e.Copy.Similarity*100))
	case good != nil && e.Text != nil:
		if d := distance(good, e.Text); d <= r.DriftDistance {
			return Finding{}
		}
		return shows(Usurped, "parked (%s), and not what it said before", rules)
	}
	return nothing("it looks parked (" + rules + "), and there is no copy to compare it with")
}

// Drift says whether a page no longer says what our copy does. The finding counts if so. Where a quotation is known, it alone
// decides.
func Drift(e *Evidence, r *Rules) Finding {
	c := e.Copy
	if c == nil || c.Equal {
		return Finding{}
	}
	if c.Had == Yes && c.Quoted != Unasked {
		if c.Quoted == No && whole(e) {
			return shows(Drifted, "the quoted sentence is no longer there")
		}
		return Finding{}
	}
	if e.Text == nil || c.Text.Words < r.DriftLeast || !whole(e) || slices.Contains(e.Flags, "needs-browser") {
		return Finding{}
	}
	if d := distance(&c.Text, e.Text); d > r.DriftDistance {
		return shows(Drifted, "its text has changed (simhash distance %d of 64)", d)
	}
	small, large := min(c.Text.Words, e.Text.Words), max(c.Text.Words, e.Text.Words)
	if float64(large-small) > r.DriftWords*float64(small) {
		return shows(Drifted, "its text had %d words, and has %d", c.Text.Words, e.Text.Words)
	}
	return Finding{}
}

// whole says whether all of a page came.
func whole(e *Evidence) bool { return e.Outcome == "captured" || e.Outcome == "" }

func distance(a, b *Text) int { return bits.OnesCount64(a.Simhash ^ b.Simhash) }

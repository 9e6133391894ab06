// Package scope says what belongs to a run: whether a URL that a document names becomes a task, of which kind, how deep
// and how urgent. It is pure: it reads no clock, no network and no database, and never parses a document.
package scope

import (
	"fmt"
	"regexp"
	"strings"

	"linkstead/archive/urlkey"
)

// Kind is the kind of a task.
type Kind string

// The kinds of task that a run gives rise to.
const (
	KindPage      Kind = "page"      // the post, or a page that a link leads to
	KindRequisite Kind = "requisite" // what a page needs to be seen again
	KindRedirect  Kind = "redirect"  // where a redirect leads; Role tells what it stands in for
	KindRobots    Kind = "robots"    // a host's robots.txt
)

// Hop is one step of a hop path: how a URL was come upon.
type Hop byte

// The hops.
const (
	HopLink     Hop = 'L'
	HopEmbed    Hop = 'E'
	HopRedirect Hop = 'R'
	HopPrereq   Hop = 'P' // robots.txt
	HopEntry    Hop = 'M' // listed in a feed, a sitemap or a list ("manifest", as in Heritrix's hop types)
	HopNested   Hop = 'N' // a sitemap that a sitemap index names
)

// Role is what the document at the end of a hop path is for: a page, a requisite or a robots.txt. Redirects stand in
// for what they were met on.
func Role(hops string) Kind {
	switch hops = strings.TrimRight(hops, string(HopRedirect)); {
	case strings.HasSuffix(hops, string(HopEmbed)):
		return KindRequisite
	case strings.HasSuffix(hops, string(HopPrereq)):
		return KindRobots
	default:
		return KindPage
	}
}

// IsSeed says whether a hop path is that of what the run was begun with: nothing but redirects.
func IsSeed(hops string) bool { return strings.Trim(hops, string(HopRedirect)) == "" }

// IsEntry says whether a hop path is that of an entry of a feed, a sitemap or a list.
func IsEntry(hops string) bool {
	return strings.HasSuffix(strings.TrimRight(hops, string(HopRedirect)), string(HopEntry))
}

// IsList says whether a hop path is that of a feed, a sitemap or a list: the seed, or what a sitemap index names. An index
// within an index is none.
func IsList(hops string) bool {
	seed, _ := strings.CutSuffix(strings.TrimRight(hops, string(HopRedirect)), string(HopNested))
	return IsSeed(seed)
}

// IsTop says whether a hop path is one that links are counted from.
func IsTop(hops string) bool { return IsList(hops) || IsEntry(hops) }

// Link is one URL that was come upon in a run.
type Link struct {
	URL   string // resolved and serialised, without fragment
	Hop   Hop
	Cited bool // it is one of the post's own links, as the run's Links mode has it

	From  string // the URL of the document or redirect that names it
	Depth int    // of that document: link hops from the post
	Hops  string // of that document: its hop path; empty for the post
	Nth   int    // of an embed: how many requisites its page was given before it
}

// Reason is why a link does not become a task.
type Reason string

// The reasons.
const (
	ReasonScheme    Reason = "scheme"    // neither http nor https, or no URL at all
	ReasonExcluded  Reason = "excluded"  // an exclude expression found itself in it
	ReasonScope     Reason = "scope"     // out of bounds
	ReasonDepth     Reason = "depth"     // more link hops than the run follows
	ReasonRedirects Reason = "redirects" // too many redirects in a row
	ReasonLoop      Reason = "loop"      // a redirect to itself
	ReasonWatch     Reason = "watch"     // what the run watches is the links alone
	ReasonQuota     Reason = "quota"     // too many requisites, or requisites too far within requisites
)

// Verdict is what becomes of a link: a task, or nothing and why.
type Verdict struct {
	Admitted bool
	Kind     Kind
	Depth    int    // link hops from the post
	Hops     string // the task's hop path
	Due      int64  // the task's priority: below 1000, small first; see storage.Task
	Reason   Reason // why not; empty if admitted
	Detail   string // the same for people
}

// Priorities: robots.txt before all, then the post; each depth has its own decade after that, pages before requisites,
// the post's own links before what else is in scope.
const (
	dueRobots     = 0
	duePost       = 1
	dueRequisite  = 2
	dueOther      = 5
	duePerDepth   = 10
	robotsMaxHops = 5 // RFC 9309 §2.3.1.2
)

// Scope is a Spec made ready to judge. It is immutable and safe for concurrent use.
type Scope struct {
	spec    Spec
	exclude []*regexp.Regexp
	root    root
}

// Compile checks the spec and makes it ready. Errors name the value at fault and what to try.
func (s Spec) Compile() (*Scope, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	c := &Scope{spec: s}
	for _, e := range s.Exclude {
		re, err := regexp.Compile(e)
		if err != nil {
			return nil, fmt.Errorf("exclude %q is no regular expression (%s): use RE2 syntax, for example '\\.zip$' or '/calendar/'", e, fault(err))
		}
		c.exclude = append(c.exclude, re)
	}
	r, err := newRoot(s.Source)
	if s.Base != "" {
		base, baseErr := newRoot(s.Base)
		if baseErr != nil {
			return nil, fmt.Errorf("base %q is no http(s) address: write it in full, for example https://example.org/posts/", s.Base)
		}
		if err != nil {
			r, err = base, nil
		}
	}
	if err != nil && s.Depth > 0 && s.Scope != BoundAny {
		return nil, fmt.Errorf("scope %s needs an address to measure from, and the source is a document: give --base URL, or --scope any", s.Scope)
	}
	c.root = r
	return c, nil
}

func fault(err error) string {
	if i := strings.Index(err.Error(), "parsing regexp: "); i >= 0 {
		return err.Error()[i+len("parsing regexp: "):]
	}
	return err.Error()
}

// Rooted is the scope as measured from addr: the post's address after its redirects.
func (s *Scope) Rooted(addr string) (*Scope, error) {
	r, err := newRoot(addr)
	if err != nil {
		return nil, err
	}
	c := *s
	c.root = r
	return &c, nil
}

// Spec is the spec that the scope was made from.
func (s *Scope) Spec() Spec { return s.spec }

// Post is the verdict on the post itself: it always belongs.
func (s *Scope) Post() Verdict {
	return Verdict{Admitted: true, Kind: KindPage, Due: duePost}
}

// Admit decides whether a link becomes a task.
func (s *Scope) Admit(l Link) Verdict {
	if !urlkey.Fetchable(l.URL) {
		return refuse(ReasonScheme, "only http and https addresses can be captured")
	}
	switch l.Hop {
	case HopLink:
		return s.admitLink(l)
	case HopEmbed:
		return s.admitEmbed(l)
	case HopRedirect:
		return s.admitRedirect(l)
	case HopPrereq:
		return admit(l, KindRobots, l.Depth, dueRobots)
	case HopEntry, HopNested:
		if v, out := s.excluded(l.URL); out {
			return v
		}
		if s.spec.Watch == WatchSitemap && !s.inBounds(l.URL) { // sitemaps.org: those of its own host
			return refuse(ReasonScope, s.bounds())
		}
		return admit(l, KindPage, 0, duePost)
	}
	return refuse(ReasonScheme, fmt.Sprintf("hop %q is unknown", byte(l.Hop)))
}

func (s *Scope) admitLink(l Link) Verdict {
	if v, out := s.excluded(l.URL); out {
		return v
	}
	depth := l.Depth + 1
	if l.Cited && IsTop(l.Hops) {
		return admit(l, KindPage, depth, duePerDepth)
	}
	if depth > s.spec.Depth {
		return refuse(ReasonDepth, fmt.Sprintf("%d link hops from the post; the run follows %d", depth, s.spec.Depth))
	}
	if !s.inBounds(l.URL) {
		return refuse(ReasonScope, s.bounds())
	}
	due := int64(depth) * duePerDepth
	if depth == 1 {
		due += dueOther
	}
	return admit(l, KindPage, depth, due)
}

func (s *Scope) admitEmbed(l Link) Verdict {
	if v, out := s.excluded(l.URL); out {
		return v
	}
	if s.spec.Watch == WatchRecheck {
		return refuse(ReasonWatch, "links are rechecked without what their pages need")
	}
	within := l.Hops[strings.LastIndexAny(l.Hops, string(HopLink)+string(HopEntry))+1:]
	if n := strings.Count(within, string(HopEmbed)) + 1; n > s.spec.MaxEmbedHops {
		return refuse(ReasonQuota, fmt.Sprintf("a requisite within %d others; the limit is %d", n-1, s.spec.MaxEmbedHops))
	}
	if l.Nth >= s.spec.MaxRequisites {
		return refuse(ReasonQuota, fmt.Sprintf("the page has more than %d requisites", s.spec.MaxRequisites))
	}
	return admit(l, KindRequisite, l.Depth, int64(l.Depth)*duePerDepth+dueRequisite)
}

// admitRedirect lets a redirect's target stand where its source stood. The post's own links are followed wherever they
// lead, for a source that has moved is still a source; deeper pages stay in bounds.
func (s *Scope) admitRedirect(l Link) Verdict {
	role, limit := Role(l.Hops), s.spec.MaxRedirects
	if role == KindRobots {
		limit = robotsMaxHops
	}
	if l.URL == l.From {
		return refuse(ReasonLoop, "it redirects to itself")
	}
	before := strings.TrimRight(l.Hops, string(HopRedirect))
	if n := len(l.Hops) - len(before) + 1; n > limit {
		return refuse(ReasonRedirects, fmt.Sprintf("more than %d redirects in a row", limit))
	}
	switch {
	case role == KindRobots:
		return admit(l, KindRedirect, l.Depth, dueRobots)
	case IsTop(before):
		return admit(l, KindRedirect, l.Depth, duePost)
	}
	if v, out := s.excluded(l.URL); out {
		return v
	}
	if role == KindRequisite {
		return admit(l, KindRedirect, l.Depth, int64(l.Depth)*duePerDepth+dueRequisite)
	}
	if l.Depth > 1 && !s.inBounds(l.URL) {
		return refuse(ReasonScope, s.bounds())
	}
	return admit(l, KindRedirect, l.Depth, int64(l.Depth)*duePerDepth)
}

func admit(l Link, kind Kind, depth int, due int64) Verdict {
	return Verdict{Admitted: true, Kind: kind, Depth: depth, Hops: l.Hops + string(l.Hop), Due: due}
}

func refuse(r Reason, detail string) Verdict { return Verdict{Reason: r, Detail: detail} }

func (s *Scope) excluded(addr string) (Verdict, bool) {
	for i, re := range s.exclude {
		if re.MatchString(addr) {
			return refuse(ReasonExcluded, "excluded by "+s.spec.Exclude[i]), true
		}
	}
	return Verdict{}, false
}

package scope

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Links says which links of the post are its sources.
type Links string

// The ways to choose the post's own links.
const (
	LinksSources  Links = "content+outbound" // the union of the two below; the default
	LinksContent  Links = "content"          // links in the page's main content
	LinksOutbound Links = "outbound"         // links to another site, anywhere on the page
	LinksAll      Links = "all"              // every link
)

// Selects says whether a link of the post is one of its sources: inContent if it stands in the main content, outbound
// if it leads to another site.
func (m Links) Selects(inContent, outbound bool) bool {
	switch m {
	case LinksContent:
		return inContent
	case LinksOutbound:
		return outbound
	case LinksAll:
		return true
	default:
		return inContent || outbound
	}
}

// Bound says how far from the post's address deeper links may lead.
type Bound string

// The bounds.
const (
	BoundHost   Bound = "host"   // the post's host and port, http and https alike; the default
	BoundPrefix Bound = "prefix" // that host, below the folder of the post's path
	BoundDomain Bound = "domain" // the post's registrable domain and all hosts under it
	BoundAny    Bound = "any"    // anywhere
)

// Policy says what robots.txt means to a run.
type Policy string

// The robots policies. All but RobotsIgnore fetch and archive robots.txt.
const (
	RobotsObey   Policy = "obey"   // what it forbids is not fetched; the default
	RobotsRecord Policy = "record" // what it forbids is fetched all the same, and the fact is noted
	RobotsIgnore Policy = "ignore" // it is not even asked for
)

// Spec is what a person asked for: all that decides what belongs to a run and how politely it is fetched. It is kept as
// JSON in the run's row, so that any process can go on with the run.
type Spec struct {
	Source     string   `json:"source"`            // an http(s) URL, the name of a document, or "-"
	Base       string   `json:"base,omitempty"`    // what the relative links of a document are resolved against
	Dated      string   `json:"dated,omitempty"`   // when the author cited: YYYY, YYYY-MM, YYYY-MM-DD or RFC 3339
	Links      Links    `json:"links"`             // which links of the post are its sources
	Depth      int      `json:"depth"`             // link hops from the post to which links in scope are followed; 0: the post's own links only
	Scope      Bound    `json:"scope"`             // bound of the links that Depth lets in
	Exclude    []string `json:"exclude,omitempty"` // RE2 expressions; an address that one of them finds itself in is left out
	Robots     Policy   `json:"robots"`
	Collection string   `json:"collection"`

	MaxRequisites int      `json:"max_requisites"`          // requisites of one page
	MaxRedirects  int      `json:"max_redirects"`           // redirects in a row
	MaxEmbedHops  int      `json:"max_embed_hops"`          // requisites within requisites: a frame's stylesheet's font is 3
	Retries       int      `json:"retries"`                 // tries after the first, for failures that may pass
	PerHost       int      `json:"per_host"`                // requests at a time to one host
	DelayMS       int64    `json:"delay_ms"`                // from the end of a request to the next one to that host, milliseconds
	AllowPrivate  bool     `json:"allow_private,omitempty"` // private and loopback addresses may be dialled
	Resolve       []string `json:"resolve,omitempty"`       // HOST:PORT:ADDR, as in curl

	Watch  Watch  `json:"watch,omitempty"` // what the source is; empty: a post, or the seed of a site
	Posts  bool   `json:"posts,omitempty"` // of a sitemap: its entries are posts, captured with their sources
	Budget Budget `json:"budget,omitzero"`
}

// Watch says what a run's source is.
type Watch string

// What can be watched besides a post and a site, which are captured alike.
const (
	WatchFeed    Watch = "feed"    // each new entry becomes a post of the run
	WatchSitemap Watch = "sitemap" // new and changed entries become pages of the run, or posts
	WatchList    Watch = "list"    // the pages of a list of addresses, or those that a page links to
	WatchRecheck Watch = "recheck" // the links of a post that is kept, without what their pages need
)

// Budget bounds what a run may come to. 0 is no bound. What is under way when one is used up still counts, so that a run
// may go beyond by as much as its workers have in their hands at that moment.
type Budget struct {
	Pages   int64 `json:"pages,omitempty"`   // posts, what links lead to, entries
	Bytes   int64 `json:"bytes,omitempty"`   // of payloads
	Seconds int64 `json:"seconds,omitempty"` // since the run began
}

// Single says whether the run keeps one post: its source.
func (s Spec) Single() bool { return s.Watch == "" }

// Lists says whether a document on such a hop path is read for entries: a feed, a sitemap or a list.
func (s Spec) Lists(hops string) bool {
	switch s.Watch {
	case WatchFeed, WatchSitemap, WatchList:
		return IsList(hops)
	}
	return false
}

// IsPost says whether a document on such a hop path is a post: its citations are kept, and captured.
func (s Spec) IsPost(hops string) bool {
	switch {
	case s.Watch == "":
		return IsSeed(hops)
	case s.Watch == WatchFeed, s.Watch == WatchSitemap && s.Posts:
		return IsEntry(hops)
	}
	return false
}

// Default is the spec of a run for which nothing but its source was asked.
func Default() Spec {
	return Spec{
		Links: LinksSources, Scope: BoundHost, Robots: RobotsObey, Collection: "default",
		MaxRequisites: 2000, MaxRedirects: 20, MaxEmbedHops: 8, Retries: 2, PerHost: 1, DelayMS: 500,
	}
}

// Encode gives the spec as JSON.
func (s Spec) Encode() ([]byte, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode run spec: %w", err)
	}
	return b, nil
}

// Decode reads what Encode gave. A field that is missing has its default; an unknown field is an error, for a rule that
// is not understood must not be broken in silence.
func Decode(data []byte) (Spec, error) {
	s := Default()
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return Spec{}, fmt.Errorf("read run spec: %w", err)
	}
	return s, nil
}

// maxDepth keeps priorities apart: the next depth would share its priority with the one before.
const maxDepth = 90

var (
	collectionName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
	dateForms      = regexp.MustCompile(`^\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?)?)?$`)
)

// check tells what is wrong with the spec, and what to try.
func (s Spec) check() error {
	if s.Source == "" {
		return fmt.Errorf("no source: name an http(s) address, a file, or - for standard input")
	}
	if err := s.checkWords(); err != nil {
		return err
	}
	if err := s.checkNumbers(); err != nil {
		return err
	}
	for _, r := range s.Resolve {
		if _, _, err := SplitResolve(r); err != nil {
			return err
		}
	}
	return nil
}

func (s Spec) checkWords() error {
	switch s.Links {
	case LinksSources, LinksContent, LinksOutbound, LinksAll:
	default:
		return fmt.Errorf("links %q is unknown: use content, outbound, all, or leave it out for content+outbound", s.Links)
	}
	switch s.Scope {
	case BoundHost, BoundPrefix, BoundDomain, BoundAny:
	default:
		return fmt.Errorf("scope %q is unknown: use host, prefix, domain or any", s.Scope)
	}
	switch s.Robots {
	case RobotsObey, RobotsRecord, RobotsIgnore:
	default:
		return fmt.Errorf("robots %q is unknown: use obey, ignore or record", s.Robots)
	}
	switch s.Watch {
	case "", WatchFeed, WatchSitemap, WatchList, WatchRecheck:
	default:
		return fmt.Errorf("watch %q is unknown: use feed, sitemap, list or recheck, or leave it out for a post or a site", s.Watch)
	}
	if !collectionName.MatchString(s.Collection) {
		return fmt.Errorf("collection %q is no name: use up to 63 of a-z, 0-9, dot, dash and underscore, a letter or digit first", s.Collection)
	}
	if s.Dated != "" && !dateForms.MatchString(s.Dated) {
		return fmt.Errorf("date %q is not understood: write it as 2024, 2024-05, 2024-05-17 or 2024-05-17T12:00:00Z", s.Dated)
	}
	return nil
}

func (s Spec) checkNumbers() error {
	for _, n := range []struct {
		name     string
		value    int64
		min, max int64
	}{
		{"depth", int64(s.Depth), 0, maxDepth},
		{"max_requisites", int64(s.MaxRequisites), 0, 1_000_000},
		{"max_redirects", int64(s.MaxRedirects), 0, 100},
		{"max_embed_hops", int64(s.MaxEmbedHops), 0, 100},
		{"retries", int64(s.Retries), 0, 100},
		{"per_host", int64(s.PerHost), 1, 64},
		{"delay_ms", s.DelayMS, 0, 24 * 3600 * 1000},
		{"budget.pages", s.Budget.Pages, 0, 1 << 50},
		{"budget.bytes", s.Budget.Bytes, 0, 1 << 60},
		{"budget.seconds", s.Budget.Seconds, 0, 1 << 40},
	} {
		if n.value < n.min || n.value > n.max {
			return fmt.Errorf("%s %d is out of range: use %d to %d", n.name, n.value, n.min, n.max)
		}
	}
	return nil
}

// SplitResolve reads HOST:PORT:ADDR, as in curl: connections to HOST:PORT go to ADDR. It returns "host:port", lower
// case, and the address. An IPv6 address may stand in brackets or bare.
func SplitResolve(s string) (hostPort string, addr netip.Addr, err error) {
	bad := func(what string) (string, netip.Addr, error) {
		return "", netip.Addr{}, fmt.Errorf("resolve %q: %s; write HOST:PORT:ADDRESS, for example example.org:80:127.0.0.1", s, what)
	}
	parts := strings.SplitN(s, ":", 3)
	if len(parts) < 3 || parts[0] == "" {
		return bad("a part is missing")
	}
	port, err := strconv.ParseUint(parts[1], 10, 16)
	if err != nil || port == 0 {
		return bad(fmt.Sprintf("%q is no port", parts[1]))
	}
	addr, err = netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(parts[2], "["), "]"))
	if err != nil {
		return bad(fmt.Sprintf("%q is no IP address", parts[2]))
	}
	return strings.ToLower(parts[0]) + ":" + strconv.FormatUint(port, 10), addr, nil
}

// Package watch knows what can be watched and when: it reads feeds, sitemaps and lists, tells when a schedule's next run
// is due, and compares a run with the one before. It is pure: it reads no clock, no network and no database, and it
// trusts nothing that it reads.
package watch

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"linkstead/archive/urlkey"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// Kind is what a schedule watches.
type Kind string

// The kinds.
const (
	Post    Kind = "post"    // a post: captured anew with its sources
	Recheck Kind = "recheck" // the links of a post that is kept
	Feed    Kind = "feed"    // RSS, Atom, JSON Feed: each new entry becomes a post
	Sitemap Kind = "sitemap" // new and changed entries
	Site    Kind = "site"    // scope and depth from a seed
	List    Kind = "list"    // the addresses of a text file, or the links of a page
)

// Kinds lists the kinds, as they are told to people.
func Kinds() []Kind { return []Kind{Post, Recheck, Feed, Sitemap, Site, List} }

// watches is what a run of each kind has for its Watch.
var watches = map[Kind]scope.Watch{
	Post: "", Site: "", Recheck: scope.WatchRecheck, Feed: scope.WatchFeed, Sitemap: scope.WatchSitemap, List: scope.WatchList,
}

// Schedule is what a person asked for, to be done again and again. It is kept as JSON in the schedule's row.
type Schedule struct {
	Name string     `json:"-"`
	Kind Kind       `json:"kind"`
	When When       `json:"when"`
	Spec scope.Spec `json:"spec"`           // of each run
	URLs []string   `json:"urls,omitempty"` // of a list that was read from a file
}

var (
	names      = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
	shortNames = regexp.MustCompile(`^[a-z0-9]{1,64}$`)
)

// Check tells what is wrong with a schedule, and what to try. It sets what the kind implies.
func (s *Schedule) Check() error {
	if !names.MatchString(s.Name) {
		return fmt.Errorf("%q is no name for a schedule: use up to 63 of a-z, 0-9, dot, dash and underscore, a letter or digit first", s.Name)
	}
	w, ok := watches[s.Kind]
	if !ok {
		return fmt.Errorf("kind %q is unknown: use post, recheck, feed, sitemap, site or list", s.Kind)
	}
	s.Spec.Watch = w
	s.When.Cron = strings.Join(strings.Fields(s.When.Cron), " ")
	if len(s.Spec.Source) > urlkey.MaxLength || strings.ContainsFunc(s.Spec.Source, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("%.100q is no source: write one line, without control characters", s.Spec.Source)
	}
	if s.Kind == Recheck && !strings.Contains(s.Spec.Source, ":") && !shortNames.MatchString(s.Spec.Source) {
		return fmt.Errorf("%.100q is neither the address of a post nor its short name: 'linkstead list' tells them", s.Spec.Source)
	}
	if s.Spec.Posts && s.Kind != Sitemap {
		return fmt.Errorf("posts is for sitemaps; the entries of a feed are posts anyway")
	}
	if _, err := s.When.Compile(); err != nil {
		return err
	}
	if len(s.URLs) == 0 && s.Kind != Recheck && !urlkey.Fetchable(s.Spec.Source) {
		return fmt.Errorf("%q is no http(s) address: write it in full, for example https://example.org/feed.xml", s.Spec.Source)
	}
	if s.Kind == Site && s.Spec.Depth == 0 {
		return fmt.Errorf("a site needs a depth: say how many links from its seed are followed, for example depth 3")
	}
	_, err := s.Spec.Compile()
	return err
}

// Encode gives a schedule as the JSON of its row.
func (s *Schedule) Encode() (json.RawMessage, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode schedule %s: %w", s.Name, err)
	}
	return b, nil
}

// Decode reads a schedule out of its row.
func Decode(row storage.Schedule) (*Schedule, error) {
	var raw struct {
		Kind Kind            `json:"kind"`
		When When            `json:"when"`
		Spec json.RawMessage `json:"spec"`
		URLs []string        `json:"urls"`
	}
	if err := json.Unmarshal(row.Spec, &raw); err != nil {
		return nil, fmt.Errorf("read schedule %s: %w", row.Name, err)
	}
	spec, err := scope.Decode(raw.Spec)
	if err != nil {
		return nil, fmt.Errorf("read schedule %s: %w", row.Name, err)
	}
	return &Schedule{Name: row.Name, Kind: raw.Kind, When: raw.When, Spec: spec, URLs: raw.URLs}, nil
}

// Entry is one address that a feed, a sitemap or a list names.
type Entry struct {
	URL   string // serialised, http or https, without fragment
	Stamp string // what is said of its version, never empty: another stamp is another version
}

// NoStamp is the stamp of an entry of which nothing is said.
const NoStamp = "-"

// entries gathers entries, each address once, up to a bound.
type entries struct {
	list  []Entry
	seen  map[string]bool
	most  int
	bytes int // of their addresses
	over  int // beyond the bounds
	bad   int // no http(s) addresses
}

// maxEntryBytes bounds the addresses of one document.
const maxEntryBytes = 16 << 20

func newEntries(most int) *entries { return &entries{seen: map[string]bool{}, most: most} }

func (e *entries) add(url, stamp string) {
	switch {
	case !urlkey.Fetchable(url):
		e.bad++
	case e.seen[url]:
	case len(e.list) >= e.most || e.bytes+len(url) > maxEntryBytes:
		e.over++
	default:
		e.seen[url] = true
		e.bytes += len(url)
		if stamp = strings.TrimSpace(stamp); stamp == "" || len(stamp) > 64 {
			stamp = NoStamp
		}
		e.list = append(e.list, Entry{url, stamp})
	}
}

// notes says what was passed over.
func (e *entries) notes() (out []string) {
	if e.over > 0 {
		out = append(out, leftOut(e.over, e.most))
	}
	if e.bad > 0 {
		out = append(out, fmt.Sprintf("%d entries were left out: they have no http(s) address", e.bad))
	}
	return out
}

func leftOut(over, most int) string {
	return fmt.Sprintf("%d entries were left out: only the first %d are read", over, most)
}

// Listing is what a feed, a sitemap or a list names.
type Listing struct {
	Entries []Entry
	Nested  []string // further sitemaps, of a sitemap index
	Notes   []string // what was passed over, and why
}

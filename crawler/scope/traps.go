package scope

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"linkstead/archive/urlkey"
)

// Traps are the limits against what a site makes up without end: calendars, paths that grow, fields that add up, frames in
// frames. A limit of 0 is none. Whatever they are, they never cut the post, its own links, what a watched feed, sitemap or
// list names, or what a page itself needs.
type Traps struct {
	Length  int `json:"length"`  // bytes of an address
	Path    int `json:"path"`    // segments of its path
	Fields  int `json:"fields"`  // of its query
	Repeats int `json:"repeats"` // of the same segments in a row, or of one field
	Growth  int `json:"growth"`  // segments beyond the source's, of a path that goes on where that of the page that names it ends
	Ahead   int `json:"ahead"`   // years after the run's, of a calendar's page
	Back    int `json:"back"`    // years before it

	Host    int64 `json:"host"`    // pages of one host
	Depth   int64 `json:"depth"`   // pages of one host at one depth
	Pattern int64 `json:"pattern"` // pages of one host under one pattern, see Pattern
	Same    int64 `json:"same"`    // pages in a row under one pattern with the same content
	Lists   int64 `json:"lists"`   // sitemaps and feeds of one host

	Nested     int64 `json:"nested"`      // requisites that the requisites of one page name, and theirs, all in all
	NestedHost int64 `json:"nested_host"` // requisites that the requisites of one host name
}

// DefaultTraps are generous: no honest site is known to come near those that look at an address, and the others leave room
// for the archive of a newspaper.
func DefaultTraps() Traps {
	return Traps{
		Length: 4096, Path: 40, Fields: 40, Repeats: 3, Growth: 25, Ahead: 5, Back: 300,
		Host: 200_000, Depth: 100_000, Pattern: 20_000, Same: 100, Lists: 1000,
		Nested: 5000, NestedHost: 200_000,
	}
}

// off says whether there is no limit at all.
func (t Traps) off() bool { return t == Traps{} }

// Trapped says for people why a page's address looks made up without end; "" if it doesn't. from is the page that names it,
// and depth counts the link hops that led there. It knows no other pages: what is counted is not looked at.
func (s *Scope) Trapped(url, from string, depth int) string {
	t := s.spec.Traps
	if t.off() || !s.cuttable(depth) {
		return ""
	}
	path, query, _ := strings.Cut(url[len(urlkey.Origin(url)):], "?")
	segments := strings.Split(strings.Trim(path, "/"), "/")
	var fields []string
	if query != "" {
		fields = strings.Split(query, "&")
	}
	switch {
	case t.Length > 0 && len(url) > t.Length:
		return fmt.Sprintf("the address is longer than %d bytes", t.Length)
	case t.Path > 0 && len(segments) > t.Path:
		return fmt.Sprintf("the path has more than %d segments", t.Path)
	case t.Fields > 0 && len(fields) > t.Fields:
		return fmt.Sprintf("the query has more than %d fields", t.Fields)
	}
	if t.Repeats > 0 {
		if what := repeated(segments, fields, t.Repeats); what != "" {
			return fmt.Sprintf("%s stands there more than %d times", what, t.Repeats)
		}
	}
	if t.Growth > 0 && len(segments) > s.rootSegments()+t.Growth && grows(url, from) {
		return fmt.Sprintf("the path grew from page to page, to %d segments more than the source has", t.Growth)
	}
	if year := calendarYear(segments, fields); year > 0 && s.year > 0 {
		switch {
		case t.Ahead > 0 && year > s.year+t.Ahead:
			return fmt.Sprintf("a calendar's page of %d, more than %d years ahead", year, t.Ahead)
		case t.Back > 0 && year < s.year-t.Back:
			return fmt.Sprintf("a calendar's page of %d, more than %d years back", year, t.Back)
		}
	}
	return ""
}

// cuttable says whether limits against traps may cut a page at such a depth: not the post and its own links.
func (s *Scope) cuttable(depth int) bool { return depth > 1 }

// rootSegments is how many segments the path of the run's source has.
func (s *Scope) rootSegments() int { return strings.Count(strings.Trim(s.root.folder, "/"), "/") }

// Cuttable says whether limits against traps may cut a task: they never do the post, its own links, what a watched feed,
// sitemap or list names, and what a page needs.
func (s *Scope) Cuttable(kind Kind, hops string, depth int) bool {
	return !s.spec.Traps.off() && Role(hops) == KindPage && (kind == KindPage || kind == KindRedirect) && (s.cuttable(depth) || s.Maps(hops))
}

// Counts says whether pages of the run are counted: where none can be cut, none is.
func (s *Scope) Counts() bool { return !s.spec.Traps.off() && s.spec.Depth > 1 }

// repeated tells what stands more than most times: segments in a row, as in /a/b/a/b/a/b, or a field. "" if nothing does.
func repeated(segments, fields []string, most int) string {
	const longest = 8 // segments of a group
	for period := 1; period <= longest && period*(most+1) <= len(segments); period++ {
		run := period
		for i := period; i < len(segments); i++ {
			if segments[i] != segments[i-period] || segments[i] == "" {
				run = period
			} else if run++; run >= period*(most+1) {
				return strconv.Quote("/" + shorten(strings.Join(segments[i-period+1:i+1], "/")))
			}
		}
	}
	seen := map[string]int{}
	for _, f := range fields {
		if seen[f]++; f != "" && seen[f] > most {
			return strconv.Quote(shorten(f))
		}
	}
	return ""
}

func shorten(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

// grows says whether a path goes on, by a folder at least, where that of the page that names it ends.
func grows(url, from string) bool {
	folder := from[:strings.LastIndexByte(cutQuery(from), '/')+1]
	return folder != "" && strings.HasPrefix(url, folder) && strings.Count(cutQuery(url), "/") > strings.Count(folder, "/")
}

func cutQuery(url string) string {
	path, _, _ := strings.Cut(url, "?")
	return path
}

var (
	isoMonth  = regexp.MustCompile(`^(\d{4})-(?:0?[1-9]|1[0-2])(?:-\d{1,2})?$`)
	isoDate   = regexp.MustCompile(`^(\d{4})-(?:0[1-9]|1[0-2])-\d{2}(?:$|T)`)
	compact   = regexp.MustCompile(`^(\d{4})(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])?$`)
	yearOnly  = regexp.MustCompile(`^\d{4}$`)
	monthOnly = regexp.MustCompile(`^(?:0?[1-9]|1[0-2])$`)
	yearName  = regexp.MustCompile(`(?i)^(?:y|year|yr|jahr|annee|ano|cal_?year)$`)
	dateName  = regexp.MustCompile(`(?i)^(?:d|date|day|month|week|ym|from|start|datum|tribe-bar-date|eventdate)$`)
	calendar  = regexp.MustCompile(`(?i)(?:calend|kalend|events?\b|agenda|archiv|month|week|\bday|schedule|termine|date)`)
)

// calendarYear is the year of the page of a calendar; 0 if the address is none. A number alone is no year: the words around it
// or the form of a date have to say so.
func calendarYear(segments, fields []string) int {
	if !mayHaveYear(segments, fields) {
		return 0
	}
	hint := false
	year := 0
	for i, seg := range segments {
		hint = hint || calendar.MatchString(seg)
		switch m := isoMonth.FindStringSubmatch(seg); {
		case m != nil && (hint || isoDate.MatchString(seg)):
			year = atoi(m[1])
		case yearOnly.MatchString(seg) && i+1 < len(segments) && monthOnly.MatchString(segments[i+1]):
			day := i+2 < len(segments) && len(segments[i+2]) <= 2 && strings.Trim(segments[i+2], "0123456789") == "" && segments[i+2] != ""
			if hint || day {
				year = atoi(seg)
			}
		case hint && compact.MatchString(seg):
			year = atoi(seg[:4])
		}
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		switch {
		case yearName.MatchString(name) && yearOnly.MatchString(value):
			year = atoi(value)
		case isoDate.MatchString(value), dateName.MatchString(name) && isoMonth.MatchString(value),
			dateName.MatchString(name) && compact.MatchString(value):
			year = atoi(value[:4])
		}
	}
	return year
}

// mayHaveYear says whether a segment or the value of a field begins with four digits, as all that tells a year does. Most
// addresses have none, and each link of each page is asked.
func mayHaveYear(segments, fields []string) bool {
	return slices.ContainsFunc(segments, beginsYear) || slices.ContainsFunc(fields, func(f string) bool {
		_, value, _ := strings.Cut(f, "=")
		return beginsYear(value)
	})
}

func beginsYear(s string) bool {
	if len(s) < 4 {
		return false
	}
	for i := range 4 {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s) // four digits
	return n
}

var (
	digits = regexp.MustCompile(`[0-9]+`)
	token  = regexp.MustCompile(`^[0-9A-Za-z_-]{16,}$`)
	hexes  = regexp.MustCompile(`^(?i:[0-9a-f]{8,}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$`)
)

// Pattern is what is left of a page's path and query once numbers, dates, identifiers and the values of fields are taken
// out: /calendar/2031/07?view=day is /calendar/{n}/{n}?view=. It is "" if there is nothing to take out, for such an address
// is one of its kind.
func Pattern(url string) string {
	url = urlkey.Sessionless(url)
	path, query, _ := strings.Cut(url[len(urlkey.Origin(url)):], "?")
	segments := strings.Split(path, "/")
	for i, seg := range segments {
		number := strings.ContainsAny(seg, "0123456789")
		switch {
		case number && hexes.MatchString(seg) && strings.Trim(seg, "0123456789") != "",
			number && token.MatchString(seg) && strings.Count(seg, "-") < 2 && len(digits.FindAllString(seg, 4)) > 2:
			segments[i] = "{id}"
		case number:
			segments[i] = digits.ReplaceAllString(seg, "{n}")
		}
	}
	pattern := strings.Join(segments, "/")
	if query == "" {
		if pattern == path {
			return ""
		}
		return bounded(pattern)
	}
	var names []string
	for f := range strings.SplitSeq(query, "&") {
		name, _, valued := strings.Cut(f, "=")
		if name = digits.ReplaceAllString(name, "{n}"); valued {
			name += "="
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return bounded(pattern + "?" + strings.Join(slices.Compact(names), "&"))
}

// maxPattern bounds a pattern, in bytes: it is a key of a row.
const maxPattern = 200

func bounded(pattern string) string {
	if len(pattern) <= maxPattern {
		return pattern
	}
	return fmt.Sprintf("%s…%x", strings.ToValidUTF8(pattern[:maxPattern], ""), urlkey.ID(pattern))
}

// A Count is one of the counts that a page adds to, on its host: its key, its limit, and what to say when it is reached.
type Count struct {
	Key   string
	Most  int64 // pages; 0: no limit
	Same  int64 // pages in a row with the same content; 0: no limit
	Words string
}

// Tallied are the counts that a page adds to.
func (s *Scope) Tallied(url, hops string, depth int) []Count {
	t := s.spec.Traps
	out := make([]Count, 0, 3)
	if s.Maps(hops) {
		return append(out, Count{Key: "list", Most: t.Lists, Words: fmt.Sprintf("the host has more than %d sitemaps and feeds", t.Lists)})
	}
	out = append(out,
		Count{Key: "host", Most: t.Host, Words: fmt.Sprintf("the host has more than %d pages", t.Host)},
		Count{Key: "depth " + strconv.Itoa(depth), Most: t.Depth, Words: fmt.Sprintf("the host has more than %d pages that are %d links away", t.Depth, depth)})
	if p := Pattern(url); p != "" {
		out = append(out, Count{Key: "like " + p, Most: t.Pattern, Same: t.Same, Words: fmt.Sprintf("there are more than %d pages like %s", t.Pattern, p)})
	}
	return out
}

// Reached says whether a count leaves no room for another page, and why: n pages were counted, the last same of which had
// the same content.
func (c Count) Reached(n, same int64) string {
	switch {
	case c.Most > 0 && n >= c.Most:
		return c.Words
	case c.Same > 0 && same >= c.Same:
		return fmt.Sprintf("the last %d pages like %s were the same", same, strings.TrimPrefix(c.Key, "like "))
	}
	return ""
}

func (t Traps) check() error {
	for _, n := range []struct {
		name  string
		value int64
	}{
		{"length", int64(t.Length)}, {"path", int64(t.Path)}, {"fields", int64(t.Fields)}, {"repeats", int64(t.Repeats)},
		{"growth", int64(t.Growth)}, {"ahead", int64(t.Ahead)}, {"back", int64(t.Back)}, {"host", t.Host}, {"depth", t.Depth},
		{"pattern", t.Pattern}, {"same", t.Same}, {"lists", t.Lists}, {"nested", t.Nested}, {"nested_host", t.NestedHost},
	} {
		if n.value < 0 || n.value > 1<<40 {
			return fmt.Errorf("traps.%s %d is out of range: use 0 for no limit, or a number above", n.name, n.value)
		}
	}
	return nil
}

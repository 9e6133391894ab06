package repair

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"linkstead/archive/scar"
)

// Rest is what is left of a URL at a scar.
type Rest struct {
	Scar
	Tail string   // it ends so; empty: its end is gone
	Head []string // ways in which it may begin, if its end is gone
	Host bool     // Tail begins with the host: nothing stands before it but the scheme
}

// minRest is how many characters must be left, so that anything may be told from them.
const minRest = 6

var scheme = regexp.MustCompile(`(?i)^(?:[a-z]*:)?//`)

// Rests are the places of a document where a part of a URL is left.
func Rests(all []Scar) []Rest {
	var out []Rest
	for _, s := range all {
		if s.Class != string(scar.URLTail) {
			continue
		}
		if r, ok := restOf(s); ok {
			out = append(out, r)
		}
	}
	return out
}

func restOf(s Scar) (Rest, bool) {
	r := Rest{Scar: s}
	text := strings.TrimSpace(s.Said)
	if strings.HasPrefix(text, "(") && strings.HasSuffix(text, ")") {
		text = strings.TrimSpace(text[1 : len(text)-1])
	}
	bare := scheme.ReplaceAllString(text, "")
	r.Host = bare != text
	for _, cut := range []string{"…", "..."} {
		head, isCut := strings.CutSuffix(bare, cut)
		if !isCut {
			continue
		}
		if i := strings.IndexAny(head, "–—‒‐‑−"); i >= 0 { // what stood there is not known
			head = head[:i]
		}
		host, path, _ := strings.Cut(head, "/")
		host = strings.ToLower(host)
		other, www := strings.CutPrefix(host, "www.")
		if !www {
			other = "www." + host
		}
		for _, h := range []string{host, other} {
			r.Head = append(r.Head, "https://"+h+"/"+path, "http://"+h+"/"+path)
		}
		return r, utf8.RuneCountInString(path) >= minRest
	}
	r.Tail = bare
	return r, utf8.RuneCountInString(bare) >= minRest
}

// Known is an address that may be the whole of what is left of one.
type Known struct {
	URL   string
	Cited string // the first date of a post that cites it, ISO 8601 as far as known; empty: none does, or it has none
}

// Confidence of what is found by a rest of its address. Whose rest has at least tellingWords words of its own is surely meant, if nothing
// else has the same and its date is in keeping; everything else is for a person to decide.
const (
	tellingWords = 3
	surelyMeant  = 0.96
	mostMeant    = 0.9
	doubtedLate  = 0.3 // of what came long after the post
)

// FromRest proposes addresses that end, or begin, as what is left of one in a post of a date does. More says that there are others.
func FromRest(r Rest, dated string, all []Known, more bool) []Candidate {
	type judged struct {
		Known
		age age
	}
	var fit []judged
	for _, k := range all {
		fit = append(fit, judged{k, ageOf(k, dated)})
	}
	inTime := slices.DeleteFunc(slices.Clone(fit), func(j judged) bool { return j.age == late })
	words := ownWords(r)
	var out []Candidate
	for _, j := range fit {
		rivals := len(inTime)
		if j.age == late {
			rivals = len(fit)
		}
		c := Candidate{Place: Place{r.Start, r.End}, Key: r.Key, Scar: r.Class, URL: j.URL, Text: r.Said, Method: ByTail, Around: r.Text}
		c.Confidence = meant(words, j.age, rivals, more)
		c.Explanation = explained(r, j.age, dated, rivals, more)
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), strings.Compare(a.URL, b.URL))
	})
	return out
}

func meant(words int, a age, rivals int, more bool) float64 {
	p := 0.6 + 0.1*float64(min(words, tellingWords))
	switch a {
	case late:
		p *= doubtedLate
	case near:
		p += 0.05
	case unknown, before:
	}
	switch {
	case more:
		return p / 10
	case rivals > 1:
		return min(p, mostMeant) / float64(rivals)
	case words >= tellingWords && a == near:
		return surelyMeant
	}
	return min(p, mostMeant)
}

func explained(r Rest, a age, dated string, rivals int, more bool) string {
	why := fmt.Sprintf("This known address ends as what is left here does: “%s”.", cut(r.Tail, 200))
	if r.Tail == "" {
		why = fmt.Sprintf("This known address begins as what is left here does: “%s”.", cut(r.Said, 200))
	}
	switch a {
	case near:
		why += " Its date is in keeping with the post's (" + cut(dated, 30) + ")."
	case late:
		why += " But it is of a later date than the post (" + cut(dated, 30) + ")."
	case before:
		why += " Its date is long before the post's."
	case unknown:
		why += " Nothing tells its date."
	}
	switch {
	case more:
		why += " There are many others that do."
	case rivals > 1:
		why += fmt.Sprintf(" There are %d that may be meant.", rivals)
	default:
		why += " No other one does."
	}
	return why
}

var wordOf = regexp.MustCompile(`[\pL\d]+`)

// plain are words that addresses of any page may have.
var plain = map[string]bool{
	"html": true, "htm": true, "shtml": true, "php": true, "asp": true, "aspx": true, "jsp": true, "index": true, "www": true, "http": true, "https": true,
	"com": true, "org": true, "net": true, "the": true, "and": true, "for": true, "of": true, "in": true, "to": true, "on": true, "news": true,
	"article": true, "articles": true, "story": true, "stories": true, "post": true, "posts": true, "page": true, "blog": true, "world": true, "node": true,
	"default": true, "archive": true, "archives": true, "view": true, "print": true, "amp": true, "en": true,
}

// ownWords counts words of a rest that tell it from others: not those that any address may have, nor dates.
func ownWords(r Rest) int {
	s := r.Tail
	if s == "" {
		s = strings.TrimRight(scheme.ReplaceAllString(r.Said, ""), ".…")
	}
	if _, path, ok := strings.Cut(s, "/"); ok && r.Host {
		s = path
	}
	s, _, _ = strings.Cut(s, "?")
	seen := map[string]bool{}
	for _, w := range wordOf.FindAllString(strings.ToLower(s), 100) {
		number := strings.Trim(w, "0123456789") == ""
		if plain[w] || number && len(w) < 6 || !number && utf8.RuneCountInString(w) < 3 {
			continue
		}
		seen[w] = true
	}
	return len(seen)
}

// age is how the date of an address stands to that of a post.
type age int

const (
	unknown age = iota
	near        // so that the author may well have cited it then
	before
	late // the author cannot have known it
)

// Bounds of what is near.
const (
	tolerated = 3 * 24 * time.Hour   // clocks, zones, posts that are edited
	recent    = 183 * 24 * time.Hour // before the post
)

var dateInPath = regexp.MustCompile(`(?:^|[/_-])((?:19|20)\d\d)[/_-]?(0[1-9]|1[0-2]|[1-9]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(?:[/_-]?(0[1-9]|[12]\d|3[01]|[1-9]))?(?:[/_.-]|$)`)

// ageOf judges an address by the date in its path, and by when others cited it first.
func ageOf(k Known, dated string) age {
	from, to, ok := span(dated)
	if !ok {
		return unknown
	}
	if _, cited, ok := span(k.Cited); ok && !cited.After(to.Add(tolerated)) {
		if from.Sub(cited) < recent {
			return near
		}
	}
	m := dateInPath.FindStringSubmatch(strings.ToLower(k.URL))
	if m == nil {
		return unknown
	}
	first, last, ok := pathSpan(m[1], m[2], m[3])
	switch {
	case !ok:
		return unknown
	case first.After(to.Add(tolerated)):
		return late
	case from.Sub(last) > recent:
		return before
	}
	return near
}

// span is the time that a date stands for, as far as it is known: "2016", "2016-02", "2016-02-21", with a time or without.
func span(dated string) (from, to time.Time, ok bool) {
	for _, f := range []struct {
		layout              string
		years, months, days int
	}{{time.DateOnly, 0, 0, 1}, {"2006-01", 0, 1, 0}, {"2006", 1, 0, 0}} {
		if len(dated) < len(f.layout) {
			continue
		}
		if t, err := time.Parse(f.layout, dated[:len(f.layout)]); err == nil {
			return t, t.AddDate(f.years, f.months, f.days), true
		}
	}
	return from, to, false
}

func pathSpan(year, month, day string) (from, to time.Time, ok bool) {
	if len(month) == 1 {
		month = "0" + month
	}
	if len(month) == 3 {
		i := strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", month)
		month = fmt.Sprintf("%02d", i/3+1)
	}
	if len(day) == 1 {
		day = "0" + day
	}
	if day != "" {
		if from, to, ok = span(year + "-" + month + "-" + day); ok {
			return from, to, true
		}
	}
	return span(year + "-" + month)
}

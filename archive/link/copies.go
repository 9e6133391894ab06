package link

import (
	"slices"
	"time"
)

// Candidate is a copy that might stand for a link.
type Candidate struct {
	Ref       string
	URL       string
	At        time.Time
	Digest    string   // of its payload
	Outcome   string   // a word of package outcome; empty: captured
	Status    int      //
	Flags     []string // walls, words of package wall
	Shows     Verdict  // soft-404, usurped or drifted, if it was judged to be so; else empty
	Quoted    Answer   // whether it holds what the author quoted
	Withheld  bool     // it must not be shown
	Elsewhere bool     // another archive has it
}

// Fault says why a copy does not stand for the page, in a few words; empty: it does.
func (c *Candidate) Fault() string {
	switch {
	case c.Status < 200 || c.Status > 299:
		return "it holds an answer that is no page"
	case len(c.Flags) > 0:
		return "a wall stood before the page"
	case c.Shows == Soft404:
		return "it is what the site says of a missing page"
	case c.Shows == Usurped:
		return "somebody else had the domain"
	case c.Outcome != "" && c.Outcome != "captured":
		return "its end is missing"
	}
	return ""
}

// Choice is the copy that stands best for a link.
type Choice struct {
	Index     int           // in the candidates
	Fault     string        // empty if the copy is valid; else no copy is, and this one is nearest
	Quoted    Answer        // whether it holds the quotation
	Distance  time.Duration // from the date of the citation to the copy; negative: it is earlier. 0 if the date is not known
	Bracketed bool          // the copies next to that date on both sides hold the same: so did the page on that day
}

// BestCopy chooses among copies for what an author cited at some time: what is valid goes before what is not, what holds
// the quotation before what does not, then what is nearest to that time, of two equally near the earlier. Where the time
// is not known (zero), the earliest is best. What is withheld is never chosen. It is false if there is nothing to choose.
func BestCopy(copies []Candidate, cited time.Time) (Choice, bool) {
	best := -1
	for i := range copies {
		if !copies[i].Withheld && (best < 0 || better(&copies[i], &copies[best], cited)) {
			best = i
		}
	}
	if best < 0 {
		return Choice{}, false
	}
	c := &copies[best]
	choice := Choice{Index: best, Fault: c.Fault(), Quoted: c.Quoted}
	if !cited.IsZero() {
		choice.Distance = c.At.Sub(cited)
		choice.Bracketed = choice.Fault == "" && bracketed(copies, c, cited)
	}
	return choice, true
}

// better says whether a goes before b.
func better(a, b *Candidate, cited time.Time) bool {
	if v, w := a.Fault() == "", b.Fault() == ""; v != w {
		return v
	}
	if v, w := quoteRank(a.Quoted), quoteRank(b.Quoted); v != w {
		return v > w
	}
	if !cited.IsZero() {
		if v, w := a.At.Sub(cited).Abs(), b.At.Sub(cited).Abs(); v != w {
			return v < w
		}
	}
	return a.At.Before(b.At)
}

func quoteRank(a Answer) int {
	return slices.Index([]Answer{No, Unasked, Yes}, a)
}

// bracketed says whether the valid copies next to a date on both sides are the same, and the chosen one is one of them.
func bracketed(copies []Candidate, chosen *Candidate, cited time.Time) bool {
	var before, after *Candidate
	for i := range copies {
		c := &copies[i]
		if c.Withheld || c.Fault() != "" || c.Digest == "" {
			continue
		}
		if !c.At.After(cited) && (before == nil || c.At.After(before.At)) {
			before = c
		}
		if !c.At.Before(cited) && (after == nil || c.At.Before(after.At)) {
			after = c
		}
	}
	return before != nil && after != nil && before.Digest == after.Digest && chosen.Digest == before.Digest
}

// Sentence tells of a chosen copy in plain words: "Copy of 6 February 2016, 2 hours after the post; contains the quoted
// sentence." An unknown date of the post is left out.
func (c Choice) Sentence(copied, cited time.Time) string {
	text := "Copy of " + copied.UTC().Format("2 January 2006")
	if !cited.IsZero() {
		text += ", " + Distance(copied, cited)
	}
	if c.Bracketed {
		text += "; the page was the same before and after it"
	}
	switch {
	case c.Fault != "":
		text += "; " + c.Fault
	case c.Quoted == Yes:
		text += "; contains the quoted sentence"
	case c.Quoted == No:
		text += "; does not contain the quoted sentence"
	}
	return text + "."
}

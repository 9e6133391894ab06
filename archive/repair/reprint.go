package repair

import (
	"fmt"
	"strings"

	"linkstead/archive/post"
	"linkstead/archive/scar"
)

// Reprint is the article of another that a post has whole, or in part, and nothing tells where it is from.
type Reprint struct {
	Scar
	Title string  // what stands above its date like a title; may be empty
	Body  []Block // how it begins
	Rest  []Block // what the post says beside it
}

// Bounds of what is read of a reprinted article.
const (
	titleAbove    = 3    // blocks above its date
	articleBytes  = 4000 // of its beginning: what a post adds behind it can't be told from it
	articleBlocks = 40
	fewestWords   = 40 // or nothing can be told from it
)

// Reprints are the articles of others that a document has.
func Reprints(d post.Document) []Reprint {
	var out []Reprint
	all := Blocks(d)
	for _, s := range scars(d, func(c scar.Class) bool { return c == scar.Reprint }) {
		at := blockAt(d, s.Start)
		if at < 0 {
			continue
		}
		r := Reprint{Scar: s}
		for i := at - 1; i >= max(0, at-titleAbove) && r.Title == ""; i-- {
			if t := strings.TrimSpace(all[i].Text); len(t) > 12 && len(t) < 160 && !strings.ContainsAny(t[len(t)-1:], ".,;:") {
				r.Title = t
			}
		}
		end, bytes := at+1, 0
		for end < min(len(all), at+1+articleBlocks) && bytes < articleBytes {
			bytes += len(all[end].Text)
			end++
		}
		r.Body = all[at+1 : end]
		r.Rest = append(append(r.Rest, all[:at]...), all[end:]...)
		if len(wordsOf(r.Body)) >= fewestWords {
			out = append(out, r)
		}
	}
	return out
}

// blockAt is the block of a document in which a place of its source is; -1: none.
func blockAt(d post.Document, at int) int {
	for i := range d.Blocks {
		b := &d.Blocks[i]
		if from, to := b.Source(0, len(b.Text)); from <= at && at < to {
			return i
		}
	}
	return -1
}

// Passages are the longest paragraphs of a reprinted article: by them it is looked for.
func (r *Reprint) Passages(n int) []string {
	var out []string
	taken := map[int]bool{}
	for len(out) < n {
		best := -1
		for i := range r.Body {
			if !taken[i] && (best < 0 || len(r.Body[i].Text) > len(r.Body[best].Text)) {
				best = i
			}
		}
		if best < 0 || r.Body[best].Text == "" {
			break
		}
		taken[best] = true
		out = append(out, r.Body[best].Text)
	}
	return out
}

// Reprinted is a page that may have a reprinted article.
type Reprinted struct {
	URL, Title string
	Score      float64 // the part of the article's beginning that the page says, too: 0 to 1
}

// Confidence of what is found by a reprint. Others may have reprinted the article, too, and a post tells where it has it from: a person decides.
const (
	leastReprinted = 0.4 // of the article's beginning that a page has to have
	mostReprinted  = 0.93
	untitled       = 0.8 // of that, for a page that has another title
)

// FromReprint proposes the pages that have a reprinted article. The more of them there are, the less each is to be believed.
func FromReprint(r Reprint, pages []Reprinted) []Candidate {
	var fit []Reprinted
	for _, p := range pages {
		if p.Score >= leastReprinted {
			fit = append(fit, p)
		}
	}
	out := make([]Candidate, 0, len(fit))
	for _, p := range fit {
		name := p.Title
		if name == "" {
			name = "a page without a title"
		}
		same := SameTitle(r.Title, p.Title)
		confidence := mostReprinted * min(1, p.Score+0.1) / float64(len(fit))
		why := fmt.Sprintf("“%s” has the article that is reprinted here: %.0f in 100 runs of words of its beginning.", cut(name, 200), 100*p.Score)
		switch {
		case same:
			why += " Its title is the same."
		case r.Title != "":
			confidence *= untitled
			why += fmt.Sprintf(" Here, its title is another: “%s”.", cut(r.Title, 200))
		default:
			confidence *= untitled
		}
		if len(fit) > 1 {
			why += fmt.Sprintf(" So have %d other captured pages.", len(fit)-1)
		}
		out = append(out, Candidate{
			Place: Place{r.Start, r.End}, Key: r.Key, Scar: r.Class, URL: p.URL, Text: r.Said, Method: ByReprint,
			Confidence: confidence, Explanation: why, Around: r.Text,
		})
	}
	return out
}

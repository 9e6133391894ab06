// Package repair proposes where the lost links of a document led. It only proposes: what it returns are candidates, each with how
// it was found, how sure that is, and why in plain words; it changes nothing, dials nobody and knows no clock.
package repair

import (
	"cmp"
	"slices"
	"strings"
)

// Methods, by which candidates are found.
const (
	ByAlignment = "alignment" // the words around the place stand in a copy of the post that has its links
	ByQuotation = "quotation" // a capture has the words that the post quotes
	ByTail      = "tail"      // what is left of its address
	ByReprint   = "reprint"   // a capture has the article that the post has whole
	ByHand      = "hand"      // an archivist said so
)

// Sure is the confidence from which a candidate without a rival may be accepted by itself.
const Sure = 0.95

// Block is one block of what people read of a document.
type Block struct {
	Text  string
	Links []Link
	At    func(from, to int) (start, end int) // where bytes of Text stand in the source, in code points
}

// Link is a link in a block, in bytes of its text. One over a picture is empty.
type Link struct {
	Start, End int
	URL        string
	Dead       bool // it is not to be hung elsewhere: navigation, a share button, the page itself
}

// Scar is a place of a document where a link seems to be missing, in code points of its source.
type Scar struct {
	Key        string // names it in later copies of the same text, too
	Class      string
	Start, End int
	Text       string // some words before and behind it, too
	Said       string // what stands there, at most scar.MaxText of it
	Confidence float64
}

// Place is a place of the damaged source, in code points.
type Place struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// Candidate is one way in which a citation could be repaired.
type Candidate struct {
	Place
	Key         string  `json:"key"`            // of the citation: the scar's, or one that is made of the words around the place
	Scar        string  `json:"scar,omitempty"` // its class, if there is a scar
	URL         string  `json:"url"`
	Text        string  `json:"text"` // the words that the link stood on
	Method      string  `json:"method"`
	Confidence  float64 `json:"confidence"` // of 1
	Explanation string  `json:"explanation"`
	Around      string  `json:"around,omitempty"` // what the damaged source has there
}

// Rank sorts candidates by their places, and those of one citation by confidence. Of candidates of one citation for one URL the surest
// remains.
func Rank(all []Candidate) []Candidate {
	first := map[string]int{}
	for _, c := range all {
		if at, ok := first[c.Key]; !ok || c.Start < at {
			first[c.Key] = c.Start
		}
	}
	slices.SortStableFunc(all, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(first[a.Key], first[b.Key]), strings.Compare(a.Key, b.Key), cmp.Compare(b.Confidence, a.Confidence),
			cmp.Compare(a.Start, b.Start), strings.Compare(a.URL, b.URL))
	})
	seen := map[[2]string]bool{}
	return slices.DeleteFunc(all, func(c Candidate) bool {
		k := [2]string{c.Key, c.URL}
		defer func() { seen[k] = true }()
		return seen[k]
	})
}

// Certain returns of candidates that are ranked those that may be accepted by themselves: at least as sure as Sure, and the only
// target of their citation.
func Certain(ranked []Candidate) []Candidate {
	targets := map[string]int{}
	for _, c := range ranked {
		targets[c.Key]++
	}
	var out []Candidate
	for _, c := range ranked {
		if c.Confidence >= Sure && targets[c.Key] == 1 {
			out = append(out, c)
		}
	}
	return out
}

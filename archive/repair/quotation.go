package repair

import "fmt"

// Quoted is a page that has a quotation.
type Quoted struct {
	URL, Title string
	Score      float64 // how well, as text.Match tells
}

// mostQuoted is what a candidate found by its quotation comes to at most: who has the words may have them from elsewhere, so that a
// person decides.
const mostQuoted = 0.9

// FromQuotation proposes the pages that have what is quoted at a place. The more of them there are, the less each is to be believed.
func FromQuotation(s Scar, pages []Quoted) []Candidate {
	out := make([]Candidate, 0, len(pages))
	for _, p := range pages {
		name := p.Title
		if name == "" {
			name = "a page without a title"
		}
		why := fmt.Sprintf("“%s” has these words, %.0f in 100 of them.", cut(name, 200), 100*p.Score)
		if len(pages) > 1 {
			why += fmt.Sprintf(" So have %d other captured pages.", len(pages)-1)
		}
		out = append(out, Candidate{
			Place: Place{s.Start, s.End}, Key: s.Key, Scar: s.Class, URL: p.URL, Text: s.Said, Method: ByQuotation,
			Confidence: mostQuoted * p.Score / float64(len(pages)), Explanation: why, Around: s.Text,
		})
	}
	return out
}

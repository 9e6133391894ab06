package repair_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"linkstead/archive/repair"
)

// line is one line of a list whose lines are alike but for a word or two.
type line struct {
	cells  []string // blocks, if they are cells of a table
	on     int      // the cell that has the link, and the words of it on which it stands
	anchor string
	url    string
	edited bool // what tells it from other lines was changed
}

func (l line) text() string { return strings.Join(l.cells, " ") }

var (
	countries = strings.Fields("France Germany Spain Italy Poland Norway Sweden Chile Peru Kenya Ghana Egypt Japan Korea India Nepal Malta Cuba Iran Iraq Togo Mali Chad Laos")
	subjects  = strings.Fields("trade water health schools prisons forests harbours railways taxes courts")
)

// shapes of lines: what stands in their cells, and on which words the link stands. %s is a country, %d a year, %t a subject.
var shapes = []struct {
	cells  []string
	on     int
	anchor string
}{
	{[]string{"Annual report for %s, %d – PDF"}, 0, "PDF"},
	{[]string{"Annual report for %s, %d – PDF"}, 0, "Annual report"},
	{[]string{"Annual report for %s, %d – PDF"}, 0, "Annual report for %s, %d"},
	{[]string{"Report on %t in %s"}, 0, "%s"},
	{[]string{"%s", "%d", "PDF"}, 2, "PDF"},
	{[]string{"%s", "%d", "full text"}, 0, "%s"},
	{[]string{"%s %t statistics were published in %d. Read more here."}, 0, "here"},
	{[]string{"In %d the government of %s said that %t would be reformed, and it did not say when that would be."}, 0, "said"},
	{[]string{"Read more"}, 0, "Read more"},
	{[]string{"%s", "Read the report"}, 1, "Read the report"},
	{[]string{"Chapter %d: see the full text here"}, 0, "here"},
}

// alikeLines makes the lines of a list, all of one shape.
func alikeLines(r *rand.Rand, list int) (out []line) {
	shape := shapes[r.IntN(len(shapes))]
	subject, year := subjects[r.IntN(len(subjects))], 1990+r.IntN(30)
	perm := r.Perm(len(countries))
	byYear := r.IntN(2) == 0
	country := countries[perm[0]]
	for i := range 3 + r.IntN(12) {
		if byYear {
			year++
		} else {
			country = countries[perm[i]]
		}
		fill := func(s string) string {
			return strings.NewReplacer("%s", country, "%d", fmt.Sprint(year), "%t", subject).Replace(s)
		}
		l := line{on: shape.on, anchor: fill(shape.anchor), url: fmt.Sprintf("https://l%d.test/%d", list, i)}
		for _, c := range shape.cells {
			l.cells = append(l.cells, fill(c))
		}
		out = append(out, l)
	}
	return out
}

// editLines does to lines what people do to lists: takes some out, puts in new ones, swaps them, and changes a word.
func editLines(r *rand.Rand, lines []line) []line {
	var out []line
	for _, l := range lines {
		before := l.text()
		l.cells = slices.Clone(l.cells)
		switch r.IntN(8) {
		case 0:
			continue
		case 1: // what tells it apart is another word now
			from, to := countries[r.IntN(len(countries))], countries[r.IntN(len(countries))]
			for i, c := range l.cells {
				for _, w := range countries {
					if strings.Contains(c, w) {
						from = w
					}
				}
				l.cells[i] = strings.ReplaceAll(l.cells[i], from, to)
			}
			l.edited = l.text() != before
		case 2:
			for i, c := range l.cells {
				for y := 1985; y < 2040; y++ {
					if s := fmt.Sprint(y); strings.Contains(c, s) {
						l.cells[i] = strings.ReplaceAll(c, s, fmt.Sprint(1990+r.IntN(40)))
						break
					}
				}
			}
			l.edited = l.text() != before
		case 3: // it is new
			added := l
			added.cells = slices.Clone(l.cells)
			for i, c := range added.cells {
				for _, w := range countries {
					c = strings.ReplaceAll(c, w, "Utopia")
				}
				added.cells[i] = c
			}
			added.url, added.edited = "", true
			out = append(out, added)
		}
		out = append(out, l)
	}
	for i := 1; i < len(out); i++ {
		if r.IntN(10) == 0 {
			out[i-1], out[i] = out[i], out[i-1]
		}
	}
	return out
}

// placed is where a line stands in the damaged text.
type placed struct {
	line
	start, end int
}

// listPages makes a copy with its links, and a damaged page of the same lists.
func listPages(r *rand.Rand) (copied, damaged []repair.Block, truth []placed, whole []line) {
	at := 0
	add := func(text string) {
		from := at
		damaged = append(damaged, repair.Block{Text: text, At: func(start, end int) (int, int) { return from + start, from + end }})
		at += len(text) + 1
	}
	both := func(text string) {
		copied = append(copied, repair.Block{Text: text})
		add(text)
	}
	for list := range 1 + r.IntN(4) {
		both(fmt.Sprintf("What follows is list number %d of %s, which somebody made long ago.", list, subjects[r.IntN(len(subjects))]))
		lines := alikeLines(r, list)
		whole = append(whole, lines...)
		for _, l := range lines {
			for i, c := range l.cells {
				b := repair.Block{Text: c}
				if i == l.on {
					from := strings.Index(c, l.anchor)
					b.Links = []repair.Link{{Start: from, End: from + len(l.anchor), URL: l.url}}
				}
				copied = append(copied, b)
			}
		}
		for _, l := range editLines(r, lines) {
			from := at
			for _, c := range l.cells {
				add(c)
			}
			truth = append(truth, placed{l, from, at})
		}
		both("And that was all of it.")
	}
	return copied, damaged, truth, whole
}

// Where lines are alike but for a word, none is given the link of another without an archivist. A link is right on its own line as
// long as what tells it apart is as it was, and on a line that says what its own said and no other line does.
func TestAlikeLines(t *testing.T) {
	accepted, wrong, links := 0, 0, 0
	for round := range 1500 {
		r := rand.New(rand.NewPCG(uint64(round), 7))
		copied, damaged, truth, whole := listPages(r)
		links += len(whole)
		texts := map[string][]string{}
		for _, l := range whole {
			texts[l.text()] = append(texts[l.text()], l.url)
		}
		for _, c := range repair.Certain(repair.Align(damaged, nil, copied)) {
			accepted++
			ok := slices.ContainsFunc(truth, func(l placed) bool {
				same := texts[l.text()]
				return c.Start >= l.start && c.End <= l.end && (l.url == c.URL && !l.edited || len(same) == 1 && same[0] == c.URL)
			})
			if !ok {
				wrong++
				if wrong <= 5 {
					t.Errorf("round %d: %.3f %s hung on %q: %s", round, c.Confidence, c.URL, c.Around, c.Explanation)
				}
			}
		}
	}
	t.Logf("%d links, %d accepted, %d of them wrong", links, accepted, wrong)
	if wrong > 0 || accepted*5 < links {
		t.Errorf("of %d links %d are accepted, of which %d are wrong", links, accepted, wrong)
	}
}

package configs

import (
	"cmp"
	"strings"
)

// suggest says which key may have been meant by an unknown one.
func (l *layer) suggest(name string) string {
	best, distance := "", len(name)/2+1
	for _, k := range l.keys {
		if d := edits(name, k.name); d < distance {
			best, distance = k.name, d
		}
		group, _, nested := strings.Cut(k.name, ".")
		if nested && edits(name, group) < distance {
			best, distance = group, edits(name, group)
		}
	}
	for _, k := range l.keys { // a key in a group is meant only where nothing that is written so is as near
		if _, leaf, nested := strings.Cut(k.name, "."); nested && edits(name, leaf) < distance {
			best, distance = k.name, edits(name, leaf)
		}
	}
	if best == "" {
		return cmp.Or(l.guide, "default.yaml") + " lists the keys that there are"
	}
	return "did you mean " + best + "?"
}

// edits is the Levenshtein distance: how many letters must be added, dropped or changed to make b of a.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

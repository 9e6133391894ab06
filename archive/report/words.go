package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"linkstead/archive/outcome"
)

// Words says how many addresses a run asked for, and how they ended, from its tasks by outcome.
func Words(tasks map[string]int) string {
	total := 0
	var parts []string
	for _, o := range slices.Sorted(maps.Keys(tasks)) {
		total += tasks[o]
		short := outcome.Outcome(o).Describe().Short
		switch o {
		case Pending:
			short = "not tried yet"
		case string(outcome.Captured):
			short = "answered" // be it with 404
		}
		parts = append(parts, fmt.Sprintf("%d %s", tasks[o], short))
	}
	noun := "addresses"
	if total == 1 {
		noun = "address"
	}
	return fmt.Sprintf("%d %s: %s", total, noun, strings.Join(parts, ", "))
}

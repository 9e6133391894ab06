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
		case Purged:
			short = "taken out of the archive"
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

// Size writes bytes for people: two digits that count.
func Size(n int64) string {
	for _, u := range []struct {
		one  int64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		switch whole := float64(n) / float64(u.one); {
		case whole >= 9.95: // which would be written as 10.0
			return fmt.Sprintf("%.0f %s", whole, u.name)
		case whole >= 1:
			return fmt.Sprintf("%.1f %s", whole, u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}

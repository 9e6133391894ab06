package robots_test

import (
	"testing"
	"time"

	"linkstead/crawler/robots"
)

// TestUnreachableSince: an answer, whatever it permits, ends the time in which a robots.txt could not be had.
func TestUnreachableSince(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n) }
	for _, c := range []struct {
		name  string
		tries []robots.Try
		want  time.Time
	}{
		{"never asked", nil, time.Time{}},
		{"well", []robots.Try{{day(0), 200}, {day(5), 404}}, time.Time{}},
		{"since the beginning", []robots.Try{{day(3), 503}, {day(9), 0}}, day(3)},
		{"since it was last had", []robots.Try{{day(0), 500}, {day(3), 200}, {day(4), 503}, {day(9), 0}, {day(10), 429}}, day(4)},
		{"it redirects", []robots.Try{{day(0), 500}, {day(3), 301}}, time.Time{}},
		{"there is none", []robots.Try{{day(0), 500}, {day(3), 410}}, time.Time{}},
		{"back again", []robots.Try{{day(0), 0}, {day(40), 200}}, time.Time{}},
		{"in any order", []robots.Try{{day(9), 0}, {day(3), 200}, {day(4), 503}}, day(4)},
	} {
		if got := robots.UnreachableSince(c.tries); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestPeriod(t *testing.T) {
	began := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for after, want := range map[time.Duration]int64{-time.Hour: 0, 0: 0, 24*time.Hour - 1: 0, 24 * time.Hour: 1, 71 * time.Hour: 2} {
		if got := robots.Period(began, began.Add(after)); got != want {
			t.Errorf("after %s: period %d, want %d", after, got, want)
		}
	}
}

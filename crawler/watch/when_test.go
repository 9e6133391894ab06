package watch_test

import (
	"strings"
	"testing"
	"time"

	"linkstead/crawler/watch"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	out, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func timing(t *testing.T, w watch.When) *watch.Timing {
	t.Helper()
	out, err := w.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestNext: a tick was due, and is carried out at a time; the next one lies after it, however many were missed.
func TestNext(t *testing.T) {
	zurich := func(s string) watch.When { return watch.When{Cron: s, TZ: "Europe/Zurich"} }
	for _, c := range []struct {
		name           string
		when           watch.When
		due, now, want string // want "" for none
	}{
		{"every", watch.When{Every: "6h"}, "2026-01-01T00:00:00Z", "2026-01-01T00:00:02Z", "2026-01-01T06:00:00Z"},
		{"every, after a week of downtime", watch.When{Every: "6h"}, "2026-01-01T00:00:00Z", "2026-01-08T01:00:00Z", "2026-01-08T06:00:00Z"},
		{"every, on the point", watch.When{Every: "6h"}, "2026-01-01T00:00:00Z", "2026-01-01T06:00:00Z", "2026-01-01T12:00:00Z"},
		{"every, clock set back", watch.When{Every: "7d"}, "2026-01-09T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-08T00:00:00Z"},
		{"once", watch.When{At: "2026-12-01T10:00"}, "2026-12-01T10:00:00Z", "2026-12-01T10:00:01Z", ""},
		{"daily", zurich("0 3 * * *"), "2026-01-01T02:00:00Z", "2026-01-01T02:00:01Z", "2026-01-02T02:00:00Z"},
		{"daily, missed a month", zurich("0 3 * * *"), "2026-01-01T02:00:00Z", "2026-02-03T09:00:00Z", "2026-02-04T02:00:00Z"},
		{"clocks go forward over it: an hour later", zurich("30 2 * * *"), "2026-03-28T01:30:00Z", "2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z"},
		{"the day after", zurich("30 2 * * *"), "2026-03-29T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"},
		{"clocks go back over it: the first time", zurich("30 2 * * *"), "2026-10-24T00:30:00Z", "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z"},
		{"and not the second", zurich("30 2 * * *"), "2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		{"not either if it was late", zurich("30 2 * * *"), "2026-10-25T00:30:00Z", "2026-10-25T01:10:00Z", "2026-10-26T01:30:00Z"},
		{"every hour goes by elapsed time, forward", zurich("0 * * * *"), "2026-03-29T00:00:00Z", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"},
		{"and back", zurich("0 * * * *"), "2026-10-25T00:00:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"},
		{"and once more", zurich("0 * * * *"), "2026-10-25T01:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"},
		{"@daily of a zone with a gap at midnight", watch.When{Cron: "@daily", TZ: "America/Santiago"}, "2026-09-05T04:00:00Z", "2026-09-05T12:00:00Z", "2026-09-06T04:00:00Z"},
		{"New York, gap", watch.When{Cron: "15 2 * * 0", TZ: "America/New_York"}, "2026-03-01T07:15:00Z", "2026-03-01T07:15:00Z", "2026-03-08T07:15:00Z"},
		{"leap day", watch.When{Cron: "0 0 29 2 *"}, "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"adaptive: the soonest", watch.When{Adaptive: &watch.Bounds{Min: "1h", Max: "30d"}}, "2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z", "2026-01-01T01:00:05Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := timing(t, c.when).Next(at(t, c.due), at(t, c.now))
			var want time.Time
			if c.want != "" {
				want = at(t, c.want)
			}
			if !got.Equal(want) {
				t.Errorf("next is %s, want %s", got.UTC(), want)
			}
		})
	}
}

// TestNextAdvances: over two years of any expression, each time comes after the one before, and none twice.
func TestNextAdvances(t *testing.T) {
	for _, zone := range []string{"Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC"} {
		for _, expr := range []string{"7 * * * *", "30 2 * * *", "0 0 * * *", "59 23 * * 6", "15 1-3 * * *", "0 */4 * * *"} {
			x := timing(t, watch.When{Cron: expr, TZ: zone})
			now := at(t, "2026-01-01T00:00:00Z")
			days := map[string]int{}
			for now.Before(at(t, "2027-12-31T00:00:00Z")) {
				next := x.Next(now, now)
				if !next.After(now) || next.Sub(now) > 8*24*time.Hour {
					t.Fatalf("%s in %s: %s after %s", expr, zone, next, now)
				}
				days[next.Format(time.DateOnly)]++
				now = next
			}
			if expr == "30 2 * * *" || expr == "0 0 * * *" {
				for day, n := range days {
					if n != 1 {
						t.Errorf("%s in %s runs %d times on %s", expr, zone, n, day)
					}
				}
				if n := len(days); n < 729 || n > 730 {
					t.Errorf("%s in %s runs on %d days of 730", expr, zone, n)
				}
			}
		}
	}
}

func TestFirst(t *testing.T) {
	now := at(t, "2026-01-01T12:00:00Z")
	for _, c := range []struct {
		when watch.When
		want string
	}{
		{watch.When{Every: "6h"}, "2026-01-01T12:00:00Z"},
		{watch.When{Every: "6h", Start: "2026-02-01T03:00", TZ: "Europe/Zurich"}, "2026-02-01T02:00:00Z"},
		{watch.When{Adaptive: &watch.Bounds{Min: "1h", Max: "1w"}}, "2026-01-01T12:00:00Z"},
		{watch.When{Cron: "0 3 * * *", TZ: "Europe/Zurich"}, "2026-01-02T02:00:00Z"},
		{watch.When{At: "2026-12-01T10:00:00+01:00"}, "2026-12-01T09:00:00Z"},
		{watch.When{At: "2020-12-01"}, "2020-12-01T00:00:00Z"},
	} {
		if got := timing(t, c.when).First(now); !got.Equal(at(t, c.want)) {
			t.Errorf("%s: first at %s, want %s", c.when, got.UTC(), c.want)
		}
	}
}

func TestPause(t *testing.T) {
	const h = time.Hour
	history := func(s string) (out []watch.Past) {
		for _, c := range s {
			out = append(out, watch.Past{Changed: c == 'c', Unknown: c == '?'})
		}
		return out
	}
	for _, c := range []struct {
		history string
		want    time.Duration
	}{
		{"", 10 * h}, {"-", 10 * h}, {"c", 10 * h}, {"-c", 5 * h}, {"--", 15 * h}, {"-c-", 7*h + 30*time.Minute},
		{"-cccccccccc", h}, {"----------", 100 * h}, {"----------c", 50 * h}, {"-cccccccccc-", h + 30*time.Minute},
		{"?", 10 * h}, {"-??", 10 * h}, {"-c?", 5 * h}, {"?c?-", 7*h + 30*time.Minute},
	} {
		if got := watch.Pause(h, 100*h, history(c.history)); got.Round(time.Second) != c.want {
			t.Errorf("after %q: %s, want %s", c.history, got, c.want)
		}
	}
	x := timing(t, watch.When{Adaptive: &watch.Bounds{Min: "1h", Max: "100h"}})
	started := at(t, "2026-01-01T00:00:00Z")
	if got := x.Ready([]watch.Past{{}, {Started: started, Changed: true}}); !got.Equal(started.Add(5 * h)) {
		t.Errorf("ready at %s", got)
	}
	if got := x.Ready(nil); !got.IsZero() {
		t.Errorf("the first run waits until %s", got)
	}
	if got := timing(t, watch.When{Every: "1h"}).Ready([]watch.Past{{Started: started}}); !got.IsZero() {
		t.Errorf("a fixed schedule waits until %s", got)
	}
}

func TestWhenRefuses(t *testing.T) {
	for _, c := range []struct {
		when watch.When
		say  string
	}{
		{watch.When{}, "in one way"},
		{watch.When{Every: "6h", Cron: "0 3 * * *"}, "in one way"},
		{watch.When{Every: "often"}, "7d"}, {watch.When{Every: "-6h"}, "7d"}, {watch.When{Every: "NaNd"}, "7d"},
		{watch.When{Every: "1e300d"}, "7d"}, {watch.When{Every: "d"}, "7d"}, {watch.When{Every: "1ms"}, "7d"},
		{watch.When{Cron: "61 * * * *"}, "five fields"}, {watch.When{Cron: "* * * *"}, "five fields"},
		{watch.When{Cron: "* * * * * *"}, "five fields"}, {watch.When{Cron: " "}, "five fields"},
		{watch.When{Cron: "@every 1h"}, "use every"}, {watch.When{Cron: "CRON_TZ=UTC 0 3 * * *"}, "with tz"},
		{watch.When{Cron: "0 0 30 2 *"}, "never comes"}, {watch.When{Cron: "@sometimes"}, "five fields"},
		{watch.When{Cron: "0 3 * * *", TZ: "Mars/Olympus"}, "Europe/Zurich"}, {watch.When{Every: "1h", TZ: "Local"}, "Europe/Zurich"},
		{watch.When{Cron: "0 3 * * *", Start: "2026-01-01"}, "start is for"},
		{watch.When{Every: "6h", TZ: "Europe/Zurich"}, "without a start"},
		{watch.When{Adaptive: &watch.Bounds{Min: "1h", Max: "2h"}, TZ: "UTC"}, "without a start"},
		{watch.When{At: "tomorrow"}, "2026-12-01T10:00"}, {watch.When{At: "0001-01-01"}, "before the web"}, {watch.When{Every: "1h", Start: "soon"}, "2026-12-01T10:00"},
		{watch.When{Adaptive: &watch.Bounds{Min: "2h", Max: "1h"}}, "longer than"}, {watch.When{Adaptive: &watch.Bounds{Min: "2h"}}, "adaptive max"},
	} {
		if _, err := c.when.Compile(); err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%+v: %v, want a word of %q", c.when, err, c.say)
		}
	}
}

func FuzzWhen(f *testing.F) {
	f.Add("0 3 * * *", "6h", "Europe/Zurich", int64(1_800_000_000))
	f.Add("*/5 1-3 29 2 MON", "7d", "America/New_York", int64(0))
	f.Fuzz(func(t *testing.T, expr, every, tz string, sec int64) {
		now := time.Unix(sec%4_000_000_000, 0)
		for _, w := range []watch.When{{Cron: expr, TZ: tz}, {Every: every}, {At: every, TZ: tz}} {
			x, err := w.Compile()
			if err != nil {
				continue
			}
			_ = x.First(now)
			if next := x.Next(now, now); !next.IsZero() && !next.After(now) {
				t.Errorf("%+v: the next after %s is %s", w, now, next)
			}
		}
	})
}

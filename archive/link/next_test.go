package link_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"linkstead/archive/link"
)

func TestNextCheck(t *testing.T) {
	const day = 24 * time.Hour
	weeks := func(n int, what string) (out []string) {
		for i := range n {
			out = append(out, fmt.Sprintf("%dh %s", i*168, what))
		}
		return out
	}
	for _, c := range []struct {
		name      string
		looks     []string
		low, high time.Duration
	}{
		{"alive for the first time", []string{"0h ok"}, 7 * day, 8*day + 2*time.Hour},
		{"alive for three weeks", weeks(4, "ok"), 10*day + 12*time.Hour, 12*day + 2*time.Hour},
		{"alive for a year", weeks(53, "ok"), 26 * day, 30 * day},
		{"suspect", []string{"0h ok", "168h 404"}, 77 * time.Hour, 83 * time.Hour},
		{"changed once", []string{"0h ok", "168h changed"}, 77 * time.Hour, 83 * time.Hour},
		{"gone", []string{"0h 404", "72h 404", "144h 404"}, 7 * day, 8*day + 2*time.Hour},
		{"gone for a year", weeks(53, "404"), 78 * day, 90 * day},
		{"gone, and failing otherwise", append(weeks(9, "404"), "1600h timeout"), 77 * time.Hour, 83 * time.Hour},
		{"blocked", []string{"0h 403"}, 7 * day, 8*day + 2*time.Hour},
		{"robots", []string{"0h robots"}, 30 * day, 35 * day},
		{"our network", []string{"0h ok", "168h void"}, day, day + 4*time.Hour},
		{"not asked", []string{"0h quota"}, day, day + 4*time.Hour},
	} {
		s := link.Fold(history(t, c.looks...), link.Defaults())
		if d := link.NextCheck(s, s.Asked, link.Defaults()).Sub(s.Asked); d < c.low || d > c.high {
			t.Errorf("%s: after %s, want %s to %s", c.name, d, c.low, c.high)
		}
		if late := s.Asked.Add(400 * day); link.NextCheck(s, late, link.Defaults()) != late {
			t.Errorf("%s: what is overdue is due now", c.name)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	r := link.Defaults()
	for asked, want := range map[time.Duration]time.Duration{
		time.Hour: 7 * 24 * time.Hour, 20 * 24 * time.Hour: 20 * 24 * time.Hour, 999 * 24 * time.Hour: r.MaxWait,
	} {
		e := ev(status(429))
		e.RetryAfter = asked
		s := link.Fold([]link.Evidence{e}, r)
		if d := link.NextCheck(s, aug, r).Sub(aug); d < want || d > want+27*time.Hour {
			t.Errorf("Retry-After %s: %s, want %s", asked, d, want)
		}
	}
}

// Links that became known together, of one site, are not all asked for on one day; and always on the same.
func TestSpread(t *testing.T) {
	r := link.Defaults()
	hours, again := map[int]int{}, map[int]int{}
	for i := range 1000 {
		s := link.State{URL: fmt.Sprintf("http://site.example/%d", i)}
		hours[int(link.NextCheck(s, aug, r).Sub(aug).Hours())]++
		e := ev(nil)
		e.URL = s.URL
		s = link.Fold([]link.Evidence{e}, r)
		next := link.NextCheck(s, aug, r)
		if next != link.NextCheck(s, aug.Add(time.Hour), r) {
			t.Fatal("it wanders")
		}
		again[int(next.Sub(aug).Hours())/4]++
	}
	for name, slots := range map[string]map[int]int{"first looks by the hour": hours, "second looks by four hours": again} {
		for slot, n := range slots {
			if n > 250 {
				t.Errorf("%s: %d of 1000 in slot %d", name, n, slot)
			}
		}
	}
	if len(hours) != 24 || len(again) < 6 {
		t.Errorf("spread over %d and %d slots", len(hours), len(again))
	}
}

func TestRulesAreChecked(t *testing.T) {
	if err := link.Defaults().Check(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*link.Rules){
		"gone":               func(r *link.Rules) { r.Gone = 0 },
		"soft similar":       func(r *link.Rules) { r.SoftSimilar = 1.1 },
		"drift words":        func(r *link.Rules) { r.DriftWords = 0 },
		"all the time":       func(r *link.Rules) { r.Suspect = 0 },
		"negative":           func(r *link.Rules) { r.Apart = -1 },
		"longest interval":   func(r *link.Rules) { r.AliveMax = time.Hour },
		"drift distance is ": func(r *link.Rules) { r.DriftDistance = 65 },
	} {
		r := link.Defaults()
		change(&r)
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

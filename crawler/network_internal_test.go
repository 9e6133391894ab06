package crawler

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// TestNetwork: our own network is out when several hosts failed of late and none answered.
func TestNetwork(t *testing.T) {
	const window = 10 * time.Minute
	type note struct {
		host     string
		answered bool
		minute   int
	}
	for name, c := range map[string]struct {
		notes []note
		at    int
		out   bool
	}{
		"nothing was asked":             {nil, 0, false},
		"two hosts fail":                {[]note{{"a", false, 0}, {"b", false, 1}}, 2, false},
		"three hosts fail":              {[]note{{"a", false, 0}, {"b", false, 1}, {"c", false, 2}}, 2, true},
		"one host fails three times":    {[]note{{"a", false, 0}, {"a", false, 1}, {"a", false, 2}}, 2, false},
		"the first one is long ago":     {[]note{{"a", false, 0}, {"b", false, 5}, {"c", false, 11}}, 11, false},
		"it failed again since":         {[]note{{"a", false, 0}, {"b", false, 5}, {"a", false, 6}, {"c", false, 11}}, 11, true},
		"one answered since":            {[]note{{"a", false, 0}, {"b", false, 1}, {"c", false, 2}, {"d", true, 3}}, 4, false},
		"one answered before":           {[]note{{"d", true, 0}, {"a", false, 1}, {"b", false, 2}, {"c", false, 3}}, 4, false},
		"one answered long before":      {[]note{{"d", true, 0}, {"a", false, 8}, {"b", false, 9}, {"c", false, 10}}, 10, true},
		"those that failed before that": {[]note{{"a", false, 0}, {"b", false, 1}, {"d", true, 2}, {"c", false, 12}}, 12, false},
	} {
		var n network
		for _, x := range c.notes {
			n.note(x.host, x.answered, noon.Add(time.Duration(x.minute)*time.Minute))
		}
		if got := n.out(noon.Add(time.Duration(c.at)*time.Minute), window); got != c.out {
			t.Errorf("%s: out is %t", name, got)
		}
	}
	var n network
	for i := range 3 * maxFailing {
		n.note(time.Duration(i).String(), false, noon)
	}
	if len(n.last) != maxFailing {
		t.Errorf("%d hosts are remembered", len(n.last))
	}
	if _, known := n.canary(noon, time.Minute); known {
		t.Error("canaries were never asked")
	}
	n.heard(true, noon)
	if fine, known := n.canary(noon.Add(59*time.Second), time.Minute); !fine || !known {
		t.Error("what canaries said is forgotten")
	}
	if _, known := n.canary(noon.Add(time.Minute), time.Minute); known {
		t.Error("what canaries said holds for ever")
	}
}

// TestLooksBegun: a host, and a node, begin so many looks a day, and the next ones some time on the day after.
func TestLooksBegun(t *testing.T) {
	var b looksBegun
	day := noon.Truncate(24 * time.Hour)
	for i, c := range []struct {
		host            string
		at              time.Duration
		perHost, perDay int
		ok              bool
	}{
		{"a", 0, 2, 3, true},
		{"a", time.Hour, 2, 3, true},
		{"a", 2 * time.Hour, 2, 3, false}, // the host's
		{"b", 3 * time.Hour, 2, 3, true},
		{"c", 4 * time.Hour, 2, 3, false}, // all there are
		{"c", 5 * time.Hour, 2, 0, true},  // no bound
		{"a", 6 * time.Hour, 0, 0, true},
		{"a", 23 * time.Hour, 2, 0, false},
		{"a", 24 * time.Hour, 2, 3, true}, // the next day
	} {
		at := day.Add(c.at)
		ok, until := b.begin(c.host, at, c.perHost, c.perDay)
		if ok != c.ok {
			t.Errorf("%d: %t", i, ok)
		}
		if next := day.Add(24 * time.Hour); !ok && (until.Before(next) || !until.Before(next.Add(24*time.Hour))) {
			t.Errorf("%d: it is to wait until %s", i, until)
		}
	}
}

// TestHonestHosts: who said that nothing is there need not say so again for a day.
func TestHonestHosts(t *testing.T) {
	var h honestHosts
	if h.is("a", noon) {
		t.Error("nobody was asked")
	}
	h.note("a", noon)
	if !h.is("a", noon.Add(23*time.Hour)) || h.is("b", noon) || h.is("a", noon.Add(24*time.Hour)) {
		t.Error("honesty lasts a day, and is a host's own")
	}
	for i := range maxHonest + 1 {
		h.note(time.Duration(i).String(), noon)
	}
	if len(h.since) > maxHonest {
		t.Errorf("%d hosts are remembered", len(h.since))
	}
}

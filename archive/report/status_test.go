package report

import (
	"testing"
	"time"

	"linkstead/storage"
)

// TestNodeSpeed: a node that has just begun is as fast as it is, and one that has gone is not.
func TestNodeSpeed(t *testing.T) {
	v := storage.Speed{N: 66, Bytes: 6600, Over: 62 * time.Second}
	for _, c := range []struct {
		alive          bool
		since          time.Duration
		n, bytes, over float64
	}{
		{true, 12 * time.Second, 5.5, 550, 12},
		{true, time.Hour, 66.0 / 62, 6600.0 / 62, 62},
		{true, -time.Second, 66, 6600, 1}, // by another clock
		{false, time.Hour, 0, 0, 62},
	} {
		n := NodeNow{Alive: c.alive}
		if n.speed(v, c.since); n.PerSecond != c.n || n.Bytes != c.bytes || n.Over != c.over {
			t.Errorf("since %s: %+v, want %+v", c.since, n, c)
		}
	}
}

func TestStatusWords(t *testing.T) {
	for want, q := range map[string]Queue{
		"they wait for the time that they have asked for":             {For: "retry-after", Hosts: 2},
		"it waits for the time that it has asked for":                 {For: "retry-after", Hosts: 1},
		"it waits for some time after it failed":                      {For: "backoff", Hosts: 1},
		"it waits for its robots.txt, which is to be had first":       {For: "robots", Hosts: 1},
		"it waits for some time, since it has failed again and again": {For: "down", Hosts: 1},
	} {
		if got := theyWait(&q); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	r := RunNow{Found: 62, Ended: 57, Captured: 73, Failed: 6, Bytes: 10<<20 - 1}
	if got, want := r.Progress(), "57 of 62 addresses ended, 6 of them without a response; 73 responses kept, 10 MiB"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for host, want := range map[string]string{"schedule:blog": "the schedule blog", "document:": "documents that were handed in", "a.test:80": "a.test:80"} {
		if got := HostName(host); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

package storage

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestServerClock: whatever this machine's clock says, the time told is the server's; it stands still rather than go
// back, and follows a server that goes back by much.
func TestServerClock(t *testing.T) {
	for _, skew := range []time.Duration{0, 3 * time.Hour, -3 * time.Hour} {
		var log bytes.Buffer
		c := &serverClock{log: slog.New(slog.NewTextHandler(&log, nil))}
		server := func(ago time.Duration) time.Time { return time.Now().Add(skew - ago) }
		near := func(what string, want time.Time) {
			t.Helper()
			if off := c.now().Sub(want); off < -time.Second || off > time.Second {
				t.Errorf("skew %v, %s: off by %v", skew, what, off)
			}
		}
		c.set(server(0), time.Now(), 0)
		near("at first", server(0))
		first := c.now()
		c.set(server(2*time.Second), time.Now(), 0)
		if again := c.now(); again.Before(first) || again.Sub(first) > time.Second {
			t.Errorf("skew %v: the clock went from %v to %v", skew, first, again)
		}
		c.set(server(0), time.Now(), 0)
		near("forward again", server(0))
		c.set(server(time.Hour), time.Now(), 0)
		near("an hour back", server(time.Hour))
		if n := strings.Count(log.String(), "went back"); n != 1 {
			t.Errorf("skew %v: the log tells %d times that the clock went back", skew, n)
		}
		c.set(server(-time.Hour), time.Now(), 0)
		near("two hours forward", server(-time.Hour))
	}
}

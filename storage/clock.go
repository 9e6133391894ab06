package storage

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// serverClock follows the clock of a database server, which all workers share: leases and due times of machines whose
// own clocks differ mean the same. Between two looks at the server it counts on by this machine's monotonic clock, so
// that nobody who sets this machine's time moves it. It is off by no more than half the round trip of its best look,
// and by what the two clocks drift apart until the next one.
type serverClock struct {
	db  *sql.DB
	log *slog.Logger

	mu     sync.Mutex
	base   time.Time     // the server's time …
	at     time.Time     // … when this machine's monotonic clock stood here
	within time.Duration // half of that look's round trip
	last   time.Time     // what was told last

	stop context.CancelFunc
	done chan struct{}
}

const (
	lookEvery = 10 * time.Second
	looks     = 3 // at a time: the shortest round trip of them counts
	// mostBack is how far the clock stands still rather than go back. A server whose time was set back by more is followed.
	mostBack = 5 * time.Second
)

// followClock begins to follow a server's clock.
func followClock(ctx context.Context, db *sql.DB, log *slog.Logger) (*serverClock, error) {
	c := &serverClock{db: db, log: log, done: make(chan struct{})}
	if err := c.look(ctx); err != nil {
		return nil, fmt.Errorf("read the server's clock: %w", err)
	}
	ctx, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(c.done)
		for sleep(ctx, lookEvery) {
			// A server that is away is told of by those who need it; until it is back this machine's clock counts on.
			_ = c.look(ctx)
		}
	}()
	return c, nil
}

// close ends the following.
func (c *serverClock) close() {
	if c == nil {
		return
	}
	c.stop()
	<-c.done
}

func (c *serverClock) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookEvery)
	defer cancel()
	var base, at time.Time
	var within time.Duration
	for i := range looks {
		var us int64
		begun := time.Now()
		err := c.db.QueryRowContext(ctx, `SELECT (EXTRACT(EPOCH FROM clock_timestamp())*1000000)::bigint`).Scan(&us)
		if err != nil {
			return err
		}
		ended := time.Now()
		if half := ended.Sub(begun) / 2; i == 0 || half < within {
			base, at, within = time.UnixMicro(us), begun.Add(half), half
		}
	}
	c.set(base, at, within)
	return nil
}

// set takes over what a look has found: at at the server's time was base, within that much.
func (c *serverClock) set(base, at time.Time, within time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.IsZero() {
		if back := c.base.Add(at.Sub(c.at)).Sub(base); back > mostBack {
			c.last = time.Time{}
			if c.log != nil {
				c.log.Warn("the database server's clock went back; leases and due times follow it", "by", back)
			}
		}
	}
	c.base, c.at, c.within = base, at, within
}

// now is the server's time. It does not go back, unless the server's does by seconds.
func (c *serverClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.base.Add(time.Since(c.at))
	if t.Before(c.last) {
		return c.last
	}
	c.last = t
	return t
}

package storagetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/storage"
)

// lostWakeUp has many goroutines add tasks to the same few hosts while others claim, finish and release those hosts.
// Whatever the order: once all have gone home, no host sleeps on a task that is due. If enqueue and release did not both
// lock the hosts' rows before they look at the tasks, one would leave next_at alone because it sees the lease, and the
// other would set it to never because it does not see the task.
func lostWakeUp(t *testing.T, rows Rows) {
	const adders, rounds, runs = 4, 40, 4
	clock := NewClock() // it stands: no lease runs out and covers a host that sleeps
	dsn := rows(t)
	dbs := []*storage.DB{OpenRows(t, dsn, clock.Now), OpenRows(t, dsn, clock.Now)}
	names := []string{"h0", "h1", "h2"}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()

	var adding atomic.Int32
	adding.Store(adders)
	var g errgroup.Group
	for a := range int64(adders) {
		g.Go(func() error {
			defer adding.Add(-1)
			for i := range int64(rounds) {
				// Now one host, now all of them, in another order each time.
				var ts []storage.Task
				for j := range 1 + i%3 {
					ts = append(ts, task(names[(a+i+2*j)%3], 1+a%runs, i, 10+i%5))
				}
				if _, err := dbs[a%2].Enqueue(ctx, ts); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for w := range 4 {
		g.Go(func() error {
			for {
				last := adding.Load() == 0 // before the claim: a task that was added later is not missed
				n, err := workOnce(ctx, dbs[w%2], clock)
				if err != nil || n == 0 && last {
					return err
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for {
		n, err := workOnce(ctx, dbs[0], clock)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	for run := int64(1); run <= runs; run++ {
		if open, err := dbs[0].Open(ctx, run); err != nil || open {
			t.Errorf("run %d still has open tasks that nobody is given: a host sleeps for ever (%v)", run, err)
		}
	}
	if next, err := dbs[0].NextDue(ctx); err != nil || next != storage.Never {
		t.Errorf("all is done, but NextDue is %d, %v", next, err)
	}
}

// workOnce claims hosts, ends their tasks and lets them go. It tells how many hosts there were.
func workOnce(ctx context.Context, db *storage.DB, clock *Clock) (int, error) {
	ls, err := db.Claim(ctx, "w", 2, 3, time.Minute)
	if err != nil {
		return 0, err
	}
	var ends []storage.End
	for _, l := range ls {
		for _, t := range l.Tasks {
			ends = append(ends, done(l, t))
		}
	}
	if fenced, err := db.Commit(ctx, nil, ends); err != nil || len(fenced) > 0 {
		return 0, fmt.Errorf("fenced %d although no lease ran out, %w", fenced, err)
	}
	return len(ls), db.Release(ctx, ls, clock.Now())
}

// doubleClaim has workers over two handles of one database take hosts and end tasks. No host is ever in two hands, and
// each task is ended once.
func doubleClaim(t *testing.T, rows Rows) {
	const hosts, each = 24, 4
	clock := NewClock()
	dsn := rows(t)
	dbs := []*storage.DB{OpenRows(t, dsn, clock.Now), OpenRows(t, dsn, clock.Now)}
	var ts []storage.Task
	for h := range hosts {
		for i := range int64(each) {
			ts = append(ts, task(fmt.Sprintf("h%02d", h), 1, i, i))
		}
	}
	if _, err := dbs[0].Enqueue(t.Context(), ts); err != nil {
		t.Fatal(err)
	}
	var inHand, ended sync.Map
	var total atomic.Int32
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var g errgroup.Group
	for w := range 8 {
		db := dbs[w%2]
		g.Go(func() error {
			for total.Load() < hosts*each {
				ls, err := db.Claim(ctx, fmt.Sprint("w", w), 3, 2, time.Minute)
				if err != nil {
					return err
				}
				var ends []storage.End
				for _, l := range ls {
					if other, twice := inHand.LoadOrStore(l.Host, w); twice {
						return fmt.Errorf("host %s is in the hands of %v and %d", l.Host, other, w)
					}
					for _, tk := range l.Tasks {
						if _, twice := ended.LoadOrStore(fmt.Sprint(l.Host, tk.ID), w); twice {
							return fmt.Errorf("task %d of %s was given out twice", tk.ID, l.Host)
						}
						ends = append(ends, done(l, tk))
					}
				}
				if fenced, err := db.Commit(ctx, nil, ends); err != nil || len(fenced) > 0 {
					return fmt.Errorf("fenced %d, %w", fenced, err)
				}
				total.Add(int32(len(ends)))
				for _, l := range ls {
					inHand.Delete(l.Host)
				}
				if err := db.Release(ctx, ls, clock.Now()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := total.Load(); n != hosts*each {
		t.Errorf("%d tasks ended, want %d", n, hosts*each)
	}
}

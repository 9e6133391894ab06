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

// lostWakeUp lets hosts go while tasks are being added to them, round by round. Whoever comes first: after each round
// every host is awake. If enqueue and release did not both lock the hosts' rows before they look at the tasks, one would
// leave next_at alone because it sees the lease, and the other would set it to never because it does not see the task.
//
// Checked by breaking the rule: with a release that reads the soonest task before its transaction, this fails in the
// first rounds.
func lostWakeUp(t *testing.T, rows Rows) {
	const rounds, hosts = 30, 6
	clock := NewClock() // it stands: no lease runs out and covers a host that sleeps
	dsn := rows(t)
	dbs := []*storage.DB{OpenRows(t, dsn, clock.Now), OpenRows(t, dsn, clock.Now)}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	names := []string{"source"}
	for h := range hosts {
		names = append(names, fmt.Sprint("h", h))
	}
	add := func(db *storage.DB, id int64) error {
		var ts []storage.Task
		for _, name := range names {
			ts = append(ts, task(name, 1, id, 5))
		}
		_, err := db.Enqueue(ctx, ts)
		return err
	}
	if err := add(dbs[0], 0); err != nil {
		t.Fatal(err)
	}
	for round := int64(1); round <= rounds; round++ {
		held, err := dbs[0].Claim(ctx, "w", 100, 100, time.Minute)
		if err != nil || len(held) != len(names) {
			t.Fatalf("round %d: %d of %d hosts are awake, %v; a host sleeps on a task that is due", round, len(held), len(names), err)
		}
		if err := wakeUpRound(ctx, dbs, clock, held, round); err != nil {
			t.Fatal(err)
		}
	}
	// At the end all is worked off: nothing was given out and lost.
	(&bench{DB: dbs[0], t: t, clock: clock}).sweep()
	if open, err := dbs[0].Open(ctx, 1); err != nil || open {
		t.Errorf("tasks are open that nobody is given, %v", err)
	}
	if next, err := dbs[0].NextDue(ctx); err != nil || next != storage.Never {
		t.Errorf("all is done, but NextDue is %d, %v", next, err)
	}
}

// wakeUpRound ends the tasks of the hosts held, and then, all at once: lets each host go, and adds a task to each, now by
// adding it, now as the discovery of an exchange on a host of its own.
func wakeUpRound(ctx context.Context, dbs []*storage.DB, clock *Clock, held []storage.Lease, round int64) error {
	var ends []storage.End
	var source storage.Lease
	for _, l := range held {
		if l.Host == "source" {
			source = l
			continue
		}
		for _, t := range l.Tasks {
			ends = append(ends, done(l, t))
		}
	}
	if fenced, err := dbs[0].Commit(ctx, nil, ends); err != nil || len(fenced) > 0 {
		return fmt.Errorf("fenced %d although no lease ran out, %w", fenced, err)
	}
	var g errgroup.Group
	start := make(chan struct{})
	var found []storage.Task
	for i, l := range held {
		if l.Host == "source" {
			continue
		}
		db := dbs[i%2]
		if round%4 != 0 {
			g.Go(func() error {
				<-start
				return db.Release(ctx, []storage.Lease{l}, clock.Now())
			})
		}
		fresh := task(l.Host, 1, round, 5)
		if i%3 == 0 {
			found = append(found, fresh)
			continue
		}
		g.Go(func() error {
			<-start
			_, err := dbs[(i+1)%2].Enqueue(ctx, []storage.Task{fresh})
			return err
		})
	}
	g.Go(func() error {
		<-start
		e := done(source, source.Tasks[0], append(found, task("source", 1, round, 5))...)
		if fenced, err := dbs[1].Commit(ctx, nil, []storage.End{e}); err != nil || len(fenced) > 0 {
			return fmt.Errorf("fenced %d although no lease ran out, %w", fenced, err)
		}
		if round%4 == 0 {
			return dbs[1].FreeOwner(ctx, "w", time.UnixMilli(0)) // lets all go at once
		}
		return dbs[1].Release(ctx, []storage.Lease{source}, clock.Now())
	})
	close(start)
	return g.Wait()
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

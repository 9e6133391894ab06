package storagetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"linkstead/storage"
)

// schedulesAgain: a run of a schedule that was removed keeps another one of the same name from starting; a lease of the
// old one's tick starts nothing.
func schedulesAgain(b *bench) {
	b.putSchedule("s", 0)
	l := b.claimOne(storage.TickHost("s"))
	r, err := b.start("s", nil, time.Hour, task("h", 0, 1, 1))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.RemoveSchedule(b.t.Context(), "s"); err != nil {
		b.t.Fatal(err)
	}
	b.putSchedule("s", 0)
	if _, err := b.start("s", nil, time.Hour); !errors.Is(err, storage.ErrOverlap) {
		b.t.Errorf("while a run of the old schedule goes on: %v", err)
	}
	b.finishRun(r)
	if _, err := b.start("s", &l, time.Hour); !errors.Is(err, storage.ErrLeaseLost) {
		b.t.Errorf("under a lease of the old schedule: %v", err)
	}
	for _, c := range b.claim(2) {
		if c.Host == storage.TickHost("s") {
			if _, err := b.start("s", &c, time.Hour); err != nil {
				b.t.Error(err)
			}
			return
		}
	}
	b.t.Error("the new schedule's tick is not to be had")
}

// schedulesPutWhileRemoved: a schedule that is written while it is removed is gone, or wakes.
func schedulesPutWhileRemoved(b *bench) {
	other := OpenRows(b.t, b.dsn, b.clock.Now)
	for i := range 100 {
		b.putSchedule("s", 0)
		s := storage.Schedule{Name: "s", Spec: []byte(`{}`), Created: b.clock.Now(), Due: b.ms()}
		var wg sync.WaitGroup
		var removed, put error
		wg.Go(func() { removed = b.RemoveSchedule(b.t.Context(), "s") })
		wg.Go(func() { put = other.PutSchedule(b.t.Context(), s) })
		wg.Wait()
		if err := errors.Join(removed, put); err != nil {
			b.t.Fatal(err)
		}
		_, err := b.Schedule(b.t.Context(), "s")
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		next, nerr := b.NextDue(b.t.Context())
		if err != nil || nerr != nil || next != b.ms() {
			b.t.Fatalf("round %d: the schedule is there and is to wake at %d; %v, %v", i, next, err, nerr)
		}
		if err := b.RemoveSchedule(b.t.Context(), "s"); err != nil {
			b.t.Fatal(err)
		}
	}
}

// schedulesStartTogether: runs that begin at the same time, of a schedule and by hand, on hosts old and new, never wait for
// each other in a circle.
func schedulesStartTogether(b *bench) {
	dsn := b.dsn
	if strings.HasPrefix(dsn, "postgres:") { // its server must not break the circle
		dsn += map[bool]string{true: "&", false: "?"}[strings.Contains(dsn, "?")] + "deadlock_timeout=10min"
	}
	ctx, cancel := context.WithTimeout(b.t.Context(), 30*time.Second)
	defer cancel()
	one, two := OpenRows(b.t, dsn, b.clock.Now), OpenRows(b.t, dsn, b.clock.Now)
	b.putSchedule("s", 100*time.Hour)
	for i := range 60 {
		var first, others []storage.Task
		for k := range int64(6) {
			host := fmt.Sprintf("h%d.%d", i, k)
			first, others = append(first, task(host, 0, k, 1)), append(others, task(host, 0, 100+k, 1))
		}
		b.enqueue(task(fmt.Sprintf("h%d.5", i), 0, 0, storage.Never))
		r := storage.Run{Collection: "c", Spec: []byte(`{}`), Started: b.clock.Now()}
		var wg sync.WaitGroup
		var run storage.Run
		var started, begun error
		wg.Go(func() { run, started = one.StartScheduled(ctx, storage.Start{Schedule: "s", Run: r, First: first}) })
		wg.Go(func() { _, begun = two.StartRun(ctx, r, nil, others) })
		wg.Wait()
		if err := errors.Join(started, begun); err != nil {
			b.t.Fatalf("round %d: %v", i, err)
		}
		b.finishRun(run)
	}
}

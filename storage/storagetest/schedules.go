package storagetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/storage"
)

// Schedules holds a database to the contract of schedules, their entries, and runs that are cut.
func Schedules(t *testing.T, rows Rows) {
	suite(t, rows, []test{
		{"PutRemove", schedulesPutRemove},
		{"Start", schedulesStart},
		{"Fault", schedulesFault},
		{"Fence", schedulesFence},
		{"Race", schedulesRace},
		{"Again", schedulesAgain},
		{"PutWhileRemoved", schedulesPutWhileRemoved},
		{"StartTogether", schedulesStartTogether},
		{"Pause", schedulesPause},
		{"Entries", schedulesEntries},
		{"EntriesRedirected", schedulesEntriesRedirected},
		{"Cut", schedulesCut},
		{"CutUnderWay", schedulesCutUnderWay},
		{"Ends", schedulesEnds},
		{"Copy", func(b *bench) { schedulesCopy(b, rows) }},
	})
}

// putSchedule writes a schedule whose tick is due after some time.
func (b *bench) putSchedule(name string, in time.Duration) {
	b.t.Helper()
	err := b.PutSchedule(b.t.Context(), storage.Schedule{
		Name: name, Spec: []byte(`{"a":"ä"}`), Created: b.clock.Now(), Due: b.clock.Now().Add(in).UnixMilli(),
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) schedule(name string) storage.Schedule {
	b.t.Helper()
	s, err := b.Schedule(b.t.Context(), name)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// start starts a run of a schedule under a lease of its tick, or without one, and sets the next tick after some time.
func (b *bench) start(name string, l *storage.Lease, next time.Duration, first ...storage.Task) (storage.Run, error) {
	return b.StartScheduled(b.t.Context(), storage.Start{
		Schedule: name, Lease: l, First: first, Due: b.clock.Now().Add(next).UnixMilli(),
		Run: storage.Run{Collection: "c", Source: "http://s/", Spec: []byte(`{}`), Started: b.clock.Now()},
	})
}

func (b *bench) finishRun(r storage.Run) {
	b.t.Helper()
	r.State, r.Ended = storage.RunDone, b.clock.Now()
	if err := b.UpdateRun(b.t.Context(), r); err != nil {
		b.t.Fatal(err)
	}
}

func schedulesPutRemove(b *bench) {
	b.putSchedule("two", time.Hour)
	b.putSchedule("one", 2*time.Hour)
	all, err := b.Schedules(b.t.Context())
	if err != nil || len(all) != 2 || all[0].Name != "one" || all[1].Name != "two" {
		b.t.Fatalf("%+v, %v", all, err)
	}
	want := storage.Schedule{Name: "one", Spec: []byte(`{"a":"ä"}`), Created: b.clock.Now(), Due: b.clock.Now().Add(2 * time.Hour).UnixMilli()}
	if fmt.Sprintf("%+v", all[0]) != fmt.Sprintf("%+v", want) {
		b.t.Errorf("%+v, want %+v", all[0], want)
	}
	want.Spec, want.Due, want.Created = []byte(`{"b":1}`), 0, time.Time{}
	if err := b.PutSchedule(b.t.Context(), want); err != nil {
		b.t.Fatal(err)
	}
	if got := b.schedule("one"); string(got.Spec) != `{"b":1}` || got.Due != all[0].Due || !got.Created.Equal(b.clock.Now()) {
		b.t.Errorf("after another spec: %+v", got)
	}
	b.claimNone("nothing is due")
	b.clock.Advance(time.Hour)
	l := b.claimOne(storage.TickHost("two"))
	if len(l.Tasks) != 1 || l.Tasks[0].Kind != storage.KindTick {
		b.t.Errorf("the tick is %+v", l.Tasks)
	}
	if err := b.RemoveSchedule(b.t.Context(), "two"); err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.start("two", &l, time.Hour); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("a schedule that is gone starts: %v", err)
	}
	if err := b.PostponeTick(b.t.Context(), l, b.ms(), ""); err != nil {
		b.t.Error(err)
	}
	b.release(0, l)
	b.claimNone("it is gone")
	for _, err := range []error{b.RemoveSchedule(b.t.Context(), "two"), b.PauseSchedule(b.t.Context(), "two", true, 0), b.PauseSchedule(b.t.Context(), "two", false, 1)} {
		if !errors.Is(err, storage.ErrNotFound) {
			b.t.Errorf("no such schedule: %v", err)
		}
	}
	b.clock.Advance(time.Hour)
	b.claimOne(storage.TickHost("one"))
}

func schedulesStart(b *bench) {
	b.putSchedule("s", 0)
	l := b.claimOne(storage.TickHost("s"))
	r, err := b.start("s", &l, time.Hour, task("h", 0, 1, 1))
	if err != nil || r.ID <= 0 || r.Schedule != "s" {
		b.t.Fatalf("%+v, %v", r, err)
	}
	if got := b.schedule("s"); got.LastRun != r.ID || got.Due != b.clock.Now().Add(time.Hour).UnixMilli() {
		b.t.Errorf("%+v", got)
	}
	if got, err := b.Run(b.t.Context(), r.ID); err != nil || got.Schedule != "s" || got.State != storage.RunActive {
		b.t.Errorf("%+v, %v", got, err)
	}
	if h := b.claimOne("h"); len(h.Tasks) != 1 || h.Tasks[0].Run != r.ID {
		b.t.Errorf("its first task is %+v", h.Tasks)
	}
	b.clock.Advance(time.Hour)
	l = storage.Lease{}
	for _, c := range b.claim(10) {
		if c.Host == storage.TickHost("s") {
			l = c
		}
	}
	if _, err := b.start("s", &l, time.Hour); !errors.Is(err, storage.ErrOverlap) {
		b.t.Errorf("while the last run goes on: %v", err)
	}
	if _, err := b.start("s", nil, 0); !errors.Is(err, storage.ErrOverlap) {
		b.t.Errorf("by hand while the last run goes on: %v", err)
	}
	if err := b.PostponeTick(b.t.Context(), l, b.ms()+5000, ""); err != nil {
		b.t.Fatal(err)
	}
	if got := b.schedule("s").Due; got != b.ms()+5000 {
		b.t.Errorf("postponed to %d", got-b.ms())
	}
	b.finishRun(r)
	second, err := b.start("s", nil, 77*time.Hour)
	if err != nil || b.schedule("s").Due != b.ms()+5000 || b.schedule("s").LastRun != second.ID {
		b.t.Errorf("by hand: %+v, %v; %+v", second, err, b.schedule("s"))
	}
	rs, err := b.ScheduleRuns(b.t.Context(), "s", 10)
	if err != nil || len(rs) != 2 || rs[0].ID != second.ID {
		b.t.Errorf("%+v, %v", rs, err)
	}
	if before, err := b.RunBefore(b.t.Context(), second); err != nil || before.ID != r.ID {
		b.t.Errorf("before the second: %+v, %v", before, err)
	}
	if _, err := b.RunBefore(b.t.Context(), r); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("before the first: %v", err)
	}
}

// schedulesFault: what is amiss is kept until a tick finds nothing amiss, a run begins, or the schedule is another; and
// whoever no longer holds the tick says nothing of it.
func schedulesFault(b *bench) {
	b.putSchedule("s", 0)
	late := b.claimOne(storage.TickHost("s"))
	b.clock.Advance(ttl + time.Second)
	look := func(l storage.Lease, fault, want string) {
		b.t.Helper()
		if err := b.PostponeTick(b.t.Context(), l, b.ms()+1000, fault); err != nil {
			b.t.Fatal(err)
		}
		if got := b.schedule("s").Fault; got != want {
			b.t.Errorf("the fault is %q, want %q", got, want)
		}
		b.clock.Advance(time.Second)
	}
	l := b.claimOne(storage.TickHost("s"))
	look(late, "late", "")
	look(l, "no post", "no post")
	look(b.claimOne(storage.TickHost("s")), "", "")
	look(b.claimOne(storage.TickHost("s")), "no post", "no post")
	b.putSchedule("s", 0)
	look(b.claimOne(storage.TickHost("s")), "still none", "still none")
	r, err := b.start("s", nil, 0)
	if err != nil || b.schedule("s").Fault != "" {
		b.t.Errorf("%q after a start, %v", b.schedule("s").Fault, err)
	}
	for _, fault := range []string{"no feed", ""} {
		if err := b.SetFault(b.t.Context(), r.ID, fault); err != nil {
			b.t.Fatal(err)
		}
		b.finishRun(r) // keeps it
		if got, err := b.Run(b.t.Context(), r.ID); err != nil || got.Fault != fault {
			b.t.Errorf("the run's fault is %q, want %q; %v", got.Fault, fault, err)
		}
	}
}

// schedulesFence: a tick whose lease has ended starts nothing, and moves nothing.
func schedulesFence(b *bench) {
	b.putSchedule("s", 0)
	late := b.claimOne(storage.TickHost("s"))
	b.clock.Advance(ttl + time.Second)
	l := b.claimOne(storage.TickHost("s"))
	if _, err := b.start("s", &late, time.Hour); !errors.Is(err, storage.ErrLeaseLost) {
		b.t.Errorf("late: %v", err)
	}
	if err := b.PostponeTick(b.t.Context(), late, storage.Never, "late"); err != nil {
		b.t.Fatal(err)
	}
	if rs, err := b.Runs(b.t.Context()); err != nil || len(rs) != 0 {
		b.t.Errorf("%d runs, %v", len(rs), err)
	}
	r, err := b.start("s", &l, time.Hour)
	if err != nil {
		b.t.Fatal(err)
	}
	b.finishRun(r)
	if _, err := b.start("s", &l, time.Hour); !errors.Is(err, storage.ErrLeaseLost) {
		b.t.Errorf("twice under one lease: %v", err)
	}
}

// schedulesRace: of many that start a schedule at the same time, one does.
func schedulesRace(b *bench) {
	b.putSchedule("s", 0)
	l := b.claimOne(storage.TickHost("s"))
	other := OpenRows(b.t, b.dsn, b.clock.Now)
	var mu sync.Mutex
	var started int
	var g errgroup.Group
	for i := range 12 {
		lease := &l
		if i%3 == 0 {
			lease = nil
		}
		db := []*storage.DB{b.DB, other}[i%2]
		g.Go(func() error {
			_, err := db.StartScheduled(b.t.Context(), storage.Start{Schedule: "s", Lease: lease, Due: b.ms() + 1,
				Run: storage.Run{Collection: "c", Spec: []byte(`{}`)}, First: []storage.Task{task("h", 0, int64(i), 1), task("a", 0, int64(i), 1)}})
			if errors.Is(err, storage.ErrOverlap) || errors.Is(err, storage.ErrLeaseLost) {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			started++
			return err
		})
	}
	if err := g.Wait(); err != nil {
		b.t.Fatal(err)
	}
	if rs, err := b.Runs(b.t.Context()); err != nil || started != 1 || len(rs) != 1 {
		b.t.Errorf("%d started, %d runs, %v", started, len(rs), err)
	}
}

func schedulesPause(b *bench) {
	b.putSchedule("s", time.Minute)
	due := b.schedule("s").Due
	if err := b.PauseSchedule(b.t.Context(), "s", true, 0); err != nil {
		b.t.Fatal(err)
	}
	if got := b.schedule("s"); !got.Paused || got.Due != due {
		b.t.Errorf("%+v", got)
	}
	b.clock.Advance(time.Hour)
	b.claimNone("it is paused")
	b.putSchedule("s", time.Hour) // another due time does not wake it
	b.clock.Advance(2 * time.Hour)
	b.claimNone("it is paused still")
	if next, err := b.NextDue(b.t.Context()); err != nil || next != storage.Never {
		b.t.Errorf("next due %d, %v", next, err)
	}
	if err := b.PauseSchedule(b.t.Context(), "s", false, b.ms()+1000); err != nil {
		b.t.Fatal(err)
	}
	b.claimNone("not yet")
	b.clock.Advance(time.Second)
	l := b.claimOne(storage.TickHost("s"))
	if err := b.PauseSchedule(b.t.Context(), "s", true, 0); err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.start("s", &l, time.Hour); !errors.Is(err, storage.ErrLeaseLost) {
		b.t.Errorf("paused while the tick was carried out: %v", err)
	}
	if err := b.PostponeTick(b.t.Context(), l, b.ms(), ""); err != nil {
		b.t.Fatal(err)
	}
	b.claimNone("it is paused again")
}

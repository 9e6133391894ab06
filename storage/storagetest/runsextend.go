package storagetest

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"linkstead/storage"
)

// runsExtend: more is taken by a run that goes on or is interrupted, and by no other; what it had already is not done again.
func runsExtend(b *bench) {
	ctx := b.t.Context()
	r := b.startRun(task("h", 0, 1, 1))
	l := b.claimOne("h")
	b.commit(nil, done(l, l.Tasks[0]))
	b.release(0, l)
	extend := func(want bool, more ...storage.Task) {
		b.t.Helper()
		if took, err := b.ExtendRun(ctx, r.ID, more); took != want || err != nil {
			b.t.Errorf("%d more tasks: %v, %v", len(more), took, err)
		}
	}
	if err := b.PauseRun(ctx, r.ID); err != nil {
		b.t.Fatal(err)
	}
	extend(true, task("h", 0, 1, 1), task("h", 0, 2, 1))
	if got, err := b.Run(ctx, r.ID); err != nil || got.State != storage.RunActive {
		b.t.Errorf("%+v, %v", got, err)
	}
	if b.finish(r.ID) {
		b.t.Error("it is done, and has a task open")
	}
	if got := b.counts(r.ID); got.Found != 2 {
		b.t.Errorf("counted as %+v", got)
	}
	l = b.claimOne("h")
	if got := ids(l.Tasks); len(got) != 1 || got[0] != 2 || l.Tasks[0].Run != r.ID {
		b.t.Fatalf("to do: %v", got)
	}
	b.commit(nil, done(l, l.Tasks[0]))
	extend(true)
	if !b.finish(r.ID) {
		b.t.Error("it is not done")
	}
	extend(false, task("h", 0, 3, 1))
	if _, err := b.Task(ctx, "h", r.ID, 3); err == nil {
		b.t.Error("a run that is done has one more task")
	}
	r = b.startRun(task("other", 0, 1, 1))
	if _, err := b.CutRun(ctx, r.ID, "pages"); err != nil {
		b.t.Fatal(err)
	}
	extend(false, task("h", 0, 3, 1))
	r.ID = 99
	extend(false, task("h", 0, 3, 1))
}

// runsExtendRace: of who finishes a run and who gives it more to do at the same time, one comes first and the other knows it.
func runsExtendRace(b *bench) {
	ctx := b.t.Context()
	other := OpenRows(b.t, b.dsn, b.clock.Now)
	for i := range 40 {
		r := b.startRun()
		var finished bool
		took := make([]bool, 3)
		var g errgroup.Group
		for k := range took {
			g.Go(func() (err error) {
				took[k], err = b.ExtendRun(ctx, r.ID, []storage.Task{task(fmt.Sprintf("h%d", k%2), 0, int64(k), 1)})
				return err
			})
		}
		g.Go(func() (err error) {
			finished, err = other.FinishRun(ctx, r.ID, b.clock.Now())
			return err
		})
		if err := g.Wait(); err != nil {
			b.t.Fatal(err)
		}
		if rerr := b.checkExtended(ctx, r.ID, took, finished); rerr != nil {
			b.t.Fatalf("round %d: %v", i, rerr)
		}
	}
}

func (b *bench) checkExtended(ctx context.Context, run int64, took []bool, finished bool) error {
	r, err := b.Run(ctx, run)
	if err != nil {
		return err
	}
	if finished != (r.State == storage.RunDone) {
		return fmt.Errorf("it was finished: %v, and is %s", finished, r.State)
	}
	for k, ok := range took {
		if ok == finished {
			return fmt.Errorf("it was finished: %v, and has taken task %d: %v", finished, k, ok)
		}
		if _, err := b.Task(ctx, fmt.Sprintf("h%d", k%2), run, int64(k)); (err == nil) != ok {
			return fmt.Errorf("it has taken task %d: %v, and its row is there: %v", k, ok, err == nil)
		}
	}
	return nil
}

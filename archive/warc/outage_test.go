package warc

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"linkstead/storage"
)

// rawNoise is a body that does not compress.
func rawNoise(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('!' + rand.IntN(90))
	}
	return string(b)
}

// waitUntil waits until something holds.
func waitUntil(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
}

// TestJournalRoom: while the store is away, segments wait until the budget is used up: open, sealed and spilled bytes all
// count. It is told once, and once more when there is room again.
func TestJournalRoom(t *testing.T) {
	var away sync.Mutex
	w := newWorld(t, nil, func(p *JournalParts) {
		p.Blobs = gate{p.Blobs, &away}
		p.Budget, p.MaxSize, p.MaxAge = Budget{Max: 300 << 10}, 100<<10, 40*time.Millisecond // its ticker looks four times as often
	})
	away.Lock()
	u := urls(12, 1)
	r := w.run("default", u...)
	bodies := map[string]string{}
	n := 0
	for ; n < len(u) && w.room(); n++ {
		bodies[u[n]] = rawNoise(50 << 10)
		w.page(r, u[n], bodies[u[n]])
	}
	if n < 6 || n > 10 { // a byte of noise takes some 6.5 bits
		t.Errorf("there was room for %d pages of 50 KiB in 300 KiB", n)
	}
	for url := range bodies { // from the spool
		w.reads(w.capture("default", url), bodies[url])
	}
	late := u[n]
	bodies[late] = rawNoise(50 << 10) // it was under way: it is taken all the same, and its segment is sealed at once
	w.page(r, late, bodies[late])
	waitUntil(t, "nothing is open any more", func() bool { w.j.mu.Lock(); defer w.j.mu.Unlock(); return len(w.j.open) == 0 })
	if w.room() {
		t.Error("there is room while the store is away")
	}
	away.Unlock()
	waitUntil(t, "there is room", w.room)
	w.settled()
	for url, body := range bodies {
		w.reads(w.capture("default", url), body)
	}
	for _, line := range []string{"the spool is full", "has room again"} {
		if got := strings.Count(w.log.String(), line); got != 1 {
			t.Errorf("%q is told %d times", line, got)
		}
	}
	meter := w.spool.Spilled()
	s := storage.NewSpill(w.spool.Temp(), 10).Metered(meter)
	if _, err := s.Write(make([]byte, 400<<10)); err != nil || w.room() {
		t.Errorf("400 KiB are spilled, and there is room; %v", err)
	}
	if must(t, s.Close()); !w.room() || meter.Load() != 0 {
		t.Errorf("after the spill there is no room, or %d bytes are left", meter.Load())
	}
}

// room says whether the journal of a test that has not failed has room.
func (w *world) room() bool {
	w.t.Helper()
	room, err := w.j.Room()
	must(w.t, err)
	return room
}

// TestJournalFree: the disk is not filled, whatever the budget.
func TestJournalFree(t *testing.T) {
	w := newWorld(t, nil, func(p *JournalParts) { p.Budget.Free = 1 << 60 })
	if w.room() {
		t.Error("there is room on a disk that has less than is to be left free")
	}
	free, err := w.spool.Free()
	if err != nil || free <= 0 || free > 1<<60 {
		t.Errorf("free: %d, %v", free, err)
	}
}

// awayRows is a database that a patient handle waits for: a call does not return before the database is back or its
// context ends.
type awayRows struct {
	Rows
	mu   sync.Mutex
	op   string // that waits
	back chan struct{}
	came chan struct{}
}

func (a *awayRows) wait(ctx context.Context, op string) error {
	a.mu.Lock()
	waits := a.op == op
	a.mu.Unlock()
	if !waits {
		return nil
	}
	select {
	case a.came <- struct{}{}:
	default:
	}
	select {
	case <-a.back:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *awayRows) OpenSegment(ctx context.Context, s storage.Segment) error {
	if err := a.wait(ctx, "open"); err != nil {
		return err
	}
	return a.Rows.OpenSegment(ctx, s)
}

func (a *awayRows) Commit(ctx context.Context, p []storage.Progress, e []storage.End) ([]int, error) {
	if err := a.wait(ctx, "commit"); err != nil {
		return nil, err
	}
	return a.Rows.Commit(ctx, p, e)
}

func (a *awayRows) Original(ctx context.Context, c, d, s string) (storage.Capture, error) {
	if err := a.wait(ctx, "original"); err != nil {
		return storage.Capture{}, err
	}
	return a.Rows.Original(ctx, c, d, s)
}

func (a *awayRows) Run(ctx context.Context, id int64) (storage.Run, error) {
	if err := a.wait(ctx, "run"); err != nil {
		return storage.Run{}, err
	}
	return a.Rows.Run(ctx, id)
}

// TestJournalDatabaseAway: whatever the database is asked when it goes away, nothing is lost and nothing counts twice when
// it comes back; nobody else has to wait for it meanwhile, and the journal can be abandoned at once.
func TestJournalDatabaseAway(t *testing.T) {
	for _, op := range []string{"open", "original", "run", "commit"} {
		for _, back := range []bool{true, false} {
			name := op + ", abandoned"
			if back {
				name = op + ", back"
			}
			t.Run(name, func(t *testing.T) { databaseAway(t, op, back) })
		}
	}
}

func databaseAway(t *testing.T, op string, back bool) {
	away := &awayRows{back: make(chan struct{}), came: make(chan struct{}, 1)}
	w := newWorld(t, nil, func(p *JournalParts) { away.Rows, p.Rows = p.Rows, away })
	u := urls(3, 1)
	r, other := w.run("default", u[0], u[1]), w.run("other", u[2]) // and so a new segment
	w.page(r, u[0], "one")
	away.mu.Lock()
	away.op = op
	away.mu.Unlock()
	e := w.entry(other, u[2], okResponse("two"))
	ended := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		err := w.j.Append(ctx, e, func(held bool, err error) {
			if err == nil && !held {
				err = errors.New("it does not count")
			}
			ended <- err
		})
		if err != nil {
			ended <- err
		}
	}()
	<-away.came
	begun := time.Now()
	w.room()
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := w.j.FlushAll(soon); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("flush: %v", err)
	}
	if back {
		close(away.back)
		must(t, <-ended)
	} else {
		w.j.Abandon()
		if err := <-ended; err == nil {
			t.Error("it is told to count")
		}
	}
	if waited := time.Since(begun); waited > 5*time.Second {
		t.Errorf("it took %s", waited)
	}
	if err := w.j.Close(t.Context()); (err == nil) != back || !back && !errors.Is(err, ErrAbandoned) {
		t.Errorf("close: %v", err)
	}
	w.tune = nil
	w.again()
	if cs := w.captures("other", u[2]); op != "commit" && !back {
		if len(cs) != 0 { // it never came to the disk
			t.Errorf("captures %+v", cs)
		}
		w.add(w.entry(other, u[2], okResponse("two")))
	}
	w.settled()
	w.reads(w.capture("default", u[0]), "one")
	w.reads(w.capture("other", u[2]), "two")
	if live := w.unvoided(); live[u[0]] != 1 || live[u[2]] != 1 {
		t.Errorf("the segments have %v", live)
	}
}

// TestJournalLost: a node that is declared lost while it works says so and takes nothing more; when it starts again, it
// leaves what was given up where it is.
func TestJournalLost(t *testing.T) {
	for _, at := range []string{"commit", "seal"} {
		t.Run(at, func(t *testing.T) {
			w := newWorld(t, nil, nil)
			u := urls(2, 1)
			r := w.run("default", u...)
			c := w.page(r, u[0], "one")
			if _, err := w.db.LoseSegment(t.Context(), c.Segment); err != nil {
				t.Fatal(err)
			}
			var err error
			if at == "commit" {
				var wait func() (bool, error)
				if wait, err = w.append(w.entry(r, u[1], okResponse("two"))); err == nil {
					_, err = wait()
				}
			} else {
				err = w.j.FlushAll(t.Context())
			}
			if !errors.Is(err, ErrLost) {
				t.Errorf("%s: %v, want ErrLost", at, err)
			}
			if err := w.j.refusal(); !errors.Is(err, ErrLost) {
				t.Errorf("what comes next is told %v", err)
			}
			w.again()
			if !strings.Contains(w.log.String(), "declared lost") {
				t.Errorf("the log says\n%s", w.log)
			}
			if _, err := os.Stat(w.spool.Path(c.Segment)); err != nil {
				t.Errorf("the file of a lost segment: %v", err)
			}
			w.lease()
			w.page(r, u[0], "one again")
			w.settledBut(c.Segment)
		})
	}
}

// settledBut stores everything and checks that the spool holds this segment alone.
func (w *world) settledBut(segment string) {
	w.t.Helper()
	w.flush()
	waitUntil(w.t, "the spool is empty but for one", func() bool {
		s := w.spooled()
		return len(s) == 1 && strings.Contains(s[0], segment)
	})
}

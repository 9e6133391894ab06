package storagetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"linkstead/storage"
)

// Frontier holds a database to the contract of the frontier: leases of hosts, fencing, retries, pauses, and races.
func Frontier(t *testing.T, rows Rows) {
	suite(t, rows, []test{
		{"Order", frontierOrder},
		{"Fields", frontierFields},
		{"Politeness", frontierPoliteness},
		{"EnqueueTwice", frontierEnqueueTwice},
		{"TwoRuns", frontierTwoRuns},
		{"FutureTask", frontierFutureTask},
		{"Expiry", frontierExpiry},
		{"Fencing", frontierFencing},
		{"FencedAmongOthers", frontierFencedAmongOthers},
		{"EndedTwice", frontierEndedTwice},
		{"Renew", frontierRenew},
		{"ReleaseLate", frontierReleaseLate},
		{"FreeOwner", frontierFreeOwner},
		{"Delay", frontierDelay},
		{"Pace", frontierPace},
		{"LeftAlone", frontierLeftAlone},
		{"HostPause", frontierHostPause},
		{"Borrow", frontierBorrow},
		{"Retry", frontierRetry},
		{"Discovered", frontierDiscovered},
		{"Due", frontierDue},
		{"NextDue", frontierNextDue},
		{"Pause", frontierPause},
		{"PauseAtWork", frontierPauseAtWork},
		{"ManyTasks", frontierManyTasks},
	})
	t.Run("LostWakeUp", func(t *testing.T) { lostWakeUp(t, rows) })
	t.Run("DoubleClaim", func(t *testing.T) { doubleClaim(t, rows) })
	t.Run("Model", func(t *testing.T) { frontierModel(t, rows) })
}

func frontierOrder(b *bench) {
	b.enqueue(task("c", 1, 1, b.ms()-10), task("a", 1, 1, b.ms()-30), task("b", 1, 1, b.ms()-20), task("urgent", 1, 1, 7),
		task("later", 1, 1, b.ms()+1))
	var order []string
	for range 4 {
		order = append(order, hosts(b.claim(1))...)
	}
	if want := []string{"urgent", "a", "b", "c"}; !slices.Equal(order, want) {
		b.t.Errorf("hosts are claimed in the order %q, want %q", order, want)
	}
	b.claimNone("all are held or not due")

	// Within a host: priorities first, small ones first, then times.
	b.enqueue(task("h", 1, 1, b.ms()-5), task("h", 1, 2, 30), task("h", 1, 3, 2), task("h", 1, 4, b.ms()-50), task("h", 1, 5, 30),
		task("h", 1, 6, b.ms()+5))
	got := ids(b.claimOne("h").Tasks)
	slices.Sort(got[1:3]) // equal ones, in any order
	if want := []int64{3, 2, 5, 4, 1}; !slices.Equal(got, want) {
		b.t.Errorf("tasks of a host come in the order %d, want %d", got, want)
	}
}

func frontierFields(b *bench) {
	want := storage.Task{Host: "h:8080", Run: 3, ID: 1<<62 + 12345, URL: "http://h:8080/ä?x='\"", Kind: "requisite", Depth: 4,
		Hops: "LRE", Via: "http://v/", Due: 5, Attempts: 2}
	b.enqueue(want)
	if got := b.claimOne("h:8080").Tasks[0]; got != want {
		b.t.Errorf("claimed %+v, want %+v", got, want)
	}
	if got := b.task("h:8080", 3, want.ID); got != want {
		b.t.Errorf("Task brings %+v, want %+v", got, want)
	}
	if _, err := b.Task(b.t.Context(), "h:8080", 4, want.ID); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("a task of another run: %v, want ErrNotFound", err)
	}
	if n := b.enqueue(); n != 0 {
		b.t.Errorf("no tasks: %d new", n)
	}
}

func frontierPoliteness(b *bench) {
	b.enqueue(task("h", 1, 1, 1), task("h", 1, 2, 1))
	l := b.claimOne("h")
	b.commit(nil, done(l, l.Tasks[0]))
	b.release(2*time.Second, l)
	b.claimNone("polite for two seconds")
	b.enqueue(task("h", 1, 3, 0)) // the most urgent task does not make anybody rude
	b.clock.Advance(1999 * time.Millisecond)
	b.claimNone("one millisecond too early")
	b.clock.Advance(time.Millisecond)
	l = b.claimOne("h")
	if got := len(l.Tasks); got != 2 {
		b.t.Errorf("%d tasks, want 2", got)
	}
	b.commit(nil, done(l, l.Tasks[0]), done(l, l.Tasks[1]))
	b.release(time.Second, l)
	b.enqueue(task("h", 1, 4, 1)) // politeness outlives the last task
	b.claimNone("polite, though the host had nothing to do")
	b.clock.Advance(time.Second)
	b.claimOne("h")
}

func frontierEnqueueTwice(b *bench) {
	if n := b.enqueue(task("h", 1, 1, 5), task("h", 1, 2, 5), task("h", 1, 1, 3)); n != 2 {
		b.t.Errorf("%d new, want 2", n)
	}
	if n := b.enqueue(task("h", 1, 1, 1), task("g", 1, 1, 1)); n != 1 {
		b.t.Errorf("%d new, want 1", n)
	}
	if got := b.task("h", 1, 1); got.Due != 5 {
		b.t.Errorf("the task was changed: %+v", got)
	}
	for _, l := range b.claim(10) {
		for _, t := range l.Tasks {
			b.commit(nil, done(l, t))
		}
		b.release(0, l)
	}
	if n := b.enqueue(task("h", 1, 1, 1)); n != 0 {
		b.t.Errorf("a task that has ended came back")
	}
	b.claimNone("whoever adds a task that has ended wakes nobody")
}

func frontierTwoRuns(b *bench) {
	if n := b.enqueue(task("h", 1, 9, 1), task("h", 2, 9, 2)); n != 2 {
		b.t.Errorf("%d new, want 2: the same URL in two runs is two tasks", n)
	}
	l := b.claimOne("h")
	b.commit(nil, done(l, l.Tasks[0]))
	for run, want := range map[int64]bool{1: false, 2: true, 3: false} {
		if got, err := b.Open(b.t.Context(), run); err != nil || got != want {
			b.t.Errorf("Open(%d) = %v, %v, want %v", run, got, err, want)
		}
	}
}

func frontierFutureTask(b *bench) {
	b.enqueue(task("h", 1, 1, b.ms()+1000))
	b.claimNone("due in a second")
	b.enqueue(task("h", 1, 2, b.ms()+500))
	b.clock.Advance(500 * time.Millisecond)
	l := b.claimOne("h")
	if got := ids(l.Tasks); !slices.Equal(got, []int64{2}) {
		b.t.Errorf("tasks %d, want 2 alone", got)
	}
	b.commit(nil, done(l, l.Tasks[0]))
	b.release(0, l)
	b.claimNone("the other is not due yet")
	b.clock.Advance(500 * time.Millisecond)
	b.claimOne("h")
}

func frontierExpiry(b *bench) {
	b.enqueue(task("h", 1, 1, 1))
	first := b.claimOne("h")
	b.clock.Advance(ttl - time.Millisecond)
	b.claimNone("leased")
	b.clock.Advance(time.Millisecond)
	second := b.claimOne("h")
	if second.Token == first.Token {
		b.t.Error("the second lease has the first one's token")
	}
	if len(second.Tasks) != 1 {
		b.t.Errorf("the second holder gets %d tasks", len(second.Tasks))
	}
}

func frontierFencing(b *bench) {
	b.openSegment("s")
	b.enqueue(task("h", 1, 1, 1))
	late := b.claimOne("h")
	b.clock.Advance(ttl)
	held := b.claimOne("h")

	e := done(late, late.Tasks[0], task("h", 1, 2, 1), task("other", 1, 3, 1))
	e.Captures = []storage.Capture{capture("s", 0, "http://h/1", b.clock.Now())}
	e.Attempts = []storage.Attempt{{Collection: "c", URL: "http://h/1", URLKey: "k", At: b.clock.Now(), Segment: "s", Outcome: "dns"}}
	e.Post = &storage.Post{ID: "p", Run: 1, Collection: "c", At: b.clock.Now(), Segment: "s", Citations: []storage.Citation{{URL: "u"}}}
	if fenced := b.commit([]storage.Progress{{Segment: "s", Committed: 10}}, e); !slices.Equal(fenced, []int{0}) {
		b.t.Fatalf("fenced %d, want 0", fenced)
	}
	if got := b.task("h", 1, 1); got.Due != 1 || got.Outcome != "" || got.Attempts != 0 {
		b.t.Errorf("the task is no longer open: %+v", got)
	}
	if got := b.captures("key(http://h/1)"); len(got) != 0 {
		b.t.Errorf("captures of the late one count: %+v", got)
	}
	if got, err := b.Attempts(b.t.Context(), "c", "k"); err != nil || len(got) != 0 {
		b.t.Errorf("attempts of the late one count: %+v, %v", got, err)
	}
	if _, err := b.PostOf(b.t.Context(), 1); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("the post of the late one: %v, want ErrNotFound", err)
	}
	for _, t := range []storage.Task{e.New[0], e.New[1]} {
		if _, err := b.Task(b.t.Context(), t.Host, t.Run, t.ID); !errors.Is(err, storage.ErrNotFound) {
			b.t.Errorf("a task that the late one discovered: %v, want ErrNotFound", err)
		}
	}
	if s, err := b.Segment(b.t.Context(), "s"); err != nil || s.Committed != 10 {
		b.t.Errorf("its bytes are accounted for all the same: %+v, %v", s, err)
	}

	e.Token = held.Token
	if fenced := b.commit([]storage.Progress{{Segment: "s", Committed: 20}}, e); len(fenced) != 0 {
		b.t.Fatalf("the holder was fenced: %d", fenced)
	}
	if got := b.captures("key(http://h/1)"); len(got) != 1 {
		b.t.Errorf("%d captures of the holder's", len(got))
	}
	b.claimOne("other")
}

func frontierFencedAmongOthers(b *bench) {
	b.enqueue(task("a", 1, 1, 1), task("b", 1, 1, 1), task("c", 1, 1, 1))
	ls := b.claim(3)
	bad := ls[1]
	bad.Token ^= 2
	fenced := b.commit(nil, done(ls[0], ls[0].Tasks[0]), done(bad, bad.Tasks[0]), done(ls[2], ls[2].Tasks[0]), done(bad, bad.Tasks[0]))
	if !slices.Equal(fenced, []int{1, 3}) {
		b.t.Errorf("fenced %d, want 1 and 3", fenced)
	}
	for i, host := range []string{"a", "b", "c"} {
		if ended := b.task(host, 1, 1).Due == storage.Never; ended != (i != 1) {
			b.t.Errorf("task of %s ended: %v", host, ended)
		}
	}
	free := storage.End{Task: task("z", 1, 1, storage.Never)} // no lease at all: token 0
	if fenced := b.commit(nil, free); !slices.Equal(fenced, []int{0}) {
		b.t.Errorf("an end without a lease counts")
	}
	b.enqueue(task("z", 1, 1, 1))
	if fenced := b.commit(nil, free); !slices.Equal(fenced, []int{0}) || b.task("z", 1, 1).Due != 1 {
		b.t.Errorf("token 0 passes for the lease of a host that is free")
	}
}

func frontierEndedTwice(b *bench) {
	b.openSegment("s")
	b.enqueue(task("h", 1, 1, 1))
	l := b.claimOne("h")
	e := done(l, l.Tasks[0])
	e.Captures = []storage.Capture{capture("s", 0, "http://h/1", b.clock.Now())}
	b.commit(nil, e)
	e.Captures = []storage.Capture{capture("s", 100, "http://h/1", b.clock.Now())}
	if fenced := b.commit(nil, e); !slices.Equal(fenced, []int{0}) {
		b.t.Errorf("a task ended twice under one lease: fenced %d", fenced)
	}
	if got := b.captures("key(http://h/1)"); len(got) != 1 || got[0].Offset != 0 {
		b.t.Errorf("captures %+v, want the first alone", got)
	}
}

func frontierRenew(b *bench) {
	b.enqueue(task("a", 1, 1, 1), task("b", 1, 1, 1))
	ls := b.claim(2)
	b.clock.Advance(ttl / 2)
	if lost, err := b.Renew(b.t.Context(), ls, ttl); err != nil || len(lost) != 0 {
		b.t.Errorf("lost %+v, %v", lost, err)
	}
	b.clock.Advance(ttl - time.Millisecond)
	b.claimNone("renewed")
	b.clock.Advance(time.Millisecond)
	if lost, err := b.Renew(b.t.Context(), ls[:1], ttl); err != nil || len(lost) != 0 {
		b.t.Errorf("run out, but nobody took it: lost %+v, %v", lost, err)
	}
	b.claimOne("b") // taken over
	lost, err := b.Renew(b.t.Context(), ls, ttl)
	if err != nil || !slices.Equal(hosts(lost), []string{"b"}) || lost[0].Token != ls[1].Token {
		b.t.Errorf("lost %+v, %v, want b", lost, err)
	}
	if lost, err := b.Renew(b.t.Context(), nil, ttl); err != nil || len(lost) != 0 {
		b.t.Errorf("nothing to renew: %+v, %v", lost, err)
	}
}

func frontierReleaseLate(b *bench) {
	b.enqueue(task("h", 1, 1, 1))
	late := b.claimOne("h")
	b.clock.Advance(ttl)
	held := b.claimOne("h")
	b.release(0, late)
	b.claimNone("a late release frees nobody else's lease")
	b.release(0, held, held)
	b.release(time.Hour, held)
	b.claimOne("h")
}

func frontierFreeOwner(b *bench) {
	b.enqueue(task("a", 1, 1, 1), task("b", 1, 1, 1))
	if ls, err := b.Claim(b.t.Context(), "dead", 1, 1, ttl); err != nil || len(ls) != 1 {
		b.t.Fatalf("claimed %+v, %v", ls, err)
	}
	other := b.claim(1)
	b.claimNone("both are held")
	if err := b.FreeOwner(b.t.Context(), "dead", time.UnixMilli(0)); err != nil {
		b.t.Fatal(err)
	}
	if got := b.claim(10); len(got) != 1 || got[0].Host == other[0].Host {
		b.t.Errorf("claimed %+v, want the dead one's host", got)
	}
	if err := b.FreeOwner(b.t.Context(), "nobody", time.UnixMilli(0)); err != nil {
		b.t.Error(err)
	}
}

func frontierRetry(b *bench) {
	b.enqueue(task("h", 1, 1, 1))
	for try := 1; try <= 3; try++ {
		l := b.claimOne("h")
		if got := l.Tasks[0].Attempts; got != try-1 {
			b.t.Errorf("try %d: %d tries so far", try, got)
		}
		if fenced := b.commit(nil, again(l, l.Tasks[0], b.ms()+1000)); len(fenced) != 0 {
			b.t.Fatalf("try %d was fenced", try)
		}
		b.release(0, l)
		b.claimNone("the next try is due in a second")
		if open, err := b.Open(b.t.Context(), 1); err != nil || !open {
			b.t.Errorf("the run is over although a task is to be tried again: %v", err)
		}
		b.clock.Advance(time.Second)
	}
	l := b.claimOne("h")
	if fenced := b.commit(nil, done(l, l.Tasks[0])); len(fenced) != 0 {
		b.t.Error("the last try was fenced")
	}
	if got := b.task("h", 1, 1); got.Outcome != "ok" || got.Attempts != 4 || got.Due != storage.Never {
		b.t.Errorf("the task ended as %+v", got)
	}
	if open, err := b.Open(b.t.Context(), 1); err != nil || open {
		b.t.Errorf("the run is still open, %v", err)
	}
}

// frontierDiscovered: what an end brings is due at once on hosts that are free, and on the own host when it is let go.
func frontierDiscovered(b *bench) {
	b.enqueue(task("h", 1, 1, 1))
	l := b.claimOne("h")
	b.commit(nil, done(l, l.Tasks[0], task("h", 1, 2, 3), task("new", 1, 3, 3), task("h", 1, 1, 1)))
	if got := b.claimOne("new"); len(got.Tasks) != 1 {
		b.t.Errorf("tasks %+v", got.Tasks)
	}
	if got, err := b.Due(b.t.Context(), "h", 10); err != nil || !slices.Equal(ids(got), []int64{2}) {
		b.t.Errorf("the holder sees %+v, %v, want task 2", got, err)
	}
	b.release(0, l)
	b.claimOne("h")
}

func frontierDue(b *bench) {
	b.enqueue(task("h", 1, 1, 5), task("h", 1, 2, 2), task("h", 2, 3, b.ms()), task("h", 1, 4, b.ms()+1), task("g", 1, 5, 1))
	for n, want := range map[int][]int64{10: {2, 1, 3}, 2: {2, 1}, 0: {}} {
		if got, err := b.Due(b.t.Context(), "h", n); err != nil || !slices.Equal(ids(got), want) {
			b.t.Errorf("Due(%d) = %d, %v, want %d", n, ids(got), err, want)
		}
	}
	ls, err := b.Claim(b.t.Context(), "w", 10, 2, ttl)
	if err != nil || len(ls) != 2 || len(ls[0].Tasks)+len(ls[1].Tasks) != 3 {
		b.t.Errorf("a claim of two tasks each brings %+v, %v", ls, err)
	}
}

// frontierDelay: whoever takes a host over from a holder that died keeps the delay that the holder wrote down, whether the
// lease is freed or runs out; one that is given back knows the delay of its last holder.
func frontierDelay(b *bench) {
	ctx := b.t.Context()
	const delay = 3 * time.Minute
	b.enqueue(task("h", 1, 1, 1))
	l := b.claimOne("h")
	for _, d := range []time.Duration{delay, time.Second} { // a shorter one changes nothing
		l.Delay = d
		if lost, err := b.Renew(ctx, []storage.Lease{l}, ttl); err != nil || len(lost) != 0 {
			b.t.Fatalf("renew: %+v, %v", lost, err)
		}
	}
	b.clock.Advance(ttl + delay - time.Second)
	b.claimNone("the delay after the last moment of the lease is not over")
	b.clock.Advance(time.Second)
	l = b.claimOne("h")
	if l.Delay != delay {
		b.t.Errorf("the lease knows a delay of %s, want %s", l.Delay, delay)
	}
	if err := b.FreeOwner(ctx, "worker", b.clock.Now().Add(time.Second)); err != nil {
		b.t.Fatal(err)
	}
	b.clock.Advance(delay - time.Second)
	b.claimNone("the owner's lease was freed, and the delay is not over")
	b.clock.Advance(time.Second)
	l = b.claimOne("h")
	l.Delay = time.Second
	b.release(0, l)
	if l = b.claimOne("h"); l.Delay != time.Second {
		b.t.Errorf("after a release the lease knows a delay of %s", l.Delay)
	}
}

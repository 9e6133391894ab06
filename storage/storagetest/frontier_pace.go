package storagetest

import (
	"testing"
	"time"

	"linkstead/storage"
)

// frontierPace: how a host fares goes from one holder to the next, on whatever machine; a renewal leaves it alone.
func frontierPace(b *bench) {
	b.enqueue(task("h", 1, 1, 1), task("g", 1, 1, 1))
	ls := b.claim(2)
	h := ls[1]
	if h.Host != "h" || h.Pace != (storage.Pace{}) {
		b.t.Fatalf("of a host that nobody has asked is known %+v", h.Pace)
	}
	now := b.clock.Now().Truncate(time.Millisecond)
	h.Pace = storage.Pace{
		Failures: 7, Since: now.Add(-time.Hour), Retry: now.Add(time.Minute), Why: "down", Response: 1234 * time.Millisecond, Reason: "delay",
	}
	b.release(time.Second, ls[0], h)
	b.clock.Advance(time.Second)
	ls = b.claim(2)
	want := h.Pace
	want.Until = b.clock.Now()
	checkPace(b.t, ls[1].Pace, want)
	if ls[0].Pace.Failures != 0 || ls[0].Pace.Response != 0 {
		b.t.Errorf("another host fares as %+v", ls[0].Pace)
	}
	if lost, err := b.Renew(b.t.Context(), []storage.Lease{{Host: "h", Token: ls[1].Token}}, ttl); err != nil || len(lost) > 0 {
		b.t.Fatalf("renew: %+v, %v", lost, err)
	}
	b.clock.Advance(ttl)
	checkPace(b.t, b.claim(2)[1].Pace, want)
}

func checkPace(t testing.TB, got, want storage.Pace) {
	t.Helper()
	same := got.Since.Equal(want.Since) && got.Retry.Equal(want.Retry) && got.Until.UnixMilli() == want.Until.UnixMilli()
	got.Since, got.Retry, got.Until = want.Since, want.Retry, want.Until
	if got != want || !same {
		t.Errorf("the host fares as %+v, want %+v", got, want)
	}
}

// frontierLeftAlone: until when a host is to be left alone, once it is written, holds whatever becomes of the lease: it runs
// out, its owner starts again, or it is renewed by who knows nothing of it.
func frontierLeftAlone(b *bench) {
	const long = 10 * time.Minute
	for name, ends := range map[string]func(){
		"runs out":      func() {},
		"starts again":  freeAgain(b),
		"gives it back": nil,
	} {
		b.enqueue(task(name, 1, 1, 1))
		l := b.claimOne(name)
		until := b.clock.Now().Add(long)
		l.Pace.Until, l.Pace.Reason = until, "retry-after"
		for _, pace := range []storage.Pace{l.Pace, {}, {Until: until.Add(-time.Minute), Reason: "delay"}} {
			lost, err := b.Renew(b.t.Context(), []storage.Lease{{Host: l.Host, Token: l.Token, Pace: pace}}, ttl)
			if err != nil || len(lost) > 0 {
				b.t.Fatalf("renew: %+v, %v", lost, err)
			}
		}
		if ends == nil {
			b.release(long, l)
		} else {
			ends()
		}
		b.clock.Advance(long - time.Millisecond)
		b.claimNone(name + ": a millisecond too early")
		b.clock.Advance(time.Millisecond)
		l = b.claimOne(name)
		if l.Pace.Reason != "retry-after" {
			b.t.Errorf("%s: it was left alone for %q", name, l.Pace.Reason)
		}
		b.commit(nil, done(l, l.Tasks[0]))
		b.release(0, l)
	}
}

func freeAgain(b *bench) func() {
	return func() {
		if err := b.FreeOwner(b.t.Context(), "worker", time.UnixMilli(0)); err != nil {
			b.t.Fatal(err)
		}
	}
}

// frontierHostPause: whoever only asks learns until when a host is left alone, and why, whether there is something to do on it
// or not.
func frontierHostPause(b *bench) {
	pause := func(why string, until time.Time) {
		b.t.Helper()
		p, err := b.HostPause(b.t.Context(), "h")
		if err != nil || p.Why != why || p.Until.UnixMilli() != until.UnixMilli() && (!p.Until.IsZero() || !until.IsZero()) {
			b.t.Errorf("the host is left alone until %v (%q), %v, want %v (%q)", p.Until, p.Why, err, until, why)
		}
	}
	pause("", time.Time{}) // nobody knows it
	b.enqueue(task("h", 1, 1, 1))
	pause("", time.Time{})
	l := b.claimOne("h")
	pause(storage.WaitLeased, b.clock.Now().Add(ttl))
	b.commit(nil, done(l, l.Tasks[0]))
	later := b.clock.Now().Add(4 * time.Minute)
	l.Pace = storage.Pace{Failures: 1, Since: b.clock.Now(), Retry: later, Why: "retry-after", Reason: "retry-after"}
	b.release(time.Second, l) // nothing is to be done on it now
	pause("retry-after", later)
	b.clock.Advance(5 * time.Minute)
	pause("", time.Time{})
}

// frontierBorrow: one host is lent to one at a time, whether it is known or not, and not while it is to be left alone.
func frontierBorrow(b *bench) {
	borrow := func(want bool) storage.Lease {
		b.t.Helper()
		l, ok, err := b.Borrow(b.t.Context(), "h", "dry-run", ttl)
		if err != nil || ok != want || ok != (l.Token != 0) {
			b.t.Fatalf("borrowed %v (%+v), %v, want %v", ok, l, err, want)
		}
		return l
	}
	l := borrow(true) // nobody knew it
	borrow(false)
	b.enqueue(task("h", 1, 1, 1))
	if ls, err := b.Claim(b.t.Context(), "worker", 9, 9, ttl); err != nil || len(ls) != 0 {
		b.t.Errorf("claimed %+v, %v of a host that is lent", ls, err)
	}
	b.release(time.Second, l)
	borrow(false) // left alone
	b.clock.Advance(time.Second)
	b.release(0, b.claimOne("h")) // its task is known
	l = borrow(true)
	b.clock.Advance(ttl) // never given back
	b.claimOne("h")
	borrow(false)
	if lost, err := b.Renew(b.t.Context(), []storage.Lease{l}, ttl); err != nil || len(lost) != 1 {
		b.t.Errorf("lost %+v, %v, want the lease that is over", lost, err)
	}
}

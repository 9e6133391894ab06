package storagetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"linkstead/storage"
)

// Access holds a database to the contract of access rules.
func Access(t *testing.T, rows Rows) {
	suite(t, rows, []test{
		{"Changes", accessChanges},
		{"Told", accessTold},
		{"Adopted", accessAdopted},
		{"AtOnce", accessAtOnce},
	})
}

func (b *bench) access(id, rule string, sets bool) storage.AccessChange {
	return storage.AccessChange{ID: id, Collection: "c", Rule: rule, At: b.clock.Now().UTC(), Sets: sets, Change: json.RawMessage(`"` + id + `"`), Node: "n"}
}

func (b *bench) changeAccess(changes ...storage.AccessChange) {
	b.t.Helper()
	err := b.ChangeAccess(b.t.Context(), "c", func([]storage.AccessChange) ([]storage.AccessChange, error) { return changes, nil })
	if err != nil {
		b.t.Fatal(err)
	}
}

// held are the changes that hold, and the stamp.
func (b *bench) held() (string, string) {
	b.t.Helper()
	stamp, rules, err := b.AccessRules(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	s := ""
	for _, r := range rules {
		s += " " + r.ID
		if string(r.Change) != `"`+r.ID+`"` || !r.Sets || r.Collection != "c" {
			b.t.Errorf("%+v", r)
		}
	}
	return s, stamp
}

// accessChanges: the last change of a rule counts, whatever the clock says; the stamp changes with each; a refusal changes nothing.
func accessChanges(b *bench) {
	ctx := b.t.Context()
	if s, stamp := b.held(); s != "" || stamp != "" {
		b.t.Errorf("at first: %q, %q", s, stamp)
	}
	last := ""
	step := func(want string) {
		b.t.Helper()
		s, stamp := b.held()
		if again, err := b.AccessStamp(ctx); s != want || stamp == last || err != nil || again != stamp {
			b.t.Errorf("%q, want %q; stamp %s then %s, %v, before %s", s, want, stamp, again, err, last)
		}
		last = stamp
	}
	b.changeAccess(b.access("z1", "r1", true), b.access("z2", "r2", true))
	step(" z1 z2")
	b.changeAccess(b.access("a3", "r1", true)) // at the same time
	step(" z2 a3")
	b.changeAccess(b.access("a4", "r2", false))
	step(" a3")
	b.clock.Advance(-ttl)
	b.changeAccess(b.access("a5", "r2", true)) // by a clock that is behind
	step(" a3 a5")
	no := errors.New("no")
	err := b.ChangeAccess(ctx, "c", func(holds []storage.AccessChange) ([]storage.AccessChange, error) {
		if len(holds) != 2 || holds[0].ID != "a3" || holds[1].ID != "a5" {
			b.t.Errorf("handed %+v", holds)
		}
		return []storage.AccessChange{b.access("a6", "r1", false)}, no
	})
	if s, stamp := b.held(); !errors.Is(err, no) || s != " a3 a5" || stamp != last {
		b.t.Errorf("%v: %q, %q, before %q", err, s, stamp, last)
	}
	if audits, err := b.Audits(ctx); err != nil || len(audits) != 5 || audits[0].Action != storage.ActionAccess || audits[0].Node != "n" || string(audits[4].Detail) != `"a5"` {
		b.t.Errorf("the log: %+v, %v", audits, err)
	}
}

// accessTold: each change is told of once.
func accessTold(b *bench) {
	ctx := b.t.Context()
	b.changeAccess(b.access("k1", "r1", true), b.access("k2", "r1", false))
	untold, err := b.UntoldAccess(ctx)
	if err != nil || len(untold) != 2 || untold[0].ID != "k1" || untold[1].Sets {
		b.t.Fatalf("%+v, %v", untold, err)
	}
	for _, seg := range []string{"s1", "s2"} { // the second one was written meanwhile, too
		s := storage.Segment{ID: seg, Collection: "c", Node: "n", Location: "warc/c/" + seg, Size: 7, Committed: 7, Created: b.clock.Now()}
		err := b.Told(ctx, s, []string{"k1"}, nil)
		if seg == "s2" {
			if !errors.Is(err, storage.ErrStale) {
				b.t.Errorf("told of again: %v", err)
			}
			break
		}
		if err != nil {
			b.t.Fatal(err)
		}
		if got, err := b.Segment(ctx, seg); err != nil || got.State != storage.SegmentStored || got.Size != 7 {
			b.t.Errorf("%+v, %v", got, err)
		}
	}
	if untold, err = b.UntoldAccess(ctx); err != nil || len(untold) != 1 || untold[0].ID != "k2" {
		b.t.Errorf("%+v, %v", untold, err)
	}
}

// accessAdopted: what is found counts by its time, in whatever order, and as often as it is found.
func accessAdopted(b *bench) {
	ctx := b.t.Context()
	first, second := b.access("x", "r1", true), b.access("y", "r1", false)
	b.clock.Advance(1000)
	second.At = b.clock.Now().UTC()
	first.Segment, second.Segment = "s1", "s2"
	for _, c := range []storage.AccessChange{second, first, first} {
		if err := b.AdoptAccess(ctx, c); err != nil {
			b.t.Fatal(err)
		}
	}
	if s, stamp := b.held(); s != "" || stamp == "" {
		b.t.Errorf("%q, %q", s, stamp)
	}
	if untold, err := b.UntoldAccess(ctx); err != nil || len(untold) != 0 {
		b.t.Errorf("%+v, %v", untold, err)
	}
	if audits, err := b.Audits(ctx); err != nil || len(audits) != 2 {
		b.t.Errorf("the log: %+v, %v", audits, err)
	}
}

// accessAtOnce: of changes that are made at once, each sees those before it.
func accessAtOnce(b *bench) {
	const n = 8
	var g errgroup.Group
	for i := range n {
		g.Go(func() error {
			return b.ChangeAccess(context.WithoutCancel(b.t.Context()), "c", func(holds []storage.AccessChange) ([]storage.AccessChange, error) {
				id := fmt.Sprintf("k%d-%d", len(holds), i)
				return []storage.AccessChange{b.access(id, fmt.Sprintf("r%d", len(holds)), true)}, nil
			})
		})
	}
	if err := g.Wait(); err != nil {
		b.t.Fatal(err)
	}
	if _, rules, err := b.AccessRules(b.t.Context()); err != nil || len(rules) != n {
		b.t.Errorf("%d rules, %v", len(rules), err)
	}
}

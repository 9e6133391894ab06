package storagetest

import (
	"fmt"

	"linkstead/storage"
)

// runsTallies: pages are counted by kind as they end, in groups or alone; what did not count, or is tried again, is not; and
// how often the same content came in a row does not depend on how the ends were grouped.
func runsTallies(b *bench) {
	ctx := b.t.Context()
	var first []storage.Task
	for id := range int64(12) {
		first = append(first, task("h", 0, id+1, 1))
	}
	r := b.startRun(first...)
	b.opened("s", "n")
	l := b.claimOne("h")
	at := int64(0)
	end := func(i int, digest string, kinds ...string) storage.End {
		at += 10
		e := b.captured(l, l.Tasks[i], "s", at)
		e.Captures[0].Digest, e.Captures[0].URLKey = digest, fmt.Sprint(i)
		e.Counted, e.Bytes = kinds, 1
		return e
	}
	is := func(what string, want map[string]storage.Tally) {
		b.t.Helper()
		got, err := b.Tallies(ctx, r.ID, "h")
		if err != nil {
			b.t.Fatal(err)
		}
		for k, w := range want {
			if g := got[k]; g.N != w.N || g.Same != w.Same {
				b.t.Errorf("%s: %s is %+v, want %+v", what, k, g, w)
			}
		}
		if len(got) != len(want) {
			b.t.Errorf("%s: %d kinds, want %d: %v", what, len(got), len(want), got)
		}
	}
	b.commit(nil, end(0, "a", "host", "like x"), end(1, "a", "host"), end(2, "a", "host", "like x"))
	is("a first group", map[string]storage.Tally{"host": {N: 3, Same: 3}, "like x": {N: 2, Same: 2}})
	b.commit(nil, end(3, "a", "host", "like x"))
	is("one more", map[string]storage.Tally{"host": {N: 4, Same: 4}, "like x": {N: 3, Same: 3}})
	b.commit(nil, end(4, "b", "host"), end(5, "a", "host"), end(6, "a", "host"))
	is("another between", map[string]storage.Tally{"host": {N: 7, Same: 2}, "like x": {N: 3, Same: 3}})
	missing := end(7, "a", "host", "like x")
	missing.Captures[0].Status = 404
	again := b.failed(l, l.Tasks[8], "s", 500, b.ms()+1000)
	again.Counted = []string{"host"}
	b.commit(nil, missing, again)
	is("an error", map[string]storage.Tally{"host": {N: 8}, "like x": {N: 4}})
	late := end(9, "a", "host")
	late.Token++
	if fenced := b.commit(nil, late); len(fenced) != 1 {
		b.t.Errorf("fenced %v", fenced)
	}
	is("what came too late", map[string]storage.Tally{"host": {N: 8}, "like x": {N: 4}})
	named, fenced := end(10, "n"), end(11, "f")
	named.Named = []storage.Named{{Host: "h", What: "nested", N: 3}, {What: "nested p", N: 2}}
	fenced.Named = []storage.Named{{What: "nested p", N: 9}}
	fenced.Token++
	again = b.failed(l, l.Tasks[8], "s", 600, b.ms()+2000)
	again.Named = []storage.Named{{What: "nested p", N: 5}}
	b.commit(nil, named, fenced, again)
	for _, k := range []storage.Named{{Host: "h", What: "nested", N: 3}, {What: "nested p", N: 7}, {What: "nested q"}} {
		if got, err := b.NamedSoFar(ctx, r.ID, k.Host, k.What); err != nil || got != k.N {
			b.t.Errorf("%q of %q: %d, %v, want %d", k.What, k.Host, got, err, k.N)
		}
	}
	if got, err := b.Tallies(ctx, r.ID, "g"); err != nil || len(got) != 0 {
		b.t.Errorf("of another host: %v, %v", got, err)
	}
}

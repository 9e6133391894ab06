package storage

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Tally is how many pages of a kind a host of a run has.
type Tally struct {
	N       int64
	Same    int64 // the last ones that had the same content …
	Version int64 // … and a hash of it; 0: what they had counts as none
}

// With is the tally with one more page.
func (t Tally) With(version int64) Tally {
	t.N++
	switch version {
	case 0:
		t.Same = 0
	case t.Version:
		t.Same++
	default:
		t.Same = 1
	}
	t.Version = version
	return t
}

// Named is how many requisites were named for the first time under a count that limits them: of a host, or of the whole run.
type Named struct {
	Host string // empty: of the run
	What string
	N    int64
}

// NamedSoFar is how many were named under a count, on whatever machine.
func (db *DB) NamedSoFar(ctx context.Context, run int64, host, what string) (n int64, err error) {
	err = db.r.QueryRowContext(ctx, `SELECT n FROM traps WHERE run=$1 AND host=$2 AND what=$3`, run, foldKey(host), what).Scan(&n)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("read how many requisites run %d has on %s: %w", run, host, err)
	}
	return n, nil
}

// maxTallies bounds how many kinds of a host are read: the rarest are left out.
const maxTallies = 50_000

// Tallies brings what a host of a run has been counted for, by kind.
func (db *DB) Tallies(ctx context.Context, run int64, host string) (out map[string]Tally, err error) {
	out = map[string]Tally{}
	rows, err := db.r.QueryContext(ctx, `SELECT what, n, same, version FROM traps WHERE run=$1 AND host=$2 ORDER BY n DESC LIMIT `+strconv.Itoa(maxTallies), run, foldKey(host))
	if err != nil {
		return nil, fmt.Errorf("read the tallies of run %d on %s: %w", run, host, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var what string
		var t Tally
		if err := rows.Scan(&what, &t.N, &t.Same, &t.Version); err != nil {
			return nil, fmt.Errorf("read the tallies of run %d on %s: %w", run, host, err)
		}
		out[what] = t
	}
	return out, rows.Err()
}

// content is a hash of what a page that was answered well holds; 0 of all else.
func (e *End) content() int64 {
	status, version := e.answer()
	if status/100 != 2 || e.Bytes == 0 {
		return 0
	}
	return version
}

// tallied is what a group of ends adds to one row.
type tallied struct {
	run        int64
	host, what string
	add        Tally
	broken     bool // the content changed within the group: what was there before does not go on
	first      bool
}

// tally counts the pages among ends that count. Their hosts are locked.
func (x *tx) tally(ends []End, held []bool) error {
	type key struct {
		run        int64
		host, what string
	}
	sums := map[key]*tallied{}
	for i := range ends {
		e := &ends[i]
		if !held[i] || e.Task.Due != Never {
			continue
		}
		for _, what := range e.Counted {
			k := key{e.Task.Run, foldKey(e.Task.Host), what}
			s := sums[k]
			if s == nil {
				s = &tallied{run: k.run, host: k.host, what: what, first: true}
				sums[k] = s
			}
			v := e.content()
			s.broken = s.broken || !s.first && v != s.add.Version
			s.add, s.first = s.add.With(v), false
		}
	}
	list := make([]*tallied, 0, len(sums))
	for _, s := range sums {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *tallied) int {
		return cmp.Or(cmp.Compare(a.run, b.run), cmp.Compare(a.host, b.host), cmp.Compare(a.what, b.what))
	})
	if err := x.putTallies(list); err != nil {
		return err
	}
	return x.putNamed(ends, held)
}

// putNamed adds the requisites that were named by ends that count. Rows of a whole run are shared by the workers: they are
// written in one order, after all else that two of them may wait for.
func (x *tx) putNamed(ends []End, held []bool) error {
	type key struct {
		run        int64
		host, what string
	}
	sums := map[key]int64{}
	for i := range ends {
		for _, n := range ends[i].Named {
			if held[i] {
				sums[key{ends[i].Task.Run, foldKey(n.Host), n.What}] += n.N
			}
		}
	}
	var rows []any
	for _, k := range slices.SortedFunc(maps.Keys(sums), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.run, b.run), cmp.Compare(a.host, b.host), cmp.Compare(a.what, b.what))
	}) {
		rows = append(rows, k.run, k.host, k.what, sums[k], int64(0), int64(0))
	}
	if len(rows) == 0 {
		return nil
	}
	_, err := x.insert(`INSERT INTO traps (run, host, what, n, same, version)`, ` ON CONFLICT (run, host, what) DO UPDATE SET n=traps.n+excluded.n`, 6, rows)
	return err
}

// putTallies adds to the rows. Those whose content goes on where the row left off add to the row's run of it.
func (x *tx) putTallies(list []*tallied) error {
	var going, broken []any
	for _, s := range list {
		row := []any{s.run, s.host, s.what, s.add.N, s.add.Same, s.add.Version}
		if s.broken || s.add.Version == 0 {
			broken = append(broken, row...)
		} else {
			going = append(going, row...)
		}
	}
	const into = `INSERT INTO traps (run, host, what, n, same, version)`
	const sum = ` ON CONFLICT (run, host, what) DO UPDATE SET n=traps.n+excluded.n, version=excluded.version, same=`
	if len(going) > 0 {
		if err := x.putRows(into, sum+`CASE WHEN traps.version=excluded.version THEN traps.same+excluded.same ELSE excluded.same END`, 6, going); err != nil {
			return err
		}
	}
	if len(broken) == 0 {
		return nil
	}
	return x.putRows(into, sum+`excluded.same`, 6, broken)
}

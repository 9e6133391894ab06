package storage

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// The frontier hands out hosts, not URLs: only the holder of a host's lease talks to that host. Whoever adds tasks and
// whoever ends a lease both lock the rows of the hosts first, in host order, and only then look at the tasks: otherwise
// the one leaves next_at alone because it sees a lease while the other does not see the new task yet, and the host
// sleeps for ever.

// never in SQL text, so that the partial indexes apply.
const sqlOpen = "due_at < 1152921504606846976"

// Claim leases up to hosts hosts that have something due, to owner, for ttl, and brings up to each of their due tasks. Who
// does not come back within ttl may have asked just before: others get the host a delay later.
func (db *DB) Claim(ctx context.Context, owner string, hosts, each int, ttl time.Duration) ([]Lease, error) {
	var out []Lease
	err := db.write(ctx, func(x *tx) error {
		out = out[:0]
		now, token := db.nowMS(), newToken()
		claimed, err := x.leases(`UPDATE hosts SET lease=$1, owner=$2, next_at=$3+delay_ms WHERE host `+db.d.in[0]+`
			SELECT host FROM hosts WHERE next_at <= $4 ORDER BY next_at LIMIT `+strconv.Itoa(hosts)+db.d.skipLocked+db.d.in[1]+` RETURNING host, lease, delay_ms`,
			token, owner, now+ttl.Milliseconds(), now)
		if err != nil || len(claimed) == 0 {
			x.wrote = false // nobody needs to know whether nothing was committed
			return err
		}
		tasks, err := x.dueOf(namesOf(claimed), now, each)
		if err != nil {
			return err
		}
		for _, l := range claimed {
			l.Tasks = tasks[l.Host]
			out = append(out, l)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("claim hosts: %w", err)
	}
	return out, nil
}

// newToken is a random lease token of 63 bits, never 0.
func newToken() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return int64(binary.BigEndian.Uint64(b[:])>>1) | 1
}

const taskCols = `host, run, id, url, kind, depth, hops, via, due_at, attempts, outcome`

// dueOf brings up to n due tasks of each host, most urgent first.
func (x *tx) dueOf(hosts []string, now int64, n int) (map[string][]Task, error) {
	out := make(map[string][]Task, len(hosts))
	take := func(r row) error {
		t, err := scanTask(r)
		out[t.Host] = append(out[t.Host], t)
		return err
	}
	if x.db.d.server {
		err := x.each(take, `SELECT `+taskCols+` FROM unnest($1::text[]) AS h(name) CROSS JOIN LATERAL
			(SELECT `+taskCols+` FROM tasks WHERE host=h.name AND due_at<=$2 AND `+sqlOpen+` ORDER BY due_at LIMIT `+strconv.Itoa(n)+`) AS t
			ORDER BY host, due_at`, hosts, now)
		return out, err
	}
	for _, h := range hosts {
		if err := x.each(take, sqlDue+strconv.Itoa(n), h, now); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sqlDue is followed by a number: SQLite parses a statement anew whenever a parameter of its LIMIT is bound.
const sqlDue = `SELECT ` + taskCols + ` FROM tasks WHERE host=$1 AND due_at<=$2 AND ` + sqlOpen + ` ORDER BY due_at LIMIT `

func scanTask(r row) (t Task, err error) {
	err = r.Scan(&t.Host, &t.Run, &t.ID, &t.URL, &t.Kind, &t.Depth, &t.Hops, &t.Via, &t.Due, &t.Attempts, &t.Outcome)
	return t, err
}

// Due brings up to n tasks of a host that are due, most urgent first. The holder of the lease knows which of them it
// has under way already.
func (db *DB) Due(ctx context.Context, host string, n int) ([]Task, error) {
	tasks, err := rowsOf(ctx, db, scanTask, sqlDue+strconv.Itoa(n), foldKey(host), db.nowMS())
	if err != nil {
		return nil, fmt.Errorf("read due tasks of %s: %w", host, err)
	}
	return tasks, nil
}

// Renew prolongs leases by ttl and tells which of them are no longer held. A delay that is longer than what the host's row
// knows is written there.
func (db *DB) Renew(ctx context.Context, held []Lease, ttl time.Duration) (lost []Lease, err error) {
	held = slices.Clone(held)
	slices.SortFunc(held, byHost)
	err = db.write(ctx, func(x *tx) error {
		lost, err = x.renew(held, db.nowMS()+ttl.Milliseconds())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("renew leases: %w", err)
	}
	return lost, nil
}

func byHost(a, b Lease) int {
	switch {
	case a.Host < b.Host:
		return -1
	case a.Host > b.Host:
		return 1
	}
	return 0
}

// Release ends leases: each host is free again at politeUntil, or when its next task is due if that is later, and its row
// knows the lease's delay. A lease that is no longer held is left alone.
func (db *DB) Release(ctx context.Context, held []Lease, politeUntil time.Time) error {
	held = slices.Clone(held)
	slices.SortFunc(held, byHost)
	err := db.write(ctx, func(x *tx) error {
		if err := x.lockHosts(namesOf(held)); err != nil {
			return err
		}
		return x.free(held, politeUntil.UnixMilli())
	})
	if err != nil {
		return fmt.Errorf("release leases: %w", err)
	}
	return nil
}

// sqlTurn is when it is the turn of a host that nobody holds: its soonest task, not before polite; never without one.
func sqlTurn(host, polite string) string {
	return `COALESCE((SELECT CASE WHEN s.due_at < ` + polite + ` THEN ` + polite + ` ELSE s.due_at END FROM
		(SELECT due_at FROM tasks WHERE host=` + host + ` AND ` + sqlOpen + ` ORDER BY due_at LIMIT 1) s), 1152921504606846976)`
}

// sqlLonger is the longer one of a host's delay and another.
func sqlLonger(delay string) string {
	return `CASE WHEN delay_ms < ` + delay + ` THEN ` + delay + ` ELSE delay_ms END`
}

var (
	sqlFree = `UPDATE hosts SET lease=0, owner='', delay_ms=$4, polite_until=$2, next_at=` + sqlTurn(`$1`, `$2`) + ` WHERE host=$1 AND lease=$3 AND lease<>0`
	sqlWake = `UPDATE hosts SET next_at=` + sqlTurn(`$1`, `polite_until`) + ` WHERE host=$1 AND lease=0`

	sqlRenew = `UPDATE hosts SET delay_ms=` + sqlLonger(`$4`) + `, next_at=$1+` + sqlLonger(`$4`) + ` WHERE host=$2 AND lease=$3 AND lease<>0`

	// The same for many hosts at once, where each statement is a trip.
	sqlFreeAll = `UPDATE hosts h SET lease=0, owner='', delay_ms=u.delay, polite_until=u.polite, next_at=` + sqlTurn(`h.host`, `u.polite`) + `
		FROM unnest($1::text[],$2::bigint[],$3::bigint[],$4::bigint[]) AS u(name,token,delay,polite) WHERE h.host=u.name AND h.lease=u.token AND h.lease<>0`
	sqlWakeAll = `UPDATE hosts h SET next_at=` + sqlTurn(`h.host`, `h.polite_until`) + `
		FROM unnest($1::text[],$2::bigint[]) AS u(name,soonest) WHERE h.host=u.name AND h.lease=0 AND h.next_at>u.soonest`
	sqlRenewAll = `UPDATE hosts h SET delay_ms=` + sqlLonger(`u.delay`) + `, next_at=$4+` + sqlLonger(`u.delay`) + `
		FROM unnest($1::text[],$2::bigint[],$3::bigint[]) AS u(name,token,delay)
		WHERE h.host=u.name AND h.lease=u.token AND h.lease<>0 RETURNING h.host, h.lease, h.delay_ms`
)

// free is the second statement of a release, after the rows are locked: it sees every task that was added before.
func (x *tx) free(held []Lease, polite int64) error {
	return x.freeEach(held, func(Lease) int64 { return polite })
}

// freeEach is free, where each host is left alone for a time of its own.
func (x *tx) freeEach(held []Lease, polite func(Lease) int64) error {
	if x.db.d.server {
		_, err := x.exec(sqlFreeAll, namesOf(held), intsOf(held, tokenOf), intsOf(held, delayOf), intsOf(held, polite))
		return err
	}
	for _, l := range held {
		if _, err := x.exec(sqlFree, l.Host, polite(l), l.Token, delayOf(l)); err != nil {
			return err
		}
	}
	return nil
}

// renew writes until when leases are held, and tells which are not.
func (x *tx) renew(held []Lease, until int64) (lost []Lease, err error) {
	if !x.db.d.server {
		for _, l := range held {
			n, err := x.exec(sqlRenew, until, l.Host, l.Token, delayOf(l))
			if err != nil {
				return nil, err
			}
			if n == 0 {
				lost = append(lost, l)
			}
		}
		return lost, nil
	}
	if err := x.lockHosts(namesOf(held)); err != nil {
		return nil, err
	}
	kept, err := x.leases(sqlRenewAll, namesOf(held), intsOf(held, tokenOf), intsOf(held, delayOf), until)
	if err != nil {
		return nil, err
	}
	for _, l := range held {
		if !slices.ContainsFunc(kept, func(k Lease) bool { return k.Host == l.Host && k.Token == l.Token }) {
			lost = append(lost, l)
		}
	}
	return lost, nil
}

func namesOf(ls []Lease) []string {
	out := make([]string, len(ls))
	for i := range ls {
		out[i] = ls[i].Host
	}
	return out
}

func intsOf(ls []Lease, of func(Lease) int64) []int64 {
	out := make([]int64, len(ls))
	for i := range ls {
		out[i] = of(ls[i])
	}
	return out
}

func tokenOf(l Lease) int64 { return l.Token }
func delayOf(l Lease) int64 { return l.Delay.Milliseconds() }

// lockHosts locks the rows of hosts, which must be sorted. SQLite's writer is alone already.
func (x *tx) lockHosts(hosts []string) error {
	if x.db.d.forUpdate == "" {
		return nil
	}
	_, err := x.strings(`SELECT host FROM hosts WHERE host = ANY($1) ORDER BY host`+x.db.d.forUpdate, hosts)
	return err
}

// FreeOwner ends every lease of an owner at once: a node that starts again needs not wait for its old leases. Each host is
// free again at politeUntil, and not before its own delay is over, since nobody knows when it was last asked.
func (db *DB) FreeOwner(ctx context.Context, owner string, politeUntil time.Time) error {
	err := db.write(ctx, func(x *tx) error {
		hosts, err := x.strings(`SELECT host FROM hosts WHERE owner=$1 AND lease<>0 ORDER BY host`, owner)
		if err != nil || len(hosts) == 0 {
			return err
		}
		if err := x.lockHosts(hosts); err != nil {
			return err
		}
		held, err := x.leases(`SELECT host, lease, delay_ms FROM hosts WHERE owner=$1 AND lease<>0`, owner) // again: those that are locked by now and still the owner's
		if err != nil {
			return err
		}
		held = slices.DeleteFunc(held, func(l Lease) bool { _, ok := slices.BinarySearch(hosts, l.Host); return !ok })
		now := db.nowMS()
		return x.freeEach(held, func(l Lease) int64 {
			if l.Delay == 0 {
				return politeUntil.UnixMilli()
			}
			return max(politeUntil.UnixMilli(), now+delayOf(l))
		})
	})
	if err != nil {
		return fmt.Errorf("free leases of %s: %w", owner, err)
	}
	return nil
}

// leases brings the hosts, tokens and delays that a query selects.
func (x *tx) leases(q string, args ...any) (out []Lease, err error) {
	err = x.each(func(r row) error {
		var l Lease
		var delay int64
		err := r.Scan(&l.Host, &l.Token, &delay)
		l.Delay = time.Duration(delay) * time.Millisecond
		out = append(out, l)
		return err
	}, q, args...)
	return out, err
}

// Enqueue adds tasks; those that exist already are left as they are. It tells how many were new. Those of a paused run
// wait until it is resumed.
func (db *DB) Enqueue(ctx context.Context, tasks []Task) (int, error) {
	var n int
	err := db.write(ctx, func(x *tx) (err error) {
		paused, err := x.paused(tasks)
		if err != nil {
			return err
		}
		if err := x.prepareHosts(hostsOf(tasks)); err != nil {
			return err
		}
		n, err = x.enqueue(paused.park(tasks))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("enqueue: %w", err)
	}
	return n, nil
}

func hostsOf(tasks []Task) []string {
	out := make([]string, 0, 8)
	last := ""
	for i := range tasks {
		if h := tasks[i].Host; i == 0 || h != last {
			out, last = append(out, foldKey(h)), h
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// prepareHosts makes the hosts' rows exist and locks them, in host order.
func (x *tx) prepareHosts(hosts []string) error {
	if err := x.makeHosts(hosts); err != nil {
		return err
	}
	return x.lockHosts(hosts)
}

// makeHosts makes the hosts' rows exist, in host order. It comes before any of the transaction's locks: who waits here
// for another's new row holds nothing that the other may want.
func (x *tx) makeHosts(hosts []string) error {
	args := make([]any, 0, 2*len(hosts))
	for _, h := range hosts {
		args = append(args, h, Never)
	}
	_, err := x.insert(`INSERT INTO hosts (host, next_at)`, ` ON CONFLICT DO NOTHING`, 2, args)
	return err
}

// enqueue inserts the tasks, whose hosts are locked, and wakes those hosts that nobody holds.
func (x *tx) enqueue(tasks []Task) (int, error) {
	n, err := x.insert(`INSERT INTO tasks (`+taskCols+`)`, ` ON CONFLICT DO NOTHING`, 11, taskRows(tasks))
	if err != nil {
		return 0, err
	}
	return int(n), x.wake(tasks)
}

func taskRows(tasks []Task) []any {
	args := make([]any, 0, 11*len(tasks))
	for i := range tasks {
		t := &tasks[i]
		args = append(args, foldKey(t.Host), t.Run, t.ID, t.URL, t.Kind, t.Depth, t.Hops, t.Via, t.Due, t.Attempts, t.Outcome)
	}
	return args
}

// wake brings the turns of the tasks' hosts forward if a task comes before it, unless somebody holds the host (its
// holder looks again before letting go). It looks at the tasks: one that was there already, and has ended, wakes nobody.
func (x *tx) wake(tasks []Task) error {
	soonest := map[string]int64{}
	for i := range tasks {
		t := &tasks[i]
		if at, ok := soonest[t.Host]; !ok || t.Due < at {
			soonest[t.Host] = t.Due
		}
	}
	if len(soonest) == 0 {
		return nil
	}
	if x.db.d.server {
		names, dues := make([]string, 0, len(soonest)), make([]int64, 0, len(soonest))
		for host, at := range soonest {
			names, dues = append(names, foldKey(host)), append(dues, at)
		}
		_, err := x.exec(sqlWakeAll, names, dues)
		return err
	}
	for host, at := range soonest {
		if _, err := x.exec(sqlWake+` AND next_at > $2`, foldKey(host), at); err != nil {
			return err
		}
	}
	return nil
}

// NextDue tells when the next host has something to do; Never if none has, or only for paused runs. Held hosts count
// with the end of their lease.
func (db *DB) NextDue(ctx context.Context) (int64, error) {
	var at sql.NullInt64
	if err := db.r.QueryRowContext(ctx, `SELECT MIN(next_at) FROM hosts`).Scan(&at); err != nil {
		return 0, fmt.Errorf("read next due time: %w", err)
	}
	if !at.Valid || at.Int64 >= parked {
		return Never, nil
	}
	return at.Int64, nil
}

// Open tells whether a run has tasks that have not ended.
func (db *DB) Open(ctx context.Context, run int64) (bool, error) {
	var one int
	err := db.r.QueryRowContext(ctx, `SELECT 1 FROM tasks WHERE run=$1 AND `+sqlOpen+` LIMIT 1`, run).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for open tasks of run %d: %w", run, err)
	}
	return true, nil
}

// Task brings one task; ErrNotFound if it is not there.
func (db *DB) Task(ctx context.Context, host string, run, id int64) (Task, error) {
	ts, err := rowsOf(ctx, db, scanTask, `SELECT `+taskCols+` FROM tasks WHERE host=$1 AND run=$2 AND id=$3`, foldKey(host), run, id)
	if err != nil {
		return Task{}, fmt.Errorf("read task: %w", err)
	}
	if len(ts) == 0 {
		return Task{}, fmt.Errorf("task %d of run %d on %s: %w", id, run, host, ErrNotFound)
	}
	return ts[0], nil
}

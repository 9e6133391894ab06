package storage

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"
)

// The frontier hands out hosts, not URLs: only the holder of a host's lease talks to that host. Whoever adds tasks and
// whoever ends a lease both lock the rows of the hosts first, in host order, and only then look at the tasks: otherwise
// the one leaves next_at alone because it sees a lease while the other does not see the new task yet, and the host
// sleeps for ever.

// never in SQL text, so that the partial indexes apply.
const sqlOpen = "due_at < 1152921504606846976"

// Claim leases up to hosts hosts that have something due, to owner, for ttl, and brings up to each of their due tasks.
func (db *DB) Claim(ctx context.Context, owner string, hosts, each int, ttl time.Duration) ([]Lease, error) {
	var out []Lease
	err := db.write(ctx, func(x *tx) error {
		out = out[:0]
		now, token := db.nowMS(), newToken()
		names, err := x.strings(`UPDATE hosts SET lease=$1, owner=$2, next_at=$3 WHERE host IN
			(SELECT host FROM hosts WHERE next_at <= $4 ORDER BY next_at LIMIT $5`+db.d.skipLocked+`) RETURNING host`,
			token, owner, now+ttl.Milliseconds(), now, hosts)
		if err != nil {
			return err
		}
		for _, h := range names {
			tasks, err := x.due(h, now, each)
			if err != nil {
				return err
			}
			out = append(out, Lease{Host: h, Token: token, Tasks: tasks})
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

func (x *tx) due(host string, now int64, n int) ([]Task, error) {
	rows, err := x.query(`SELECT `+taskCols+` FROM tasks WHERE host=$1 AND due_at<=$2 AND `+sqlOpen+
		` ORDER BY due_at LIMIT $3`, host, now, n)
	if err != nil {
		return nil, err
	}
	return scanTasks(rows)
}

func scanTasks(rows *sql.Rows) (out []Task, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var t Task
		if err := rows.Scan(&t.Host, &t.Run, &t.ID, &t.URL, &t.Kind, &t.Depth, &t.Hops, &t.Via, &t.Due, &t.Attempts, &t.Outcome); err != nil {
			return nil, fmt.Errorf("read task: %w", err)
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// Due brings up to n tasks of a host that are due, most urgent first. The holder of the lease knows which of them it
// has under way already.
func (db *DB) Due(ctx context.Context, host string, n int) ([]Task, error) {
	rows, err := db.r.QueryContext(ctx, `SELECT `+taskCols+` FROM tasks WHERE host=$1 AND due_at<=$2 AND `+sqlOpen+
		` ORDER BY due_at LIMIT $3`, host, db.nowMS(), n)
	if err != nil {
		return nil, fmt.Errorf("read due tasks of %s: %w", host, err)
	}
	return scanTasks(rows)
}

// Renew prolongs leases by ttl and tells which of them are no longer held.
func (db *DB) Renew(ctx context.Context, held []Lease, ttl time.Duration) (lost []Lease, err error) {
	held = slices.Clone(held)
	slices.SortFunc(held, byHost)
	err = db.write(ctx, func(x *tx) error {
		lost = lost[:0]
		for _, l := range held {
			n, err := x.exec(`UPDATE hosts SET next_at=$1 WHERE host=$2 AND lease=$3 AND lease<>0`, db.nowMS()+ttl.Milliseconds(), l.Host, l.Token)
			if err != nil {
				return err
			}
			if n == 0 {
				lost = append(lost, l)
			}
		}
		return nil
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

// Release ends leases: each host is free again at politeUntil, or when its next task is due if that is later. A lease
// that is no longer held is left alone.
func (db *DB) Release(ctx context.Context, held []Lease, politeUntil time.Time) error {
	held = slices.Clone(held)
	slices.SortFunc(held, byHost)
	err := db.write(ctx, func(x *tx) error {
		for _, l := range held {
			if err := x.lockHosts([]string{l.Host}); err != nil {
				return err
			}
			if err := x.free(l.Host, l.Token, politeUntil.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("release leases: %w", err)
	}
	return nil
}

// sqlTurn is when it is the turn of host $1 that nobody holds: its soonest task, not before polite; never without one.
func sqlTurn(polite string) string {
	return `COALESCE((SELECT CASE WHEN s.due_at < ` + polite + ` THEN ` + polite + ` ELSE s.due_at END FROM
		(SELECT due_at FROM tasks WHERE host=$1 AND ` + sqlOpen + ` ORDER BY due_at LIMIT 1) s), 1152921504606846976)`
}

var (
	sqlFree = `UPDATE hosts SET lease=0, owner='', polite_until=$2, next_at=` + sqlTurn(`$2`) + ` WHERE host=$1 AND lease=$3 AND lease<>0`
	sqlWake = `UPDATE hosts SET next_at=` + sqlTurn(`polite_until`) + ` WHERE host=$1 AND lease=0`
)

// free is the second statement of a release, after the row is locked: it sees every task that was added before.
func (x *tx) free(host string, token, polite int64) error {
	_, err := x.exec(sqlFree, host, polite, token)
	return err
}

// lockHosts locks the rows of hosts, which must be sorted. SQLite's writer is alone already.
func (x *tx) lockHosts(hosts []string) error {
	if x.db.d.forUpdate == "" {
		return nil
	}
	_, err := x.strings(`SELECT host FROM hosts WHERE host = ANY($1) ORDER BY host`+x.db.d.forUpdate, hosts)
	return err
}

// FreeOwner ends every lease of an owner at once: a node that starts again needs not wait for its old leases. Each host is
// free again at politeUntil, since nobody knows when it was last asked.
func (db *DB) FreeOwner(ctx context.Context, owner string, politeUntil time.Time) error {
	err := db.write(ctx, func(x *tx) error {
		hosts, err := x.strings(`SELECT host FROM hosts WHERE owner=$1 AND lease<>0 ORDER BY host`, owner)
		if err != nil || len(hosts) == 0 {
			return err
		}
		if err := x.lockHosts(hosts); err != nil {
			return err
		}
		for _, h := range hosts {
			var token int64
			var of string
			if err := x.t.QueryRowContext(x.ctx, `SELECT lease, owner FROM hosts WHERE host=$1`, h).Scan(&token, &of); err != nil {
				return fmt.Errorf("read lease of %s: %w", h, err)
			}
			if of != owner {
				continue
			}
			if err := x.free(h, token, politeUntil.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("free leases of %s: %w", owner, err)
	}
	return nil
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
	for _, t := range tasks {
		if len(out) == 0 || out[len(out)-1] != t.Host {
			out = append(out, t.Host)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// prepareHosts makes the hosts' rows exist and locks them, in host order.
func (x *tx) prepareHosts(hosts []string) error {
	args := make([]any, 0, 2*len(hosts))
	for _, h := range hosts {
		args = append(args, h, Never)
	}
	if _, err := x.insert(`INSERT INTO hosts (host, next_at)`, ` ON CONFLICT DO NOTHING`, 2, args); err != nil {
		return err
	}
	return x.lockHosts(hosts)
}

// enqueue inserts the tasks, whose hosts are locked, and wakes those hosts that nobody holds.
func (x *tx) enqueue(tasks []Task) (int, error) {
	args := make([]any, 0, 11*len(tasks))
	soonest := map[string]int64{}
	for _, t := range tasks {
		args = append(args, t.Host, t.Run, t.ID, t.URL, t.Kind, t.Depth, t.Hops, t.Via, t.Due, t.Attempts, t.Outcome)
		if at, ok := soonest[t.Host]; !ok || t.Due < at {
			soonest[t.Host] = t.Due
		}
	}
	n, err := x.insert(`INSERT INTO tasks (`+taskCols+`)`, ` ON CONFLICT DO NOTHING`, 11, args)
	if err != nil {
		return 0, err
	}
	for host, at := range soonest {
		if err := x.wake(host, at); err != nil {
			return 0, err
		}
	}
	return int(n), nil
}

// wake brings a host's turn forward if a task that is due at at comes before it, unless somebody holds the host (its
// holder looks again before letting go). It looks at the tasks: one that was there already, and has ended, wakes nobody.
func (x *tx) wake(host string, at int64) error {
	_, err := x.exec(sqlWake+` AND next_at > $2`, host, at)
	return err
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
	rows, err := db.r.QueryContext(ctx, `SELECT `+taskCols+` FROM tasks WHERE host=$1 AND run=$2 AND id=$3`, host, run, id)
	if err != nil {
		return Task{}, fmt.Errorf("read task: %w", err)
	}
	ts, err := scanTasks(rows)
	if err != nil {
		return Task{}, err
	}
	if len(ts) == 0 {
		return Task{}, fmt.Errorf("task %d of run %d on %s: %w", id, run, host, ErrNotFound)
	}
	return ts[0], nil
}

package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Bounds of what is counted for a status: beyond them it says "at least". They keep it cheap in a frontier of any size.
const (
	CountedHosts    = 100_000 // hosts that have something to do
	CountedTasks    = 1000    // open tasks of a host
	CountedSegments = 100_000 // stored ones
)

// The words are what a host with something to do waits for: one of these words, or a reason of crawler/pace.
const (
	WaitLeased   = "leased"   // it is being worked on
	WaitDue      = "due"      // for a worker: it could be asked now
	WaitPaused   = "paused"   // for its runs to be resumed
	WaitSchedule = "schedule" // it is a schedule's own, and its next run is not due
	WaitLater    = "later"    // for the time at which a task of it is tried again
	WaitDelay    = "delay"    // for the pause after an exchange
)

// HostState is how it stands with a host that has something to do.
type HostState struct {
	Host     string
	Wait     string    // see WaitLeased and on
	Until    time.Time // when that ends, as far as it is known; of a lease: unless it is renewed; zero if it is paused
	Owner    string    // who holds it; empty if nobody does
	Failures int       // in a row
	Open     int       // tasks that have not ended, at most CountedTasks+1
	Due      int       // of them: those that could be carried out now, likewise
	NextKind string    // kind of the most urgent one …
	NextRun  int64     // … and its run
}

// sqlWait is what a host waits for, at the time $1.
const sqlWait = `CASE WHEN lease<>0 AND next_at>$1 THEN 'leased' WHEN next_at>=1125899906842624 THEN 'paused' WHEN next_at<=$1 THEN 'due'
	WHEN host LIKE 'schedule:%' THEN 'schedule' WHEN next_at>polite_until THEN 'later' WHEN wait_reason='' THEN 'delay' ELSE wait_reason END`

// HostsWaiting counts hosts that wait for the same thing.
type HostsWaiting struct {
	Wait  string
	N     int64
	First time.Time // when the first of them has waited long enough
}

// HostsWaiting counts the hosts that have something to do by what they wait for: at most CountedHosts, those whose turn comes
// first.
func (db *DB) HostsWaiting(ctx context.Context) ([]HostsWaiting, error) {
	out, err := rowsOf(ctx, db, func(r row) (w HostsWaiting, err error) {
		var first int64
		err = r.Scan(&w.Wait, &w.N, &first)
		w.First = turnOf(first)
		return w, err
	}, `SELECT wait, COUNT(*), MIN(next_at) FROM (SELECT next_at, `+sqlWait+` AS wait FROM hosts WHERE next_at<1152921504606846976
		ORDER BY next_at LIMIT `+strconv.Itoa(CountedHosts)+`) t GROUP BY wait ORDER BY wait`, db.nowMS())
	if err != nil {
		return nil, fmt.Errorf("count hosts: %w", err)
	}
	return out, nil
}

// Pause is for how long a host is to be left alone. The zero value is of one that may be asked at once.
type Pause struct {
	Until time.Time
	Why   string // WaitLeased while somebody asks it, or a word of the pauses
}

// HostPause tells until when a host is to be left alone, whether there is something to do on it or not.
func (db *DB) HostPause(ctx context.Context, host string) (Pause, error) {
	var lease, next, polite, retry int64
	var reason, failed string
	err := db.r.often(ctx, `SELECT lease, next_at, polite_until, wait_reason, failing_until, failing_why FROM hosts WHERE host=$1`, foldKey(host)).
		Scan(&lease, &next, &polite, &reason, &retry, &failed)
	if errors.Is(err, sql.ErrNoRows) {
		return Pause{}, nil
	}
	if err != nil {
		return Pause{}, fmt.Errorf("read host %s: %w", host, err)
	}
	switch now := db.nowMS(); {
	case lease != 0 && next > now:
		return Pause{Until: turnOf(next), Why: WaitLeased}, nil
	case retry > max(now, polite):
		return Pause{Until: turnOf(retry), Why: failed}, nil
	case polite > now:
		return Pause{Until: turnOf(polite), Why: reason}, nil
	}
	return Pause{}, nil
}

// turnOf is the time of a host's turn; zero if it is parked, or has none.
func turnOf(ms int64) time.Time {
	if ms >= parked {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// HostStates tells of up to n hosts that have something to do: those that somebody works on first, then those whose turn comes
// first. If host is not empty, of that one alone; if run is not 0, of those alone on which it has open tasks.
func (db *DB) HostStates(ctx context.Context, host string, run int64, n int) ([]HostState, error) {
	limit := strconv.Itoa(n)
	wheres, arg := []string{`lease<>0 AND next_at>$1`, `(lease=0 OR next_at<=$1) AND next_at<1152921504606846976`}, []any{}
	switch {
	case host != "":
		wheres, arg = []string{`host=$2`}, []any{foldKey(host)}
	case run != 0: // the soonest of its tasks, and no more of them than a bound
		of := ` AND host IN (SELECT host FROM (SELECT host FROM tasks WHERE run=$2 AND ` + sqlOpen + ` ORDER BY due_at LIMIT 5000) t)`
		wheres[0], wheres[1], arg = wheres[0]+of, wheres[1]+of, []any{run}
	}
	var out []HostState
	now := db.nowMS()
	for _, where := range wheres {
		some, err := rowsOf(ctx, db, scanHostState, `SELECT host, `+sqlWait+`, next_at, owner, failures FROM hosts WHERE `+where+`
			ORDER BY next_at LIMIT `+limit, append([]any{now}, arg...)...)
		if err != nil {
			return nil, fmt.Errorf("read hosts: %w", err)
		}
		out = append(out, some...)
	}
	out = out[:min(n, len(out))]
	for i := range out {
		if err := db.countOpen(ctx, &out[i], run, now); err != nil {
			return nil, fmt.Errorf("count the tasks of %s: %w", out[i].Host, err)
		}
	}
	return out, nil
}

func scanHostState(r row) (h HostState, err error) {
	var next int64
	err = r.Scan(&h.Host, &h.Wait, &next, &h.Owner, &h.Failures)
	if h.Until = turnOf(next); h.Wait != WaitLeased {
		h.Owner = ""
	}
	return h, err
}

// countOpen counts the open tasks of a host, up to a bound, and looks at the first.
func (db *DB) countOpen(ctx context.Context, h *HostState, run, now int64) error {
	const where = `FROM tasks WHERE host=$1 AND ` + sqlOpen + ` AND due_at<=$2`
	for _, q := range []struct {
		until int64
		to    *int
	}{{Never, &h.Open}, {now, &h.Due}} {
		err := db.r.often(ctx, `SELECT COUNT(*) FROM (SELECT 1 `+where+` LIMIT `+strconv.Itoa(CountedTasks+1)+`) t`, h.Host, q.until).Scan(q.to)
		if err != nil {
			return err
		}
	}
	first, err := rowsOf(ctx, db, scanTask, `SELECT `+taskCols+` `+where+` ORDER BY due_at LIMIT 1`, h.Host, Never)
	if err == nil && len(first) > 0 {
		h.NextKind, h.NextRun = first[0].Kind, first[0].Run
	}
	return err
}

// OpenRuns brings up to n runs that are not done, the newest first, and counts them all.
func (db *DB) OpenRuns(ctx context.Context, n int) (runs []Run, all int, err error) {
	if runs, err = db.runs(ctx, `WHERE state<>'done' ORDER BY id DESC LIMIT `+strconv.Itoa(n)); err != nil {
		return nil, 0, err
	}
	if err = db.r.often(ctx, `SELECT COUNT(*) FROM runs WHERE state<>'done'`).Scan(&all); err != nil {
		return nil, 0, fmt.Errorf("count runs: %w", err)
	}
	return runs, all, nil
}

// SegmentSums are the segments of a node in one state.
type SegmentSums struct {
	Node   string
	State  SegmentState
	N      int64
	Bytes  int64     // acknowledged
	Oldest time.Time // when the first of them was begun
}

// SegmentSums adds up the segments that are not stored, by node and state; those of one run alone that are to be stored if run
// is not 0.
func (db *DB) SegmentSums(ctx context.Context, run int64) ([]SegmentSums, error) {
	where, args := `state<>'stored'`, []any{}
	if run != 0 {
		where, args = where+` AND id IN (SELECT segment FROM segment_runs WHERE run=$1)`, []any{run}
	}
	out, err := rowsOf(ctx, db, func(r row) (s SegmentSums, err error) {
		var oldest int64
		err = r.Scan(&s.Node, &s.State, &s.N, &s.Bytes, &oldest)
		s.Oldest = fromMicros(oldest)
		return s, err
	}, `SELECT node, state, COUNT(*), CAST(SUM(CASE WHEN size>committed THEN size ELSE committed END) AS BIGINT), MIN(created)
		FROM segments WHERE `+where+` GROUP BY node, state ORDER BY node, state`, args...)
	if err != nil {
		return nil, fmt.Errorf("add segments up: %w", err)
	}
	return out, nil
}

// StoredSegments counts the segments that are stored, at most CountedSegments+1.
func (db *DB) StoredSegments(ctx context.Context) (n int64, err error) {
	if err = db.r.often(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM segments WHERE state='stored' LIMIT `+strconv.Itoa(CountedSegments+1)+`) t`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count segments: %w", err)
	}
	return n, nil
}

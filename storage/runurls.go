package storage

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

// RunHosts brings the hosts on which a run has tasks, in their order. It reads all of the run's tasks.
func (db *DB) RunHosts(ctx context.Context, run int64) ([]string, error) {
	out, err := rowsOf(ctx, db, scanString,
		`SELECT DISTINCT host FROM tasks WHERE run=$1 ORDER BY host`, run)
	if err != nil {
		return nil, fmt.Errorf("read the hosts of run %d: %w", run, err)
	}
	return out, nil
}

// HostTasks brings up to n tasks of a run on a host, in the order of their ids, from the one after on.
func (db *DB) HostTasks(ctx context.Context, run int64, host string, after int64, n int) ([]Task, error) {
	out, err := rowsOf(ctx, db, scanTask, `SELECT `+taskCols+` FROM tasks WHERE host=$1 AND run=$2 AND id>$3 ORDER BY id LIMIT `+strconv.Itoa(n),
		foldKey(host), run, after)
	if err != nil {
		return nil, fmt.Errorf("read the tasks of run %d on %s: %w", run, host, err)
	}
	return out, nil
}

// Asked is an address that a run asked for, by which its exchanges are found.
type Asked struct{ URLKey, URL string }

// Recorded is the last that a run recorded of an address: a capture, or an attempt; neither if there is nothing.
type Recorded struct {
	Capture *Capture
	Attempt *Attempt
}

// LastOf brings the last that a run recorded of each address. Whoever asks for some hundred at a time holds no more.
func (db *DB) LastOf(ctx context.Context, run Run, asked []Asked) ([]Recorded, error) {
	out := make([]Recorded, len(asked))
	err := lastOf(ctx, db, run, asked, "captures", captureCols, scanCapture, func(i int, c Capture) { out[i].Capture = &c })
	if err == nil {
		err = lastOf(ctx, db, run, asked, "attempts", attemptCols, scanAttempt, func(i int, a Attempt) { out[i].Attempt = &a })
	}
	if err != nil {
		return nil, fmt.Errorf("read what run %d recorded: %w", run.ID, err)
	}
	for i := range out {
		switch r := &out[i]; {
		case r.Capture == nil || r.Attempt == nil:
		case r.Attempt.At.After(r.Capture.At):
			r.Capture = nil
		default:
			r.Attempt = nil
		}
	}
	return out, nil
}

// lastOf asks one table: on a server for all addresses in one statement, since each is a trip.
func lastOf[T any](ctx context.Context, db *DB, run Run, asked []Asked, table, cols string, scan func(row) (T, error), take func(int, T)) error {
	if !db.d.server {
		for i, a := range asked {
			rows, err := rowsOf(ctx, db, scan, `SELECT `+cols+` FROM `+table+` WHERE collection=$1 AND urlkey=$2 AND run=$3 AND url=$4
				ORDER BY at DESC, segment DESC, pos DESC LIMIT 1`, run.Collection, foldKey(a.URLKey), run.ID, a.URL)
			if err != nil {
				return err
			}
			if len(rows) > 0 {
				take(i, rows[0])
			}
		}
		return nil
	}
	places, keys, urls := make([]int64, len(asked)), make([]string, len(asked)), make([]string, len(asked))
	for i, a := range asked {
		places[i], keys[i], urls[i] = int64(i), foldKey(a.URLKey), harmlessText(a.URL)
	}
	var at []int
	rows, err := rowsOf(ctx, db, func(r row) (T, error) {
		var place int
		v, err := scan(behind{r, &place})
		at = append(at, place)
		return v, err
	}, `SELECT u.place, t.* FROM unnest($1::bigint[],$2::text[],$3::text[]) AS u(place,key,url) CROSS JOIN LATERAL
		(SELECT `+cols+` FROM `+table+` WHERE collection=$4 AND urlkey=u.key AND run=$5 AND url=u.url
		ORDER BY at DESC, segment DESC, pos DESC LIMIT 1) t`, places, keys, urls, run.Collection, run.ID)
	if err != nil {
		return err
	}
	at = at[len(at)-len(rows):] // those of a reading that was torn come before
	for i, v := range rows {
		take(at[i], v)
	}
	return nil
}

// behind is a row with one more column before those that are scanned.
type behind struct {
	row
	first any
}

// Scan implements row.
func (b behind) Scan(dest ...any) error { return b.row.Scan(slices.Concat([]any{b.first}, dest)...) }

// Refused are the links of a run's posts that were left out, by reason.
type Refused struct {
	Reason  string
	N       int64
	Example string
}

// RefusedCitations brings the links of a run's posts that were left out, by reason.
func (db *DB) RefusedCitations(ctx context.Context, run int64) ([]Refused, error) {
	out, err := rowsOf(ctx, db, scanRefused,
		`SELECT c.left_out, COUNT(*), MIN(c.url) FROM posts p JOIN citations c ON c.post=p.id AND c.run=p.run
		WHERE p.run=$1 AND c.left_out<>'' GROUP BY c.left_out ORDER BY COUNT(*) DESC, c.left_out`, run)
	if err != nil {
		return nil, fmt.Errorf("read what the posts of run %d leave out: %w", run, err)
	}
	return out, nil
}

func scanRefused(r row) (f Refused, err error) {
	err = r.Scan(&f.Reason, &f.N, &f.Example)
	return f, err
}

func scanString(r row) (s string, err error) {
	err = r.Scan(&s)
	return s, err
}

// LastRun brings the run that began last; ErrNotFound if none ever has.
func (db *DB) LastRun(ctx context.Context) (Run, error) {
	rs, err := db.runs(ctx, `WHERE id=(SELECT MAX(id) FROM runs)`)
	if err == nil && len(rs) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Run{}, err
	}
	return rs[0], nil
}

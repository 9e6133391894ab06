package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"strings"
)

// hopEntry and hopRedirect are the letters of a hop path that tell an entry of a feed or a sitemap, see crawler/scope.
const hopEntry, hopRedirect = "M", "R"

// Known brings what is known of entries of a schedule's feed or sitemap: the stamp that was listed when each was last
// captured, by the id of its task. Those that were never captured are not among them.
func (db *DB) Known(ctx context.Context, schedule string, ids []int64) (map[int64]string, error) {
	out := map[int64]string{}
	const most = 500
	for len(ids) > 0 {
		n := min(most, len(ids))
		args := []any{schedule}
		for _, id := range ids[:n] {
			args = append(args, id)
		}
		ids = ids[n:]
		if err := db.known(ctx, out, args); err != nil {
			return nil, fmt.Errorf("look for entries of %s: %w", schedule, err)
		}
	}
	return out, nil
}

func (db *DB) known(ctx context.Context, out map[int64]string, args []any) (err error) {
	rows, err := db.r.QueryContext(ctx, `SELECT id, stamp FROM entries WHERE schedule=`+db.d.places(1, 1)+` AND stamp<>'' AND id IN (`+
		db.d.places(len(args)-1, 2)+`)`, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id int64
		var stamp string
		if err := rows.Scan(&id, &stamp); err != nil {
			return err
		}
		out[id] = stamp
	}
	return rows.Err()
}

// EntryOf brings the address under which a schedule's feed or sitemap lists what a task stands for; ErrNotFound if it
// stands for none.
func (db *DB) EntryOf(ctx context.Context, schedule string, task int64) (url string, err error) {
	err = db.r.QueryRowContext(ctx, `SELECT url FROM entries WHERE schedule=$1 AND task=$2 ORDER BY url LIMIT 1`, schedule, task).Scan(&url)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("entry of task %d of %s: %w", task, schedule, err)
	}
	return url, nil
}

// noteEntries notes what a task's end says of entries: which of them it lists, and whether its own is captured now. An
// entry is when an answer came, not a 429 and not one of the server's own errors, at the end of its redirects.
func (x *tx) noteEntries(e *End) error {
	own := strings.HasSuffix(strings.TrimRight(e.Task.Hops, hopRedirect), hopEntry)
	var args []any
	for i := range e.New {
		if t := &e.New[i]; t.Stamp != "" {
			args = append(args, "", t.ID, t.URL, t.Stamp, t.ID)
		}
	}
	if !own && len(args) == 0 {
		return nil
	}
	name, err := x.scheduleOf(e.Task.Run)
	if err != nil || name == "" {
		return err
	}
	for i := 0; i < len(args); i += 5 {
		args[i] = name
	}
	if err := x.putRows(`INSERT INTO entries (schedule, id, url, listed, task)`,
		` ON CONFLICT (schedule, id) DO UPDATE SET listed=excluded.listed, task=excluded.task`, 5, args); err != nil {
		return err
	}
	if !own || e.Task.Due != Never || len(e.Captures) == 0 {
		return nil
	}
	for i := range e.New {
		if t := &e.New[i]; t.Hops == e.Task.Hops+hopRedirect {
			return x.put(`UPDATE entries SET task=$1 WHERE schedule=$2 AND task=$3`, t.ID, name, e.Task.ID)
		}
	}
	if s := e.Captures[0].Status; s >= 500 || s == 429 {
		return nil
	}
	return x.put(`UPDATE entries SET stamp=listed, run=$1 WHERE schedule=$2 AND task=$3`, e.Task.Run, name, e.Task.ID)
}

// scheduleOf is the name of the schedule that began a run; empty if none did. It is read once a transaction.
func (x *tx) scheduleOf(run int64) (string, error) {
	if name, ok := x.schedules[run]; ok {
		return name, nil
	}
	names, err := x.strings(`SELECT schedule FROM runs WHERE id=$1`, run)
	if err != nil {
		return "", err
	}
	if x.schedules == nil {
		x.schedules = map[int64]string{}
	}
	x.schedules[run] = strings.Join(names, "")
	return x.schedules[run], nil
}

// Answer is what the row of a task keeps of its last answer, see TaskRow.
func (e *End) Answer() (status, version int64) { return e.answer() }

// answer is what the row of a task keeps of its last answer: the status, and a hash of the digest.
func (e *End) answer() (status, version int64) {
	if len(e.Captures) == 0 {
		return 0, 0
	}
	c := &e.Captures[len(e.Captures)-1]
	return int64(c.Status), Version(c.Digest)
}

// Version is a hash of a payload's digest: equal for equal payloads.
func Version(digest string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(digest)) // never fails
	return int64(h.Sum64() >> 1)
}

// RunEnd is how one task of a run ended.
type RunEnd struct {
	URL     string
	Hops    string
	Outcome string // empty if it has not ended
	Status  int    // of the last answer; 0 if there was none
	Version int64  // equal for equal payloads
}

// RunEnds brings what a run asked for but for requisites and robots.txt, in the order of the addresses' bytes.
func (db *DB) RunEnds(ctx context.Context, run int64) iter.Seq2[RunEnd, error] {
	return func(yield func(RunEnd, error) bool) {
		rows, err := db.r.QueryContext(ctx, `SELECT url, hops, outcome, status, version FROM tasks
			WHERE run=$1 AND kind NOT IN ('requisite','robots') ORDER BY url`, run)
		if err != nil {
			yield(RunEnd{}, fmt.Errorf("read the ends of run %d: %w", run, err))
			return
		}
		defer func() { _ = rows.Close() }() // read only
		for rows.Next() {
			var e RunEnd
			if err := rows.Scan(&e.URL, &e.Hops, &e.Outcome, &e.Status, &e.Version); err != nil {
				yield(RunEnd{}, fmt.Errorf("read the ends of run %d: %w", run, err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(RunEnd{}, fmt.Errorf("read the ends of run %d: %w", run, err))
		}
	}
}

// PostsOf brings every post that a run kept, by address, without citations.
func (db *DB) PostsOf(ctx context.Context, run int64) ([]Post, error) {
	return db.posts(ctx, `WHERE run=$1 ORDER BY source`, run)
}

// PostIn brings the version of a post that a run kept, with its citations. ErrNotFound if it kept none.
func (db *DB) PostIn(ctx context.Context, id string, run int64) (Post, error) {
	ps, err := db.posts(ctx, `WHERE id=$1 AND run=$2`, id, run)
	if err == nil && len(ps) == 0 {
		err = fmt.Errorf("post %s of run %d: %w", id, run, ErrNotFound)
	}
	if err != nil {
		return Post{}, err
	}
	p := ps[0]
	return p, db.parts(ctx, &p)
}

// SetFault writes why what a run watches can't be read, or, if fault is empty, that it can.
func (db *DB) SetFault(ctx context.Context, run int64, fault string) error {
	err := db.write(ctx, func(x *tx) error {
		_, err := x.exec(`UPDATE runs SET fault=$1 WHERE id=$2 AND fault<>$1`, fault, run)
		return err
	})
	if err != nil {
		return fmt.Errorf("write the fault of run %d: %w", run, err)
	}
	return nil
}

// SetChanges writes how a scheduled run differs from the one before.
func (db *DB) SetChanges(ctx context.Context, run int64, changes []byte) error {
	err := db.write(ctx, func(x *tx) error {
		_, err := x.exec(`UPDATE runs SET changes=$1 WHERE id=$2`, string(changes), run)
		return err
	})
	if err != nil {
		return fmt.Errorf("write the changes of run %d: %w", run, err)
	}
	return nil
}

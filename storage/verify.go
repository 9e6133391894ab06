package storage

import (
	"context"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// What a verification asks of the rows, and how it mends them.

// Stored is a capture as its row holds it, so that the two can be compared.
func (c Capture) Stored() Capture {
	c.URLKey, c.At = foldKey(c.URLKey), fromMicros(micros(c.At))
	harmlessFields(&c)
	return c
}

// Stored is an attempt as its row holds it.
func (a Attempt) Stored() Attempt {
	a.URLKey, a.At = foldKey(a.URLKey), fromMicros(micros(a.At))
	harmlessFields(&a)
	return a
}

// Stored is a post as its rows hold it.
func (p Post) Stored() Post {
	p.At = fromMicros(micros(p.At))
	harmlessFields(&p)
	own := make([]Citation, len(p.Citations))
	copy(own, p.Citations)
	for i := range own {
		harmlessFields(&own[i])
	}
	p.Citations = own
	scars := slices.Clone(p.Damaged)
	for i := range scars {
		harmlessFields(&scars[i])
	}
	p.Damaged = scars
	return p
}

// harmlessFields makes the texts of a struct harmless, see harmless.
func harmlessFields(v any) {
	r := reflect.ValueOf(v).Elem()
	for i := range r.NumField() {
		if f := r.Field(i); f.Kind() == reflect.String && !isHarmless(f.String()) {
			f.SetString(harmlessText(f.String()))
		}
	}
}

// Voided brings the places in a segment of the exchanges that did not count.
func (db *DB) Voided(ctx context.Context, segment string) ([]Spot, error) {
	out, err := rowsOf(ctx, db, func(r row) (Spot, error) {
		p := Spot{Kind: SpotVoided, Segment: segment}
		var at int64
		err := r.Scan(&p.URL, &p.URLKey, &at, &p.Offset, &p.Run)
		p.At = fromMicros(at)
		return p, err
	}, `SELECT url, urlkey, at, pos, run FROM voided WHERE segment=$1 ORDER BY pos`, segment)
	if err != nil {
		return nil, fmt.Errorf("read what did not count in segment %s: %w", segment, err)
	}
	return out, nil
}

// PostVersion brings the version of a post that a run kept, with its citations; ErrNotFound if there is none.
func (db *DB) PostVersion(ctx context.Context, id string, run int64) (Post, error) {
	ps, err := db.posts(ctx, `WHERE id=$1 AND run=$2`, id, run)
	if err == nil && len(ps) == 0 {
		err = fmt.Errorf("post %s of run %d: %w", id, run, ErrNotFound)
	}
	if err != nil {
		return Post{}, err
	}
	return ps[0], db.parts(ctx, &ps[0])
}

// Stray is a segment that rows name, and that is none: it has no row, or was lost.
type Stray struct {
	Segment string
	Table   string // captures, attempts, posts, voided
	Rows    int64
	Lost    bool
}

// Strays brings the segments that rows name and that are none.
func (db *DB) Strays(ctx context.Context) ([]Stray, error) {
	var out []Stray
	for _, table := range []string{"captures", "attempts", "posts", "voided"} {
		for last := ""; ; {
			next, err := rowsOf(ctx, db, scanText, `SELECT CAST(COALESCE(MIN(segment),'') AS TEXT) FROM `+table+` WHERE segment>$1`, last)
			if err != nil {
				return nil, fmt.Errorf("look for rows of unknown segments: %w", err)
			}
			if last = strings.Join(next, ""); last == "" {
				break
			}
			s, err := db.stray(ctx, table, last)
			if err != nil {
				return nil, fmt.Errorf("look for rows of unknown segments: %w", err)
			}
			if s.Rows > 0 {
				out = append(out, s)
			}
		}
	}
	return out, nil
}

// stray counts the rows that name a segment; none if it is one.
func (db *DB) stray(ctx context.Context, table, segment string) (Stray, error) {
	s := Stray{Segment: segment, Table: table}
	err := db.r.often(ctx, `SELECT COUNT(*), EXISTS (SELECT 1 FROM segments WHERE id=$1 AND state='lost') FROM `+table+` WHERE segment=$1
		AND NOT EXISTS (SELECT 1 FROM segments WHERE id=$1 AND state<>'lost')`, segment).Scan(&s.Rows, &s.Lost)
	return s, err
}

// tasksAtOnce bounds how many tasks one statement asks for.
const tasksAtOnce = 200

// TaskKey is what a task's row is found by.
type TaskKey struct {
	Host    string
	Run, ID int64
}

// Key is what the task's row is found by.
func (t *Task) Key() TaskKey { return TaskKey{foldKey(t.Host), t.Run, t.ID} }

// TaskRow is a task as its row has it, with what it keeps of the last answer: its status, and a hash of its payload's digest.
// Both are 0 if there was none, or the row is of an older version.
type TaskRow struct {
	Task
	Status, Version int64
}

// TasksOf brings the rows of tasks, those that there are.
func (db *DB) TasksOf(ctx context.Context, keys []TaskKey) (map[TaskKey]TaskRow, error) {
	out := make(map[TaskKey]TaskRow, len(keys))
	for len(keys) > 0 {
		part := keys[:min(tasksAtOnce, len(keys))]
		keys = keys[len(part):]
		var sb strings.Builder
		args := make([]any, 0, len(part))
		for i, k := range part {
			if i > 0 {
				sb.WriteByte(',')
			}
			args = append(args, k.Host)
			sb.WriteString("(" + db.d.places(1, i+1) + "," + strconv.FormatInt(k.Run, 10) + "," + strconv.FormatInt(k.ID, 10) + ")")
		}
		ts, err := rowsOf(ctx, db, func(r row) (t TaskRow, err error) {
			err = r.Scan(&t.Host, &t.Run, &t.ID, &t.URL, &t.Kind, &t.Depth, &t.Hops, &t.Via, &t.Due, &t.Attempts, &t.Outcome, &t.Status, &t.Version)
			return t, err
		}, `SELECT host, run, id, url, kind, depth, hops, via, due_at, attempts, outcome, status, version FROM tasks WHERE (host, run, id) IN (VALUES `+sb.String()+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("read tasks: %w", err)
		}
		for _, t := range ts {
			out[t.Key()] = t
		}
	}
	return out, nil
}

// EndedTasks brings tasks of a run that have ended, those behind a task in the order of hosts and numbers; few at a time.
func (db *DB) EndedTasks(ctx context.Context, run int64, after *Task) ([]Task, error) {
	host, id := "", int64(math.MinInt64)
	if after != nil {
		host, id = foldKey(after.Host), after.ID
	}
	out, err := rowsOf(ctx, db, func(r row) (Task, error) {
		t := Task{Run: run, Due: Never}
		err := r.Scan(&t.Host, &t.ID, &t.URL, &t.Kind, &t.Outcome)
		return t, err
	}, `SELECT host, id, url, kind, outcome FROM tasks WHERE run=$1 AND due_at=1152921504606846976 AND (host, id) > ($2, $3)
		ORDER BY host, id LIMIT $4`, run, host, id, pageRows)
	if err != nil {
		return nil, fmt.Errorf("read the tasks of run %d: %w", run, err)
	}
	return out, nil
}

// Tried tells whether a run has a capture of an address, or an attempt on it.
func (db *DB) Tried(ctx context.Context, collection, urlkey, url string, run int64) (bool, error) {
	var n int
	err := db.r.often(ctx, `SELECT (SELECT COUNT(*) FROM captures WHERE collection=$1 AND urlkey=$2 AND url=$3 AND run=$4)
		+ (SELECT COUNT(*) FROM attempts WHERE collection=$1 AND urlkey=$2 AND url=$3 AND run=$4)`, collection, foldKey(urlkey), url, run).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for what run %d has of %s: %w", run, url, err)
	}
	return n > 0, nil
}

// Mend is a repair of the rows of one segment.
type Mend struct {
	Segment string
	Fields  *Segment         // collection, committed, location: what the row of the segment says from now on; nil: what it says
	Revive  bool             // the segment was given up, and its bytes, as Fields tells of them, are there all the same
	Drop    []Spot           // rows that go: kind, offset
	Again   []TaskURL        // of those that go: addresses of which a run then has nothing, and which are due again
	Posts   []Post           // versions of posts that go: ID, Run
	Strays  []Post           // the same, but only while their rows say that they stand there: ID, Run, Offset
	Tasks   []TaskKey        // that are written anew by Put
	Runs    []Run            // whose source, spec, schedule, collection and start are written anew
	Put     []End            // written as a rebuild does it
	Lead    map[int64]string // by offset: where revisits lead from now on, "segment/offset"
	Voided  []End            // the same, of what did not count
	Audit   Audit
}

// Mend carries a repair out in one transaction, with its line in the log.
func (db *DB) Mend(ctx context.Context, m *Mend) error {
	err := db.write(ctx, func(x *tx) error { return x.mend(m) })
	if err != nil {
		return fmt.Errorf("mend the rows of segment %s: %w", m.Segment, err)
	}
	return nil
}

func (x *tx) mend(m *Mend) error {
	if f := m.Fields; f != nil && m.Revive {
		if _, err := x.exec(`UPDATE segments SET collection=$1, location=$2, state=$3, committed=$4, size=$4, sha256=$5 WHERE id=$6 AND state=$7`,
			f.Collection, f.Location, SegmentStored, f.Size, f.SHA256, f.ID, SegmentLost); err != nil {
			return err
		}
	} else if f != nil {
		if _, err := x.exec(`UPDATE segments SET collection=$1, committed=$2, location=$3 WHERE id=$4 AND state=$5`,
			f.Collection, f.Committed, f.Location, f.ID, SegmentStored); err != nil {
			return err
		}
	}
	for _, s := range m.Drop {
		if _, err := x.exec(`DELETE FROM `+string(s.Kind)+` WHERE segment=$1 AND pos=$2`, m.Segment, s.Offset); err != nil {
			return err
		}
	}
	for i := range m.Again {
		if err := x.dueAgain(&m.Again[i]); err != nil {
			return err
		}
	}
	for _, p := range m.Posts {
		for _, q := range []string{`DELETE FROM citations WHERE post=$1 AND run=$2`, `DELETE FROM scars WHERE post=$1 AND run=$2`, `DELETE FROM posts WHERE id=$1 AND run=$2`} {
			if _, err := x.exec(q, p.ID, p.Run); err != nil {
				return err
			}
		}
	}
	for _, p := range m.Strays { // another segment may hold that version, and its row may have been written meanwhile
		for _, q := range []string{
			`DELETE FROM citations WHERE post=$1 AND run=$2 AND EXISTS (SELECT 1 FROM posts WHERE id=$1 AND run=$2 AND segment=$3 AND pos=$4)`,
			`DELETE FROM scars WHERE post=$1 AND run=$2 AND EXISTS (SELECT 1 FROM posts WHERE id=$1 AND run=$2 AND segment=$3 AND pos=$4)`,
			`DELETE FROM posts WHERE id=$1 AND run=$2 AND segment=$3 AND pos=$4`,
		} {
			if _, err := x.exec(q, p.ID, p.Run, m.Segment, p.Offset); err != nil {
				return err
			}
		}
	}
	for i := range m.Runs {
		r := &m.Runs[i]
		if _, err := x.exec(`UPDATE runs SET collection=$1, source=$2, spec=$3, schedule=$4, started=$5 WHERE id=$6`,
			r.Collection, r.Source, string(r.Spec), r.Schedule, micros(r.Started), r.ID); err != nil {
			return err
		}
	}
	for _, k := range m.Tasks {
		if _, err := x.exec(`DELETE FROM tasks WHERE host=$1 AND run=$2 AND id=$3`, k.Host, k.Run, k.ID); err != nil {
			return err
		}
	}
	for i := range m.Put {
		e := &m.Put[i]
		if e.Task.Host != "" {
			if err := x.prepareHosts(hostsOf([]Task{e.Task})); err != nil {
				return err
			}
		}
		if err := x.adopt(e); err != nil {
			return err
		}
	}
	for _, pos := range slices.Sorted(maps.Keys(m.Lead)) {
		if _, err := x.exec(`UPDATE captures SET refers_to=$1 WHERE segment=$2 AND pos=$3 AND kind='revisit'`, m.Lead[pos], m.Segment, pos); err != nil {
			return err
		}
	}
	for i := range m.Voided {
		if err := x.insertVoided(&m.Voided[i]); err != nil {
			return err
		}
	}
	return x.audit(m.Audit)
}

// TaskURL is an address that a run has asked for.
type TaskURL struct {
	Collection, URLKey, URL string
	Run                     int64
	Captured                bool // it was answered
}

// dueAgain makes the task of an address due again, and its run active, if the run has neither capture nor attempt of it any more:
// as loseOf does where a whole segment is given up.
func (x *tx) dueAgain(u *TaskURL) error {
	var left int
	err := x.one(&left, `SELECT (SELECT COUNT(*) FROM captures WHERE collection=$1 AND urlkey=$2 AND url=$3 AND run=$4)
		+ (SELECT COUNT(*) FROM attempts WHERE collection=$1 AND urlkey=$2 AND url=$3 AND run=$4)`, u.Collection, foldKey(u.URLKey), u.URL, u.Run)
	if err != nil || left > 0 {
		return err
	}
	const ended = `run=$1 AND url=$2 AND due_at=1152921504606846976`
	hosts, err := x.strings(`SELECT host FROM tasks WHERE `+ended+` ORDER BY host`, u.Run, u.URL)
	if err != nil || len(hosts) == 0 {
		return err
	}
	if _, err := x.exec(`UPDATE runs SET state=$1, ended=0 WHERE id=$2 AND state=$3`, RunActive, u.Run, RunDone); err != nil {
		return err
	}
	paused, err := x.paused([]Task{{Run: u.Run}})
	if err != nil {
		return err
	}
	if err := x.lockHosts(hosts); err != nil {
		return err
	}
	pages, err := x.numbers(`SELECT COUNT(*) FROM tasks WHERE kind='`+kindPage+`' AND `+ended, u.Run, u.URL)
	if err != nil {
		return err
	}
	again := paused.parkOne(Task{Run: u.Run, Due: againDue})
	n, err := x.exec(`UPDATE tasks SET due_at=$3, outcome=$4, status=0, version=0 WHERE `+ended, u.Run, u.URL, again.Due, again.Outcome)
	if err != nil {
		return err
	}
	for _, h := range hosts {
		if _, err := x.exec(sqlWake, h); err != nil {
			return err
		}
	}
	captured := bit(u.Captured) * n
	return x.addCounts("lost by damage", map[int64]Counts{u.Run: {Ended: -n, Pages: -pages[0], Captured: -captured, Failed: captured - n}})
}

// GiveUpStored gives a stored segment up whose bytes are gone, as LoseSegment does with one that was never stored.
func (db *DB) GiveUpStored(ctx context.Context, id string, a Audit) (Loss, error) {
	var l Loss
	err := db.write(ctx, func(x *tx) (err error) {
		l = Loss{}
		// The runs of a stored segment are not noted any more: its rows tell them.
		if _, err = x.exec(`INSERT INTO segment_runs (segment, run) SELECT segment, run FROM captures WHERE segment=$1
			UNION SELECT segment, run FROM attempts WHERE segment=$1`, id); err != nil {
			return err
		}
		if _, err = x.exec(`UPDATE segments SET state=$1 WHERE id=$2 AND state=$3`, SegmentSealed, id, SegmentStored); err != nil {
			return err
		}
		if l, err = x.loseSegment(id); err != nil {
			return err
		}
		return x.audit(a)
	})
	if err != nil {
		return Loss{}, fmt.Errorf("give up segment %s: %w", id, err)
	}
	return l, nil
}

// DropStrays deletes rows that name a segment which is none, if it still is none.
func (db *DB) DropStrays(ctx context.Context, s Stray, a Audit) error {
	err := db.write(ctx, func(x *tx) error {
		const none = ` AND NOT EXISTS (SELECT 1 FROM segments WHERE id=$1 AND state<>'lost')`
		if s.Table == "posts" {
			for _, table := range []string{"citations", "scars"} {
				if _, err := x.exec(`DELETE FROM `+table+` WHERE EXISTS (SELECT 1 FROM posts p WHERE p.id=`+table+`.post AND p.run=`+table+`.run AND p.segment=$1)`+none, s.Segment); err != nil {
					return err
				}
			}
		}
		if _, err := x.exec(`DELETE FROM `+s.Table+` WHERE segment=$1`+none, s.Segment); err != nil {
			return err
		}
		return x.audit(a)
	})
	if err != nil {
		return fmt.Errorf("delete rows of segment %s: %w", s.Segment, err)
	}
	return nil
}

package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A schedule is a task: its tick, one row of run 0 on a pseudo-host of its own, which is due when the next run is to
// begin. Whoever leases that host carries the tick out.
const (
	HostSchedule = "schedule:" // followed by the schedule's name
	KindTick     = "tick"
	tickID       = 1
)

// TickHost is the pseudo-host of a schedule's tick.
func TickHost(name string) string { return HostSchedule + name }

// ErrOverlap says that a run of a schedule is not done: another must not begin.
var ErrOverlap = errors.New("the last run of this schedule is not done")

// ErrLeaseLost says that a tick is somebody else's by now, or that its schedule is paused or gone.
var ErrLeaseLost = errors.New("the schedule is no longer ours to start")

// Schedule is what starts runs again and again.
type Schedule struct {
	Name    string
	Spec    json.RawMessage // JSON; the crawler's, opaque here
	Paused  bool
	Created time.Time
	LastRun int64  // 0 if it has started none
	Due     int64  // when its next tick is due, milliseconds of the epoch, also while it is paused; Never: it starts no more
	Fault   string // why its last tick began no run; empty if nothing was amiss
}

// PutSchedule writes a new schedule, or another spec of one that is there. Due is when its next tick is due; 0 leaves it
// as it is. Whether a schedule that is there is paused, and what it has started, stays.
func (db *DB) PutSchedule(ctx context.Context, s Schedule) error {
	err := db.write(ctx, func(x *tx) error {
		host := TickHost(s.Name)
		if err := x.prepareHosts([]string{host}); err != nil {
			return err
		}
		var paused int64
		if s.Paused {
			paused = 1
		}
		if _, err := x.exec(`INSERT INTO schedules (name, spec, paused, created, fault) VALUES ($1,$2,$3,$4,$5)
			ON CONFLICT (name) DO UPDATE SET spec=excluded.spec, fault=excluded.fault`, s.Name, string(s.Spec), paused, micros(s.Created), s.Fault); err != nil {
			return err
		}
		if s.Due == 0 {
			return nil
		}
		return x.setTick(s.Name, s.Due)
	})
	if err != nil {
		return fmt.Errorf("write schedule %s: %w", s.Name, err)
	}
	return nil
}

// setTick writes when a schedule's tick is due. Its host is locked.
func (x *tx) setTick(name string, due int64) error {
	paused, err := x.standing(name)
	if err != nil {
		return err
	}
	if paused && due < parked {
		due += parked
	}
	host := TickHost(name)
	if _, err := x.exec(`INSERT INTO tasks (`+taskCols+`) VALUES ($1,0,$2,$3,$4,0,'','',$5,0,'')
		ON CONFLICT (host, run, id) DO UPDATE SET due_at=excluded.due_at`, host, tickID, host, KindTick, due); err != nil {
		return err
	}
	_, err = x.exec(sqlWake, host)
	return err
}

// standing tells whether a schedule is paused, and keeps it as it is until the transaction ends.
func (x *tx) standing(name string) (paused bool, err error) {
	var p int64
	err = x.t.QueryRowContext(x.ctx, `SELECT paused FROM schedules WHERE name=$1`+x.db.d.forUpdate, name).Scan(&p)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return p != 0, err
}

// PauseSchedule keeps a schedule from starting runs, or lets it go on: then its next tick is due at due.
func (db *DB) PauseSchedule(ctx context.Context, name string, paused bool, due int64) error {
	err := db.write(ctx, func(x *tx) error {
		host := TickHost(name)
		if err := x.lockHosts([]string{host}); err != nil {
			return err
		}
		if _, err := x.standing(name); err != nil {
			return err
		}
		if paused {
			if _, err := x.exec(`UPDATE schedules SET paused=1 WHERE name=$1`, name); err != nil {
				return err
			}
			if _, err := x.exec(`UPDATE tasks SET due_at=due_at+$1 WHERE host=$2 AND due_at<$1`, parked, host); err != nil {
				return err
			}
			_, err := x.exec(sqlWake, host)
			return err
		}
		if _, err := x.exec(`UPDATE schedules SET paused=0 WHERE name=$1`, name); err != nil {
			return err
		}
		return x.setTick(name, due)
	})
	if err != nil {
		return fmt.Errorf("pause or resume schedule %s: %w", name, err)
	}
	return nil
}

// RemoveSchedule forgets a schedule and what it knows of its entries. What it has captured stays, and a run of it that is
// going on goes on.
func (db *DB) RemoveSchedule(ctx context.Context, name string) error {
	err := db.write(ctx, func(x *tx) error {
		host := TickHost(name)
		if err := x.lockHosts([]string{host}); err != nil {
			return err
		}
		n, err := x.exec(`DELETE FROM schedules WHERE name=$1`, name)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		if _, err := x.exec(`DELETE FROM tasks WHERE host=$1`, host); err != nil {
			return err
		}
		// Its lease goes; the row stays: whoever adds a schedule of this name at the same time has seen it.
		if _, err := x.exec(`UPDATE hosts SET lease=0, owner='', next_at=$1 WHERE host=$2`, Never, host); err != nil {
			return err
		}
		_, err = x.exec(`DELETE FROM entries WHERE schedule=$1`, name)
		return err
	})
	if err != nil {
		return fmt.Errorf("remove schedule %s: %w", name, err)
	}
	return nil
}

// Start is a run that a schedule begins.
type Start struct {
	Schedule string
	Lease    *Lease // of the tick, which is done with it; nil: a person asks for the run, and the tick stays as it is
	Run      Run
	First    []Task
	Due      int64 // of the next tick; Never: there is none
}

// StartScheduled begins a run of a schedule, notes it as the last one, sets the next tick and frees its host: all of it or
// nothing. ErrOverlap if a run of that schedule is not done, ErrLeaseLost if the tick is no longer the caller's or the schedule is
// paused, ErrNotFound if it is gone.
func (db *DB) StartScheduled(ctx context.Context, s Start) (Run, error) {
	r := s.Run
	r.Schedule, r.State = s.Schedule, RunActive
	err := db.write(ctx, func(x *tx) error {
		host := TickHost(s.Schedule)
		first := hostsOf(s.First)
		if err := x.makeHosts(first); err != nil {
			return err
		}
		locked := append(slices.Clone(first), host)
		slices.Sort(locked)
		if err := x.lockHosts(locked); err != nil {
			return err
		}
		paused, err := x.standing(s.Schedule)
		if err != nil {
			return err
		}
		if s.Lease != nil {
			held, err := x.strings(`SELECT host FROM hosts WHERE host=$1 AND lease=$2 AND lease<>0`, host, s.Lease.Token)
			if err == nil && (len(held) == 0 || paused) {
				err = ErrLeaseLost
			}
			if err != nil {
				return err
			}
		}
		// Also one of a schedule that had this name before.
		if open, err := x.strings(`SELECT state FROM runs WHERE schedule=$1 AND schedule<>'' AND state<>$2 LIMIT 1`, s.Schedule, RunDone); err != nil {
			return err
		} else if len(open) > 0 {
			return ErrOverlap
		}
		if err := x.startRun(&r, nil, s.First); err != nil {
			return err
		}
		if _, err := x.exec(`UPDATE schedules SET last_run=$1, fault='' WHERE name=$2`, r.ID, s.Schedule); err != nil {
			return err
		}
		if s.Lease == nil {
			return nil
		}
		if _, err := x.exec(`UPDATE tasks SET due_at=$1, attempts=attempts+1 WHERE host=$2 AND run=0 AND id=$3`, s.Due, host, tickID); err != nil {
			return err
		}
		return x.free([]Lease{*s.Lease}, 0)
	})
	if err != nil {
		return Run{}, fmt.Errorf("start a run of schedule %s: %w", s.Schedule, err)
	}
	return r, nil
}

// PostponeTick lets a leased tick be due at another time, notes what is amiss (nothing, if fault is empty), and frees its
// host. A lease that is no longer held, or a schedule that was paused meanwhile, is left alone but for the lease.
func (db *DB) PostponeTick(ctx context.Context, l Lease, due int64, fault string) error {
	err := db.write(ctx, func(x *tx) error {
		if err := x.lockHosts([]string{l.Host}); err != nil {
			return err
		}
		n, err := x.exec(`UPDATE tasks SET due_at=$1 WHERE host=$2 AND run=0 AND due_at<$3
			AND EXISTS (SELECT 1 FROM hosts WHERE host=$2 AND lease=$4 AND lease<>0)`, due, l.Host, parked, l.Token)
		if err != nil {
			return err
		}
		if n > 0 {
			name := strings.TrimPrefix(l.Host, HostSchedule)
			if _, err := x.exec(`UPDATE schedules SET fault=$1 WHERE name=$2`, fault, name); err != nil {
				return err
			}
		}
		return x.free([]Lease{l}, 0)
	})
	if err != nil {
		return fmt.Errorf("postpone %s: %w", l.Host, err)
	}
	return nil
}

const scheduleCols = `s.name, s.spec, s.paused, s.created, s.last_run, s.fault, COALESCE(t.due_at, 1152921504606846976) FROM schedules s
	LEFT JOIN tasks t ON t.host = '` + HostSchedule + `' || s.name AND t.run = 0`

// Schedules brings every schedule, by name.
func (db *DB) Schedules(ctx context.Context) ([]Schedule, error) {
	return db.schedules(ctx, `ORDER BY s.name`)
}

// Schedule brings one; ErrNotFound if there is none of that name.
func (db *DB) Schedule(ctx context.Context, name string) (Schedule, error) {
	ss, err := db.schedules(ctx, `WHERE s.name=$1`, name)
	if err == nil && len(ss) == 0 {
		err = fmt.Errorf("schedule %s: %w", name, ErrNotFound)
	}
	if err != nil {
		return Schedule{}, err
	}
	return ss[0], nil
}

func (db *DB) schedules(ctx context.Context, where string, args ...any) (out []Schedule, err error) {
	rows, err := db.r.QueryContext(ctx, `SELECT `+scheduleCols+` `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read schedules: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var s Schedule
		var spec string
		var paused, created int64
		if err := rows.Scan(&s.Name, &spec, &paused, &created, &s.LastRun, &s.Fault, &s.Due); err != nil {
			return nil, fmt.Errorf("read schedules: %w", err)
		}
		s.Spec, s.Paused, s.Created = json.RawMessage(spec), paused != 0, fromMicros(created)
		if s.Due >= parked && s.Due < Never {
			s.Due -= parked
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// ScheduleRuns brings up to n runs of a schedule, newest first.
func (db *DB) ScheduleRuns(ctx context.Context, name string, n int) ([]Run, error) {
	return db.runs(ctx, `WHERE schedule=$1 AND schedule<>'' ORDER BY id DESC LIMIT $2`, name, n)
}

// RunBefore brings the run of the same schedule that came before a run; ErrNotFound if it was the first.
func (db *DB) RunBefore(ctx context.Context, r Run) (Run, error) {
	rs, err := db.runs(ctx, `WHERE schedule=$1 AND schedule<>'' AND id<$2 ORDER BY id DESC LIMIT 1`, r.Schedule, r.ID)
	if err == nil && len(rs) == 0 {
		err = fmt.Errorf("run of %s before %d: %w", r.Schedule, r.ID, ErrNotFound)
	}
	if err != nil {
		return Run{}, err
	}
	return rs[0], nil
}

package crawler

import (
	"context"
	"fmt"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/report"
	"linkstead/archive/urlkey"
	"linkstead/crawler/watch"
	"linkstead/storage"
)

// ScheduleRows is what a schedule's report is made from.
type ScheduleRows interface {
	ScheduleRuns(ctx context.Context, name string, n int) ([]storage.Run, error)
	Tally(ctx context.Context, run int64) (map[string]int, error)
}

// Sources tells what became of what a run was asked for: *report.Builder.
type Sources interface {
	Source(ctx context.Context, run storage.Run) (report.Fate, error)
}

// ScheduleReport is a schedule with its history: the same for terminal, JSON and pages.
type ScheduleReport struct {
	Version    int           `json:"version"`
	Name       string        `json:"name"`
	Kind       watch.Kind    `json:"kind"`
	Source     string        `json:"source"`
	Collection string        `json:"collection"`
	When       string        `json:"when"`
	State      string        `json:"state"`           // active, paused, over: it starts no more runs
	Fault      string        `json:"fault,omitempty"` // why its last tick began no run, in a sentence
	Next       *time.Time    `json:"next,omitempty"`  // when the next run is due, unless it is paused or over
	Runs       []ScheduleRun `json:"runs"`            // newest first
}

// The states of a schedule.
const (
	ScheduleActive = "active"
	SchedulePaused = "paused"
	ScheduleOver   = "over"
)

// ScheduleRun is one run of a schedule.
type ScheduleRun struct {
	Run      int64          `json:"run"`
	State    string         `json:"state"`
	Started  time.Time      `json:"started"`
	Ended    *time.Time     `json:"ended,omitempty"`
	Tasks    map[string]int `json:"tasks"`               // by outcome
	Fault    string         `json:"fault,omitempty"`     // why the source itself could not be had or read, in a sentence
	Cut      string         `json:"cut,omitempty"`       // the budget that was used up
	CutTasks int            `json:"cut_tasks,omitempty"` // addresses that were found and not asked for
	Changes  *watch.Diff    `json:"changes,omitempty"`   // from the run before; missing while the run goes on
}

// ReportSchedule makes the report of a schedule with its newest n runs.
func ReportSchedule(ctx context.Context, rows ScheduleRows, sources Sources, row storage.Schedule, n int) (*ScheduleReport, error) {
	s, err := watch.Decode(row)
	if err != nil {
		return nil, err
	}
	r := &ScheduleReport{
		Version: 1, Name: row.Name, Kind: s.Kind, Source: s.Spec.Source, Collection: s.Spec.Collection, When: s.When.String(),
		State: ScheduleActive, Fault: row.Fault, Runs: []ScheduleRun{},
	}
	runs, err := rows.ScheduleRuns(ctx, row.Name, max(n, adaptOver))
	if err != nil {
		return nil, err
	}
	switch {
	case row.Paused:
		r.State = SchedulePaused
	case row.Due >= storage.Never:
		r.State = ScheduleOver
	default:
		next := time.UnixMilli(row.Due).UTC()
		timing, err := s.When.Compile()
		if err != nil {
			return nil, fmt.Errorf("schedule %s: %w", row.Name, err)
		}
		history, err := Past(runs[:min(len(runs), adaptOver)])
		if err != nil {
			return nil, err
		}
		if ready := timing.Ready(history); ready.After(next) {
			next = ready.UTC()
		}
		r.Next = &next
	}
	for _, run := range runs[:min(len(runs), n)] {
		one, err := reportRun(ctx, rows, run)
		if err == nil && s.Kind != watch.Recheck && urlkey.Fetchable(run.Source) {
			one.Fault, err = fault(ctx, sources, run)
		}
		if err != nil {
			return nil, err
		}
		r.Runs = append(r.Runs, one)
	}
	return r, nil
}

// fault says why a run's source could not be had or read; empty if it could, or is still to come.
func fault(ctx context.Context, sources Sources, run storage.Run) (string, error) {
	if run.Fault != "" {
		return run.Fault, nil
	}
	f, err := sources.Source(ctx, run)
	if err != nil || f.Outcome == report.Pending || f.Outcome == report.Purged {
		return "", err
	}
	return f.Failure(), nil
}

func reportRun(ctx context.Context, rows ScheduleRows, run storage.Run) (ScheduleRun, error) {
	tally, err := rows.Tally(ctx, run.ID)
	if err != nil {
		return ScheduleRun{}, err
	}
	out := ScheduleRun{
		Run: run.ID, State: string(run.State), Started: run.Started, Tasks: tally, Cut: run.Cut, CutTasks: tally[string(outcome.Quota)],
	}
	if !run.Ended.IsZero() {
		out.Ended = &run.Ended
	}
	d, ok, err := watch.DecodeDiff(run.Changes)
	if ok {
		out.Changes = &d
	}
	return out, err
}

// Failed says whether the source could not be had or read, or nothing that the run asked for got an answer.
func (r *ScheduleRun) Failed() bool {
	if r.Fault != "" {
		return true
	}
	for o, n := range r.Tasks {
		if n > 0 && outcome.Outcome(o).Kept() {
			return false
		}
	}
	return true
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"linkstead/archive/report"
	"linkstead/crawler"
	"linkstead/crawler/watch"
	"linkstead/storage"
)

// scheduleListCmd lists the schedules.
type scheduleListCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (c *scheduleListCmd) run(ctx context.Context, e *env) (err error) {
	st, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	rows, err := st.db.Schedules(ctx)
	if err != nil {
		return err
	}
	reports := []*crawler.ScheduleReport{}
	for _, row := range rows {
		r, err := crawler.ReportSchedule(ctx, st.db, e.reports(st), row, 1)
		if err != nil {
			return err
		}
		reports = append(reports, r)
	}
	if c.JSON {
		return encode(e.stdout, reports)
	}
	if len(reports) == 0 {
		fmt.Fprintln(e.stdout, "No schedules yet. Add one: linkstead schedule add blog feed https://example.org/feed.xml --every 6h")
	}
	for _, r := range reports {
		printSchedule(e.stdout, r, st.db.Now())
		if len(r.Runs) > 0 {
			printRun(e.stdout, r.Runs[0], false)
		}
	}
	return nil
}

// scheduleShowCmd shows one schedule.
type scheduleShowCmd struct {
	Name string `arg:"" help:"The schedule."`
	Runs int    `help:"How many of its runs to show, newest first." default:"20" placeholder:"N"`
	JSON bool   `name:"json" help:"Print JSON."`
}

func (c *scheduleShowCmd) run(ctx context.Context, e *env) error {
	if c.Runs < 1 || c.Runs > 10_000 {
		return usageError{fmt.Errorf("--runs %d is out of range: use 1 to 10000", c.Runs)}
	}
	return e.withSchedule(ctx, e.openTables, c.Name, func(st *store, row storage.Schedule) error {
		r, err := crawler.ReportSchedule(ctx, st.db, e.reports(st), row, c.Runs)
		if err != nil {
			return err
		}
		if c.JSON {
			return encode(e.stdout, r)
		}
		printSchedule(e.stdout, r, st.db.Now())
		if len(r.Runs) == 0 {
			fmt.Fprintln(e.stdout, "  No run yet. 'linkstead work' and 'linkstead serve' start what is due; 'linkstead schedule run "+r.Name+"' runs it now.")
		}
		for i, run := range r.Runs {
			printRun(e.stdout, run, i == 0)
		}
		return nil
	})
}

func printSchedule(w io.Writer, r *crawler.ScheduleReport, now time.Time) {
	fmt.Fprintf(w, "%s  %s %s\n", r.Name, r.Kind, clean(r.Source))
	next := r.State
	if r.Next != nil {
		next = "next run " + moment(r.Next.UnixMilli(), now)
	}
	fmt.Fprintf(w, "  %s; %s; collection %s\n", clean(r.When), next, r.Collection)
	if r.Fault != "" {
		fmt.Fprintf(w, "  no run could begin: %s\n", clean(r.Fault))
	}
}

// printRun prints a run of a schedule; with its differing addresses, or some of them, if list is set.
func printRun(w io.Writer, r crawler.ScheduleRun, list bool) {
	fmt.Fprintf(w, "  run %-4d %s", r.Run, stamp(r.Started))
	switch {
	case r.Ended != nil:
		fmt.Fprintf(w, ", took %s", since(r.Ended.Sub(r.Started)))
	case r.State == string(storage.RunPaused):
		fmt.Fprintf(w, ", interrupted")
	default:
		fmt.Fprintf(w, ", going on")
	}
	fmt.Fprintf(w, "\n           %s\n", report.Words(r.Tasks))
	if r.Fault != "" {
		fmt.Fprintf(w, "           its source leads nowhere: %s\n", clean(r.Fault))
	}
	if r.Cut != "" {
		fmt.Fprintf(w, "           cut: its budget of %s was used up; %s not asked for\n", r.Cut, plural(r.CutTasks, "address was", "addresses were"))
	}
	if r.Changes == nil {
		return
	}
	fmt.Fprintf(w, "           %s\n", changes(r.Changes))
	if !list {
		return
	}
	const most = 20
	for i, c := range r.Changes.List {
		if i == most {
			fmt.Fprintf(w, "             and %d more; --json names them\n", len(r.Changes.List)+r.Changes.More-most)
			break
		}
		fmt.Fprintf(w, "             %-8s %s\n", c.Change, clean(c.URL))
	}
}

// changes says how a run differs from the one before.
func changes(d *watch.Diff) string {
	if d.Against == 0 {
		return "first run: nothing to compare with"
	}
	var parts []string
	for _, c := range []struct {
		n    int
		what string
	}{{d.New, "new"}, {d.Changed, "changed"}, {d.Failed, "failed now"}, {d.Back, "back again"}, {d.Gone, "gone"}} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("as run %d", d.Against)
	}
	return fmt.Sprintf("against run %d: %s", d.Against, strings.Join(parts, ", "))
}

// moment says when something is due.
func moment(ms int64, now time.Time) string {
	if ms >= storage.Never {
		return "none"
	}
	at := time.UnixMilli(ms)
	if !at.After(now) {
		return "now"
	}
	return stamp(at)
}

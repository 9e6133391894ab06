package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"linkstead/configs"
	"linkstead/crawler/watch"
	"linkstead/storage"
)

// scheduleApplyCmd makes the schedules what a file says.
type scheduleApplyCmd struct {
	File   string `arg:"" help:"A YAML file (see docs/schedules.yaml)."`
	DryRun bool   `help:"Tell what would change, and change nothing."`
	Prune  bool   `help:"Forget the schedules that the file does not name."`
}

// plannedSchedule is what becomes of one schedule.
type plannedSchedule struct {
	name string
	want *watch.Schedule   // nil: it goes, or is left alone
	old  *storage.Schedule // nil: it is new
	word string            // what changes; empty: nothing
}

func (c *scheduleApplyCmd) run(ctx context.Context, e *env) (err error) {
	wanted, written, err := c.read(e)
	if err != nil {
		return usageError{err}
	}
	var st *store
	if path, ok := strings.CutPrefix(e.cfg.Database(), "sqlite:"); !c.DryRun || !ok || !empty(path) {
		if st, err = e.openTables(ctx, !c.DryRun); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, st.close()) }()
		for i, s := range wanted {
			if err := st.inherit(ctx, s, written[i]); err != nil {
				return fmt.Errorf("schedule %s: %w", s.Name, err)
			}
		}
	}
	plans, err := c.plan(ctx, e, st, wanted)
	if err != nil {
		return err
	}
	changed := 0
	for _, p := range plans {
		if p.word == "" {
			fmt.Fprintf(e.stdout, "%s: as it is\n", p.name)
			continue
		}
		fmt.Fprintf(e.stdout, "%s: %s\n", p.name, p.word)
		if p.want == nil && !c.Prune {
			continue
		}
		changed++
		if c.DryRun {
			continue
		}
		if p.want == nil {
			err = st.db.RemoveSchedule(ctx, p.name)
		} else {
			_, err = putSchedule(ctx, st, p.want, p.old)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case c.DryRun && changed > 0:
		fmt.Fprintf(e.stdout, "%s would change. Nothing was changed.\n", plural(changed, "schedule", "schedules"))
	case changed == 0:
		fmt.Fprintln(e.stdout, "Nothing to change.")
	}
	return nil
}

// read reads and checks the whole file, before anything is changed.
func (c *scheduleApplyCmd) read(e *env) (out []*watch.Schedule, written []configs.Schedule, err error) {
	data, err := readFile(c.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("there is no file %q\nName a YAML file; docs/schedules.yaml is an example", c.File)
	}
	if err != nil {
		return nil, nil, err
	}
	written, err = configs.ReadSchedules(c.File, data, e.cfg.NewSchedule())
	if err != nil {
		return nil, nil, err
	}
	for _, w := range written {
		s, err := e.schedule(w, filepath.Dir(c.File))
		if err != nil {
			return nil, nil, fmt.Errorf("schedule %s: %s:%d: %w", w.Name, c.File, w.Line, err)
		}
		out = append(out, s)
	}
	return out, written, nil
}

// plan says what becomes of each schedule: of the file first, in its order.
func (c *scheduleApplyCmd) plan(ctx context.Context, e *env, st *store, wanted []*watch.Schedule) ([]plannedSchedule, error) {
	var rows []storage.Schedule
	if st != nil {
		var err error
		if rows, err = st.db.Schedules(ctx); err != nil {
			return nil, err
		}
	}
	there := map[string]*storage.Schedule{}
	for i := range rows {
		there[rows[i].Name] = &rows[i]
	}
	var out []plannedSchedule
	for _, s := range wanted {
		p := plannedSchedule{name: s.Name, want: s, old: there[s.Name]}
		delete(there, s.Name)
		if p.old == nil {
			p.word = fmt.Sprintf("new: %s %s, %s", s.Kind, s.Spec.Source, s.When)
		} else if err := p.compare(); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	for i := range rows {
		if there[rows[i].Name] == nil {
			continue
		}
		p := plannedSchedule{name: rows[i].Name, word: "goes: the file does not name it"}
		if !c.Prune {
			p.word = "left alone: the file does not name it (--prune forgets it)"
		}
		out = append(out, p)
	}
	return out, nil
}

// compare says what of a schedule changes.
func (p *plannedSchedule) compare() error {
	was, err := watch.Decode(*p.old)
	if err != nil {
		return err
	}
	var words []string
	for _, d := range asWritten(p.want).Differences(asWritten(was)) {
		if d.Key == "urls" {
			words = append(words, fmt.Sprintf("urls %d → %d addresses", len(was.URLs), len(p.want.URLs)))
			continue
		}
		words = append(words, fmt.Sprintf("%s %s → %s", d.Key, orNone(d.From), orNone(d.To)))
	}
	if p.word = strings.Join(words, "; "); p.word != "" {
		p.word = "changes: " + p.word
		return nil
	}
	old, err := was.Encode()
	if err != nil {
		return err
	}
	now, err := p.want.Encode()
	if err == nil && !bytes.Equal(old, now) {
		p.word = "changes: limits of the configuration"
	}
	return err
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// scheduleExportCmd prints the schedules.
type scheduleExportCmd struct{}

func (c *scheduleExportCmd) run(ctx context.Context, e *env) (err error) {
	st, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	rows, err := st.db.Schedules(ctx)
	if err != nil {
		return err
	}
	var list []configs.Schedule
	for _, row := range rows {
		s, err := watch.Decode(row)
		if err != nil {
			return err
		}
		list = append(list, asWritten(s))
	}
	out, err := configs.WriteSchedules(list, e.cfg.NewSchedule())
	if err != nil {
		return err
	}
	_, err = e.stdout.Write(out)
	return err
}

// cutComma splits a pair.
func cutComma(s string) (string, string, bool) {
	a, b, ok := strings.Cut(s, ",")
	return strings.TrimSpace(a), strings.TrimSpace(b), ok
}

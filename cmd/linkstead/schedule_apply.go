package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"linkstead/archive/urlkey"
	"linkstead/configs"
	"linkstead/crawler"
	"linkstead/crawler/scope"
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

	moved bool     // its times are new
	waits bool     // for the post that it rechecks
	notes []string // what may not be meant so
	next  string   // when its next run is due, once it is put
}

// look finds out what may not be meant so, before anything is changed. A recheck of a post that is not kept has to name it
// by its address: nothing else will ever be its.
func (p *plannedSchedule) look(ctx context.Context, st *store) error {
	spec := p.want.Spec
	_, _, err := crawler.Scheduled(ctx, st.db, p.want, st.db.Now())
	switch {
	case errors.Is(err, crawler.ErrNoPost) && urlkey.Fetchable(spec.Source):
		p.waits = true
		p.notes = append(p.notes, fmt.Sprintf("The post %s is not kept in collection %s yet: 'linkstead capture' makes it so.", spec.Source, spec.Collection))
	case err != nil && !errors.Is(err, crawler.ErrNothing) || errors.Is(err, crawler.ErrNoPost):
		return fmt.Errorf("schedule %s: %w", p.name, noPost(err, p.want))
	}
	if spec.Collection == scope.Default().Collection {
		return nil
	}
	_, err = st.db.Collection(ctx, spec.Collection)
	if errors.Is(err, storage.ErrNotFound) {
		p.notes = append(p.notes, fmt.Sprintf("Collection %s is not there yet: the first capture makes it. 'linkstead collection list' tells which there are.", spec.Collection))
		return nil
	}
	return err
}

// put writes the schedule.
func (p *plannedSchedule) put(ctx context.Context, st *store) error {
	due, err := putSchedule(ctx, st, p.want, p.old)
	switch {
	case p.old != nil && p.old.Paused:
		p.next = "none while it is paused"
	case p.waits:
		p.next = "once its post is kept"
	default:
		p.next = moment(due, st.db.Now())
	}
	return err
}

func (p *plannedSchedule) tell(e *env) {
	for _, n := range p.notes {
		fmt.Fprintln(e.stderr, n)
	}
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
	for i := range plans {
		if p := &plans[i]; p.word != "" && p.want != nil && st != nil {
			if err := p.look(ctx, st); err != nil {
				return err
			}
		}
	}
	changed := 0
	for i := range plans {
		p := &plans[i]
		if err := c.carry(ctx, e, st, p); err != nil {
			return err
		}
		if p.word != "" && (p.want != nil || c.Prune) {
			changed++
		}
	}
	switch {
	case changed == 0:
		fmt.Fprintln(e.stdout, "Nothing to change.")
	case c.DryRun:
		fmt.Fprintf(e.stdout, "%s would change. Nothing was changed.\n", plural(changed, "schedule", "schedules"))
	default:
		fmt.Fprintf(e.stdout, "%s changed.\n", plural(changed, "schedule was", "schedules were"))
	}
	return nil
}

// carry carries out what is planned for one schedule, and says what that is.
func (c *scheduleApplyCmd) carry(ctx context.Context, e *env, st *store, p *plannedSchedule) (err error) {
	word := p.word
	switch {
	case word == "":
		word = "as it is"
	case c.DryRun:
	case p.want != nil:
		err = p.put(ctx, st)
		word += "; next run: " + p.next
	case c.Prune:
		err = st.db.RemoveSchedule(ctx, p.name)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s: %s\n", p.name, clean(word))
	p.tell(e)
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
			return nil, nil, fmt.Errorf("schedule %s: %s:%d: %w", w.Name, c.File, w.LineOf(faulty(err)), err)
		}
		out = append(out, s)
	}
	return out, written, nil
}

// faulty is the key that is at fault: what is said of a value begins with its name.
func faulty(err error) string {
	key, _, _ := strings.Cut(err.Error(), " ")
	return strings.TrimSuffix(key, ":")
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
			p.word, p.moved = fmt.Sprintf("new: %s %s, %s", s.Kind, s.Spec.Source, s.When), true
		} else if err := p.compare(); err != nil {
			return nil, err
		}
		if p.moved {
			if err := e.notPast(s); err != nil {
				return nil, err
			}
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
	p.moved = !was.When.Same(p.want.When)
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

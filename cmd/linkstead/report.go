package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"linkstead/archive/outcome"
	"linkstead/archive/report"
	"linkstead/cmd/linkstead/web"
	"linkstead/storage"
)

// reportCmd tells what a run came to.
type reportCmd struct {
	Run    string `arg:"" help:"The number of a run, 'last' for the one that began last, or a post (its short name, address or file): its newest run."`
	Format string `help:"text, html (one file, to print or send), json, or csv (a line an address). Without it as the name of --output ends; else text." enum:",text,html,json,csv" default:"" placeholder:"FORMAT"`
	JSON   bool   `name:"json" help:"The same as --format json."`
	Output string `short:"o" help:"Write into this file instead of standard output." placeholder:"FILE"`
}

func (c *reportCmd) run(ctx context.Context, e *env) (err error) {
	if err := c.decide(); err != nil {
		return err
	}
	s, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	run, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	if c.Output == "" || c.Output == "-" {
		return c.write(ctx, e, s, run, e.stdout)
	}
	return toFile(c.Output, func(w io.Writer) error { return c.write(ctx, e, s, run, w) })
}

// decide settles the format: as it is asked for, or as the file is called.
func (c *reportCmd) decide() error {
	if c.JSON && c.Format != "" && c.Format != "json" {
		return usageError{fmt.Errorf("--json and --format %s do not go together: leave one of them out", c.Format)}
	}
	switch ext := strings.TrimPrefix(strings.ToLower(filepath.Ext(c.Output)), "."); {
	case c.JSON:
		c.Format = "json"
	case c.Format != "":
	case ext == "json", ext == "csv", ext == "html":
		c.Format = ext
	case ext == "htm":
		c.Format = "html"
	}
	return nil
}

// toFile writes a file, whole or not at all: what was there before stays until then.
func toFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".report-*")
	if err != nil {
		if cause := errors.Unwrap(err); cause != nil { // the name of a temporary file tells nobody anything
			err = cause
		}
		return fmt.Errorf("write %s: %w\nName a file in a folder that exists, and may be written to", name, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	b := bufio.NewWriter(f)
	if err := errors.Join(write(b), b.Flush(), f.Chmod(0o644), f.Sync()); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), name)
}

// find brings the run that is meant.
func (c *reportCmd) find(ctx context.Context, s *store) (storage.Run, error) {
	if c.Run == "last" {
		run, err := s.db.LastRun(ctx)
		if errors.Is(err, storage.ErrNotFound) {
			err = errors.New("there is no run yet\nCapture something first")
		}
		return run, err
	}
	if id, err := strconv.ParseInt(c.Run, 10, 64); err == nil {
		run, err := s.db.Run(ctx, id)
		if errors.Is(err, storage.ErrNotFound) {
			err = fmt.Errorf("there is no run %d\n'linkstead report last' tells of the newest, 'linkstead list' which posts there are", id)
		}
		return run, err
	}
	versions, err := (&showCmd{Post: c.Run}).find(ctx, s)
	if err != nil {
		return storage.Run{}, err
	}
	if versions[0].Run < 0 {
		return storage.Run{}, errImported(versions[0])
	}
	return s.db.Run(ctx, versions[0].Run)
}

// errImported says that no run of this archive tells of a post.
func errImported(p storage.Post) error {
	return fmt.Errorf("%s came with an imported file, and no run of this archive tells of it\n'linkstead show %s' tells what there is; 'linkstead capture' captures it anew", p.Source, p.ID)
}

func (c *reportCmd) write(ctx context.Context, e *env, s *store, run storage.Run, w io.Writer) error {
	if c.Format == "csv" {
		return e.reports(s).WriteCSV(ctx, s.db, run, w)
	}
	r, err := report.BuildRun(ctx, s.db, run)
	if err != nil {
		return err
	}
	switch c.Format {
	case "json":
		return encode(w, r)
	case "html":
		return web.WriteRun(w, r, s.db.Now())
	}
	return printRunReport(w, r)
}

// What the text lists at most.
const (
	reportHosts    = 20
	reportExamples = 3
)

func printRunReport(w io.Writer, r *report.Run) error {
	fmt.Fprintf(w, "Run %d: %s\n", r.ID, clean(r.Source))
	fmt.Fprintf(w, "  Began     %s, collection %s", stamp(r.Started), r.Collection)
	if r.Schedule != "" {
		fmt.Fprintf(w, ", schedule %s", r.Schedule)
	}
	fmt.Fprintln(w)
	switch {
	case r.Ended != nil:
		fmt.Fprintf(w, "  Ended     %s, after %s\n", stamp(*r.Ended), since(r.Ended.Sub(r.Started)))
	case r.State == string(storage.RunPaused) && r.Fault != "":
		fmt.Fprintln(w, "  Ended     not yet: it can't be carried out")
	case r.State == string(storage.RunPaused):
		fmt.Fprintln(w, "  Ended     not yet: interrupted")
	default:
		fmt.Fprintln(w, "  Ended     not yet: it goes on")
	}
	if r.Cut != "" {
		fmt.Fprintf(w, "  Cut       its budget of %s was used up\n", r.Cut)
	}
	if r.Fault != "" {
		fmt.Fprintf(w, "  Fault     %s\n", clean(r.Fault))
	}
	fmt.Fprintf(w, "  In all    %s\n", report.Words(r.Tasks))
	if r.Requisites != nil && r.Requisites.N > 0 {
		fmt.Fprintf(w, "  Needs     %s\n", r.Requisites.Words())
	}
	x := &r.Exchanges
	fmt.Fprintf(w, "  Bytes     %s: %s new, %s there already (%s in %s)\n", size(x.Bytes), size(x.New), size(x.Bytes-x.New),
		plural(int(x.Revisits), "revisit", "revisits"), plural(int(x.N), "exchange", "exchanges"))
	if r.Tasks[report.Purged] > 0 {
		fmt.Fprintln(w, "  Note      some of what it captured was taken out of the archive since, and is told no more: exchanges, bytes and times are those of the rest")
	}
	if r.Partial {
		fmt.Fprintln(w, "  Note      a part of it was captured by an older version: bytes, times and what was left out are told of the rest alone")
	}
	if err := printHosts(w, r); err != nil {
		return err
	}
	printIncomplete(w, r)
	printNotAsked(w, r)
	for i := range r.LeftOut {
		l := &r.LeftOut[i]
		if i == 0 {
			fmt.Fprintln(w, "\nLinks that were left out")
		}
		by := "of the post"
		if l.By == "scope" {
			by = "of pages"
		}
		fmt.Fprintf(w, "  %d %s: %s\n", l.N, by, clean(l.Why()))
		printExamples(w, l.Examples)
	}
	return nil
}

func printHosts(w io.Writer, r *report.Run) error {
	fmt.Fprintln(w, "\nHosts")
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "  HOST\tEXCHANGES\tFAILED\tBYTES\tNEW\tAVERAGE\tLONGEST")
	for i := range r.Hosts[:min(reportHosts, len(r.Hosts))] {
		h := &r.Hosts[i]
		fmt.Fprintf(t, "  %s\t%d\t%d\t%s\t%s\t%s\t%s\n", clean(h.Host), h.N, h.Failed(), size(h.Bytes), size(h.New), millis(h.AverageMS()), millis(h.LongestMS))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if more := len(r.Hosts) - reportHosts + r.MoreHosts; more > 0 {
		fmt.Fprintf(w, "  and %s\n", plural(more, "more host", "more hosts"))
	}
	if len(r.Slowest) > 1 {
		fmt.Fprintln(w, "\nSlowest hosts, on average")
		for _, h := range r.Slowest {
			fmt.Fprintf(w, "  %-10s %s\n", millis(h.AverageMS()), clean(h.Host))
		}
	}
	return nil
}

// printIncomplete lists the pages that lack something of what they need.
func printIncomplete(w io.Writer, r *report.Run) {
	for i := range r.Incomplete[:min(reportHosts, len(r.Incomplete))] {
		if i == 0 {
			fmt.Fprintln(w, "\nPages that are incomplete")
		}
		p := &r.Incomplete[i]
		fmt.Fprintf(w, "  %s\n    %s\n", clean(p.URL), p.Lacks())
	}
	if more := len(r.Incomplete) - reportHosts + r.MoreIncomplete; more > 0 {
		fmt.Fprintf(w, "  and %s\n", plural(more, "more page", "more pages"))
	}
}

func printNotAsked(w io.Writer, r *report.Run) {
	for i, n := range r.NotAsked {
		if i == 0 {
			fmt.Fprintln(w, "\nNot asked for")
		}
		fmt.Fprintf(w, "  %d %s: %s\n", n.N, outcome.Outcome(n.Outcome).Describe().Short, outcome.Outcome(n.Outcome).Describe().Meaning)
		printExamples(w, n.Examples)
	}
}

func printExamples(w io.Writer, urls []string) {
	for _, u := range urls[:min(reportExamples, len(urls))] {
		fmt.Fprintf(w, "    such as %s\n", clean(u))
	}
}

// millis writes milliseconds for people.
func millis(ms int64) string {
	if ms >= 10_000 {
		return fmt.Sprintf("%d s", ms/1000)
	}
	return fmt.Sprintf("%d ms", ms)
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"linkstead/archive/report"
	"linkstead/archive/urlkey"
	"linkstead/configs"
	"linkstead/storage"
)

// statusCmd tells what goes on.
type statusCmd struct {
	JSON  bool              `name:"json" help:"Print JSON; with --watch, a document a line."`
	Watch *configs.Duration `help:"Tell it again and again, after so long, until interrupted." placeholder:"TIME"`
	Host  string            `help:"Of this host, busy or idle, and of the runs that asked something of it." placeholder:"HOST"`
	Run   int64             `help:"Of this run alone, and the hosts on which it has something to do." placeholder:"RUN"`
	Top   int               `help:"How many hosts to list." default:"20" placeholder:"N"`
}

const mostTop = 1000

func (c *statusCmd) run(ctx context.Context, e *env) (err error) {
	switch {
	case c.Top < 1 || c.Top > mostTop:
		return usageError{fmt.Errorf("--top %d is out of range: use 1 to %d", c.Top, mostTop)}
	case c.Watch != nil && time.Duration(*c.Watch) < 100*time.Millisecond:
		return usageError{errors.New("--watch is too short: use 1s or more")}
	case c.Host != "" && c.Run != 0:
		return usageError{errors.New("--host and --run do not go together: leave one of them out")}
	}
	s, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if c.Watch == nil {
		return c.tell(ctx, e, s)
	}
	for ctx.Err() == nil {
		if err := c.tell(ctx, e, s); err != nil && ctx.Err() == nil {
			return err
		}
		pause(ctx, time.Duration(*c.Watch))
	}
	return nil
}

// tell writes a status at once, so that a terminal never shows half of one.
func (c *statusCmd) tell(ctx context.Context, e *env, s *store) error {
	host := c.Host
	if host != "" {
		if u, err := urlkey.Parse("", "http://"+host); err == nil {
			host = urlkey.Host(u)
		}
	}
	st, err := report.BuildStatus(ctx, s.db, report.StatusAsk{Host: host, Run: c.Run, Hosts: c.Top})
	if errors.Is(err, storage.ErrNotFound) && host != "" {
		return fmt.Errorf("nothing was ever to be asked of a host %s\nWrite it as in 'linkstead status', with its port unless that is the usual one: example.org:8080", host)
	}
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("there is no run %d\n'linkstead status' lists those that are not done", c.Run)
	}
	if err != nil {
		return err
	}
	var b bytes.Buffer
	switch {
	case c.JSON && c.Watch != nil:
		err = encodeLine(&b, st)
	case c.JSON:
		err = encode(&b, st)
	default:
		if c.Watch != nil && terminalOut(e.stdout) {
			b.WriteString("\x1b[H\x1b[2J") // from the top of an empty screen
		}
		err = printStatus(&b, st)
		if c.Watch != nil {
			b.WriteByte('\n')
		}
	}
	if err == nil {
		_, err = e.stdout.Write(b.Bytes())
	}
	return err
}

// terminalOut is terminal for standard output, which remembers failures.
func terminalOut(w io.Writer) bool {
	if o, ok := w.(*output); ok {
		w = o.w
	}
	return terminal(w)
}

func printStatus(w io.Writer, s *report.Status) error {
	n, bytes := s.Speed()
	fmt.Fprintf(w, "%s  %s exchanges/s, %s/s\n", stamp(s.At), report.PerSecond(n), size(int64(bytes)))
	for i, v := range s.Waits {
		if i == 0 {
			fmt.Fprintln(w, "\nWaiting")
		}
		fmt.Fprintf(w, "  %s%s\n", waitHead(v), clean(v.Text)+untilText(v.Until, s.At))
	}
	printRuns(w, s)
	if err := printQueue(w, s); err != nil {
		return err
	}
	if err := printNodes(w, s); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nSegments")
	for _, g := range s.Segments {
		fmt.Fprintf(w, "  %d %s, %s, on node %s, since %s\n", g.N, g.State, size(g.Bytes), clean(g.Node), age(s.At.Sub(g.Oldest)))
	}
	fmt.Fprintf(w, "  %s stored\n", bounded100k(s.Stored))
	for i, c := range s.Schedules {
		if i == 0 {
			fmt.Fprintln(w, "\nSchedules")
		}
		when := "no run is due"
		if c.Paused {
			when = "paused"
		} else if c.Due != nil {
			when = "due" + untilText(c.Due, s.At)
		}
		fmt.Fprintf(w, "  %s: %s\n", clean(c.Name), when)
		if c.Fault != "" {
			fmt.Fprintf(w, "    no run could begin: %s\n", clean(c.Fault))
		}
	}
	if s.MoreNext > 0 {
		fmt.Fprintf(w, "  and %d more\n", s.MoreNext)
	}
	return nil
}

func bounded100k(n int64) string {
	if n > storage.CountedSegments {
		return fmt.Sprintf("more than %d", storage.CountedSegments)
	}
	return strconv.FormatInt(n, 10)
}

// waitHead names what waits.
func waitHead(v report.Wait) string {
	switch v.What {
	case "hosts":
		return plural(int(v.N), "host: ", "hosts: ")
	case "queue":
		return plural(int(v.N), "host: ", "hosts: ")
	}
	return v.What + " " + clean(v.Name) + ": "
}

// untilText says until when something waits.
func untilText(t *time.Time, now time.Time) string {
	switch {
	case t == nil:
		return ""
	case !t.After(now):
		return ", now"
	}
	return fmt.Sprintf(", until %s (in %s)", stamp(*t), age(t.Sub(now)))
}

func printRuns(w io.Writer, s *report.Status) {
	fmt.Fprintln(w, "\nRuns")
	if len(s.Runs) == 0 {
		fmt.Fprintln(w, "  None goes on.")
	}
	for i := range s.Runs {
		r := &s.Runs[i]
		fmt.Fprintf(w, "  %d %s, %s\n    %s\n", r.ID, r.State, clean(r.Source), r.Progress())
		if len(r.Outcomes) > 0 {
			fmt.Fprintf(w, "    Exchanges: %s\n", report.Told(r.Outcomes))
		}
		for _, f := range r.Failing {
			fmt.Fprintf(w, "    %s: %s\n", clean(f.Host), report.Told(f.Outcomes))
		}
		if r.MoreBad > 0 {
			fmt.Fprintf(w, "    and %s that failed\n", plural(r.MoreBad, "more host", "more hosts"))
		}
	}
	if s.MoreRuns > 0 {
		fmt.Fprintf(w, "  and %d more\n", s.MoreRuns)
	}
}

func printQueue(w io.Writer, s *report.Status) error {
	fmt.Fprintln(w, "\nQueue")
	if len(s.Hosts) == 0 {
		fmt.Fprintln(w, "  Nothing is to be asked for.")
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "  HOST\tOPEN\tDUE\tNEXT\tWAITS FOR")
	for _, h := range s.Hosts {
		open := strconv.Itoa(h.Open)
		if h.More {
			open += "+"
		}
		what, until := report.WaitText(h.For), h.Until
		if h.By != "" {
			what, until = "worked on by "+clean(h.By), nil // its lease is renewed as long as that goes on
		}
		if h.Failures > 0 {
			what += fmt.Sprintf(" (%s in a row)", plural(h.Failures, "failure", "failures"))
		}
		fmt.Fprintf(t, "  %s\t%s\t%d\t%s\t%s\n", clean(report.HostName(h.Host)), open, h.Due, clean(h.Next), what+untilText(until, s.At))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if s.MoreHosts > 0 {
		fmt.Fprintf(w, "  and %s\n", plural(int(s.MoreHosts), "more host", "more hosts"))
	}
	return nil
}

func printNodes(w io.Writer, s *report.Status) error {
	fmt.Fprintln(w, "\nNodes")
	if len(s.Nodes) == 0 {
		fmt.Fprintln(w, "  None has ever worked on this archive.")
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "  NODE\tSEEN\tEXCHANGES/S\tBYTES/S\tSPOOL\tVERSION")
	for _, n := range s.Nodes {
		seen := "never"
		if !n.Seen.IsZero() {
			seen = age(s.At.Sub(n.Seen)) + " ago"
		}
		if !n.Alive {
			seen += ", not at work"
		}
		spool := size(n.SpoolUsed)
		if n.SpoolMax > 0 {
			spool += " of " + size(n.SpoolMax)
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\t%s\n", clean(n.Node), seen, report.PerSecond(n.PerSecond), size(int64(n.Bytes)), spool, clean(n.Version))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if s.MoreNodes > 0 {
		fmt.Fprintf(w, "  and %d more\n", s.MoreNodes)
	}
	return nil
}

package report

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// URLRows brings what a run did, address by address.
type URLRows interface {
	RunHosts(ctx context.Context, run int64) ([]string, error)
	HostTasks(ctx context.Context, run int64, host string, after int64, n int) ([]storage.Task, error)
	LastOf(ctx context.Context, run storage.Run, asked []storage.Asked) ([]storage.Recorded, error)
}

// columns of the CSV, see docs/json.md.
var columns = []string{"url", "host", "kind", "outcome", "status", "mime", "bytes", "new_bytes", "digest", "at", "ms", "via", "depth",
	"tries", "redirect", "flags", "detail", "replay"}

// pageTasks is how many addresses are in memory at a time.
const pageTasks = 500

// WriteCSV writes a line for each address of a run, by host, as RFC 4180 has it, with CRLF. A cell that a spreadsheet would
// take for a formula begins with an apostrophe. It holds a few hundred addresses at a time, however many there are.
func (b *Builder) WriteCSV(ctx context.Context, rows URLRows, run storage.Run, to io.Writer) error {
	w := csv.NewWriter(to)
	w.UseCRLF = true
	if err := w.Write(columns); err != nil {
		return err
	}
	hosts, err := rows.RunHosts(ctx, run.ID)
	if err != nil {
		return err
	}
	for _, host := range hosts {
		for after := int64(-1); ; {
			tasks, err := rows.HostTasks(ctx, run.ID, host, after, pageTasks)
			if err != nil {
				return err
			}
			if err := b.writePage(ctx, rows, run, tasks, w); err != nil {
				return err
			}
			if len(tasks) < pageTasks {
				break
			}
			after = tasks[len(tasks)-1].ID
		}
	}
	w.Flush()
	return w.Error()
}

func (b *Builder) writePage(ctx context.Context, rows URLRows, run storage.Run, tasks []storage.Task, w *csv.Writer) error {
	asked := make([]storage.Asked, len(tasks))
	for i := range tasks {
		asked[i] = storage.Asked{URLKey: urlkey.Key(tasks[i].URL), URL: tasks[i].URL}
	}
	found, err := rows.LastOf(ctx, run, asked)
	if err != nil {
		return err
	}
	for i := range tasks {
		line := b.line(&tasks[i], found[i])
		for k := range line {
			line[k] = inert(line[k])
		}
		if err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// line are the cells of one address.
func (b *Builder) line(t *storage.Task, r storage.Recorded) []string {
	out := map[string]string{
		"url": t.URL, "host": t.Host, "kind": t.Kind, "outcome": t.Outcome, "via": t.Via,
		"depth": strconv.Itoa(t.Depth), "tries": strconv.Itoa(t.Attempts),
	}
	switch {
	case t.URL == "" && t.Due >= storage.Never:
		out["outcome"] = Purged
	case t.Due < storage.Never:
		out["outcome"] = Pending
	}
	if a := r.Attempt; a != nil {
		out["at"], out["ms"], out["detail"] = timeOf(a.At), known(a.MS), a.Detail
	}
	if c := r.Capture; c != nil {
		out["at"], out["ms"], out["mime"], out["digest"], out["redirect"], out["flags"] = timeOf(c.At), known(c.MS), c.Mime, c.Digest, c.Redirect, c.Flags
		out["bytes"], out["new_bytes"], out["replay"] = known(c.Size), known(c.Size), b.replay(*c)
		if c.Kind == "revisit" {
			out["new_bytes"] = "0"
		}
		if c.Status != 0 {
			out["status"] = strconv.Itoa(c.Status)
		}
	}
	cells := make([]string, len(columns))
	for i, name := range columns {
		cells[i] = out[name]
	}
	return cells
}

// timeOf writes a time as programs and spreadsheets read it.
func timeOf(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// known writes a number, and nothing for one that nobody knows.
func known(n int64) string {
	if n < 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// inert gives a cell that no spreadsheet takes for a formula. Control characters, which none shows, become spaces.
func inert(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if s != "" && strings.ContainsRune("=+-@ ＝＋－＠", []rune(s)[0]) {
		return "'" + s
	}
	return s
}

package web

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/report"
	"linkstead/storage"
)

// Runs is what the pages about runs are made from.
type Runs interface {
	report.RunRows
	report.URLRows
}

var _ Runs = (*storage.DB)(nil)

// runView is the page about a run.
type runView struct {
	Number               int64
	Source, Live         string
	Collection, Schedule string
	State                state
	Started, Ended, Made *moment
	Cut, Fault           string
	Partial, Purged      bool
	InAll                string
	Exchanges, Revisits  string
	Bytes, New, Known    string
	Outcomes             []outcomeRow
	Hosts                []hostRow
	MoreHosts            int
	Slowest              []hostRow
	Needs                string // what became of the requisites of all pages
	Incomplete           []incompleteRow
	MoreIncomplete       int
	NotAsked             []leftRow
	LeftOut              []leftRow
	JSON, CSV, Post      string // addresses; empty in a file, and Post if the run has none, or many
	Copy                 string // of what the run was begun with; empty if there is none yet
	Follow               string // address that follows the run, or stops following it; empty when it has ended
	Following            bool
}

type incompleteRow struct{ URL, Lacks string }

type outcomeRow struct {
	Word, Short, Meaning string
	N                    int64
	Bytes, Example       string
}

type hostRow struct {
	Host             string
	N, Failed        int64
	Bytes, New       string
	Average, Longest string
}

type leftRow struct {
	N        int64
	What     string
	On       []hostRow
	MoreOn   int
	Examples []string
}

// shownHosts is how many hosts a page lists; JSON has more of them, and the CSV all.
const shownHosts = 200

func runViewOf(r *report.Run, now time.Time) runView {
	x := &r.Exchanges
	v := runView{
		Number: r.ID, Source: shownURL(r.Source), Live: liveURL(r.Source), Collection: clean(r.Collection, maxTitle), Schedule: clean(r.Schedule, maxTitle),
		State: stateOf(storage.RunState(r.State)), Started: momentOf(r.Started), Made: momentOf(now), Cut: clean(r.Cut, maxTitle),
		Fault: clean(r.Fault, maxContext), Partial: r.Partial, Purged: r.Tasks[report.Purged] > 0, InAll: report.Words(r.Tasks), Exchanges: count(int(x.N), "exchange", "exchanges"), Revisits: count(int(x.Revisits), "revisit", "revisits"),
		Bytes: sizeOf(x.Bytes), New: sizeOf(x.New), Known: sizeOf(x.Bytes - x.New), MoreHosts: max(0, len(r.Hosts)-shownHosts) + r.MoreHosts,
	}
	if r.Ended != nil {
		v.Ended = momentOf(*r.Ended)
	}
	for _, o := range r.Outcomes {
		d := outcome.Outcome(o.Outcome).Describe()
		if d.Outcome == outcome.Captured {
			d.Short = "answered"
		}
		v.Outcomes = append(v.Outcomes, outcomeRow{clean(o.Outcome, maxTitle), clean(d.Short, maxTitle), clean(d.Meaning, maxTitle), o.N, sizeOf(o.Bytes), shownURL(o.Example)})
	}
	for i := range r.Hosts[:min(shownHosts, len(r.Hosts))] {
		v.Hosts = append(v.Hosts, hostRowOf(&r.Hosts[i]))
	}
	for i := range r.Slowest {
		v.Slowest = append(v.Slowest, hostRowOf(&r.Slowest[i]))
	}
	if q := r.Requisites; q != nil && q.N > 0 {
		v.Needs = q.Words()
	}
	for i := range r.Incomplete {
		v.Incomplete = append(v.Incomplete, incompleteRow{shownURL(r.Incomplete[i].URL), r.Incomplete[i].Lacks()})
	}
	v.MoreIncomplete = r.MoreIncomplete
	for _, n := range r.NotAsked {
		v.NotAsked = append(v.NotAsked, leftRow{N: n.N, What: outcome.Outcome(n.Outcome).Describe().Meaning, Examples: shownURLs(n.Examples)})
	}
	for i := range r.LeftOut {
		l := &r.LeftOut[i]
		what := "of the post: "
		if l.By == "scope" {
			what = "of pages: "
		}
		row := leftRow{N: l.N, What: what + clean(l.Why(), maxTitle), MoreOn: l.MoreOn, Examples: shownURLs(l.Examples)}
		for _, h := range l.On {
			row.On = append(row.On, hostRow{Host: shownHost(h.Host), N: h.N})
		}
		v.LeftOut = append(v.LeftOut, row)
	}
	return v
}

func hostRowOf(h *report.HostSums) hostRow {
	return hostRow{shownHost(h.Host), h.N, h.Failed(), sizeOf(h.Bytes), sizeOf(h.New), millisOf(h.AverageMS()), millisOf(h.LongestMS)}
}

// shownHost is a host as it is shown.
func shownHost(h string) string { return clean(h, maxTitle) }

func shownURLs(urls []string) []string {
	out := make([]string, len(urls))
	for i, u := range urls {
		out[i] = shownURL(u)
	}
	return out
}

// sizeOf writes bytes for people: as the command line does.
func sizeOf(n int64) string { return report.Size(n) }

// millisOf writes milliseconds for people.
func millisOf(ms int64) string {
	if ms >= 10_000 {
		return fmt.Sprintf("%d s", ms/1000)
	}
	return fmt.Sprintf("%d ms", ms)
}

// run answers for a run: /runs/7 and /runs/7.json.
func (p *Pages) run(r *http.Request) (*answer, error) {
	id, isJSON := strings.CutSuffix(r.PathValue("id"), ".json")
	row, err := p.runRow(r.Context(), id)
	if err != nil {
		return nil, err
	}
	rep, err := report.BuildRun(r.Context(), p.Runs, row)
	if err != nil {
		return nil, err
	}
	if isJSON {
		raw, err := encode(rep)
		return &answer{status: http.StatusOK, raw: raw, mime: jsonType}, err
	}
	v := runViewOf(rep, p.Now())
	v.JSON, v.CSV = fmt.Sprintf("/runs/%d.json", row.ID), fmt.Sprintf("/runs/%d.csv", row.ID)
	if err := p.leads(r.Context(), row, &v); err != nil {
		return nil, err
	}
	a := &answer{status: http.StatusOK, page: "run", title: fmt.Sprintf("Run %d", row.ID)}
	if row.State == storage.RunActive {
		path := fmt.Sprintf("/runs/%d", row.ID)
		if v.Following = r.URL.Query().Get("follow") == "1"; v.Following {
			a.follow = followEvery
			v.Follow = path
		} else {
			v.Follow = path + "?follow=1"
		}
	}
	a.body = v
	return a, nil
}

// leads fills in where a run's page leads: to its post, and to the copy of that.
func (p *Pages) leads(ctx context.Context, row storage.Run, v *runView) error {
	post, err := p.Rows.PostOf(ctx, row.ID)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil
	case err != nil || post.Source != row.Source:
		return err
	}
	v.Post = view{id: post.ID, run: row.ID}.href()
	r, err := p.Reports.BuildPost(ctx, row, post.ID)
	if err != nil {
		return err
	}
	v.Copy = p.copyURL(r.Post.Replay)
	return nil
}

// runPages answers for runs: as pages and JSON, and as lists that are sent as they are read.
func (p *Pages) runPages() http.Handler {
	pages := p.serve(p.run)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.PathValue("id"), ".csv") {
			p.runCSV(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
}

func (p *Pages) runRow(ctx context.Context, id string) (storage.Run, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 10) != id {
		err = storage.ErrNotFound
	}
	var row storage.Run
	if err == nil {
		row, err = p.Rows.Run(ctx, n)
	}
	if errors.Is(err, storage.ErrNotFound) {
		return row, &problem{
			status: http.StatusNotFound, title: "No such run", text: "The archive knows no run of this number.",
			hint: "The page of a post names the runs that captured it.",
		}
	}
	return row, err
}

// runCSV sends a line an address, as it is read: it may be a long list.
func (p *Pages) runCSV(w http.ResponseWriter, r *http.Request) {
	row, err := p.runRow(r.Context(), strings.TrimSuffix(r.PathValue("id"), ".csv"))
	if err != nil {
		p.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="run-%d.csv"`, row.ID))
	h.Set("Cache-Control", "no-cache")
	if r.Method == http.MethodHead {
		return
	}
	b := bufio.NewWriterSize(w, 64<<10)
	err = p.Reports.WriteCSV(r.Context(), p.Runs, row, b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil || r.Context().Err() != nil {
		return
	}
	p.Log.Error("page failed", "path", r.URL.Path, "error", err)
	panic(http.ErrAbortHandler) // a list that is cut short must not pass for a whole one
}

// fileStyle is the stylesheet of a file, which has no other file beside it.
var fileStyle = template.CSS(styleSheet) //nolint:gosec // our own

// filePolicy is what a browser is told of it: nothing is loaded, nothing runs, and no other style than this one counts.
var filePolicy = func() string {
	sum := sha256.Sum256([]byte("\n" + string(styleSheet) + "\n"))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}()

// WriteRun writes the report of a run as one HTML file that needs no other, made at a time.
func WriteRun(w io.Writer, r *report.Run, now time.Time) error {
	return templates["run"].ExecuteTemplate(w, "file", struct {
		Title, Policy string
		Style         template.CSS
		Body          runView
	}{fmt.Sprintf("Run %d", r.ID), filePolicy, fileStyle, runViewOf(r, now)})
}

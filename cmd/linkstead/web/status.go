package web

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"linkstead/archive/report"
	"linkstead/storage"
)

// statusView is the page about what goes on.
type statusView struct {
	Made                  *moment
	Speed, BytesPerSecond string
	Waits                 []waitRow
	Runs                  []runNowRow
	MoreRuns              int
	Hosts                 []hostNowRow
	MoreHosts             int64
	Nodes                 []nodeRow
	MoreNodes             int
	Segments              []string
	Stored                string
	Schedules             []nextRow
	MoreNext              int
	Following             bool
}

type waitRow struct {
	Who, Text string
	Until     *moment
}

type runNowRow struct {
	Number         int64
	Href           string
	Source, State  string
	Progress, Told string
	Failing        []string
	MoreBad        int
}

type hostNowRow struct {
	Host, Open, Next, Waits string
	Due                     int
	Until                   *moment
}

type nodeRow struct {
	Name, State, Speed, Bytes, Spool, Version string
	Seen                                      *moment
}

type nextRow struct {
	Name, State, Fault string
	Due                *moment
}

// statusEvery is after how many seconds the page asks for itself again, if it is to.
const statusEvery = 5

// status tells what goes on: /status, and /status.json.
func (p *Pages) status(r *http.Request) (*answer, error) {
	s, err := report.BuildStatus(r.Context(), p.Status, report.StatusAsk{})
	if err != nil {
		return nil, err
	}
	if r.URL.Path == "/status.json" {
		raw, err := encode(s)
		return &answer{status: http.StatusOK, raw: raw, mime: jsonType}, err
	}
	a := &answer{status: http.StatusOK, page: "status", title: "Status"}
	v := statusViewOf(s)
	if r.URL.Query().Get("follow") == "1" {
		v.Following, a.follow = true, statusEvery
	}
	a.body = v
	return a, nil
}

func statusViewOf(s *report.Status) statusView {
	n, bytes := s.Speed()
	v := statusView{
		Made: momentOf(s.At), Speed: report.PerSecond(n), BytesPerSecond: sizeOf(int64(bytes)), MoreRuns: s.MoreRuns, MoreHosts: s.MoreHosts,
		MoreNodes: s.MoreNodes, MoreNext: s.MoreNext, Stored: strconv.FormatInt(s.Stored, 10),
	}
	if s.Stored > storage.CountedSegments {
		v.Stored = fmt.Sprintf("More than %d", storage.CountedSegments)
	}
	for _, w := range s.Waits {
		row := waitRow{Text: clean(w.Text, maxContext), Until: momentAt(w.Until), Who: clean(w.What+" "+w.Name, maxTitle)}
		if w.N > 0 && w.What != "run" {
			row.Who = count(int(w.N), "host", "hosts")
		}
		v.Waits = append(v.Waits, row)
	}
	for i := range s.Runs {
		v.Runs = append(v.Runs, runNowOf(&s.Runs[i]))
	}
	for _, h := range s.Hosts {
		row := hostNowRow{Host: shownHost(report.HostName(h.Host)), Open: strconv.Itoa(h.Open), Due: h.Due, Next: clean(h.Next, maxTitle), Until: momentAt(h.Until)}
		if row.Waits = report.WaitText(h.For); h.By != "" {
			row.Waits, row.Until = "worked on by "+clean(h.By, maxTitle), nil // its lease is renewed as long as that goes on
		}
		if h.More {
			row.Open += "+"
		}
		v.Hosts = append(v.Hosts, row)
	}
	for _, n := range s.Nodes {
		row := nodeRow{Name: clean(n.Node, maxTitle), State: "at work", Seen: momentOf(n.Seen), Speed: report.PerSecond(n.PerSecond),
			Bytes: sizeOf(int64(n.Bytes)), Spool: sizeOf(n.SpoolUsed), Version: clean(n.Version, maxTitle)}
		if !n.Alive {
			row.State = "not at work"
		}
		if n.SpoolMax > 0 {
			row.Spool += " of " + sizeOf(n.SpoolMax)
		}
		v.Nodes = append(v.Nodes, row)
	}
	for _, g := range s.Segments {
		v.Segments = append(v.Segments, fmt.Sprintf("%d %s, %s, on node %s", g.N, g.State, sizeOf(g.Bytes), clean(g.Node, maxTitle)))
	}
	for _, c := range s.Schedules {
		row := nextRow{Name: clean(c.Name, maxTitle), Fault: clean(c.Fault, maxContext), Due: momentAt(c.Due)}
		if c.Paused {
			row.State = "Paused"
		}
		v.Schedules = append(v.Schedules, row)
	}
	return v
}

func runNowOf(r *report.RunNow) runNowRow {
	row := runNowRow{
		Number: r.ID, Href: fmt.Sprintf("/runs/%d", r.ID), Source: shownURL(r.Source), State: stateOf(storage.RunState(r.State)).Word, MoreBad: r.MoreBad,
		Progress: r.Progress(),
	}
	if len(r.Outcomes) > 0 {
		row.Told = "Exchanges: " + report.Told(r.Outcomes)
	}
	for _, f := range r.Failing {
		row.Failing = append(row.Failing, shownHost(f.Host)+": "+report.Told(f.Outcomes))
	}
	return row
}

func momentAt(t *time.Time) *moment {
	if t == nil {
		return nil
	}
	return momentOf(*t)
}

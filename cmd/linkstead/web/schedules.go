package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"linkstead/archive/report"
	"linkstead/crawler"
	"linkstead/crawler/watch"
	"linkstead/storage"
)

// Schedules is what the page of schedules is made from.
type Schedules interface {
	Schedules(ctx context.Context) ([]storage.Schedule, error) // by name
	crawler.ScheduleRows
}

var _ Schedules = (*storage.DB)(nil)

// runsShown is how many runs of a schedule are shown.
const runsShown = 5

type schedulesView struct {
	Total string
	List  []scheduleView
}

type scheduleView struct {
	Name, Kind, Source, When, Collection string
	Live                                 string // the source, if it may be linked to
	Fault                                string // why no run could begin
	State                                string // empty while it is active
	Next                                 *moment
	Runs                                 []scheduledRun
}

type scheduledRun struct {
	Number  int64
	Started *moment
	State   string // empty if it is done
	Changes string
	Counts  string
	Fault   string
	Cut     string
	Items   []watchItem
	More    int // addresses that differ and are not shown
}

type watchItem struct{ Change, URL string }

// reports are the reports of all schedules, by name.
func (p *Pages) schedules(ctx context.Context) ([]*crawler.ScheduleReport, error) {
	rows, err := p.Schedules.Schedules(ctx)
	if err != nil {
		return nil, err
	}
	out := []*crawler.ScheduleReport{}
	for _, row := range rows {
		r, err := crawler.ReportSchedule(ctx, p.Schedules, p.Reports, row, runsShown)
		if err != nil {
			return nil, err
		}
		if path, ok := strings.CutPrefix(r.Source, "file://"); ok { // where a list lies on this machine is nobody's business
			r.Source = path[strings.LastIndexByte(path, '/')+1:]
		}
		out = append(out, r)
	}
	return out, nil
}

func (p *Pages) schedulesPage(r *http.Request) (*answer, error) {
	list, err := p.schedules(r.Context())
	if err != nil {
		return nil, err
	}
	v := schedulesView{Total: count(len(list), "schedule", "schedules")}
	for _, s := range list {
		v.List = append(v.List, scheduleOf(s))
	}
	return &answer{status: http.StatusOK, page: "schedules", title: "Schedules", body: v}, nil
}

// schedulesJSON is the document that "linkstead schedule list --json" prints, with more of each history.
func (p *Pages) schedulesJSON(r *http.Request) (*answer, error) {
	list, err := p.schedules(r.Context())
	if err != nil {
		return nil, err
	}
	raw, err := encode(list)
	return &answer{status: http.StatusOK, raw: raw, mime: jsonType}, err
}

func scheduleOf(s *crawler.ScheduleReport) scheduleView {
	v := scheduleView{
		Name: clean(s.Name, maxTitle), Kind: string(s.Kind), Source: shownURL(s.Source), Live: liveURL(s.Source),
		When: clean(s.When, maxTitle), Collection: clean(s.Collection, maxTitle),
	}
	switch s.State {
	case crawler.SchedulePaused:
		v.State = "Paused"
	case crawler.ScheduleOver:
		v.State = "Over"
	}
	if s.Next != nil {
		v.Next = momentOf(*s.Next)
	}
	if s.Fault != "" {
		v.Fault = "No run could begin: " + s.Fault
	}
	for _, r := range s.Runs {
		v.Runs = append(v.Runs, scheduledRunOf(r))
	}
	return v
}

// itemsShown is how many differing addresses of a run are shown.
const itemsShown = 25

func scheduledRunOf(r crawler.ScheduleRun) scheduledRun {
	v := scheduledRun{Number: r.Run, Started: exactly(r.Started), Counts: report.Words(r.Tasks)}
	if r.State != string(storage.RunDone) {
		v.State = stateOf(storage.RunState(r.State)).Word
	}
	if r.Fault != "" {
		v.Fault = "Its source leads nowhere: " + r.Fault
	}
	if r.Cut != "" {
		v.Cut = fmt.Sprintf("The budget of %s was used up: %s not asked for.", r.Cut, count(r.CutTasks, "address was", "addresses were"))
	}
	d := r.Changes
	switch {
	case d == nil:
	case d.Against == 0:
		v.Changes = "first run"
	case !d.Any():
		v.Changes = "nothing differs"
	default:
		v.Changes = differences(d)
		for _, i := range d.List[:min(len(d.List), itemsShown)] {
			v.Items = append(v.Items, watchItem{words[i.Change], shownURL(i.URL)})
		}
		v.More = d.New + d.Changed + d.Failed + d.Back + d.Gone - len(v.Items)
	}
	return v
}

// exactly is a moment to the second: several runs may begin within a minute.
func exactly(t time.Time) *moment {
	t = t.UTC()
	return &moment{t.Format("2 January 2006, 15:04:05 UTC"), t.Format(time.RFC3339)}
}

var words = map[watch.Change]string{
	watch.New: "new", watch.Changed: "changed", watch.Failed: "failed now", watch.Back: "back again", watch.Gone: "gone",
}

// differences says how many addresses differ, in the order in which the words are explained.
func differences(d *watch.Diff) string {
	n := map[watch.Change]int{watch.New: d.New, watch.Changed: d.Changed, watch.Failed: d.Failed, watch.Back: d.Back, watch.Gone: d.Gone}
	out := ""
	for _, c := range []watch.Change{watch.New, watch.Changed, watch.Failed, watch.Back, watch.Gone} {
		if n[c] > 0 {
			if out != "" {
				out += ", "
			}
			out += fmt.Sprintf("%d %s", n[c], words[c])
		}
	}
	return out
}

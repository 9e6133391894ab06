package report

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"linkstead/archive/outcome"
	"linkstead/storage"
)

// RunVersion is the version of the JSON document about a run.
const RunVersion = 1

// RunRows is what the report of a run is made from.
type RunRows interface {
	Tally(ctx context.Context, run int64) (map[string]int, error)
	RunLedger(ctx context.Context, run int64) ([]storage.Line, error)
	RefusedCitations(ctx context.Context, run int64) ([]storage.Refused, error)
	Needs
}

// Run is what a run came to: how what it asked for ended, on which hosts, how much of it was new, how long it took, and what
// was left out and why. It is made from what was added up as the run went on, and costs the same whatever the run's size,
// but for the tally of its tasks.
type Run struct {
	Version    int        `json:"version"`
	ID         int64      `json:"run"`
	Source     string     `json:"source"`
	Collection string     `json:"collection"`
	Schedule   string     `json:"schedule,omitempty"`
	State      string     `json:"state"`
	Started    time.Time  `json:"started"`
	Ended      *time.Time `json:"ended"`
	Cut        string     `json:"cut,omitempty"` // the budget that ended it
	Fault      string     `json:"fault,omitempty"`

	Tasks          map[string]int `json:"tasks"` // addresses, by outcome
	Exchanges      Sums           `json:"exchanges"`
	Outcomes       []OutcomeSums  `json:"outcomes"` // exchanges by outcome, most first; each try counts
	Hosts          []HostSums     `json:"hosts"`    // most exchanges first
	MoreHosts      int            `json:"more_hosts"`
	Slowest        []HostSums     `json:"slowest"`   // hosts whose exchanges took longest on average
	NotAsked       []NotAsked     `json:"not_asked"` // addresses that our own rules kept the run from
	LeftOut        []LeftOutSums  `json:"links_left_out"`
	Requisites     *Requisites    `json:"requisites,omitempty"` // of all pages; nil if there are too many to tell
	Incomplete     []Incomplete   `json:"incomplete"`           // pages that lack some, those that lack most first
	MoreIncomplete int            `json:"more_incomplete,omitempty"`
	Partial        bool           `json:"partial"` // it is of an older version, at least in part: bytes, times and left-outs lack something
}

// Sums add exchanges up.
type Sums struct {
	N         int64 `json:"n"`
	Revisits  int64 `json:"revisits"`  // of them: the payload was there already
	Bytes     int64 `json:"bytes"`     // of payloads …
	New       int64 `json:"new_bytes"` // … and of those that were not there yet
	MS        int64 `json:"ms"`        // all together
	LongestMS int64 `json:"longest_ms"`
}

func (s *Sums) add(l *storage.Line) {
	s.N, s.Revisits, s.Bytes, s.New = s.N+l.N, s.Revisits+l.Revisit, s.Bytes+l.Bytes, s.New+l.Fresh
	s.MS, s.LongestMS = s.MS+l.Took.Milliseconds(), max(s.LongestMS, l.Longest.Milliseconds())
}

// AverageMS is how long an exchange took on average, in milliseconds.
func (s Sums) AverageMS() int64 { return s.MS / max(s.N, 1) }

// OutcomeSums are the exchanges that ended alike.
type OutcomeSums struct {
	Outcome string `json:"outcome"`
	Sums
	Example string `json:"example,omitempty"` // an address of which no response came
}

// HostSums are the exchanges with one host.
type HostSums struct {
	Host string `json:"host"`
	Sums
	Outcomes map[string]int64 `json:"outcomes"`
}

// Failed counts the exchanges of which no response came, through no rule of ours.
func (h *HostSums) Failed() (n int64) {
	for o, k := range h.Outcomes {
		if o := outcome.Outcome(o); !o.Kept() && !o.Ours() {
			n += k
		}
	}
	return n
}

// NotAsked are the addresses that one rule of ours kept a run from, by host.
type NotAsked struct {
	Outcome  string   `json:"outcome"`
	N        int64    `json:"n"`
	Hosts    int      `json:"hosts"`
	Examples []string `json:"examples"`
}

// LeftOutSums are the links that did not become addresses to ask for, for one reason.
type LeftOutSums struct {
	By       string     `json:"by"` // post: a rule about posts left a citation out; scope: the run's bounds left out what pages name
	Reason   string     `json:"reason"`
	N        int64      `json:"n"`
	On       []HostLeft `json:"on,omitempty"` // the hosts whose pages name most of them
	MoreOn   int        `json:"more_on,omitempty"`
	Examples []string   `json:"examples"`
}

// HostLeft is how many links the pages of a host name that were left out.
type HostLeft struct {
	Host string `json:"host"`
	N    int64  `json:"n"`
}

// What the report lists at most.
const (
	maxHosts    = 1000
	maxSlowest  = 10
	maxExamples = 5
	maxOn       = 20
)

// BuildRun makes the report of a run.
func BuildRun(ctx context.Context, rows RunRows, run storage.Run) (*Run, error) {
	r := &Run{
		Version: RunVersion, ID: run.ID, Source: run.Source, Collection: run.Collection, Schedule: run.Schedule,
		State: string(run.State), Started: run.Started, Cut: run.Cut, Fault: run.Fault,
		Outcomes: []OutcomeSums{}, Hosts: []HostSums{}, Slowest: []HostSums{}, NotAsked: []NotAsked{}, LeftOut: []LeftOutSums{}, Incomplete: []Incomplete{},
	}
	if !run.Ended.IsZero() {
		ended := run.Ended
		r.Ended = &ended
	}
	var err error
	if r.Tasks, err = rows.Tally(ctx, run.ID); err != nil {
		return nil, err
	}
	lines, err := rows.RunLedger(ctx, run.ID)
	if err != nil {
		return nil, err
	}
	refused, err := rows.RefusedCitations(ctx, run.ID)
	if err != nil {
		return nil, err
	}
	r.sum(lines)
	r.refuse(refused)
	r.leave(lines)
	r.Partial = r.lacks()
	return r, r.need(ctx, rows)
}

// sum adds the exchanges up, by outcome and by host.
func (r *Run) sum(lines []storage.Line) {
	outcomes, hosts := map[string]*OutcomeSums{}, map[string]*HostSums{}
	ours := map[string]*NotAsked{}
	for i := range lines {
		l := &lines[i]
		if l.Left != "" {
			continue
		}
		r.Exchanges.add(l)
		o := entryOf(outcomes, l.Word, func() *OutcomeSums { return &OutcomeSums{Outcome: l.Word} })
		o.add(l)
		o.Example = cmp.Or(o.Example, l.Example)
		h := entryOf(hosts, l.Host, func() *HostSums { return &HostSums{Host: l.Host, Outcomes: map[string]int64{}} })
		h.add(l)
		h.Outcomes[l.Word] += l.N
		if w := outcome.Outcome(l.Word); w.Ours() && !w.Kept() {
			n := entryOf(ours, l.Word, func() *NotAsked { return &NotAsked{Outcome: l.Word, Examples: []string{}} })
			n.N, n.Hosts = n.N+l.N, n.Hosts+1
			n.Examples = example(n.Examples, l.Example)
		}
	}
	for o, n := range r.Tasks { // what a budget ended had no exchange
		if ours[o] == nil && o == string(outcome.Quota) {
			ours[o] = &NotAsked{Outcome: o, N: int64(n), Examples: []string{}}
		}
	}
	r.Outcomes, r.NotAsked = valuesOf(outcomes), valuesOf(ours)
	slices.SortFunc(r.Outcomes, func(x, y OutcomeSums) int {
		return cmp.Or(cmp.Compare(y.N, x.N), strings.Compare(x.Outcome, y.Outcome))
	})
	slices.SortFunc(r.NotAsked, func(x, y NotAsked) int {
		return cmp.Or(cmp.Compare(y.N, x.N), strings.Compare(x.Outcome, y.Outcome))
	})
	r.rank(valuesOf(hosts))
}

// rank lists the hosts: those with most exchanges, and the slowest.
func (r *Run) rank(hosts []HostSums) {
	slices.SortFunc(hosts, func(x, y HostSums) int {
		return cmp.Or(cmp.Compare(y.AverageMS(), x.AverageMS()), strings.Compare(x.Host, y.Host))
	})
	for _, h := range hosts[:min(maxSlowest, len(hosts))] {
		if h.MS > 0 {
			r.Slowest = append(r.Slowest, h)
		}
	}
	slices.SortFunc(hosts, func(x, y HostSums) int {
		return cmp.Or(cmp.Compare(y.N, x.N), strings.Compare(x.Host, y.Host))
	})
	r.Hosts = hosts[:min(maxHosts, len(hosts))]
	r.MoreHosts = len(hosts) - len(r.Hosts)
}

// refuse takes the citations that were left out.
func (r *Run) refuse(refused []storage.Refused) {
	for _, f := range refused {
		r.LeftOut = append(r.LeftOut, LeftOutSums{By: "post", Reason: f.Reason, N: f.N, Examples: example([]string{}, f.Example)})
	}
}

// leave takes the links of pages that were left out.
func (r *Run) leave(lines []storage.Line) {
	reasons := map[string]*LeftOutSums{}
	for i := range lines {
		l := &lines[i]
		if l.Left == "" {
			continue
		}
		s := entryOf(reasons, l.Left, func() *LeftOutSums { return &LeftOutSums{By: "scope", Reason: l.Left, Examples: []string{}} })
		s.N += l.N
		s.On = append(s.On, HostLeft{l.Host, l.N})
		s.Examples = example(s.Examples, l.Example)
	}
	for _, s := range reasons {
		slices.SortFunc(s.On, func(x, y HostLeft) int { return cmp.Or(cmp.Compare(y.N, x.N), strings.Compare(x.Host, y.Host)) })
		s.MoreOn = max(0, len(s.On)-maxOn)
		s.On = s.On[:min(maxOn, len(s.On))]
	}
	list := valuesOf(reasons)
	slices.SortFunc(list, func(x, y LeftOutSums) int { return cmp.Or(cmp.Compare(y.N, x.N), strings.Compare(x.Reason, y.Reason)) })
	r.LeftOut = append(r.LeftOut, list...)
}

// lacks says whether more has ended than the ledger tells of: an older version did it.
func (r *Run) lacks() bool {
	var ended int64
	for o, n := range r.Tasks {
		if o != Pending && o != Purged && o != string(outcome.Quota) && o != "" {
			ended += int64(n)
		}
	}
	return ended > r.Exchanges.N
}

// entryOf is the value of a key, made if it is not there.
func entryOf[V any](m map[string]*V, key string, made func() *V) *V {
	v := m[key]
	if v == nil {
		v = made()
		m[key] = v
	}
	return v
}

func valuesOf[V any](m map[string]*V) []V {
	out := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, *m[k])
	}
	return out
}

// example adds one to a few.
func example(list []string, url string) []string {
	if url == "" || len(list) >= maxExamples || slices.Contains(list, url) {
		return list
	}
	return append(list, url)
}

// reasons are why links of pages were left out, for people. See scope.Reason, whose words these are.
var reasons = map[string]string{
	"scheme":    "addresses of a kind that can't be captured",
	"excluded":  "an exclusion of the run's matches them",
	"scope":     "outside of the run's bounds",
	"depth":     "more link hops away than the run follows",
	"redirects": "too many redirects in a row",
	"loop":      "redirects to themselves",
	"watch":     "the run watches the links alone",
	"quota":     "more requisites than the limit for a page",
	"trap":      "they look like some of endlessly many that a site makes up",
	"noted":     "they say of the page what it is, and are not links",
}

// Why says for people why links were left out.
func (l *LeftOutSums) Why() string {
	if l.By == "scope" {
		return cmp.Or(reasons[l.Reason], l.Reason)
	}
	return l.Reason
}

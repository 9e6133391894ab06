package report

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"linkstead/archive/outcome"
	"linkstead/storage"
)

// StatusVersion is the version of the JSON document about what goes on.
const StatusVersion = 1

// StatusRows is what a status is made from.
type StatusRows interface {
	HostRows
	OpenRuns(ctx context.Context, n int) (runs []storage.Run, all int, err error)
	Run(ctx context.Context, id int64) (storage.Run, error)
	Counts(ctx context.Context, run int64, node string) (storage.Counts, error)
	Open(ctx context.Context, run int64) (bool, error)
	RunLedger(ctx context.Context, run int64) ([]storage.Line, error)
	SegmentSums(ctx context.Context, run int64) ([]storage.SegmentSums, error)
	StoredSegments(ctx context.Context) (int64, error)
	Nodes(ctx context.Context) ([]storage.Node, error)
	Speeds(ctx context.Context, last time.Duration) ([]storage.Speed, error)
	Schedules(ctx context.Context) ([]storage.Schedule, error)
	Now() time.Time
}

// HostRows tells of the queue.
type HostRows interface {
	HostsWaiting(ctx context.Context) ([]storage.HostsWaiting, error)
	HostStates(ctx context.Context, host string, run int64, n int) ([]storage.HostState, error)
}

// StatusAsk says what a status is to tell of.
type StatusAsk struct {
	Host        string // of this host alone
	Run         int64  // of this run alone
	Hosts, Runs int    // how many to list; 0: DefaultHosts, DefaultRuns
}

// How many hosts and runs a status lists, unless somebody asks for others.
const (
	DefaultHosts = 20
	DefaultRuns  = 10
	maxNodes     = 50
	maxSchedules = 10
	maxFailing   = 10
)

// Status is what goes on just now, and what waits for what. It is made from rows alone: what workers have acknowledged or
// said of themselves.
type Status struct {
	Version int       `json:"version"`
	At      time.Time `json:"at"`
	Waits   []Wait    `json:"waits"` // what stands still, and until when

	Queue     []Queue    `json:"queue"` // hosts with something to do, by what they wait for
	Hosts     []HostNow  `json:"hosts"`
	MoreHosts int64      `json:"more_hosts"`
	Runs      []RunNow   `json:"runs"` // that are not done
	MoreRuns  int        `json:"more_runs"`
	Nodes     []NodeNow  `json:"nodes"`
	MoreNodes int        `json:"more_nodes"`
	Segments  []Segments `json:"segments"` // that are not stored, by node
	Stored    int64      `json:"stored_segments"`
	Schedules []Next     `json:"schedules"` // those that are due next
	MoreNext  int        `json:"more_schedules"`
}

// Wait is something that stands still.
type Wait struct {
	What  string     `json:"what"` // run, node, hosts, host, queue
	Name  string     `json:"name,omitempty"`
	For   string     `json:"for"` // a word: what it waits for
	N     int64      `json:"n,omitempty"`
	Until *time.Time `json:"until,omitempty"`
	Text  string     `json:"text"` // a sentence
}

// Queue counts hosts that wait for the same thing.
type Queue struct {
	For   string     `json:"for"`
	Hosts int64      `json:"hosts"`
	First *time.Time `json:"first,omitempty"`
}

// HostNow is how it stands with one host.
type HostNow struct {
	Host     string     `json:"host"`
	For      string     `json:"for"`
	Until    *time.Time `json:"until,omitempty"`
	By       string     `json:"by,omitempty"` // the node that works on it
	Open     int        `json:"open"`
	Due      int        `json:"due"`
	More     bool       `json:"more"` // there are more open ones than were counted
	Failures int        `json:"failures,omitempty"`
	Next     string     `json:"next,omitempty"` // kind of its most urgent task …
	Run      int64      `json:"run,omitempty"`  // … and its run
}

// RunNow is how far a run has come.
type RunNow struct {
	ID       int64            `json:"run"`
	Source   string           `json:"source"`
	Schedule string           `json:"schedule,omitempty"`
	State    string           `json:"state"`
	Cut      string           `json:"cut,omitempty"`
	Started  time.Time        `json:"started"`
	Found    int64            `json:"found"`
	Ended    int64            `json:"ended"`
	Captured int64            `json:"captured"`
	Failed   int64            `json:"failed"`
	Bytes    int64            `json:"bytes"`
	Outcomes map[string]int64 `json:"outcomes"` // exchanges, each try counted
	Failing  []Failing        `json:"failing"`  // hosts, most failures first
	MoreBad  int              `json:"more_failing,omitempty"`
	ToStore  int64            `json:"segments_to_store"`
}

// Failing is a host some of whose exchanges brought no response.
type Failing struct {
	Host     string           `json:"host"`
	N        int64            `json:"n"`
	Outcomes map[string]int64 `json:"outcomes"`
}

// NodeNow is a worker.
type NodeNow struct {
	Node      string    `json:"node"`
	Alive     bool      `json:"alive"` // it was there within the last minute
	Seen      time.Time `json:"seen"`
	Version   string    `json:"version"`
	Waits     string    `json:"waits_for,omitempty"`
	SpoolUsed int64     `json:"spool_bytes"`
	SpoolMax  int64     `json:"spool_max"`
	PerSecond float64   `json:"exchanges_per_second"`
	Bytes     float64   `json:"bytes_per_second"`
	Over      float64   `json:"over_seconds"` // for how long that was measured
}

// Segments are those of a node in one state.
type Segments struct {
	Node   string    `json:"node"`
	State  string    `json:"state"`
	N      int64     `json:"n"`
	Bytes  int64     `json:"bytes"`
	Oldest time.Time `json:"oldest"`
}

// Next is when a schedule is due.
type Next struct {
	Name   string     `json:"name"`
	Due    *time.Time `json:"due"`
	Paused bool       `json:"paused"`
	Fault  string     `json:"fault,omitempty"`
}

// speedOver is the time over which speeds are told, at least.
const speedOver = time.Minute

// aliveFor is for how long a node counts as alive that has said that it is there.
const aliveFor = time.Minute

// BuildStatus makes a status.
func BuildStatus(ctx context.Context, rows StatusRows, ask StatusAsk) (*Status, error) {
	s := &Status{Version: StatusVersion, At: rows.Now().UTC(), Waits: []Wait{}, Queue: []Queue{}, Hosts: []HostNow{}, Runs: []RunNow{},
		Nodes: []NodeNow{}, Segments: []Segments{}, Schedules: []Next{}}
	for _, step := range []func(context.Context, StatusRows, StatusAsk) error{s.nodes, s.segments, s.runs, s.queue, s.next} {
		if err := step(ctx, rows, ask); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Status) wait(w Wait) { s.Waits = append(s.Waits, w) }

func (s *Status) nodes(ctx context.Context, rows StatusRows, _ StatusAsk) error {
	nodes, err := rows.Nodes(ctx)
	if err != nil {
		return err
	}
	speeds, err := rows.Speeds(ctx, speedOver)
	if err != nil {
		return err
	}
	by := map[string]storage.Speed{}
	for _, v := range speeds {
		by[v.Node] = v
	}
	slices.SortStableFunc(nodes, func(x, y storage.Node) int { return y.Seen.Compare(x.Seen) })
	s.MoreNodes = max(0, len(nodes)-maxNodes)
	for _, n := range nodes[:min(maxNodes, len(nodes))] {
		v := by[n.Name]
		now := NodeNow{
			Node: n.Name, Alive: !n.Ended && s.At.Sub(n.Seen) < aliveFor, Seen: n.Seen, Version: n.Version, Waits: n.Waits,
			SpoolUsed: n.SpoolUsed, SpoolMax: n.SpoolMax,
		}
		now.speed(v, s.At.Sub(n.Started))
		s.Nodes = append(s.Nodes, now)
		switch {
		case !now.Alive:
		case n.Waits == storage.NodeWaitsSpool:
			s.wait(Wait{What: "node", Name: n.Name, For: "spool", Text: "its spool is full: it goes on once segments could be stored"})
		case n.Waits == storage.NodeWaitsStore:
			s.wait(Wait{What: "node", Name: n.Name, For: "store", Text: "the blob store does not take its segments; they wait in its spool, and it goes on as long as there is room"})
		}
	}
	return nil
}

// speed tells how fast a node is that began so long ago: one that has just begun had less time than is looked at, and one that
// is not at work is not fast, whatever it did a minute ago.
func (n *NodeNow) speed(v storage.Speed, since time.Duration) {
	over := min(v.Over, max(since, time.Second)).Seconds()
	n.Over = over
	if over > 0 && n.Alive {
		n.PerSecond, n.Bytes = float64(v.N)/over, float64(v.Bytes)/over
	}
}

func (s *Status) segments(ctx context.Context, rows StatusRows, ask StatusAsk) (err error) {
	sums, err := rows.SegmentSums(ctx, ask.Run)
	if err != nil {
		return err
	}
	for _, g := range sums {
		s.Segments = append(s.Segments, Segments{g.Node, string(g.State), g.N, g.Bytes, g.Oldest})
	}
	s.Stored, err = rows.StoredSegments(ctx)
	return err
}

func (s *Status) runs(ctx context.Context, rows StatusRows, ask StatusAsk) error {
	var list []storage.Run
	all := 1
	var err error
	if ask.Run != 0 {
		var run storage.Run
		run, err = rows.Run(ctx, ask.Run)
		list = []storage.Run{run}
	} else {
		list, all, err = rows.OpenRuns(ctx, cmp.Or(ask.Runs, DefaultRuns))
	}
	if err != nil {
		return err
	}
	s.MoreRuns = all - len(list)
	for _, run := range list {
		if err := s.run(ctx, rows, run, ask.Host); err != nil {
			return err
		}
	}
	return nil
}

// run tells of a run; with a host, of what it had to do with that one, and nothing if that was nothing.
func (s *Status) run(ctx context.Context, rows StatusRows, run storage.Run, host string) error {
	n, err := rows.Counts(ctx, run.ID, "")
	if err != nil {
		return err
	}
	lines, err := rows.RunLedger(ctx, run.ID)
	if err != nil {
		return err
	}
	if host != "" {
		lines = slices.DeleteFunc(lines, func(l storage.Line) bool { return l.Host != host })
		if len(lines) == 0 {
			return nil
		}
	}
	unstored, err := rows.SegmentSums(ctx, run.ID)
	if err != nil {
		return err
	}
	open, err := rows.Open(ctx, run.ID)
	if err != nil {
		return err
	}
	r := RunNow{
		ID: run.ID, Source: run.Source, Schedule: run.Schedule, State: string(run.State), Cut: run.Cut, Started: run.Started,
		Found: n.Found, Ended: n.Ended, Captured: n.Captured, Failed: n.Failed, Bytes: n.Bytes, Outcomes: map[string]int64{}, Failing: []Failing{},
	}
	var on []string
	for _, g := range unstored {
		if g.State != storage.SegmentLost {
			r.ToStore += g.N
			on = append(on, g.Node)
		}
	}
	r.fail(lines)
	s.Runs = append(s.Runs, r)
	s.waitsOf(run, open, r.ToStore, on)
	return nil
}

// Progress says how far a run has come: what became of addresses, and what was kept of exchanges.
func (r *RunNow) Progress() string {
	s := fmt.Sprintf("%d of %d addresses ended", r.Ended, max(r.Found, r.Ended))
	if r.Failed > 0 {
		s += fmt.Sprintf(", %d of them without a response", r.Failed)
	}
	noun := "responses"
	if r.Captured == 1 {
		noun = "response"
	}
	return s + fmt.Sprintf("; %d %s kept, %s", r.Captured, noun, Size(r.Bytes))
}

// waitsOf tells what a run waits for.
func (s *Status) waitsOf(run storage.Run, open bool, toStore int64, on []string) {
	name := fmt.Sprint(run.ID)
	switch {
	case run.State == storage.RunPaused && run.Fault != "":
		s.wait(Wait{What: "run", Name: name, For: storage.WaitPaused, Text: "it can't be carried out: " + run.Fault + " Then the same capture command goes on with it"})
	case run.State == storage.RunPaused:
		s.wait(Wait{What: "run", Name: name, For: storage.WaitPaused, Text: "it was interrupted: the same capture command goes on with it"})
	case run.State == storage.RunActive && run.Cut != "":
		s.wait(Wait{What: "run", Name: name, For: "budget", Text: "its budget of " + run.Cut + " is used up: it ends with what is under way"})
	case run.State == storage.RunActive && !open && toStore > 0:
		s.wait(Wait{What: "run", Name: name, For: "segments", N: toStore, Text: "all has ended; it is done once what it captured is stored: by " + strings.Join(slices.Compact(on), ", ")})
	}
}

// fail counts exchanges by outcome, and the hosts that fail.
func (r *RunNow) fail(lines []storage.Line) {
	hosts := map[string]*Failing{}
	for i := range lines {
		l := &lines[i]
		if l.Left != "" {
			continue
		}
		r.Outcomes[l.Word] += l.N
		if o := outcome.Outcome(l.Word); !o.Kept() && !o.Ours() {
			f := entryOf(hosts, l.Host, func() *Failing { return &Failing{Host: l.Host, Outcomes: map[string]int64{}} })
			f.N += l.N
			f.Outcomes[l.Word] += l.N
		}
	}
	list := valuesOf(hosts)
	slices.SortStableFunc(list, func(x, y Failing) int { return cmp.Compare(y.N, x.N) })
	r.Failing = list[:min(maxFailing, len(list))]
	r.MoreBad = len(list) - len(r.Failing)
}

func timeAt(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (s *Status) next(ctx context.Context, rows StatusRows, _ StatusAsk) error {
	list, err := rows.Schedules(ctx)
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(x, y storage.Schedule) int { return cmp.Compare(x.Due, y.Due) })
	s.MoreNext = max(0, len(list)-maxSchedules)
	for _, c := range list[:min(maxSchedules, len(list))] {
		n := Next{Name: c.Name, Paused: c.Paused, Fault: c.Fault}
		if c.Due < storage.Never && !c.Paused {
			n.Due = timeAt(time.UnixMilli(c.Due).UTC())
		}
		s.Schedules = append(s.Schedules, n)
	}
	return nil
}

// Speed adds the nodes' speeds up: exchanges and bytes a second.
func (s *Status) Speed() (exchanges, bytes float64) {
	for _, n := range s.Nodes {
		exchanges, bytes = exchanges+n.PerSecond, bytes+n.Bytes
	}
	return exchanges, bytes
}

// PerSecond writes how many a second.
func PerSecond(n float64) string {
	if n > 0 && n < 1 {
		return fmt.Sprintf("%.2f", n)
	}
	return fmt.Sprintf("%.1f", n)
}

// Told writes counts by word, most first.
func Told(counts map[string]int64) string {
	words := slices.Sorted(maps.Keys(counts))
	slices.SortStableFunc(words, func(x, y string) int { return cmp.Compare(counts[y], counts[x]) })
	parts := make([]string, len(words))
	for i, w := range words {
		short := outcome.Outcome(w).Describe().Short
		if w == string(outcome.Captured) {
			short = "answered"
		}
		parts[i] = fmt.Sprintf("%d %s", counts[w], short)
	}
	return strings.Join(parts, ", ")
}

package storagetest

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"linkstead/storage"
)

// frontierModel plays random histories against the database and against a model of the contract, which keeps no turns:
// it works out from the tasks, each time anew, whose turn it is. A host that the database lets sleep, or wakes for
// nothing, differs from it.
func frontierModel(t *testing.T, rows Rows) {
	b := newBench(t, rows)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		b.sweep() // what a history left that failed
		n++
		m := newModel(b, rt, n)
		rt.Repeat(map[string]func(*rapid.T){
			"enqueue":   m.enqueue,
			"claim":     m.claim,
			"claim2":    m.claim, // often: much else stands on it
			"commit":    m.commit,
			"commit2":   m.commit,
			"release":   m.release,
			"renew":     m.renew,
			"freeOwner": m.freeOwner,
			"advance":   m.advance,
			"pause":     m.pause,
			"resume":    m.resume,
			"":          m.check,
		})
		m.drain()
	})
}

type modelKey struct {
	host    string
	run, id int64
}

type modelHost struct {
	token, expiry, polite int64 // token 0: free
	owner                 string
}

type model struct {
	b      *bench
	rt     *rapid.T
	runs   []int64
	names  []string
	hosts  map[string]*modelHost
	tasks  map[modelKey]storage.Task
	paused map[int64]bool
	leases []storage.Lease // every one that was given, old ones too
}

// newModel begins a history with runs and hosts that no earlier history had.
func newModel(b *bench, rt *rapid.T, n int) *model {
	m := &model{b: b, rt: rt, hosts: map[string]*modelHost{}, tasks: map[modelKey]storage.Task{}, paused: map[int64]bool{}}
	for i := range 3 {
		m.names = append(m.names, fmt.Sprintf("h%d.%d", n, i))
	}
	for range 2 {
		r, err := b.StartRun(b.t.Context(), storage.Run{Collection: "c", Started: b.clock.Now()}, nil, nil)
		m.must(err)
		m.runs = append(m.runs, r.ID)
	}
	return m
}

func (m *model) must(err error) {
	if err != nil {
		m.rt.Fatal(err)
	}
}

// turn is when a host may be claimed: never if it has nothing to do.
func (m *model) turn(host string) int64 {
	h := m.hosts[host]
	if h == nil {
		return storage.Never
	}
	if h.token != 0 {
		return h.expiry
	}
	at := storage.Never
	for k, t := range m.tasks {
		if k.host == host && !m.paused[k.run] && t.Due < at {
			at = max(t.Due, h.polite)
		}
	}
	return at
}

func (m *model) someTasks(rt *rapid.T, most int) []storage.Task {
	out := make([]storage.Task, rapid.IntRange(0, most).Draw(rt, "tasks"))
	for i := range out {
		out[i] = task(rapid.SampledFrom(m.names).Draw(rt, "host"), rapid.SampledFrom(m.runs).Draw(rt, "run"),
			rapid.Int64Range(0, 5).Draw(rt, "id"), m.someDue(rt))
	}
	return out
}

func (m *model) someDue(rt *rapid.T) int64 {
	if rapid.Bool().Draw(rt, "urgent") {
		return rapid.Int64Range(0, 20).Draw(rt, "priority")
	}
	return m.b.ms() + rapid.Int64Range(-50, 200).Draw(rt, "from now")
}

// add is what the contract says of adding tasks.
func (m *model) add(ts []storage.Task) (fresh int) {
	for _, t := range ts {
		k := modelKey{t.Host, t.Run, t.ID}
		if _, there := m.tasks[k]; !there {
			m.tasks[k] = t
			fresh++
		}
		if m.hosts[t.Host] == nil {
			m.hosts[t.Host] = &modelHost{}
		}
	}
	return fresh
}

func (m *model) enqueue(rt *rapid.T) {
	ts := m.someTasks(rt, 4)
	n, err := m.b.Enqueue(m.b.t.Context(), ts)
	m.must(err)
	if want := m.add(ts); n != want {
		rt.Fatalf("enqueue says that %d are new, want %d", n, want)
	}
}

const modelTTL = 300 * time.Millisecond

func (m *model) claim(rt *rapid.T) {
	owner := rapid.SampledFrom([]string{"A", "B"}).Draw(rt, "owner")
	n, each := rapid.IntRange(1, 3).Draw(rt, "hosts"), rapid.IntRange(1, 4).Draw(rt, "each")
	now := m.b.ms()
	ls, err := m.b.Claim(m.b.t.Context(), owner, n, each, modelTTL)
	m.must(err)
	var ready []int64
	for _, h := range m.names {
		if at := m.turn(h); at <= now {
			ready = append(ready, at)
		}
	}
	slices.Sort(ready)
	ready = ready[:min(n, len(ready))]
	var got []int64
	for _, l := range ls {
		got = append(got, m.turn(l.Host))
	}
	slices.Sort(got)
	if !slices.Equal(got, ready) {
		rt.Fatalf("at %d the claim brings %v, whose turns are %d, want turns %d", now, hosts(ls), got, ready)
	}
	for _, l := range ls {
		m.checkTasks(rt, l, now, each)
		if l.Token == 0 || l.Token == m.hosts[l.Host].token {
			rt.Fatalf("%s got the token %d, which is none or not new", l.Host, l.Token)
		}
		*m.hosts[l.Host] = modelHost{token: l.Token, expiry: now + modelTTL.Milliseconds(), owner: owner, polite: m.hosts[l.Host].polite}
		m.leases = append(m.leases, l)
	}
}

func (m *model) checkTasks(rt *rapid.T, l storage.Lease, now int64, each int) {
	var due []int64
	for k, t := range m.tasks {
		if k.host == l.Host && !m.paused[k.run] && t.Due <= now {
			due = append(due, t.Due)
		}
	}
	slices.Sort(due)
	due = due[:min(each, len(due))]
	var got []int64
	for _, t := range l.Tasks {
		if t != m.tasks[modelKey{t.Host, t.Run, t.ID}] {
			rt.Fatalf("the lease of %s brings %+v, want %+v", l.Host, t, m.tasks[modelKey{t.Host, t.Run, t.ID}])
		}
		got = append(got, t.Due)
	}
	if !slices.Equal(got, due) {
		rt.Fatalf("the tasks of %s are due at %d, want %d", l.Host, got, due)
	}
}

// someLease draws a lease, mostly a late one.
func (m *model) someLease(rt *rapid.T) (storage.Lease, bool) {
	if len(m.leases) == 0 {
		return storage.Lease{}, false
	}
	recent := m.leases[max(0, len(m.leases)-5):]
	return recent[rapid.IntRange(0, len(recent)-1).Draw(rt, "lease")], true
}

func (m *model) commit(rt *rapid.T) {
	var ends []storage.End
	for range rapid.IntRange(1, 3).Draw(rt, "leases") {
		l, ok := m.someLease(rt)
		if !ok {
			return
		}
		for _, t := range l.Tasks {
			e := done(l, t, m.someTasks(rt, 2)...)
			if rapid.Bool().Draw(rt, "again") {
				e = again(l, t, m.b.ms()+rapid.Int64Range(0, 200).Draw(rt, "due in"))
			}
			ends = append(ends, e)
		}
	}
	got, err := m.b.Commit(m.b.t.Context(), nil, ends)
	m.must(err)
	var want []int
	for i, e := range ends {
		k := modelKey{e.Task.Host, e.Task.Run, e.Task.ID}
		if m.hosts[k.host].token != e.Token || m.tasks[k].Due == storage.Never {
			want = append(want, i)
			continue
		}
		m.tasks[k] = e.Task
		m.add(e.New)
	}
	if !slices.Equal(got, want) {
		rt.Fatalf("commit fences %d, want %d", got, want)
	}
}

func (m *model) release(rt *rapid.T) {
	l, ok := m.someLease(rt)
	if !ok {
		return
	}
	polite := m.b.clock.Now().Add(time.Duration(rapid.IntRange(0, 100).Draw(rt, "polite")) * time.Millisecond)
	m.must(m.b.Release(m.b.t.Context(), []storage.Lease{l}, polite))
	if h := m.hosts[l.Host]; h.token == l.Token {
		*h = modelHost{polite: polite.UnixMilli()}
	}
}

func (m *model) renew(rt *rapid.T) {
	var want []string
	recent := m.leases[max(0, len(m.leases)-3):]
	for _, l := range recent {
		if h := m.hosts[l.Host]; h.token == l.Token {
			h.expiry = m.b.ms() + modelTTL.Milliseconds()
		} else {
			want = append(want, l.Host)
		}
	}
	lost, err := m.b.Renew(m.b.t.Context(), recent, modelTTL)
	m.must(err)
	got := hosts(lost)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		rt.Fatalf("renew says that %q are lost, want %q", got, want)
	}
}

func (m *model) freeOwner(rt *rapid.T) {
	owner := rapid.SampledFrom([]string{"A", "B"}).Draw(rt, "owner")
	m.must(m.b.FreeOwner(m.b.t.Context(), owner, time.UnixMilli(0)))
	for _, h := range m.hosts {
		if h.token != 0 && h.owner == owner {
			*h = modelHost{}
		}
	}
}

func (m *model) advance(rt *rapid.T) {
	m.b.clock.Advance(time.Duration(rapid.IntRange(1, 150).Draw(rt, "milliseconds")) * time.Millisecond)
}

func (m *model) pause(rt *rapid.T) {
	run := rapid.SampledFrom(m.runs).Draw(rt, "run")
	m.must(m.b.PauseRun(m.b.t.Context(), run))
	m.paused[run] = true
}

func (m *model) resume(rt *rapid.T) {
	run := rapid.SampledFrom(m.runs).Draw(rt, "run")
	m.must(m.b.ResumeRun(m.b.t.Context(), run))
	delete(m.paused, run)
}

// check compares what can be seen from outside without changing anything.
func (m *model) check(rt *rapid.T) {
	want := storage.Never
	for _, h := range m.names {
		want = min(want, m.turn(h))
	}
	next, err := m.b.NextDue(m.b.t.Context())
	m.must(err)
	if next != want {
		rt.Fatalf("NextDue is %d, want %d", next, want)
	}
	open := map[int64]bool{}
	for k, t := range m.tasks {
		if t.Due != storage.Never {
			open[k.run] = true
		}
	}
	for _, run := range m.runs {
		got, err := m.b.Open(m.b.t.Context(), run)
		m.must(err)
		if got != open[run] {
			rt.Fatalf("Open(%d) = %v", run, got)
		}
	}
}

// sweep ends whatever is due within an hour.
func (b *bench) sweep() (ended []storage.End) {
	b.clock.Advance(time.Hour)
	for {
		ls := b.claim(100)
		if len(ls) == 0 {
			return ended
		}
		var ends []storage.End
		for _, l := range ls {
			for _, t := range l.Tasks {
				ends = append(ends, done(l, t))
			}
		}
		b.commit(nil, ends...)
		b.release(0, ls...)
		ended = append(ended, ends...)
	}
}

// drain ends all that is open, so that the next history begins with an idle database, and compares each task.
func (m *model) drain() {
	for _, run := range m.runs {
		m.must(m.b.ResumeRun(m.b.t.Context(), run))
	}
	clear(m.paused)
	for _, e := range m.b.sweep() {
		m.tasks[modelKey{e.Task.Host, e.Task.Run, e.Task.ID}] = e.Task
	}
	for _, k := range slices.Collect(maps.Keys(m.tasks)) {
		got, err := m.b.Task(m.b.t.Context(), k.host, k.run, k.id)
		m.must(err)
		if want := m.tasks[k]; got != want || got.Due != storage.Never {
			m.rt.Fatalf("task %+v is %+v, want %+v, ended", k, got, want)
		}
	}
}

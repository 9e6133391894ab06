package crawler

import (
	"context"
	"errors"
	"strings"
	"sync"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// What is counted against traps is counted by the holder of a host's lease, who alone ends tasks there: it reads the counts
// when it begins with a run, adds what it begins, and the acknowledgement of each page writes it. So the limits hold across
// workers and restarts; a killed worker's pages count when they are fetched again.

// tallies are what a host's pages of a run have been counted for, while this process holds the host.
type tallies struct {
	mu sync.Mutex
	by map[string]storage.Tally
}

// reached tells why there is no room for another page; "" if there is.
func (l *tallies) reached(counts []scope.Count) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range counts {
		t := l.by[c.Key]
		if why := c.Reached(t.N, t.Same); why != "" {
			return why
		}
	}
	return ""
}

// begins counts a page that is begun.
func (l *tallies) begins(counts []scope.Count) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range counts {
		t := l.by[c.Key]
		t.N++
		l.by[c.Key] = t
	}
}

// ended takes note of what a page held; of 0, that it was no good answer.
func (l *tallies) ended(counts []scope.Count, content int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range counts {
		t := l.by[c.Key].With(content)
		t.N-- // it was counted when it began
		l.by[c.Key] = t
	}
}

// traps are the tallies of a run, and how many traps it has made tasks of.
type traps struct {
	mu    sync.Mutex
	hosts map[string]*tallies // by host
	tasks map[string]int      // by host
}

// Bounds of what traps may leave behind: of those that are known for traps when they are come upon, so many on a host become
// tasks, each of which ends with a record that says why. The others are outlinks with a reason.
const (
	maxTrapTasks = 100
	maxTrapHosts = 10_000
)

// on is that of a host which this process holds; nil if it holds it not.
func (t *traps) on(host string) *tallies {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hosts[host]
}

func (t *traps) open(host string, l *tallies) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hosts == nil {
		t.hosts = map[string]*tallies{}
	}
	t.hosts[host] = l
}

func (t *traps) close(host string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.hosts, host)
}

// room says whether another trap of a host becomes a task.
func (t *traps) room(host string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tasks == nil {
		t.tasks = map[string]int{}
	}
	n, known := t.tasks[host]
	if n >= maxTrapTasks || !known && len(t.tasks) >= maxTrapHosts {
		return false
	}
	t.tasks[host] = n + 1
	return true
}

// ended takes note of how the page of an entry was answered.
func (t *traps) ended(e *warc.Entry, p *permission) {
	if p == nil || len(p.counted) == 0 || e.Meta.Retry != 0 {
		return
	}
	for _, c := range p.counted {
		e.Counted = append(e.Counted, c.Key)
	}
	var content int64
	if x := e.Exchange; x.Outcome.Kept() && x.Head.Status/100 == 2 && x.Payload.Size > 0 {
		content = storage.Version(warc.Digest(x.Payload.SHA256))
	}
	if l := t.on(e.Task.Host); l != nil {
		l.ended(p.counted, content)
	}
}

// admit decides whether a link becomes a task: besides what its address tells, what was counted on its host, if this process
// knows it. The first ones of a trap become tasks, too, so that each has an outcome of its own. e is what names the link.
func (r *run) admit(s *scope.Scope, e *warc.Entry, l scope.Link) scope.Verdict {
	v := s.Admit(l)
	if v.Admitted && l.Hop == scope.HopEmbed && scope.Role(l.Hops) == scope.KindRequisite && !r.knows(l) {
		if why := r.nested.over(e, s.Spec().Traps, l.URL); why != "" {
			v.Admitted, v.Reason, v.Detail = false, scope.ReasonTrap, why
		}
		return v
	}
	if v.Reason != scope.ReasonTrap && (!v.Admitted || !s.Cuttable(v.Kind, v.Hops, v.Depth)) {
		return v
	}
	if r.knows(l) {
		v.Admitted = true
		return v
	}
	host := urlkey.Host(l.URL)
	if v.Admitted && v.Kind == scope.KindPage {
		if g := r.traps.on(host); g != nil {
			v.Detail = g.reached(s.Tallied(l.URL, v.Hops, v.Depth))
		}
	}
	if v.Admitted && v.Detail == "" {
		return v
	}
	v.Reason, v.Admitted = scope.ReasonTrap, r.traps.room(host)
	return v
}

// leadsBack says whether a redirect leads to one of those that led to it.
func (c *Crawler) leadsBack(ctx context.Context, e *warc.Entry, target string) (bool, error) {
	hops, via := e.Task.Hops, e.Task.Via
	for strings.HasSuffix(hops, string(scope.HopRedirect)) && c.Tasks != nil {
		if via == target {
			return true, nil
		}
		hops = hops[:len(hops)-1]
		id := urlkey.ID(via)
		if !strings.HasSuffix(hops, string(scope.HopRedirect)) {
			id = urlkey.PageID(via)
		}
		t, err := c.Tasks.Task(ctx, urlkey.Host(via), e.Task.Run, id)
		if errors.Is(err, storage.ErrNotFound) || err == nil && t.Hops != hops {
			return false, nil // it was come upon in another way, too
		}
		if err != nil {
			return false, err
		}
		via = t.Via
	}
	return false, nil
}

// knows says whether the run is known to have the task of a link already.
func (r *run) knows(l scope.Link) bool {
	id := urlkey.PageID(l.URL)
	if l.Hop == scope.HopRedirect {
		id = urlkey.ID(l.URL)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen[id]
}

// look looks at a task that may be fetched for being a trap, and counts it if it is none.
func (h *host) look(ctx context.Context, r *run, t storage.Task, p *permission) error {
	s := r.scope.Load()
	if !p.allowed() || !s.Counts() || scope.Role(t.Hops) != scope.KindPage || t.Kind == KindDocument {
		return nil
	}
	var counts []scope.Count
	if t.Kind == string(scope.KindPage) {
		counts = s.Tallied(t.URL, t.Hops, t.Depth)
	}
	g, err := h.tallies(ctx, r)
	if err != nil {
		return err
	}
	if s.Cuttable(scope.Kind(t.Kind), t.Hops, t.Depth) {
		why := s.Trapped(t.URL, t.Via, t.Depth)
		if why == "" && t.Attempts == 0 {
			why = g.reached(counts)
		}
		if why != "" {
			p.outcome, p.detail, p.rule = outcome.Trap, sentenceOf(why), "traps"
			return nil
		}
	}
	p.counted = counts
	if t.Attempts == 0 {
		g.begins(counts)
	}
	return nil
}

// tallies are those of a run on the host, read once a lease.
func (h *host) tallies(ctx context.Context, r *run) (*tallies, error) {
	if g := h.counts[r.row.ID]; g != nil {
		return g, nil
	}
	by, err := h.c.Runs.Tallies(ctx, r.row.ID, h.lease.Host)
	if err != nil {
		return nil, err
	}
	g := &tallies{by: by}
	h.counts[r.row.ID] = g
	r.traps.open(h.lease.Host, g)
	return g, nil
}

// forgetTallies forgets what only the holder of the lease may know.
func (h *host) forgetTallies() {
	for id := range h.counts {
		if r, ok := h.c.live.get(id); ok {
			r.traps.close(h.lease.Host)
		}
	}
}

// sentenceOf makes a sentence of a reason.
func sentenceOf(why string) string {
	if why == "" {
		return ""
	}
	return "Left out as a trap: " + why + "."
}

package crawler

import (
	"fmt"
	"sync"

	"linkstead/crawler/fetch"
	"linkstead/crawler/scope"
)

// line is a recorder with its idle workers. Runs that may reach the same addresses share one, and its connections.
type line struct {
	rec  *fetch.Recorder
	idle sync.Pool
}

func (l *line) worker() *fetch.Worker { return l.idle.Get().(*fetch.Worker) }

// lines are the recorders in use, by what their runs may reach.
type lines struct {
	mu   sync.Mutex
	open map[string]*line
}

// of is the line for runs of a spec.
func (l *lines) of(spec scope.Spec, make1 func(scope.Spec) *fetch.Recorder) *line {
	key := fmt.Sprintf("%t %q", spec.AllowPrivate, spec.Resolve)
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.open[key]; n != nil {
		return n
	}
	if l.open == nil {
		l.open = map[string]*line{}
	}
	n := &line{rec: make1(spec)}
	n.idle.New = func() any { return n.rec.Worker() }
	l.open[key] = n
	return n
}

// hangUp closes the kept-alive connections.
func (l *lines) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.open {
		n.rec.Close()
	}
	l.open = nil
}

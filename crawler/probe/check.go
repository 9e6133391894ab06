package probe

import (
	"context"
	"sync"
	"time"

	"linkstead/archive/urlkey"
)

// Checker looks at many links, each once, with what tries it takes. Hosts are asked side by side.
type Checker struct {
	Prober  *Prober // with Hosts as its gate, or another that bounds what happens at the same time
	PerHost int     // looks at a time at links of one host; 0: 1
	Retries int     // tries after the first, for what may pass by itself
}

// Check looks at each request and tells of each as it ends, by its place in reqs, one at a time. It returns once all are
// told, or with an error: the context's, or that of a local fault. A look that was called off is not told.
func (c *Checker) Check(ctx context.Context, reqs []Request, tell func(i, tries int, l *Look)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var order []string
	hosts := map[string][]int{}
	for i := range reqs {
		h := urlkey.Host(reqs[i].URL)
		if hosts[h] == nil {
			order = append(order, h)
		}
		hosts[h] = append(hosts[h], i)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, h := range order {
		queue := hosts[h]
		take := func() (int, bool) {
			mu.Lock()
			defer mu.Unlock()
			if len(queue) == 0 {
				return 0, false
			}
			i := queue[0]
			queue = queue[1:]
			return i, true
		}
		for range min(max(1, c.PerHost), len(queue)) {
			wg.Go(func() {
				for i, ok := take(); ok && ctx.Err() == nil; i, ok = take() {
					l, tries, err := c.try(ctx, reqs[i])
					if err != nil {
						cancel(err)
						return
					}
					mu.Lock()
					tell(i, tries, l)
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// try looks at a link until it answers something that stands, or until the tries are used up. The gate lets a host alone
// that failed: there is no wait of its own here.
func (c *Checker) try(ctx context.Context, req Request) (l *Look, tries int, err error) {
	for tries = 1; ; tries++ {
		if l, err = c.Prober.Look(ctx, req); err != nil || tries > c.Retries || !l.passing() || l.Method == "" {
			return l, tries, err
		}
	}
}

// passing says whether a look tells of a moment rather than of the link.
func (l *Look) passing() bool {
	switch l.Status {
	case 408, 429, 502, 503, 504:
		return true
	case 0:
		return l.Outcome.Retry()
	}
	return false
}

// Took is how long a look's requests took together, without the waits between them.
func (l *Look) Took() time.Duration {
	d := l.Timing.Total
	for i := range l.Hops {
		d += l.Hops[i].Timing.Total
	}
	return d
}

package probe

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/pace"
)

// Hosts is a Gate that keeps what it knows in memory: each host gets so many requests at a time, with a pause between them,
// is left alone when it fails or asks for it, and is asked for its robots.txt first. It is for who looks at many links once
// and keeps no archive. Set the fields before the first use.
type Hosts struct {
	Prober   *Prober       // asks for robots.txt, without a gate
	Agent    string        // product token that robots.txt is read for
	Obey     bool          // what robots.txt forbids is not asked for; false: it is not asked for either
	PerHost  int           // requests at a time; 0: 1
	AtOnce   int           // requests at a time to all hosts together; 0: 1
	Delay    time.Duration // between the beginnings of requests to one host
	Loopback bool          // the delay is for hosts on this machine, too
	Pace     pace.Limits   // how a host is treated that fails; its DownAfter ends waiting for one that gives no answer
	Now      func() time.Time

	once  sync.Once
	all   chan struct{}
	mu    sync.Mutex
	hosts map[string]*host
	rules map[string]*permission // by origin
}

// host is what is known of one.
type host struct {
	free chan struct{} // a place for each request at a time

	mu    sync.Mutex
	next  time.Time // before which it is not to be asked again, for the pause
	state pace.State
	near  bool          // it is on this machine
	slow  time.Duration // Crawl-delay
	last  *Answer       // of the failures in a row
}

func (h *Hosts) init() {
	h.once.Do(func() {
		h.hosts, h.rules = map[string]*host{}, map[string]*permission{}
		h.all = make(chan struct{}, max(1, h.AtOnce))
		if h.Now == nil {
			h.Now = time.Now
		}
	})
}

func (h *Hosts) of(url string) *host {
	name := urlkey.Host(url)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hosts[name] == nil {
		h.hosts[name] = &host{free: make(chan struct{}, max(1, h.PerHost))}
	}
	return h.hosts[name]
}

// Enter waits for the turn of url: for its robots.txt, for a place among the requests to its host, for the pause, and for a
// place among all requests, which nobody holds while waiting for anything else.
func (h *Hosts) Enter(ctx context.Context, url string) (func(*warc.Exchange), *Answer, error) {
	h.init()
	if h.Obey {
		refused, err := h.permitted(ctx, url)
		if err != nil || refused != nil {
			return nil, refused, err
		}
	}
	return h.turn(ctx, url)
}

func (h *Hosts) turn(ctx context.Context, url string) (func(*warc.Exchange), *Answer, error) {
	if !urlkey.Fetchable(url) { // the recorder says what is wrong with it
		return func(*warc.Exchange) {}, nil, nil
	}
	at := h.of(url)
	select {
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	case at.free <- struct{}{}:
	}
	if a := h.unasked(at, url); a != nil {
		<-at.free
		return nil, a, nil
	}
	if err := h.wait(ctx, at); err != nil {
		<-at.free
		return nil, nil, err
	}
	select {
	case <-ctx.Done():
		<-at.free
		return nil, nil, ctx.Err()
	case h.all <- struct{}{}:
	}
	return func(x *warc.Exchange) {
		<-h.all
		h.fared(at, x)
		<-at.free
	}, nil, nil
}

// wait waits out the pause, and what the host asked for.
func (h *Hosts) wait(ctx context.Context, at *host) error {
	at.mu.Lock()
	now := h.Now()
	from := now
	for _, t := range []time.Time{at.next, at.state.Until} {
		if t.After(from) {
			from = t
		}
	}
	pause := h.Pace.Delay(h.Delay, at.state.Response)
	if at.near && !h.Loopback {
		pause = 0
	}
	at.next = from.Add(max(pause, at.slow))
	at.mu.Unlock()
	if !from.After(now) {
		return ctx.Err()
	}
	t := time.NewTimer(from.Sub(now))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// fared takes note of how the host fared.
func (h *Hosts) fared(at *host, x *warc.Exchange) {
	if x == nil {
		return
	}
	now := h.Now()
	a := pace.Answer{Began: now.Add(-x.Timing.Total), Ended: now, Took: x.Timing.FirstByte}
	switch x.Outcome {
	case outcome.Refused, outcome.Unreachable, outcome.Reset, outcome.Timeout, outcome.Empty:
		a.Kind = pace.Silent
	case outcome.DNS, outcome.TLS, outcome.Private:
	default:
		a.Kind = pace.Answered
	}
	switch x.Head.Status {
	case 429, 502, 503, 504:
		a.Kind = pace.Busy
		a.Wait = pace.RetryAfter(x.Head.Get("Retry-After"), x.Head.Get("Date"), now, h.Pace.RetryAfter)
	}
	at.mu.Lock()
	defer at.mu.Unlock()
	at.state = h.Pace.After(at.state, a, rand.Float64())
	if ip, err := netip.ParseAddr(x.IP); err == nil {
		if at.near = ip.IsLoopback(); at.near && !h.Loopback && at.slow == 0 {
			at.next = time.Time{} // set before anybody knew where the host is
		}
	}
	at.last = nil
	if x.Head.Len == 0 {
		at.last = answerOf(x)
	}
}

// unasked is the answer of a host that is not asked any more: its name is not there, or it gave no answer so often in a row
// that it would give none to this request either.
func (h *Hosts) unasked(at *host, url string) *Answer {
	at.mu.Lock()
	defer at.mu.Unlock()
	if at.last == nil {
		return nil
	}
	a := *at.last
	a.URL, a.Method, a.Timing = url, "", warc.Timing{}
	switch {
	case a.Outcome == outcome.DNS && a.Cause.DNSAnswer == "not-found":
		return &a
	case h.Pace.Down(at.state) && at.state.Reason == pace.ReasonDown:
		a.Detail = fmt.Sprintf("%s; that was so %d times in a row, and this address was not asked for any more", a.Detail, at.state.Failures)
		return &a
	}
	return nil
}

package crawler_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
)

// TestRetry: failures that may pass are tried again, later and later, and every try is on record; others are not. A task
// has one outcome.
func TestRetry(t *testing.T) {
	t.Parallel()
	hangUp := func(rw http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }
	cut := func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Length", "1000")
		fmt.Fprint(rw, "only this")
		rw.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	babble := func(rw http.ResponseWriter, _ *http.Request) {
		c, b, err := rw.(http.Hijacker).Hijack()
		if err == nil {
			fmt.Fprint(b, "What do you want?\r\n\r\n")
			_ = b.Flush()
			_ = c.Close()
		}
	}
	for name, c := range map[string]struct {
		tries    []http.HandlerFunc // the last one again and again
		outcome  outcome.Outcome
		visits   int
		captures int
		attempts int
	}{
		"passes":    {[]http.HandlerFunc{hangUp, hangUp, status(200)}, outcome.Captured, 3, 1, 2},
		"stays":     {[]http.HandlerFunc{hangUp}, outcome.Empty, 3, 0, 3},
		"permanent": {[]http.HandlerFunc{babble}, outcome.Protocol, 1, 0, 1},
		"cut":       {[]http.HandlerFunc{cut, status(200)}, outcome.Captured, 2, 2, 0},
		"stays cut": {[]http.HandlerFunc{cut}, outcome.CutShort, 3, 3, 0},
		"500":       {[]http.HandlerFunc{status(500)}, outcome.Captured, 1, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWeb(t)
			w.html("post.test/", `<article><a href="{a.test/}">a</a></article>`)
			var tries atomic.Int32
			w.set("a.test/", func(rw http.ResponseWriter, r *http.Request) {
				i := int(tries.Add(1)) - 1
				c.tries[min(i, len(c.tries)-1)](rw, r)
			})
			n := newNode(t, archive(t))
			n.RetryWait = 100 * time.Millisecond
			s := w.spec("post.test/", "a.test")
			s.Retries = 2
			r := n.capture(s)
			url := w.at("a.test/")
			task, err := n.db.Task(t.Context(), urlkey.Host(url), r.ID, urlkey.ID(url))
			if err != nil || task.Outcome != string(c.outcome) || task.Attempts != c.visits {
				t.Errorf("the task is %+v, %v; want %s after %d tries", task, err, c.outcome, c.visits)
			}
			as, err := n.db.Attempts(t.Context(), "default", urlkey.Key(url))
			must(t, err)
			if got := len(captures(n, url)); got != c.captures || len(as) != c.attempts {
				t.Errorf("%d captures and %d attempts, want %d and %d", got, len(as), c.captures, c.attempts)
			}
			for i, x := range n.closings()[url] {
				if x.Attempt != i+1 || (x.Retry == 0) != (i == c.visits-1) {
					t.Errorf("record %d says attempt %d, due again %d", i, x.Attempt, x.Retry)
				}
			}
			w.apart(t, "a.test", c.visits, n.RetryWait)
		})
	}
}

// apart checks that a host was visited so often, each time after twice the wait of the time before.
func (w *web) apart(t *testing.T, host string, times int, wait time.Duration) {
	t.Helper()
	var last visit
	n := 0
	for _, v := range w.seen(t) {
		if v.host != host {
			continue
		}
		if n++; n > 1 {
			if gap := v.begun.Sub(last.ended); gap < wait {
				t.Errorf("try %d came after %s, want %s", n, gap, wait)
			}
			wait *= 2
		}
		last = v
	}
	if n != times {
		t.Errorf("%d tries, want %d", n, times)
	}
}

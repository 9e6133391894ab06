package crawler_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"linkstead/crawler/scope"
	"linkstead/storage"
)

// TestUnreadableRun: a run whose row can't be read is put aside, whether it has tasks or not, and the others go on.
func TestUnreadableRun(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("a.test/", "<p>a</p>")
	n := newNode(t, archive(t))
	for id := range int64(2) {
		bad := storage.Run{ID: 100 + id, Source: w.at("a.test/"), Spec: json.RawMessage(`{"version":999`), Schedule: "s", State: storage.RunActive, Started: time.Now()}
		must(t, n.db.AdoptRun(t.Context(), bad))
	}
	_, err := n.db.Enqueue(t.Context(), []storage.Task{
		{Host: "a.test:" + w.port, Run: 100, ID: 1, URL: w.at("a.test/1"), Kind: "page"}, {Host: "a.test:" + w.port, Run: 100, ID: 2, URL: w.at("a.test/2"), Kind: "page"},
	})
	must(t, err)
	n.capture(w.spec("a.test/"))
	for id := range int64(2) {
		if r, err := n.db.Run(t.Context(), 100+id); err != nil || r.State != storage.RunPaused {
			t.Errorf("run %d is %s, %v", r.ID, r.State, err)
		}
	}
	w.expect(t, "a.test/")
}

// TestPausedRobots: a run that is paused while its robots.txt is not asked for yet asks for nothing, and goes on when it is
// resumed.
func TestPausedRobots(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	w.html("a.test/", "<p>a</p>")
	n := newNode(t, archive(t))
	pausing := &pausing{DB: n.db}
	n.Tasks = pausing
	s := w.spec("a.test/")
	s.Robots = scope.RobotsObey
	r := n.begin(s)
	n.work()
	if got := len(w.hits()); got != 0 || pausing.n.Load() != 1 {
		t.Errorf("a run that was paused made %d requests", got)
	}
	must(t, n.db.ResumeRun(t.Context(), r.ID))
	n.work()
	n.done(r)
	w.expect(t, "a.test/", "a.test/robots.txt")
}

// pausing is a database where somebody pauses the first run whose robots.txt comes up, just before.
type pausing struct {
	*storage.DB
	n atomic.Int32
}

func (p *pausing) Enqueue(ctx context.Context, tasks []storage.Task) (int, error) {
	if p.n.Add(1) == 1 {
		if err := p.PauseRun(ctx, tasks[0].Run); err != nil {
			return 0, err
		}
	}
	return p.DB.Enqueue(ctx, tasks)
}

// TestBudgetOfPages: hosts side by side begin no more pages than the budget has room for, though each waits for its turn
// after it was judged.
func TestBudgetOfPages(t *testing.T) {
	t.Parallel()
	w := newWeb(t)
	var hosts []string
	var links strings.Builder
	for h := range 8 {
		hosts = append(hosts, fmt.Sprintf("h%d.test", h))
		w.set(hosts[h]+"/robots.txt", func(rw http.ResponseWriter, r *http.Request) {
			select { // the hosts come to their pages at the same time
			case <-time.After(50 * time.Millisecond):
			case <-r.Context().Done():
			}
			rw.WriteHeader(http.StatusNotFound)
		})
		for i := range 4 {
			fmt.Fprintf(&links, `<a href="{%s/%d}">x</a>`, hosts[h], i)
			w.page(fmt.Sprintf("%s/%d", hosts[h], i), "text/plain", "x")
		}
	}
	w.html("post.test/", "<article>"+links.String()+"</article>")
	n := newNode(t, archive(t))
	s := w.spec("post.test/", hosts...)
	s.Robots, s.DelayMS, s.Budget = scope.RobotsObey, 20, scope.Budget{Pages: 10}
	n.capture(s)
	pages := 0
	for u := range w.hits() {
		if !strings.HasSuffix(u, "robots.txt") {
			pages++
		}
	}
	if pages != 10 {
		t.Errorf("%d pages were asked for, want 10", pages)
	}
}

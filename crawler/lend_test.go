package crawler_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestLent: more hosts that say nothing than there are places for hosts don't keep the others from being asked, and all of it
// stays within the bounds.
func TestLent(t *testing.T) {
	t.Parallel()
	const places, silent, pages = 3, 10, 5
	w := newWeb(t)
	var names []string
	var text strings.Builder
	open := make(chan struct{})
	for i := range silent {
		name := fmt.Sprintf("silent%d.test", i)
		names = append(names, name)
		newGate(w, name+"/").open = open
		fmt.Fprintf(&text, `<a href="{%s/}">x</a>`, name)
	}
	for i := range pages {
		name := fmt.Sprintf("good%d.test", i)
		names = append(names, name)
		w.html(name+"/", "good")
		fmt.Fprintf(&text, `<a href="{%s/}">x</a>`, name)
	}
	w.html("post.test/", "<article>"+text.String()+"</article>")
	n := newNode(t, archive(t))
	n.Hosts, n.More = places, 2*silent
	goesOnBeside(n, w, names, "silent", silent, pages, open)
}

// TestLentByThoseThatTrickle: hosts whose answers come in drops, or never end at whatever speed, don't keep the others from being
// asked, either.
func TestLentByThoseThatTrickle(t *testing.T) {
	t.Parallel()
	const places, slow, pages = 2, 6, 4
	w := newWeb(t)
	var names []string
	var text strings.Builder
	open := make(chan struct{})
	for i := range slow {
		name := fmt.Sprintf("slow%d.test", i)
		names = append(names, name)
		part := []byte("drop ")
		if i%2 == 1 {
			part = make([]byte, 4<<10)
		}
		w.set(name+"/", func(rw http.ResponseWriter, r *http.Request) {
			for {
				_, _ = rw.Write(part)
				_ = http.NewResponseController(rw).Flush()
				select {
				case <-open:
					return
				case <-r.Context().Done():
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
		})
		fmt.Fprintf(&text, `<a href="{%s/}">x</a>`, name)
	}
	for i := range pages {
		name := fmt.Sprintf("good%d.test", i)
		names = append(names, name)
		w.html(name+"/", "good")
		fmt.Fprintf(&text, `<a href="{%s/}">x</a>`, name)
	}
	w.html("post.test/", "<article>"+text.String()+"</article>")
	n := newNode(t, archive(t))
	n.Hosts, n.More, n.Trickle = places, 2*slow, 200*time.Millisecond
	goesOnBeside(n, w, names, "slow", slow, pages, open)
}

// goesOnBeside captures post.test: while so many hosts of a kind are all being asked, the pages of the good ones are done. The
// others end once open is closed.
func goesOnBeside(n *node, w *web, names []string, kind string, others, pages int, open chan struct{}) {
	t := n.t
	t.Helper()
	r := n.begin(w.spec("post.test/", names...))
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	work := n.start(ctx)
	waitUpTo(t, 2*time.Minute, "every "+kind+" host is being asked, and the others are done", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		under, done := 0, 0
		for host, k := range w.under {
			if strings.HasPrefix(host, kind) {
				under += k
			}
		}
		for _, v := range w.visits {
			if strings.HasPrefix(v.host, "good") && !v.ended.IsZero() {
				done++
			}
		}
		return under == others && done == pages
	})
	close(open)
	must(t, end(t, work))
	n.done(r)
}

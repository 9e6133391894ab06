package crawler_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestHung: hosts that say nothing, each with as many requests under way as it may have and together many more than may
// wait for their acknowledgement, don't keep the others from being asked, nor their captures from counting.
func TestHung(t *testing.T) {
	t.Parallel()
	const silent, each, pages = 8, 8, 25
	w := newWeb(t)
	var names []string
	var text strings.Builder
	open := make(chan struct{})
	for i := range silent {
		name := fmt.Sprintf("silent%d.test", i)
		names = append(names, name)
		for k := range each {
			g := newGate(w, fmt.Sprintf("%s/%d", name, k))
			g.open = open
			fmt.Fprintf(&text, `<a href="{%s/%d}">x</a>`, name, k)
		}
	}
	for i := range pages {
		fmt.Fprintf(&text, `<a href="{b.test/%d}">x</a> <a href="{c.test/%d}">x</a>`, i, i)
		w.html(fmt.Sprintf("b.test/%d", i), "B")
		w.html(fmt.Sprintf("c.test/%d", i), "C")
	}
	w.html("post.test/", "<article>"+text.String()+"</article>")
	n := newNode(t, archive(t))
	s := w.spec("post.test/", append(names, "b.test", "c.test")...)
	s.PerHost = each
	r := n.begin(s)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	work := n.start(ctx)
	counted := func() (others, all int) {
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, e := range n.events {
			if strings.Contains(e.URL, "//b.test") || strings.Contains(e.URL, "//c.test") {
				others++
			}
		}
		return others, len(n.events)
	}
	waitFor(t, "every silent host has all its requests, and the others are done", func() bool {
		others, _ := counted()
		w.mu.Lock()
		defer w.mu.Unlock()
		return others == 2*pages && w.under[""] == silent*each
	})
	if _, all := counted(); all != 2*pages+1 {
		t.Errorf("%d exchanges count while the silent hosts say nothing", all)
	}
	close(open)
	must(t, end(t, work))
	n.done(r)
	if _, all := counted(); all != 2*pages+1+silent*each {
		t.Errorf("%d exchanges count in the end", all)
	}
}

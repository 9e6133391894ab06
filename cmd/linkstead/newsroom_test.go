package main

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// newsroom is a website of many hosts on one loopback port: a blog with a feed, whose posts cite pages of other hosts. It
// takes down each request, who made it and when, so that it can tell how often anything was asked for and how fast.
type newsroom struct {
	port string
	srv  *http.Server

	mu    sync.Mutex
	posts int // in the feed
	log   []asked
}

// asked is one request.
type asked struct {
	host, url, agent string
	begun, ended     time.Time
}

// sourceHosts are the hosts that posts cite, and citesEach how many of their pages each post does.
const (
	sourceHosts = 8
	citesEach   = 12
)

func startNewsroom(t testing.TB, posts int) *newsroom {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	n := &newsroom{port: port, posts: posts}
	n.srv = &http.Server{Handler: n, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan struct{})
	go func() { _ = n.srv.Serve(l); close(served) }() // it ends by Close
	t.Cleanup(func() { n.srv.Close(); <-served })
	return n
}

func (n *newsroom) publish(more int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.posts += more
}

func (n *newsroom) url(host, path string) string {
	return fmt.Sprintf("http://%s:%s%s", host, n.port, path)
}

// resolve are the flags that lead every host here.
func (n *newsroom) resolve() []string {
	out := []string{"--resolve", "blog.test:" + n.port + ":127.0.0.1"}
	for i := range sourceHosts {
		out = append(out, "--resolve", fmt.Sprintf("src%d.test:%s:127.0.0.1", i, n.port))
	}
	return out
}

func (n *newsroom) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	host, _, _ := strings.Cut(r.Host, ":")
	mime, body := n.page(host, r.URL.Path)
	if body == "" {
		http.Error(w, "no such page", http.StatusNotFound)
	} else {
		w.Header().Set("Content-Type", mime)
		fmt.Fprint(w, body)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = append(n.log, asked{host: host, url: "http://" + r.Host + r.URL.RequestURI(), agent: r.UserAgent(), begun: begun, ended: time.Now()})
}

// page is what a host has at a path; empty if nothing.
func (n *newsroom) page(host, path string) (mime, body string) {
	if host == "blog.test" {
		if path == "/feed.xml" {
			return "application/rss+xml", n.feed()
		}
		var i int
		if _, err := fmt.Sscanf(path, "/post/%d", &i); err == nil {
			return "text/html", n.post(i)
		}
		return "", ""
	}
	if strings.HasPrefix(path, "/a/") {
		return "text/html", fmt.Sprintf("<title>%s</title><p>What %s has to say at %s.<img src=\"/i%s.png\">", path, host, path, path[2:])
	}
	if strings.HasPrefix(path, "/i/") {
		return "image/png", "a picture of " + host + path
	}
	return "", ""
}

func (n *newsroom) feed() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><rss version="2.0"><channel><title>Blog</title><link>` + n.url("blog.test", "/") + `</link><description>d</description>`)
	for i := range n.posts {
		fmt.Fprintf(&b, "<item><title>Post %d</title><link>%s</link></item>", i, n.url("blog.test", fmt.Sprintf("/post/%d", i)))
	}
	return b.String() + "</channel></rss>"
}

func (n *newsroom) post(i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<html><head><title>Post %d</title></head><body><article><p>", i)
	for k := range citesEach {
		fmt.Fprintf(&b, "See <a href=\"%s\">source %d</a>. ", n.url(fmt.Sprintf("src%d.test", k%sourceHosts), fmt.Sprintf("/a/%d-%d", i, k)), k)
	}
	return b.String() + "</p></article></body></html>"
}

// requests are the requests so far.
func (n *newsroom) requests() []asked {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]asked(nil), n.log...)
}

// fastest is the shortest time from the end of a request to the beginning of the next one to the same host, and which.
func (n *newsroom) fastest() (time.Duration, string) {
	last := map[string]asked{}
	least, which := time.Hour, ""
	for _, a := range n.requests() {
		if before, ok := last[a.host]; ok {
			if gap := a.begun.Sub(before.ended); gap < least {
				least, which = gap, before.url+" by "+before.agent+", then "+a.url+" by "+a.agent
			}
		}
		last[a.host] = a
	}
	return least, which
}

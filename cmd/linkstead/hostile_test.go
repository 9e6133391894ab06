package main

import (
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// leakPorts are where a page tries to reach its host: by HTTP, by a connection alone, and by TLS.
var leakPorts = []string{"80", "81", "82", "443"}

// leak is a host that no archived page may reach. It notes whoever comes.
type leak struct {
	addr string

	mu   sync.Mutex
	came map[string]int // requests by path, connections by port, datagrams
}

func startLeak(t *testing.T) *leak {
	t.Helper()
	l := &leak{addr: freeLoopback(t, 80), came: map[string]int{}}
	srv := &http.Server{Handler: l, ReadHeaderTimeout: 10 * time.Second}
	t.Cleanup(func() { srv.Close() })
	for _, port := range leakPorts {
		tcp, err := net.Listen("tcp", net.JoinHostPort(l.addr, port))
		if err != nil {
			t.Fatal(err)
		}
		go srv.Serve(noting{tcp, l, "connection to " + port})
	}
	udp, err := net.ListenPacket("udp", net.JoinHostPort(l.addr, "3478"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close() })
	go func() {
		for buf := make([]byte, 2048); ; {
			if _, _, err := udp.ReadFrom(buf); err != nil {
				return
			}
			l.note("datagram")
		}
	}()
	return l
}

func (l *leak) note(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.came[what]++
}

// took tells who came, and forgets it.
func (l *leak) took() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for what := range l.came {
		out = append(out, what)
	}
	slices.Sort(out)
	clear(l.came)
	return out
}

// ServeHTTP answers with something that fits, so that what hangs on it is tried too.
func (l *leak) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.note(r.URL.Path)
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cache-Control", "no-store")
	switch filepath.Ext(r.URL.Path) {
	case ".css":
		h.Set("Content-Type", "text/css")
		io.WriteString(w, "p { background: url(deeper.png) }")
	case ".js", ".mjs":
		h.Set("Content-Type", "text/javascript")
		io.WriteString(w, "new Image().src = 'http://leak.test/from-script.png'")
	case ".html", "":
		h.Set("Content-Type", "text/html")
		io.WriteString(w, "<p>frame<img src=http://leak.test/from-frame.png>")
	default:
		http.NotFound(w, r)
	}
}

// noting is a listener that notes each connection.
type noting struct {
	net.Listener
	l    *leak
	what string
}

func (n noting) Accept() (net.Conn, error) {
	c, err := n.Listener.Accept()
	if err == nil {
		n.l.note(n.what)
	}
	return c, err
}

// TestReplayKeepsIn replays pages that try to reach another host in every way that we know. Seen live they do; seen in
// the archive nobody comes.
func TestReplayKeepsIn(t *testing.T) {
	t.Parallel()
	l, archive := startLeak(t), filepath.Join(t.TempDir(), "A")
	root, err := filepath.Abs("testdata/hostile")
	if err != nil {
		t.Fatal(err)
	}
	n := startNginx(t, vhost{name: "hostile.test", root: root})
	args := n.resolve()
	for _, port := range leakPorts {
		args = append(args, "--resolve", "leak.test:"+port+":"+l.addr)
	}
	for _, page := range []string{"index.html", "leave.html", "sw.js"} {
		captureReport(t, archive, append(slices.Clone(args), "http://hostile.test/"+page)...)
	}
	s, b := serveArchive(t, archive), browse(t, append(n.rules(), "MAP leak.test "+l.addr)...)
	l.took()

	// Live, to show that the pages do try.
	b.forget()
	b.open("http://hostile.test/index.html")
	b.tried()
	live := l.took()
	if len(live) < 50 {
		t.Errorf("seen live, the page reached only %d places: %v", len(live), live)
	}
	n.forget(t)

	b.forget()
	b.open(s.origin + "/web/2100/http://hostile.test/index.html")
	b.tried()
	b.do(chromedp.Click(chromedp.CSS("#ping")))
	b.settled("http://hostile.test/next.html")
	b.stayed(t, s, n, l, "index.html")
	if k := run(b, chromedp.Evaluate[int](`navigator.serviceWorker.getRegistrations().then(all => all.length)`,
		chromedp.EvalAwaitPromise)); k != 0 {
		t.Errorf("%d service workers of archived pages are at work", k)
	}

	b.open(s.origin + "/web/2100/http://hostile.test/leave.html")
	b.settled("http://hostile.test/leave.html")
	for _, way := range run(b, chromedp.Evaluate[[]string]("window.ways")) {
		b.open("about:blank") // or only the fragment would change
		b.forget()
		b.open(s.origin + "/web/2100/http://hostile.test/leave.html#" + way)
		if where := b.left(); where != "it stays" && !strings.HasPrefix(where, s.origin+"/") {
			t.Errorf("leaving by %s leads to %s", way, where)
		}
		b.stayed(t, s, n, l, "leaving by "+way)
	}
}

// tried waits until the page's script has tried everything, and what came of it has come to rest.
func (b *browser) tried() {
	b.t.Helper()
	b.await("open index.html", func(s *sight) bool {
		for _, url := range s.loaders {
			if strings.HasSuffix(url, "/index.html") {
				return true
			}
		}
		return false
	})
	b.until("window.tried >= 25")
	late := time.After(15 * time.Second)
	for {
		b.mu.Lock()
		changed := b.changed
		b.mu.Unlock()
		select {
		case <-changed:
		case <-late:
			return
		case <-time.After(2 * time.Second):
			return
		}
	}
}

// left waits until a page has gone elsewhere, and tells where. One that stays is given some time.
func (b *browser) left() (where string) {
	late := time.NewTimer(3 * time.Second)
	defer late.Stop()
	for {
		b.mu.Lock()
		changed := b.changed
		for _, url := range b.loaders {
			if strings.Contains(url, "left-by") {
				where = url
			}
		}
		b.mu.Unlock()
		if where != "" {
			return where
		}
		select {
		case <-changed:
		case <-late.C:
			return "it stays"
		}
	}
}

// stayed checks that nobody but the archive was asked for anything.
func (b *browser) stayed(t *testing.T, s *served, n *nginx, l *leak, name string) {
	t.Helper()
	b.mu.Lock()
	for _, u := range b.beyond(s.origin) {
		t.Errorf("%s: a request beyond the archive: %s", name, u)
	}
	b.mu.Unlock()
	if came := l.took(); len(came) > 0 {
		t.Errorf("%s: reached the other host: %v", name, came)
	}
	if asked := n.requests(t); len(asked) > 0 {
		t.Errorf("%s: asked the live site for %v", name, asked)
	}
}

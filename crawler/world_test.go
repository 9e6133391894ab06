package crawler_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"linkstead/archive/warc"
	"linkstead/crawler"
	"linkstead/crawler/fetch"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// web is all hosts of a test, on one loopback port. It remembers every visit.
type web struct {
	port string

	mu     sync.Mutex
	pages  map[string]http.HandlerFunc // by "host/path?query"; "host/*" has the rest
	visits []*visit                    // in the order in which they began
	under  map[string]int              // requests under way, by host
	most   map[string]int              // the most that were, by host; "" for all
}

type visit struct {
	host, path   string
	begun, ended time.Time
}

func newWeb(t testing.TB) *web {
	w := &web{pages: map[string]http.HandlerFunc{}, under: map[string]int{}, most: map[string]int{}}
	s := httptest.NewServer(w)
	_, w.port, _ = net.SplitHostPort(s.Listener.Addr().String())
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return w
}

// at is an address on the web: at("a.test/page") is http://a.test:PORT/page.
func (w *web) at(hostPath string) string {
	host, path, _ := strings.Cut(hostPath, "/")
	return "http://" + host + ":" + w.port + "/" + path
}

func (w *web) set(hostPath string, h http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages[hostPath] = h
}

// page serves a text; {host/path} in it stands for that address.
func (w *web) page(hostPath, mime, text string) {
	w.set(hostPath, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", mime)
		fmt.Fprint(rw, w.fill(text))
	})
}

func (w *web) html(hostPath, text string) { w.page(hostPath, "text/html", text) }

func (w *web) status(hostPath string, code int, header ...string) {
	w.set(hostPath, func(rw http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			rw.Header().Set(header[i], w.fill(header[i+1]))
		}
		rw.WriteHeader(code)
	})
}

// fill puts addresses in for what stands in braces and holds a slash.
func (w *web) fill(s string) string {
	var sb strings.Builder
	for {
		i := strings.IndexByte(s, '{')
		n := strings.IndexByte(s[max(i, 0):], '}')
		if i < 0 || n < 0 {
			return sb.String() + s
		}
		sb.WriteString(s[:i])
		if in := s[i+1 : i+n]; strings.Contains(in, ".test/") {
			sb.WriteString(w.at(in))
		} else {
			sb.WriteString(s[i : i+n+1])
		}
		s = s[i+n+1:]
	}
}

func (w *web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	host, _, _ := strings.Cut(r.Host, ":")
	w.mu.Lock()
	v := &visit{host: host, path: r.URL.RequestURI(), begun: time.Now()}
	w.visits = append(w.visits, v)
	h := w.pages[host+r.URL.RequestURI()]
	if h == nil {
		h = w.pages[host+"/*"]
	}
	for _, k := range []string{host, ""} {
		w.under[k]++
		w.most[k] = max(w.most[k], w.under[k])
	}
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.under[host]--
		w.under[""]--
		v.ended = time.Now()
	}()
	if h == nil {
		http.NotFound(rw, r)
		return
	}
	h(rw, r)
}

// seen are the visits, in the order in which they began, once all have ended.
func (w *web) seen(t testing.TB) (out []visit) {
	t.Helper()
	waitFor(t, "every visit has ended", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.under[""] == 0
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, v := range w.visits {
		out = append(out, *v)
	}
	return out
}

// hits counts visits by "host/path".
func (w *web) hits() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]int{}
	for _, v := range w.visits {
		out[v.host+v.path]++
	}
	return out
}

// expect compares the addresses that were visited, each exactly once.
func (w *web) expect(t testing.TB, want ...string) {
	t.Helper()
	got := w.hits()
	for k, n := range got {
		if n != 1 {
			t.Errorf("%s was asked for %d times", k, n)
		}
	}
	names := slices.Sorted(maps.Keys(got))
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("asked for\n  %s\nwant\n  %s", strings.Join(names, "\n  "), strings.Join(want, "\n  "))
	}
}

// waitFor waits until something holds.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	waitUpTo(t, time.Minute, what, ok)
}

// waitUpTo waits until something holds that may take long on a busy machine.
func waitUpTo(t testing.TB, most time.Duration, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(most); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// spec is a run of a source on the web: quick, without robots.txt.
func (w *web) spec(source string, hosts ...string) scope.Spec {
	s := scope.Default()
	s.Source, s.AllowPrivate, s.DelayMS, s.Robots = w.at(source), true, 0, scope.RobotsIgnore
	host, _, _ := strings.Cut(source, "/")
	for _, h := range append(hosts, host) {
		s.Resolve = append(s.Resolve, h+":"+w.port+":127.0.0.1")
	}
	return s
}

// node is a worker with real parts, as cmd/linkstead wires them.
type node struct {
	*crawler.Crawler
	t       testing.TB
	dir     string
	db      *storage.DB
	spool   *storage.Spool
	journal *warc.Journal
	dead    bool // closing may fail

	mu     sync.Mutex
	events []crawler.Event
}

// parts are what a test may put in other ways, before they are wired.
type parts struct {
	fs      storage.FS
	spool   string // folder
	journal warc.JournalParts
	limits  fetch.Limits
	now     func() time.Time // of the database and the crawler
	names   *net.Resolver    // nil: the system's
}

// emptyDB is a database with nothing but its schema: migrating takes most of a short test's time.
var emptyDB = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "linkstead-schema-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "empty.db")
	db, err := storage.OpenDB(context.Background(), "sqlite:"+path, storage.DBOptions{})
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// archive is an empty archive in a new folder.
func archive(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	empty, err := emptyDB()
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "linkstead.db"), empty, 0o644))
	return dir
}

// newNode opens the archive in dir and goes on where a stopped worker left off.
func newNode(t testing.TB, dir string, change ...func(*parts)) *node {
	t.Helper()
	n := &node{t: t, dir: dir}
	p := parts{fs: storage.OS{}, spool: filepath.Join(dir, "spool"), now: time.Now}
	var err error
	n.db, err = storage.OpenDB(t.Context(), "sqlite:"+filepath.Join(dir, "linkstead.db"), storage.DBOptions{Now: func() time.Time { return p.now() }})
	must(t, err)
	p.journal = warc.JournalParts{
		Rows: n.db, Segments: n.db, Shelves: n.db,
		MaxSize: 64 << 20, MaxAge: time.Hour, Window: time.Millisecond, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&p)
	}
	blobs, err := storage.OpenDir(dir, storage.OS{})
	must(t, err)
	n.spool, err = storage.HoldSpool(p.spool, p.fs)
	must(t, err)
	if p.journal.Blobs == nil {
		p.journal.Blobs = blobs
	}
	p.journal.Spool, p.journal.Composer = n.spool, &warc.Composer{Dir: n.spool.Temp(), Memory: 1 << 20}
	n.journal = warc.NewJournal(p.journal)
	n.Crawler = &crawler.Crawler{
		Queue: n.db, Tasks: n.db, Runs: n.db, Index: n.db, Copies: n.db, Journal: n.journal,
		Schedules: n.db, Watched: n.db, History: n.db, Cuts: n.db,
		Library: &warc.Library{Shelves: n.db, Blobs: blobs, Spool: p.spool},
		Recorder: func(s scope.Spec) *fetch.Recorder {
			resolve := map[string]string{}
			for _, r := range s.Resolve {
				hostPort, addr, err := scope.SplitResolve(r)
				must(t, err)
				resolve[hostPort] = addr.String()
			}
			return &fetch.Recorder{Limits: p.limits, Resolver: p.names, Resolve: resolve, AllowPrivate: s.AllowPrivate, Spool: n.spool.Temp()}
		},
		Owner: n.spool.Node(), Agent: "linkstead", Hosts: 32, Lease: time.Minute, Hold: 15 * time.Second,
		RetryWait: 20 * time.Millisecond, Grace: 5 * time.Second, Now: p.now, Log: slog.New(slog.DiscardHandler),
		Tell: func(e crawler.Event) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.events = append(n.events, e)
		},
	}
	t.Cleanup(n.close)
	_, err = n.journal.Recover(t.Context())
	must(t, err)
	must(t, n.db.FreeOwner(t.Context(), n.spool.Node(), time.Now()))
	return n
}

func (n *node) close() {
	if n.db == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	if n.dead {
		cancel()
	}
	defer cancel()
	for _, f := range []func() error{func() error { return n.journal.Close(ctx) }, n.spool.Close, n.db.Close} {
		if err := f(); err != nil && !n.dead {
			n.t.Errorf("closing: %v", err)
		}
	}
	n.db = nil
}

// begin starts a run, or goes on with it.
func (n *node) begin(s scope.Spec) storage.Run {
	n.t.Helper()
	return n.beginAt(s, time.Now())
}

func (n *node) beginAt(s scope.Spec, now time.Time) storage.Run {
	n.t.Helper()
	r, _, err := crawler.Begin(n.t.Context(), n.db, s, nil, now)
	must(n.t, err)
	return r
}

// work works until nothing is left.
func (n *node) work() {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), 2*time.Minute)
	defer cancel()
	must(n.t, n.Work(ctx, nil))
	must(n.t, ctx.Err())
}

// capture begins a run and sees it through.
func (n *node) capture(s scope.Spec) storage.Run {
	n.t.Helper()
	r := n.begin(s)
	n.work()
	return n.done(r)
}

// done reads a run that has to be done.
func (n *node) done(r storage.Run) storage.Run {
	n.t.Helper()
	r, err := n.db.Run(n.t.Context(), r.ID)
	must(n.t, err)
	if r.State != storage.RunDone {
		n.t.Errorf("run %d is %s", r.ID, r.State)
	}
	return r
}

// closings are the metadata records of the archive's stored segments that count, in the order in which they stand there,
// by URL.
func (n *node) closings() map[string][]*warc.Closing {
	n.t.Helper()
	files, err := filepath.Glob(filepath.Join(n.dir, "warc", "*", "*.warc.gz"))
	must(n.t, err)
	out := map[string][]*warc.Closing{}
	for _, name := range files {
		f, err := os.Open(name)
		must(n.t, err)
		st, err := f.Stat()
		must(n.t, err)
		for u, err := range warc.Exchanges(f, 0, st.Size()) {
			must(n.t, err)
			if u.Closing != nil && !u.Voided {
				out[u.URL()] = append(out[u.URL()], u.Closing)
			}
		}
		must(n.t, f.Close())
	}
	return out
}

// closing is the one metadata record of a URL.
func (n *node) closing(url string) *warc.Closing {
	n.t.Helper()
	cs := n.closings()[url]
	if len(cs) != 1 {
		n.t.Fatalf("%s has %d metadata records, want 1", url, len(cs))
	}
	return cs[0]
}

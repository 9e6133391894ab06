package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"linkstead/archive/warc"
	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// process is the program, running.
type process struct {
	t      testing.TB
	cmd    *exec.Cmd
	stderr lockedBuffer
	ended  chan error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// programCmd is the program with arguments, as it will be run.
func programCmd(t testing.TB, env []string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := linkstead(t, args...)
	cmd.Env, cmd.WaitDelay = append(os.Environ(), env...), 10*time.Second
	return cmd
}

func startProcess(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: programCmd(t, env, args...), ended: make(chan error, 1)}
	p.cmd.Stderr = &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended, in most cases
		select {
		case <-p.ended:
		case <-time.After(time.Minute):
			t.Error("a process does not end")
		}
	})
	return p
}

// stop tells the process to end, and how long that took.
func (p *process) stop() time.Duration {
	p.t.Helper()
	begun := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case err := <-p.ended:
		p.ended <- err
		if err != nil {
			p.t.Errorf("%v\n%s", err, p.stderr.String())
		}
	case <-time.After(30 * time.Second):
		p.t.Fatalf("it does not end\n%s", p.stderr.String())
	}
	return time.Since(begun)
}

// kill ends the process as kill -9 does, and waits until it has ended.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	err := <-p.ended
	p.ended <- err
}

// until waits until something holds.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(60 * time.Second); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// manyPages is a website whose post links to n pages on each of the hosts.
func manyPages(t testing.TB, n int, hosts ...string) *website {
	t.Helper()
	root := t.TempDir()
	var links strings.Builder
	write := func(name, text string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	w := startWebsite(t, root)
	for _, h := range hosts {
		for i := range n {
			fmt.Fprintf(&links, `<a href="http://%s:%s/%d.html">x</a> `, h, w.port, i)
			write(fmt.Sprintf("%s/%d.html", h, i), fmt.Sprintf("page %d of %s", i, h))
		}
	}
	write("post.test/post.html", "<title>Post</title><article>"+links.String()+"</article>")
	return w
}

// once checks that every page has exactly one capture, in a stored segment, that reads back.
func once(t testing.TB, db *storage.DB, lib *warc.Library, pages int) {
	t.Helper()
	ctx := context.Background()
	segments, err := db.Segments(ctx)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, s := range segments {
		if s.State != storage.SegmentStored {
			t.Errorf("segment %s is %s", s.ID, s.State)
		}
		for c, err := range db.SegmentCaptures(ctx, s.ID) {
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(c.URL, ".html") {
				seen[c.URL]++
			}
			m, err := lib.Open(ctx, c)
			if err != nil {
				t.Errorf("%s: %v", c.URL, err)
				continue
			}
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if len(seen) != pages {
		t.Errorf("%d pages have captures, want %d", len(seen), pages)
	}
	for u, n := range seen {
		if n != 1 {
			t.Errorf("%s has %d captures", u, n)
		}
	}
}

// TestStopWhileAway: a worker that is told to stop while the store and the database are both away ends within ten seconds,
// and the next start on the same spool goes on: nothing acknowledged is lost, nothing counts twice.
func TestStopWhileAway(t *testing.T) {
	t.Parallel()
	const pages = 8
	hosts := []string{"a.test", "b.test"}
	w := manyPages(t, pages, hosts...)
	s3, pg := storagetest.S3(t), storagetest.Postgres(t)
	bucket, dsn := s3.NewBucket(t), pg.DSN(t)
	at, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	rows, bytes := storagetest.NewProxy(t, at.Host), storagetest.NewProxy(t, strings.TrimPrefix(s3.Endpoint, "http://"))
	at.Host = rows.Addr
	env := append(s3.Env(), "AWS_ENDPOINT_URL=http://"+bytes.Addr, "LINKSTEAD_ARCHIVE=s3://"+bucket+"/a", "LINKSTEAD_DB="+at.String(),
		"LINKSTEAD_SPOOL_DIR="+filepath.Join(t.TempDir(), "spool"), "LINKSTEAD_SEGMENT_AGE=1s")
	args := append([]string{"capture", "--detach", "--allow-private", "--delay", "200ms"}, w.resolve("post.test", "a.test", "b.test")...)
	if out, err := programCmd(t, env, append(args, "http://post.test:"+w.port+"/post.html")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	port, err := pickPort()
	if err != nil {
		t.Fatal(err)
	}
	ready := func() string {
		_, err := askHealth(t.Context(), "http://127.0.0.1:"+port+pathReady)
		return fmt.Sprint(err)
	}
	p := startProcess(t, env, "work", "--listen", "127.0.0.1:"+port)
	until(t, "it is ready", func() bool { return ready() == "<nil>" })
	until(t, "some pages are asked for", func() bool { return w.total() > 6 })
	rows.Cut()
	bytes.Cut()
	until(t, "it notices", func() bool { return strings.Contains(p.stderr.String(), "can't be reached") })
	if said := ready(); !strings.Contains(said, "answers 503: not ready: the database does not answer, the store does not answer") {
		t.Errorf("not ready: %s", said)
	}
	if took := p.stop(); took > 10*time.Second {
		t.Errorf("it took %s to stop\n%s", took, p.stderr.String())
	}
	rows.Mend()
	bytes.Mend()
	next := startProcess(t, env, "work")
	db, err := storage.OpenDB(t.Context(), dsn, storage.DBOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	until(t, "the run is done", func() bool {
		r, err := db.Run(t.Context(), 1)
		return err == nil && r.State == storage.RunDone
	})
	if took := next.stop(); took > 10*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	once(t, db, &warc.Library{Shelves: db, Blobs: s3.Open(t, "s3://"+bucket+"/a")}, 1+pages*len(hosts))
}

// TestHandOver: one of two workers is told to stop in the middle; the other one goes on with the rest at once, and nothing is
// asked for twice.
func TestHandOver(t *testing.T) {
	t.Parallel()
	const pages = 10
	hosts := []string{"a.test", "b.test", "c.test"}
	w := manyPages(t, pages, hosts...)
	dir := t.TempDir()
	archive := filepath.Join(dir, "A")
	args := append([]string{"capture", "--detach", "--archive", archive, "--allow-private", "--delay", "100ms"},
		w.resolve("post.test", "a.test", "b.test", "c.test")...)
	if out, err := programCmd(t, nil, append(args, "http://post.test:"+w.port+"/post.html")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	first := startProcess(t, nil, "work", "--archive", archive, "--concurrency", "2")
	second := startProcess(t, nil, "work", "--archive", archive, "--spool", filepath.Join(dir, "spool2"), "--concurrency", "2")
	until(t, "they are at work", func() bool { return w.total() > 10 })
	if took := first.stop(); took > 10*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	db, err := storage.OpenDB(t.Context(), "sqlite:"+filepath.Join(archive, "linkstead.db"), storage.DBOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	begun := time.Now()
	until(t, "the run is done", func() bool {
		r, err := db.Run(t.Context(), 1)
		return err == nil && r.State == storage.RunDone
	})
	if took := time.Since(begun); took > 30*time.Second { // leases last a minute
		t.Errorf("the other one needed %s: it waited for leases to end", took)
	}
	second.stop()
	blobs, err := storage.OpenDir(archive, storage.OS{})
	if err != nil {
		t.Fatal(err)
	}
	once(t, db, &warc.Library{Shelves: db, Blobs: blobs, Spool: filepath.Join(archive, "spool")}, 1+pages*len(hosts))
	if got, want := w.total(), 1+1+(pages+1)*len(hosts); got != want {
		t.Errorf("%d requests, want %d", got, want)
	}
	nodes, err := db.Nodes(t.Context())
	if err != nil || len(nodes) != 2 || nodes[0].Seen.IsZero() || nodes[1].Version != version {
		t.Errorf("nodes: %+v, %v", nodes, err)
	}
}

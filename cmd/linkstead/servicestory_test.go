package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/warc"
	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// serviceDelay is the pause that the story's schedule asks for between requests to one host.
const serviceDelay = 150 * time.Millisecond

// TestServiceStory is the story of the archivist's service. A feed is scheduled; posts appear in it and are captured; a worker
// is killed; the store is away for 20 seconds; the database restarts. At the end every acknowledged capture reads back,
// each URL has one committed capture a run, no more was fetched again than the killed worker had not acknowledged, and no
// host was asked faster than its delay.
func TestServiceStory(t *testing.T) {
	t.Run("folder", func(t *testing.T) {
		dir := t.TempDir()
		archive := filepath.Join(dir, "A")
		newService(t, 1, []string{"--archive", archive}, nil, where{
			dsn: "sqlite:" + filepath.Join(archive, "linkstead.db"), blobs: "dir:" + archive,
		}).play(func() {})
	})
	t.Run("servers", func(t *testing.T) {
		s3, pg := storagetest.S3(t), storagetest.Postgres(t)
		bucket, dsn := s3.NewBucket(t), pg.DSN(t)
		proxy := storagetest.NewProxy(t, strings.TrimPrefix(s3.Endpoint, "http://"))
		env := append(s3.Env(), "AWS_ENDPOINT_URL_S3=http://"+proxy.Addr)
		newService(t, 4, []string{"--archive", "s3://" + bucket + "/a", "--db", dsn}, env, where{
			dsn: dsn, blobs: "s3://" + bucket + "/a", s3: s3.Options(),
		}).play(func() {
			proxy.Cut()
			back := time.After(20 * time.Second)
			<-time.After(3 * time.Second)
			pg.Restart(t, storagetest.Fast)
			<-back
			proxy.Mend()
		})
	})
}

// where says where a service's archive lies, for those who look at it directly.
type where struct {
	dsn, blobs string
	s3         storage.BlobOptions
}

// service is a number of worker processes on one archive.
type service struct {
	t     *testing.T
	n     *newsroom
	flags []string
	env   []string
	at    where
	dir   string
	up    []*process
}

func newService(t *testing.T, workers int, flags, env []string, at where) *service {
	t.Helper()
	s := &service{t: t, n: startNewsroom(t, 6), flags: flags, env: env, at: at, dir: t.TempDir(), up: make([]*process, workers)}
	return s
}

// must fails the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run runs a command of the program to its end.
func (s *service) run(args ...string) string {
	s.t.Helper()
	cmd := linkstead(s.t, append(args, s.flags...)...)
	cmd.Env = append(append(os.Environ(), s.env...), "LINKSTEAD_SPOOL_DIR="+filepath.Join(s.dir, "spool-0"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

// start starts worker i, with a spool and a name of its own.
func (s *service) start(i int) {
	s.t.Helper()
	s.up[i] = startProcess(s.t, append([]string{fmt.Sprintf("LINKSTEAD_SPOOL_DIR=%s/spool-%d", s.dir, i),
		fmt.Sprintf("LINKSTEAD_USER_AGENT=worker-%d", i), "LINKSTEAD_SEGMENT_AGE=2s"}, s.env...), append([]string{"work"}, s.flags...)...)
}

// play plays the story. cut takes the servers away for a while, and returns when they are back.
func (s *service) play(cut func()) {
	s.run(append([]string{"schedule", "add", "blog", "feed", s.n.url("blog.test", "/feed.xml"), "--every", "24h",
		"--delay", serviceDelay.String(), "--retries", "2", "--allow-private"}, s.n.resolve()...)...)
	for i := range s.up {
		s.start(i)
	}
	s.waitFor("the first posts", time.Minute, func() bool { return len(s.n.requests()) > 40 })
	victim := s.busiest()
	s.up[victim].kill()
	db := s.rows()
	lost := s.requestsBy(victim) - s.committedBy(db, victim)
	s.n.publish(6)
	s.start(victim)
	s.waitFor("the first run to end", time.Minute, func() bool { return s.finished(db) == 1 })
	s.run("schedule", "run", "blog", "--detach")
	cut()
	s.waitFor("the second run to end", 2*time.Minute, func() bool { return s.finished(db) == 2 })
	for i, r := range s.up {
		if took := r.stop(); took > 11*time.Second {
			s.t.Errorf("worker %d took %s to stop", i, took)
		}
	}
	s.check(db, lost)
}

func (s *service) waitFor(what string, most time.Duration, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(most); time.Now().Before(end); <-time.After(100 * time.Millisecond) {
		if ok() {
			return
		}
		for i, r := range s.up {
			select {
			case err := <-r.ended:
				r.ended <- err
				s.t.Fatalf("worker %d ended while the test waited for %s: %v\n%s", i, what, err, r.stderr.String())
			default:
			}
		}
	}
	s.t.Logf("the schedule:\n%s\nnot stored:\n%s", s.run("schedule", "show", "blog"), s.run("segments"))
	for i, r := range s.up {
		s.t.Logf("worker %d said:\n%s", i, r.stderr.String())
	}
	s.t.Fatalf("waited in vain for %s; %d requests so far", what, len(s.n.requests()))
}

func (s *service) rows() *storage.DB {
	s.t.Helper()
	db, err := storage.OpenDB(s.t.Context(), s.at.dsn, storage.DBOptions{Patience: time.Minute})
	must(s.t, err)
	s.t.Cleanup(func() { db.Close() })
	return db
}

// busiest is the worker that has asked for most so far.
func (s *service) busiest() int {
	best, most := 0, 0
	for i := range s.up {
		if n := s.requestsBy(i); n > most {
			best, most = i, n
		}
	}
	return best
}

func (s *service) requestsBy(worker int) (n int) {
	for _, a := range s.n.requests() {
		if a.agent == fmt.Sprintf("worker-%d", worker) {
			n++
		}
	}
	return n
}

// committedBy counts the exchanges of a worker that have rows.
func (s *service) committedBy(db *storage.DB, worker int) (n int) {
	s.t.Helper()
	name, err := os.ReadFile(filepath.Join(s.dir, fmt.Sprintf("spool-%d", worker), "node"))
	must(s.t, err)
	segments, err := db.Segments(s.t.Context())
	must(s.t, err)
	for _, seg := range segments {
		if seg.Node != strings.TrimSpace(string(name)) {
			continue
		}
		for _, err := range db.SegmentCaptures(s.t.Context(), seg.ID) {
			must(s.t, err)
			n++
		}
	}
	return n
}

// finished counts the runs that are done.
func (s *service) finished(db *storage.DB) (n int) {
	s.t.Helper()
	runs, err := db.Runs(s.t.Context())
	must(s.t, err)
	for _, r := range runs {
		if r.State == storage.RunDone {
			n++
		}
	}
	return n
}

// check looks at what came of it.
func (s *service) check(db *storage.DB, lost int) {
	t, ctx := s.t, s.t.Context()
	blobs, err := storage.OpenBlobs(ctx, s.at.blobs, s.at.s3)
	must(t, err)
	lib := &warc.Library{Shelves: db, Blobs: blobs, Spool: t.TempDir()}
	segments, err := db.Segments(ctx)
	must(t, err)
	type once struct {
		run int64
		url string
	}
	seen, posts := map[once]int{}, map[string]bool{}
	for _, seg := range segments {
		if seg.State != storage.SegmentStored {
			t.Errorf("segment %s is %s at the end", seg.ID, seg.State)
		}
		for c, err := range db.SegmentCaptures(ctx, seg.ID) {
			must(t, err)
			seen[once{c.Run, c.URL}]++
			if strings.Contains(c.URL, "/post/") {
				posts[c.URL] = true
			}
			s.reads(ctx, lib, c)
		}
	}
	for k, n := range seen {
		if n != 1 {
			t.Errorf("%s has %d committed captures in run %d", k.url, n, k.run)
		}
	}
	if len(posts) != 12 {
		t.Errorf("%d posts were captured, 12 are in the feed", len(posts))
	}
	pages := 12 * citesEach * 2
	if len(seen) < pages {
		t.Errorf("%d URLs were captured; the sources alone have %d", len(seen), pages)
	}
	if again := len(s.n.requests()) - len(seen); again > lost {
		t.Errorf("%d requests were made again; the killed worker had %d that were not acknowledged", again, lost)
	}
	if gap, which := s.n.fastest(); gap < serviceDelay-time.Millisecond {
		t.Errorf("a host was left alone for %s alone, not %s: %s", gap, serviceDelay, which)
	}
	t.Logf("%d requests, %d captures, %d unacknowledged by the killed worker", len(s.n.requests()), len(seen), lost)
}

// reads reads a capture back and compares it with the page that was served.
func (s *service) reads(ctx context.Context, lib *warc.Library, c storage.Capture) {
	s.t.Helper()
	m, err := lib.Open(ctx, c)
	if err != nil {
		s.t.Errorf("%s does not read back: %v", c.URL, err)
		return
	}
	defer m.Close()
	body, err := httpmsg.Decode(m.Payload, m.Original.Get("Content-Encoding"))
	must(s.t, err)
	got, err := io.ReadAll(body)
	must(s.t, err)
	host, path, _ := strings.Cut(strings.TrimPrefix(c.URL, "http://"), "/")
	host, _, _ = strings.Cut(host, ":")
	_, want := s.n.page(host, "/"+path)
	if c.Outcome != string(outcome.Captured) || c.Status == 200 && string(got) != want && path != "feed.xml" {
		s.t.Errorf("%s reads back as %q (%s), was %q", c.URL, got, c.Outcome, want)
	}
}

package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// cutter is a proxy before a server that breaks the connection at one chosen message of the client's. It is then armed
// no more.
type cutter struct {
	l      net.Listener
	server string
	wg     sync.WaitGroup

	mu    sync.Mutex
	left  int    // messages until the cut; 0: none
	word  string // counts messages that hold it alone
	how   string
	did   bool
	conns []net.Conn
}

// How a message is cut.
const (
	unsent     = "unsent"     // the server never gets it
	unanswered = "unanswered" // the server answers, the client never hears
	halfway    = "halfway"    // the server gets it, and the connection breaks at once, on both sides
	torn       = "torn"       // the client hears the beginning of the answer
)

func newCutter(t *testing.T, dsn string) (*cutter, string) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{server: u.Host}
	if c.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	c.wg.Go(c.serve)
	t.Cleanup(c.close)
	u.Host = c.l.Addr().String()
	return c, u.String()
}

func (c *cutter) close() {
	_ = c.l.Close()
	c.mu.Lock()
	for _, x := range c.conns {
		_ = x.Close()
	}
	c.mu.Unlock()
	c.wg.Wait()
}

func (c *cutter) serve() {
	for {
		client, err := c.l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", c.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		c.mu.Lock()
		c.conns = append(c.conns, client, server)
		c.mu.Unlock()
		var deaf, tear atomic.Bool // the client hears no more, or half of what comes next
		c.wg.Go(func() { c.pass(client, server, &deaf, &tear) })
		c.wg.Go(func() {
			buf := make([]byte, 64<<10)
			for {
				n, err := server.Read(buf)
				if deaf.Load() || err != nil {
					break
				}
				if tear.Load() {
					n /= 2
				}
				if _, err := client.Write(buf[:n]); err != nil || tear.Load() {
					break
				}
			}
			_, _ = client.Close(), server.Close()
		})
	}
}

func (c *cutter) pass(client, server net.Conn, deaf, tear *atomic.Bool) {
	defer server.Close()
	defer client.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		how := c.hit(buf[:n])
		if how == unsent {
			return
		}
		deaf.Store(how == unanswered)
		tear.Store(how == torn)
		if _, err := server.Write(buf[:n]); err != nil || how == halfway {
			return
		}
	}
}

func (c *cutter) hit(message []byte) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 || !bytes.Contains(message, []byte(c.word)) {
		return ""
	}
	if c.left--; c.left > 0 {
		return ""
	}
	c.did = true
	return c.how
}

// arm has the cutter cut at the n-th message from now that holds the word.
func (c *cutter) arm(how, word string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.how, c.word, c.left, c.did = how, word, n, false
}

func (c *cutter) cut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = 0
	return c.did
}

func openPatient(t *testing.T, dsn string, now func() time.Time, patience time.Duration, log *slog.Logger) *storage.DB {
	t.Helper()
	db, err := storage.OpenDB(t.Context(), dsn, storage.DBOptions{Now: now, Patience: patience, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// change is one writing call, and what must be so after it succeeded.
type change struct {
	name string
	do   func(db *storage.DB, n int64) (check func(db *storage.DB) error, err error)
}

func must(want, got any, err error) error {
	if err != nil {
		return err
	}
	if w, g := fmt.Sprint(want), fmt.Sprint(got); w != g {
		return fmt.Errorf("want %s, got %s", w, g)
	}
	return nil
}

var changes = []change{
	{"StartRun", func(db *storage.DB, n int64) (func(*storage.DB) error, error) {
		source := fmt.Sprint("source", n)
		r, err := db.StartRun(context.Background(), storage.Run{Collection: "c", Source: source, Started: time.Now()}, nil,
			[]storage.Task{{Host: source, ID: 1, Due: 1}})
		return func(db *storage.DB) error {
			var of []int64
			rs, err := db.Runs(context.Background())
			for _, r := range rs {
				if r.Source == source {
					of = append(of, r.ID)
				}
			}
			return must([]int64{r.ID}, of, err)
		}, err
	}},
	{"Exchange", exchange},
	{"Segment", func(db *storage.DB, n int64) (func(*storage.DB) error, error) {
		ctx, id := context.Background(), fmt.Sprint("life", n)
		err := db.OpenSegment(ctx, storage.Segment{ID: id, Collection: "c", Node: "n", State: storage.SegmentOpen, Created: time.Now()})
		if err == nil {
			err = db.SealSegment(ctx, id, 10, "abc")
		}
		if err == nil {
			err = db.StoreSegment(ctx, id, "c/"+id)
		}
		return func(db *storage.DB) error {
			s, err := db.Segment(ctx, id)
			return must(storage.SegmentStored, s.State, err)
		}, err
	}},
	{"DropSegment", func(db *storage.DB, n int64) (func(*storage.DB) error, error) {
		ctx, id := context.Background(), fmt.Sprint("drop", n)
		err := db.OpenSegment(ctx, storage.Segment{ID: id, Collection: "c", Node: "n", State: storage.SegmentOpen, Created: time.Now()})
		if err == nil {
			err = db.DropSegment(ctx, id)
		}
		return func(db *storage.DB) error {
			_, err := db.Segment(ctx, id)
			return must(true, errors.Is(err, storage.ErrNotFound), nil)
		}, err
	}},
}

// exchange takes a task from its discovery to its end, with a capture.
func exchange(db *storage.DB, n int64) (func(*storage.DB) error, error) {
	ctx, host := context.Background(), fmt.Sprint("host", n)
	none := func(*storage.DB) error { return nil }
	seg := fmt.Sprint("ex", n)
	if err := db.OpenSegment(ctx, storage.Segment{ID: seg, Collection: "c", Node: "n", State: storage.SegmentOpen, Created: time.Now()}); err != nil {
		return none, err
	}
	k, err := db.Enqueue(ctx, []storage.Task{{Host: host, Run: 7, ID: 1, URL: "u", Due: 0}})
	if err := must(1, k, err); err != nil {
		return none, fmt.Errorf("enqueue: %w", err)
	}
	ls, err := db.Claim(ctx, "w", 1, 5, time.Minute)
	if err := must(1, len(ls), err); err != nil {
		return none, fmt.Errorf("claim: %w", err)
	}
	if lost, err := db.Renew(ctx, ls, time.Minute); err != nil || len(lost) > 0 {
		return none, fmt.Errorf("renew: lost %v, %w", lost, err)
	}
	e := storage.End{Task: ls[0].Tasks[0], Token: ls[0].Token, New: []storage.Task{{Host: "later", Run: 7, ID: n, Due: storage.Never - 1}},
		Captures: []storage.Capture{{Collection: "c", URLKey: host, At: time.UnixMicro(n), Segment: seg, URL: "u", Kind: "response"}}}
	e.Task.Due, e.Task.Outcome = storage.Never, "ok"
	ends := []storage.End{e}
	fenced, err := db.Commit(ctx, []storage.Progress{{Segment: seg, Committed: 10}}, ends)
	if err := must("0 1", fmt.Sprint(len(fenced), " ", ends[0].Added), err); err != nil {
		return none, fmt.Errorf("commit: fenced, added: %w", err)
	}
	if err := db.Release(ctx, ls, time.Now().Add(-time.Second)); err != nil {
		return none, err
	}
	return func(db *storage.DB) error {
		t, err := db.Task(ctx, host, 7, 1)
		if err := must("ok", t.Outcome, err); err != nil {
			return err
		}
		n := 0
		for _, err := range db.Captures(ctx, "c", host) {
			if err != nil {
				return err
			}
			n++
		}
		return must(1, n, nil)
	}, nil
}

// TestPostgresCutAnywhere breaks the connection at every message of every change, in three ways. Each call succeeds all
// the same, and has taken effect once: no run twice, nothing fenced that counts, no segment gone that was moved.
func TestPostgresCutAnywhere(t *testing.T) {
	dsn := server(t)
	direct := storagetest.OpenRows(t, dsn, time.Now)
	c, through := newCutter(t, dsn)
	n := int64(0)
	for _, ch := range changes {
		for _, how := range []string{unsent, unanswered, halfway} {
			t.Run(ch.name+"/"+how, func(t *testing.T) {
				db := openPatient(t, through, time.Now, time.Minute, nil)
				for at := 1; ; at++ {
					n++
					c.arm(how, "", at)
					check, err := ch.do(db, n)
					cut := c.cut()
					if err == nil {
						err = check(direct)
					}
					if err != nil {
						t.Fatalf("cut at message %d: %v", at, err)
					}
					if !cut {
						if at < 5 {
							t.Fatalf("%d messages: the proxy saw not all", at)
						}
						return
					}
				}
			})
		}
	}
}

// TestPostgresLostCommit cuts at commits alone, on connections that are warm.
func TestPostgresLostCommit(t *testing.T) {
	dsn := server(t)
	direct := storagetest.OpenRows(t, dsn, time.Now)
	c, through := newCutter(t, dsn)
	db := openPatient(t, through, time.Now, time.Minute, nil)
	for n := int64(1); n <= 60; n++ {
		ch := changes[n%int64(len(changes))]
		c.arm([]string{unsent, unanswered, halfway}[n%3], "commit", 1+int(n/7)%4)
		check, err := ch.do(db, n)
		c.cut()
		if err == nil {
			err = check(direct)
		}
		if err != nil {
			t.Fatalf("%s, number %d: %v", ch.name, n, err)
		}
	}
}

// TestPostgresTornAnswers breaks the connection in the middle of each answer to those who read: what they get is whole.
func TestPostgresTornAnswers(t *testing.T) {
	const rows = 1200
	dsn := server(t)
	direct := storagetest.OpenRows(t, dsn, time.Now)
	e := storage.End{Post: &storage.Post{ID: "p", Run: 1, Collection: "c", Source: "s", At: time.Unix(1, 0)}}
	for i := range int64(rows) {
		e.Captures = append(e.Captures, storage.Capture{Collection: "c", URLKey: "k", At: time.UnixMicro(1 + i), Segment: "s", Offset: i, URL: "u", Kind: "response"})
		e.Attempts = append(e.Attempts, storage.Attempt{Collection: "c", URLKey: "k", At: time.UnixMicro(1 + i), Segment: "s", Offset: i})
		e.New = append(e.New, storage.Task{Host: "h", Run: 1, ID: i, Due: 1})
		e.Post.Citations = append(e.Post.Citations, storage.Citation{Seq: int(i), URL: "u"})
	}
	if err := direct.Adopt(t.Context(), []storage.End{e}); err != nil {
		t.Fatal(err)
	}
	c, through := newCutter(t, dsn)
	db := openPatient(t, through, time.Now, time.Minute, nil)
	for name, read := range map[string]func() (int, error){
		"Captures": func() (n int, err error) {
			for _, err := range db.Captures(t.Context(), "c", "k") {
				if err != nil {
					return n, err
				}
				n++
			}
			return n, nil
		},
		"Attempts": func() (int, error) { as, err := db.Attempts(t.Context(), "c", "k"); return len(as), err },
		"Due":      func() (int, error) { ts, err := db.Due(t.Context(), "h", 2*rows); return len(ts), err },
		"Post":     func() (int, error) { p, err := db.PostOf(t.Context(), 1); return len(p.Citations), err },
	} {
		for at := 1; ; at++ {
			c.arm(torn, "", at)
			n, err := read()
			cut := c.cut()
			if err != nil || n != rows {
				t.Fatalf("%s, torn at answer %d: %d rows, %v, want %d", name, at, n, err, rows)
			}
			if !cut {
				break
			}
		}
	}
}

// TestPostgresRestarts has workers take tasks, end them and add new ones while the server is restarted again and again.
// No call fails; in the end each task was ended exactly once, and each capture that was acknowledged is there.
func TestPostgresRestarts(t *testing.T) {
	const workers, enough = 4, 6
	s := storagetest.Postgres(t)
	dsn := s.DSN(t)
	var log lockedBuffer
	var dbs []*storage.DB
	for range 2 {
		dbs = append(dbs, openPatient(t, dsn, time.Now, -1, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if err := dbs[0].OpenSegment(ctx, storage.Segment{ID: "s", Collection: "c", Node: "n", State: storage.SegmentOpen, Created: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := dbs[0].Enqueue(ctx, []storage.Task{{Host: "h0", Run: 1, ID: 0, URL: "u", Due: 1}}); err != nil {
		t.Fatal(err)
	}
	var ended, next, restarts atomic.Int64
	var g errgroup.Group
	for w := range workers {
		g.Go(func() error {
			return restartWork(ctx, dbs[w%2], w, func() bool { return restarts.Load() >= enough }, &ended, &next)
		})
	}
	stopped := make(chan struct{})
	go func() { _ = g.Wait(); close(stopped) }()
	for over := false; !over; {
		select {
		case <-stopped:
			over = true
		case <-time.After(250 * time.Millisecond):
			if n := restarts.Load(); n < enough {
				s.Restart(t, []storagetest.StopMode{storagetest.Immediate, storagetest.Fast}[n%2])
				restarts.Add(1)
			}
		}
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d tasks over %d restarts", ended.Load(), restarts.Load())
	tally, err := dbs[0].Tally(ctx, 1)
	if err != nil || int64(tally["ok"]) != ended.Load() || tally["pending"] != 0 {
		t.Errorf("%v by the rows, %v; %d ends were acknowledged", tally, err, ended.Load())
	}
	n := int64(0)
	for _, err := range dbs[0].SegmentCaptures(ctx, "s") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != ended.Load() {
		t.Errorf("%d captures, %d were acknowledged", n, ended.Load())
	}
	if text := log.String(); !strings.Contains(text, "can't be reached") || !strings.Contains(text, "is back") {
		t.Errorf("the log tells %q", text)
	}
}

// restartWork ends tasks, each with a capture and new tasks until it is enough, and stops when there is none.
func restartWork(ctx context.Context, db *storage.DB, w int, enough func() bool, ended, next *atomic.Int64) error {
	for {
		ls, err := db.Claim(ctx, fmt.Sprint("w", w), 3, 4, time.Hour)
		if err != nil {
			return err
		}
		var ends []storage.End
		for _, l := range ls {
			for _, tk := range l.Tasks {
				e := storage.End{Task: tk, Token: l.Token, Captures: []storage.Capture{{Collection: "c", URLKey: fmt.Sprint(tk.ID), At: time.UnixMicro(1),
					Segment: "s", Offset: tk.ID, URL: "u", Kind: "response"}}}
				e.Task.Due, e.Task.Outcome = storage.Never, "ok"
				for range 2 {
					if !enough() && next.Load()-ended.Load() < 300 {
						id := next.Add(1)
						e.New = append(e.New, storage.Task{Host: fmt.Sprint("h", id%50), Run: 1, ID: id, URL: "u", Due: 1})
					}
				}
				ends = append(ends, e)
			}
		}
		if len(ends) > 0 {
			fenced, err := db.Commit(ctx, nil, ends)
			if err != nil || len(fenced) > 0 {
				return fmt.Errorf("fenced %d although no lease ended, %w", fenced, err)
			}
			ended.Add(int64(len(ends)))
		}
		if err := db.Release(ctx, ls, time.Now()); err != nil {
			return err
		}
		if open, err := db.Open(ctx, 1); err != nil || !open {
			return err
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// TestPostgresPatience: a call waits as long as it was told to, or as its context lives, and the log hears of an outage
// once when it begins and once when it ends.
func TestPostgresPatience(t *testing.T) {
	s := storagetest.Postgres(t)
	dsn := s.DSN(t)
	var log lockedBuffer
	soon := openPatient(t, dsn, nil, 400*time.Millisecond, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})))
	none := openPatient(t, dsn, nil, 0, nil)
	ever := openPatient(t, dsn, nil, -1, nil)
	s.Stop(t, storagetest.Fast)
	began := time.Now()
	for range 2 {
		if _, err := soon.Segments(t.Context()); !errors.Is(err, storage.ErrAway) {
			t.Errorf("reading: %v, want ErrAway", err)
		}
		if _, err := soon.Claim(t.Context(), "w", 1, 1, time.Second); !errors.Is(err, storage.ErrAway) {
			t.Errorf("writing: %v, want ErrAway", err)
		}
	}
	if took := time.Since(began); took < 1600*time.Millisecond || took > 10*time.Second {
		t.Errorf("four calls with a patience of 400 ms took %v", took)
	}
	if _, err := none.CaptureAt(t.Context(), "s", 1); !errors.Is(err, storage.ErrAway) || errors.Is(err, storage.ErrNotFound) {
		t.Errorf("without patience: %v, want ErrAway", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := ever.Runs(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a context that ends: %v, want DeadlineExceeded", err)
	}
	waits := make(chan error, 1)
	go func() {
		_, err := ever.Enqueue(t.Context(), []storage.Task{{Host: "h", Run: 1, ID: 1, Due: 1}})
		waits <- err
	}()
	before := ever.Now()
	s.Start(t)
	if err := <-waits; err != nil {
		t.Errorf("a call that waits: %v", err)
	}
	if _, err := soon.Segments(t.Context()); err != nil {
		t.Error(err)
	}
	if now := ever.Now(); now.Before(before) || now.Sub(before) > time.Minute {
		t.Errorf("the clock went from %v to %v", before, now)
	}
	if text := log.String(); strings.Count(text, "can't be reached") != 1 || strings.Count(text, "is back") != 1 {
		t.Errorf("the log tells\n%s", text)
	}
}

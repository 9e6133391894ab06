package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"linkstead/archive/report"
	"linkstead/archive/wall"
	"linkstead/archive/warc"
	"linkstead/configs"
	"linkstead/crawler"
	"linkstead/crawler/fetch"
	"linkstead/crawler/pace"
	"linkstead/crawler/robots"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// store is an archive opened for reading, and for taking on work.
type store struct {
	db    *storage.DB
	blobs *storage.Blobs // openTables leaves it shut
	lib   *warc.Library
}

// open opens the archive. Unless create is set, one that does not exist is an error.
func (e *env) open(ctx context.Context, create bool) (*store, error) {
	return e.openSteps(ctx, create, e.openRows, e.orphaned, e.openBlobs)
}

// openTables opens the archive for who needs its rows alone, as open does, while its blob store is away, too.
func (e *env) openTables(ctx context.Context, create bool) (*store, error) {
	own := *e
	if own.patience == 0 { // it gives up soon: that something is away is told once, by its error
		own.log = e.terse()
	}
	return own.openSteps(ctx, create, own.openRows, own.orphaned)
}

// terse is the log of what tells by itself whatever is wrong: silent, unless everything is asked for.
func (e *env) terse() *slog.Logger {
	if e.log.Enabled(context.Background(), slog.LevelDebug) {
		return e.log
	}
	return slog.New(slog.DiscardHandler)
}

type openStep func(ctx context.Context, s *store, create bool) error

func (e *env) openSteps(ctx context.Context, create bool, steps ...openStep) (*store, error) {
	if err := e.cfg.Validate(); err != nil {
		return nil, usageError{err}
	}
	if e.cfg.Blobs == "" && foreign(e.cfg.Archive) {
		return nil, usageError{fmt.Errorf("the folder %s holds other things and is no archive\nName a new or empty one with --archive", e.cfg.Archive)}
	}
	path, embedded := strings.CutPrefix(e.cfg.Database(), "sqlite:")
	if embedded && empty(path) && !create {
		return nil, fmt.Errorf("there is no archive in %s\nCapture something first, or name another with --archive; if only the database is gone, 'linkstead rebuild' makes it anew", filepath.Dir(path))
	}
	s := &store{}
	if embedded && empty(path) { // nothing is made before it is known that it may be
		steps = []openStep{e.orphaned, e.openRows}
	}
	for _, step := range steps {
		if err := step(ctx, s, create); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	s.lib = &warc.Library{Shelves: s.db, Blobs: s.blobs, Spool: e.cfg.SpoolDir()}
	return s, nil
}

func (e *env) openRows(ctx context.Context, s *store, _ bool) (err error) {
	s.db, err = storage.OpenDB(ctx, e.cfg.Database(), storage.DBOptions{Now: e.clock, Patience: e.patience, Log: e.log})
	return err
}

// openBlobs opens the store of segments, if it is not open yet.
func (e *env) openBlobs(ctx context.Context, s *store, write bool) (err error) {
	if s.blobs != nil {
		return nil
	}
	s.blobs, err = storage.OpenBlobs(ctx, e.cfg.BlobStore(), storage.BlobOptions{
		FS: e.fs, S3: storage.S3Options(e.cfg.S3), Getenv: e.getenv, Log: e.log, ReadOnly: !write,
	})
	if s.lib != nil {
		s.lib.Blobs = s.blobs
	}
	return err
}

// empty says whether there is no file of a name, or one without a byte.
func empty(path string) bool {
	st, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || err == nil && st.Size() == 0
}

// orphaned is an error if there are WARC files, and no database knows of them. It needs the store for a fresh database only.
func (e *env) orphaned(ctx context.Context, s *store, create bool) error {
	fresh := s.db == nil
	if !fresh {
		var err error
		if fresh, err = s.db.Fresh(ctx); err != nil {
			return err
		}
	}
	if !fresh {
		return nil
	}
	if err := e.openBlobs(ctx, s, create); err != nil {
		return err
	}
	for blob, err := range s.blobs.List(ctx, warc.KeyPrefix) {
		if err != nil {
			return err
		}
		if blob.Odd != "" {
			continue
		}
		return fmt.Errorf("the WARC files of %s are there, but their database is gone\n'linkstead rebuild' makes it anew from them", e.cfg.BlobStore())
	}
	return nil
}

// close closes what is open of the store.
func (s *store) close() error {
	var err error
	if s.db != nil {
		err = s.db.Close()
	}
	if s.blobs != nil {
		err = errors.Join(err, s.blobs.Close())
	}
	return err
}

func (e *env) reports(s *store) *report.Builder {
	return &report.Builder{Rows: s.db, Replay: e.cfg.Serve.Origin(), Pages: e.cfg.Serve.Pages(), Collection: e.cfg.Collection}
}

// worker is the part that writes: it holds the spool.
type worker struct {
	spool   *storage.Spool
	journal *warc.Journal
	crawler *crawler.Crawler
	silence func() // ends the announcing
}

// hire takes the worker role of the archive and goes on where a stopped worker left off. storage.ErrBusy if another
// process has the role.
func (e *env) hire(ctx context.Context, s *store, tell func(crawler.Event)) (*worker, error) {
	walls, err := wallRules(e.cfg.Walls)
	if err == nil {
		_, err = parkingRules(e.cfg.Verdicts.Parking)
	}
	if err != nil {
		return nil, err
	}
	sites, err := e.sites()
	if err != nil {
		return nil, err
	}
	spool, err := storage.HoldSpool(e.cfg.SpoolDir(), e.fs)
	if err != nil {
		return nil, err
	}
	w := &worker{spool: spool, journal: e.journal(s, spool)}
	w.silence = e.announce(s, spool.Node(), w.journal)
	w.crawler = e.crawler(s, w, tell)
	w.crawler.Walls, w.crawler.Session = walls, asking(sites)
	rec, err := w.journal.Recover(ctx)
	if err == nil {
		err = s.db.FreeOwner(ctx, spool.Node(), s.db.Now().Add(time.Duration(e.cfg.Delay)))
	}
	if err != nil {
		w.journal.Abandon() // what waits in the spool is for the next start
		return nil, errors.Join(err, w.abandoned())
	}
	if rec.Segments > 0 {
		e.log.Info("went on where the last worker stopped", "segments", rec.Segments, "exchanges", rec.Exchanges, "cut_bytes", rec.Cut)
	}
	e.finishPurges(ctx, s)
	if err := e.tellAdded(ctx, s); err != nil {
		e.log.Warn("access rules and notes hold, and could not be written into the WARC files yet", "error", err)
	}
	return w, nil
}

// usable says whether the files and secrets that the settings name are there for a worker, before anything is begun.
func (e *env) usable() error {
	if _, err := e.sites(); err != nil {
		return err
	}
	_, err := wallRules(e.cfg.Walls)
	_, perr := parkingRules(e.cfg.Verdicts.Parking)
	return cmp.Or(err, perr)
}

// wallRules are the program's rules for walls, and those of a file.
func wallRules(file string) (*wall.Rules, error) {
	if file == "" {
		return wall.Default, nil
	}
	body, err := readFile(file)
	if err != nil {
		return nil, usageError{fmt.Errorf("the rules that walls names can't be read: %w", err)}
	}
	own, err := wall.Parse(string(body))
	if err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", file, err)}
	}
	return wall.Default.With(own), nil
}

// crawler is one that works with what the worker has.
func (e *env) crawler(s *store, w *worker, tell func(crawler.Event)) *crawler.Crawler {
	m := e.means()
	room := fetch.NewRoom(m.documents)
	return &crawler.Crawler{
		Queue: s.db, Tasks: s.db, Runs: s.db, Index: s.db, Copies: s.db, Journal: w.journal, Library: s.lib,
		Schedules: s.db, Watched: s.db, History: s.db, Cuts: s.db,
		Recorder: func(spec scope.Spec) *fetch.Recorder {
			r := recorder(m.within(e.cfg), w.spool.Temp(), spec)
			r.Meter, r.Room = w.spool.Spilled(), room
			return r
		},
		Owner: w.spool.Node(), Agent: robots.ProductToken(e.cfg.Agent(version)), Hosts: m.hosts, More: m.more,
		Lease: time.Minute, Hold: 15 * time.Second, RetryWait: 2 * time.Second, Pace: paceLimits(e.cfg.Politeness), Grace: 10 * time.Second,
		Discover: time.Duration(e.cfg.Limits.Discover), Links: m.linkRoom(),
		Now: s.db.Now, Log: e.log, Tell: tell,
	}
}

// paceLimits are the settings of politeness as the crawler has them.
func paceLimits(p configs.Politeness) pace.Limits {
	return pace.Limits{
		Factor: p.Factor, MaxDelay: time.Duration(p.MaxDelay), RetryAfter: time.Duration(p.RetryAfter), Backoff: time.Duration(p.Backoff),
		MaxBackoff: time.Duration(p.MaxBackoff), DownAfter: p.DownAfter, Patience: time.Duration(p.Patience),
	}
}

func (e *env) journal(s *store, spool *storage.Spool) *warc.Journal {
	return warc.NewJournal(warc.JournalParts{
		Rows: s.db, Segments: s.db, Shelves: s.db, Blobs: s.blobs, Spool: spool,
		Composer: &warc.Composer{Dir: spool.Temp(), Memory: e.means().spill, Meter: spool.Spilled()},
		Budget:   warc.Budget{Max: int64(e.cfg.SpoolMax), Free: int64(e.cfg.SpoolFree)},
		Info:     e.info(), Collection: s.db.Collection,
		MaxSize: int64(e.cfg.Segment.Size), MaxAge: time.Duration(e.cfg.Segment.Age), Window: time.Duration(e.cfg.Segment.Window),
		Now: e.now, Log: e.log,
	})
}

// info is what every segment tells of itself.
func (e *env) info() warc.Info {
	return warc.Info{
		Software: "linkstead/" + version, Operator: e.cfg.Operator, Robots: e.cfg.Robots,
		UserAgent: e.cfg.Agent(version), From: e.cfg.From,
		Description: "A post and the sources that it links to.",
	}
}

// close seals and stores what is open, and gives the role up.
func (w *worker) close(ctx context.Context) error {
	err := w.journal.Close(ctx)
	w.silence()
	return errors.Join(err, w.spool.Close())
}

// abandoned is close for a journal that was abandoned, which is no error then.
func (w *worker) abandoned() error {
	err := w.close(context.Background())
	if errors.Is(err, warc.ErrAbandoned) {
		err = nil
	}
	return err
}

// tlsRequire is the word of tls.verify that makes an invalid certificate a failure.
const tlsRequire = "require"

// recorder is the part that talks to the web.
func recorder(cfg configs.Config, temp string, spec scope.Spec) *fetch.Recorder {
	resolve := map[string]string{}
	for _, r := range spec.Resolve {
		if hostPort, addr, err := scope.SplitResolve(r); err == nil { // checked when the spec was compiled
			resolve[hostPort] = addr.String()
		}
	}
	allow, _ := configs.Networks(cfg.AllowNetworks) // checked at load
	deny, _ := configs.Networks(cfg.DenyNetworks)
	return &fetch.Recorder{
		Limits: fetch.Limits{
			Connect: time.Duration(cfg.Limits.Connect), FirstByte: time.Duration(cfg.Limits.Headers),
			Idle: time.Duration(cfg.Limits.Idle), Total: time.Duration(cfg.Limits.Total),
			Discover: time.Duration(cfg.Limits.Discover),
			Bytes:    int64(cfg.Limits.Bytes), Decoded: int64(cfg.Limits.Decoded), Memory: int64(cfg.Limits.Spill),
		},
		UserAgent: cfg.Agent(version), From: cfg.From, Resolve: resolve, AllowPrivate: spec.AllowPrivate, Spool: temp,
		IdlePerHost: max(8, cfg.PerHost), Resolver: net.DefaultResolver, Allow: allow, Deny: deny,
		// What the machine requires it requires of every run; a run may require it on any machine.
		RequireValid: cfg.TLS.Verify == tlsRequire || spec.RequireValid,
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"linkstead/archive/report"
	"linkstead/archive/warc"
	"linkstead/configs"
	"linkstead/crawler"
	"linkstead/crawler/fetch"
	"linkstead/crawler/robots"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// store is an archive opened for reading, and for taking on work.
type store struct {
	db    *storage.DB
	blobs blobs
	lib   *warc.Library
}

// blobs is where segments are kept: a folder, or S3.
type blobs interface {
	warc.Store
	warc.Lister
	Stat(ctx context.Context, key string) (storage.Blob, error)
	Delete(ctx context.Context, key string) error
}

// open opens the archive. Unless create is set, one that does not exist is an error.
func (e *env) open(ctx context.Context, create bool) (*store, error) {
	if err := e.cfg.Validate(); err != nil {
		return nil, usageError{err}
	}
	if e.cfg.Blobs == "" && foreign(e.cfg.Archive) {
		return nil, usageError{fmt.Errorf("the folder %s holds other things and is no archive\nName a new or empty one with --archive", e.cfg.Archive)}
	}
	path, embedded := strings.CutPrefix(e.cfg.Database(), "sqlite:")
	absent := embedded && empty(path)
	if absent && !create {
		return nil, fmt.Errorf("there is no archive in %s\nCapture something first, or name another with --archive; if only the database is gone, 'linkstead rebuild' makes it anew", filepath.Dir(path))
	}
	blobs, err := e.openBlobs(ctx)
	if err != nil {
		return nil, err
	}
	if absent { // so that a database that is refused is not made
		if err := e.orphaned(ctx, blobs); err != nil {
			return nil, err
		}
	}
	db, err := storage.OpenDB(ctx, e.cfg.Database(), storage.DBOptions{Now: e.clock, Log: e.log})
	if err != nil {
		return nil, err
	}
	s := &store{db: db, blobs: blobs, lib: &warc.Library{Shelves: db, Blobs: blobs, Spool: e.cfg.SpoolDir()}}
	if create && !embedded {
		fresh, err := db.Fresh(ctx)
		if err == nil && fresh {
			err = e.orphaned(ctx, blobs)
		}
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

// openBlobs opens the store of segments.
func (e *env) openBlobs(ctx context.Context) (blobs, error) {
	return storage.OpenDir(strings.TrimPrefix(e.cfg.BlobStore(), "dir:"), e.fs)
}

// empty says whether there is no file of a name, or one without a byte.
func empty(path string) bool {
	st, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist) || err == nil && st.Size() == 0
}

// orphaned is an error if there are WARC files, which an empty database does not know.
func (e *env) orphaned(ctx context.Context, b blobs) error {
	for _, err := range b.List(ctx, warc.KeyPrefix) {
		if err != nil {
			return err
		}
		return fmt.Errorf("the WARC files of %s are there, but their database is gone\n'linkstead rebuild' makes it anew from them", e.cfg.BlobStore())
	}
	return nil
}

func (s *store) close() error { return s.db.Close() }

func (e *env) reports(s *store) *report.Builder {
	return &report.Builder{Rows: s.db, Replay: e.cfg.Serve.Origin(), Collection: e.cfg.Collection}
}

// worker is the part that writes: it holds the spool.
type worker struct {
	spool   *storage.Spool
	journal *warc.Journal
	crawler *crawler.Crawler
}

// hire takes the worker role of the archive and goes on where a stopped worker left off. storage.ErrBusy if another
// process has the role.
func (e *env) hire(ctx context.Context, s *store, tell func(crawler.Event)) (*worker, error) {
	spool, err := storage.HoldSpool(e.cfg.SpoolDir(), e.fs)
	if err != nil {
		return nil, err
	}
	w := &worker{spool: spool, journal: e.journal(s, spool)}
	w.crawler = &crawler.Crawler{
		Queue: s.db, Tasks: s.db, Runs: s.db, Index: s.db, Journal: w.journal, Library: s.lib,
		Recorder: func(spec scope.Spec) *fetch.Recorder { return recorder(e.cfg, spool.Temp(), spec) },
		Owner:    spool.Node(), Agent: robots.ProductToken(e.cfg.Agent(version)), Hosts: e.cfg.Concurrency,
		Lease: time.Minute, Hold: 15 * time.Second, RetryWait: 2 * time.Second, Grace: 10 * time.Second,
		Now: e.now, Log: e.log, Tell: tell,
	}
	rec, err := w.journal.Recover(ctx)
	if err == nil {
		err = s.db.FreeOwner(ctx, spool.Node(), e.now().Add(time.Duration(e.cfg.Delay)))
	}
	if err != nil {
		return nil, errors.Join(err, w.close(ctx))
	}
	if rec.Segments > 0 {
		e.log.Info("went on where the last worker stopped", "segments", rec.Segments, "exchanges", rec.Exchanges, "cut_bytes", rec.Cut)
	}
	return w, nil
}

func (e *env) journal(s *store, spool *storage.Spool) *warc.Journal {
	return warc.NewJournal(warc.JournalParts{
		Rows: s.db, Segments: s.db, Shelves: s.db, Blobs: s.blobs, Spool: spool,
		Composer: &warc.Composer{Dir: spool.Temp(), Memory: int64(e.cfg.Limits.Spill)},
		Info: warc.Info{
			Software: "linkstead/" + version, Operator: e.cfg.Operator, Robots: e.cfg.Robots,
			Description: "A post and the sources that it links to.",
		},
		MaxSize: int64(e.cfg.Segment.Size), MaxAge: time.Duration(e.cfg.Segment.Age), Window: time.Duration(e.cfg.Segment.Window),
		Now: e.now, Log: e.log,
	})
}

// close seals and stores what is open, and gives the role up.
func (w *worker) close(ctx context.Context) error {
	return errors.Join(w.journal.Close(ctx), w.spool.Close())
}

// recorder is the part that talks to the web.
func recorder(cfg configs.Config, temp string, spec scope.Spec) *fetch.Recorder {
	resolve := map[string]string{}
	for _, r := range spec.Resolve {
		if hostPort, addr, err := scope.SplitResolve(r); err == nil { // checked when the spec was compiled
			resolve[hostPort] = addr.String()
		}
	}
	return &fetch.Recorder{
		Limits: fetch.Limits{
			Connect: time.Duration(cfg.Limits.Connect), FirstByte: time.Duration(cfg.Limits.Headers),
			Idle: time.Duration(cfg.Limits.Idle), Total: time.Duration(cfg.Limits.Total),
			Bytes: int64(cfg.Limits.Bytes), Decoded: int64(cfg.Limits.Decoded), Memory: int64(cfg.Limits.Spill),
		},
		UserAgent: cfg.Agent(version), Resolve: resolve, AllowPrivate: spec.AllowPrivate, Spool: temp,
		IdlePerHost: max(8, cfg.PerHost), Resolver: net.DefaultResolver,
	}
}

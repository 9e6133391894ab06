package main

import (
	"context"
	"path/filepath"

	"linkstead/archive/warc"
)

// tellAdded writes into WARC files what was added beside captures and none tells of yet: changes of access rules, and notes.
func (e *env) tellAdded(ctx context.Context, s *store) error {
	dir := filepath.Join(e.cfg.SpoolDir(), "told")
	t := &warc.Teller{
		Rows: s.db, Blobs: s.blobs, Composer: &warc.Composer{Dir: dir, Memory: int64(e.cfg.Limits.Spill)}, Info: e.info(),
		Collection: s.db.Collection, FS: e.fs, Dir: dir, Node: e.node(), Now: e.now,
	}
	_, err := t.Tell(ctx)
	return err
}

// keepNotes tells anew of what stood in one segment with notes that a purge took away, and deletes that segment. What fails is for the
// next worker: the rows hold meanwhile.
func (e *env) keepNotes(ctx context.Context, s *store) {
	if err := e.tellAdded(ctx, s); err != nil {
		e.log.Warn("notes hold, and could not be written into the WARC files anew yet", "error", err)
	}
	e.finishPurges(ctx, s)
}

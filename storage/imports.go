package storage

import (
	"context"
	"fmt"
)

// ImportedPrefix begins the names of segments whose records another program wrote. What those say of their digests nobody has proved, and
// their bytes may lie where the archive has no say: nothing that is captured refers to them.
const ImportedPrefix = "imported-"

// sqlOwn says of a capture that it stands in a segment that this archive has written.
const sqlOwn = `NOT (segment>='imported-' AND segment<'imported.')`

// AdoptCaptures writes the rows of captures that another program made, or leaves those that are there.
func (db *DB) AdoptCaptures(ctx context.Context, cs []Capture) error {
	if err := db.write(ctx, func(x *tx) error { return x.insertCaptures(cs) }); err != nil {
		return fmt.Errorf("write imported captures: %w", err)
	}
	return nil
}

// AdoptPosts writes the rows of pages that were imported, or leaves those that are there.
func (db *DB) AdoptPosts(ctx context.Context, ps []Post) error {
	err := db.write(ctx, func(x *tx) error {
		for i := range ps {
			if err := x.insertPost(ps[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write imported pages: %w", err)
	}
	return nil
}

// SegmentPosts brings the posts that stand in a segment, in their order, without citations.
func (db *DB) SegmentPosts(ctx context.Context, segment string) ([]Post, error) {
	return db.posts(ctx, `WHERE segment=$1 ORDER BY pos`, segment)
}

// importedRun is what came with an imported file, as a run.
func (db *DB) importedRun(ctx context.Context, id int64) (Run, error) {
	in, err := rowsOf(ctx, db, scanText, `SELECT collection FROM posts WHERE run=$1 LIMIT 1`, id)
	if err == nil && len(in) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Run{}, fmt.Errorf("import %d: %w", id, err)
	}
	return Run{ID: id, Collection: in[0], State: RunDone}, nil
}

// SegmentsLike brings the segments of a collection whose names begin with a prefix, in their order.
func (db *DB) SegmentsLike(ctx context.Context, collection, prefix string) ([]Segment, error) {
	return db.segments(ctx, `WHERE collection=$1 AND id>=$2 AND id<$3 ORDER BY id`, collection, prefix, prefix+"\U0010FFFF")
}

// DropImported takes the rows of an imported segment away, and its own.
func (db *DB) DropImported(ctx context.Context, segment string) error {
	err := db.write(ctx, func(x *tx) error {
		texts, err := x.textsOf(segment)
		if err != nil {
			return err
		}
		if _, err := x.exec(`DELETE FROM captures WHERE segment=$1`, segment); err != nil {
			return err
		}
		if _, err := x.exec(`DELETE FROM posts WHERE segment=$1`, segment); err != nil {
			return err
		}
		if _, err := x.exec(`DELETE FROM segments WHERE id=$1`, segment); err != nil {
			return err
		}
		return x.dropTexts(texts)
	})
	if err != nil {
		return fmt.Errorf("drop imported segment %s: %w", segment, err)
	}
	return nil
}

// Audited says whether something was noted under an id: see Audit.
func (db *DB) Audited(ctx context.Context, id string) (bool, error) {
	n, err := rowsOf(ctx, db, scanText, `SELECT id FROM audit WHERE id=$1`, id)
	if err != nil {
		return false, fmt.Errorf("read the log: %w", err)
	}
	return len(n) > 0, nil
}

package storage

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
)

// PostID is the short name of a post: the same for every run of the same source in the same collection.
func PostID(collection, source string) string {
	sum := sha256.Sum256([]byte(collection + "\n" + source))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:12]
}

// Versions of a post are ordered by their runs. Those that were imported have numbers below zero that say nothing of time: they go by
// their dates, behind all that this archive has captured itself.
const (
	sqlNewestRun   = `run=(SELECT q.run FROM posts q WHERE q.id=p.id ORDER BY CASE WHEN q.run>0 THEN q.run ELSE 0 END DESC, q.at DESC, q.run DESC LIMIT 1)`
	sqlNewestFirst = ` ORDER BY CASE WHEN run>0 THEN run ELSE 0 END DESC, at DESC, run DESC`
)

const postCols = `id, run, collection, source, url, title, dated, at, segment, pos`

// Posts brings every post in its newest version, newest first, without citations.
func (db *DB) Posts(ctx context.Context) ([]Post, error) {
	return db.posts(ctx, `p WHERE `+sqlNewestRun+` ORDER BY at DESC, id`)
}

// PostVersions brings every version of a post, newest first, without citations; none if there is no such post.
func (db *DB) PostVersions(ctx context.Context, id string) ([]Post, error) {
	return db.posts(ctx, `WHERE id=$1`+sqlNewestFirst, id)
}

// PostsBy brings the newest version of each post that was named, or found, under an address.
func (db *DB) PostsBy(ctx context.Context, source string) ([]Post, error) {
	return db.posts(ctx, `p WHERE (source=$1 OR url=$1) AND `+sqlNewestRun+` ORDER BY at DESC`, source)
}

// PostOf brings the version of a post that a run kept, with its citations. ErrNotFound if the run has none (yet).
func (db *DB) PostOf(ctx context.Context, run int64) (Post, error) {
	ps, err := db.posts(ctx, `WHERE run=$1`, run)
	if err == nil && len(ps) == 0 {
		err = fmt.Errorf("post of run %d: %w", run, ErrNotFound)
	}
	if err != nil {
		return Post{}, err
	}
	p := ps[0]
	return p, db.parts(ctx, &p)
}

func (db *DB) posts(ctx context.Context, where string, args ...any) ([]Post, error) {
	out, err := rowsOf(ctx, db, scanPost, `SELECT `+postCols+` FROM posts `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read posts: %w", err)
	}
	return out, nil
}

func scanPost(r row) (p Post, err error) {
	var at int64
	err = r.Scan(&p.ID, &p.Run, &p.Collection, &p.Source, &p.URL, &p.Title, &p.Dated, &at, &p.Segment, &p.Offset)
	p.At = fromMicros(at)
	return p, err
}

func (db *DB) citations(ctx context.Context, id string, run int64) ([]Citation, error) {
	out, err := rowsOf(ctx, db, scanCitation, `SELECT seq, url, raw, anchor, context, c_start, c_end, place, left_out, original_of, page,
		selector, quotation, dated, entry, alternatives FROM citations WHERE post=$1 AND run=$2 ORDER BY seq`, id, run)
	if err != nil {
		return nil, fmt.Errorf("read citations: %w", err)
	}
	return out, nil
}

// QuotedBy brings what a version of a post quotes from an address, in the order of the post, n quotations at most.
func (db *DB) QuotedBy(ctx context.Context, id string, run int64, url string, n int) ([]string, error) {
	out, err := rowsOf(ctx, db, func(r row) (q string, err error) { return q, r.Scan(&q) },
		`SELECT quotation FROM citations WHERE post=$1 AND run=$2 AND url=$3 AND quotation<>'' AND left_out='' ORDER BY seq LIMIT $4`, id, run, url, n)
	if err != nil {
		return nil, fmt.Errorf("read quotations: %w", err)
	}
	return out, nil
}

func scanCitation(r row) (c Citation, err error) {
	err = r.Scan(&c.Seq, &c.URL, &c.Raw, &c.Text, &c.Context, &c.Start, &c.End, &c.Where, &c.LeftOut, &c.Of, &c.Page,
		&c.Selector, &c.Quotation, &c.Dated, &c.Entry, &c.Alternatives)
	return c, err
}

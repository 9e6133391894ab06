package storage

import (
	"context"
	"fmt"
)

// AddRepairs adds notes about the damaged citations of a post, as AddNotes does, and has the post cite the addresses that found makes
// of all its notes: all or nothing.
func (db *DB) AddRepairs(ctx context.Context, post string, add func(have []Note) ([]Note, error), found func(notes []Note) []string) error {
	return db.addNotesAnd(ctx, NoteRepair, post, add, func(x *tx) error { return x.citeFound(post, found) })
}

// CiteFound has a post cite the addresses that found makes of the notes about its damaged citations, besides those that it cites
// itself. What it cited by such notes alone, and does no more, is taken away.
func (db *DB) CiteFound(ctx context.Context, post string, found func(notes []Note) []string) error {
	if err := db.write(ctx, func(x *tx) error { return x.citeFound(post, found) }); err != nil {
		return fmt.Errorf("note the links that were found of post %s: %w", post, err)
	}
	return nil
}

// DamagedPosts brings the posts of whose damaged citations there are notes, in their order.
func (db *DB) DamagedPosts(ctx context.Context) ([]string, error) {
	out, err := rowsOf(ctx, db, scanString, `SELECT DISTINCT subject FROM notes WHERE kind=$1 ORDER BY subject`, NoteRepair)
	if err != nil {
		return nil, fmt.Errorf("read which posts are damaged: %w", err)
	}
	return out, nil
}

func (x *tx) citeFound(post string, found func([]Note) []string) error {
	// Nobody else decides on the same post in between, so that rows and notes agree.
	if _, err := x.exec(`UPDATE posts SET linked=linked WHERE id=$1`, post); err != nil {
		return err
	}
	p, urls, err := x.cites(post)
	if err != nil || p.ID == "" {
		return err
	}
	cited := map[int64]bool{}
	for _, u := range urls {
		cited[LinkID(p.Collection, u)] = true
	}
	notes, err := x.notesAbout(NoteRepair, post)
	if err != nil {
		return err
	}
	for _, u := range found(notes) {
		p.Citations = append(p.Citations, Citation{URL: u})
		cited[LinkID(p.Collection, u)] = true
	}
	if err := x.insertLinks(p); err != nil {
		return err
	}
	var gone []int64
	err = x.each(func(r row) error {
		var id int64
		err := r.Scan(&id)
		if !cited[id] {
			gone = append(gone, id)
		}
		return err
	}, `SELECT link FROM link_posts WHERE post=$1 ORDER BY link`, post)
	if err != nil || len(gone) == 0 {
		return err
	}
	for _, id := range gone {
		if _, err := x.exec(`DELETE FROM link_posts WHERE link=$1 AND post=$2`, id, post); err != nil {
			return err
		}
	}
	return x.dropUncited()
}

// cites brings a post as its first version dates it, and the addresses that any version cites; no post if none is kept.
func (x *tx) cites(post string) (p Post, urls []string, err error) {
	err = x.each(func(r row) error {
		v, err := scanPost(r)
		p.ID, p.Collection = v.ID, v.Collection
		if p.At.IsZero() || v.At.Before(p.At) {
			p.At = v.At
		}
		return err
	}, `SELECT `+postCols+` FROM posts WHERE id=$1`, post)
	if err != nil || p.ID == "" {
		return p, nil, err
	}
	urls, err = x.strings(`SELECT DISTINCT url FROM citations WHERE post=$1 AND left_out='' AND url<>'' ORDER BY url`, post)
	return p, urls, err
}

func (x *tx) notesAbout(kind, subject string) (out []Note, err error) {
	err = x.each(func(r row) error {
		n, err := scanNote(r)
		out = append(out, n)
		return err
	}, `SELECT `+noteCols+` FROM notes WHERE kind=$1 AND subject=$2 ORDER BY seq`, kind, subject)
	return out, err
}

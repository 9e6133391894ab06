package main

import (
	"context"

	"linkstead/archive/repair"
	"linkstead/storage"
)

// foundAgain are the addresses with which the damaged citations of a post were repaired, as its notes tell.
func foundAgain(notes []storage.Note) (urls []string) {
	var read []repair.Note
	for _, n := range notes {
		if r, err := repair.ReadNote(n.Body, n.At); err == nil {
			read = append(read, r)
		}
	}
	for _, c := range repair.Fold(read) {
		if c.Repaired != nil {
			urls = append(urls, c.Repaired.URL)
		}
	}
	return urls
}

// citeFound has every post cite what its damaged citations were repaired with: its links, else, are those that it has itself.
func citeFound(ctx context.Context, db *storage.DB) error {
	posts, err := db.DamagedPosts(ctx)
	if err != nil {
		return err
	}
	for _, id := range posts {
		if err := db.CiteFound(ctx, id, foundAgain); err != nil {
			return err
		}
	}
	return nil
}

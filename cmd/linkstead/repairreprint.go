package main

import (
	"context"
	"fmt"
	"time"

	"linkstead/archive/fulltext"
	"linkstead/archive/guard"
	"linkstead/archive/post"
	"linkstead/archive/repair"
	"linkstead/archive/urlkey"
)

// Bounds of the search for reprinted articles.
const (
	maxReprints   = 10 // of a post that are looked for
	maxPassages   = 3  // of one by which it is looked for
	maxReprinting = 5  // pages that are proposed for one
	maxReprinted  = 30 * time.Second
)

// reprinted proposes captured pages that have an article that the post has whole. Pages of the post's own host, and copies of it, are none.
func (m *mender) reprinted(ctx context.Context, damaged *post.Document) (out []repair.Candidate, err error) {
	own := m.own(damaged)
	hosts := map[string]bool{}
	for url := range own {
		if urlkey.Fetchable(url) {
			hosts[urlkey.Hostname(url)] = true
		}
	}
	f := &fulltext.Finder{Texts: m.store.db, Captures: &guard.Guard{Rows: m.store.db, Rules: m.store.db, Now: m.store.db.Now}}
	end := time.Now().Add(maxReprinted)
	for i, r := range repair.Reprints(*damaged) {
		if i == maxReprints || time.Now().After(end) {
			fmt.Fprintf(m.stderr, "Only the first %d of the reprinted articles were looked for.\n", i)
			break
		}
		var pages []repair.Reprinted
		at := map[string]int{}
		for _, passage := range r.Passages(maxPassages) {
			found, err := f.Quotation(ctx, passage, fulltext.Ask{Collections: []string{m.collection()}})
			if err != nil {
				return nil, fmt.Errorf("look for a reprinted article: %w", err)
			}
			for j := range found {
				q := &found[j]
				url, says := q.Capture.URL, repair.Text([]byte(q.Body))
				if own[url] || hosts[urlkey.Hostname(url)] || repair.Alike(r.Rest, says) >= alike {
					continue
				}
				score := repair.Alike(r.Body, says)
				if k, ok := at[url]; ok {
					pages[k].Score = max(pages[k].Score, score)
				} else if len(pages) < maxReprinting {
					at[url] = len(pages)
					pages = append(pages, repair.Reprinted{URL: url, Title: q.Title, Score: score})
				}
			}
		}
		out = append(out, repair.FromReprint(r, pages)...)
	}
	return out, nil
}

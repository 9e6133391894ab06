package main

import (
	"context"
	"fmt"
	"time"

	"linkstead/archive/fulltext"
	"linkstead/archive/guard"
	"linkstead/archive/post"
	"linkstead/archive/repair"
)

// Bounds of the search for quotations.
const (
	maxQuotations = 50 // of a post that are looked for
	maxQuoting    = 5  // pages that are proposed for one
	maxQuotedTime = 30 * time.Second
)

// quoted proposes captured pages that have what the post quotes without a source. The post itself and copies of it are none.
func (m *mender) quoted(ctx context.Context, damaged *post.Document, blocks []repair.Block) (out []repair.Candidate, err error) {
	own := m.own(damaged)
	f := &fulltext.Finder{Texts: m.store.db, Captures: &guard.Guard{Rows: m.store.db, Rules: m.store.db, Now: m.store.db.Now}}
	end := time.Now().Add(maxQuotedTime)
	for i, s := range repair.Quotations(*damaged) {
		if i == maxQuotations || time.Now().After(end) {
			fmt.Fprintf(m.stderr, "Only the first %d of the quotations without a source were looked for.\n", i)
			break
		}
		found, err := f.Quotation(ctx, s.Said, fulltext.Ask{Collections: []string{m.collection()}})
		if err != nil {
			return nil, fmt.Errorf("look for a quotation: %w", err)
		}
		var pages []repair.Quoted
		seen := map[string]bool{}
		for j := range found {
			q := &found[j]
			url := q.Capture.URL
			if own[url] || seen[url] || len(pages) == maxQuoting || repair.Alike(blocks, repair.Text([]byte(q.Body))) >= alike {
				continue
			}
			seen[url] = true
			pages = append(pages, repair.Quoted{URL: url, Title: q.Title, Score: q.Match.Score})
		}
		out = append(out, repair.FromQuotation(s, pages)...)
	}
	return out, nil
}

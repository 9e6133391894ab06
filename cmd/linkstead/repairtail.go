package main

import (
	"context"
	"strings"

	"linkstead/archive/post"
	"linkstead/archive/repair"
	"linkstead/storage"
)

// Bounds of the search for what is left of URLs.
const (
	maxRests  = 100 // of a post that are looked for
	maxEnding = 20  // addresses that are proposed for one
)

// cutShort proposes addresses that the collection knows for what is left of one. The post's own are none.
func (m *mender) cutShort(ctx context.Context, damaged *post.Document, scars []repair.Scar) (out []repair.Candidate, err error) {
	rests := repair.Rests(scars)
	if len(rests) == 0 {
		return nil, nil
	}
	if !m.DryRun && m.post != nil {
		if err := m.store.db.FillTails(ctx); err != nil {
			return nil, err
		}
	}
	own := m.own(damaged)
	for _, r := range rests[:min(len(rests), maxRests)] {
		urls, err := m.knownURLs(ctx, &r)
		if err != nil {
			return nil, err
		}
		var known []repair.Known
		for _, url := range urls[:min(len(urls), maxEnding)] {
			if own[url] || r.Host && r.Tail != "" && storage.Tail(url) != storage.Tail(r.Tail) {
				continue
			}
			cited, err := m.firstCited(ctx, url)
			if err != nil {
				return nil, err
			}
			known = append(known, repair.Known{URL: url, Cited: cited})
		}
		out = append(out, repair.FromRest(r, damaged.Dated, known, len(urls) > maxEnding)...)
	}
	return out, nil
}

// knownURLs are the addresses of the collection that a rest may be of; one more than are proposed, if there are more.
func (m *mender) knownURLs(ctx context.Context, r *repair.Rest) ([]string, error) {
	if r.Tail != "" {
		return m.store.db.URLsEnding(ctx, m.collection(), r.Tail, maxEnding+1)
	}
	var out []string
	for _, head := range r.Head {
		some, err := m.store.db.URLsBeginning(ctx, m.collection(), head, maxEnding+1)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

// firstCited is the first date of a post that cites an address; empty if none does, or none has a date.
func (m *mender) firstCited(ctx context.Context, url string) (first string, err error) {
	ps, err := m.store.db.PostsCiting(ctx, storage.LinkID(m.collection(), url))
	for i := range ps {
		if m.post != nil && ps[i].ID == m.post.ID {
			continue
		}
		if d := ps[i].Dated; d != "" && (first == "" || strings.Compare(d, first) < 0) {
			first = d
		}
	}
	return first, err
}

// collection is where candidates are looked for.
func (m *mender) collection() string {
	if m.post != nil {
		return m.post.Collection
	}
	return m.cfg.Collection
}

// own are the addresses of the post itself.
func (m *mender) own(damaged *post.Document) map[string]bool {
	own := map[string]bool{damaged.URL: true, damaged.Canonical: true}
	if m.post != nil {
		own[m.post.URL], own[m.post.Source] = true, true
	}
	return own
}

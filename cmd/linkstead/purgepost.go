package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"linkstead/archive/repair"
	"linkstead/archive/report"
	"linkstead/archive/urlkey"
	"linkstead/crawler"
	"linkstead/storage"
)

// family is a run that captured posts, and the runs that completed it.
type family struct {
	runs  []storage.Run  // that which they complete first
	posts []storage.Post // that any of them kept
}

// post takes a post's versions, and what its runs captured for it: those that captured it, and those that completed them. Other runs
// have captures of their own, also of the same addresses: those stay.
func (sel *selection) post(ctx context.Context, versions []storage.Post) error {
	seen := map[int64]bool{}
	for _, v := range versions {
		if v.Run < 0 { // nobody knows what belonged to which page of an import: the page itself goes
			key := urlkey.Key(v.URL)
			if err := sel.take(ctx, storage.Span{Collection: v.Collection, From: key, To: key, Before: sel.before},
				func(p *storage.Spot) bool { return p.Run == v.Run && p.URL == v.URL }); err != nil {
				return err
			}
			continue
		}
		if seen[v.Run] {
			continue
		}
		f, err := sel.family(ctx, v.Run)
		if err != nil {
			return err
		}
		for _, r := range f.runs {
			seen[r.ID] = true
		}
		if err := sel.ofFamily(ctx, v, f); err != nil {
			return err
		}
	}
	return nil
}

// family brings the runs that captured together what one of them was to capture.
func (sel *selection) family(ctx context.Context, id int64) (f family, err error) {
	first, err := sel.s.db.Run(ctx, id)
	if err != nil {
		return f, err
	}
	if spec, err := crawler.ReadSpec(first); err == nil && spec.Missing != 0 { // the page of the post was missing
		root, err := sel.s.db.Run(ctx, spec.Missing)
		if err == nil && root.Source == first.Source {
			first = root
		} else if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return f, err
		}
	}
	more, err := sel.s.db.Completions(ctx, first)
	if err != nil {
		return f, err
	}
	f.runs = append([]storage.Run{first}, more...)
	for _, r := range f.runs {
		posts, err := sel.s.db.RunPosts(ctx, r.ID)
		if err != nil {
			return f, err
		}
		f.posts = append(f.posts, posts...)
	}
	return f, nil
}

// ofFamily takes what the runs of a family captured for a post. Where they captured that post alone, they are forgotten.
func (sel *selection) ofFamily(ctx context.Context, v storage.Post, f family) error {
	whole := !slices.ContainsFunc(f.posts, func(p storage.Post) bool { return p.ID != v.ID })
	own := map[string]bool{}
	if !whole {
		var err error
		if own, err = sel.owned(ctx, v, f); err != nil {
			return err
		}
	}
	for i, r := range f.runs {
		if r.State == storage.RunActive && sel.before == nil {
			return fmt.Errorf("run %d of %s goes on and captures more\nWait for it or interrupt it, and purge then", r.ID, v.Source)
		}
		if i > 0 {
			sel.added = append(sel.added, r.ID)
		}
		if whole && sel.before == nil {
			sel.forget = append(sel.forget, r.ID)
		}
		if err := sel.ofRun(ctx, v.Collection, r.ID, func(url string) bool { return whole || own[url] }); err != nil {
			return err
		}
	}
	return nil
}

// owned are the addresses that runs captured for one of their posts: the post, its citations, what repairs of it lead to, and what was
// found through them; but none that another post of theirs is, cites, or was repaired with.
func (sel *selection) owned(ctx context.Context, v storage.Post, f family) (map[string]bool, error) {
	own, others := map[string]bool{}, map[string]bool{}
	for _, p := range f.posts {
		into := others
		if p.ID == v.ID {
			into = own
		}
		into[p.URL], into[p.Source] = true, true
		for _, c := range p.Citations {
			into[c.URL] = true
		}
		notes, err := report.RepairNotes(ctx, sel.s.db, p.ID)
		if err != nil {
			return nil, err
		}
		for _, c := range repair.Fold(notes) {
			if c.Repaired != nil {
				into[c.Repaired.URL] = true
			}
		}
	}
	found := map[string][]string{}
	for _, r := range f.runs {
		for t, err := range sel.s.db.RunTasks(ctx, r.ID) {
			if err != nil {
				return nil, err
			}
			found[t.Via] = append(found[t.Via], t.URL)
		}
	}
	todo := make([]string, 0, len(own))
	for url := range own {
		todo = append(todo, url)
	}
	for len(todo) > 0 {
		url := todo[0]
		todo = todo[1:]
		if others[url] {
			delete(own, url)
			continue
		}
		for _, next := range found[url] {
			if !own[next] {
				own[next] = true
				todo = append(todo, next)
			}
		}
	}
	return own, nil
}

// ofRun takes what a run captured of the addresses that are meant.
func (sel *selection) ofRun(ctx context.Context, collection string, run int64, own func(url string) bool) error {
	for t, err := range sel.s.db.RunTasks(ctx, run) {
		if err != nil {
			return err
		}
		if t.URL == "" || !own(t.URL) {
			continue
		}
		key := urlkey.Key(t.URL)
		if err := sel.take(ctx, storage.Span{Collection: collection, From: key, To: key, Before: sel.before},
			func(p *storage.Spot) bool { return p.Run == run && p.URL == t.URL }); err != nil {
			return err
		}
	}
	return nil
}

// completing are the runs that completed others, of which something goes.
func (sel *selection) completing() []int64 {
	return slices.DeleteFunc(slices.Clone(sel.added), func(run int64) bool { return !sel.runs[run] && !slices.Contains(sel.forget, run) })
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"linkstead/archive/wall"
	"linkstead/crawler"
	"linkstead/storage"
)

// listCmd lists the posts.
type listCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (c *listCmd) run(ctx context.Context, e *env) (err error) {
	s, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	posts, err := s.db.Posts(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		if posts == nil {
			posts = []storage.Post{}
		}
		return encode(e.stdout, posts)
	}
	failed, err := withoutPost(ctx, s)
	if err != nil {
		return err
	}
	if len(posts) == 0 && len(failed) == 0 {
		fmt.Fprintln(e.stdout, "No posts yet. Capture one: linkstead capture https://example.org/some-post")
		return nil
	}
	for _, p := range posts {
		if err := e.printPost(ctx, s, p); err != nil {
			return err
		}
	}
	for _, r := range failed {
		f, err := e.reports(s).Build(ctx, r)
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stdout, "not captured  %s  %s\n%14s%s\n", minute(r.Started), r.Source, "", fate(f.Post.Fate))
	}
	return nil
}

// printPost prints a post of the list.
func (e *env) printPost(ctx context.Context, s *store, p storage.Post) error {
	run, err := s.db.Run(ctx, p.Run)
	if err != nil {
		return err
	}
	r, err := e.reports(s).BuildPost(ctx, run, p.ID)
	if err != nil {
		return err
	}
	indent := strings.Repeat(" ", len(p.ID))
	fmt.Fprintf(e.stdout, "%s  %s  %s\n", p.ID, minute(p.At), p.Source)
	if p.Title != "" {
		fmt.Fprintf(e.stdout, "%s  %s\n", indent, clean(p.Title))
	}
	state := map[storage.RunState]string{storage.RunActive: ", being captured", storage.RunPaused: ", interrupted"}[run.State]
	if r.Post.Walled() {
		fmt.Fprintf(e.stdout, "%s  %s\n", indent, wall.Sentence(r.Post.Flags))
	}
	fmt.Fprintf(e.stdout, "%s  %s, %s; collection %s, %s%s\n", indent, plural(r.Totals.Links, "link", "links"),
		linkCounts(&r.Totals), p.Collection, runName(p.Run), state)
	return nil
}

// withoutPost are the newest runs of sources that no run has captured yet.
func withoutPost(ctx context.Context, s *store) ([]storage.Run, error) {
	runs, err := s.db.Runs(ctx)
	if err != nil {
		return nil, err
	}
	var out []storage.Run
	seen, purged := map[string]bool{}, map[int64]bool{}
	for _, r := range runs {
		purged[r.ID] = r.Source == ""
	}
	for _, r := range slices.Backward(runs) {
		if r.Source == "" {
			continue // purged
		}
		id := crawler.PostID(r.Collection, r.Source)
		spec, err := crawler.ReadSpec(r)
		if seen[id] || err == nil && !spec.Single() {
			continue // a feed or a list is no post
		}
		if err == nil && spec.Missing != 0 && purged[spec.Missing] {
			continue // it completed a post that is no more
		}
		seen[id] = true
		versions, err := s.db.PostVersions(ctx, id)
		if err != nil {
			return nil, err
		}
		if len(versions) == 0 {
			out = append(out, r)
		}
	}
	return out, nil
}

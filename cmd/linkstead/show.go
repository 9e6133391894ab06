package main

import (
	"context"
	"errors"
	"fmt"

	"linkstead/archive/report"
	"linkstead/archive/urlkey"
	"linkstead/archive/wall"
	"linkstead/crawler"
	"linkstead/storage"
)

// showCmd shows one post.
type showCmd struct {
	Post    string `arg:"" help:"The post's short name (see 'linkstead list'), its address, or the file's name."`
	Version int64  `name:"at-run" help:"An earlier version: the number of its run." placeholder:"RUN"`
	JSON    bool   `name:"json" help:"Print the JSON document of 'capture --json'."`
}

func (c *showCmd) run(ctx context.Context, e *env) (err error) {
	s, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	versions, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	p := versions[0]
	if c.Version != 0 {
		i := 0
		for i < len(versions) && versions[i].Run != c.Version {
			i++
		}
		if i == len(versions) {
			return fmt.Errorf("run %d did not capture %s\nLeave --at-run out for the newest version", c.Version, p.Source)
		}
		p = versions[i]
	}
	run, err := s.db.Run(ctx, p.Run)
	if err != nil {
		return err
	}
	r, err := e.reports(s).BuildPost(ctx, run, p.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return encode(e.stdout, r)
	}
	printReport(e.stdout, r)
	lives, err := e.livesOf(ctx, s, p.ID)
	if err != nil {
		return err
	}
	e.printLinks(r, lives)
	if len(versions) > 1 {
		fmt.Fprintf(e.stdout, "\nVersions (--at-run RUN shows one)\n")
		for _, v := range versions {
			fmt.Fprintf(e.stdout, "  run %-4d %s\n", v.Run, stamp(v.At))
		}
	}
	return nil
}

// find brings the versions of the post that was named, newest first.
func (c *showCmd) find(ctx context.Context, s *store) ([]storage.Post, error) {
	versions, err := s.db.PostVersions(ctx, c.Post)
	if err != nil || len(versions) > 0 {
		return versions, err
	}
	names := []string{c.Post, fileName(c.Post)}
	if url, err := urlkey.Parse("", c.Post); err == nil {
		names = append(names, url)
	}
	for _, name := range names {
		posts, err := s.db.PostsBy(ctx, name)
		if err != nil {
			return nil, err
		}
		if len(posts) > 0 {
			return s.db.PostVersions(ctx, posts[0].ID)
		}
	}
	return nil, fmt.Errorf("no post is called %q\n'linkstead list' tells which are kept", c.Post)
}

func (e *env) printLinks(r *report.Report, lives map[string]string) {
	fmt.Fprintf(e.stdout, "\nLinks\n")
	for i := range r.Links {
		l := &r.Links[i]
		fmt.Fprintf(e.stdout, "  %-14s %s\n", fate(l.Fate), l.URL)
		for i, h := range l.Redirects {
			next := l.Final
			if i+1 < len(l.Redirects) {
				next = l.Redirects[i+1].URL
			}
			fmt.Fprintf(e.stdout, "  %-14s   %d to %s\n", "", h.Status, next)
		}
		if l.Walled() {
			fmt.Fprintf(e.stdout, "  %-14s   %s\n", "", wall.Sentence(l.Flags))
		}
		if l.Detail != "" {
			fmt.Fprintf(e.stdout, "  %-14s   %s\n", "", clean(l.Detail))
		}
		if says := lives[l.URL]; says != "" {
			fmt.Fprintf(e.stdout, "  %-14s   %s\n", "", clean(says))
		}
		if l.TLSInvalid != "" {
			fmt.Fprintf(e.stdout, "  %-14s   insecure: %s\n", "", clean(l.TLSInvalid))
		}
		for _, a := range l.Attempts {
			if a.Address != "" {
				fmt.Fprintf(e.stdout, "  %-14s   evidence of %s: %s\n", "", stamp(a.At), a.Address)
			}
		}
		if len(l.Citations) > 0 {
			printCitation(e.stdout, &l.Citations[0], r.Post.Dated)
		}
		if l.Replay != "" {
			fmt.Fprintf(e.stdout, "  %-14s   %s\n", "", l.Replay)
		}
		for _, id := range l.Identifiers {
			what := "copy"
			if id.Attempt {
				what = "attempt"
			}
			fmt.Fprintf(e.stdout, "  %-14s   cited as %s, %s of %s\n", "", id.ID, what, stamp(id.At))
		}
		if o := l.Other; o != nil && o.Replay != "" {
			fmt.Fprintf(e.stdout, "  %-14s   copy of run %d: %s\n", "", o.Run, o.Replay)
		}
	}
	if len(r.Repairs) > 0 {
		fmt.Fprintf(e.stdout, "\nDamaged citations ('linkstead repair' tells more)\n")
	}
	for i := range r.Repairs {
		printMended(e.stdout, &r.Repairs[i], false)
	}
	if len(r.LeftOut) > 0 {
		fmt.Fprintf(e.stdout, "\nLeft out\n")
	}
	omitted := make([]crawler.Omitted, 0, len(r.LeftOut))
	for _, l := range r.LeftOut {
		omitted = append(omitted, crawler.Omitted{URL: l.URL, Reason: l.Reason})
	}
	printOmitted(e.stdout, omitted)
	printScars(e.stdout, r)
}

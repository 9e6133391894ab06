package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"linkstead/archive/bibliography"
	"linkstead/archive/cite"
	"linkstead/archive/urlkey"
	"linkstead/configs"
	"linkstead/storage"
)

// citeCmd prints citations.
type citeCmd struct {
	What       string  `arg:"" name:"url-or-id" help:"An address that was captured, or tried; a short identifier; or a post's short name." placeholder:"URL|ID"`
	At         string  `help:"Cite the copy nearest to this date, and tell how far from it that is: 2016, 2016-02, 2016-02-21 or 2016-02-21T10:00:00Z." placeholder:"DATE"`
	Format     string  `short:"f" help:"csl, bibtex, biblatex, ris, wikipedia, html, markdown or text." default:"text" placeholder:"FORMAT"`
	Quote      string  `help:"The words that are cited: the link to the copy leads to them." placeholder:"TEXT"`
	Sources    bool    `help:"All sources of a post, each as near as can be to when its author cited it."`
	Version    int64   `name:"at-run" help:"With --sources, an earlier version of the post: the number of its run." placeholder:"RUN"`
	ID         *bool   `name:"id" negatable:"" help:"Give what has none yet a short permanent identifier. That is so unless --no-id, and with --sources only if --id."`
	Collection *string `help:"Collection to look in."`
	JSON       bool    `name:"json" help:"Print a JSON document, with where each fact comes from, in the place of a citation."`
	Output     string  `short:"o" help:"Write to a file, which takes the place of one that is there." placeholder:"FILE"`
}

func (c *citeCmd) run(ctx context.Context, e *env) (err error) {
	format, err := cite.FormatOf(c.Format)
	if err != nil {
		return usageError{fmt.Errorf("--format: %w", err)}
	}
	w, err := c.wanted()
	if err != nil {
		return err
	}
	set(&e.cfg.Collection, c.Collection)
	w.Collection = e.cfg.Collection
	s, err := e.open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	d := e.desk(s)
	var doc any
	var entries []*bibliography.Entry
	if c.Sources {
		entries, doc, err = c.sources(ctx, e, s, d)
	} else {
		entries, doc, err = c.one(ctx, e, s, d, w)
	}
	if err != nil {
		return err
	}
	write := func(to io.Writer) error {
		if c.JSON {
			return encode(to, doc)
		}
		_, err := io.WriteString(to, format.Write(bibliography.Records(entries)))
		return err
	}
	if c.Output == "" || c.Output == "-" {
		return write(e.stdout)
	}
	return toFile(c.Output, write)
}

func (c *citeCmd) wanted() (w bibliography.Wanted, err error) {
	w.Quote = c.Quote
	switch {
	case c.Sources && (c.At != "" || c.Quote != ""):
		return w, usageError{errors.New("--sources takes the dates from the post: leave --at and --quote out")}
	case c.Version != 0 && !c.Sources:
		return w, usageError{errors.New("--at-run names a version of a post whose --sources are cited")}
	case c.At == "":
		return w, nil
	}
	at, date, ok := bibliography.Moment(c.At)
	if !ok {
		return w, usageError{fmt.Errorf("--at: %q is no date: write it as 2016, 2016-02, 2016-02-21 or 2016-02-21T10:00:00Z", c.At)}
	}
	w.At, w.Cited, w.CitedIn = at, date, date.String()
	return w, nil
}

// one makes the record of what was named.
func (c *citeCmd) one(ctx context.Context, e *env, s *store, d *bibliography.Desk, w bibliography.Wanted) ([]*bibliography.Entry, any, error) {
	entry, err := c.entry(ctx, d, w)
	if err != nil {
		return nil, nil, err
	}
	if c.ID == nil || *c.ID {
		if err := e.mint(ctx, s, d, entry); err != nil {
			return nil, nil, err
		}
	}
	if c.Quote != "" && !entry.Quoted {
		fmt.Fprintf(e.stderr, "The copy does not hold these words, as far as its text can be read: %q\n", c.Quote)
	}
	doc := struct {
		Version int `json:"version"`
		*bibliography.Document
	}{bibliography.DocumentVersion, entry.Document()}
	return []*bibliography.Entry{entry}, doc, nil
}

func (c *citeCmd) entry(ctx context.Context, d *bibliography.Desk, w bibliography.Wanted) (*bibliography.Entry, error) {
	id, wrong := cite.ParseID(c.What)
	if wrong == nil {
		entry, _, err := d.ID(ctx, id, w)
		switch {
		case errors.Is(err, bibliography.ErrGone):
			return nil, fmt.Errorf("%s: what this identifier names was taken out of the archive. It will never name anything else", id)
		case errors.Is(err, bibliography.ErrUnknown):
			return nil, fmt.Errorf("%s: this archive has given no such identifier", id)
		}
		return entry, err
	}
	entry, err := d.Post(ctx, c.What, w)
	if !errors.Is(err, storage.ErrNotFound) {
		return entry, err
	}
	if errors.Is(wrong, cite.ErrMistyped) {
		return nil, fmt.Errorf("%q is no identifier: %w", c.What, wrong)
	}
	url, err := urlkey.Parse("", c.What)
	if err != nil || !urlkey.Fetchable(url) && !strings.HasPrefix(url, "file:") {
		return nil, usageError{fmt.Errorf("%q is no http(s) address, no identifier and no post: 'linkstead list' tells which posts are kept", c.What)}
	}
	w.URL = url
	if entry, err = d.URL(ctx, w); errors.Is(err, bibliography.ErrNothing) {
		return nil, fmt.Errorf("collection %s has no copy of %s, and has not tried to get one\n'linkstead capture' does", w.Collection, url)
	}
	return entry, err
}

// sources makes the records of all that a post cites.
func (c *citeCmd) sources(ctx context.Context, e *env, s *store, d *bibliography.Desk) ([]*bibliography.Entry, any, error) {
	versions, err := (&showCmd{Post: c.What}).find(ctx, s)
	if id, wrong := cite.ParseID(c.What); wrong == nil {
		n, ferr := d.Find(ctx, id)
		if ferr == nil && n.What == bibliography.OfPost {
			versions, err = s.db.PostVersions(ctx, n.Post)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	if len(versions) == 0 {
		return nil, nil, fmt.Errorf("%s names no post that is kept", c.What)
	}
	post, entries, missing, err := d.Sources(ctx, versions[0].ID, c.Version)
	if errors.Is(err, storage.ErrNotFound) {
		err = fmt.Errorf("run %d did not capture this post\nLeave --at-run out for the newest version", c.Version)
	}
	if err != nil {
		return nil, nil, err
	}
	if c.ID != nil && *c.ID {
		if err := e.mint(ctx, s, d, entries...); err != nil {
			return nil, nil, err
		}
	}
	doc := &bibliography.Sources{Version: bibliography.DocumentVersion, Post: post.ID, Run: post.Run, Dated: post.Dated, Sources: []*bibliography.Document{}, Missing: missing}
	for _, entry := range entries {
		doc.Sources = append(doc.Sources, entry.Document())
	}
	if !c.JSON {
		for _, url := range missing {
			fmt.Fprintf(e.stderr, "Not tried yet, and left out: %s\n", url)
		}
	}
	return entries, doc, nil
}

// mint gives identifiers to what has none, and tells of them in the WARC files. What has no name to be found by again goes without.
func (e *env) mint(ctx context.Context, s *store, d *bibliography.Desk, entries ...*bibliography.Entry) error {
	fresh := false
	for _, entry := range entries {
		if entry.ID != "" {
			continue
		}
		switch err := d.Mint(ctx, entry, e.node()); {
		case errors.Is(err, bibliography.ErrNoName):
			fmt.Fprintf(e.stderr, "%s gets no identifier: %v\n", entry.URL, err)
		case err != nil:
			return err
		default:
			fresh = true
		}
	}
	if !fresh {
		return nil
	}
	if err := e.tellAdded(ctx, s); err != nil {
		fmt.Fprintf(e.stderr, "Identifiers hold. They could not be written into the WARC files yet: %v\nThe next worker that starts does so.\n", err)
	}
	return nil
}

// desk is where citations are made.
func (e *env) desk(s *store) *bibliography.Desk {
	d := &bibliography.Desk{
		Rows: s.db, Posts: s.db, Names: s.db, Library: s.lib, Collection: e.cfg.Collection, Replay: e.cfg.Serve.Origin(), Resolver: e.cfg.Serve.Origin(), Pages: e.cfg.Serve.Pages(),
		Archive: e.cfg.Operator, PWID: archiveID(e.cfg), Now: e.now,
	}
	return d
}

// archiveID is the name by which PWIDs name this archive; empty if nothing that others know names it.
func archiveID(cfg configs.Config) string {
	if cfg.ArchiveID != "" {
		return cfg.ArchiveID
	}
	host := cite.Host(cfg.Serve.Origin())
	if _, err := netip.ParseAddr(host); err == nil || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return ""
	}
	return host
}

package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"linkstead/archive/cdx"
	"linkstead/archive/guard"
	"linkstead/archive/pack"
	"linkstead/archive/replay"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// exportCmd writes captures into files that other tools read.
type exportCmd struct {
	What       []string `arg:"" optional:"" name:"post-or-url" help:"A post's short name: the post with all that was captured for it. An address: its captures; one that ends in * stands for all that begin so, *.HOST for a host and those under it."`
	All        bool     `help:"The whole collection."`
	Collection *string  `help:"Collection to export from."`
	Output     string   `short:"o" help:"File to write, or - for standard output; .wacz, .warc.gz, or .cdxj says what is written, .cdxj.gz in blocks with an index of them (.idx) beside it (default: a WACZ named after what it holds)." placeholder:"FILE"`
	From       string   `help:"Of addresses and collections, only captures of this time or later: 1 to 14 digits, as in 2016 or 20160221." placeholder:"TIME"`
	To         string   `help:"Only captures of this time or earlier." placeholder:"TIME"`
	Publish    string   `help:"Publish it under this name as a WACZ, which 'linkstead serve' serves to readers at /web/-/exports/NAME.wacz." placeholder:"NAME"`
	Published  bool     `help:"List what is published, and what of it is closed, since it holds what readers may see no more."`
	Withdraw   string   `help:"Publish a file no more." placeholder:"NAME"`
	JSON       bool     `name:"json" help:"Print JSON."`
}

// Forms of an export.
const (
	formWACZ = "wacz"
	formWARC = "warc"
	formCDXJ = "cdxj"
)

func (c *exportCmd) run(ctx context.Context, e *env) (err error) {
	set(&e.cfg.Collection, c.Collection)
	form, err := c.form()
	if err != nil {
		return err
	}
	s, err := e.open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	switch {
	case c.Published:
		return c.published(ctx, e, s)
	case c.Withdraw != "":
		return c.withdraw(ctx, e, s)
	}
	if _, err := s.db.Collection(ctx, e.cfg.Collection); err != nil {
		return noCollection(e.cfg.Collection, err)
	}
	readers := &guard.Guard{Rows: s.db, Rules: s.db, Now: s.db.Now}
	ch := &chosen{e: e, s: s, readers: readers, sel: pack.Selection{}}
	if err := ch.all(ctx, c); err != nil {
		return err
	}
	if len(ch.sel) == 0 {
		return nothingOf(e.cfg.Collection)
	}
	temp, release, err := storage.HoldExport(e.cfg.SpoolDir())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	x := ch.exporter(e.cfg.Collection, temp)
	name := cmp.Or(c.Output, ch.fileName()+".wacz")
	var done pack.Exported
	write := func(w io.Writer) error {
		done, err = c.write(ctx, x, w, form, name, ch)
		return err
	}
	if c.Publish != "" {
		name, _ = pack.PublishedName(c.Publish) // it was checked
		err = publish(ctx, e.shelf(s), temp, name, write)
	} else {
		err = whole(e, name, write)
	}
	if errors.Is(err, pack.ErrNothing) {
		return fmt.Errorf("%w\nIt repeats what readers may not see, or what is gone: no file was written", nothingOf(e.cfg.Collection))
	}
	if err != nil {
		return fmt.Errorf("export to %s: %w", name, err)
	}
	if done.File = name; c.Publish != "" {
		done.Address = e.address(name)
	}
	if c.JSON {
		return encode(e.stderrFor(name), done)
	}
	fmt.Fprintf(e.stderrFor(name), "%s: %s%s, %s\n", clean(name), plural(done.Captures, "capture", "captures"), pagesOf(done), size(done.Bytes))
	if done.Address != "" {
		fmt.Fprintf(e.stdout, "  published: %s\n", done.Address)
	}
	if done.Originals > 0 {
		fmt.Fprintf(e.stderrFor(name), "  among them %s that others repeat\n", plural(done.Originals, "original", "originals"))
	}
	if done.Left > 0 {
		fmt.Fprintf(e.stderrFor(name), "  left out: %s of what readers may not see, or is gone\n", plural(done.Left, "repetition", "repetitions"))
	}
	return nil
}

func nothingOf(collection string) error {
	return fmt.Errorf("collection %s has nothing of that for readers\n'linkstead cdx' lists what there is, and 'linkstead list' the posts", collection)
}

// stderrFor is where it is told what was written: beside the file, if that goes to standard output.
func (e *env) stderrFor(name string) io.Writer {
	if name == "-" {
		return e.stderr
	}
	return e.stdout
}

func pagesOf(done pack.Exported) string {
	if done.Format != formWACZ {
		return ""
	}
	return " and " + plural(done.Pages, "page", "pages")
}

// form reads the flags that no parser checks.
func (c *exportCmd) form() (string, error) {
	ways := 0
	for _, w := range []bool{c.Published, c.Withdraw != "", c.All || len(c.What) > 0} {
		if w {
			ways++
		}
	}
	if _, ok := pack.PublishedName(c.Publish); c.Publish != "" && !ok {
		return "", usageError{fmt.Errorf("--publish %s: write letters a-z, digits, dots, dashes and underscores", c.Publish)}
	}
	switch {
	case ways > 1, c.Publish != "" && c.Output != "", (c.Published || c.Withdraw != "") && c.Publish != "":
		return "", usageError{errors.New("--published and --withdraw stand alone, and --publish goes without --output\nTry 'linkstead export --help'")}
	case c.Published, c.Withdraw != "":
		return "", nil
	}
	if c.All == (len(c.What) > 0) {
		return "", usageError{errors.New("name a post or an address, or take the whole collection with --all\nTry 'linkstead export --help'")}
	}
	name := strings.ToLower(c.Output)
	switch {
	case name == "", name == "-", strings.HasSuffix(name, ".wacz"):
		return formWACZ, nil
	case strings.HasSuffix(name, ".warc.gz"):
		return formWARC, nil
	case strings.HasSuffix(name, ".cdxj"), strings.HasSuffix(name, ".cdxj.gz"):
		return formCDXJ, nil
	}
	return "", usageError{fmt.Errorf("--output %s: its name must end in .wacz, .warc.gz, .cdxj or .cdxj.gz, which says what is written", c.Output)}
}

// write writes the file.
func (c *exportCmd) write(ctx context.Context, x *pack.Exporter, w io.Writer, form, name string, ch *chosen) (pack.Exported, error) {
	switch form {
	case formWARC:
		return x.WARC(ctx, w, filepath.Base(name), ch.sel, nil)
	case formCDXJ:
		if base, ok := strings.CutSuffix(name, ".cdxj.gz"); ok {
			var done pack.Exported
			err := whole(ch.e, base+".idx", func(index io.Writer) (err error) {
				done, err = x.CDXJ(ctx, w, index, filepath.Base(name), ch.sel)
				return err
			})
			return done, err
		}
		return x.CDXJ(ctx, w, nil, filepath.Base(name), ch.sel)
	}
	return ch.wacz(ctx, x, w)
}

// whole writes a file that is there once it is complete, and not before.
func whole(e *env, name string, write func(io.Writer) error) (err error) {
	if name == "-" {
		out := bufio.NewWriterSize(e.stdout, 256<<10)
		return errors.Join(write(out), out.Flush())
	}
	if _, err := os.Stat(name); err == nil {
		return fmt.Errorf("the file is there already: %w\nName another with --output, or move it away", os.ErrExist)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".linkstead-export-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	out := bufio.NewWriterSize(f, 256<<10)
	if err = errors.Join(write(out), out.Flush()); err == nil {
		err = errors.Join(f.Chmod(0o644), f.Sync())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// chosen is what is to be exported.
type chosen struct {
	e       *env
	s       *store
	readers *guard.Guard
	sel     pack.Selection
	posts   []storage.Post
	pages   []pack.Page
	urls    []string
}

func (ch *chosen) all(ctx context.Context, c *exportCmd) error {
	if c.All {
		if err := ch.query(ctx, c, "*"); err != nil {
			return err
		}
		return ch.everyPost(ctx)
	}
	for _, what := range c.What {
		versions, err := ch.s.db.PostVersions(ctx, what)
		if err != nil {
			return err
		}
		if len(versions) == 0 {
			err = ch.query(ctx, c, what)
		} else if c.From != "" || c.To != "" {
			err = usageError{fmt.Errorf("--from and --to are for addresses, and %s is a post", what)}
		} else {
			err = ch.post(ctx, versions[0])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// query chooses the captures of an address, or of many.
func (ch *chosen) query(ctx context.Context, c *exportCmd, what string) error {
	v := url.Values{"url": {what}}
	if c.From != "" {
		v.Set("from", c.From)
	}
	if c.To != "" {
		v.Set("to", c.To)
	}
	q, err := cdx.Parse(cdx.Pywb, v)
	if p := (*cdx.ParamError)(nil); errors.As(err, &p) && p.Name != "url" {
		return usageError{named(err)}
	}
	if err == nil {
		err = replay.ResolveURL(q)
	}
	if err != nil {
		return usageError{fmt.Errorf("%q is neither a post's short name ('linkstead list' tells them) nor an address: %w", what, named(err))}
	}
	from, to, err := urlkey.Span(q.URL, urlkey.Match(q.Match))
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", what, err)}
	}
	ch.urls = append(ch.urls, what)
	span := storage.KeySpan{Collection: ch.e.cfg.Collection, From: from, To: to, Since: q.Since, Until: q.Until}
	for m, err := range ch.readers.CapturesIn(ctx, span, storage.Place{}, false) {
		if err != nil {
			return err
		}
		ch.sel.Add(m.Segment, m.Offset)
	}
	return nil
}

// post chooses a version of a post, and what was captured for it: by its run and those that completed it, or before, if
// that was taken over.
func (ch *chosen) post(ctx context.Context, v storage.Post) error {
	if v.Run < 0 { // nobody knows what belonged to which page of an import: the page itself is meant
		if err := ch.captured(ctx, v, v.URL, map[int64]bool{v.Run: true}); err != nil {
			return err
		}
		return ch.name(ctx, v)
	}
	sel := &selection{e: ch.e, s: ch.s}
	f, err := sel.family(ctx, v.Run)
	if err != nil {
		return err
	}
	several := slices.ContainsFunc(f.posts, func(p storage.Post) bool { return p.ID != v.ID })
	own := map[string]bool{}
	if several {
		if own, err = sel.owned(ctx, v, f); err != nil {
			return err
		}
	}
	runs := map[int64]bool{}
	for _, r := range f.runs {
		runs[r.ID] = true
	}
	for _, r := range f.runs {
		for t, err := range ch.s.db.RunTasks(ctx, r.ID) {
			if err != nil {
				return err
			}
			if t.URL == "" || several && !own[t.URL] {
				continue
			}
			if err := ch.captured(ctx, v, t.URL, runs); err != nil {
				return err
			}
		}
	}
	return ch.name(ctx, v)
}

// name lists a post among the pages of the export, if readers may see that it is there.
func (ch *chosen) name(ctx context.Context, v storage.Post) error {
	m, err := ch.readers.Closest(ctx, v.Collection, urlkey.Key(v.URL), v.URL, v.At)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if ch.sel[m.Segment][m.Offset] {
		ch.posts = append(ch.posts, v)
		ch.pages = append(ch.pages, pack.Page{URL: v.URL, Title: cmp.Or(v.Title, v.Source), ID: v.ID})
	}
	return nil
}

// maxNamedPosts bounds how many posts of a collection are listed as its pages.
const maxNamedPosts = 1000

// everyPost lists the posts of the collection.
func (ch *chosen) everyPost(ctx context.Context) error {
	posts, err := ch.readers.RecentPosts(ctx, ch.e.cfg.Collection, maxNamedPosts)
	if err != nil {
		return err
	}
	for _, v := range posts {
		if err := ch.name(ctx, v); err != nil {
			return err
		}
	}
	ch.posts = nil // the export is of the collection, and called so
	return nil
}

// captured chooses the captures that runs made of an address, or the one that was nearest to the post, if they made none.
func (ch *chosen) captured(ctx context.Context, v storage.Post, address string, runs map[int64]bool) error {
	key, found := urlkey.Key(address), false
	for m, err := range ch.readers.Captures(ctx, v.Collection, key) {
		if err != nil {
			return err
		}
		if runs[m.Run] && m.URL == address {
			ch.sel.Add(m.Segment, m.Offset)
			found = true
		}
	}
	if found {
		return nil
	}
	m, err := ch.readers.Closest(ctx, v.Collection, key, address, v.At)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if m.URL == address {
		ch.sel.Add(m.Segment, m.Offset)
	}
	return nil
}

// title is what the export is called for a person.
func (ch *chosen) title() string {
	switch {
	case len(ch.posts) > 0:
		return cmp.Or(ch.posts[0].Title, ch.posts[0].Source)
	case len(ch.urls) > 0 && ch.urls[0] != "*":
		return strings.Join(ch.urls, ", ")
	}
	return "collection " + ch.e.cfg.Collection
}

// fileName is what its file is called, if nobody says.
func (ch *chosen) fileName() string {
	switch {
	case len(ch.posts) > 0:
		return ch.posts[0].ID
	case len(ch.urls) > 0 && ch.urls[0] != "*":
		if h := urlkey.Host(strings.Trim(ch.urls[0], "*.")); h != "" {
			return strings.ReplaceAll(h, ":", "-")
		}
	}
	return ch.e.cfg.Collection
}

func (ch *chosen) mainURL() string {
	if len(ch.posts) == 0 || !strings.HasPrefix(ch.posts[0].URL, "http") {
		return ""
	}
	return ch.posts[0].URL
}

func (ch *chosen) mainAt() (at time.Time) {
	if ch.mainURL() != "" {
		at = ch.posts[0].At
	}
	return at
}

// bytes opens the bytes of segments: in the store, or in the spool of this machine.
func (s *store) bytes(spool string) func(context.Context, storage.Segment) (io.ReaderAt, io.Closer, error) {
	return func(ctx context.Context, seg storage.Segment) (io.ReaderAt, io.Closer, error) {
		if seg.State == storage.SegmentStored {
			return storage.NewReaderAt(ctx, s.blobs, seg.Location, seg.Size), io.NopCloser(nil), nil
		}
		f, err := os.Open(storage.SpoolPath(spool, seg.ID))
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil, fmt.Errorf("%w: wait until it is stored", warc.ErrElsewhere)
		}
		return f, f, err
	}
}

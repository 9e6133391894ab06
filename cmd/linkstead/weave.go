package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"linkstead/archive/cite"
	"linkstead/archive/post"
	"linkstead/archive/resolve"
	"linkstead/archive/urlkey"
	"linkstead/archive/weave"
)

// weaveCmd writes the copies of links into the files of a static site.
type weaveCmd struct {
	File       []string `arg:"" help:"HTML or Markdown files; - reads HTML from standard input and writes to standard output."`
	Base       string   `help:"The address at which the file is published, by which its relative links are told." placeholder:"URL"`
	At         string   `help:"When the links were written (default: the file's own date)." placeholder:"DATE"`
	Markdown   string   `name:"markdown" help:"How attributes are written into Markdown: html (an a element), kramdown (Jekyll), or pandoc (also Quarto, markdown-it-attrs)." default:"html" placeholder:"STYLE"`
	Stdout     bool     `help:"Print what comes of it, and leave the file as it is."`
	Check      bool     `help:"Change nothing; exit with 1 if something would change."`
	Collection *string  `help:"Collection to look in."`
}

func (c *weaveCmd) run(ctx context.Context, e *env) (err error) {
	if !slices.Contains(weave.Styles, weave.Style(c.Markdown)) {
		return usageError{fmt.Errorf("--markdown %q: write html, kramdown or pandoc", c.Markdown)}
	}
	if c.Stdout && c.Check || c.Stdout && len(c.File) > 1 {
		return usageError{errors.New("--stdout takes one file, and not with --check")}
	}
	set(&e.cfg.Collection, c.Collection)
	var at cite.Date
	if c.At != "" {
		var ok bool
		if at, ok = cite.ParseDate(c.At); !ok {
			return usageError{fmt.Errorf("--at %q is no date: write it as 2016, 2016-02, 2016-02-21 or 2016-02-21T10:00:00Z", c.At)}
		}
	}
	s, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	changed := 0
	for _, name := range c.File {
		w := &weaver{cmd: c, env: e, resolver: e.resolver(s), at: at}
		n, err := w.file(ctx, name)
		if err != nil {
			return err
		}
		changed += n.Changed
	}
	if c.Check && changed > 0 {
		return exitError(exitFailed)
	}
	return nil
}

// weaver weaves into one file.
type weaver struct {
	cmd      *weaveCmd
	env      *env
	resolver *resolve.Resolver
	at       cite.Date
}

func (w *weaver) file(ctx context.Context, name string) (n weave.Count, err error) {
	e := w.env
	var body []byte
	if name == "-" {
		body, err = readBounded(e.stdin, "standard input")
	} else {
		body, err = readFile(name)
	}
	if errors.Is(err, os.ErrNotExist) {
		err = usageError{fmt.Errorf("there is no file %q", name)}
	}
	if err != nil {
		return n, err
	}
	kind := sniff(name, body)
	if name == "-" {
		kind = "text/html"
	}
	out, n, err := w.weave(ctx, name, kind, body)
	if err != nil {
		return n, err
	}
	switch {
	case w.cmd.Check:
		if n.Changed > 0 {
			fmt.Fprintf(e.stdout, "%s: %s would change.\n", name, plural(n.Changed, "link", "links"))
		}
		return n, nil
	case w.cmd.Stdout || name == "-":
		_, err := e.stdout.Write(out)
		return n, err
	case n.Changed > 0:
		if err := replaceFile(name, out); err != nil {
			return n, fmt.Errorf("write %s: %w", name, err)
		}
	}
	fmt.Fprintf(e.stdout, "%s: %s with a copy, %d changed.\n", name, plural(n.Links, "link", "links"), n.Changed)
	return n, nil
}

// weave gives the file with its links woven.
func (w *weaver) weave(ctx context.Context, name, kind string, body []byte) ([]byte, weave.Count, error) {
	if bytes.HasPrefix(body, []byte{0xff, 0xfe}) || bytes.HasPrefix(body, []byte{0xfe, 0xff}) {
		return nil, weave.Count{}, usageError{fmt.Errorf("%s is in UTF-16: weave takes encodings that keep ASCII, such as UTF-8", name)}
	}
	var d post.Document
	var err error
	base := w.cmd.Base
	if base == "" && name == "-" {
		base = "file:///stdin"
	} else if base == "" {
		base = fileName(name) // its links to itself and its site stay relative: they have no copies
	}
	switch kind {
	case "text/html", "application/xhtml+xml":
		d, err = post.HTML(body, base, post.Options{Links: post.All})
	case "text/markdown":
		if !utf8.Valid(body) {
			return nil, weave.Count{}, usageError{fmt.Errorf("%s is not in UTF-8: weave takes Markdown in UTF-8 alone", name)}
		}
		d, err = post.Markdown(body, base, post.Options{Links: post.All})
	default:
		return nil, weave.Count{}, usageError{fmt.Errorf("%s looks like %s: weave takes HTML and Markdown", name, kind)}
	}
	if err != nil {
		return nil, weave.Count{}, usageError{fmt.Errorf("--base %q: %w", base, err)}
	}
	if !w.at.Known() {
		w.at, _ = cite.ParseDate(d.Dated)
	}
	find, fault := w.find(ctx, &d)
	var out []byte
	var n weave.Count
	if kind == "text/markdown" {
		var text string
		text, n = weave.Markdown(string(body), markdownLinks(string(body), d.Citations), weave.Style(w.cmd.Markdown), find)
		out = []byte(text)
	} else {
		out, n = weave.HTML(body, find)
	}
	return out, n, *fault
}

// find tells the copies of the links that the document cites; each is looked up once.
func (w *weaver) find(ctx context.Context, d *post.Document) (weave.Find, *error) {
	cited := map[string]string{} // as spelt → the URL
	for i := range d.Citations {
		if c := &d.Citations[i]; c.LeftOut == "" && c.Of == "" {
			cited[c.Raw], cited[c.URL] = c.URL, c.URL
		}
	}
	known := map[string]weave.Version{}
	fault := new(error)
	return func(href string) (weave.Version, bool) {
		u, ok := cited[href]
		if !ok {
			u, ok = cited[strings.TrimSpace(href)]
		}
		if !ok || *fault != nil {
			return weave.Version{}, false
		}
		v, looked := known[u]
		if !looked && urlkey.Fetchable(u) {
			a, err := w.resolver.Resolve(ctx, resolve.Question{Collection: w.env.cfg.Collection, URL: u, At: w.at})
			if err != nil {
				*fault = err
				return weave.Version{}, false
			}
			if a.Copy != nil {
				v = weave.Version{Original: u, URL: a.Copy.URL, At: a.Copy.At}
			}
			known[u] = v
		}
		return v, v.URL != ""
	}, fault
}

// markdownLinks are the links of a Markdown document, by bytes.
func markdownLinks(src string, cs []post.Citation) []weave.Link {
	var out []weave.Link
	bom := len(src) - len(strings.TrimPrefix(src, "\ufeff")) // which no offset counts
	at, cps := bom, 0
	to := func(cp int) int {
		if cp < cps {
			at, cps = bom, 0
		}
		for cps < cp && at < len(src) {
			_, n := utf8.DecodeRuneInString(src[at:])
			at, cps = at+n, cps+1
		}
		return at
	}
	for i := range cs {
		if c := &cs[i]; c.Of == "" {
			start := to(c.Start)
			out = append(out, weave.Link{Start: start, End: to(c.End), URL: c.URL})
		}
	}
	return out
}

// replaceFile puts a file in the place of another, as a whole or not at all, with its permissions.
func replaceFile(name string, body []byte) (err error) {
	place, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	st, err := os.Stat(place)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(place), ".linkstead-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(body)
	if err = errors.Join(err, f.Chmod(st.Mode().Perm()), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), place)
}

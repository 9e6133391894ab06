package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"strings"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/post"
	"linkstead/archive/repair"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// Bounds of the search for copies of a post in the archive.
const (
	maxTwins = 6   // posts that are read
	alike    = 0.5 // of what the damaged post says, a copy says so much at least
)

// fileThere says whether there is a file of a name.
func fileThere(name string) bool {
	st, err := os.Stat(name)
	return err == nil && st.Mode().IsRegular()
}

// find brings candidates for the damaged citations of the post, ranked, and its scars.
func (m *mender) find(ctx context.Context) ([]repair.Candidate, []repair.Scar, error) {
	damaged, err := m.damaged(ctx)
	if err != nil {
		return nil, nil, err
	}
	blocks, scars := repair.Blocks(damaged), repair.Scars(damaged)
	var found []repair.Candidate
	for _, name := range m.With {
		d, err := m.copyOf(ctx, name)
		if err != nil {
			return nil, nil, err
		}
		copied := repair.Blocks(d)
		if repair.Live(copied) == 0 {
			return nil, nil, fmt.Errorf("%s has no links in its content that could be hung again", name)
		}
		if repair.Alike(blocks, copied) < alike/5 {
			fmt.Fprintf(m.stderr, "%s has hardly anything in common with the post.\n", clean(name))
		}
		m.with = append(m.with, name)
		found = append(found, repair.Align(blocks, scars, copied)...)
	}
	if m.store != nil {
		more, err := m.twins(ctx, &damaged, blocks, scars)
		if err != nil {
			return nil, nil, err
		}
		found = append(found, more...)
		if more, err = m.quoted(ctx, &damaged, blocks); err != nil {
			return nil, nil, err
		}
		found = append(found, more...)
		if more, err = m.reprinted(ctx, &damaged); err != nil {
			return nil, nil, err
		}
		found = append(found, more...)
		if more, err = m.cutShort(ctx, &damaged, scars); err != nil {
			return nil, nil, err
		}
		found = append(found, more...)
	}
	return repair.Rank(found), scars, nil
}

// damaged reads the post: what is kept of it, or the file.
func (m *mender) damaged(ctx context.Context) (post.Document, error) {
	if m.post != nil {
		return m.keptPost(ctx, m.store, *m.post)
	}
	return m.readFile(m.Post)
}

// copyOf reads a copy of the post: a file, or an address of which the archive has a copy.
func (m *mender) copyOf(ctx context.Context, name string) (post.Document, error) {
	if !hasScheme(name) {
		return m.readFile(name)
	}
	url, err := urlkey.Parse("", name)
	if err != nil || !urlkey.Fetchable(url) {
		return post.Document{}, usageError{fmt.Errorf("--with %q is no http(s) address and no file", name)}
	}
	missing := fmt.Errorf("the archive has no copy of %s\nCapture it first: linkstead capture %s", url, url)
	if m.store == nil {
		return post.Document{}, missing
	}
	collection := m.cfg.Collection
	if m.post != nil {
		collection = m.post.Collection
	}
	best, err := m.newest(ctx, m.store, collection, url, 0)
	if errors.Is(err, storage.ErrNotFound) {
		err = missing
	}
	if err != nil {
		return post.Document{}, err
	}
	return m.readCapture(ctx, m.store, best, url)
}

// readFile reads a document that isn't kept. Its addresses are resolved against what it says is its own, or the post's.
func (m *mender) readFile(name string) (post.Document, error) {
	_, doc, err := m.source(name)
	if err != nil {
		return post.Document{}, err
	}
	if doc == nil {
		return post.Document{}, usageError{fmt.Errorf("%q is neither a post that is kept nor a file", name)}
	}
	base := fileName(name)
	if m.post != nil && urlkey.Fetchable(m.post.URL) {
		base = m.post.URL
	}
	d, err := m.parse(doc.Body, doc.Mime, base)
	if err == nil && d.Canonical != "" && d.Canonical != base {
		d, err = m.parse(doc.Body, doc.Mime, d.Canonical)
	}
	return d, err
}

// parse reads a document, and gives up when it takes too long.
func (e *env) parse(body []byte, contentType, base string) (post.Document, error) {
	until := time.Now().Add(time.Duration(e.cfg.Limits.Discover))
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		media = strings.TrimSpace(strings.ToLower(strings.SplitN(contentType, ";", 2)[0]))
	}
	d, err := post.Read(body, media, base, post.Options{ContentType: contentType, Expired: func() bool { return time.Now().After(until) }})
	if err != nil {
		return d, fmt.Errorf("read %s: %w", base, err)
	}
	return d, nil
}

// keptPost reads a post as a run kept it.
func (e *env) keptPost(ctx context.Context, s *store, p storage.Post) (post.Document, error) {
	c, err := e.newest(ctx, s, p.Collection, p.URL, p.Run)
	if errors.Is(err, storage.ErrNotFound) && p.Source != p.URL {
		c, err = e.newest(ctx, s, p.Collection, p.Source, p.Run)
	}
	if err != nil {
		return post.Document{}, fmt.Errorf("the copy of %s: %w", p.Source, err)
	}
	return e.readCapture(ctx, s, c, p.URL)
}

// newest is the newest good copy of an address that a run made; that any run made, if run is 0.
func (e *env) newest(ctx context.Context, s *store, collection, url string, run int64) (best storage.Capture, err error) {
	found := false
	for c, err := range s.db.Captures(ctx, collection, urlkey.Key(url)) {
		if err != nil {
			return best, err
		}
		if c.URL != url || run != 0 && c.Run != run || c.Status >= 300 || c.Flags != "" && found {
			continue
		}
		best, found = c, true
	}
	if !found {
		return best, fmt.Errorf("%s: %w", url, storage.ErrNotFound)
	}
	return best, nil
}

// readCapture reads the document that a capture has.
func (e *env) readCapture(ctx context.Context, s *store, c storage.Capture, base string) (_ post.Document, err error) {
	m, err := s.lib.Open(ctx, c)
	if err != nil {
		return post.Document{}, fmt.Errorf("read the copy of %s: %w", c.URL, err)
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	plain, err := httpmsg.DecodeWithin(ctx, m.Payload, strings.Join(m.Original.Values("Content-Encoding"), ","))
	if err != nil {
		return post.Document{}, fmt.Errorf("decode the copy of %s: %w", c.URL, err)
	}
	defer func() { err = errors.Join(err, plain.Close()) }()
	body, err := io.ReadAll(io.LimitReader(plain, maxDocument))
	if err != nil {
		return post.Document{}, fmt.Errorf("read the copy of %s: %w", c.URL, err)
	}
	kind := m.Head.Get("Content-Type")
	if kind == "" {
		kind = c.Mime
	}
	if m.Head.Len == 0 && !strings.Contains(kind, "charset") && strings.HasPrefix(kind, "text/") { // it was handed in
		if doc, err := document(c.URL, c.URL, body); err == nil {
			kind = doc.Mime
		}
	}
	return e.parse(body, kind, base)
}

// twins hangs the links of other posts of the archive that are copies of this one: by title or day, and by what they say.
func (m *mender) twins(ctx context.Context, damaged *post.Document, blocks []repair.Block, scars []repair.Scar) ([]repair.Candidate, error) {
	all, err := m.store.db.Posts(ctx)
	if err != nil {
		return nil, err
	}
	var out []repair.Candidate
	read := 0
	for _, p := range all {
		switch {
		case m.post != nil && (p.ID == m.post.ID || p.Collection != m.post.Collection), m.post == nil && p.Collection != m.cfg.Collection:
			continue
		case !repair.SameTitle(p.Title, damaged.Title) && !sameDay(p.Dated, damaged.Dated):
			continue
		}
		if read++; read > maxTwins {
			break
		}
		d, err := m.keptPost(ctx, m.store, p)
		if err != nil { // what can't be read tells nothing
			m.log.Debug("a post can't be read for repairs", "post", p.ID, "error", err)
			continue
		}
		copied := repair.Blocks(d)
		if repair.Live(copied) <= repair.Live(blocks) || repair.Alike(blocks, copied) < alike {
			continue
		}
		m.with = append(m.with, p.Source)
		out = append(out, repair.Align(blocks, scars, copied)...)
	}
	return out, nil
}

// sameDay says whether two dates, as far as they are known, are of one day.
func sameDay(a, b string) bool {
	const day = len(time.DateOnly)
	return len(a) >= day && len(b) >= day && a[:day] == b[:day]
}

package crawler

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// known is what the archive has of a page, and a conditional request can be made by (RFC 9110 §13).
type known struct {
	last     storage.Capture // whose validators are sent
	original storage.Capture // that holds its payload
}

// known looks for what a task can be asked for by; nil if it is to be asked for without conditions. A second try is: the
// first may have been answered 304 though the copy can't be read.
func (c *Crawler) known(ctx context.Context, r *run, t storage.Task) (*known, error) {
	if r.spec().Unconditional || t.Attempts > 0 || scope.Role(t.Hops) == scope.KindRobots {
		return nil, nil
	}
	last, original, err := c.Index.Validated(ctx, r.row.Collection, urlkey.Key(t.URL), t.URL)
	if !r.who.Nobody() {
		last.Modified = "" // a date says nothing of who asked for what it is the date of
	}
	if errors.Is(err, storage.ErrNotFound) || err == nil && (len(conditions(&last)) == 0 || original.Digest == emptyDigest) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for an earlier capture of %s: %w", t.URL, err)
	}
	return &known{last, original}, nil
}

// emptyDigest is that of a page without a body, which is no larger than a 304.
var emptyDigest = warc.Digest(sha256.Sum256(nil))

// entityTag is the form of an entity tag (RFC 9110 §8.8.3), without the bytes beyond ASCII. What a server sends in another form
// is not sent back: "*" would ask for something else.
var entityTag = regexp.MustCompile(`^(W/)?"[!#-~]*"$`)

// conditions are the fields of a request that is to be answered only if the page is no longer the one captured.
func conditions(c *storage.Capture) http.Header {
	h := http.Header{}
	if entityTag.MatchString(c.ETag) {
		h.Set("If-None-Match", c.ETag)
	}
	if _, err := http.ParseTime(c.Modified); err == nil {
		h.Set("If-Modified-Since", c.Modified)
	}
	return h
}

// confirms says whether the head of a 304 speaks of the capture that was asked by: a validator that it tells must be that one's
// (RFC 9111 §4.3.4). A server that answers 304 to whatever it is asked does not always know what.
func confirms(asked *storage.Capture, h httpmsg.Head) bool {
	tag, since := h.Get("ETag"), h.Get("Last-Modified")
	if tag != "" && entityTag.MatchString(asked.ETag) {
		return strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(asked.ETag, "W/")
	}
	if since != "" && asked.Modified != "" {
		then, err := http.ParseTime(asked.Modified)
		now, err2 := http.ParseTime(since)
		return err == nil && err2 == nil && then.Equal(now)
	}
	return tag == ""
}

// confirm has an entry stand for the page that its 304 confirms, and finds what the page leads to, as if it had come once more.
// Where it does not, the 304 is a capture like any other, and the page is asked for again at once.
func (c *Crawler) confirm(ctx context.Context, r *run, e *warc.Entry, w *fetch.Worker, k *known) error {
	x := e.Exchange
	if x.Head.Status != http.StatusNotModified || x.Outcome != outcome.Captured || x.Truncated != "" {
		return nil
	}
	why, err := c.standFor(ctx, r, e, w, k)
	if err != nil || why == "" {
		return err
	}
	e.Meta.Notes = append(e.Meta.Notes, "the server says that nothing was modified, but "+why+": it is asked again without conditions")
	e.Meta.Retry = max(c.Now().UnixMilli(), storage.Urgent)
	return nil
}

// standFor says why the 304 can't be taken for the page; empty if it was.
func (c *Crawler) standFor(ctx context.Context, r *run, e *warc.Entry, w *fetch.Worker, k *known) (why string, err error) {
	x := e.Exchange
	switch {
	case !confirms(&k.last, x.Head):
		return "it tells of another version", nil
	case x.TLS != nil && x.TLS.Invalid != "":
		return "its certificate does not verify", nil
	}
	m, err := c.Library.Open(ctx, k.original)
	if err != nil {
		return c.unreadable(ctx, r, e, k, err)
	}
	defer m.Close()      //nolint:errcheck // it was read
	if m.Damage != nil { // a 304 must not lead to it, though an equal copy is whole
		return c.unreadable(ctx, r, e, k, m.Damage)
	}
	more := new(warc.Memento)
	defer func() { _ = more.Close() }() // the same
	if same, err := c.sameForm(ctx, k, m.Head); err != nil {
		return c.unreadable(ctx, r, e, k, err)
	} else if !same {
		return "its bytes were last sent as something else", nil
	}
	first := true
	doc, free, err := w.Reread(ctx, fetch.Archived{
		URL: x.URL, Head: m.Head, Any: r.lists(e.Task.Hops), PDF: r.spec().IsPost(e.Task.Hops), Weight: weight(r, e.Task.Hops), Size: k.original.Size, Open: func() (io.Reader, error) {
			if first {
				first = false
				return m.Payload, nil
			}
			again, err := c.Library.Open(ctx, k.original)
			if err != nil {
				return nil, err
			}
			more = again
			return again.Payload, nil
		},
	})
	defer free()
	if err == nil && (k.original.Length <= maxProof || doc != nil && k.original.Length <= maxProofDocument) {
		// The library holds a payload against its digest, a long one once it is read to its end: a decoder may take what is
		// damaged for a document that ends there.
		_, err = io.Copy(io.Discard, m.Payload)
	}
	if err != nil {
		return c.unreadable(ctx, r, e, k, err)
	}
	head := m.Head.Updated(x.Head)
	e.Confirmed = &warc.Confirmed{
		Original: warc.Original{
			RecordID: k.original.RecordID, URL: k.original.URL, At: k.original.At,
			Location: fmt.Sprintf("%s/%d", k.original.Segment, k.original.Offset),
		},
		Digest: k.original.Digest, Size: k.original.Size, Head: head,
	}
	e.Meta.Mime = head.Mime()
	if doc == nil {
		return "", nil
	}
	c.flagDocument(e, *doc)
	return "", c.find(ctx, r, e, *doc)
}

// maxProof is up to how many compressed bytes a copy is read to its end, and proven whole, before a 304 that it stands behind is
// taken: beyond it, reading costs more than it is worth. A document, whose links are taken from the copy, is proven further.
const (
	maxProof         = 1 << 20
	maxProofDocument = 64 << 20
)

// unreadable is why a copy can't stand for what the server says of it, unless it was the work that ended.
func (c *Crawler) unreadable(ctx context.Context, r *run, e *warc.Entry, k *known, err error) (string, error) {
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	r.distrust(e.Task.ID)
	c.Log.Warn("a copy can't be read back out of the archive, and is captured anew", "url", k.original.URL,
		"segment", k.original.Segment, "offset", k.original.Offset, "error", err)
	return "the copy of it can't be read", nil
}

// sameForm says whether the payload was last sent under a head that reads it as the original's does. Where the bytes came once
// more, and were found to be the same, it may have been another.
func (c *Crawler) sameForm(ctx context.Context, k *known, original httpmsg.Head) (bool, error) {
	if k.last.Kind != warc.KindRevisit || k.last.Unmodified {
		return true, nil
	}
	m, err := c.Library.Open(ctx, k.last)
	if err != nil {
		return false, err
	}
	form := func(h httpmsg.Head) string {
		return strings.Join(h.Values("Content-Encoding"), ",") + "\n" + h.Get("Content-Type")
	}
	same := strings.EqualFold(form(m.Head), form(original))
	return same, m.Close()
}

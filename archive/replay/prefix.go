package replay

import (
	"context"
	"encoding/base64"
	"errors"
	"html/template"
	"iter"
	"math"
	"net/http"
	"strconv"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// Bounds of a page of what is there under a prefix.
const (
	maxListedKeys = 100
	maxCounted    = 10_000 // captures of one URL
)

// prefixRow is a URL there.
type prefixRow struct {
	URL         string
	List        template.HTMLAttr
	N           string
	First, Last captureRow
}

// prefix lists the URLs that begin as one does, or are of a domain. Those of equal keys are one, under the newest spelling.
func (h *Handler) prefix(w http.ResponseWriter, r *http.Request, a address) {
	ctx := r.Context()
	data := pageData{Title: "URLs", URL: a.url + "*", Stamp: a.stamp}
	match := urlkey.MatchPrefix
	if a.domain {
		match, data.URL = urlkey.MatchDomain, "*."+urlkey.Host(a.url)
	}
	from, to, err := urlkey.Span(a.url, match)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	span := storage.KeySpan{Collection: a.collection, From: from, To: to}
	if a.stamp != "" {
		span.Since, span.Until = period(a.stamp)
	}
	if err := h.fillPrefix(ctx, &a, span, &data); err != nil {
		h.fault(w, r, &a, err)
		return
	}
	status := http.StatusOK
	if len(data.Keys) == 0 {
		status = http.StatusNotFound
	}
	h.page(w, r, status, "prefix", data)
}

// fillPrefix takes a key after the other: the first capture of each, then the last, then how many there are, and passes over the
// others.
func (h *Handler) fillPrefix(ctx context.Context, a *address, span storage.KeySpan, data *pageData) error {
	at := storage.Place{URLKey: a.after, At: time.UnixMicro(math.MaxInt64)}
	if a.after == "" {
		at = storage.Place{}
		if err := h.addOwn(ctx, a, span, data); err != nil {
			return err
		}
	}
	for {
		c, err := firstOf(h.Index.CapturesIn(ctx, span, at, false))
		if c == nil || err != nil {
			return err
		}
		if len(data.Keys) >= maxListedKeys {
			next := *a
			next.after = at.URLKey
			data.Next = hrefOf(&next)
			return nil
		}
		if err := h.addKey(ctx, a, span, c, data); err != nil {
			return err
		}
		at = storage.Place{URLKey: c.URLKey, At: time.UnixMicro(math.MaxInt64)}
	}
}

// addOwn adds the URL that is the prefix, if its key is not among those behind it: keys have no slash at the end.
func (h *Handler) addOwn(ctx context.Context, a *address, span storage.KeySpan, data *pageData) error {
	one := storage.OneKey(span.Collection, urlkey.Key(a.url))
	if one.From >= span.From && (span.To == "" || one.From < span.To) {
		return nil
	}
	one.Since, one.Until = span.Since, span.Until
	c, err := firstOf(h.Index.CapturesIn(ctx, one, storage.Place{}, false))
	if c == nil || err != nil {
		return err
	}
	return h.addKey(ctx, a, span, c, data)
}

func (h *Handler) addKey(ctx context.Context, a *address, span storage.KeySpan, first *storage.Capture, data *pageData) error {
	one := storage.OneKey(span.Collection, first.URLKey)
	one.Since, one.Until = span.Since, span.Until
	last, err := firstOf(h.Index.CapturesIn(ctx, one, storage.Place{}, true))
	if err != nil {
		return err
	}
	if last == nil { // it was purged meanwhile
		last = first
	}
	_, n, err := h.Index.PassOver(ctx, one, storage.Place{}, false, maxCounted+1)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	row := prefixRow{URL: last.URL, N: strconv.FormatInt(n, 10), First: rowOf(a, first, ""), Last: rowOf(a, last, "")}
	if n > maxCounted {
		row.N = "more than " + strconv.Itoa(maxCounted)
	}
	list := address{kind: ofCaptures, name: a.name, stamp: a.stamp, url: urlOf(last)}
	row.List = hrefOf(&list)
	data.Keys = append(data.Keys, row)
	return nil
}

// firstOf is the first capture that is yielded; nil if there is none.
func firstOf(all iter.Seq2[storage.Capture, error]) (*storage.Capture, error) {
	for c, err := range all {
		if err != nil {
			return nil, err
		}
		return &c, nil
	}
	return nil, nil
}

// afterMark stands before the key behind which a page of a list begins.
const afterMark = "@"

func afterText(key string) string {
	if key == "" {
		return ""
	}
	return afterMark + base64.RawURLEncoding.EncodeToString([]byte(key))
}

// readAfter reads what afterText wrote; not ok if it is something else.
func readAfter(text string) (key string, ok bool) {
	if text == "" {
		return "", true
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text[len(afterMark):])
	return string(b), err == nil && text[:len(afterMark)] == afterMark && len(b) > 0
}

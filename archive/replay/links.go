package replay

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"linkstead/storage"
)

// maxLinks bounds a Link field, in bytes: beyond it, clients and proxies refuse the whole answer.
const maxLinks = 8 << 10

// links is the Link field of a memento or a TimeGate's answer (RFC 7089 §2.2): the original, its TimeGate and TimeMap, and
// the mementos first, last, before and behind. What is no longer known in time is left out.
func (h *Handler) links(r *http.Request, a *address, c *choice) string {
	original := urlOf(&c.Capture)
	out := "<" + pathOf(original) + `>; rel="original"`
	if a.asked != "" {
		return out // what was sent can't be asked for by a link
	}
	gate := address{kind: ofGate, name: a.name, url: original}
	list := address{kind: ofTimeMap, name: a.name, format: formatLink, url: original}
	n, err := h.neighbours(r.Context(), a, c)
	if err != nil {
		h.Log.Warn("look for the neighbours of a memento", "url", original, "error", err)
	}
	span := ""
	if n.first != nil && n.last != nil {
		span = `; from="` + httpDate(n.first.At) + `"; until="` + httpDate(n.last.At) + `"`
	}
	parts := []string{
		"<" + h.absolute(&gate) + `>; rel="timegate"`,
		"<" + h.absolute(&list) + `>; rel="timemap"; type="` + typeLink + `"` + span,
	}
	for _, part := range append(parts, h.mementoLinks(a, c, n)...) {
		if len(out)+len(part) > maxLinks {
			break
		}
		out += ", " + part
	}
	return out
}

// mementoLinks tells of a memento and its neighbours. One that is several of them has several relations in one link
// (RFC 7089 §2.2.4).
func (h *Handler) mementoLinks(a *address, c *choice, n neighbours) []string {
	type link struct{ uri, rel, at string }
	var links []link
	add := func(rel string, m *storage.Capture) {
		if m == nil {
			return
		}
		own := a.own(m)
		own.mod = asPage
		uri := h.absolute(&own)
		if i := slices.IndexFunc(links, func(l link) bool { return l.uri == uri }); i >= 0 {
			links[i].rel = rel + links[i].rel
			return
		}
		links = append(links, link{uri, rel + "memento", httpDate(m.At)})
	}
	add("", &c.Capture)
	add("next ", n.next)
	add("prev ", n.prev)
	add("last ", n.last)
	add("first ", n.first)
	out := make([]string, len(links))
	for i, l := range links {
		out[i] = "<" + l.uri + `>; rel="` + l.rel + `"; datetime="` + l.at + `"`
	}
	return out
}

// absolute is the address for who does not know where it was found.
func (h *Handler) absolute(a *address) string { return strings.TrimSuffix(h.Origin, "/") + a.String() }

func httpDate(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

// neighbours are mementos of the key that stand about one; nil where there is none, or none was found within bounds.
type neighbours struct{ first, prev, next, last *storage.Capture }

// neighbours looks for them: among what was read already, if that is all there is, or by one more query. What shows nothing,
// or can't be told apart from the memento by its address, is passed over.
func (h *Handler) neighbours(ctx context.Context, a *address, c *choice) (n neighbours, err error) {
	own := a.own(&c.Capture)
	shown := func(o *storage.Capture) bool { return !showsNothing(o) }
	other := func(o *storage.Capture) bool {
		at := a.own(o)
		return shown(o) && (at.stamp != own.stamp || at.url != own.url)
	}
	if rows := slices.Concat(reversed(c.near.Before), c.near.After); c.near.First && c.near.Last {
		i := slices.IndexFunc(rows, func(o storage.Capture) bool { return o.Place() == c.Place() })
		back := reversed(rows)
		return neighbours{among(rows, shown), among(back[len(rows)-max(i, 0):], other), among(rows[i+1:], other), among(back, shown)}, nil
	}
	b, err := h.Index.Beside(ctx, a.collection, c.Place())
	if err != nil {
		return n, err
	}
	for _, s := range []struct {
		to, from **storage.Capture
		back     bool
		want     func(*storage.Capture) bool
	}{{&n.first, &b.First, false, shown}, {&n.prev, &b.Prev, true, other}, {&n.next, &b.Next, false, other}, {&n.last, &b.Last, true, shown}} {
		if *s.to, err = h.seek(ctx, a, *s.from, s.back, s.want); err != nil {
			return n, err
		}
	}
	return n, nil
}

func reversed(cs []storage.Capture) []storage.Capture {
	out := slices.Clone(cs)
	slices.Reverse(out)
	return out
}

// among is the first capture of a list that is wanted; nil if none is.
func among(rows []storage.Capture, want func(*storage.Capture) bool) *storage.Capture {
	if i := slices.IndexFunc(rows, func(o storage.Capture) bool { return want(&o) }); i >= 0 {
		return &rows[i]
	}
	return nil
}

// maxSought bounds how many captures are passed over to find one that is shown.
const maxSought = 200

// seek brings the first capture that is wanted, from one on: that one, mostly.
func (h *Handler) seek(ctx context.Context, a *address, from *storage.Capture, backwards bool, want func(*storage.Capture) bool) (*storage.Capture, error) {
	if from == nil || want(from) {
		return from, nil
	}
	n := 0
	for c, err := range h.Index.CapturesIn(ctx, storage.OneKey(a.collection, a.key()), from.Place(), backwards) {
		if err != nil {
			return nil, err
		}
		if want(&c) {
			return &c, nil
		}
		if n++; n == maxSought {
			break
		}
	}
	return nil, nil
}

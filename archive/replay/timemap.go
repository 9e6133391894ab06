package replay

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"linkstead/storage"
)

// The formats of TimeMaps, and their types.
const (
	formatLink = "link"
	formatJSON = "json"
	formatCDXJ = "cdxj"
	typeLink   = "application/link-format"
)

// maxEntries is how many captures a TimeMap lists; of more, it lists TimeMaps.
const maxEntries = 10_000

// maxPages bounds how many of those.
const maxPages = 10_000

func (h *Handler) maxEntries() int64 {
	if h.MaxEntries > 0 {
		return int64(h.MaxEntries)
	}
	return maxEntries
}

// timemap is one on its way to a client (RFC 7089 §5), in the words of its format.
type timemap interface {
	mime() string
	index(pages []mapPage) error          // of TimeMaps (§5.1.1)
	begin(self, prev, next mapPage) error // a zero page is none
	add(own *address, c *storage.Capture, rel string) error
	end() error
}

// mapPage is a TimeMap of a part of the captures: of those behind one, until another. Its mementos, if it has any, are from
// one moment until another.
type mapPage struct {
	address
	behind, last storage.Place
	from, until  time.Time
}

// list is what every format tells of a TimeMap.
type list struct {
	h           *Handler
	w           *bufio.Writer
	a           *address
	first, last *storage.Capture // of all that are shown
}

// timemap answers with the mementos of a URL, oldest first.
func (h *Handler) timemap(w http.ResponseWriter, r *http.Request, a address) {
	ctx := r.Context()
	ends, err := h.ends(ctx, &a)
	if err == nil && ends.first == nil {
		h.plain(w, r, http.StatusNotFound, "The archive has no memento of "+a.url+"\n")
		return
	}
	var pages []mapPage
	if err == nil {
		pages, err = h.mapPages(ctx, &a)
	}
	if errors.Is(err, storage.ErrNotFound) || err == nil && a.page > len(pages) {
		h.plain(w, r, http.StatusNotFound, "The TimeMap of "+a.url+" has no such page.\n")
		return
	}
	if err != nil {
		h.fault(w, r, &a, err)
		return
	}
	out := bufio.NewWriterSize(clientWriter{w}, 32<<10)
	m := list{h, out, &a, ends.first, ends.last}.format()
	head := w.Header()
	h.ownHeaders(head)
	head.Set("Content-Type", m.mime())
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	if a.page == 0 && len(pages) > 1 {
		err = m.index(pages)
	} else {
		err = h.writeMap(ctx, &a, m, pages, ends)
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil && !errors.Is(err, errWrite) && ctx.Err() == nil {
		h.Log.Error("write a TimeMap", "url", a.url, "error", err)
		panic(http.ErrAbortHandler) // a clean end would call a part the whole
	}
}

func (l list) format() timemap {
	switch l.a.format {
	case formatJSON:
		return &jsonMap{list: l}
	case formatCDXJ:
		return &cdxjMap{list: l}
	}
	return &linkMap{list: l}
}

// ends brings the first and the last memento of an address.
func (h *Handler) ends(ctx context.Context, a *address) (n neighbours, err error) {
	b, err := h.Index.Beside(ctx, a.collection, storage.Place{URLKey: a.key()})
	if err != nil {
		return n, err
	}
	shown := func(o *storage.Capture) bool { return !showsNothing(o) }
	if n.first, err = h.seek(ctx, a, b.First, false, shown); err != nil {
		return n, err
	}
	n.last, err = h.seek(ctx, a, b.Last, true, shown)
	return n, err
}

// mapPages cuts the captures of a URL into TimeMaps of the same number of captures, the last one of fewer. If a page is named,
// the last of them is the one behind it, for what comes then is not asked for. How far those reach that have few mementos
// between captures that are none is found within bounds: see seek.
func (h *Handler) mapPages(ctx context.Context, a *address) (pages []mapPage, err error) {
	span := storage.OneKey(a.collection, a.key())
	var at storage.Place
	for len(pages) < maxPages && (a.page == 0 || len(pages) <= a.page) {
		from, n, err := h.Index.PassOver(ctx, span, at, false, 1)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		until, more, err := h.Index.PassOver(ctx, span, from, false, h.maxEntries()-1)
		if err != nil {
			return nil, err
		}
		page := mapPage{address: *a, behind: at, last: until, from: from.At, until: until.At}
		page.page = len(pages) + 1
		if err := h.reach(ctx, a, &page, from); err != nil {
			return nil, err
		}
		pages = append(pages, page)
		if at = until; more < h.maxEntries()-1 {
			break
		}
	}
	return pages, nil
}

// reach finds the first and the last memento of a page, whose first capture is at from.
func (h *Handler) reach(ctx context.Context, a *address, page *mapPage, from storage.Place) error {
	shown := func(o *storage.Capture) bool { return !showsNothing(o) }
	for _, end := range []struct {
		at   storage.Place
		back bool
		to   *time.Time
	}{{from, false, &page.from}, {page.last, true, &page.until}} {
		c, err := h.Index.CaptureAt(ctx, end.at.Segment, end.at.Offset)
		if errors.Is(err, storage.ErrNotFound) {
			continue // it was purged meanwhile
		}
		if err != nil {
			return err
		}
		memento, err := h.seek(ctx, a, &c, end.back, shown)
		if err != nil {
			return err
		}
		if memento != nil && !behind(memento.Place(), page.last) && (page.behind.URLKey == "" || behind(memento.Place(), page.behind)) {
			*end.to = memento.At
		}
	}
	return nil
}

// writeMap lists the mementos of a page. Of those of one URL within a second, their address shows but one: that is the one it tells of.
func (h *Handler) writeMap(ctx context.Context, a *address, m timemap, pages []mapPage, ends neighbours) error {
	i := max(a.page, 1) - 1
	self := pages[i]
	self.page = a.page
	var prev, next mapPage
	if i > 0 {
		prev = pages[i-1]
	}
	if i+1 < len(pages) {
		next = pages[i+1]
	}
	if err := m.begin(self, prev, next); err != nil {
		return err
	}
	first, last := a.own(ends.first), a.own(ends.last)
	second := moment{h: h, at: map[string]int{}, add: func(own *address, c *storage.Capture) error {
		rel := "memento"
		if *own == last {
			rel = "last " + rel
		}
		if *own == first {
			rel = "first " + rel
		}
		return m.add(own, c, rel)
	}}
	for c, err := range h.Index.CapturesIn(ctx, storage.OneKey(a.collection, a.key()), self.behind, false) {
		if err != nil {
			return err
		}
		if behind(c.Place(), self.last) {
			break
		}
		if showsNothing(&c) {
			continue
		}
		if err := second.take(ctx, a.own(&c), c); err != nil {
			return err
		}
	}
	if err := second.tell(ctx); err != nil {
		return err
	}
	return m.end()
}

// behind says whether a capture stands behind another one of its key.
func behind(p, of storage.Place) bool {
	if d := p.At.Compare(of.At); d != 0 {
		return d > 0
	}
	return p.Segment > of.Segment || p.Segment == of.Segment && p.Offset > of.Offset
}

// linkMap is a TimeMap as RFC 7089 §5 has it, in the syntax of a Link field.
type linkMap struct {
	list
	begun bool
}

func (m *linkMap) mime() string { return typeLink }

// link writes one, with the comma that is between two.
func (m *linkMap) link(uri, rel, more string) error {
	sep := ""
	if m.begun {
		sep = ",\n"
	}
	m.begun = true
	_, err := io.WriteString(m.w, sep+"<"+uri+`>; rel="`+rel+`"`+more)
	return err
}

func (m *linkMap) page(p mapPage, rel string) error {
	return m.link(m.h.absolute(&p.address), rel, `; type="`+typeLink+`"; from="`+httpDate(p.from)+`"; until="`+httpDate(p.until)+`"`)
}

func (m *linkMap) about(self mapPage) error {
	gate := address{kind: ofGate, name: m.a.name, url: m.a.url}
	return errors.Join(m.link(pathOf(m.a.url), "original", ""), m.page(self, "self"), m.link(m.h.absolute(&gate), "timegate", ""))
}

func (m *linkMap) index(pages []mapPage) error {
	err := m.about(mapPage{address: *m.a, from: m.first.At, until: m.last.At})
	for _, p := range pages {
		err = errors.Join(err, m.page(p, "timemap"))
	}
	return errors.Join(err, m.end())
}

func (m *linkMap) begin(self, prev, next mapPage) error {
	err := m.about(self)
	if prev.page > 0 {
		err = errors.Join(err, m.page(prev, "prev timemap"))
	}
	if next.page > 0 {
		err = errors.Join(err, m.page(next, "next timemap"))
	}
	return err
}

func (m *linkMap) add(own *address, c *storage.Capture, rel string) error {
	return m.link(m.h.absolute(own), rel, `; datetime="`+httpDate(c.At)+`"`)
}

func (m *linkMap) end() error { return m.w.WriteByte('\n') }

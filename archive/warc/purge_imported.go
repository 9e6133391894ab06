package warc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"linkstead/storage"
)

// takenOut are the records of a file that was imported in place of which purges have taken the rows.
func takenOut(notes []purgeNote) map[int64]bool {
	out := map[int64]bool{}
	for i := range notes {
		for _, offset := range notes[i].Out {
			out[offset] = true
		}
	}
	return out
}

// measure tells how long the file of a rewrite is.
func (rw *rewrite) measure() error {
	st, err := rw.file.Stat()
	if err == nil {
		rw.size = st.Size()
	}
	return err
}

// meant tells what of an imported segment belongs to captures that go.
type meant struct {
	ids   map[string]bool // names of records that go
	named map[string]bool // names that those give to others of their exchange
	urls  map[string]bool // addresses of which no capture stays in the segment
}

// readImported finds what goes of a segment whose records another program wrote: the captures that were ordered, what was derived of
// their addresses, and, of a copy, the records around them. A file that lies elsewhere is not read for it, for it may be gone.
func (b *batch) readImported(ctx context.Context, rw *rewrite) error {
	id := rw.rows.Segment.ID
	want := map[int64]bool{}
	for _, offset := range b.order.Spots[id] {
		want[offset] = true
	}
	m := meant{ids: map[string]bool{}, named: map[string]bool{}, urls: map[string]bool{}}
	found := 0
	for k := range rw.rows.Captures {
		if c := &rw.rows.Captures[k]; want[c.Offset] {
			found++
			m.urls[c.URL] = true
		}
	}
	if found != len(want) {
		return fmt.Errorf("it holds %d of the %d captures that were ordered: %w", found, len(want), storage.ErrStale)
	}
	for k := range rw.rows.Captures {
		if c := &rw.rows.Captures[k]; !want[c.Offset] {
			delete(m.urls, c.URL)
		}
	}
	for k := range rw.rows.Captures {
		if c := &rw.rows.Captures[k]; want[c.Offset] || m.urls[derivedFrom(c.URL)] {
			b.takeOut(rw, c)
			m.ids[c.RecordID] = c.RecordID != ""
		}
	}
	if rw.outer {
		slices.Sort(rw.note.Out)
		return b.pagesOut(ctx, rw, &m)
	}
	return b.around(ctx, rw, &m)
}

// pagesOut finds the records of pages that go of a segment that tells of a file elsewhere.
func (b *batch) pagesOut(ctx context.Context, rw *rewrite, m *meant) error {
	return rw.records(ctx, func(w *Wild) error {
		if w.Header.Get(fieldContentType) == MimePage && m.urls[w.url()] {
			rw.unpaged[w.Offset] = true
			rw.note.Counts.Posts++
		}
		return nil
	})
}

// takeOut notes that a capture of an imported segment goes.
func (b *batch) takeOut(rw *rewrite, c *storage.Capture) {
	place := location(c.Segment, c.Offset)
	b.going[place] = true
	rw.out[c.Offset], rw.gone[c.Offset] = true, true
	rw.note.Counts.Captures++
	if rw.outer {
		rw.note.Out = append(rw.note.Out, c.Offset)
	}
	l := lostPayload{payload: payload{c.Collection, c.Digest, ""}, place: place, offset: c.Offset, headless: c.Kind != KindResponse}
	if c.Kind == KindRevisit {
		l.to = c.RefersTo
	}
	rw.lost = append(rw.lost, l)
}

// derivedFrom is the address of which another program has kept a text, a picture and the like under an URN of its own
// ("urn:text:http://…"); "" if it is none.
func derivedFrom(url string) string {
	rest, ok := strings.CutPrefix(url, "urn:")
	if _, of, named := strings.Cut(rest, ":"); ok && named {
		return of
	}
	return ""
}

// around finds the records of a copied segment that belong to captures which go.
func (b *batch) around(ctx context.Context, rw *rewrite, m *meant) error {
	err := rw.records(ctx, func(w *Wild) error {
		if rw.out[w.Offset] {
			for _, name := range w.Header.All(fieldConcurrent) {
				m.named[name] = true
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	stays := make(map[int64]bool, len(rw.rows.Captures))
	for k := range rw.rows.Captures {
		stays[rw.rows.Captures[k].Offset] = !rw.out[rw.rows.Captures[k].Offset]
	}
	return rw.records(ctx, func(w *Wild) error {
		if !stays[w.Offset] && m.belongs(w) {
			rw.gone[w.Offset] = true
			if w.Header.Get(fieldContentType) == MimePage {
				rw.note.Counts.Posts++
			}
		}
		if rw.gone[w.Offset] {
			rw.note.Counts.Bytes += w.Length
		}
		return nil
	})
}

// belongs says whether a record belongs to one that goes: it names it, is named by it, or is of an address of which nothing stays.
func (m *meant) belongs(w *Wild) bool {
	h := &w.Header
	if h.Type() == TypeWarcinfo || strings.HasPrefix(h.URL(), "urn:linkstead:") {
		return false
	}
	names := append(h.All(fieldConcurrent), h.Get(fieldRefersTo), h.Get("WARC-Segment-Origin-ID"))
	if slices.ContainsFunc(names, func(name string) bool { return m.ids[name] }) || m.named[h.ID()] && h.ID() != "" {
		return true
	}
	url := w.url()
	return m.urls[url] || m.urls[derivedFrom(url)]
}

// records reads the records of a copied segment.
func (rw *rewrite) records(ctx context.Context, each func(*Wild) error) error {
	var torn error
	for w, err := range Wilds(rw.file, rw.size, func(s Skip) {
		torn = fmt.Errorf("it is damaged at %d, and nothing is taken out of a damaged segment: %s", s.From, s.Why)
	}) {
		if err = errors.Join(err, ctx.Err()); err == nil {
			err = w.Finish()
		}
		if err == nil {
			err = each(w)
		}
		if err = errors.Join(err, torn); err != nil {
			return err
		}
	}
	return torn
}

// bodyImported writes what stays of an imported segment, byte for byte; of a file that lies elsewhere, what tells of it.
func (b *batch) bodyImported(ctx context.Context, rw *rewrite, f *fresh) error {
	if rw.outer && len(rw.unpaged) == 0 {
		_, err := copyFrom(f, io.NewSectionReader(rw.file, 0, rw.size))
		return err
	}
	return rw.records(ctx, func(w *Wild) error {
		if rw.outer {
			if rw.unpaged[w.Offset] {
				return nil
			}
			_, err := copyFrom(f, io.NewSectionReader(rw.file, w.Offset, w.Length))
			return err
		}
		if rw.gone[w.Offset] {
			return nil
		}
		rw.mains[w.Offset] = f.size
		from, ok := rw.holds[w.Offset]
		if !ok {
			_, err := copyFrom(f, io.NewSectionReader(rw.file, w.Offset, w.Length))
			return err
		}
		r := Found{Offset: w.Offset, Length: w.Length, Header: w.Header}
		rec, err := r.Open(rw.file)
		if err == nil {
			r.Head, _, err = rec.HTTP()
			err = errors.Join(err, rec.Close())
		}
		var g *Group
		if err == nil {
			g, err = b.promote(ctx, rw.file, &r, from)
		}
		if err != nil {
			return fmt.Errorf("give the copy of %s its payload: %w", w.Header.URL(), err)
		}
		return f.group(g)
	})
}

// planImported makes the rows of a rewritten segment of another program: those that a rebuild makes.
func (b *batch) planImported(rw *rewrite) (err error) {
	s, old := &b.swap, make(map[int64]*storage.Capture, len(rw.rows.Captures)) // by the new offset
	for k := range rw.rows.Captures {
		c := &rw.rows.Captures[k]
		switch at, stays := rw.mains[c.Offset]; {
		case rw.out[c.Offset]:
		case rw.outer:
			b.moves[location(c.Segment, c.Offset)] = location(rw.row.ID, c.Offset)
			moved := *c
			moved.Segment = rw.row.ID
			s.Captures = append(s.Captures, moved)
		case stays:
			b.moves[location(c.Segment, c.Offset)] = location(rw.row.ID, at)
			old[at] = c
		}
	}
	in, err := b.FS.OpenFile(rw.path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	stay := map[string]storage.Post{}
	posts := func(p storage.Post) error { stay[p.ID] = p; return nil }
	defer func() {
		for _, p := range rw.rows.Posts {
			if now, ok := stay[p.ID]; ok {
				s.Posts = append(s.Posts, now)
			} else {
				s.Gone = append(s.Gone, p)
			}
		}
	}()
	if rw.outer {
		return pagesOf(rw.row, in, rw.written, posts)
	}
	m := importingOf(rw.row, func(c storage.Capture) error {
		was := old[c.Offset]
		if was == nil {
			return fmt.Errorf("the rewritten segment %s has a capture of %s that no row told of: %w", rw.row.ID, c.URL, storage.ErrDamaged)
		}
		if c.Kind == KindRevisit {
			c.RefersTo = was.RefersTo
		}
		delete(old, c.Offset)
		s.Captures = append(s.Captures, c)
		return nil
	})
	m.posts = posts
	if err := m.all(in, rw.row.Size, []Part{{Length: rw.row.Size}}, nil, nil); err != nil {
		return err
	}
	if len(old) > 0 {
		return fmt.Errorf("the rewritten segment %s lacks %d captures: %w", rw.row.ID, len(old), storage.ErrDamaged)
	}
	return nil
}

// readable says whether what goes at a place can be read, so that another may hold its payload: a file that lies elsewhere may be gone.
func (b *batch) readable(ctx context.Context, rw *rewrite, offset int64) (bool, error) {
	if !rw.outer {
		return true, nil
	}
	in, err := b.Blobs.Open(ctx, rw.rows.Segment.Location, offset, 1)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, in.Close()
}

// openOriginal opens the record whose payload another is to hold.
func (b *batch) openOriginal(ctx context.Context, o original) (*Record, error) {
	s := &o.from.rows.Segment
	var in io.ReaderAt = o.from.file
	if o.from.outer {
		in = storage.NewReaderAt(ctx, b.Blobs, s.Location, s.Size)
	}
	return readMember(io.NewSectionReader(in, o.offset, s.Size-o.offset), s.ID)
}

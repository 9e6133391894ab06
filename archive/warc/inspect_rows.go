package warc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"linkstead/storage"
)

// wanted are the rows that the records of a segment ask for, as a rebuild would make them.
type wanted struct {
	collection, segment string
	units               []*unitRows // in the order of their places
	runs                map[int64]storage.Run
	urls                map[int64]string // of records, by offset
	voids               map[string]bool
	access              []storage.AccessChange
	notes               []storage.Note
	bad                 []Flaw // JSON records of ours that can't be read
}

// unitRows are the rows of one exchange.
type unitRows struct {
	end     storage.End
	offset  int64  // of the record that its row names
	closing string // WARC-Record-ID
	refers  string // WARC-Refers-To of a revisit
}

func newWanted(collection, segment string) *wanted {
	return &wanted{collection: collection, segment: segment, runs: map[int64]storage.Run{}, urls: map[int64]string{}, voids: map[string]bool{}}
}

// unit takes a unit as it passes.
func (w *wanted) unit(u *Unit) {
	last := u.Last()
	if u.Voids != "" {
		w.voids[u.Voids] = true
	}
	if u.Closing == nil {
		switch last.Header.Get(fieldContentType) {
		case MimeAccess:
			w.rule(last)
		case MimeNote:
			w.note(last)
		case MimeRun:
			var run storage.Run
			if err := last.decode(nil, &run); err != nil {
				w.bad = append(w.bad, Flaw{Word: WordRecord, Offset: last.Offset, Record: last.Header.ID(), Detail: err.Error()})
			} else {
				w.runs[run.ID] = run
			}
		}
		return
	}
	for i := range u.Records {
		w.urls[u.Records[i].Offset] = u.URL()
	}
	if u.Headless() {
		return
	}
	m := u.Main()
	end, err := unitEnd(w.collection, w.segment, u, nil)
	if err != nil {
		w.bad = append(w.bad, Flaw{Word: WordRecord, Offset: u.Offset, Record: last.Header.ID(), URL: u.URL(), Detail: err.Error()})
	}
	end.New = nil // they have ends of their own, or wait
	r := &unitRows{end: end, offset: last.Offset, closing: last.Header.ID()}
	if m != nil {
		r.offset, r.refers = m.Offset, m.Original().RecordID
	}
	w.units = append(w.units, r)
}

func (r *unitRows) url() string { return r.end.Task.URL }

// rowsThere are the rows that name a segment, by offset.
type rowsThere struct {
	captures map[int64][]storage.Capture
	attempts map[int64][]storage.Attempt
	posts    map[int64][]storage.Post
	voided   map[int64][]storage.Spot
}

func byOffset[T any](in []T, offset func(*T) int64, limit int64) map[int64][]T {
	out := make(map[int64][]T, len(in))
	for k := range in {
		if off := offset(&in[k]); limit < 0 || off < limit {
			out[off] = append(out[off], in[k])
		}
	}
	return out
}

// comparison is a segment whose rows are compared with its records.
type comparison struct {
	*reading
	i     *Inspector
	there rowsThere
	mend  storage.Mend

	differs  bool          // the bytes are not those of the segment: what they tell is not written
	own      bool          // … but what is left of them is its own
	runsAnew []storage.Run // that have no rows

	rulesAnew []storage.AccessChange // the same
	notesAnew []storage.Note         // the same
	gone      []storage.Spot         // rows that are to go since nothing can be read where they lead
	noRun     map[int64]bool         // places whose run has no row, and no record either
}

// compare holds the rows of a segment against its records, both ways, and mends what is to be mended.
func (i *Inspector) compare(ctx context.Context, r *reading) error {
	rows, err := i.Rows.SegmentRows(ctx, r.Segment)
	if errors.Is(err, storage.ErrNotFound) {
		return nil // inspect looks again
	}
	if err != nil {
		return err
	}
	voided, err := i.Rows.Voided(ctx, r.Segment)
	if err != nil {
		return err
	}
	limit := int64(-1)
	if !r.whole { // what is acknowledged meanwhile lies behind
		limit = r.limit
	}
	c := &comparison{reading: r, i: i, mend: storage.Mend{Segment: r.Segment}, noRun: map[int64]bool{}}
	c.there.captures = byOffset(rows.Captures, func(v *storage.Capture) int64 { return v.Offset }, limit)
	c.there.attempts = byOffset(rows.Attempts, func(v *storage.Attempt) int64 { return v.Offset }, limit)
	c.there.posts = byOffset(rows.Posts, func(v *storage.Post) int64 { return v.Offset }, limit)
	c.there.voided = byOffset(voided, func(v *storage.Spot) int64 { return v.Offset }, limit)
	r.Rows = len(rows.Captures) + len(rows.Attempts) + len(rows.Posts) + len(voided)
	for _, f := range r.want.bad {
		r.flaw(f)
	}
	c.differs, c.own = r.differs(), c.isOwn()
	c.fields()
	for _, u := range r.want.units {
		if err := c.unit(ctx, u); err != nil {
			return err
		}
	}
	if err := c.leftOver(ctx); err != nil {
		return err
	}
	if err := c.tasks(ctx); err != nil {
		return err
	}
	if err := errors.Join(c.runs(ctx), c.access(ctx), c.notes(ctx)); err != nil {
		return err
	}
	if c.differs {
		c.leaveAlone()
	}
	return i.Mender.mend(ctx, c)
}

// differs says whether the bytes are others than those that were stored.
func (r *reading) differs() bool {
	return slices.ContainsFunc(r.Flaws, func(f Flaw) bool { return f.Word == WordDiffers })
}

// isOwn says whether the bytes are the segment's, as far as they can be read: those of another one, which somebody has put
// there, tell nothing of what became of it.
func (c *comparison) isOwn() bool {
	for _, u := range c.want.units {
		for _, v := range c.there.captures[u.offset] {
			if len(u.end.Captures) > 0 && v.RecordID == u.end.Captures[0].RecordID {
				return true
			}
		}
		for _, v := range c.there.attempts[u.offset] {
			if v.RecordID == u.closing {
				return true
			}
		}
		if len(c.there.voided[u.offset]) > 0 && c.want.voids[u.closing] {
			return true
		}
	}
	return len(c.want.units) == 0 && (len(c.damage) > 0 || c.Size == 0)
}

// leaveAlone writes nothing of bytes that are not those that were stored: it is them that may be wrong. Only rows whose
// bytes can't be read any more may go, if that is asked for.
func (c *comparison) leaveAlone() {
	for k := range c.Flaws {
		f := &c.Flaws[k]
		switch f.Word {
		case WordNoRow, WordRow, WordTask, WordDangling, WordNoRecord:
			f.Try = "the segment's bytes are not those that were stored: " + tryCopy
		}
	}
	gone := storage.Mend{Segment: c.Segment, Again: c.mend.Again}
	for _, s := range c.gone {
		if s.Kind == spotPost {
			gone.Strays = append(gone.Strays, c.there.posts[s.Offset]...)
		} else {
			gone.Drop = append(gone.Drop, s)
		}
	}
	c.mend, c.runsAnew, c.rulesAnew, c.notesAnew = gone, nil, nil, nil
}

// isGone says whether a row's bytes can't be read, and never will be from what is left of the segment.
func (c *comparison) isGone(off int64) bool { return c.own && (off >= c.Size || c.isBroken(off)) }

// fields compares the row of the segment itself.
func (c *comparison) fields() {
	f := c.row
	var wrong []string
	if f.Collection != c.want.collection {
		wrong = append(wrong, fmt.Sprintf("collection is %q, and it stands in %q", f.Collection, c.want.collection))
		f.Collection = c.want.collection
	}
	if f.State == storage.SegmentStored && f.Committed != f.Size {
		wrong = append(wrong, fmt.Sprintf("committed is %d, and %d bytes were stored", f.Committed, f.Size))
		f.Committed = f.Size
	}
	if len(wrong) > 0 {
		c.flaw(Flaw{Word: WordRow, Offset: -1, Detail: "the segment's row: " + strings.Join(wrong, "; ")})
		c.mend.Fields = &f
	}
}

// unit compares the rows of one exchange.
func (c *comparison) unit(ctx context.Context, u *unitRows) error {
	captures, attempts, voided := c.there.captures[u.offset], c.there.attempts[u.offset], c.there.voided[u.offset]
	delete(c.there.captures, u.offset)
	delete(c.there.attempts, u.offset)
	delete(c.there.voided, u.offset)
	flaw := Flaw{Offset: u.offset, Record: u.closing, URL: u.url()}
	if c.want.voids[u.closing] || len(captures)+len(attempts) == 0 && len(voided) > 0 && !c.whole {
		return c.voided(u, captures, attempts, voided)
	}
	if len(u.end.Captures) > 0 {
		w := &u.end.Captures[0]
		flaw.Record = w.RecordID
		if err := c.refers(ctx, u, captures); err != nil {
			return err
		}
		rowOf(c, u, flaw, storage.SpotCapture, []storage.Capture{w.Stored()}, captures)
		rowOf(c, u, flaw, storage.SpotAttempt, nil, attempts)
	} else {
		rowOf(c, u, flaw, storage.SpotAttempt, []storage.Attempt{u.end.Attempts[0].Stored()}, attempts)
		rowOf(c, u, flaw, storage.SpotCapture, nil, captures)
	}
	rowOf(c, u, flaw, storage.SpotVoided, nil, voided)
	if u.end.Post != nil {
		return c.post(ctx, u)
	}
	return nil
}

// rowOf compares the rows of a kind that an exchange has with the one that it should have, or none.
func rowOf[T comparable](c *comparison, u *unitRows, flaw Flaw, kind storage.SpotKind, want, have []T) {
	if slices.Equal(want, have) {
		return
	}
	if len(want) == 1 && len(have) == 1 && ofOlder(want[0], have[0]) {
		c.Old++
		c.mend.Drop = append(c.mend.Drop, storage.Spot{Kind: kind, Offset: u.offset})
		c.put(u)
		return
	}
	switch {
	case len(have) == 0:
		flaw.Word, flaw.Detail = WordNoRow, fmt.Sprintf("the record counts, and %s has no row of it", kind)
	case len(want) == 0:
		flaw.Word, flaw.Detail = WordRow, fmt.Sprintf("%s has a row of it, and should have none", kind)
	case len(have) > 1:
		flaw.Word, flaw.Detail = WordRow, fmt.Sprintf("%s has %d rows of it", kind, len(have))
	default:
		flaw.Word, flaw.Detail = WordRow, fmt.Sprintf("the row in %s: %s", kind, difference(want[0], have[0]))
	}
	c.flaw(flaw)
	if len(have) > 0 {
		c.mend.Drop = append(c.mend.Drop, storage.Spot{Kind: kind, Offset: u.offset})
	}
	c.put(u)
}

// ofOlder says whether a row was written by an older version of this program, and says nothing but what its record says, as far as
// it knows: such a row is known by its lack of a time, and lacks other fields. It is no fault.
func ofOlder(want, have any) bool {
	w, h := reflect.ValueOf(want), reflect.ValueOf(have)
	ms := h.FieldByName("MS")
	if !ms.IsValid() || ms.Int() != -1 {
		return false
	}
	for k := range w.NumField() {
		f := h.Field(k)
		unknown := f.IsZero() || f.CanInt() && f.Int() == -1
		if !unknown && !reflect.DeepEqual(w.Field(k).Interface(), f.Interface()) {
			return false
		}
	}
	return true
}

// put has the rows of an exchange written.
func (c *comparison) put(u *unitRows) {
	if n := len(c.mend.Put); n == 0 || c.mend.Put[n-1].Task != u.end.Task || !reflect.DeepEqual(c.mend.Put[n-1], u.end) {
		c.mend.Put = append(c.mend.Put, u.end)
	}
}

// difference names the fields that differ, as a row has them and as its record does.
func difference(want, have any) string {
	w, h := reflect.ValueOf(want), reflect.ValueOf(have)
	var out []string
	for k := range w.NumField() {
		if a, b := w.Field(k).Interface(), h.Field(k).Interface(); !reflect.DeepEqual(a, b) {
			out = append(out, fmt.Sprintf("%s is %.200q, and the record says %.200q", strings.ToLower(w.Type().Field(k).Name), fmt.Sprint(b), fmt.Sprint(a)))
		}
	}
	return strings.Join(out, "; ")
}

// voided compares what tells of an exchange that did not count.
func (c *comparison) voided(u *unitRows, captures []storage.Capture, attempts []storage.Attempt, voided []storage.Spot) error {
	flaw := Flaw{Offset: u.offset, Record: u.closing, URL: u.url()}
	if len(captures)+len(attempts) > 0 {
		flaw.Word, flaw.Detail = WordRow, "a row tells of an exchange that was voided: it did not count"
		c.flaw(flaw)
		c.mend.Drop = append(c.mend.Drop, storage.Spot{Kind: storage.SpotCapture, Offset: u.offset}, storage.Spot{Kind: storage.SpotAttempt, Offset: u.offset})
	}
	want := storage.Spot{Kind: storage.SpotVoided, Segment: c.Segment, Offset: u.offset, URL: u.url(), Run: u.end.Task.Run}
	for _, v := range u.end.Captures {
		v = v.Stored()
		want.URL, want.URLKey, want.At = v.URL, v.URLKey, v.At
	}
	for _, v := range u.end.Attempts {
		v = v.Stored()
		want.URL, want.URLKey, want.At = v.URL, v.URLKey, v.At
	}
	if slices.Equal(voided, []storage.Spot{want}) {
		return nil
	}
	flaw.Word, flaw.Detail = WordNoRow, "the exchange did not count, and nothing tells a purge that it stands there"
	if len(voided) > 0 {
		flaw.Word, flaw.Detail = WordRow, "the row in voided: "+difference(want, voided[0])
		c.mend.Drop = append(c.mend.Drop, storage.Spot{Kind: storage.SpotVoided, Offset: u.offset})
	}
	c.flaw(flaw)
	c.mend.Voided = append(c.mend.Voided, u.end)
	return nil
}

// leftOver tells of rows whose records are not there. Of a record that stands elsewhere, and has its row there or gets it
// now, the row goes; others stay unless they are to be deleted.
func (c *comparison) leftOver(ctx context.Context) error {
	own := map[string]bool{}
	for _, u := range c.want.units {
		for _, v := range u.end.Captures {
			own[v.RecordID] = true
		}
		own[u.closing] = true
	}
	for _, off := range slices.Sorted(maps.Keys(c.there.captures)) {
		for _, v := range c.there.captures[off] {
			moved := own[v.RecordID]
			if now, err := c.i.Rows.Moved(ctx, v); err == nil && (now.Segment != v.Segment || now.Offset != v.Offset) {
				moved = true
			} else if err != nil && !errors.Is(err, storage.ErrNotFound) {
				return err
			}
			c.without(storage.Spot{Kind: storage.SpotCapture, Offset: off, URL: v.URL}, v.RecordID, moved)
		}
	}
	for _, off := range slices.Sorted(maps.Keys(c.there.attempts)) {
		for _, v := range c.there.attempts[off] {
			c.without(storage.Spot{Kind: storage.SpotAttempt, Offset: off, URL: v.URL}, v.RecordID, own[v.RecordID])
		}
	}
	for _, off := range slices.Sorted(maps.Keys(c.there.voided)) {
		for _, v := range c.there.voided[off] {
			c.without(v, "", false)
		}
	}
	for _, off := range slices.Sorted(maps.Keys(c.there.posts)) {
		for _, v := range c.there.posts[off] {
			c.without(storage.Spot{Kind: spotPost, Offset: off, URL: v.URL}, "", false)
		}
	}
	return nil
}

// without tells of a row without a record.
func (c *comparison) without(s storage.Spot, record string, moved bool) {
	f := Flaw{Word: WordNoRecord, Offset: s.Offset, Record: record, URL: s.URL, Detail: fmt.Sprintf("a row in %s tells of it, and no such exchange stands there", s.Kind)}
	switch {
	case moved:
		f.Word, f.Detail = WordRow, fmt.Sprintf("a row in %s tells of a place where its record does not stand", s.Kind)
		c.mend.Drop = append(c.mend.Drop, s)
	case c.isBroken(s.Offset):
		f.Detail = fmt.Sprintf("a row in %s tells of it, and its exchange can't be read whole", s.Kind)
	}
	c.flaw(f)
	if !moved {
		c.i.Mender.drop(c, s)
	}
}

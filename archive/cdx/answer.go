package cdx

import (
	"io"
	"slices"
)

// Answer makes of the rows of a query's span, handed to it one after the other in the query's order, what the client gets. It
// holds some rows at most, whatever their number: the last ones if those are asked for, and else one.
type Answer struct {
	// Original tells where the payload of a revisit stands, if the query asks for Originals. It is called for rows that are
	// written alone.
	Original func(*Row) (Original, error)
	// Memento tells the address of a row's memento, for output=link.
	Memento func(*Row) string

	q         *Query
	w         io.Writer
	fields    []field
	collapses []collapse

	written  int   // rows
	passed   int   // rows that filters and collapsing left
	last     Place // of the row that was handed over last
	more     bool  // there are rows behind those that the limit allows
	ring     []told
	pending  told // a row that waits for what is left out behind it
	waits    bool
	dupes    map[string]int64 // by digest, of dupesOf
	dupesOf  string
	buf, val []byte
}

// maxDupes bounds the digests of one key that are counted; further ones count as new.
const maxDupes = 1 << 16

// defaults are the fields of forms, if none are named.
var defaults = map[form][]field{
	formCDXJ:  cdxj,
	formJSON:  {fieldKey, fieldTime, fieldURL, fieldMime, fieldStatus, fieldDigest, fieldLength, fieldOffset, fieldFile},
	formTable: {fieldKey, fieldTime, fieldURL, fieldMime, fieldStatus, fieldDigest, fieldLength},
	formLink:  {fieldURL},
	formCDX7:  cdx7,
	formCDX11: cdx11,
}

// NewAnswer begins the answer to a query. Nothing is written before the first row.
func NewAnswer(w io.Writer, q *Query) *Answer {
	a := &Answer{q: q, w: w, collapses: slices.Clone(q.collapses), fields: slices.Clone(q.fields)}
	if a.q.fields == nil || q.form == formCDX7 || q.form == formCDX11 {
		f := q.form
		switch {
		case f == formText && q.Dialect == Wayback:
			f = formTable
		case f == formText:
			f = formJSON
		}
		a.fields = slices.Clone(defaults[f])
	}
	if q.Originals {
		a.addFields(fieldOrigLength, fieldOrigOffset, fieldOrigFile)
	}
	if q.showDupes {
		a.addFields(fieldDupes)
	}
	if q.showSkips {
		a.addFields(fieldSkipped)
	}
	if q.showSkipTo {
		a.addFields(fieldSkippedTo)
	}
	return a
}

func (a *Answer) addFields(fs ...field) {
	for _, f := range fs {
		if !slices.Contains(a.fields, f) && a.q.form != formCDX7 && a.q.form != formCDX11 {
			a.fields = append(a.fields, f)
		}
	}
}

func (a *Answer) has(f field) bool { return slices.Contains(a.fields, f) }

// Written is how many rows have been written.
func (a *Answer) Written() int { return a.written }

// Add takes the next row, and says whether it wants more.
func (a *Answer) Add(r *Row) (more bool, err error) {
	t := told{row: *r}
	if r.Revisit && a.q.Dialect == Wayback {
		t.row.Status = 0 // the Internet Archive's index gives revisits none, and its clients tell them by that
	}
	if !a.selects(&t) {
		a.skip(r)
		a.last = r.Place
		return true, nil
	}
	if a.passed++; a.passed <= a.q.offset {
		a.last = r.Place
		return true, nil
	}
	n := a.passed - a.q.offset
	switch limit := a.q.limit; {
	case limit < 0:
		a.last = r.Place
		return a.hold(&t, -limit), nil
	case limit > 0 && n > limit:
		a.more = true // and the place before this row is where to go on
		return false, nil
	}
	a.last = r.Place
	if a.counts() {
		err = a.flush()
		a.pending, a.waits = t, true
	} else {
		err = a.write(&t)
	}
	full := a.q.limit > 0 && n == a.q.limit
	return err == nil && (!full || a.q.showResume || a.counts()), err
}

// counts says whether it is told how many rows are left out.
func (a *Answer) counts() bool { return a.has(fieldSkipped) || a.has(fieldSkippedTo) }

// selects says whether filters and collapsing leave a row.
func (a *Answer) selects(t *told) bool {
	for i := range a.q.filters {
		if !a.q.filters[i].passes(t, a.val) {
			return false
		}
	}
	if a.has(fieldDupes) {
		a.countDupes(t)
	}
	for i := range a.collapses {
		if a.collapses[i].repeats(t, a.val) {
			return false
		}
	}
	return true
}

func (a *Answer) countDupes(t *told) {
	if a.dupes == nil || a.dupesOf != t.row.Key {
		a.dupes, a.dupesOf = map[string]int64{}, t.row.Key
	}
	n, ok := a.dupes[t.row.Digest]
	t.dupes = n
	if ok || len(a.dupes) < maxDupes {
		a.dupes[t.row.Digest] = n + 1
	}
}

// skip counts a row that is left out.
func (a *Answer) skip(r *Row) {
	if a.waits {
		a.pending.skipped++
		a.pending.skippedTo = r.At
	}
}

// hold keeps a row of the last n. Against the order of the index the first n are enough.
func (a *Answer) hold(t *told, n int) (more bool) {
	if len(a.ring) == n {
		a.ring[(a.passed-1)%n] = *t
		return true
	}
	a.ring = append(a.ring, *t)
	return len(a.ring) < n || len(a.collapses) > 0
}

// flush writes the row that waits.
func (a *Answer) flush() error {
	if !a.waits {
		return nil
	}
	a.waits = false
	return a.write(&a.pending)
}

// End ends the answer. If rows are left, because the query's limit was reached and it asks for a resume key, or because the
// rows handed over were cut (whether it asks or not: an answer that lacks rows must not look whole), it tells the key. An
// answer of which not a row was written is ended, too.
func (a *Answer) End(cut bool) error {
	if err := a.flush(); err != nil {
		return err
	}
	if err := a.release(); err != nil {
		return err
	}
	resume := ""
	if (cut || a.more && a.q.showResume) && a.last != (Place{}) {
		resume = a.last.String()
	}
	return a.end(resume)
}

// release writes the last rows, in order.
func (a *Answer) release() error {
	n := len(a.ring)
	for i := range n {
		k := i
		switch {
		case len(a.collapses) == 0:
			k = n - 1 - i
		case n == -a.q.limit:
			k = (a.passed + i) % n
		}
		if err := a.write(&a.ring[k]); err != nil {
			return err
		}
	}
	a.ring = nil
	return nil
}

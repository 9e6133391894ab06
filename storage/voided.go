package storage

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// A revisit that is committed must find its original. It was looked up before; a purge may have moved it since, or
// removed it.

// settle makes sure of the originals of ends' revisits, and leads those that have moved to where an equal payload stands
// now. It tells which ends have them all; the others must not count. Originals of the same segment are as safe as the
// revisit itself.
func (x *tx) settle(ends ...*End) ([]bool, error) {
	type original struct {
		of    int // the end
		c     *Capture
		there bool
	}
	var all []*original
	ok := make([]bool, len(ends))
	for i, e := range ends {
		ok[i] = true
		for k := range e.Captures {
			c := &e.Captures[k]
			segment, pos, refers := Referred(c.RefersTo)
			if !refers || segment == c.Segment {
				continue
			}
			o := &original{of: i, c: c}
			all = append(all, o)
			err := x.soon(func(row) error { o.there = true; return nil },
				`SELECT segment FROM captures WHERE segment=$1 AND pos=CAST($2 AS BIGINT)`+x.db.d.forShare, segment, pos)
			if err != nil {
				return nil, err
			}
		}
	}
	if len(all) == 0 {
		return ok, nil
	}
	if err := x.send(); err != nil {
		return nil, err
	}
	for _, o := range all {
		if o.there || !ok[o.of] {
			continue
		}
		place, err := x.holder(o.c)
		if err != nil {
			return nil, err
		}
		if place == "" { // RefersTo stays: the transaction may run again
			ok[o.of] = false
			continue
		}
		o.c.RefersTo = place
	}
	return ok, nil
}

// holder is the place of a payload, held until the transaction ends; empty if there is none. Of a page that was not modified it
// is one whose head tells of that page, too. A server's answer is empty,
// too, if the row that it had found was moved while it waited for it: a second look then sees where to.
func (x *tx) holder(c *Capture) (string, error) {
	for range 5 {
		places, err := x.strings(`SELECT segment || '/' || CAST(pos AS TEXT) FROM captures WHERE digest=$1 AND collection=$2 AND kind='response' AND `+sqlOwn+`
			AND ($3='' OR url=$3 AND status=$4 AND mime=$5)
			AND EXISTS (SELECT 1 FROM segments s WHERE s.id=captures.segment AND s.state='stored')
			ORDER BY at, record_id LIMIT 1`+x.db.d.forShare, c.Digest, c.Collection, c.headURL(), c.Status, c.Mime)
		if err != nil || len(places) > 0 {
			return strings.Join(places, ""), err
		}
		if !x.db.d.server {
			break
		}
	}
	return "", nil
}

// headURL is the URL that what a revisit refers to must be of, for its head counts: empty if it may be of any.
func (c *Capture) headURL() string {
	if c.Unmodified {
		return c.URL
	}
	return ""
}

// Heads says whether the row's capture tells of the page that a revisit stands for whose server answered 304.
func (c *Capture) Heads(revisit *Capture) bool {
	return c.URL == revisit.URL && c.Status == revisit.Status && c.Mime == revisit.Mime
}

// MayStandFor says whether a whole response of the same payload may stand for the original of a revisit: the record that it
// refers to may, by that record's id; of one whose server answered 304, else one of the same address, for its head counts, too.
func (c *Capture) MayStandFor(revisit *Capture, refers string) bool {
	return refers != "" && c.RecordID == refers || !revisit.Unmodified || c.URL == revisit.URL && c.Status/100 == 2
}

// Originals are those of the holders of its payload that may stand for the original of a revisit, best first: the record that
// it refers to, wherever that is now; then as they come, from Holders the oldest first. Rebuilds and repairs lead by it alike.
func (c *Capture) Originals(holders []Capture, refers string) (out []Capture) {
	for k := range holders {
		switch h := &holders[k]; {
		case !h.MayStandFor(c, refers):
		case refers != "" && h.RecordID == refers:
			out = slices.Insert(out, 0, *h)
		default:
			out = append(out, *h)
		}
	}
	return out
}

// insertVoided notes an exchange that stands in a segment and does not count: a purge must find it all the same.
func (x *tx) insertVoided(e *End) error {
	const into = `INSERT INTO voided (collection, urlkey, at, segment, pos, url, run) VALUES ($1,$2,$3,$4,$5,$6,$7) ON CONFLICT DO NOTHING`
	for _, c := range e.Captures {
		if err := x.put(into, c.Collection, foldKey(c.URLKey), micros(c.At), c.Segment, c.Offset, c.URL, c.Run); err != nil {
			return err
		}
	}
	for _, a := range e.Attempts {
		if err := x.put(into, a.Collection, foldKey(a.URLKey), micros(a.At), a.Segment, a.Offset, a.URL, a.Run); err != nil {
			return err
		}
	}
	return nil
}

// AdoptVoided notes the exchanges that a rebuild finds voided.
func (db *DB) AdoptVoided(ctx context.Context, ends []End) error {
	err := db.write(ctx, func(x *tx) error {
		for i := range ends {
			if err := x.insertVoided(&ends[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("adopt voided exchanges: %w", err)
	}
	return nil
}

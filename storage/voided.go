package storage

import (
	"context"
	"fmt"
	"strings"
)

// A revisit that is committed must find its original. It was looked up before; a purge may have moved it since, or
// removed it.

// settle makes sure of the originals of an end's revisits, and leads those that have moved to where an equal payload
// stands now. It says false if there is none: the exchange must not count. Originals of the same segment are as safe as
// the revisit itself.
func (x *tx) settle(e *End) (bool, error) {
	for i := range e.Captures {
		c := &e.Captures[i]
		segment, pos, ok := strings.Cut(c.RefersTo, "/")
		if !ok || segment == c.Segment {
			continue
		}
		there, err := x.strings(`SELECT segment FROM captures WHERE segment=$1 AND pos=CAST($2 AS BIGINT)`+x.db.d.forShare, segment, pos)
		if err != nil {
			return false, err
		}
		if len(there) > 0 {
			continue
		}
		place, err := x.holder(c)
		if err != nil || place == "" {
			return false, err
		}
		c.RefersTo = place
	}
	return true, nil
}

// holder is the place of a payload, held until the transaction ends; empty if there is none. A server's answer is empty,
// too, if the row that it had found was moved while it waited for it: a second look then sees where to.
func (x *tx) holder(c *Capture) (string, error) {
	for range 5 {
		places, err := x.strings(`SELECT segment || '/' || CAST(pos AS TEXT) FROM captures WHERE digest=$1 AND collection=$2 AND kind='response'
			AND EXISTS (SELECT 1 FROM segments s WHERE s.id=captures.segment AND s.state='stored')
			ORDER BY at, record_id LIMIT 1`+x.db.d.forShare, c.Digest, c.Collection)
		if err != nil || len(places) > 0 {
			return strings.Join(places, ""), err
		}
		if !x.db.d.server {
			break
		}
	}
	return "", nil
}

// insertVoided notes an exchange that stands in a segment and does not count: a purge must find it all the same.
func (x *tx) insertVoided(e *End) error {
	const into = `INSERT INTO voided (collection, urlkey, at, segment, pos, url, run) VALUES ($1,$2,$3,$4,$5,$6,$7) ON CONFLICT DO NOTHING`
	for _, c := range e.Captures {
		if _, err := x.exec(into, c.Collection, foldKey(c.URLKey), micros(c.At), c.Segment, c.Offset, c.URL, c.Run); err != nil {
			return err
		}
	}
	for _, a := range e.Attempts {
		if _, err := x.exec(into, a.Collection, foldKey(a.URLKey), micros(a.At), a.Segment, a.Offset, a.URL, a.Run); err != nil {
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

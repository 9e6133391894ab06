package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Audit is a line of the log of what was taken away.
type Audit struct {
	ID     string          `json:"id"`
	At     time.Time       `json:"at"`
	Node   string          `json:"node"`
	Action string          `json:"action"`
	Detail json.RawMessage `json:"detail"`
}

// Audits brings the log, oldest line first.
func (db *DB) Audits(ctx context.Context) ([]Audit, error) {
	out, err := rowsOf(ctx, db, scanAudit, `SELECT id, at, node, action, detail FROM audit ORDER BY at, id`)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	return out, nil
}

func scanAudit(r row) (Audit, error) {
	var a Audit
	var at int64
	var detail string
	err := r.Scan(&a.ID, &at, &a.Node, &a.Action, &detail)
	a.At, a.Detail = fromMicros(at), json.RawMessage(detail)
	return a, err
}

// AdoptAudit writes a line of the log, over the one that is there.
func (db *DB) AdoptAudit(ctx context.Context, a Audit) error {
	if err := db.write(ctx, func(x *tx) error { return x.audit(a) }); err != nil {
		return fmt.Errorf("write the log: %w", err)
	}
	return nil
}

func (x *tx) audit(a Audit) error {
	_, err := x.exec(`INSERT INTO audit (id, at, node, action, detail) VALUES ($1,$2,$3,$4,$5)
		ON CONFLICT (id) DO UPDATE SET detail=excluded.detail`, a.ID, micros(a.At), a.Node, a.Action, string(a.Detail))
	return err
}

// AdoptDoomed notes blobs that a rebuild found replaced by others.
func (db *DB) AdoptDoomed(ctx context.Context, locations ...string) error {
	err := db.write(ctx, func(x *tx) error {
		for _, l := range locations {
			if _, err := x.exec(`INSERT INTO doomed (location) VALUES ($1) ON CONFLICT DO NOTHING`, l); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("adopt doomed blobs: %w", err)
	}
	return nil
}

// ResolveRevisits finds the originals of revisits that a rebuild wrote with the original's WARC-Record-ID in RefersTo, by
// Capture.Originals. It tells how many originals are not to be found; their revisits stay as they are.
func (db *DB) ResolveRevisits(ctx context.Context) (lost int, err error) {
	for last := "<"; ; {
		page, err := db.unresolved(ctx, last)
		if err != nil {
			return lost, fmt.Errorf("look for revisits of moved records: %w", err)
		}
		for k := range page {
			found, err := db.lead(ctx, &page[k])
			if err != nil {
				return lost, err
			}
			if !found {
				lost++
			}
			last = page[k].RefersTo
		}
		if len(page) == 0 {
			return lost, nil
		}
	}
}

// LeadRevisits leads the revisits of what stood in a segment and could not be read there to equal payloads, as ResolveRevisits
// does. It tells how many originals are not to be found; their revisits stay as they are.
func (db *DB) LeadRevisits(ctx context.Context, segment string) (lost int, err error) {
	there, err := rowsOf(ctx, db, scanText, `SELECT segment || '/' || CAST(pos AS TEXT) FROM captures WHERE segment=$1 AND kind NOT IN ('revisit','truncated')`, segment)
	if err != nil {
		return 0, fmt.Errorf("read what segment %s holds: %w", segment, err)
	}
	stands := make(map[string]bool, len(there))
	for _, place := range there {
		stands[place] = true
	}
	all, err := rowsOf(ctx, db, scanLack, `SELECT DISTINCT `+lackCols+` FROM captures
		WHERE refers_to>=$1 AND refers_to<$2 AND refers_to<>'' ORDER BY refers_to`, segment+"/", segment+"0") // the byte after the slash
	for k := range all {
		if err != nil || stands[all[k].RefersTo] {
			continue
		}
		var found bool
		if found, err = db.lead(ctx, &all[k]); !found {
			lost++
		}
	}
	if err != nil {
		return lost, fmt.Errorf("lead revisits of segment %s: %w", segment, err)
	}
	return lost, nil
}

// unresolved brings what revisits lack: record ids with collection and payload digest, all of one record id together, and the
// URL of one whose server answered 304, which needs the head, too.
func (db *DB) unresolved(ctx context.Context, after string) ([]Capture, error) {
	return rowsOf(ctx, db, scanLack, `SELECT DISTINCT `+lackCols+` FROM captures WHERE refers_to IN (SELECT DISTINCT refers_to
		FROM captures WHERE refers_to>$1 AND refers_to<'=' AND refers_to<>'' ORDER BY refers_to LIMIT $2) AND refers_to<>'' ORDER BY refers_to`, after, pageRows)
}

// lackCols are what tells which revisits lack the same; scanLack reads them.
const lackCols = `refers_to, collection, digest, unmodified, CASE WHEN unmodified=1 THEN url ELSE '' END`

func scanLack(r row) (c Capture, err error) {
	var unmodified int64
	err = r.Scan(&c.RefersTo, &c.Collection, &c.Digest, &unmodified, &c.URL)
	c.Unmodified = unmodified != 0
	return c, err
}

// lead leads the revisits that lack the same to the best of what may stand for their original; false if there is nothing.
func (db *DB) lead(ctx context.Context, lack *Capture) (bool, error) {
	holders, err := db.Holders(ctx, lack.Collection, lack.Digest)
	if err != nil {
		return false, err
	}
	holders = lack.Originals(holders, lack.RefersTo)
	if len(holders) == 0 {
		return false, nil
	}
	best := holders[0]
	err = db.write(ctx, func(x *tx) error {
		_, err := x.exec(`UPDATE captures SET refers_to=$1 WHERE refers_to=$2 AND refers_to<>'' AND collection=$3 AND digest=$4 AND unmodified=$5 AND ($6='' OR url=$6)`,
			fmt.Sprintf("%s/%d", best.Segment, best.Offset), lack.RefersTo, lack.Collection, lack.Digest, bit(lack.Unmodified), lack.URL)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("lead revisits to %s: %w", best.URL, err)
	}
	return true, nil
}

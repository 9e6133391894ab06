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

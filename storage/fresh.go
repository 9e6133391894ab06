package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Fresh says whether a database holds nothing yet: neither a segment nor a run.
func (db *DB) Fresh(ctx context.Context) (bool, error) {
	var one int
	err := db.r.QueryRowContext(ctx, `SELECT 1 FROM segments UNION ALL SELECT 1 FROM runs LIMIT 1`).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for anything in the database: %w", err)
	}
	return false, nil
}

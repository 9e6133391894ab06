package storage

import (
	"context"
	"errors"
	"fmt"
)

// ErrSchema says that a database has another schema than this program.
var ErrSchema = errors.New("the database's schema is not this program's")

// Ready asks the database whether it answers, and has the schema of this program: another one may have brought it up to
// date meanwhile.
func (db *DB) Ready(ctx context.Context) error {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		return err
	}
	var have int64
	if err := db.r.QueryRowContext(ctx, `SELECT MAX(version_id) FROM goose_db_version WHERE is_applied`).Scan(&have); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have != int64(len(files)) {
		return fmt.Errorf("%w: it is version %d, this program's is %d", ErrSchema, have, len(files))
	}
	return nil
}

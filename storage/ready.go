package storage

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrSchema says that a database has another schema than this program.
var ErrSchema = errors.New("the database's schema is not this program's")

// Ready asks the database whether it answers, and has the schema of this program: another one may have brought it up to
// date meanwhile.
func (db *DB) Ready(ctx context.Context) error {
	want, err := newestMigration()
	if err != nil {
		return err
	}
	var have int64
	if err := db.r.QueryRowContext(ctx, `SELECT MAX(version_id) FROM goose_db_version WHERE is_applied`).Scan(&have); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have != want {
		return fmt.Errorf("%w: it is version %d, this program's is %d", ErrSchema, have, want)
	}
	return nil
}

// newestMigration is the number of the last migration; numbers may be left out between them.
func newestMigration() (int64, error) {
	files, err := migrations.ReadDir("migrations") // by name
	if err != nil || len(files) == 0 {
		return 0, err
	}
	number, _, _ := strings.Cut(files[len(files)-1].Name(), "_")
	return strconv.ParseInt(number, 10, 64)
}

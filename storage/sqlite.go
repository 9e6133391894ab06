package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the embedded database
)

// openEmbedded opens the SQLite database in a file.
func openEmbedded(ctx context.Context, path string, o DBOptions) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	w, err := openSQLite(path, 1)
	if err != nil {
		return nil, err
	}
	r, err := openSQLite(path, 8)
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	db := newDB(w, r, sqlite, path, o)
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), db.Close())
	}
	return db, nil
}

func openSQLite(path string, conns int) (*sql.DB, error) {
	lock := "immediate" // a writer that begins as a reader can fail on its first write
	if conns > 1 {
		lock = "deferred"
	}
	db, err := sql.Open("sqlite", "file:"+(&urlPath{path}).String()+"?_txlock="+lock+
		"&_pragma=busy_timeout(15000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-8000)")
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns) // each new connection reads the schema anew
	return db, nil
}

// urlPath escapes what would end the path in a file: URI.
type urlPath struct{ s string }

func (p *urlPath) String() string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(p.s)
}

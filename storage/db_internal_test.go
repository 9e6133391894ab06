package storage

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

func openTestDB(t *testing.T) *DB {
	t.Helper()
	db, err := OpenDB(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "db"), DBOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// TestPragmas: each connection that a pool may open is durable and patient.
func TestPragmas(t *testing.T) {
	db := openTestDB(t)
	for _, p := range []struct {
		pool  *sql.DB
		conns int
	}{{db.w, 1}, {db.r.DB, 8}} {
		if most := p.pool.Stats().MaxOpenConnections; most != p.conns {
			t.Errorf("up to %d connections, want %d", most, p.conns)
		}
		for range p.conns { // all held at once, so that each is another one
			c, err := p.pool.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "15000"} {
				var got string
				if err := c.QueryRowContext(t.Context(), `PRAGMA `+pragma).Scan(&got); err != nil || got != want {
					t.Errorf("%s is %q, %v, want %q", pragma, got, err, want)
				}
			}
		}
	}
}

// TestParameters: numbered parameters bind by their numbers, in any order and as often as they occur.
func TestParameters(t *testing.T) {
	db := openTestDB(t)
	const q = `SELECT $2 || $1 || $3 || $2 || $11 || $10`
	args := []any{"a", "b", "c", "", "", "", "", "", "", "j", "k"}
	var direct, prepared string
	if err := db.r.QueryRowContext(t.Context(), q, args...).Scan(&direct); err != nil {
		t.Fatal(err)
	}
	for range 3 { // prepared within a transaction, then kept
		err := db.write(t.Context(), func(x *tx) error {
			got, err := x.strings(q, args...)
			if err == nil {
				prepared = got[0]
			}
			return err
		})
		if err != nil || direct != "bacbkj" || prepared != direct {
			t.Errorf("bound as %q and %q, %v, want bacbkj", direct, prepared, err)
		}
	}
}

// TestStatementsAfterErrors: statements that are kept work on after a transaction failed, was cancelled, or another
// one failed between.
func TestStatementsAfterErrors(t *testing.T) {
	db := openTestDB(t)
	const insert = `INSERT INTO segments (` + segmentCols + `) VALUES ($1,'c','n','','open',0,0,'',0)`
	boom := errors.New("boom")
	count := func() (n int) {
		t.Helper()
		if err := db.r.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM segments`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	add := func(ctx context.Context, id string, then error) error {
		return db.write(ctx, func(x *tx) error {
			if _, err := x.exec(insert, id); err != nil {
				return err
			}
			return then
		})
	}
	for i, id := range []string{"1", "2", "3"} {
		if err := add(t.Context(), "never", boom); !errors.Is(err, boom) {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		err := db.write(ctx, func(x *tx) error {
			cancel()
			_, err := x.exec(insert, "never")
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("cancelled: %v", err)
		}
		if err := add(t.Context(), id, nil); err != nil {
			t.Fatal(err)
		}
		if err := add(t.Context(), id, nil); err == nil { // its key is taken
			t.Fatal("the same key twice")
		}
		if err := db.write(t.Context(), func(x *tx) error { _, err := x.exec(`NO SQL`); return err }); err == nil {
			t.Fatal("no SQL passed")
		}
		if n := count(); n != i+1 {
			t.Fatalf("%d rows, want %d", n, i+1)
		}
	}
	if kept := len(db.stmt); kept == 0 {
		t.Error("no statement is kept")
	}
}

// TestWriteAfterClose: what comes too late gets an error and harms nothing.
func TestWriteAfterClose(t *testing.T) {
	db := openTestDB(t)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Claim(t.Context(), "w", 1, 1, time.Second); err == nil {
		t.Error("claimed from a closed database")
	}
	if _, err := db.Segments(t.Context()); err == nil {
		t.Error("read from a closed database")
	}
}

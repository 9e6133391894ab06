package storage

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// DB keeps the rows: frontier, index, segments, runs, posts. Its methods may be called from many goroutines, and from
// many processes on one database.
//
// On a server, a call that finds it away waits for as long as the patience lasts and then fails with ErrAway. A call that
// succeeds took effect exactly once, whatever broke on the way. Whether one that fails with ErrAway, or because its
// context ended, took effect is not known: read, or call again what may be repeated.
type DB struct {
	w        *sql.DB // one writer connection on SQLite
	r        *pool   // many readers on SQLite; w again elsewhere
	d        dialect
	name     string // for people; never with a password
	now      func() time.Time
	patience time.Duration
	outage   outage
	receipts *receipts    // nil on SQLite
	clock    *serverClock // nil if the clock was given, or is the machine's
	schema   string       // on a server: where the tables are
	fresh    *sql.DB      // of a rebuild: the connection that holds the right to it …
	place    string       // … and the schema whose place it is to take

	mu   sync.Mutex
	stmt map[string]*sql.Stmt // prepared on w
	read map[string]*sql.Stmt // prepared on r
}

// DBOptions say how a database is used. The zero value is good.
type DBOptions struct {
	// Now is the clock of leases and due times; nil: the database's own, which all workers share.
	Now func() time.Time
	// Patience is for how long a call waits for a database server that is away before it fails; 0: not at all; negative:
	// as long as its context lives.
	Patience time.Duration
	// Log is told when the database goes away and comes back; nil: nobody is.
	Log *slog.Logger
	// FS makes the folder of an embedded database, and VFS names the layer of SQLite that is to read and write it; zero: the
	// system's own. For tests that cut the power.
	FS  FS
	VFS string
}

// dsnForms are the ways to name a database.
const dsnForms = "sqlite:PATH or postgres://USER@HOST:PORT/DATABASE"

// OpenDB opens the database named by dsn (see dsnForms) and brings its schema up to date. A database whose schema is newer
// than this program is refused.
//
// Of a server, the tables are in a schema of their own, "linkstead" unless the dsn gives another as search_path, which is
// made if it is not there. A server that can't be reached is an error at once (ErrAway), whatever the patience: it may be
// misspelt. One that says that it is starting, or full, is waited for.
func OpenDB(ctx context.Context, dsn string, o DBOptions) (*DB, error) {
	kind, path, _ := strings.Cut(dsn, ":")
	switch {
	case kind == "sqlite" && path != "":
		return openEmbedded(ctx, path, o)
	case (kind == "postgres" || kind == "postgresql") && strings.HasPrefix(path, "//"):
		return openServer(ctx, dsn, o)
	}
	return nil, fmt.Errorf("database %q: the form is %s", withoutSecret(dsn), dsnForms)
}

// withoutSecret gives as much of a malformed name as surely holds no password.
func withoutSecret(dsn string) string {
	scheme, rest, ok := strings.Cut(dsn, ":")
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = "…" + rest[i:]
	}
	switch {
	case strings.Contains(scheme, "pass"):
		return "…"
	case strings.Contains(rest, "pass"):
		rest = "…"
	}
	if !ok {
		return scheme
	}
	return scheme + ":" + rest
}

func newDB(w, r *sql.DB, d dialect, name string, o DBOptions) *DB {
	db := &DB{w: w, d: d, name: name, now: o.Now, patience: o.Patience, outage: outage{log: o.Log},
		stmt: map[string]*sql.Stmt{}, read: map[string]*sql.Stmt{}}
	db.r = &pool{DB: r, db: db}
	if db.now == nil {
		db.now = time.Now
	}
	return db
}

// errNewer says that a database has a schema that this program does not know.
var errNewer = errors.New("use a newer linkstead")

// migrate tries again: of processes that make one schema at the same time, all but one fail, and then find it made.
func (db *DB) migrate(ctx context.Context) error {
	var err error
	for range 3 {
		if err = db.migrateOnce(ctx); err == nil || errors.Is(err, errNewer) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

func (db *DB) migrateOnce(ctx context.Context) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	kind := goose.DialectSQLite3
	if db.d.server {
		kind, sub = goose.DialectPostgres, byteOrder{ownLines{sub, "postgres"}}
	} else {
		sub = ownLines{sub, "sqlite"}
	}
	p, err := goose.NewProvider(kind, db.w, sub, goose.WithVerbose(false), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have > want {
		return fmt.Errorf("its schema is version %d and this program knows up to %d: %w", have, want, errNewer)
	}
	if have == want {
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring schema up to date: %w", err)
	}
	return nil
}

// Close ends all connections.
func (db *DB) Close() error {
	db.clock.close()
	db.receipts.drop(db)
	db.mu.Lock()
	for _, s := range db.stmt {
		_ = s.Close() // its connection goes next
	}
	for _, s := range db.read {
		_ = s.Close() // the same
	}
	db.stmt, db.read = nil, nil
	db.mu.Unlock()
	if db.fresh != nil {
		return errors.Join(db.w.Close(), letFresh(db.fresh))
	}
	if db.w == db.r.DB {
		return db.w.Close()
	}
	return errors.Join(db.r.Close(), db.w.Close())
}

// Now is the time by which leases end and tasks are due.
func (db *DB) Now() time.Time { return db.now() }

func (db *DB) nowMS() int64 { return db.now().UnixMilli() }

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

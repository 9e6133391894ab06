package storage

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the embedded database
)

//go:embed migrations/*.sql
var migrations embed.FS

// DB keeps the rows: frontier, index, segments, runs, posts. Its methods may be called from many goroutines, and from
// many processes on one database.
type DB struct {
	w, r *sql.DB // one writer connection and many readers on SQLite; the same pool twice elsewhere
	d    dialect
	now  func() time.Time

	mu   sync.Mutex
	stmt map[string]*sql.Stmt // prepared on w
	read map[string]*sql.Stmt // prepared on r
}

// dialect holds the few words in which the databases differ.
type dialect struct {
	skipLocked string // appended to the claim's inner SELECT
	forUpdate  string // appended to a SELECT that locks rows
	forShare   string // appended to a SELECT whose rows must not change before the transaction ends
	numbered   bool   // placeholders are $1, $2 … even in long lists
}

// DBOptions say how a database is used. The zero value is good.
type DBOptions struct {
	// Now is the clock of leases and due times; nil: the database's own, which all workers share.
	Now func() time.Time
	// Patience is for how long a call waits for a database server that is away before it fails; 0: not at all.
	Patience time.Duration
	// Log is told when the database goes away and comes back; nil: nobody is.
	Log *slog.Logger
}

// OpenDB opens the database named by dsn ("sqlite:PATH") and brings its schema up to date. A database whose schema is
// newer than this program is refused.
func OpenDB(ctx context.Context, dsn string, o DBOptions) (*DB, error) {
	now := o.Now
	if now == nil {
		now = time.Now
	}
	kind, path, ok := strings.Cut(dsn, ":")
	if !ok || kind != "sqlite" || path == "" {
		return nil, fmt.Errorf("database %q: the form is sqlite:PATH", dsn)
	}
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
	db := &DB{w: w, r: r, now: now, stmt: map[string]*sql.Stmt{}, read: map[string]*sql.Stmt{}}
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
	p, err := goose.NewProvider(goose.DialectSQLite3, db.w, sub, goose.WithVerbose(false), goose.WithLogger(goose.NopLogger()))
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
	db.mu.Lock()
	for _, s := range db.stmt {
		_ = s.Close() // its connection goes next
	}
	for _, s := range db.read {
		_ = s.Close() // the same
	}
	db.stmt, db.read = nil, nil
	db.mu.Unlock()
	if db.w == db.r {
		return db.w.Close()
	}
	return errors.Join(db.r.Close(), db.w.Close())
}

// write runs f in one transaction, again if the database asks for it.
func (db *DB) write(ctx context.Context, f func(*tx) error) error {
	for try := 0; ; try++ {
		err := db.writeOnce(ctx, f)
		if err == nil || try == 20 || !retryable(err) || ctx.Err() != nil {
			return err
		}
	}
}

func (db *DB) writeOnce(ctx context.Context, f func(*tx) error) error {
	t, err := db.w.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	x := &tx{db: db, t: t, ctx: ctx}
	if err := f(x); err != nil {
		return errors.Join(err, ignoreDone(t.Rollback()))
	}
	if err := t.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	db.prepare(ctx, x.wanted)
	return nil
}

// prepare keeps statements for the next transaction. It comes after one, since on SQLite the transaction holds the only
// writing connection. What fails here is prepared within its transaction again, so the error may go.
func (db *DB) prepare(ctx context.Context, queries []string) {
	for _, q := range queries {
		s, err := db.w.PrepareContext(ctx, q)
		if err != nil {
			return
		}
		db.mu.Lock()
		if db.stmt == nil { // closed meanwhile
			db.mu.Unlock()
			_ = s.Close() //nolint:sqlclosecheck // it is kept in every other case
			return
		}
		old := db.stmt[q]
		db.stmt[q] = s
		db.mu.Unlock()
		if old != nil {
			_ = old.Close() // the same statement, prepared by another transaction at the same time
		}
	}
}

// reading is a statement of a frequent query outside transactions: to parse it takes SQLite longer than to answer it.
func (db *DB) reading(ctx context.Context, q string) (*sql.Stmt, error) {
	db.mu.Lock()
	kept, closed := db.read[q], db.read == nil
	db.mu.Unlock()
	if kept != nil {
		return kept, nil
	}
	if closed {
		return nil, sql.ErrConnDone
	}
	s, err := db.r.PrepareContext(ctx, q)
	if err != nil {
		return nil, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if kept = db.read[q]; kept != nil || db.read == nil {
		err = s.Close() //nolint:sqlclosecheck // prepared by somebody else at the same time, or closed meanwhile
		if db.read == nil {
			err = sql.ErrConnDone
		}
		return kept, err
	}
	db.read[q] = s
	return s, nil
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func retryable(err error) bool {
	s := err.Error()
	return errors.Is(err, errNumber) || strings.Contains(s, "SQLITE_BUSY") || strings.Contains(s, "40001") || strings.Contains(s, "40P01")
}

// tx is a transaction whose statements are prepared once per database.
type tx struct {
	db     *DB
	t      *sql.Tx
	ctx    context.Context
	local  map[string]*sql.Stmt
	wanted []string // prepared in this transaction alone so far
}

func (x *tx) prepared(q string) (*sql.Stmt, error) {
	if s := x.local[q]; s != nil {
		return s, nil
	}
	if x.local == nil {
		x.local = map[string]*sql.Stmt{}
	}
	x.db.mu.Lock()
	kept := x.db.stmt[q]
	x.db.mu.Unlock()
	if kept != nil {
		x.local[q] = x.t.StmtContext(x.ctx, kept)
		return x.local[q], nil
	}
	s, err := x.t.PrepareContext(x.ctx, q)
	if err != nil {
		return nil, fmt.Errorf("prepare %.60q: %w", q, err)
	}
	x.local[q] = s
	x.wanted = append(x.wanted, q)
	return s, nil
}

func (x *tx) exec(q string, args ...any) (int64, error) {
	s, err := x.prepared(q) //nolint:sqlclosecheck // kept, or closed with the transaction
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(x.ctx, args...)
	if err != nil {
		return 0, fmt.Errorf("execute %.60q: %w", q, err)
	}
	return res.RowsAffected()
}

func (x *tx) query(q string, args ...any) (*sql.Rows, error) {
	s, err := x.prepared(q) //nolint:sqlclosecheck // kept, or closed with the transaction
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(x.ctx, args...)
	if err != nil {
		return nil, fmt.Errorf("query %.60q: %w", q, err)
	}
	return rows, nil
}

// places writes n placeholders from the from-th on.
func (d dialect) places(n, from int) string {
	var sb strings.Builder
	for i := range n {
		if i > 0 {
			sb.WriteByte(',')
		}
		if d.numbered {
			sb.WriteString("$" + strconv.Itoa(from+i))
		} else {
			sb.WriteByte('?')
		}
	}
	return sb.String()
}

// insert puts rows of cols values each, many to a statement.
func (x *tx) insert(into, onConflict string, cols int, values []any) (int64, error) {
	const most = 32 // rows to a statement: the parse cost of longer ones outweighs the trips saved
	var inserted int64
	for len(values) > 0 {
		n := min(most, len(values)/cols)
		var sb strings.Builder
		sb.WriteString(into + " VALUES ")
		for i := range n {
			if i > 0 {
				sb.WriteByte(',')
			}
			sb.WriteString("(" + x.db.d.places(cols, i*cols+1) + ")")
		}
		sb.WriteString(onConflict)
		k, err := x.exec(sb.String(), values[:n*cols]...)
		if err != nil {
			return inserted, err
		}
		inserted += k
		values = values[n*cols:]
	}
	return inserted, nil
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

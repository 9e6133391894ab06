package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// Rows examines the database that dsn names. Tables of its own are made in a scratch schema of a server, or in a scratch
// file beside the one of SQLite, so that the archive's own are only read: their version, and whether they may be
// written, which is rolled back.
func (x *Exam) Rows(ctx context.Context, dsn string) (err error) {
	r := &rowExam{dsn: dsn, scratch: scratchName(dsn)}
	defer func() { err = errors.Join(err, r.clean(ctx)) }()
	return x.put(ctx, "rows", []check{
		{reached, r.connect, "no row can be written or read", "what the error says; as the database's owner, let the user create schemas there"},
		{"schema", r.schema, "this program can't work with the tables that are there", "use the version of linkstead that made them, or a newer one"},
		{"write and read", r.writeRead, "captures can't be acknowledged", "let the user write to all tables of the schema"},
		{"rolled back", r.rollback, "half of a transaction could stay", "use PostgreSQL 13 or newer, or a local disk for SQLite"},
		{"one of 32 claims", r.claims, "two workers could talk to one host at the same time", "use PostgreSQL 13 or newer without a pooler that mixes sessions, or a local disk for SQLite"},
		{"late work is fenced", r.fenced, "a worker that lost its lease could end another's task", "the same"},
		{"durable", r.durable, "what is acknowledged is lost when the power fails", "set fsync, full_page_writes and synchronous_commit of the server to on"},
		{"clock", r.clock, "schedules and leases go by the database's clock, file names and captures by the machine's", skewTry},
	})
}

// rowExam works with two handles on the scratch database, as two processes do.
type rowExam struct {
	dsn, scratch string
	one, two     *DB
	folders      []string // that were made for the scratch file
}

func embedded(dsn string) (path string, ok bool) { return strings.CutPrefix(dsn, "sqlite:") }

// scratchName is the name of a database that nobody has, where the archive's is.
func scratchName(dsn string) string {
	if path, ok := embedded(dsn); ok {
		return "sqlite:" + path + ".doctor-" + Random(5)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return dsn // which can't be opened either
	}
	q := u.Query()
	q.Set("search_path", "linkstead_doctor_"+Random(5))
	u.RawQuery = q.Encode()
	return u.String()
}

func (r *rowExam) connect(ctx context.Context) (string, error) {
	if path, ok := embedded(r.scratch); ok {
		for p := filepath.Dir(path); p != Nearest(p); p = filepath.Dir(p) {
			r.folders = append(r.folders, p)
		}
	}
	var err error
	if r.one, err = OpenDB(ctx, r.scratch, DBOptions{}); err != nil {
		return "", err
	}
	if r.two, err = OpenDB(ctx, r.scratch, DBOptions{}); err != nil {
		return "", err
	}
	began := time.Now()
	if err := r.one.w.PingContext(ctx); err != nil {
		return "", err
	}
	round := time.Since(began).Round(10 * time.Microsecond)
	var version string
	ask := `SELECT 'SQLite ' || sqlite_version()`
	if r.one.d.server {
		ask = `SELECT 'PostgreSQL ' || current_setting('server_version')`
	}
	err = r.one.w.QueryRowContext(ctx, ask).Scan(&version)
	return fmt.Sprintf("%s, %s there and back", version, round), err
}

// schema compares the version of the archive's tables with the one that this program makes, without changing them.
func (r *rowExam) schema(ctx context.Context) (string, error) {
	const newest = `SELECT MAX(version_id) FROM goose_db_version WHERE is_applied`
	var want int64
	if err := r.one.w.QueryRowContext(ctx, newest).Scan(&want); err != nil {
		return "", err
	}
	have, there, err := r.version(ctx, newest)
	switch {
	case err != nil:
		return "", err
	case !there:
		return fmt.Sprintf("there are no tables yet; they will be of version %d", want), nil
	case have > want:
		return "", fmt.Errorf("the tables are of version %d, and this program knows up to %d", have, want)
	case have < want:
		return fmt.Sprintf("the tables are of version %d; the next command brings them to %d", have, want), nil
	}
	if err := r.writable(ctx); err != nil {
		return "", fmt.Errorf("the tables are of version %d, but can't be written: %w", have, err)
	}
	return fmt.Sprintf("the tables are of version %d and may be written", have), nil
}

// writable writes a row of the archive's own tables, and takes it back.
func (r *rowExam) writable(ctx context.Context) (err error) {
	db, table := r.one.w, "hosts"
	if path, ok := embedded(r.dsn); ok {
		if db, err = openSQLite(path, 1); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
	} else {
		n, err := parseServer(r.dsn)
		if err != nil {
			return err
		}
		table = pgx.Identifier{n.schema, table}.Sanitize()
	}
	t, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO `+table+` (host, next_at) VALUES ('doctor:'||$1, $2)`, Random(8), Never)
	return errors.Join(err, ignoreDone(t.Rollback()))
}

// version reads the version of the archive's own tables.
func (r *rowExam) version(ctx context.Context, newest string) (have int64, there bool, err error) {
	if path, ok := embedded(r.dsn); ok {
		if st, err := os.Stat(path); errors.Is(err, os.ErrNotExist) || err == nil && st.Size() == 0 {
			return 0, false, nil
		}
		db, err := openSQLite(path, 1)
		if err != nil {
			return 0, false, err
		}
		defer db.Close() //nolint:errcheck // read only
		var n int
		if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_schema WHERE name='goose_db_version'`).Scan(&n); err != nil || n == 0 {
			return 0, false, err
		}
		err = db.QueryRowContext(ctx, newest).Scan(&have)
		return have, true, err
	}
	n, err := parseServer(r.dsn)
	if err != nil {
		return 0, false, err
	}
	table := pgx.Identifier{n.schema, "goose_db_version"}.Sanitize()
	if err := r.one.w.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`, table).Scan(&there); err != nil || !there {
		return 0, false, err
	}
	err = r.one.w.QueryRowContext(ctx, strings.Replace(newest, "goose_db_version", table, 1)).Scan(&have)
	return have, true, err
}

// doctorTask is a host with one task that is due.
func doctorTask(host string) []Task {
	return []Task{{Host: host, Run: 1, ID: 1, URL: "http://" + host + "/", Kind: "page"}}
}

func (r *rowExam) writeRead(ctx context.Context) (string, error) {
	began := time.Now()
	if _, err := r.one.Enqueue(ctx, doctorTask("written.test")); err != nil {
		return "", err
	}
	took := time.Since(began).Round(100 * time.Microsecond)
	t, err := r.two.Task(ctx, "written.test", 1, 1)
	if err == nil && t.URL != "http://written.test/" {
		err = differ("a row", t.URL, "http://written.test/")
	}
	return fmt.Sprintf("what one connection commits another reads; %s a commit", took), err
}

var errRollback = errors.New("rolled back on purpose")

func (r *rowExam) rollback(ctx context.Context) (string, error) {
	err := r.one.writeOnce(ctx, func(x *tx) error {
		if _, err := x.exec(`INSERT INTO hosts (host, next_at) VALUES ($1, $2)`, "rolled-back.test", 1); err != nil {
			return err
		}
		return errRollback
	}, nil)
	if !errors.Is(err, errRollback) {
		return "", err
	}
	var n int
	if err := r.two.w.QueryRowContext(ctx, `SELECT COUNT(*) FROM hosts WHERE host='rolled-back.test'`).Scan(&n); err != nil {
		return "", err
	}
	if n != 0 {
		return "", errors.New("a row of a transaction that was rolled back is there")
	}
	return "nothing of it is left", nil
}

// claims lets two handles claim one host many times at once.
func (r *rowExam) claims(ctx context.Context) (string, error) {
	const claimers = 32
	if _, err := r.one.Enqueue(ctx, doctorTask("claimed.test")); err != nil {
		return "", err
	}
	won := make([]int, claimers)
	var g errgroup.Group
	start := make(chan struct{})
	for i := range claimers {
		db := []*DB{r.one, r.two}[i%2]
		g.Go(func() error {
			<-start
			leases, err := db.Claim(ctx, fmt.Sprint("doctor-", i), 100, 10, time.Minute)
			for _, l := range leases {
				if l.Host == "claimed.test" {
					won[i]++
				}
			}
			return err
		})
	}
	close(start)
	if err := g.Wait(); err != nil {
		return "", err
	}
	sum := 0
	for _, n := range won {
		sum += n
	}
	if sum != 1 {
		return "", fmt.Errorf("of %d that claimed one host at the same time, %d got it", claimers, sum)
	}
	return fmt.Sprintf("of %d that claimed one host at the same time, one got it", claimers), nil
}

// fenced lets a lease end, and sees whether its holder is told.
func (r *rowExam) fenced(ctx context.Context) (string, error) {
	if _, err := r.one.Enqueue(ctx, doctorTask("late.test")); err != nil {
		return "", err
	}
	claim := func(db *DB) (Lease, error) {
		leases, err := db.Claim(ctx, "doctor", 100, 10, time.Millisecond)
		for _, l := range leases {
			if l.Host == "late.test" {
				return l, err
			}
		}
		return Lease{}, errors.Join(errors.New("a host that is free could not be claimed"), err)
	}
	late, err := claim(r.one)
	if err == nil {
		err = pause(ctx, 20*time.Millisecond)
	}
	if err != nil {
		return "", err
	}
	next, err := claim(r.two)
	if err != nil {
		return "", err
	}
	lost, err := r.one.Renew(ctx, []Lease{late, next}, time.Minute)
	if err == nil && (len(lost) != 1 || lost[0].Token != late.Token) {
		err = fmt.Errorf("of a lease that ended and the one after it, %d are told to be lost, not the one", len(lost))
	}
	return "who was late is told so", err
}

// durable asks a server whether a commit is on its disk when it is told. SQLite is told so by us.
func (r *rowExam) durable(ctx context.Context) (string, error) {
	if !r.one.d.server {
		var full int
		if err := r.one.w.QueryRowContext(ctx, `PRAGMA synchronous`).Scan(&full); err != nil {
			return "", err
		}
		if full < 2 {
			return "", differ("PRAGMA synchronous", full, 2)
		}
		return "each commit is flushed to the disk", nil
	}
	var fsync, commit, pages string
	err := r.one.w.QueryRowContext(ctx, `SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes')`).
		Scan(&fsync, &commit, &pages)
	if err == nil && (fsync != "on" || commit == "off" || pages != "on") {
		err = fmt.Errorf("the server has fsync %s, synchronous_commit %s, full_page_writes %s", fsync, commit, pages)
	}
	return "each commit is flushed to the disk", err
}

func (r *rowExam) clock(ctx context.Context) (string, error) {
	if !r.one.d.server {
		return "it is this machine's", nil
	}
	var us int64
	if err := r.one.w.QueryRowContext(ctx, `SELECT (EXTRACT(EPOCH FROM clock_timestamp())*1000000)::bigint`).Scan(&us); err != nil {
		return "", err
	}
	return skewed(time.Until(time.UnixMicro(us)))
}

// clean removes the scratch schema, or file.
func (r *rowExam) clean(ctx context.Context) (err error) {
	ctx, cancel := cleaning(ctx)
	defer cancel()
	if r.one != nil && r.one.d.server {
		_, err = r.one.w.ExecContext(ctx, `DROP SCHEMA IF EXISTS `+pgx.Identifier{r.one.schema}.Sanitize()+` CASCADE`)
	}
	for _, db := range []*DB{r.two, r.one} {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	path, ok := embedded(r.scratch)
	if !ok {
		return dropping(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if e := os.Remove(path + suffix); !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	for _, f := range r.folders {
		if e := os.Remove(f); !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return dropping(err)
}

func dropping(err error) error {
	if err != nil && !errors.Is(err, sql.ErrConnDone) {
		return fmt.Errorf("clean up the scratch tables: %w", err)
	}
	return nil
}

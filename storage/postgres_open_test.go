package storage_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// TestPostgresRefusals: what can't be opened is said with the thing that is wrong and what to try, without any password.
func TestPostgresRefusals(t *testing.T) {
	s := storagetest.Postgres(t)
	dsn := s.DSN(t)
	database := strings.TrimSuffix(dsn[strings.LastIndex(dsn, "/")+1:], "?sslmode=disable")
	ascii, guarded, weak := database+"_ascii", database+"_guarded", database+"_weak"
	s.Exec(t, "CREATE DATABASE "+ascii+" TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'", "CREATE ROLE "+guarded+" LOGIN PASSWORD 'right'",
		"CREATE ROLE "+weak+" LOGIN PASSWORD 'right'")
	t.Cleanup(func() { s.Exec(t, "DROP DATABASE "+ascii, "DROP ROLE "+guarded, "DROP ROLE "+weak) })
	at := func(user, database, options string) string {
		return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable%s", user, s.Port, database, options)
	}
	newer := at("linkstead", database, "&search_path=newer")
	schemaOf(t, newer, `INSERT INTO newer.goose_db_version (version_id, is_applied) VALUES (99, true)`)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		dsn  string
		away bool
		want []string
	}{
		{at(guarded+":wr0ng", database, ""), false, []string{`: the server refuses user "` + guarded + `": password authentication failed; check`, "pg_hba.conf"}},
		{strings.Replace(at(guarded+":wr0ng", database, ""), "sslmode=disable", "sslmode=prefer", 1), false, []string{`: the server refuses user "`}},
		{at(guarded, database, ""), false, []string{`: the server refuses user "`, "no password was given", "PGPASSWORD"}},
		{at("nobody:wr0ng", database, ""), false, []string{"nobody", "check the user"}},
		{at("linkstead", "missing", ""), false, []string{"missing", "does not exist", "createdb missing"}},
		{at("linkstead", ascii, ""), false, []string{ascii, "SQL_ASCII", "createdb -E UTF8"}},
		{at(weak+":right", database, ""), false, []string{weak, "permission denied", `CREATE SCHEMA "linkstead" AUTHORIZATION "` + weak + `"`}},
		{newer, false, []string{"version 99", "newer linkstead"}},
		{at("linkstead", database, "&colour=red"), false, []string{"colour", "option"}},
		{at("linkstead", database, "&pool_max_conns=1"), false, []string{"pool_max_conns", "2 to 1000"}},
		{at("linkstead", database, "&pool_max_conns=x"), false, []string{"pool_max_conns"}},
		{at("linkstead", database, "&search_path=a,b"), false, []string{"search_path", "one schema"}},
		{at("linkstead", database, "&sslmode=maybe"), false, []string{"sslmode"}},
		{"postgres://u:wr0ng@" + closed + "/x?sslmode=disable", true, []string{"postgres://u@" + closed + "/x", "it can't be reached: connection refused; check that the server runs"}},
		{"postgres://u:wr0ng@no-such-host.invalid/x", true, []string{"no-such-host.invalid"}},
		{"postgres://u:wr0ng/x#@127.0.0.1/x", false, []string{"well-formed", "%XX", "postgres://USER@HOST:PORT/DATABASE"}},
		{"postgres://u:wr0ng@h:port/x", false, []string{"well-formed"}},
		{"postgres:u:wr0ng@h", false, []string{"sqlite:PATH", "postgres://USER@HOST:PORT/DATABASE"}},
		{"postgres:", false, []string{"postgres://USER@HOST:PORT/DATABASE"}},
		{"postgres://127.0.0.1/x?password=wr0ng&sslmode=maybe", false, []string{"sslmode"}},
		{"host=h password=wr0ng", false, []string{"postgres://USER@HOST:PORT/DATABASE"}},
		{"mysql://u:wr0ng@h/x", false, []string{"sqlite:PATH", "mysql"}},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		db, err := storage.OpenDB(ctx, c.dsn, storage.DBOptions{Patience: -1})
		cancel()
		if err == nil {
			t.Errorf("%s was opened", c.dsn)
			_ = db.Close()
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error does not tell %q:\n%v", c.dsn, w, err)
			}
		}
		if strings.ContainsAny(err.Error(), "\t\n") || strings.Contains(err.Error(), "tls error") {
			t.Errorf("%s: the error has the driver's form:\n%v", c.dsn, err)
		}
		if strings.Contains(err.Error(), "wr0ng") || strings.Contains(err.Error(), ":right") {
			t.Errorf("%s: the error tells the password:\n%v", c.dsn, err)
		}
		if errors.Is(err, storage.ErrAway) != c.away {
			t.Errorf("%s: away is %v:\n%v", c.dsn, !c.away, err)
		}
	}
}

// schemaOf opens a database so that it has its schema, and then runs a statement of its own in it.
func schemaOf(t *testing.T, dsn, statement string) {
	t.Helper()
	db, err := storage.OpenDB(t.Context(), dsn, storage.DBOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	_, err = raw.ExecContext(t.Context(), statement)
	if err := errors.Join(err, raw.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestPostgresTogether: processes that open a new database at the same time all get it, whoever makes the schema.
func TestPostgresTogether(t *testing.T) {
	dsn := server(t)
	var g errgroup.Group
	for i := range 8 {
		g.Go(func() error {
			db, err := storage.OpenDB(context.Background(), dsn+"&pool_max_conns=2", storage.DBOptions{})
			if err != nil {
				return err
			}
			_, err = db.StartRun(context.Background(), storage.Run{Collection: fmt.Sprint(i), Started: time.Now()}, nil, nil)
			return errors.Join(err, db.Close())
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if rs, err := storagetest.OpenRows(t, dsn, time.Now).Runs(t.Context()); err != nil || len(rs) != 8 {
		t.Errorf("%d runs, %v", len(rs), err)
	}
}

// TestPostgresSchemas: archives in two schemas of one database know nothing of each other, and a role that may only use
// its own schema gets on with it.
func TestPostgresSchemas(t *testing.T) {
	s := storagetest.Postgres(t)
	role := "role_" + storage.Random(5)
	s.Exec(t, "CREATE ROLE "+role+" LOGIN PASSWORD 'se cret'")
	t.Cleanup(func() { s.Exec(t, "DROP ROLE "+role) }) // after the database
	dsn := s.DSN(t)
	a := storagetest.OpenRows(t, dsn, time.Now)
	b := storagetest.OpenRows(t, dsn+"&search_path=Other-1", time.Now)
	for i, db := range []*storage.DB{a, a, b} {
		if _, err := db.StartRun(t.Context(), storage.Run{Collection: fmt.Sprint(i), Started: time.Now()}, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	for db, want := range map[*storage.DB]int{a: 2, b: 1} {
		if rs, err := db.Runs(t.Context()); err != nil || len(rs) != want {
			t.Errorf("%d runs, %v, want %d", len(rs), err, want)
		}
	}
	schemaOf(t, dsn, "CREATE SCHEMA own AUTHORIZATION "+role)
	own := strings.Replace(dsn, "linkstead@", role+":se%20cret@", 1) + "&search_path=own"
	db, err := storage.OpenDB(t.Context(), own, storage.DBOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.StartRun(t.Context(), storage.Run{Collection: "c", Started: time.Now()}, nil, nil)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Error(err)
	}
}

// TestPostgresByteOrder: every text column compares bytes, those of later migrations too.
func TestPostgresByteOrder(t *testing.T) {
	dsn := server(t)
	schemaOf(t, dsn, "SELECT 1")
	raw, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	var texts, others int
	err = raw.QueryRowContext(t.Context(), `SELECT COUNT(*), COUNT(*) FILTER (WHERE collation_name IS DISTINCT FROM 'C') FROM information_schema.columns
		WHERE table_schema='linkstead' AND data_type='text' AND table_name<>'goose_db_version'`).Scan(&texts, &others)
	if err != nil || texts < 40 || others != 0 {
		t.Errorf("%d text columns, %d of them do not compare bytes, %v", texts, others, err)
	}
}

// TestPostgresClock: without a clock of its own a database goes by the server's, and leases of two handles agree.
func TestPostgresClock(t *testing.T) {
	dsn := server(t)
	db := storagetest.OpenRows(t, dsn, nil)
	raw, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	var us int64
	before := db.Now()
	if err := raw.QueryRowContext(t.Context(), `SELECT (EXTRACT(EPOCH FROM clock_timestamp())*1000000)::bigint`).Scan(&us); err != nil {
		t.Fatal(err)
	}
	after := db.Now()
	const off = 50 * time.Millisecond // a round trip on a busy machine
	if at := time.UnixMicro(us); at.Before(before.Add(-off)) || at.After(after.Add(off)) {
		t.Errorf("the server's time is %v, the database goes by %v to %v", at, before, after)
	}
	if _, err := db.Enqueue(t.Context(), []storage.Task{{Host: "h", Run: 1, ID: 1, Due: us / 1000}}); err != nil {
		t.Fatal(err)
	}
	if ls, err := storagetest.OpenRows(t, dsn, nil).Claim(t.Context(), "w", 1, 1, time.Minute); err != nil || len(ls) != 1 {
		t.Errorf("claimed %v, %v", ls, err)
	}
}

package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	defaultSchema = "linkstead"
	defaultConns  = 16
	// migrationLock is the advisory lock under which schemas are made and brought up to date.
	migrationLock = 0x6c696e6b73746561 // "linkstea"
)

// serverName is a PostgreSQL server's database as a DSN names it.
type serverName struct {
	config *pgx.ConnConfig
	schema string
	conns  int
}

// parseServer reads a DSN. No error tells a password.
func parseServer(dsn string) (serverName, error) {
	n := serverName{schema: defaultSchema, conns: defaultConns}
	bad := func(why string) (serverName, error) {
		return n, fmt.Errorf("database %q: %s; the form is %s, with options such as ?sslmode=require&search_path=SCHEMA&pool_max_conns=16",
			withoutSecret(dsn), why, dsnForms)
	}
	u, err := url.Parse(dsn)
	if err != nil { // its text may hold the password
		return bad("it is no well-formed URL (in a user's name and password, write special characters as %XX)")
	}
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		why := err.Error()
		if i := strings.LastIndex(why, "`: "); i >= 0 { // what comes before repeats the whole name
			why = why[i+len("`: "):]
		}
		for _, secret := range u.Query()["password"] {
			why = strings.ReplaceAll(why, secret, "…")
		}
		return bad(why)
	}
	if c.Database == "" {
		return bad("it names no database")
	}
	if s, ok := c.RuntimeParams["search_path"]; ok {
		if n.schema = s; s == "" || len(s) > 63 || strings.ContainsAny(s, `",$ `+"\x00") {
			return bad("search_path names one schema, of up to 63 bytes, without quotes")
		}
	}
	if s, ok := c.RuntimeParams["pool_max_conns"]; ok {
		if n.conns, err = strconv.Atoi(s); err != nil || n.conns < 2 || n.conns > 1000 {
			return bad("pool_max_conns is a number from 2 to 1000")
		}
		delete(c.RuntimeParams, "pool_max_conns")
	}
	for name, value := range map[string]string{
		"application_name": "linkstead",
		"client_encoding":  "UTF8",
		// A machine that vanishes in the middle of a transaction holds rows for a minute, not for hours.
		"idle_in_transaction_session_timeout": "60000",
		"tcp_keepalives_idle":                 "30",
		"tcp_keepalives_interval":             "10",
		"tcp_keepalives_count":                "3",
		"jit":                                 "off", // compiling takes longer than any query here
	} {
		if _, ok := c.RuntimeParams[name]; !ok {
			c.RuntimeParams[name] = value
		}
	}
	c.RuntimeParams["search_path"] = pgx.Identifier{n.schema}.Sanitize()
	if !u.Query().Has("connect_timeout") {
		c.ConnectTimeout = 10 * time.Second
	}
	c.DialFunc = dialServer
	n.config = c
	return n, nil
}

// dialServer connects so that a server which vanished without a word is noticed within a minute.
func dialServer(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
	d.Control = unansweredFor(30 * time.Second)
	return d.DialContext(ctx, network, addr)
}

// String is the name for people, without the password.
func (n serverName) String() string {
	host := n.config.Host
	if !strings.HasPrefix(host, "/") {
		host = net.JoinHostPort(host, strconv.Itoa(int(n.config.Port)))
	}
	return "postgres://" + n.config.User + "@" + host + "/" + n.config.Database
}

// openServer opens a PostgreSQL database.
func openServer(ctx context.Context, dsn string, o DBOptions) (*DB, error) {
	n, err := parseServer(dsn)
	if err != nil {
		return nil, err
	}
	return n.open(ctx, o)
}

func (n serverName) open(ctx context.Context, o DBOptions) (*DB, error) {
	w := stdlib.OpenDB(*n.config)
	w.SetMaxOpenConns(n.conns)
	w.SetMaxIdleConns(n.conns)
	w.SetConnMaxIdleTime(5 * time.Minute)
	db := newDB(w, w, postgres, n.String(), o)
	db.schema = n.schema
	var err error
	if err := db.prepareServer(ctx, n); err != nil {
		return nil, errors.Join(n.explain(err), db.Close())
	}
	if o.Now == nil {
		if db.clock, err = followClock(ctx, w, o.Log); err != nil {
			return nil, errors.Join(n.explain(err), db.Close())
		}
		db.now = db.clock.now
	}
	db.receipts = &receipts{handle: Random(12)}
	return db, nil
}

// prepareServer brings the schema up to date. It waits for a server that is starting or full, not for one that is not
// there.
func (db *DB) prepareServer(ctx context.Context, n serverName) error {
	return db.patiently(ctx, func() error {
		err := inWords(db.prepareSchema(ctx, n))
		if isAway(err) && !stateIn(err, "57P03", "53300") {
			err = fmt.Errorf("%w: %w", ErrAway, err)
		}
		return err
	})
}

// prepareSchema makes the schema and its tables if they are not there, alone among all processes.
func (db *DB) prepareSchema(ctx context.Context, n serverName) (err error) {
	c, err := db.w.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if e := c.Close(); !errors.Is(e, sql.ErrConnDone) {
			err = errors.Join(err, e)
		}
	}()
	var encoding string
	var standby, there bool
	if err := c.QueryRowContext(ctx, `SELECT current_setting('server_encoding'), pg_is_in_recovery()`).Scan(&encoding, &standby); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("its encoding is %s; create one with: createdb -E UTF8 -T template0 %s", encoding, n.config.Database)
	}
	if _, err := c.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, int64(migrationLock)); err != nil {
		return err
	}
	defer func() { // it ends with the connection, too
		_, e := c.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(migrationLock))
		err = errors.Join(err, e)
	}()
	// Asked first: to make what is there already takes a right, too.
	if err := c.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname=$1)`, n.schema).Scan(&there); err != nil {
		return err
	}
	if !there {
		if _, err := c.ExecContext(ctx, `CREATE SCHEMA `+pgx.Identifier{n.schema}.Sanitize()); err != nil {
			return fmt.Errorf("create schema: %w", err)
		}
	}
	if err := db.migrateOnce(ctx); err != nil || standby {
		return err
	}
	return db.sweepReceipts(ctx)
}

// explain says what is wrong with a server, and what to try.
func (n serverName) explain(err error) error {
	hint := ""
	switch {
	case errors.Is(err, errNewer):
	case stateIn(err, "28P01", "28000") && n.config.Password == "":
		hint = "; no password was given: name one with PGPASSWORD or in ~/.pgpass, or see what pg_hba.conf of the server allows"
	case stateIn(err, "28P01", "28000"):
		hint = fmt.Sprintf("; check the user %q and its password, and what pg_hba.conf of the server allows", n.config.User)
	case stateIn(err, "3D000"):
		hint = fmt.Sprintf("; create it with: createdb %s", n.config.Database)
	case stateIn(err, "42501"):
		hint = fmt.Sprintf("; the user %q may not do that. As the database's owner: CREATE SCHEMA %s AUTHORIZATION %s", n.config.User,
			pgx.Identifier{n.schema}.Sanitize(), pgx.Identifier{n.config.User}.Sanitize())
	case stateIn(err, "42704"):
		hint = "; an option after the ? of its name is not known"
	case errors.Is(err, ErrAway):
		hint = "; check that the server runs there and listens, and that no firewall stands between"
	}
	return fmt.Errorf("open database %s: %w%s", n, err, hint)
}

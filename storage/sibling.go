package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// A rebuild makes all rows anew beside those that are in use, and then takes their place. On SQLite that is another file;
// on a server it is a sibling schema.

const (
	freshSuffix = "_rebuilding"
	// aliveFor is how long after it was last seen a worker counts as alive.
	aliveFor = time.Minute
)

// OpenFresh makes an empty schema beside the one that dsn names, and opens it; that of a rebuild that was stopped is
// dropped. ErrAtWork if another process is at it.
func OpenFresh(ctx context.Context, dsn string, o DBOptions) (*DB, error) {
	n, err := parseServer(dsn)
	if err != nil {
		return nil, err
	}
	place := n.schema
	if n.schema += freshSuffix; len(n.schema) > 63 {
		return nil, fmt.Errorf("database %s: the name of the schema %s is too long for a rebuild: at most %d bytes", n, place, 63-len(freshSuffix))
	}
	n.config.RuntimeParams["search_path"] = pgx.Identifier{n.schema}.Sanitize()
	hold, err := n.clear(ctx)
	if err != nil {
		return nil, n.explain(err)
	}
	db, err := n.open(ctx, o)
	if err != nil {
		return nil, errors.Join(err, hold.Close())
	}
	db.fresh, db.place = hold, place
	return db, nil
}

// clear drops what an earlier rebuild left, and keeps a connection that holds the right to rebuild.
func (n serverName) clear(ctx context.Context) (*sql.DB, error) {
	hold := stdlib.OpenDB(*n.config)
	hold.SetMaxOpenConns(1)
	hold.SetMaxIdleConns(1)
	h := fnv.New64a()
	_, _ = h.Write([]byte("rebuild " + n.schema)) // never fails
	var got bool
	err := hold.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, int64(h.Sum64()>>1)).Scan(&got)
	if isAway(err) {
		err = fmt.Errorf("%w: %w", ErrAway, err)
	}
	if err == nil && !got {
		err = fmt.Errorf("%w: another rebuild goes on", ErrAtWork)
	}
	if err == nil {
		err = dropSchema(ctx, hold, n.schema)
	}
	if err != nil {
		return nil, errors.Join(err, hold.Close())
	}
	return hold, nil
}

func dropSchema(ctx context.Context, hold *sql.DB, schema string) error {
	_, err := hold.ExecContext(ctx, `DROP SCHEMA IF EXISTS `+pgx.Identifier{schema}.Sanitize()+` CASCADE`)
	return err
}

// letFresh gives the right to rebuild up before it hangs up: the server notices the latter a moment later, and the next
// rebuild may come before that.
func letFresh(hold *sql.DB) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = hold.ExecContext(ctx, `SELECT pg_advisory_unlock_all()`) // it goes with the connection else
	return hold.Close()
}

// Discard drops a fresh schema that is not to take any other's place. The handle is of no use after that but to be closed.
func (db *DB) Discard(ctx context.Context) error {
	if db.fresh == nil {
		return fmt.Errorf("database %s: it is no fresh one", db.name)
	}
	if err := dropSchema(ctx, db.fresh, db.schema); err != nil {
		return fmt.Errorf("drop the unfinished schema %s: %w", db.schema, err)
	}
	return nil
}

// PutInPlace has a fresh schema take the place of the one in use, which is put aside under the name that is returned ("" if
// there was none). Both happen, or neither. ErrAtWork while a worker is alive or holds a host: what it does now would be
// lost. Whoever only reads goes on, with the new rows. The handle is of no use after that but to be closed.
func (db *DB) PutInPlace(ctx context.Context) (aside string, err error) {
	if db.fresh == nil {
		return "", fmt.Errorf("database %s: it is no fresh one", db.name)
	}
	to := db.place + "_" + strings.Replace(db.Now().UTC().Format("20060102150405.000"), ".", "", 1) // two in a second differ
	to = to[max(0, len(to)-63):]
	unsure := false
	err = db.patiently(ctx, func() error {
		if unsure { // the fresh name is gone if, and only if, the commit took effect
			var left bool
			err := db.w.QueryRowContext(ctx, `SELECT to_regnamespace($1) IS NOT NULL`, pgx.Identifier{db.schema}.Sanitize()).Scan(&left)
			if err != nil || !left {
				return err
			}
		}
		var err error
		aside, unsure, err = db.swap(ctx, to)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("put the new rows in the place of the old: %w", err)
	}
	return aside, nil
}

func (db *DB) swap(ctx context.Context, to string) (aside string, unsure bool, err error) {
	t, err := db.w.BeginTx(ctx, nil)
	if err != nil {
		return "", false, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreDone(t.Rollback()))
		}
	}()
	var there bool
	if err := t.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`, pgx.Identifier{db.place, "nodes"}.Sanitize()).Scan(&there); err != nil {
		return "", false, err
	}
	if there {
		if err := db.nobodyWorks(ctx, t); err != nil {
			return "", false, err
		}
		if _, err := t.ExecContext(ctx, `ALTER SCHEMA `+pgx.Identifier{db.place}.Sanitize()+` RENAME TO `+pgx.Identifier{to}.Sanitize()); err != nil {
			return "", false, err
		}
		aside = to
	}
	if _, err := t.ExecContext(ctx, `ALTER SCHEMA `+pgx.Identifier{db.schema}.Sanitize()+` RENAME TO `+pgx.Identifier{db.place}.Sanitize()); err != nil {
		return "", false, err
	}
	if err := t.Commit(); err != nil {
		return aside, isAway(err), err
	}
	return aside, false, nil
}

// nobodyWorks makes sure that no worker is alive, and that none begins before the transaction ends.
func (db *DB) nobodyWorks(ctx context.Context, t *sql.Tx) error {
	hosts, nodes := pgx.Identifier{db.place, "hosts"}.Sanitize(), pgx.Identifier{db.place, "nodes"}.Sanitize()
	if _, err := t.ExecContext(ctx, `LOCK TABLE `+nodes+`, `+hosts+` IN ACCESS EXCLUSIVE MODE`); err != nil {
		return err
	}
	return db.alone(func(q string, args ...any) row { return t.QueryRowContext(ctx, q, args...) }, nodes, hosts)
}

// Alone makes sure that no worker is alive now, nor holds a host; else ErrAtWork. One may begin in the next moment.
func (db *DB) Alone(ctx context.Context) error {
	return db.alone(func(q string, args ...any) row { return db.r.QueryRowContext(ctx, q, args...) }, "nodes", "hosts")
}

func (db *DB) alone(ask func(q string, args ...any) row, nodes, hosts string) error {
	now := db.Now()
	var who sql.NullString
	err := ask(`SELECT MIN(name) FROM (SELECT node AS name FROM `+nodes+` WHERE seen>$1 AND started>=0
		UNION ALL SELECT owner FROM `+hosts+` WHERE lease<>0 AND next_at-delay_ms>$2) w`, micros(now.Add(-aliveFor)), now.UnixMilli()).Scan(&who)
	if err != nil {
		return fmt.Errorf("look for workers: %w", err)
	}
	if who.Valid {
		return fmt.Errorf("%w: node %s is at work, or was within the last minute\n"+
			"Stop every 'linkstead work' and 'linkstead serve' first; one that was killed counts as at work for a minute", ErrAtWork, who.String)
	}
	return nil
}

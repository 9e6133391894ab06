package storage

import (
	"context"
	"database/sql"
	"errors"
)

// pool reads rows outside transactions: what it is asked with is made harmless, and it waits for a server that is away.
type pool struct {
	*sql.DB
	db *DB
}

// QueryContext is that of sql.DB.
func (p *pool) QueryContext(ctx context.Context, q string, args ...any) (rows *sql.Rows, err error) {
	harmless(args)
	err = p.db.patiently(ctx, func() (err error) {
		rows, err = p.DB.QueryContext(ctx, q, args...) //nolint:rowserrcheck,sqlclosecheck // the caller's
		return err
	})
	return rows, err
}

// row is a row to be read, or the reason why there is none.
type row interface{ Scan(dest ...any) error }

type noRow struct{ err error }

func (r noRow) Scan(...any) error { return r.err }

// QueryRowContext is that of sql.DB.
func (p *pool) QueryRowContext(ctx context.Context, q string, args ...any) row {
	harmless(args)
	return p.oneRow(ctx, func() (*sql.Row, error) {
		r := p.DB.QueryRowContext(ctx, q, args...)
		return r, r.Err()
	})
}

// often is QueryRowContext for a frequent query: to parse it takes SQLite longer than to answer it, so that its statement
// is kept. PostgreSQL's driver keeps those of each connection by itself.
func (p *pool) often(ctx context.Context, q string, args ...any) row {
	if p.db.d.server {
		return p.QueryRowContext(ctx, q, args...)
	}
	harmless(args)
	return p.oneRow(ctx, func() (*sql.Row, error) {
		s, err := p.db.reading(ctx, q) //nolint:sqlclosecheck // it is kept
		if err != nil {
			return nil, err
		}
		r := s.QueryRowContext(ctx, args...)
		return r, r.Err()
	})
}

// rowsOf brings all rows that a query selects. It asks anew when the server goes away in the middle of them: what it brings
// is in memory, so it is for lists that are short, or parts of long ones.
func rowsOf[T any](ctx context.Context, db *DB, scan func(row) (T, error), q string, args ...any) (out []T, err error) {
	harmless(args)
	return rowsBy(ctx, db, scan, func() (*sql.Rows, error) { return db.r.DB.QueryContext(ctx, q, args...) })
}

// rowsOften is rowsOf for a frequent query: see pool.often.
func rowsOften[T any](ctx context.Context, db *DB, scan func(row) (T, error), q string, args ...any) (out []T, err error) {
	if db.d.server {
		return rowsOf(ctx, db, scan, q, args...)
	}
	harmless(args)
	return rowsBy(ctx, db, scan, func() (*sql.Rows, error) {
		s, err := db.reading(ctx, q) //nolint:sqlclosecheck // it is kept
		if err != nil {
			return nil, err
		}
		return s.QueryContext(ctx, args...)
	})
}

func rowsBy[T any](ctx context.Context, db *DB, scan func(row) (T, error), ask func() (*sql.Rows, error)) (out []T, err error) {
	err = db.patiently(ctx, func() (err error) {
		out = nil
		rows, err := ask()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			v, err := scan(rows)
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (p *pool) oneRow(ctx context.Context, ask func() (*sql.Row, error)) row {
	var r *sql.Row
	err := p.db.patiently(ctx, func() (err error) {
		r, err = ask()
		return err
	})
	if err != nil {
		return noRow{err}
	}
	return r
}

package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// write runs f in one transaction, again if the database asks for it, or went away before it was done. f may run several
// times; what it leaves behind is that of its last run, and that run is the one which took effect, even if the answer
// to the commit was lost (see receipts).
func (db *DB) write(ctx context.Context, f func(*tx) error) error {
	r := db.receipts.take()
	defer db.receipts.put(r)
	unsure := false
	return db.patiently(ctx, func() error {
		for try := 0; ; try++ {
			if unsure {
				took, err := db.took(ctx, r)
				if err != nil || took {
					return err
				}
				unsure = false
			}
			err := db.writeOnce(ctx, f, r)
			unsure = errors.Is(err, errUnsure)
			if err == nil || try == 20 || !retryable(err) || ctx.Err() != nil {
				return err
			}
		}
	})
}

func (db *DB) writeOnce(ctx context.Context, f func(*tx) error, r *receipt) error {
	t, err := db.w.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	x := &tx{db: db, t: t, ctx: ctx}
	if err := f(x); err != nil {
		return errors.Join(err, ignoreDone(t.Rollback()))
	}
	if x.wrote && r != nil {
		if err := x.sign(r); err != nil {
			return errors.Join(err, ignoreDone(t.Rollback()))
		}
	}
	if err := t.Commit(); err != nil {
		if x.wrote && isAway(err) {
			err = fmt.Errorf("%w: %w", errUnsure, err)
		}
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

// reading is a kept statement of a query outside transactions.
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

// retryable tells whether a transaction that failed so may pass when it is run again at once.
func retryable(err error) bool {
	s := err.Error()
	return errors.Is(err, errNumber) || strings.Contains(s, "SQLITE_BUSY") || stateIn(err,
		"40001", "40P01", // serialization failure, deadlock
		"26000") || // the prepared statement is gone: a pooler gave us another connection
		stateIn(err, "0A000") && strings.Contains(s, "cached plan must not change result type") // the schema changed: it is prepared anew
}

// tx is a transaction whose statements are prepared once per database.
type tx struct {
	db     *DB
	t      *sql.Tx
	ctx    context.Context
	local  map[string]*sql.Stmt
	wanted []string // prepared in this transaction alone so far
	wrote  bool     // something was changed: whether it was committed matters
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
	res, err := x.execute(q, harmless(args))
	if err != nil {
		return 0, fmt.Errorf("execute %.60q: %w", q, err)
	}
	n, err := res.RowsAffected()
	x.wrote = x.wrote || n != 0
	return n, err
}

func (x *tx) execute(q string, args []any) (sql.Result, error) {
	if x.db.d.server { // its driver keeps the statements of each connection
		return x.t.ExecContext(x.ctx, q, args...)
	}
	s, err := x.prepared(q) //nolint:sqlclosecheck // kept, or closed with the transaction
	if err != nil {
		return nil, err
	}
	return s.ExecContext(x.ctx, args...)
}

func (x *tx) query(q string, args ...any) (*sql.Rows, error) {
	rows, err := x.ask(q, harmless(args))
	if err != nil {
		return nil, fmt.Errorf("query %.60q: %w", q, err)
	}
	return rows, nil
}

func (x *tx) ask(q string, args []any) (*sql.Rows, error) {
	if x.db.d.server {
		x.wrote = x.wrote || !strings.HasPrefix(q, "SELECT")
		return x.t.QueryContext(x.ctx, q, args...)
	}
	s, err := x.prepared(q) //nolint:sqlclosecheck // kept, or closed with the transaction
	if err != nil {
		return nil, err
	}
	return s.QueryContext(x.ctx, args...)
}

// each runs a query and hands its rows over one by one.
func (x *tx) each(f func(row) error, q string, args ...any) (err error) {
	rows, err := x.query(q, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := f(rows); err != nil {
			return fmt.Errorf("read %.60q: %w", q, err)
		}
	}
	return rows.Err()
}

func (x *tx) strings(q string, args ...any) (out []string, err error) {
	err = x.each(func(r row) error {
		var s string
		err := r.Scan(&s)
		out = append(out, s)
		return err
	}, q, args...)
	return out, err
}

// insert puts rows of cols values each, many to a statement.
func (x *tx) insert(into, onConflict string, cols int, values []any) (int64, error) {
	if x.db.d.server {
		return x.insertArrays(into, onConflict, cols, values)
	}
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

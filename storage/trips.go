package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// On a server each statement is a trip, and what a commit costs is trips more than rows. Statements whose answers nobody
// needs yet wait for the next one whose answer somebody does, and travel with it, in the order in which they came; the
// server works them off one after the other, and leaves off at the first that fails. An embedded database is asked at once.

// waiting is a statement that has not been sent yet.
type waiting struct {
	q    string
	args []any
	each func(row) error // takes the rows of its answer; nil if there are none to take
	n    *int64          // is told how many rows it changed; nil if nobody asks
}

// maxWaiting bounds what travels together.
const maxWaiting = 500

// put runs a statement of whose answer nothing is needed but that there was no error, which may come with that of a later
// statement, or of the transaction's end.
func (x *tx) put(q string, args ...any) error {
	if !x.db.d.server {
		_, err := x.exec(q, args...)
		return err
	}
	return x.wait(waiting{q: q, args: args})
}

// soon runs a query whose rows f takes by the next call of send at the latest. They count for nothing before.
func (x *tx) soon(f func(row) error, q string, args ...any) error {
	if !x.db.d.server {
		return x.each(f, q, args...)
	}
	return x.wait(waiting{q: q, args: args, each: f})
}

func (x *tx) wait(w waiting) error {
	x.waiting = append(x.waiting, w)
	if len(x.waiting) >= maxWaiting {
		return x.send()
	}
	return nil
}

// send makes the trip for what waits.
func (x *tx) send() error {
	if len(x.waiting) == 0 {
		return nil
	}
	batch := &pgx.Batch{}
	for i := range x.waiting {
		w := &x.waiting[i]
		s := batch.Queue(w.q, harmless(w.args)...)
		if w.each != nil {
			x.wrote = x.wrote || !strings.HasPrefix(w.q, "SELECT")
			s.Query(func(rows pgx.Rows) error { return takeRows(w, rows) })
			continue
		}
		s.Exec(func(tag pgconn.CommandTag) error {
			n := tag.RowsAffected()
			x.wrote = x.wrote || n != 0 && !tag.Select()
			if w.n != nil {
				*w.n = n
			}
			return nil
		})
	}
	first := x.waiting[0].q
	x.waiting = nil
	err := x.conn.Raw(func(c any) error {
		server, ok := c.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("the driver's connection is a %T", c)
		}
		return server.Conn().SendBatch(x.ctx, batch).Close()
	})
	if err != nil {
		return fmt.Errorf("execute %d statements from %.60q on: %w", batch.Len(), first, err)
	}
	return nil
}

func takeRows(w *waiting, rows pgx.Rows) error {
	for rows.Next() {
		if err := w.each(rows); err != nil {
			return fmt.Errorf("read %.60q: %w", w.q, err)
		}
	}
	return rows.Err()
}

// begin begins a transaction; on a server, on a connection that it also brings. One that broke while it was idle is
// replaced.
func (db *DB) begin(ctx context.Context) (*sql.Tx, *sql.Conn, error) {
	if !db.d.server {
		t, err := db.w.BeginTx(ctx, nil)
		return t, nil, err
	}
	const idle = 2 // such connections are met with; the last try makes its own, or fails
	for try := 0; ; try++ {
		c, err := db.w.Conn(ctx)
		if err != nil {
			return nil, nil, err
		}
		t, err := c.BeginTx(ctx, nil)
		if err == nil {
			return t, c, nil
		}
		_ = c.Close() // what failed first is told
		if !errors.Is(err, driver.ErrBadConn) || try == idle {
			return nil, nil, err
		}
	}
}

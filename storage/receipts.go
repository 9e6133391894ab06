package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// When the connection breaks after COMMIT was sent and before its answer came, nobody knows whether the transaction took
// effect. To run it again blindly would start a run twice, and would take what has just been counted for fenced. So each
// transaction that changes anything on a server leaves a receipt: it writes a random token into a row that nobody else
// writes at that time. Whoever misses an answer reads the row. The read waits for the transaction if it is still on its
// way, since that holds the row's lock. The receipt is a row like any other: it is there after a crash, and on a replica
// that takes over, exactly if all the rest is. (A transaction's number is no such proof: a server that crashes gives the
// numbers of those that were lost to others.)

// errUnsure says that the answer to a commit was lost.
var errUnsure = errors.New("the answer to the commit was lost")

// receipt is a row to leave tokens in, for one transaction at a time.
type receipt struct {
	slot  string
	token int64
}

// receipts are the rows of one handle. The nil value gives none: an embedded database answers.
type receipts struct {
	handle string

	mu   sync.Mutex
	n    int
	free []*receipt
}

func (s *receipts) take() *receipt {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.free); n > 0 {
		r := s.free[n-1]
		s.free = s.free[:n-1]
		return r
	}
	s.n++
	return &receipt{slot: fmt.Sprintf("%s.%d", s.handle, s.n)}
}

func (s *receipts) put(r *receipt) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, r)
}

// sign writes a new token in the transaction.
func (x *tx) sign(r *receipt) error {
	r.token = newToken()
	_, err := x.exec(`INSERT INTO receipts (slot, token, at) VALUES ($1,$2,`+sqlServerMS+`)
		ON CONFLICT (slot) DO UPDATE SET token=excluded.token, at=excluded.at`, r.slot, r.token)
	return err
}

// took tells whether the transaction that wrote the receipt's last token was committed.
func (db *DB) took(ctx context.Context, r *receipt) (bool, error) {
	var token int64
	err := db.w.QueryRowContext(ctx, `INSERT INTO receipts (slot, token, at) VALUES ($1,0,`+sqlServerMS+`)
		ON CONFLICT (slot) DO UPDATE SET at=excluded.at RETURNING token`, r.slot).Scan(&token)
	if err != nil {
		return false, fmt.Errorf("find out about a commit: %w", err)
	}
	return token == r.token, nil
}

// receiptsLast is longer than anybody waits for the answer to a commit: a worker that waits out an outage may take weeks.
// A process that is killed leaves a row or two for as long.
const receiptsLast = 60 * 24 * time.Hour

// sqlServerMS is the time by the server's own clock: machines whose clocks are wrong sweep nothing away from others.
const sqlServerMS = `(EXTRACT(EPOCH FROM clock_timestamp())*1000)::bigint`

// sweepReceipts removes those of handles that are long gone.
func (db *DB) sweepReceipts(ctx context.Context) error {
	_, err := db.w.ExecContext(ctx, `DELETE FROM receipts WHERE at < `+sqlServerMS+`-$1::bigint`, receiptsLast.Milliseconds())
	return err
}

// drop removes the rows of a handle that closes. What fails here is swept one day.
func (s *receipts) drop(db *DB) {
	if s == nil || s.n == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for i := range s.n {
		if _, err := db.w.ExecContext(ctx, `DELETE FROM receipts WHERE slot=$1`, fmt.Sprintf("%s.%d", s.handle, i+1)); err != nil {
			return
		}
	}
}

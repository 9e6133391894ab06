package storage

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// outage knows whether the server is away, and tells the log once when it goes and once when it is back.
type outage struct {
	log *slog.Logger

	mu    sync.Mutex
	since time.Time // zero while the server is there
}

func (o *outage) began(name string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.since.IsZero() {
		return
	}
	o.since = time.Now()
	if o.log != nil {
		o.log.Warn("the database can't be reached; what needs it waits", "database", name, "error", err)
	}
}

func (o *outage) over(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		return
	}
	if o.log != nil {
		o.log.Warn("the database is back", "database", name, "after", time.Since(o.since).Round(time.Millisecond))
	}
	o.since = time.Time{}
}

const (
	firstPause = 20 * time.Millisecond
	mostPause  = 2 * time.Second
)

// patiently runs f, again and again while the server is away, until the patience or the context ends. f must be such
// that it may run again after it failed because the server went away.
func (db *DB) patiently(ctx context.Context, f func() error) error {
	err := f()
	if !db.d.server {
		return err
	}
	err = inWords(err)
	end := time.Now().Add(db.patience)
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		if errors.Is(err, ErrAway) || ctx.Err() != nil { // somebody has waited already; or nobody wants to
			return err
		}
		if !isAway(err) {
			db.outage.over(db.name)
			return err
		}
		db.outage.began(db.name, err)
		left := time.Until(end)
		if db.patience >= 0 && left <= 0 {
			return fmt.Errorf("database %s: %w: %w", db.name, ErrAway, err)
		}
		wait := pause/2 + rand.N(pause)
		if db.patience >= 0 {
			wait = min(wait, left)
		}
		if !sleep(ctx, wait) {
			return fmt.Errorf("wait for database %s: %w: %w", db.name, ctx.Err(), err)
		}
		err = inWords(f())
	}
}

// worded is a driver's error in words for people.
type worded struct {
	text string
	err  error
}

func (w *worded) Error() string { return w.text }
func (w *worded) Unwrap() error { return w.err }

// inWords puts a failure to connect into one line. The driver tries each address of a server, with TLS and without: of
// what became of that, the server's own word counts most, and otherwise the last.
func inWords(err error) error {
	var connect *pgconn.ConnectError
	var said *worded
	if !errors.As(err, &connect) || errors.As(err, &said) {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		if !stateIn(err, "28P01", "28000") {
			return &worded{"the server says: " + pg.Message, err}
		}
		user := strconv.Quote(connect.Config.User)
		return &worded{"the server refuses user " + user + ": " + strings.TrimSuffix(pg.Message, " for user "+user), err}
	}
	last := connect.Unwrap()
	if all, ok := last.(interface{ Unwrap() []error }); ok && len(all.Unwrap()) > 0 {
		last = all.Unwrap()[len(all.Unwrap())-1]
	}
	if reason := syscall.Errno(0); errors.As(last, &reason) {
		last = reason // without the words of the network stack around it
	}
	return &worded{strings.ReplaceAll(last.Error(), "\n", "; "), err}
}

// sleep waits for d; false if the context ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// isAway tells whether an error says that the server can't be reached, or is on its way down or up. Whatever was under
// way has not been answered.
func isAway(err error) bool {
	if err == nil {
		return false
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return comesBack(pg.Code)
	}
	var cert *tls.CertificateVerificationError
	if errors.As(err, &cert) {
		return false
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, net.ErrClosed)
}

// comesBack tells the SQL states of a server that is going down, coming up or full: connection exceptions (class 08),
// shutdown by an administrator, crash of another session, not accepting yet, too many connections, a session that was
// ended because it idled.
func comesBack(state string) bool {
	return strings.HasPrefix(state, "08") ||
		slices.Contains([]string{"57P01", "57P02", "57P03", "53300", "57P05", "25P03"}, state)
}

// stateIn tells whether an error is the server's, with one of these SQL states.
func stateIn(err error, states ...string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && slices.Contains(states, pg.Code)
}

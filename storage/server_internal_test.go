package storage

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestIsAway: what may pass by itself is waited for, and nothing else is.
func TestIsAway(t *testing.T) {
	state := func(s string) error { return fmt.Errorf("query: %w", &pgconn.PgError{Code: s, Message: "m"}) }
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{io.EOF, true},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), true},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, true},
		{&net.DNSError{Err: "no such host", Name: "h"}, true},
		{net.ErrClosed, true},
		{pgconn.ErrConnClosed, true},
		{&tls.CertificateVerificationError{Err: errors.New("x")}, false},
		{state("57P01"), true}, {state("57P02"), true}, {state("57P03"), true}, {state("53300"), true}, {state("08006"), true},
		{state("23505"), false}, {state("28P01"), false}, {state("3D000"), false}, {state("57014"), false}, {state("53100"), false},
		{errors.Join(state("23505"), io.EOF), false}, // what the server said counts, not how the connection ended then
		{ErrSegmentGone, false},
		{context.Canceled, false},
	} {
		if got := isAway(c.err); got != c.want {
			t.Errorf("%v: away is %v", c.err, got)
		}
	}
}

// TestRetryable: what another transaction was in the way of runs again, and what a statement's plan was too old for.
func TestRetryable(t *testing.T) {
	for _, c := range []struct {
		state, message string
		want           bool
	}{
		{"40001", "could not serialize access", true},
		{"40P01", "deadlock detected", true},
		{"26000", "prepared statement \"s\" does not exist", true},
		{"0A000", "cached plan must not change result type", true},
		{"0A000", "cross-database references are not implemented", false},
		{"23505", "Key (url)=(http://40001/) already exists", false},
	} {
		err := fmt.Errorf("execute: %w", &pgconn.PgError{Code: c.state, Message: c.message})
		if got := retryable(err); got != c.want {
			t.Errorf("%v: retryable is %v", err, got)
		}
	}
}

// TestLastOfEach: of rows that replace each other the last stays, as if they had come one by one.
func TestLastOfEach(t *testing.T) {
	rows := []any{"a", int64(1), "x", "b", int64(1), "y", "a", int64(1), "z", "a", int64(2), "w"}
	for _, c := range []struct {
		conflict string
		want     string
	}{
		{` ON CONFLICT (id, host) DO UPDATE SET v=excluded.v`, "[b 1 y a 1 z a 2 w]"},
		{` ON CONFLICT (host) DO UPDATE SET v=excluded.v`, "[b 1 y a 2 w]"},
		{` ON CONFLICT DO NOTHING`, fmt.Sprint(rows)},
		{``, fmt.Sprint(rows)},
	} {
		if got := fmt.Sprint(lastOfEach(`INSERT INTO t (host, id, v)`, c.conflict, 3, rows)); got != c.want {
			t.Errorf("%s: %s, want %s", c.conflict, got, c.want)
		}
	}
}

// TestColumns: columns become arrays of their type; what fits none is refused, not guessed.
func TestColumns(t *testing.T) {
	if arrays, types, err := columns([]any{"a", int64(1), 2, int64(5)}, 2); err == nil {
		t.Errorf("mixed types became %v (%s), want an error", arrays, types)
	}
	arrays, types, err := columns([]any{"a", 1, []byte("x"), RunDone, "b", int64(5), []byte("y"), RunPaused}, 4)
	if want := "[[a b] [1 5] [[120] [121]] [done paused]]"; err != nil || fmt.Sprint(arrays) != want ||
		types != "$1::text[],$2::bigint[],$3::bytea[],$4::text[]" {
		t.Errorf("%v, %s, %v, want %s", arrays, types, err, want)
	}
	if arrays, types, err := columns([]any{1.5, 2.0}, 1); err != nil || fmt.Sprint(arrays) != "[[1.5 2]]" || types != "$1::double precision[]" {
		t.Errorf("%v, %s, %v", arrays, types, err)
	}
	for _, v := range []any{true, float32(1), struct{}{}} {
		if _, _, err := columns([]any{v}, 1); err == nil {
			t.Errorf("a %T passed", v)
		}
	}
}

// TestFoldKey: keys that fit are left alone, and every other one is folded to one that fits, the same each time.
func TestFoldKey(t *testing.T) {
	for _, s := range []string{"", "k", strings.Repeat("k", longestKey), strings.Repeat("ä", 500)} {
		if foldKey(s) != s {
			t.Errorf("a key of %d bytes was folded", len(s))
		}
	}
	seen := map[string]string{}
	for _, s := range []string{strings.Repeat("k", 1001), strings.Repeat("k", 1002), strings.Repeat("ä", 501), "x" + strings.Repeat("ä", 600),
		strings.Repeat("\x00", 900), strings.Repeat("\xff", 5000) + "a", strings.Repeat("日", 20000)} {
		f := foldKey(s)
		if len(f) > longestKey || !utf8.ValidString(f) || strings.ContainsRune(f, 0) || foldKey(f) != f {
			t.Errorf("%.20q of %d bytes was folded to %q", s, len(s), f)
		}
		if other, ok := seen[f]; ok {
			t.Errorf("%.20q and %.20q fold to the same", s, other)
		}
		seen[f] = s
	}
}

package storage

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/minio/minio-go/v7"
)

// TestIsFull: the words of disks, databases and stores for having no room.
func TestIsFull(t *testing.T) {
	for _, err := range []error{
		syscall.ENOSPC, fmt.Errorf("write x: %w", syscall.EDQUOT), &pgconn.PgError{Code: "53100"}, errors.Join(errors.New("x"), ErrFull),
	} {
		if !IsFull(err) {
			t.Errorf("%v is not taken for full", err)
		}
	}
	for _, err := range []error{nil, syscall.EIO, errors.New("no space"), &pgconn.PgError{Code: "53300"}} {
		if IsFull(err) {
			t.Errorf("%v is taken for full", err)
		}
	}
	for _, r := range []minio.ErrorResponse{{StatusCode: 507}, {Code: "QuotaExceeded", StatusCode: 403}, {Code: "XMinioStorageFull", StatusCode: 507}} {
		s := &S3{bucket: "b"}
		var err error
		if s.client, err = minio.NewCore("s3.test", &minio.Options{}); err != nil {
			t.Fatal(err)
		}
		if err := s.explain("write", r); !IsFull(err) || passing(r) {
			t.Errorf("%+v: full %v, tried at once again %v", r, IsFull(err), passing(r))
		}
	}
}

// TestSQLiteFull: what SQLite itself says when it has no room; and it goes on once there is some.
func TestSQLiteFull(t *testing.T) {
	db, err := OpenDB(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "x.db"), DBOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var pages int
	if err := db.w.QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := db.w.Exec(fmt.Sprintf(`PRAGMA max_page_count=%d`, pages+4)); err != nil {
		t.Fatal(err)
	}
	n := 0
	open := func() error {
		n++
		return db.OpenSegment(t.Context(), Segment{ID: fmt.Sprintf("s-%d", n), Collection: string(make([]byte, 3000)), State: SegmentOpen, Created: time.Now()})
	}
	for err = open(); err == nil && n < 1000; err = open() {
	}
	if !IsFull(err) {
		t.Fatalf("after %d rows: %v", n, err)
	}
	if _, err := db.w.Exec(`PRAGMA max_page_count=100000`); err != nil {
		t.Fatal(err)
	}
	if err := open(); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

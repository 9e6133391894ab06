package storage_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// TestOpenDBRefusals: what can't be opened is said with the thing that is wrong and what is expected.
func TestOpenDBRefusals(t *testing.T) {
	dir := t.TempDir()
	newer := filepath.Join(dir, "newer.db")
	db, err := storage.OpenDB(t.Context(), "sqlite:"+newer, storage.DBOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", newer)
	if err != nil {
		t.Fatal(err)
	}
	_, err = raw.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`)
	if err := errors.Join(err, raw.Close()); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	for dsn, want := range map[string][]string{
		"":                         {"sqlite:PATH"},
		"sqlite":                   {"sqlite:PATH"},
		"sqlite:":                  {"sqlite:PATH"},
		"mysql:x":                  {"mysql:x", "sqlite:PATH"},
		"sqlite:" + newer:          {newer, "version 99", "newer linkstead"},
		"sqlite:" + text:           {text, "not a database"},
		"sqlite:" + dir:            {dir},
		"sqlite:" + text + "/x.db": {text},
	} {
		db, err := storage.OpenDB(t.Context(), dsn, storage.DBOptions{})
		if err == nil {
			t.Errorf("%q was opened", dsn)
			_ = db.Close()
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: the error %q does not tell %q", dsn, err, w)
			}
		}
	}
}

func TestOpenDBPaths(t *testing.T) {
	top := t.TempDir()
	for _, name := range []string{"a b", "a#b", "a?b", "a%b", "a%20b", "a&_pragma=x", "ä", "a+b", "a'b\"c", "a;b", "file:x", "two\nlines"} {
		path := filepath.Join(top, name, name+".db")
		db, err := storage.OpenDB(t.Context(), "sqlite:"+path, storage.DBOptions{})
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if err := db.Close(); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if st, err := os.Stat(path); err != nil || st.Size() == 0 {
			t.Errorf("%q: the database is not where it should be: %v", name, err)
		}
	}
	if left, err := os.ReadDir(top); err != nil || len(left) != 12 {
		t.Errorf("folders: %v, %v", left, err)
	}
	t.Chdir(t.TempDir())
	for _, path := range []string{"x.db", "./y.db", "sub/z.db"} {
		db, err := storage.OpenDB(t.Context(), "sqlite:"+path, storage.DBOptions{})
		if err != nil {
			t.Fatalf("%q: %v", path, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

// TestOpenDBTogether: processes that open a new database at the same time all get it, whoever makes the schema.
func TestOpenDBTogether(t *testing.T) {
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "new", "linkstead.db")
	var g errgroup.Group
	for i := range 6 {
		g.Go(func() error {
			db, err := storage.OpenDB(context.Background(), dsn, storage.DBOptions{})
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
	if rs, err := storagetest.OpenRows(t, dsn, time.Now).Runs(t.Context()); err != nil || len(rs) != 6 {
		t.Errorf("%d runs, %v", len(rs), err)
	}
}

// TestTwoProcesses has two processes work on one database at once: each waits for the other's writes, none fails, and
// every task is ended once.
func TestTwoProcesses(t *testing.T) {
	const tasks = 200
	dsn := sqlite(t)
	db := storagetest.OpenRows(t, dsn, time.Now)
	var ts []storage.Task
	for i := range int64(tasks) {
		ts = append(ts, storage.Task{Host: fmt.Sprint("h", i%40), Run: 1, ID: i, Due: 1})
	}
	if _, err := db.Enqueue(t.Context(), ts); err != nil {
		t.Fatal(err)
	}
	var g errgroup.Group
	var mine, others int
	g.Go(func() (err error) {
		mine, err = work(db)
		return err
	})
	g.Go(func() (err error) {
		others, err = strconv.Atoi(inAnotherProcess(t, "work", dsn))
		return err
	})
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if mine+others != tasks {
		t.Errorf("this process ended %d and the other %d, want %d together", mine, others, tasks)
	}
	if open, err := db.Open(t.Context(), 1); err != nil || open {
		t.Errorf("tasks are left, %v", err)
	}
}

// workAlong is the other process's part.
func workAlong(t *testing.T, dsn string) int {
	n, err := work(storagetest.OpenRows(t, dsn, time.Now))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// work ends what is due until nothing is.
func work(db *storage.DB) (n int, err error) {
	ctx := context.Background()
	for {
		ls, err := db.Claim(ctx, storage.Random(5), 2, 3, time.Minute)
		if err != nil {
			return n, err
		}
		var ends []storage.End
		for _, l := range ls {
			for _, tk := range l.Tasks {
				tk.Due, tk.Outcome = storage.Never, "ok"
				ends = append(ends, storage.End{Task: tk, Token: l.Token})
			}
		}
		fenced, err := db.Commit(ctx, nil, ends)
		if err != nil || len(fenced) > 0 {
			return n, fmt.Errorf("fenced %d, %w", fenced, err)
		}
		n += len(ends)
		if err := db.Release(ctx, ls, time.Now()); err != nil {
			return n, err
		}
		if open, err := db.Open(ctx, 1); err != nil || !open {
			return n, err
		}
	}
}

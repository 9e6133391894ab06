package storage_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

func TestSQLiteTails(t *testing.T)   { storagetest.Tails(t, sqlite) }
func TestPostgresTails(t *testing.T) { storagetest.Tails(t, server) }

// TestTailsOfOld: an archive of an older version has its addresses noted once they are asked for.
func TestTailsOfOld(t *testing.T) {
	dsn := sqlite(t)
	db := storagetest.OpenRows(t, dsn, time.Now)
	storagetest.Tailed(t, db, 1200)
	raw, err := sql.Open("sqlite", strings.TrimPrefix(dsn, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, q := range []string{`DELETE FROM tails`, `INSERT INTO untailed VALUES (''), ('s')`} {
		if _, err := raw.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := db.FillTails(t.Context()); err != nil {
			t.Fatal(err)
		}
		if out, err := db.URLsEnding(t.Context(), "c", "story-1111-of-the-day–politics.html", 5); err != nil || len(out) != 1 {
			t.Errorf("%q, %v", out, err)
		}
	}
}

// BenchmarkTails looks for what is left of an address among 100,000: for an end that one has, and for one that all have.
func BenchmarkTails(b *testing.B) {
	for name, rows := range map[string]storagetest.Rows{"sqlite": sqlite, "postgres": server} {
		db := storagetest.OpenRows(b, rows(b), time.Now)
		storagetest.Tailed(b, db, 100_000)
		for what, f := range map[string]func() ([]string, error){
			"one": func() ([]string, error) {
				return db.URLsEnding(b.Context(), "c", "story-77777-of-the-day–politics.html", 21)
			},
			"all": func() ([]string, error) { return db.URLsEnding(b.Context(), "c", "–politics.html", 21) },
			"head": func() ([]string, error) {
				return db.URLsBeginning(b.Context(), "c", "https://host277.example.org/2016/06/story-77777", 21)
			},
		} {
			b.Run(name+"/"+what, func(b *testing.B) {
				for b.Loop() {
					if out, err := f(); err != nil || len(out) == 0 {
						b.Fatal(out, err)
					}
				}
			})
		}
	}
}

func FuzzTail(f *testing.F) {
	f.Add("https://a.test/%E2%80%93x--y–z/?q#f")
	f.Fuzz(func(t *testing.T, s string) {
		tail := storage.Tail(s)
		if strings.Contains(tail, "--") || !utf8.ValidString(tail) || utf8.RuneCountInString(tail) > 300 {
			t.Fatalf("%q", tail)
		}
	})
}

package storage_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

func TestMain(m *testing.M) {
	// A history that fails is printed; no file of it stays. Command-line flags still win.
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.checks": "40"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m, storagetest.Leaks()...)
}

// emptyDB is an empty database with its schema, made once.
var emptyDB = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "linkstead-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "db")
	db, err := storage.OpenDB(context.Background(), "sqlite:"+path, storage.DBOptions{})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// sqlite makes an empty database in a folder of the test.
func sqlite(t testing.TB) string {
	t.Helper()
	b, err := emptyDB()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "linkstead.db")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

func TestSQLiteFrontier(t *testing.T) { storagetest.Frontier(t, sqlite) }
func TestSQLiteRuns(t *testing.T)     { storagetest.Runs(t, sqlite) }
func TestSQLiteIndex(t *testing.T)    { storagetest.Index(t, sqlite) }
func TestSQLiteSpan(t *testing.T)     { storagetest.IndexSpan(t, sqlite) }
func TestSQLiteSegments(t *testing.T) { storagetest.Segments(t, sqlite) }
func TestSQLiteHostile(t *testing.T)  { storagetest.Hostile(t, sqlite) }
func TestSQLiteLinks(t *testing.T)    { storagetest.Links(t, sqlite) }
func TestSQLiteTexts(t *testing.T)    { storagetest.Texts(t, sqlite) }

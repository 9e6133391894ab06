package storage_test

import (
	"errors"
	"testing"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

func TestSQLiteNotes(t *testing.T)   { storagetest.Notes(t, sqlite) }
func TestPostgresNotes(t *testing.T) { storagetest.Notes(t, server) }

func TestReadNote(t *testing.T) {
	const good = `{"id":"a","kind":"repair","subject":"p","seq":3,"target":"t","at":"2026-01-02T03:04:05.000006Z","body":{"x":1}}`
	n, err := storage.ReadNote([]byte(good))
	if err != nil || n.ID != "a" || n.Seq != 3 || n.Target != "t" || string(n.Body) != `{"x":1}` || n.At.Nanosecond() != 6000 {
		t.Errorf("%+v, %v", n, err)
	}
	for _, bad := range []string{``, `[]`, `{}`, `{"id":7}`, `{"id":"a","kind":"repair","subject":"p","at":"2026-01-02T03:04:05Z"}`,
		`{"id":"a","kind":"repair","subject":"p","seq":-1,"at":"2026-01-02T03:04:05Z","body":{}}`, `{"kind":"repair","subject":"p","at":"2026-01-02T03:04:05Z","body":{}}`} {
		if _, err := storage.ReadNote([]byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
	if _, err := storage.ReadNote([]byte(`{}`)); !errors.Is(err, storage.ErrNote) {
		t.Error(err)
	}
}

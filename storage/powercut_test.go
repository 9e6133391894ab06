package storage_test

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// TestOpenDBPowerCut cuts the power while a database is made, and later: it can be opened whatever is left of it, and what
// was committed is there, its folder and all.
func TestOpenDBPowerCut(t *testing.T) {
	cut, top := storagetest.NewPowerCutFS(storage.OS{}), t.TempDir()
	if err := cut.Settle(top); err != nil {
		t.Fatal(err)
	}
	db, err := storage.OpenDB(t.Context(), "sqlite:"+filepath.Join(top, "new", "archive", "x.db"), storage.DBOptions{FS: cut, VFS: cut.VFS(t)})
	if err != nil {
		t.Fatal(err)
	}
	begun, err := db.StartRun(t.Context(), storage.Run{Collection: "default", Source: "http://a.test/", Spec: []byte(`{}`), Started: db.Now()}, nil,
		[]storage.Task{{Host: "a.test", ID: 1, URL: "http://a.test/", Kind: "page", Due: 1}})
	committed := cut.Moments()
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	moments, cuts := cut.Moments(), 24
	at := []int{committed, moments}
	for n := range cuts {
		at = append(at, n*moments/cuts+rand.IntN(moments/cuts))
	}
	for n, moment := range at {
		seed := uint64(n/2) * rand.Uint64() // the first two: the harshest cut
		left := t.TempDir()
		if err := cut.CloneAt(moment, seed, top, left); err != nil {
			t.Fatal(err)
		}
		db, err := storage.OpenDB(t.Context(), "sqlite:"+filepath.Join(left, "new", "archive", "x.db"), storage.DBOptions{})
		if err != nil {
			t.Errorf("cut at moment %d of %d (%s), seed %d: %v", moment, moments, cut.What(moment), seed, err)
			continue
		}
		if r, err := db.Run(t.Context(), begun.ID); moment >= committed && (err != nil || r.Source != begun.Source) {
			t.Errorf("cut at moment %d of %d (%s), seed %d: run %+v, %v", moment, moments, cut.What(moment), seed, r, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

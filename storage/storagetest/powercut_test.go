package storagetest

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"linkstead/storage"

	_ "modernc.org/sqlite" // what is cut
)

// TestPowerCutSQLite proves the simulator: commits that SQLite does not sync are lost in it, those that it does sync are
// not, and never is the database damaged unless SQLite was told not to sync at all.
func TestPowerCutSQLite(t *testing.T) {
	for _, tc := range []struct {
		journal, synchronous string
		loses, damages       bool
	}{
		{journal: "WAL", synchronous: "FULL"},
		{journal: "WAL", synchronous: "NORMAL", loses: true},
		{journal: "WAL", synchronous: "OFF", loses: true, damages: true},
		{journal: "DELETE", synchronous: "EXTRA"},
		{journal: "DELETE", synchronous: "OFF", loses: true, damages: true},
	} {
		t.Run(tc.journal+"-"+tc.synchronous, func(t *testing.T) {
			t.Parallel()
			const seeds = 3
			cut, dir := NewPowerCutFS(storage.OS{}), t.TempDir()
			acked := commits(t, cut, dir, tc.journal, tc.synchronous)
			var lost, damaged int
			for moment := range cut.Moments() + 1 {
				for seed := range uint64(seeds) {
					dst := t.TempDir()
					if err := cut.CloneAt(moment, seed, dir, dst); err != nil {
						t.Fatal(err)
					}
					want := 0
					for want < len(acked) && acked[want] <= moment {
						want++
					}
					got, sound := rowsOf(filepath.Join(dst, "x.db"))
					if !sound {
						damaged++
					} else if got < want {
						lost++
					}
					if !tc.damages && !sound || !tc.loses && got < want {
						t.Errorf("cut after step %d (%s), seed %d: %d rows, %d were acknowledged; sound: %v", moment, cut.What(moment), seed, got, want, sound)
					}
					if err := os.RemoveAll(dst); err != nil {
						t.Fatal(err)
					}
				}
			}
			if tc.loses && lost == 0 || tc.damages && damaged == 0 {
				t.Errorf("%d cuts at each of %d moments lost commits in %d and did damage in %d: too few to show anything", seeds, cut.Moments(), lost, damaged)
			}
		})
	}
}

// commits makes rows one by one, with checkpoints in between, and tells the moment at which each was acknowledged.
func commits(t *testing.T, cut *PowerCutFS, dir, journal, synchronous string) (acked []int) {
	t.Helper()
	db, err := sql.Open("sqlite", fmt.Sprintf("file:%s?vfs=%s&_pragma=journal_mode(%s)&_pragma=synchronous(%s)",
		filepath.Join(dir, "x.db"), cut.VFS(t), journal, synchronous))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	exec := func(stmt string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(context.Background(), stmt, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`CREATE TABLE x (n INTEGER PRIMARY KEY, body BLOB)`)
	for n := range 6 {
		exec(`INSERT INTO x VALUES (?, ?)`, n, bytes.Repeat([]byte{byte(n)}, 900))
		acked = append(acked, cut.Moments())
		if n%3 == 2 {
			exec(`UPDATE x SET body = ? WHERE n = 0`, bytes.Repeat([]byte{byte(n)}, 7000))
			exec(`PRAGMA wal_checkpoint(PASSIVE)`)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return acked
}

// rowsOf counts the rows that are left, and tells whether the database is whole.
func rowsOf(path string) (n int, sound bool) {
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return 0, false
	}
	defer db.Close()
	var check string
	if err := db.QueryRow(`PRAGMA integrity_check`).Scan(&check); err != nil || check != "ok" {
		return 0, false
	}
	var tables int
	if err := db.QueryRow(`SELECT count(*) FROM sqlite_schema`).Scan(&tables); err != nil || tables == 0 {
		return 0, err == nil
	}
	err = db.QueryRow(`SELECT count(*) FROM x`).Scan(&n)
	return n, err == nil
}

// TestPowerCutRemembersAll: with all that was done since the last sync, the clone is what is on the disk.
func TestPowerCutRemembersAll(t *testing.T) {
	cut, dir := NewPowerCutFS(storage.OS{}), t.TempDir()
	commits(t, cut, dir, "WAL", "NORMAL")
	for _, f := range cut.now.files {
		f.sync()
	}
	path := filepath.Join(dir, "x.db")
	want, err := os.ReadFile(path)
	if err != nil || len(want) == 0 {
		t.Fatal(err)
	}
	if got := cut.now.file(cut.now.holds(path)).durable; !bytes.Equal(got, want) {
		t.Errorf("%d bytes are remembered that are not the %d on the disk", len(got), len(want))
	}
	if id := cut.now.holds(path + "-wal"); id != 0 {
		t.Errorf("the write-ahead log went with the last connection, and is remembered as file %d", id)
	}
}

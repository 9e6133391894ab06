package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"linkstead/storage/storagetest"
)

// Stories name their archives by capital letters: --archive A. They run twice: with each archive in a folder, and with its
// bytes in S3 and its rows in PostgreSQL. The flags are rewritten for the second time; commands of ours find out where an
// archive lies by these variables.
const (
	varBucket = "STORY_BUCKET" // folder in which the S3 server keeps the story's objects
	varDSN    = "STORY_DSN"    // of the story's database, which has a schema for each archive
)

var archiveFlag = regexp.MustCompile(`--archive ([A-Z])\b`)

// onServers writes the stories of a folder anew as they run with S3 and PostgreSQL, and returns where. A story that names
// no archive of its own is the same there, and left out.
func onServers(t testing.TB, dir string) (string, func(*testscript.Env)) {
	t.Helper()
	s3, pg := storagetest.S3(t), storagetest.Postgres(t)
	out := t.TempDir()
	names, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	where := map[string][2]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !archiveFlag.Match(text) {
			continue
		}
		bucket, dsn := s3.NewBucket(t), pg.DSN(t)
		anew := archiveFlag.ReplaceAllStringFunc(string(text), func(m string) string {
			letter := m[len(m)-1:]
			return fmt.Sprintf("--archive s3://%s/%s --db '%s' --spool %s/spool", bucket, letter, inSchema(dsn, letter), letter)
		})
		if err := os.WriteFile(filepath.Join(out, filepath.Base(name)), []byte(anew), 0o644); err != nil {
			t.Fatal(err)
		}
		where[strings.TrimSuffix(filepath.Base(name), ".txtar")] = [2]string{filepath.Join(s3.Folder, bucket), dsn}
	}
	return out, func(e *testscript.Env) {
		at := where[strings.TrimPrefix(filepath.Base(e.WorkDir), "script-")]
		e.Setenv(varBucket, at[0])
		e.Setenv(varDSN, at[1])
		for _, v := range s3.Env() {
			name, value, _ := strings.Cut(v, "=")
			e.Setenv(name, value)
		}
	}
}

// inSchema is a database's name with the schema of one archive.
func inSchema(dsn, letter string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		panic(err) // of our own making
	}
	q := u.Query()
	q.Set("search_path", strings.ToLower(letter))
	u.RawQuery = q.Encode()
	return u.String()
}

// warcFolder is the folder that holds the objects of a story's archive.
func warcFolder(ts *testscript.TestScript, archive string) string {
	if bucket := ts.Getenv(varBucket); bucket != "" {
		return filepath.Join(bucket, archive)
	}
	return ts.MkAbs(archive)
}

// rowsOf names the database of a story's archive.
func rowsOf(ts *testscript.TestScript, archive string) string {
	if dsn := ts.Getenv(varDSN); dsn != "" {
		return inSchema(dsn, archive)
	}
	return "sqlite:" + filepath.Join(ts.MkAbs(archive), "linkstead.db")
}

package storage

import (
	"io"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// dialect holds the few words in which the databases differ.
type dialect struct {
	skipLocked string    // appended to the claim's inner SELECT
	forUpdate  string    // appended to a SELECT that locks rows
	forShare   string    // appended to a SELECT whose rows must not change before the transaction ends
	in         [2]string // around a SELECT whose rows are the ones meant; on PostgreSQL it must not be run more than once
	server     bool      // each statement is a trip to a server: many rows travel as arrays, in one
}

var (
	sqlite   = dialect{in: [2]string{"IN (", ")"}}
	postgres = dialect{in: [2]string{"= ANY(ARRAY(", "))"}, skipLocked: " FOR UPDATE SKIP LOCKED", forUpdate: " FOR UPDATE",
		forShare: " FOR SHARE", server: true}
)

// places writes n placeholders from the from-th on. In long lists SQLite wants them without numbers.
func (d dialect) places(n, from int) string {
	var sb strings.Builder
	for i := range n {
		if i > 0 {
			sb.WriteByte(',')
		}
		if d.server {
			sb.WriteString("$" + strconv.Itoa(from+i))
		} else {
			sb.WriteByte('?')
		}
	}
	return sb.String()
}

// ownLines is a schema with the lines alone that are for one kind of database: those behind "-- only KIND:", up to "-- both:" or
// those for another kind.
type ownLines struct {
	fs.FS
	kind string
}

// Open gives a migration without what is for others.
func (o ownLines) Open(name string) (fs.File, error) {
	return rewritten(o.FS, name, func(text string) string {
		var sb strings.Builder
		of := ""
		for line := range strings.Lines(text) {
			switch said := strings.TrimSpace(line); {
			case said == "-- both:" || strings.HasPrefix(said, "-- +goose Up") || strings.HasPrefix(said, "-- +goose Down"):
				of = ""
			case strings.HasPrefix(said, "-- only "):
				of = strings.TrimSuffix(strings.TrimPrefix(said, "-- only "), ":")
			}
			if of == "" || of == o.kind {
				sb.WriteString(line)
			}
		}
		return sb.String()
	})
}

// byteOrder is the schema for PostgreSQL: every TEXT column compares bytes, whatever the locale of the database. Keys
// are ranges of bytes here, and SQLite compares them so.
type byteOrder struct{ fs.FS }

var textType = regexp.MustCompile(`\bTEXT\b`)

// Open gives a migration with its TEXT columns' collation.
func (b byteOrder) Open(name string) (fs.File, error) {
	return rewritten(b.FS, name, func(text string) string { return textType.ReplaceAllString(text, `TEXT COLLATE "C"`) })
}

// rewritten opens a file of SQL with its text changed.
func rewritten(files fs.FS, name string, change func(string) string) (fs.File, error) {
	f, err := files.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return f, err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		_ = f.Close() // the error of reading is told
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return &textFile{Reader: strings.NewReader(change(string(text))), name: name}, nil
}

// textFile is a file whose text has been rewritten.
type textFile struct {
	*strings.Reader
	name string
}

// The methods of fs.File and fs.FileInfo.
func (f *textFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *textFile) Close() error               { return nil }
func (f *textFile) Name() string               { return f.name }
func (f *textFile) Mode() fs.FileMode          { return 0o444 }
func (f *textFile) ModTime() time.Time         { return time.Time{} }
func (f *textFile) IsDir() bool                { return false }
func (f *textFile) Sys() any                   { return nil }

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"linkstead/configs"
	"linkstead/storage"
)

// doctorCmd proves the store, the database and the spool that the settings name.
type doctorCmd struct {
	Big  configs.Size `default:"64MiB" help:"Size of the big blob that is put and read (default 64MiB)." placeholder:"SIZE"`
	JSON bool         `help:"Print JSON."`
}

// diagnosis is what 'linkstead doctor --json' prints.
type diagnosis struct {
	Version  int               `json:"version"`
	Blobs    string            `json:"blobs"`
	Database string            `json:"database"`
	Spool    string            `json:"spool"`
	OK       bool              `json:"ok"`
	Findings []storage.Finding `json:"findings"`
}

const diagnosisVersion = 1

func (c *doctorCmd) run(ctx context.Context, e *env) error {
	if err := e.cfg.Validate(); err != nil {
		return usageError{err}
	}
	d := &diagnosis{Version: diagnosisVersion, Blobs: e.cfg.BlobStore(), Database: configs.Redact(e.cfg.Database()), Spool: e.cfg.SpoolDir(), OK: true}
	if !c.JSON {
		fmt.Fprintf(e.stdout, "Blobs     %s\nDatabase  %s\nSpool     %s\n\n", d.Blobs, d.Database, d.Spool)
	}
	err := c.examine(ctx, e, func(f storage.Finding) {
		d.OK = d.OK && f.OK
		d.Findings = append(d.Findings, f)
		if !c.JSON {
			printFinding(e.stdout, f)
		}
	})
	if err != nil {
		return err
	}
	if c.JSON {
		if err := encode(e.stdout, d); err != nil {
			return err
		}
	} else if d.OK {
		fmt.Fprintln(e.stdout, "\nAll is well. What was made for this is removed again.")
	} else {
		fmt.Fprintln(e.stdout, "\nNot all is well. What was made for this is removed again.")
	}
	if !d.OK {
		return exitError(exitFailed)
	}
	return nil
}

// examine goes through the places. One that can't be opened at all is a finding, and the others are still examined.
func (c *doctorCmd) examine(ctx context.Context, e *env, tell func(storage.Finding)) error {
	temp := storage.Nearest(e.cfg.SpoolDir())
	x := &storage.Exam{Temp: temp, Big: int64(c.Big), Need: max(int64(e.cfg.SpoolFree), 2*int64(e.cfg.Segment.Size)), Tell: tell}
	err := x.Spool(ctx, e.cfg.SpoolDir(), e.fs)
	if err == nil {
		err = c.examineBlobs(ctx, e, x)
	}
	if err == nil {
		err = x.Rows(ctx, e.cfg.Database())
	}
	return err
}

func (c *doctorCmd) examineBlobs(ctx context.Context, e *env, x *storage.Exam) (err error) {
	path, folder := strings.CutPrefix(e.cfg.BlobStore(), "dir:")
	if folder {
		was := storage.Nearest(path)
		defer func() { err = errors.Join(err, removeMade(path, was)) }()
	}
	b, err := storage.OpenBlobs(ctx, e.cfg.BlobStore(), storage.BlobOptions{FS: e.fs, S3: storage.S3Options(e.cfg.S3), Getenv: e.getenv, Log: e.terse()})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f := storage.Finding{Part: "blobs", Check: "connect", OK: err == nil}
	if err != nil {
		f.Detail, f.Means, f.Try = err.Error(), "nothing can be stored or read", "what the error says"
		x.Tell(f)
		return nil
	}
	if f.Detail = b.String(); b.S3() != nil {
		f.Detail = fmt.Sprintf("%s at %s, as %s", b, b.S3().Endpoint(), b.S3().Who())
	}
	x.Tell(f)
	defer func() { err = errors.Join(err, b.Close()) }()
	if s := b.S3(); s != nil {
		return x.Blobs(ctx, s, s)
	}
	return x.Blobs(ctx, b.BlobReader, b.BlobWriter)
}

// removeMade removes the folders from path up to the one that was there before. What holds something stays.
func removeMade(path, was string) error {
	for p := filepath.Clean(path); p != was && p != filepath.Dir(p); p = filepath.Dir(p) {
		if inside, err := os.ReadDir(p); errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil || len(inside) > 0 {
			return err
		}
		if err := os.Remove(p); err != nil {
			return err
		}
	}
	return nil
}

func printFinding(w io.Writer, f storage.Finding) {
	word := "ok"
	if !f.OK {
		word = "FAILED"
	}
	fmt.Fprintf(w, "%-7s %-6s %-23s %s\n", word, f.Part, f.Check, strings.ReplaceAll(f.Detail, "\n", "; "))
	if !f.OK {
		fmt.Fprintf(w, "        It means  %s\n        Try       %s\n", f.Means, f.Try)
	}
}

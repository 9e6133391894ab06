package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"linkstead/archive/report"
	"linkstead/crawler"
)

// previewed reads what the collection says, if there is an archive.
func (c *captureCmd) previewed(ctx context.Context, e *env, jobs []*job) (err error) {
	if path, embedded := strings.CutPrefix(e.cfg.Database(), "sqlite:"); embedded && empty(path) {
		return nil
	}
	s, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	return errors.Join(c.inherit(ctx, e, s, jobs), s.close())
}

// preview tells what would be captured.
func (c *captureCmd) preview(ctx context.Context, e *env, jobs []*job) error {
	if err := c.previewed(ctx, e, jobs); err != nil {
		return err
	}
	sites, err := e.sites()
	if err != nil {
		return err
	}
	var failed error
	for _, j := range jobs {
		rec := recorder(e.cfg, os.TempDir(), j.spec)
		if rec.Session, err = asking(sites)(j.spec); err != nil {
			return err
		}
		p, err := crawler.Preview(ctx, rec, j.spec, j.doc, e.now())
		rec.Close()
		if err != nil {
			return err
		}
		if c.JSON {
			err = encode(e.stdout, p)
		} else {
			printPreview(e.stdout, p)
		}
		if err != nil {
			return err
		}
		if f := (report.Fate{Outcome: p.Outcome, Status: p.Status}); f.Failure() != "" {
			failed = exitError(exitFailed)
		}
	}
	return failed
}

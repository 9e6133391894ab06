package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"linkstead/archive/report"
	"linkstead/crawler"
	"linkstead/crawler/robots"
)

// previewed opens the tables and gives the jobs what their collection says, if there is an archive; nil if there is none.
func (c *captureCmd) previewed(ctx context.Context, e *env, jobs []*job) (*store, error) {
	if path, embedded := strings.CutPrefix(e.cfg.Database(), "sqlite:"); embedded && empty(path) {
		return nil, nil
	}
	s, err := e.openTables(ctx, false)
	if err != nil {
		return nil, err
	}
	if err := c.inherit(ctx, e, s, jobs); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// preview tells what would be captured.
func (c *captureCmd) preview(ctx context.Context, e *env, jobs []*job) (err error) {
	s, err := c.previewed(ctx, e, jobs)
	if err != nil {
		return err
	}
	if s != nil {
		defer func() { err = errors.Join(err, s.close()) }()
	}
	sites, err := e.sites()
	if err != nil {
		return err
	}
	var failed error
	for _, j := range jobs {
		if err := c.pointless(&j.spec); err != nil {
			return err
		}
		v := &crawler.Preview{
			Recorder: recorder(e.cfg, os.TempDir(), j.spec), Agent: robots.ProductToken(e.cfg.Agent(version)), Now: e.now,
			Say: func(text string) { fmt.Fprintln(e.stderr, text) },
		}
		if s != nil {
			v.Hosts = s.db
		}
		if v.Recorder.Session, err = asking(sites)(j.spec); err != nil {
			return err
		}
		p, err := v.Plan(ctx, j.spec, j.doc)
		v.Recorder.Close()
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

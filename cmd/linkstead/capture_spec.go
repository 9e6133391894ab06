package main

import (
	"context"
	"fmt"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/configs"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// overlay lays the flags on the configuration.
func (c *captureCmd) overlay(cfg *configs.Config) {
	set(&cfg.Collection, c.Collection)
	set(&cfg.Cookies, c.Cookies)
	set(&cfg.Language, c.Language)
	set(&cfg.Robots, c.Robots)
	set(&cfg.Concurrency, c.Concurrency)
	set(&cfg.PerHost, c.PerHost)
	set(&cfg.Delay, c.Delay)
	set(&cfg.Retries, c.Retries)
	if len(c.Resolve) > 0 {
		cfg.Resolve = append(cfg.Resolve, c.Resolve...)
	}
	cfg.AllowPrivate = cfg.AllowPrivate || c.AllowPrivate
	set(&cfg.TLS.Verify, c.TLSVerify)
	cfg.Recrawl.Conditional = cfg.Recrawl.Conditional && !c.NoConditional
	c.places.overlay(cfg)
}

func set[T any](to *T, flag *T) {
	if flag != nil {
		*to = *flag
	}
}

// spec is the run that the flags ask for, for one source.
func (c *captureCmd) spec(cfg configs.Config, source string) scope.Spec {
	s := scope.Default()
	s.Source, s.Base, s.Dated, s.Exclude = source, c.Base, c.Date, c.Exclude
	s.Robots, s.Collection = scope.Policy(cfg.Robots), cfg.Collection
	c.choose(&s)
	s.MaxRequisites, s.MaxRedirects, s.Retries = cfg.Limits.Requisites, cfg.Limits.Redirects, cfg.Retries
	s.Traps, s.Sitemaps = trapsOf(cfg), mapsOf(c.Sitemaps)
	s.PerHost, s.DelayMS = cfg.PerHost, time.Duration(cfg.Delay).Milliseconds()
	s.Language = cfg.Language
	s.AllowPrivate, s.Resolve, s.RequireValid = cfg.AllowPrivate, cfg.Resolve, cfg.TLS.Verify == tlsRequire
	s.Unconditional = !cfg.Recrawl.Conditional
	return s
}

// trapsOf are the limits against traps that the settings ask for.
func trapsOf(cfg configs.Config) scope.Traps {
	t := cfg.Traps
	return scope.Traps{
		Length: t.Length, Path: t.Path, Fields: t.Fields, Repeats: t.Repeats, Growth: t.Growth, Ahead: t.Ahead, Back: t.Back,
		Host: int64(t.Host), Depth: int64(t.Depth), Pattern: int64(t.Pattern), Same: int64(t.Same), Lists: int64(t.Lists),
		Nested: int64(t.Nested), NestedHost: int64(t.NestedHost),
	}
}

// mapsOf is what a flag says of sitemaps; nothing if it was not given.
func mapsOf(flag *bool) scope.Maps {
	switch {
	case flag == nil:
		return ""
	case *flag:
		return scope.MapsRead
	}
	return scope.MapsLeave
}

// choose lays the flags that a collection may set, too, on a spec.
func (c *captureCmd) choose(s *scope.Spec) {
	if c.Links != "" {
		s.Links = scope.Links(c.Links)
	}
	if c.Scope != "" {
		s.Scope = scope.Bound(c.Scope)
	}
	if c.Depth != nil {
		s.Depth = *c.Depth
	}
}

// inherit gives the runs what their collection says of its captures, where neither flags nor settings say it.
func (c *captureCmd) inherit(ctx context.Context, e *env, s *store, jobs []*job) error {
	about, err := s.about(ctx, e.cfg.Collection)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if err := inherit(&j.spec, about); err != nil {
			return err
		}
		c.choose(&j.spec)
		if c.Robots != nil || e.cfg.Given("robots") {
			j.spec.Robots = scope.Policy(e.cfg.Robots)
		}
	}
	return nil
}

// pointless is an error if flags ask for what only a crawl does, and none was asked for.
func (c *captureCmd) pointless(s *scope.Spec) error {
	flag := ""
	switch {
	case s.Depth > 0:
	case c.Scope != "":
		flag = "--scope"
	case c.Sitemaps != nil && *c.Sitemaps:
		flag = "--sitemaps"
	}
	if flag == "" {
		return nil
	}
	return usageError{fmt.Errorf("%s does nothing without --depth: it is about pages beyond the post's own links\nAdd --depth, 1 or more, or leave it out", flag)}
}

// job is one source and its run.
type job struct {
	spec scope.Spec
	doc  *storage.Document
	run  storage.Run
	gaps *gaps // what an earlier run lacks, if that is all that is asked for
}

// jobs reads the sources and checks what is asked of them, before any work starts.
func (c *captureCmd) jobs(e *env) ([]*job, error) {
	if c.Base != "" {
		base, err := urlkey.Parse("", c.Base)
		if err != nil || !urlkey.Fetchable(base) {
			return nil, usageError{fmt.Errorf("--base %q is no http(s) address", c.Base)}
		}
	}
	if day := c.Date[:min(len(c.Date), len(time.DateOnly))]; len(day) >= len("2016-02") {
		if _, err := time.Parse(time.DateOnly[:len(day)], day); err != nil {
			return nil, usageError{fmt.Errorf("--date %q is no day of the calendar: write it as 2024, 2024-05 or 2024-05-17", c.Date)}
		}
	}
	var jobs []*job
	for _, arg := range c.Sources {
		name, doc, err := e.source(arg)
		if err != nil {
			return nil, err
		}
		if doc == nil && hasUser(arg) {
			fmt.Fprintln(e.stderr, "The name and the password in the address are left out: what a site is to be asked with stands in the configuration, under sites.")
		}
		j := &job{spec: c.spec(e.cfg, name), doc: doc}
		if j.spec.Cookies, err = cookies(e.cfg.Cookies); err != nil {
			return nil, err
		}
		if _, err := j.spec.Compile(); err != nil {
			return nil, usageError{err}
		}
		if doc == nil && c.Base != "" {
			return nil, usageError{fmt.Errorf("--base is for documents; %s is an address and its own base", name)}
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"linkstead/archive/report"
	"linkstead/archive/urlkey"
	"linkstead/cmd/linkstead/web"
	"linkstead/configs"
)

// auditCmd looks at the links of documents once, and keeps nothing.
type auditCmd struct {
	Sources []string `arg:"" name:"source" help:"An http(s) address, an HTML, Markdown, text, PDF, RSS, Atom or JSON Feed file, a folder (its HTML, Markdown and text files), or - for standard input."`

	Offline bool   `help:"Only read the sources: what they cite, and where citations are damaged. Nothing is asked of links."`
	Format  string `help:"text, html (one file, to print or send), json, junit, or csv (a line a citation). Without it as the name of --output ends; else text." enum:",text,html,json,junit,csv" default:"" placeholder:"FORMAT"`
	JSON    bool   `name:"json" help:"The same as --format json."`
	Output  string `short:"o" help:"Write into this file instead of standard output." placeholder:"FILE"`

	FailOn    []string `help:"What exit code 1 is for, comma-separated: broken, blocked (not shown to programs), redirected, unchecked, damaged (citations that almost certainly lost their link), fragment (places that pages do not have, with --fragments), or none. Without it: broken,fragment. A source that can't be read, and --max-time, always count." enum:"broken,blocked,redirected,unchecked,damaged,fragment,none" default:"broken,fragment" placeholder:"WHAT"`
	Accept    string   `help:"Answers that are fine, such as 200..=299,403 or 2xx,403." default:"200..=299" placeholder:"STATUS"`
	Fragments bool     `help:"Look for the places that links point to (#anchor, #:~:text=words) in their pages and files, too."`
	Insecure  bool     `help:"Certificates that do not verify are fine."`

	Links   string   `help:"Which links of a page are looked at: content, outbound, all; without it, content and outbound together." enum:",content,outbound,all" default:"" placeholder:"WHICH"`
	Include []string `help:"Look only at addresses that match (RE2), whatever --exclude says; with --exclude, at those besides the ones that it leaves; repeatable." placeholder:"REGEX" sep:"none"`
	Exclude []string `help:"Leave out addresses that match (RE2); repeatable." placeholder:"REGEX" sep:"none"`
	Base    string   `name:"base-url" help:"What the relative links of files are resolved against. Without it, they are looked for as files." placeholder:"URL"`
	Root    string   `name:"root-dir" help:"The folder where the links of files begin that begin with a slash. Without it, they are left out." placeholder:"DIR"`

	MaxConcurrency *int              `help:"Requests at the same time." placeholder:"N"`
	PerHost        *int              `help:"Requests at the same time to one host." placeholder:"N"`
	Delay          *configs.Duration `help:"Pause between requests to one host, such as 500ms." placeholder:"TIME"`
	Retries        *int              `help:"Tries after the first, for failures that may pass." placeholder:"N"`
	Timeout        *configs.Duration `help:"For one request." placeholder:"TIME"`
	MaxTime        *configs.Duration `help:"For the whole audit; 0s: no bound." placeholder:"TIME"`
	MaxRedirects   *int              `help:"Redirects in a row." placeholder:"N"`
	Robots         *string           `help:"What robots.txt means: obey, or ignore (it is not asked for)." enum:"obey,ignore" placeholder:"POLICY"`
	Resolve        []string          `help:"HOST:PORT:ADDRESS as in curl; repeatable." placeholder:"ENTRY" sep:"none"`
	AllowPrivate   bool              `help:"Allow private and loopback addresses."`

	include, exclude []*regexp.Regexp
	accept           statuses
}

func (c *auditCmd) run(ctx context.Context, e *env) error {
	if err := c.prepare(e); err != nil {
		return err
	}
	a := &report.Audit{At: e.now(), Offline: c.Offline, FailOn: c.FailOn}
	docs, err := c.read(ctx, e, a)
	if err != nil {
		return err
	}
	var failed error
	if !c.Offline {
		failed = c.check(ctx, e, a, docs)
		if failed != nil && a.Cut == "" {
			return failed
		}
	}
	for i := range a.Sources {
		a.Sources[i].Count()
	}
	if err := c.tell(e, a); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return exitError(exitInterrupted)
	case a.Failed():
		return exitError(exitFailed)
	}
	return nil
}

// prepare settles the options, and checks them before anything is asked.
func (c *auditCmd) prepare(e *env) (err error) {
	cfg := &e.cfg
	set(&cfg.Audit.Concurrency, c.MaxConcurrency)
	set(&cfg.Audit.PerHost, c.PerHost)
	set(&cfg.Audit.Delay, c.Delay)
	set(&cfg.Audit.Retries, c.Retries)
	set(&cfg.Audit.Timeout, c.Timeout)
	set(&cfg.Audit.MaxTime, c.MaxTime)
	set(&cfg.Audit.Redirects, c.MaxRedirects)
	set(&cfg.Robots, c.Robots)
	cfg.Resolve = append(cfg.Resolve, c.Resolve...)
	cfg.AllowPrivate = cfg.AllowPrivate || c.AllowPrivate
	if err := cfg.ValidateAway(); err != nil {
		return usageError{err}
	}
	if err := c.decide(); err != nil {
		return err
	}
	if c.accept, err = parseStatuses(c.Accept); err != nil {
		return usageError{fmt.Errorf("--accept: %w", err)}
	}
	for _, l := range []struct {
		flag string
		from []string
		to   *[]*regexp.Regexp
	}{{"--include", c.Include, &c.include}, {"--exclude", c.Exclude, &c.exclude}} {
		for _, s := range l.from {
			re, err := regexp.Compile(s)
			if err != nil {
				return usageError{fmt.Errorf("%s %q is no regular expression (RE2): %w", l.flag, s, err)}
			}
			*l.to = append(*l.to, re)
		}
	}
	if err := c.rooted(); err != nil {
		return err
	}
	if slices.Contains(c.FailOn, "none") {
		if len(c.FailOn) > 1 {
			return usageError{errors.New("--fail-on none goes with nothing else: leave it or the rest out")}
		}
		c.FailOn = nil
	}
	return nil
}

// rooted checks where relative links begin.
func (c *auditCmd) rooted() error {
	if c.Base != "" {
		if base, err := urlkey.Parse("", c.Base); err != nil || !urlkey.Fetchable(base) {
			return usageError{fmt.Errorf("--base-url %q is no http(s) address", c.Base)}
		}
	}
	if c.Root == "" {
		return nil
	}
	if c.Base != "" {
		return usageError{errors.New("--base-url and --root-dir do not go together: relative links are asked for on the web, or are files")}
	}
	if st, err := os.Stat(c.Root); err != nil || !st.IsDir() {
		return usageError{fmt.Errorf("--root-dir %q is no folder", c.Root)}
	}
	return nil
}

// decide settles the format: as it is asked for, or as the file is called.
func (c *auditCmd) decide() error {
	if c.JSON && c.Format != "" && c.Format != "json" {
		return usageError{fmt.Errorf("--json and --format %s do not go together: leave one of them out", c.Format)}
	}
	switch ext := strings.TrimPrefix(strings.ToLower(filepath.Ext(c.Output)), "."); {
	case c.JSON:
		c.Format = "json"
	case c.Format != "":
	case ext == "json", ext == "csv", ext == "html":
		c.Format = ext
	case ext == "htm":
		c.Format = "html"
	case ext == "xml":
		c.Format = "junit"
	}
	return nil
}

// tell writes the report.
func (c *auditCmd) tell(e *env, a *report.Audit) error {
	write := func(w io.Writer) error {
		switch c.Format {
		case "json":
			return encode(w, a.Document())
		case "csv":
			return a.WriteCSV(w)
		case "junit":
			return a.WriteJUnit(w)
		case "html":
			return web.WriteAudit(w, a)
		}
		printAudit(w, a)
		return nil
	}
	if c.Output == "" || c.Output == "-" {
		return write(e.stdout)
	}
	return toFile(c.Output, write)
}

// wanted says whether an address is to be looked at by --include and --exclude, as lychee has it: what is included is, even if
// it is excluded; where only includes are given, nothing else is.
func (c *auditCmd) wanted(url string) bool {
	in := func(list []*regexp.Regexp) bool {
		return slices.ContainsFunc(list, func(re *regexp.Regexp) bool { return re.MatchString(url) })
	}
	switch {
	case in(c.include):
		return true
	case len(c.include) > 0 && len(c.exclude) == 0:
		return false
	}
	return !in(c.exclude)
}

// limit bounds the whole audit.
func (c *auditCmd) limit(ctx context.Context, e *env) (context.Context, context.CancelFunc) {
	if d := time.Duration(e.cfg.Audit.MaxTime); d > 0 {
		return context.WithTimeoutCause(ctx, d, errMaxTime)
	}
	return context.WithCancel(ctx)
}

var errMaxTime = errors.New("the time that --max-time or audit.max_time gives it was over")

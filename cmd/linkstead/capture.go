package main

import (
	"context"
	"errors"
	"fmt"

	"linkstead/configs"
)

// captureCmd captures posts.
type captureCmd struct {
	Sources []string `arg:"" name:"source" help:"An http(s) address, an HTML, Markdown, text, PDF, RSS or Atom file, or - for standard input."`

	Collection   *string           `help:"Collection that the captures go into."`
	Links        string            `help:"Which links of the post are its sources: content, outbound, all; without it, content and outbound together." enum:",content,outbound,all" default:"" placeholder:"WHICH"`
	Depth        *int              `help:"Beyond the post's sources, follow links in --scope up to so many hops from the post: 1 takes in its navigation, 2 what that leads to." placeholder:"N"`
	Scope        string            `help:"How far --depth may lead: host (if neither this nor the collection says otherwise), prefix, domain, any." enum:",host,prefix,domain,any" default:"" placeholder:"BOUND"`
	Sitemaps     *bool             `help:"Read the site's sitemaps and feeds for pages, too, from a --depth of 2 on; without it, if the source is the site's front page." negatable:""`
	Exclude      []string          `help:"Leave out addresses that match (RE2); repeatable." placeholder:"REGEX" sep:"none"`
	Base         string            `help:"What the relative links of a file are resolved against." placeholder:"URL"`
	Date         string            `help:"When the post was written: 2016, 2016-02, 2016-02-21." placeholder:"DATE"`
	DryRun       bool              `help:"Fetch the post alone, write nothing, and tell what would be captured. robots.txt is asked first and obeyed, for the post and what stands on its hosts; those of other hosts, which a capture obeys, too, are not asked. An archive that is there learns of the pauses after these requests, and of nothing else."`
	JSON         bool              `name:"json" help:"Print one JSON document on standard output."`
	Cookies      *string           `help:"Cookies: off, session (what servers set is sent back), or a file in Netscape format." placeholder:"MODE"`
	Language     *string           `help:"Accept-Language, such as de-CH, de;q=0.9." placeholder:"LIST"`
	Robots       *string           `help:"What robots.txt means: obey, ignore, record (fetch it, but don't obey)." placeholder:"POLICY"`
	Concurrency  *int              `help:"Hosts at the same time." placeholder:"N"`
	PerHost      *int              `help:"Requests at the same time to one host." placeholder:"N"`
	Delay        *configs.Duration `help:"Pause between requests to one host, such as 500ms." placeholder:"TIME"`
	Retries      *int              `help:"Tries after the first, for failures that may pass." placeholder:"N"`
	Resolve      []string          `help:"HOST:PORT:ADDRESS as in curl; repeatable." placeholder:"ENTRY" sep:"none"`
	AllowPrivate bool              `help:"Allow private and loopback addresses."`
	TLSVerify    *string           `name:"tls-verify" help:"What an invalid certificate means: record (captured, and noted; the default) or require (a failure)." placeholder:"POLICY"`

	Missing       bool `help:"SOURCE is a post that is kept (its short name, or its address): ask for what its newest capture lacks, and for nothing else: what failed, came in part or showed a wall, of the post, its links and what their pages need. Not what was answered for good: 404, 410 and the like, redirects that lead nowhere, what robots.txt forbids."`
	NoConditional bool `name:"no-conditional" help:"Ask for everything anew, not only for what has changed since it was captured."`

	Detach bool `help:"Hand the capture over to whoever works on this archive ('linkstead work', 'linkstead serve'), and print the number of its run."`
	Serve  bool `help:"Serve the archive while and after capturing, until interrupted."`
	places
}

func (c *captureCmd) run(ctx context.Context, e *env) (err error) {
	c.overlay(&e.cfg)
	if err := e.cfg.Validate(); err != nil {
		return usageError{err}
	}
	if c.Detach && (c.Serve || c.DryRun) {
		return usageError{errors.New("--detach goes with neither --serve nor --dry-run\nLeave one of them out")}
	}
	if c.DryRun && (c.Serve || c.places != places{}) {
		return usageError{errors.New("--dry-run goes with none of --serve, --listen, --origin, --replay-listen and --replay-origin: it serves nothing\nLeave them out")}
	}
	if c.Missing {
		return c.missing(ctx, e)
	}
	jobs, err := c.jobs(e)
	if err != nil {
		return err
	}
	if err := e.usable(); err != nil && !c.Detach { // before anything is begun
		return err
	}
	e.patience = patient
	if c.DryRun {
		return c.preview(ctx, e, jobs)
	}
	open := e.open
	if c.Detach {
		open = e.openTables
	}
	s, err := open(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := c.inherit(ctx, e, s, jobs); err != nil {
		return err
	}
	for _, j := range jobs {
		if err := c.pointless(&j.spec); err != nil {
			return err
		}
	}
	serving := func() error { return nil }
	if c.Serve {
		if serving, err = e.serve(ctx, s, &health{s: s}); err != nil {
			return err
		}
	}
	err = c.capture(ctx, e, s, jobs)
	if c.Serve && ctx.Err() == nil && (err == nil || errors.As(err, new(exitError))) {
		fmt.Fprintf(e.stderr, "\nServing the archive on %s — press Ctrl-C to stop.\n", e.cfg.Serve.Pages())
		<-ctx.Done()
	}
	return errors.Join(err, serving())
}

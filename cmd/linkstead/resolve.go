package main

import (
	"context"
	"errors"
	"fmt"

	"linkstead/archive/cite"
	"linkstead/archive/link"
	"linkstead/archive/resolve"
	"linkstead/archive/urlkey"
)

// resolveCmd tells a reader what became of a link.
type resolveCmd struct {
	URL        string  `arg:"" name:"url" help:"The link."`
	At         string  `help:"When it was written: 2016, 2016-02-21, 2016-02-21T10:00:00Z (default: when the first post that cites it was)." placeholder:"DATE"`
	Quote      string  `help:"What the source is to say: copies that have it come first (default: what the first post that quotes it does)." placeholder:"TEXT"`
	Collection *string `help:"Collection to look in."`
	All        bool    `help:"Also copies that access rules keep from readers."`
	JSON       bool    `name:"json" help:"Print JSON, with all the evidence."`
}

func (c *resolveCmd) run(ctx context.Context, e *env) (err error) {
	q := resolve.Question{Collection: e.cfg.Collection, Quote: c.Quote}
	if c.Collection != nil {
		q.Collection = *c.Collection
	}
	if q.URL, err = urlkey.Parse("", c.URL); err != nil || !urlkey.Fetchable(q.URL) {
		return usageError{fmt.Errorf("%q is no http(s) address: write it in full, for example https://example.org/post", c.URL)}
	}
	if c.At != "" {
		var ok bool
		if q.At, ok = cite.ParseDate(c.At); !ok {
			return usageError{fmt.Errorf("--at %q is no date: write it as 2016, 2016-02, 2016-02-21 or 2016-02-21T10:00:00Z", c.At)}
		}
	}
	s, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err = e.openBlobs(ctx, s, false); err != nil {
		return err
	}
	e.unruled = c.All
	a, err := e.resolver(s).Resolve(ctx, q)
	if err != nil {
		return err
	}
	if c.JSON {
		err = encode(e.stdout, &a)
	} else {
		c.print(e, &a)
	}
	if err == nil && a.Does == resolve.Unknown {
		return exitError(exitFailed)
	}
	return err
}

// print tells the answer in words.
func (c *resolveCmd) print(e *env, a *resolve.Answer) {
	fmt.Fprintf(e.stdout, "%s\n  %s\n", a.URL, a.Says)
	if a.To != "" && a.To != a.URL {
		fmt.Fprintf(e.stdout, "  Go to   %s\n", a.To)
	}
	if v := a.Copy; v != nil && v.URL != a.To {
		fmt.Fprintf(e.stdout, "  Copy    %s\n", v.URL)
	}
	for _, v := range a.Others {
		if v.URL != a.To {
			fmt.Fprintf(e.stdout, "  Copy    %s (%s, %s)\n", v.URL, v.Archive, v.At.UTC().Format("2006-01-02"))
		}
	}
	if a.Verdict == link.Unknown && a.Does != resolve.Unknown {
		fmt.Fprintf(e.stdout, "  'linkstead check %s' looks at it now.\n", a.URL)
	}
}

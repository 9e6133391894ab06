package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"

	"linkstead/archive/cdx"
	"linkstead/archive/guard"
	"linkstead/archive/replay"
	"linkstead/storage"
)

// cdxCmd lists captures as the CDX endpoint does.
type cdxCmd struct {
	URL        []string `arg:"" name:"url" help:"URL whose captures to list; one that ends in * stands for all that begin so, *.HOST for a host and those under it, * for all." placeholder:"URL"`
	Collection *string  `help:"Collection to look in."`
	Match      string   `help:"What the URL stands for: exact, prefix, host or domain (default exact, unless it has an asterisk)." placeholder:"HOW"`
	From       string   `help:"Only captures of this time or later: 1 to 14 digits, as in 2016 or 20160221." placeholder:"TIME"`
	To         string   `help:"Only captures of this time or earlier." placeholder:"TIME"`
	Sort       string   `help:"reverse: against the order of the index, so that of each URL the newest capture comes first." placeholder:"ORDER"`
	Closest    string   `help:"The captures nearest to this time first; of one URL." placeholder:"TIME"`
	Limit      int      `help:"Lines at most." placeholder:"N"`
	Filter     []string `help:"Only captures whose field contains a text: [!]FIELD:TEXT, [!]=FIELD:TEXT if it is all of it, [!]~FIELD:REGEX. More than once: all of them." sep:"none" placeholder:"FILTER"`
	Fields     string   `name:"fl" help:"Fields to print, with commas between." placeholder:"FIELDS"`
	All        bool     `help:"Also what access rules keep from readers."`
	Output     string   `help:"Form of the lines: cdxj, json, text, link, cdx (11 fields) or cdx7." default:"cdxj" placeholder:"FORM"`
}

func (c *cdxCmd) run(ctx context.Context, e *env) (err error) {
	name := "web" // of the collection, as addresses have it
	if c.Collection != nil && *c.Collection != e.cfg.Collection {
		name, e.cfg.Collection = *c.Collection, *c.Collection
	}
	var queries []*cdx.Query
	for _, u := range c.URL {
		q, err := c.query(u)
		if err != nil {
			return usageError{err}
		}
		queries = append(queries, q)
	}
	s, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	var rows replay.Rows = &guard.Guard{Rows: s.db, Rules: s.db, Now: s.db.Now}
	if c.All {
		rows = s.db
	}
	l := &replay.Listing{
		Rows: rows, Collection: e.cfg.Collection, MaxRows: math.MaxInt64, MaxTime: math.MaxInt64,
		Memento: func(m *storage.Capture, twin string) string {
			at := m.At.UTC().Format("20060102150405")
			if twin != "" {
				at += "~" + twin
			}
			return strings.TrimSuffix(e.cfg.Serve.Origin(), "/") + "/" + name + "/" + at + "/" + m.URL
		},
	}
	found := 0
	out := bufio.NewWriterSize(e.stdout, 64<<10)
	for _, q := range queries {
		n, err := l.Write(ctx, out, q)
		if found += n; err != nil {
			return errors.Join(named(err), out.Flush())
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if found == 0 {
		return fmt.Errorf("collection %s has no such captures of %s", e.cfg.Collection, strings.Join(c.URL, ", "))
	}
	return nil
}

// query is what the flags ask of one URL, in the words of the endpoint.
func (c *cdxCmd) query(u string) (*cdx.Query, error) {
	v := url.Values{"url": {u}, "filter": c.Filter}
	for name, value := range map[string]string{
		"matchType": c.Match, "from": c.From, "to": c.To, "sort": c.Sort, "closest": c.Closest, "fl": c.Fields, "output": c.Output,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if c.Limit != 0 {
		v.Set("limit", strconv.Itoa(c.Limit))
	}
	q, err := cdx.Parse(cdx.Pywb, v)
	if err == nil {
		err = replay.ResolveURL(q)
	}
	if err != nil {
		return nil, named(err)
	}
	return q, nil
}

// named tells of a parameter as of the flag that gave it.
func named(err error) error {
	var p *cdx.ParamError
	if !errors.As(err, &p) {
		return err
	}
	name := "--" + p.Name
	switch p.Name {
	case "matchType":
		name = "--match"
	case "url":
		name = "URL"
	}
	return fmt.Errorf("%s: %w", name, p.Err)
}

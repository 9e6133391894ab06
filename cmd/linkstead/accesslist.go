package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"linkstead/archive/access"
	"linkstead/archive/guard"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

type accessListCmd struct {
	Collection string `arg:"" optional:"" help:"The collection; without it, all."`
	JSON       bool   `name:"json" help:"Print JSON."`
}

func (c *accessListCmd) run(ctx context.Context, e *env) (err error) {
	s, err := e.openCollection(ctx, c.Collection)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	_, rows, err := s.db.AccessRules(ctx)
	if err != nil {
		return err
	}
	rules := []access.Rule{}
	for _, r := range rulesOf(rows) {
		if c.Collection == "" || r.Collection == c.Collection {
			rules = append(rules, r)
		}
	}
	inOrder(rules)
	if c.JSON {
		return encode(e.stdout, rules)
	}
	if len(rules) == 0 {
		fmt.Fprintln(e.stdout, "No access rules: readers see everything.")
	}
	last := ""
	for i := range rules {
		r := &rules[i]
		if r.Collection != last {
			fmt.Fprintln(e.stdout, r.Collection)
			last = r.Collection
		}
		over := ""
		if overEmbargo(r, e.now()) {
			over = ", which is over"
		}
		fmt.Fprintf(e.stdout, "  %s  %s\n            %s%s; since %s: %s\n", r.ID, clean(r.Pattern), r.Says(), over, access.Day(r.Since.Truncate(time.Second)), clean(r.Reason))
	}
	return nil
}

// overEmbargo says whether a rule is an embargo whose day has come.
func overEmbargo(r *access.Rule, now time.Time) bool {
	return r.Effect == access.Embargo && !r.Until.IsZero() && !r.Until.After(now)
}

type accessCheckCmd struct {
	Collection string `arg:"" help:"The collection."`
	URL        string `arg:"" name:"url" help:"The address."`
	At         string `help:"Of a copy that was captured then (default: now)." placeholder:"DATE"`
	JSON       bool   `name:"json" help:"Print JSON."`
}

// accessJSON is what a reader gets.
type accessJSON struct {
	URL        string       `json:"url"`
	Collection string       `json:"collection"`
	At         time.Time    `json:"at"`
	Status     int          `json:"status"` // 200: it is shown, if it is captured
	Until      *time.Time   `json:"until,omitempty"`
	Rule       *access.Rule `json:"rule,omitempty"` // that decides; none: nothing is said of it
}

func (c *accessCheckCmd) run(ctx context.Context, e *env) (err error) {
	at := e.now().UTC().Truncate(time.Microsecond)
	if c.At != "" {
		if at, err = dateGiven("--at", c.At); err != nil {
			return usageError{err}
		}
	}
	url, err := urlkey.Parse("", c.URL)
	if err != nil {
		return usageError{fmt.Errorf("%.200q is no address: %w", c.URL, err)}
	}
	s, err := e.openCollection(ctx, c.Collection)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	set, err := (&guard.Guard{Rules: s.db, Now: e.now}).Set(ctx, c.Collection)
	if err != nil {
		return err
	}
	v := set.Of(urlkey.Key(url)).At(at, e.now())
	if c.JSON {
		out := accessJSON{URL: url, Collection: c.Collection, At: at, Status: v.Status(), Rule: v.Rule}
		if !v.Until.IsZero() {
			out.Until = &v.Until
		}
		return encode(e.stdout, out)
	}
	switch {
	case v.Rule == nil:
		fmt.Fprintf(e.stdout, "%s is public: no rule is about it.\n", url)
		return nil
	case v.Shown():
		fmt.Fprintf(e.stdout, "%s is public.\n", url)
	case v.Effect == access.Embargo:
		fmt.Fprintf(e.stdout, "%s: %d, until %s.\n", url, v.Status(), access.Day(v.Until))
	default:
		fmt.Fprintf(e.stdout, "%s: %d.\n", url, v.Status())
	}
	fmt.Fprintf(e.stdout, "  by rule %s on %s, %s: %s\n", v.Rule.ID, clean(v.Rule.Pattern), v.Rule.Says(), clean(v.Rule.Reason))
	return nil
}

type accessLogCmd struct {
	Collection string `arg:"" optional:"" help:"The collection; without it, all."`
	JSON       bool   `name:"json" help:"Print JSON."`
}

func (c *accessLogCmd) run(ctx context.Context, e *env) (err error) {
	s, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	audits, err := s.db.Audits(ctx)
	if err != nil {
		return err
	}
	changes := []access.Change{}
	for _, a := range audits {
		if a.Action != storage.ActionAccess {
			continue
		}
		change, err := access.ReadChange(a.Detail)
		if err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		if c.Collection == "" || change.Rule.Collection == c.Collection {
			changes = append(changes, change)
		}
	}
	if c.JSON {
		return encode(e.stdout, changes)
	}
	if len(changes) == 0 {
		fmt.Fprintln(e.stdout, "No access rule was ever set.")
	}
	for _, ch := range changes {
		verb := "lifted"
		if ch.Sets {
			verb = "set"
		}
		fmt.Fprintf(e.stdout, "%s  %s rule %s on %s: %s%s\n  collection %s, %s: %s\n", stamp(ch.At), verb, ch.Rule.ID, clean(ch.Node), clean(ch.Reason), by(ch.By),
			ch.Rule.Collection, clean(ch.Rule.Pattern), ch.Rule.Says())
		if ch.Was != nil {
			fmt.Fprintf(e.stdout, "  in place of: %s\n", ch.Was.Says())
		}
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"linkstead/storage"
)

// segmentsCmd lists the segments that are not stored yet, and gives up those of a machine that never comes back.
type segmentsCmd struct {
	JSON    bool   `name:"json" help:"Print JSON."`
	All     bool   `help:"Also those that were given up."`
	Lost    string `help:"Give up what only the spool of this node holds: its machine never comes back. The captures go, and are made again." placeholder:"NODE"`
	Segment string `help:"With --lost: only this one, whose file is gone or damaged. The node may be at work." placeholder:"ID"`
	Force   bool   `help:"With --lost: even though the node was seen a moment ago."`
}

// fresh is how long ago a node was seen that surely works: nobody gives up what it holds by mistake.
const fresh = time.Minute

func (c *segmentsCmd) run(ctx context.Context, e *env) (err error) {
	if c.Force && c.Lost == "" {
		return usageError{errors.New("--force goes with --lost NODE")}
	}
	if c.Segment != "" && c.Lost == "" {
		return usageError{errors.New("--segment goes with --lost NODE")}
	}
	if c.All && c.Lost != "" {
		return usageError{errors.New("--all is for the list, and --lost gives up: leave one of them out")}
	}
	s, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if c.Lost != "" {
		return c.giveUp(ctx, e, s)
	}
	return c.list(ctx, e, s)
}

// waiting is a segment as it is listed.
type waiting struct {
	Node    string    `json:"node"`
	Segment string    `json:"segment"`
	State   string    `json:"state"`
	Bytes   int64     `json:"bytes"` // acknowledged
	Created time.Time `json:"created"`
	Age     string    `json:"-"`
}

func (c *segmentsCmd) list(ctx context.Context, e *env, s *store) error {
	segments, err := s.db.Unstored(ctx)
	if err != nil {
		return err
	}
	lost, err := s.db.Lost(ctx)
	if err != nil {
		return err
	}
	if c.All {
		segments = append(segments, lost...)
	}
	now := s.db.Now()
	out := make([]waiting, 0, len(segments))
	for _, g := range segments {
		out = append(out, waiting{g.Node, g.ID, string(g.State), max(g.Committed, g.Size), g.Created, age(now.Sub(g.Created))})
	}
	if c.JSON {
		return encode(e.stdout, out)
	}
	if len(out) == 0 {
		fmt.Fprintln(e.stdout, "Every segment is stored.")
	} else if err := printWaiting(e.stdout, out); err != nil {
		return err
	}
	if len(lost) > 0 && !c.All {
		fmt.Fprintf(e.stdout, "%s given up; --all lists what was.\n", plural(len(lost), "segment was", "segments were"))
	}
	return nil
}

func printWaiting(to io.Writer, list []waiting) error {
	w := tabwriter.NewWriter(to, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "NODE\tSTATE\tBYTES\tAGE\tSEGMENT")
	for _, g := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", clean(g.Node), g.State, size(g.Bytes), g.Age, g.Segment)
	}
	return w.Flush()
}

// age writes a time span for people.
func age(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", max(0, d/time.Second))
}

// giveUp gives up the node's segments, one after another: an interruption leaves the rest for the next time.
func (c *segmentsCmd) giveUp(ctx context.Context, e *env, s *store) error {
	segments, err := c.chosen(ctx, e, s)
	if err != nil {
		return err
	}
	var n int
	var sum storage.Loss
	for _, g := range segments {
		l, err := s.db.LoseSegment(ctx, g.ID)
		if errors.Is(err, storage.ErrSegmentGone) {
			continue // stored meanwhile, or given up by somebody else
		}
		if err != nil {
			return err
		}
		n++
		sum.Captures, sum.Tasks, sum.Posts = sum.Captures+l.Captures, sum.Tasks+l.Tasks, sum.Posts+l.Posts
		sum.Cut += l.Cut
	}
	if c.JSON {
		return encode(e.stdout, map[string]any{
			"node": c.Lost, "segments": n, "captures": sum.Captures, "posts": sum.Posts, "due_again": sum.Tasks, "over_budget": sum.Cut,
		})
	}
	if n == 0 {
		fmt.Fprintf(e.stdout, "Nothing was lost with node %s: every segment of it is stored, or was given up before.\n", c.Lost)
		return nil
	}
	fmt.Fprintf(e.stdout, "Gave up %s of node %s: %s gone, %s due again.\n", plural(n, "segment", "segments"), c.Lost,
		plural(int(sum.Captures), "capture is", "captures are"), plural(int(sum.Tasks), "address is", "addresses are"))
	if sum.Cut > 0 {
		fmt.Fprintf(e.stdout, "%s not due again: a budget has ended the run.\n", plural(int(sum.Cut), "address is", "addresses are"))
	}
	return nil
}

// chosen are the segments that are meant: one, or all of a node, whose hosts are freed.
func (c *segmentsCmd) chosen(ctx context.Context, e *env, s *store) ([]storage.Segment, error) {
	if err := c.mayBeLost(ctx, s); err != nil {
		return nil, err
	}
	if c.Segment == "" {
		// First the leases: if the node is at work all the same, what it brings from now on counts for nothing.
		if err := s.db.FreeOwner(ctx, c.Lost, s.db.Now().Add(time.Duration(e.cfg.Delay))); err != nil {
			return nil, err
		}
		return s.db.Waiting(ctx, c.Lost)
	}
	g, err := s.db.Segment(ctx, c.Segment)
	switch {
	case errors.Is(err, storage.ErrNotFound) || err == nil && g.Node != c.Lost:
		return nil, fmt.Errorf("node %s has no segment %s\n'linkstead segments' lists those that are not stored", c.Lost, c.Segment)
	case err == nil && g.State == storage.SegmentStored:
		return nil, fmt.Errorf("segment %s is stored, and not lost", c.Segment)
	}
	return []storage.Segment{g}, err
}

// mayBeLost refuses a node that nobody knows, and one that was seen a moment ago.
func (c *segmentsCmd) mayBeLost(ctx context.Context, s *store) error {
	nodes, err := s.db.Nodes(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, n := range nodes {
		if n.Name != c.Lost {
			names = append(names, n.Name)
			continue
		}
		if ago := s.db.Now().Sub(n.Seen); ago < fresh && !n.Ended && !c.Force && c.Segment == "" {
			return fmt.Errorf("node %s was seen %d s ago: it seems to be at work, and what it holds is not lost\n"+
				"Stop it first, so that it stores what it has. If its machine is gone for good, wait a minute, or add --force; if only a segment's file is, add --segment ID", n.Name, max(0, ago/time.Second))
		}
		return nil
	}
	if len(names) == 0 {
		return fmt.Errorf("there is no node %s: none has ever worked on this archive", c.Lost)
	}
	return fmt.Errorf("there is no node %s\nThere are: %s", c.Lost, strings.Join(names, ", "))
}

package crawler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"linkstead/archive/link"
	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/crawler/fetch"
	"linkstead/storage"
)

// LinkPast gathers what was seen of links: captures and failed attempts count as looks, too.
type LinkPast struct {
	Copies  Copies
	Index   Index
	Looks   LinkHistory
	Library Reader // reads why attempts failed; nil: their rows tell enough
}

func (c *Crawler) history() *LinkPast {
	return &LinkPast{Copies: c.Copies, Index: c.Index, Looks: c.Watch.History, Library: c.Library}
}

// Bounds of a history, so that a page which is captured every hour for years costs no more than others: the newest count.
const (
	maxPast      = 1000
	maxPastHops  = 10
	pastTogether = time.Hour // within which a redirect's target was captured for the redirect's sake
)

// of brings what was seen of a link, oldest first.
func (p *LinkPast) of(ctx context.Context, l storage.Link) ([]link.Evidence, error) {
	out, err := p.captured(ctx, l)
	if err != nil {
		return nil, err
	}
	attempts, err := p.Index.Attempts(ctx, l.Collection, urlkey.Key(l.URL))
	if err != nil {
		return nil, err
	}
	attempts = slices.DeleteFunc(attempts, func(a storage.Attempt) bool { return a.URL != l.URL })
	for _, a := range attempts[max(0, len(attempts)-maxPast):] {
		e := link.Evidence{URL: l.URL, At: a.At, Kind: link.Attempt, Ref: refTo(a.Segment, a.Offset)}
		p.failed(ctx, &e, a)
		out = append(out, e)
	}
	looks, err := p.Looks.Looks(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	for _, a := range looks {
		if a.Look == "" {
			continue // it went on elsewhere
		}
		e, err := evidenceOf(a)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	slices.SortStableFunc(out, func(a, b link.Evidence) int { return a.At.Compare(b.At) })
	return out[max(0, len(out)-maxPast):], nil
}

func refTo(segment string, offset int64) string { return fmt.Sprintf("%s/%d", segment, offset) }

// evidenceOf reads what a look tells.
func evidenceOf(a storage.Attempt) (link.Evidence, error) {
	var e link.Evidence
	if err := json.Unmarshal([]byte(a.Look), &e); err != nil {
		return e, fmt.Errorf("read the evidence at %s: %w", refTo(a.Segment, a.Offset), err)
	}
	e.Ref = refTo(a.Segment, a.Offset)
	return e, nil
}

// captured brings the captures of a link as evidence.
func (p *LinkPast) captured(ctx context.Context, l storage.Link) ([]link.Evidence, error) {
	var own []storage.Capture
	for c, err := range p.Copies.Captures(ctx, l.Collection, urlkey.Key(l.URL)) {
		if err != nil {
			return nil, err
		}
		if c.URL != l.URL || c.Run < 0 { // what was imported says when others looked, and not how
			continue
		}
		if own = append(own, c); len(own) >= 2*maxPast {
			own = append(own[:0], own[len(own)-maxPast:]...)
		}
	}
	out := make([]link.Evidence, 0, len(own))
	for i := max(0, len(own)-maxPast); i < len(own); i++ {
		c := &own[i]
		e := link.Evidence{URL: l.URL, At: c.At, Kind: link.Captured, Ref: refTo(c.Segment, c.Offset)}
		if _, err := p.follow(ctx, &e, *c); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// show has evidence tell of the capture that answered last.
func show(e *link.Evidence, c *storage.Capture) {
	e.Outcome, e.Status, e.Target, e.Digest = c.Outcome, c.Status, c.Redirect, c.Digest
	if c.Outcome == string(outcome.TooLong) || c.Outcome == string(outcome.TooSlow) {
		e.Outcome = string(outcome.Captured) // our own limits
	}
	e.Flags = strings.Fields(c.Flags)
	if c.TLSInvalid != "" {
		e.TLS = fetch.CertificateFault(c.TLSInvalid, c.At)
	}
}

// follow has evidence tell of a capture, and of what its redirects led to in the same run: it brings the last of them.
func (p *LinkPast) follow(ctx context.Context, e *link.Evidence, c storage.Capture) (storage.Capture, error) {
	first := c
	seen := map[string]bool{c.URL: true}
	for show(e, &c); c.Redirect != "" && !seen[c.Redirect] && len(e.Hops) < maxPastHops; show(e, &c) {
		next, err := p.Index.Closest(ctx, c.Collection, urlkey.Key(c.Redirect), c.Redirect, c.At)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return c, err
		}
		hop := link.Hop{URL: c.URL, Status: c.Status, Target: c.Redirect}
		if err != nil || next.URL != c.Redirect || next.Run != c.Run || next.At.Sub(first.At).Abs() > pastTogether {
			return c, p.followFailed(ctx, e, c, hop)
		}
		e.Hops, e.Final = append(e.Hops, hop), c.Redirect
		seen[c.Redirect] = true
		c = next
	}
	return c, nil
}

// followFailed has evidence tell of a redirect whose target did not answer in the same run.
func (p *LinkPast) followFailed(ctx context.Context, e *link.Evidence, c storage.Capture, hop link.Hop) error {
	as, err := p.Index.Attempts(ctx, c.Collection, urlkey.Key(c.Redirect))
	if err != nil {
		return err
	}
	for _, a := range slices.Backward(as) {
		if a.URL == c.Redirect && a.Run == c.Run {
			e.Hops, e.Final, e.Status, e.Target, e.Digest, e.Flags = append(e.Hops, hop), c.Redirect, 0, "", "", nil
			p.failed(ctx, e, a)
			return nil
		}
	}
	return nil // it was not followed
}

// failed has evidence tell of an attempt. What only its record says is left out if that can't be read now.
func (p *LinkPast) failed(ctx context.Context, e *link.Evidence, a storage.Attempt) {
	e.Outcome = a.Outcome
	if p.Library == nil {
		return
	}
	c, _, err := p.Library.Attempt(ctx, a)
	if err != nil {
		return
	}
	e.Phase, e.DNS = c.Cause.Phase, c.Cause.DNSAnswer
	if c.TLS != nil {
		e.TLS = c.TLS.Fault
	}
}

// State is what a link's row keeps of its life, or, where that is behind, what its history comes to. Nothing is written.
func (p *LinkPast) State(ctx context.Context, l storage.Link, rules link.Rules) (link.State, error) {
	if l.Stale == 0 && len(l.State) > 0 {
		return LinkState(l)
	}
	h, err := p.of(ctx, l)
	if err != nil {
		return link.State{}, fmt.Errorf("read the history of %s: %w", l.URL, err)
	}
	return foldLink(rules, l.URL, h), nil
}

func foldLink(rules link.Rules, url string, history []link.Evidence) link.State {
	s := link.Fold(history, rules)
	s.URL = url // of one that nobody has looked at, too
	return s
}

package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// maxHops bounds how far redirects are followed through the rows.
const maxHops = 50

// fate follows a URL through what the run recorded of it and of what it redirected to.
func (b *Builder) fate(ctx context.Context, run storage.Run, url string) (Fate, error) {
	f := Fate{Outcome: Pending, Redirects: []Hop{}}
	if err := b.follow(ctx, run, url, &f); err != nil || f.Good() {
		return f, err
	}
	var err error
	f.Other, err = b.other(ctx, run, url)
	return f, err
}

func (b *Builder) follow(ctx context.Context, run storage.Run, url string, f *Fate) error {
	limit := redirectsOf(run)
	seen := map[string]bool{}
	for {
		if seen[url] {
			f.Outcome, f.Detail = string(outcome.Loop), "It redirects back to "+url+"."
			return nil
		}
		seen[url] = true
		c, ok, err := b.capture(ctx, run, url)
		if err != nil {
			return err
		}
		if !ok {
			twin, err := b.twin(ctx, run, url)
			if err != nil {
				return err
			}
			if twin == "" || seen[twin] {
				return b.failure(ctx, run, url, f, limit)
			}
			url = twin
			continue
		}
		if f.Replay == "" {
			f.Replay = b.replay(c)
		}
		at := c.At
		f.Outcome, f.Status, f.Digest, f.Mime, f.CapturedAt, f.Flags = c.Outcome, c.Status, c.Digest, c.Mime, &at, strings.Fields(c.Flags)
		f.Canonical, f.LeadsTo = c.Canonical, ""
		f.TLSInvalid, f.run = c.TLSInvalid, c.Run
		if c.Redirect == "" || len(f.Flags) > 0 { // where a wall leads is the wall's
			f.LeadsTo = c.Redirect
			return nil
		}
		f.Redirects = append(f.Redirects, Hop{URL: url, Status: c.Status})
		url = c.Redirect
		f.Final = url
	}
}

// twin is the address under which a run asked for the same page, if that was under another session id; "" if it was not.
func (b *Builder) twin(ctx context.Context, run storage.Run, url string) (string, error) {
	if !urlkey.Fetchable(url) {
		return "", nil
	}
	t, err := b.Rows.Task(ctx, urlkey.Host(url), run.ID, urlkey.PageID(url))
	if errors.Is(err, storage.ErrNotFound) {
		return "", nil
	}
	if err != nil || t.URL == url || urlkey.Sessionless(t.URL) != urlkey.Sessionless(url) {
		return "", err
	}
	return t.URL, nil
}

// redirectsOf is the limit of redirects in a row that a run's spec sets.
func redirectsOf(run storage.Run) int {
	var spec struct {
		MaxRedirects int `json:"max_redirects"`
	}
	if json.Unmarshal(run.Spec, &spec) != nil || spec.MaxRedirects <= 0 {
		return maxHops
	}
	return spec.MaxRedirects
}

// other is the newest good capture of exactly this URL that another run made; nil if there is none.
func (b *Builder) other(ctx context.Context, run storage.Run, url string) (*Copy, error) {
	var best *Copy
	for c, err := range b.Rows.Captures(ctx, run.Collection, urlkey.Key(url)) {
		if err != nil {
			return nil, err
		}
		if !b.of(run, c.Run) && c.URL == url && c.Status < 400 && c.Flags == "" && outcomeWhole(c) {
			if c.Redirect != "" || empty(c.Status) {
				if ok, err := b.arrives(ctx, run, c); err != nil {
					return nil, err
				} else if !ok {
					continue
				}
			}
			best = &Copy{Run: c.Run, Status: c.Status, CapturedAt: c.At, Replay: b.replay(c)}
		}
	}
	return best, nil
}

// arrives says whether the archive leads on from a redirect, in whatever run, to an answer that is a page. A redirect that leads
// nowhere is no copy of anything.
func (b *Builder) arrives(ctx context.Context, run storage.Run, c storage.Capture) (bool, error) {
	seen := map[string]bool{c.URL: true}
	next := []string{c.Redirect}
	for range maxHops {
		if len(next) == 0 {
			break
		}
		url := next[0]
		next = next[1:]
		if url == "" || seen[url] {
			continue
		}
		seen[url] = true
		for c, err := range b.Rows.Captures(ctx, run.Collection, urlkey.Key(url)) {
			switch {
			case err != nil:
				return false, err
			case c.URL != url || c.Status >= 400 || c.Flags != "":
			case c.Redirect != "":
				if !seen[c.Redirect] && len(next) < maxHops {
					next = append(next, c.Redirect)
				}
			case !empty(c.Status):
				return true, nil
			}
		}
	}
	return false, nil
}

// capture is the best capture that the run made of exactly this URL: the last whole one, and one that tells of a moment alone
// only if there is no other.
func (b *Builder) capture(ctx context.Context, run storage.Run, url string) (best storage.Capture, ok bool, err error) {
	for c, err := range b.Rows.Captures(ctx, run.Collection, urlkey.Key(url)) {
		if err != nil {
			return best, false, err
		}
		if !b.of(run, c.Run) || c.URL != url {
			continue
		}
		if !ok || !worse(c, best) {
			best, ok = c, true
		}
	}
	return best, ok, nil
}

// worse says whether an earlier capture stays the best: it is no wall and the later one is, or the later one tells of a moment
// alone and it does not, or it is whole and the later one isn't.
func worse(later, best storage.Capture) bool {
	if wall, other := later.Flags != "", best.Flags != ""; wall != other {
		return wall
	}
	if moment, other := momentary(later.Status), momentary(best.Status); moment != other {
		return moment
	}
	return outcomeWhole(best) && !outcomeWhole(later)
}

// momentary says whether a status tells of a moment: the run asked again, if it could.
func momentary(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func outcomeWhole(c storage.Capture) bool { return c.Outcome == string(outcome.Captured) }

// failure is how the last try of a URL went that brought no capture.
func (b *Builder) failure(ctx context.Context, run storage.Run, url string, f *Fate, limit int) error {
	as, err := b.Rows.Attempts(ctx, run.Collection, urlkey.Key(url))
	if err != nil {
		return err
	}
	f.Outcome, f.Detail, f.Status, f.Digest, f.Mime, f.CapturedAt, f.Flags = Pending, "", 0, "", "", nil, nil
	f.Canonical, f.LeadsTo = "", ""
	f.TLSInvalid, f.run = "", 0
	for _, a := range as {
		if b.of(run, a.Run) && a.URL == url {
			f.Outcome, f.Detail = a.Outcome, a.Detail
			f.Attempts = append(f.Attempts, Attempt{At: a.At, Outcome: a.Outcome, Detail: a.Detail, Address: b.attempt(a), record: a.RecordID})
		}
	}
	if f.Outcome == Pending {
		purged, err := b.purged(ctx, run, url)
		if err != nil {
			return err
		}
		if purged {
			f.Outcome = Purged
			return nil
		}
	}
	over := run.State == storage.RunDone
	switch {
	case f.Outcome == Pending && over && run.Cut != "" && len(f.Redirects) == 0:
		f.Outcome, f.Detail = string(outcome.Quota), fmt.Sprintf("The run's budget of %s was used up before it was asked for.", run.Cut)
	case f.Outcome != Pending && !over && outcome.Outcome(f.Outcome).Retry():
		f.Outcome = Pending // it may be tried again
	case f.Outcome == Pending && over && len(f.Redirects) >= limit:
		f.Outcome, f.Detail = string(outcome.Redirects), fmt.Sprintf("It redirects more than %d times.", limit)
	case f.Outcome == Pending && over && len(f.Redirects) > 0:
		f.Outcome, f.Detail = string(outcome.Excluded), "It redirects to "+url+", which the run's rules leave out."
	}
	return nil
}

// purged says whether what the run recorded of a URL was taken out of the archive: its task has ended, and no longer says what
// it asked for.
func (b *Builder) purged(ctx context.Context, run storage.Run, url string) (bool, error) {
	t, err := b.Rows.Task(ctx, urlkey.Host(url), run.ID, urlkey.PageID(url))
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil && t.URL == "" && t.Due >= storage.Never, err
}

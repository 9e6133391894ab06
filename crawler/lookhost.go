package crawler

import (
	"bytes"
	"context"
	"net/netip"
	"time"

	"linkstead/archive/link"
	"linkstead/archive/text"
	"linkstead/archive/urlkey"
	"linkstead/crawler/fetch"
	"linkstead/storage"
)

// Bounds of what is found out about a host beside the page.
const (
	maxFront    = 128 << 10            // bytes of markup that rules for parked domains look at
	maxHostLook = 10 * time.Second     // for its name servers and addresses together
	maxAround   = 30                   // other links of the host, of which those that end at the same target …
	maxSiblings = 8                    // … are told, so many at most, …
	sameTime    = 100 * 24 * time.Hour // … if they were looked at within this
)

// LinksAround are the other links of a host. It is apart from LinkRows, whose fields are many.
type LinksAround interface {
	LinksAt(ctx context.Context, collection, host string, n int) ([]storage.Link, error)
}

// fronted keeps what rules for parked domains look at of a page.
func (k *look) fronted(url string, body []byte, said text.Page) {
	k.front = &link.Front{URL: k.Evidence.URL, Final: url, Title: said.Title, Words: text.Count(said.All), HTML: bytes.Clone(body[:min(len(body), maxFront)])}
}

// parked has evidence tell what of a page, and of where it stands, speaks for a parked domain.
func (w *Watch) parked(k *look) {
	if w.Parking == nil || k.front == nil {
		return
	}
	rules := w.Parking.Judge(k.front)
	if len(rules) == 0 && k.Evidence.Host == nil {
		return
	}
	if k.Evidence.Host == nil {
		k.Evidence.Host = &link.Host{}
	}
	k.Evidence.Host.Parking = rules
}

// hostOf has evidence tell whose name servers speak for a link's host, and where its name leads. What can't be found out in time is
// left out; the error is the context's.
func (c *Crawler) hostOf(ctx context.Context, rec *fetch.Recorder, k *look) error {
	within, cancel := context.WithTimeout(ctx, maxHostLook)
	defer cancel()
	url := k.Evidence.URL
	servers, addresses, err := rec.Whereabouts(within, urlkey.Hostname(url), urlkey.Site(url))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		c.Log.Debug("a host's name servers can't be told", "url", url, "error", err)
	}
	if len(servers)+len(addresses) == 0 {
		return nil
	}
	if k.Evidence.Host == nil {
		k.Evidence.Host = &link.Host{}
	}
	h := k.Evidence.Host
	h.NameServers, h.Addresses = servers, texts(addresses)
	if k.front != nil {
		k.front.NameServers, k.front.Addresses = servers, addresses
		c.Watch.parked(k)
	}
	return nil
}

func texts(as []netip.Addr) (out []string) {
	for _, a := range as {
		out = append(out, a.String())
	}
	return out
}

// around has evidence tell which other links of the host end where this one does.
func (c *Crawler) around(ctx context.Context, l *storage.Link, ev *link.Evidence) error {
	if ev.Final == "" {
		return nil
	}
	rows, ok := c.Watch.Links.(LinksAround)
	if !ok {
		return nil
	}
	others, err := rows.LinksAt(ctx, l.Collection, urlkey.Host(l.URL), maxAround)
	if err != nil {
		return err
	}
	for i := range others {
		if others[i].ID == l.ID {
			continue
		}
		s, err := c.lastEnd(ctx, &others[i], ev.At)
		if err != nil {
			return err
		}
		if s.Final == ev.Final {
			ev.Siblings = append(ev.Siblings, s)
		}
		if len(ev.Siblings) == maxSiblings {
			break
		}
	}
	return nil
}

// lastEnd is where another link ended last, by a look or a capture of about the same time; nowhere if that is not known.
func (c *Crawler) lastEnd(ctx context.Context, l *storage.Link, at time.Time) (link.Sibling, error) {
	past, err := c.history().of(ctx, *l)
	if err != nil || len(past) == 0 {
		return link.Sibling{}, err
	}
	e := &past[len(past)-1]
	if e.Void || e.Status < 200 || e.Status > 299 || at.Sub(e.At).Abs() > sameTime {
		return link.Sibling{}, nil
	}
	return link.Sibling{URL: l.URL, Outcome: e.Outcome, Status: e.Status, Final: e.Final}, nil
}

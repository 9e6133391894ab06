package crawler

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/link"
	"linkstead/archive/text"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// Bounds of a comparison with copies.
const (
	maxQuotes  = 20  // of the posts that cite a link
	maxNear    = 200 // copies of which is told whether they stand for the page: those nearest to the citation
	maxCompare = 3   // valid ones in which a quotation is looked for
)

// compareCopy holds a page against the valid copy that is nearest to the date on which it was cited; one that has a quotation of
// the posts goes before others.
func (c *Crawler) compareCopy(ctx context.Context, l *storage.Link, ev *link.Evidence, said text.Page) error {
	cited, quotes, err := c.citedAs(ctx, l)
	if err != nil {
		return err
	}
	copies, err := c.citedCopies(ctx, l, cited)
	if err != nil {
		return err
	}
	if ev.Outcome != "" && ev.Outcome != "captured" {
		quotes = nil // who has read a part can't tell what is not there
	}
	for _, near := range copies {
		was, err := c.textOf(ctx, near.last)
		if err != nil {
			return err
		}
		if was == nil {
			continue
		}
		with := &link.Comparison{
			Ref: refTo(near.first.Segment, near.first.Offset), At: near.first.At, Text: figures(*was), Equal: near.last.Digest == ev.Digest,
			Similarity: text.Similarity(mainOf(*was), mainOf(said)),
		}
		with.Had, with.Quoted = quoted(was.All, said.All, quotes)
		if ev.Copy == nil || with.Had == link.Yes {
			ev.Copy = with
		}
		if with.Had != link.No {
			break
		}
	}
	return nil
}

// quoted says whether a copy has what was quoted from it, and whether a page still does: one quotation that is lost says all. Of what the
// copy does not have, either, the page tells nothing.
func quoted(was, is string, quotes []string) (had, has link.Answer) {
	if len(quotes) == 0 {
		return link.Unasked, link.Unasked
	}
	before, now := text.Prepare(was), text.Prepare(is)
	for _, q := range quotes {
		still := answer(now.Find(q).Found)
		switch {
		case !before.Find(q).Found:
			if had != link.Yes {
				had, has = link.No, still
			}
		case still == link.No:
			return link.Yes, link.No
		default:
			had, has = link.Yes, still
		}
	}
	return had, has
}

func answer(yes bool) link.Answer {
	if yes {
		return link.Yes
	}
	return link.No
}

// citedAs is when a link was cited first, and what was quoted from it.
func (c *Crawler) citedAs(ctx context.Context, l *storage.Link) (at time.Time, quotes []string, err error) {
	posts, err := c.Watch.History.PostsCiting(ctx, l.ID)
	if err != nil {
		return at, nil, err
	}
	for _, p := range posts {
		if t := CitedAt(p); at.IsZero() || t.Before(at) {
			at = t
		}
	}
	quotes, err = c.Watch.History.Quotations(ctx, *l, maxQuotes)
	return at, quotes, err
}

// CitedAt is when the author of a post cited its links, as far as known: else when it was captured.
func CitedAt(p storage.Post) time.Time {
	for _, form := range []string{time.RFC3339, time.DateOnly, "2006-01", "2006"} {
		if t, err := time.Parse(form, p.Dated); err == nil {
			return t.UTC()
		}
	}
	return p.At
}

// nearCopy is a copy, and what its redirects led to at the time: itself if it is none.
type nearCopy struct{ first, last storage.Capture }

// citedCopies are the copies of a link that show its page, a few, those nearest to a date first, of two equally near the earlier. What a
// look has since found to be no page of the site's is none.
func (c *Crawler) citedCopies(ctx context.Context, l *storage.Link, at time.Time) ([]nearCopy, error) {
	var own []storage.Capture
	for copied, err := range c.Copies.Captures(ctx, l.Collection, urlkey.Key(l.URL)) {
		if err != nil {
			return nil, err
		}
		if copied.URL != l.URL || copied.Kind == warc.KindTruncated {
			continue
		}
		if own = append(own, copied); len(own) >= 2*maxNear {
			own = nearest(own, at)
		}
	}
	judged, err := c.judged(ctx, l)
	if err != nil {
		return nil, err
	}
	var out []nearCopy
	past := c.history()
	for _, copied := range nearest(own, at) {
		var e link.Evidence
		last, err := past.follow(ctx, &e, copied)
		if err != nil {
			return nil, err
		}
		from := link.Candidate{Outcome: last.Outcome, Status: last.Status, Flags: strings.Fields(last.Flags), Shows: judged[last.Digest]}
		if from.Fault() != "" || last.Kind == warc.KindTruncated {
			continue
		}
		if out = append(out, nearCopy{copied, last}); len(out) == maxCompare {
			break
		}
	}
	return out, nil
}

// nearest are those captures that are nearest to a date, in that order.
func nearest(cs []storage.Capture, at time.Time) []storage.Capture {
	slices.SortStableFunc(cs, func(a, b storage.Capture) int {
		return cmp.Or(cmp.Compare(a.At.Sub(at).Abs(), b.At.Sub(at).Abs()), a.At.Compare(b.At))
	})
	return cs[:min(len(cs), maxNear)]
}

// judged says of payloads, by their digests, what looks that met them found: soft-404 or usurped.
func (c *Crawler) judged(ctx context.Context, l *storage.Link) (map[string]link.Verdict, error) {
	looks, err := c.Watch.History.Looks(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	out := map[string]link.Verdict{}
	for _, a := range looks {
		if a.Look == "" {
			continue // it went on elsewhere
		}
		e, err := evidenceOf(a)
		if err != nil {
			return nil, err
		}
		if f := link.Judge(&e, &c.Watch.Rules); f.Counts && e.Digest != "" && (f.Shows == link.Soft404 || f.Shows == link.Usurped) {
			out[e.Digest] = f.Shows
		}
	}
	return out, nil
}

// textOf reads what a copy says; nil if it can't be read now, or is no text.
func (c *Crawler) textOf(ctx context.Context, copied storage.Capture) (*text.Page, error) {
	if !strings.HasPrefix(copied.Mime, "text/") && !strings.HasSuffix(copied.Mime, "+xml") {
		return nil, nil
	}
	m, err := c.Library.Open(ctx, copied)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		c.Log.Debug("a copy can't be compared with", "url", copied.URL, "error", err)
		return nil, nil
	}
	defer m.Close() //nolint:errcheck // it was read
	body, err := httpmsg.DecodeWithin(ctx, m.Payload, strings.Join(m.Original.Values("Content-Encoding"), ","))
	if err != nil {
		return nil, nil
	}
	defer body.Close() //nolint:errcheck // it was read
	limit := c.Watch.Body
	if limit == 0 {
		limit = lookBody
	}
	src, err := io.ReadAll(io.LimitReader(body, limit))
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, nil
	}
	page := text.Main(src, m.Original.Get("Content-Type"))
	return &page, nil
}

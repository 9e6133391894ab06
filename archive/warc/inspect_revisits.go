package warc

import (
	"context"
	"errors"
	"fmt"

	"linkstead/storage"
)

// refers judges what a revisit leads to. A purge moves originals, so that the row may rightly say another place than the
// record; any whole payload of the same digest in the same collection will do.
func (c *comparison) refers(ctx context.Context, u *unitRows, have []storage.Capture) error {
	w := &u.end.Captures[0]
	if w.Kind != KindRevisit {
		return nil
	}
	for k := range have {
		why, err := c.leads(ctx, u, have[k].RefersTo)
		if err != nil {
			return err
		}
		if why == "" {
			w.RefersTo = have[k].RefersTo
			return nil
		}
		c.flaw(Flaw{Word: WordDangling, Offset: u.offset, Record: w.RecordID, URL: w.URL, Detail: fmt.Sprintf("the revisit leads to %q: %s", have[k].RefersTo, why)})
	}
	place, err := c.original(ctx, u)
	if err != nil {
		return err
	}
	if place == "" && len(have) == 1 { // nothing better is known, and there is nothing to write
		w.RefersTo = have[0].RefersTo
	} else if place != "" {
		w.RefersTo = place
	}
	return nil
}

// original is where the payload of a revisit stands: where its record says, if it stands there, or else wherever an equal
// payload is; empty if nowhere. The rows of other captures may be wrong just now, and do not decide.
func (c *comparison) original(ctx context.Context, u *unitRows) (string, error) {
	w := &u.end.Captures[0]
	if segment, offset, err := splitLocation(w.RefersTo); err == nil {
		ok, err := c.i.stands(ctx, segment, offset, u.refers)
		if err != nil || ok {
			return w.RefersTo, err
		}
	}
	return c.i.holder(ctx, w, u.refers)
}

// leads says why a place is not where the payload of a revisit stands; empty if it is.
func (c *comparison) leads(ctx context.Context, u *unitRows, place string) (string, error) {
	w := &u.end.Captures[0]
	segment, offset, err := splitLocation(place)
	if err != nil {
		return "that is no place in a segment", nil
	}
	if why, err := c.i.objectOf(ctx, segment); err != nil || why != "" {
		return why, err
	}
	o, err := c.i.Rows.CaptureAt(ctx, segment, offset)
	if errors.Is(err, storage.ErrNotFound) {
		if segment == c.Segment && c.isBroken(offset) {
			return "what stands there can't be read", nil
		}
		return "no capture stands there", nil
	}
	if err != nil {
		return "", err
	}
	switch {
	case o.Collection != w.Collection:
		return fmt.Sprintf("that is in collection %s", o.Collection), nil
	case o.Kind == KindTruncated:
		return "the capture there lacks its end", nil
	case o.Kind == KindRevisit:
		return "a revisit stands there, too", nil
	case o.Digest != w.Digest:
		return "the capture there has another payload", nil
	case !o.MayStandFor(w, u.refers):
		return "the capture there is of another address, and its head would count", nil
	}
	if Imported(o.Segment) { // what it says of its payload, nobody has proved
		if whole, err := c.i.isWhole(ctx, &o); err != nil || !whole {
			return "the capture there was imported, and has not the payload that it says", err
		}
	}
	return "", nil
}

// lacks says why nothing can be shown of an imported revisit; empty if something can. Other programs may refer to revisits in turn.
func (i *Inspector) lacks(ctx context.Context, c *storage.Capture) (string, error) {
	holders, err := i.Index.Holders(ctx, c.Collection, c.Digest)
	if err != nil || len(holders) > 0 && c.Digest != "" {
		return "", err
	}
	seen := map[string]bool{location(c.Segment, c.Offset): true}
	for place := c.RefersTo; ; {
		segment, offset, err := splitLocation(place)
		if err != nil {
			return "the original of the revisit is not in this collection", nil
		}
		if seen[place] || len(seen) > maxChain {
			return "the revisit leads back to itself, and to no payload", nil
		}
		seen[place] = true
		o, err := i.Rows.CaptureAt(ctx, segment, offset)
		switch {
		case errors.Is(err, storage.ErrNotFound):
			return fmt.Sprintf("the revisit leads to %q: no capture stands there", place), nil
		case err != nil:
			return "", err
		case o.Collection != c.Collection:
			return fmt.Sprintf("the revisit leads to %q: that is in collection %s", place, o.Collection), nil
		case o.Kind != KindRevisit:
			return "", nil
		}
		place = o.RefersTo
	}
}

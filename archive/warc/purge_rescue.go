package warc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"linkstead/storage"
)

// rescue sees to it that captures which stay, and refer to a payload that goes, find it elsewhere: in the oldest whole
// response of it that stays, or in the oldest of them. A page that was not modified needs the head, too: where one is among
// them, it must be a response of the same page, or that page itself.
func (b *batch) rescue(ctx context.Context, rw *rewrite, l lostPayload) error {
	refs, err := b.Index.Referrers(ctx, l.place)
	if err != nil {
		return err
	}
	var stay []storage.Capture
	seen := map[string]bool{}
	for len(refs) > 0 {
		c, place := refs[0], location(refs[0].Segment, refs[0].Offset)
		if refs = refs[1:]; seen[place] {
			continue
		}
		if seen[place] = true; !b.going[place] {
			stay = append(stay, c)
			continue
		}
		if _, err := b.load(ctx, c.Segment); err != nil { // it goes now, or it would have no payload meanwhile
			return err
		}
		if Imported(c.Segment) { // others may refer to it in turn
			more, err := b.Index.Referrers(ctx, place)
			if err != nil {
				return err
			}
			refs = append(refs, more...)
		}
	}
	if len(stay) == 0 {
		return nil
	}
	own := slices.DeleteFunc(slices.Clone(stay), func(c storage.Capture) bool { return Imported(c.Segment) })
	if l.to != "" { // itself a revisit of another program: what it refers to is as good
		b.instead[l.place] = l.to
		return nil
	}
	of := stay
	if len(own) > 0 { // nothing of ours rests on what others say of a payload
		of = own
	}
	page, heads := headed(of)
	if heads {
		l.url = page.URL
	}
	if place, ok := b.promoted[l.payload]; ok {
		b.instead[l.place] = place
		return nil
	}
	holders, err := b.Index.Holders(ctx, l.collection, l.digest)
	if err != nil {
		return err
	}
	for _, h := range holders {
		if place := location(h.Segment, h.Offset); !b.going[place] && (!heads || h.Heads(&page)) && (len(own) == 0 || !Imported(h.Segment)) {
			b.instead[l.place] = place
			return nil
		}
	}
	return b.inherit(ctx, rw, l, append([]storage.Capture{page}, of...), len(stay))
}

// inherit makes the first of what stays, and refers to a payload that goes, the one that holds it. What lies in a file that was imported
// in place can't: then the others have nothing to show any more.
func (b *batch) inherit(ctx context.Context, rw *rewrite, l lostPayload, of []storage.Capture, staying int) error {
	var can []storage.Capture
	for k := range of { // the best first
		s, err := b.Index.Segment(ctx, of[k].Segment)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		if err == nil && !storage.Outside(s.Location) {
			can = append(can, of[k])
			break
		}
	}
	readable, err := b.readable(ctx, rw, l.offset)
	if err != nil {
		return err
	}
	if len(can) == 0 || l.headless || !readable {
		b.instead[l.place] = "<>"
		b.so.Lost += staying
		return nil
	}
	page := can[0]
	heir, err := b.load(ctx, page.Segment)
	if err != nil {
		return err
	}
	place := location(page.Segment, page.Offset)
	if b.going[place] { // it was voided; the next try does not see it
		return fmt.Errorf("the capture at %s does not count: %w", place, storage.ErrStale)
	}
	heir.holds[page.Offset] = original{rw, l.offset, Imported(page.Segment)}
	heir.note.Promoted = append(heir.note.Promoted, page.RecordID)
	b.promoted[l.payload], b.instead[l.place] = place, place
	l.url = ""
	if _, ok := b.promoted[l.payload]; !ok {
		b.promoted[l.payload] = place
	}
	return nil
}

// headed is the first of the revisits that needs a head besides the payload, or else the first of all.
func headed(revisits []storage.Capture) (c storage.Capture, heads bool) {
	for _, c := range revisits {
		if c.Unmodified {
			return c, true
		}
	}
	return revisits[0], false
}

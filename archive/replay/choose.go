package replay

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"time"

	"linkstead/archive/fuzzy"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// about is how many captures on either side of a moment are read at once: for most addresses, all that there are.
const about = 2

// choice is the capture that an address asks for, with what stands about the moment that was asked for.
type choice struct {
	storage.Capture
	near    storage.Around
	differs *fuzzy.Difference // from what was asked for; nil: it is that
}

// choose brings the capture that an address asks for. If that one only leads back to the same key (http to https, the
// www in front, a slash at the end, a 304), or repeats what is not here and is not of that very second, it is the nearest in time that doesn't, if there is one. That choice depends
// on the key and the second alone, so that redirects to it come to rest.
//
// A wall, a copy that lacks its end, and what a server said when it could not answer are the answer only if nothing better is
// known of the key, or if exact says that a person asks for what was captured in that second: an archivist must be able to
// see it.
func (h *Handler) choose(ctx context.Context, a *address, exact bool) (choice, error) {
	key, at := a.key(), a.at()
	near, err := h.Index.Around(ctx, a.collection, key, at, about)
	if err != nil {
		return choice{}, err
	}
	if picked, err := h.picked(ctx, a); picked != nil || err != nil {
		return choice{Capture: orNone(picked), near: near}, err
	}
	found := choice{near: near}
	switch c, ok := near.Closest(a.url, at); {
	case !ok:
		found.Capture, err = h.Index.Closest(ctx, a.collection, key, a.url, at)
	case c == nil:
		err = fmt.Errorf("capture of %s: %w", a.url, storage.ErrNotFound)
	default:
		found.Capture = *c
	}
	if err != nil {
		return choice{}, err
	}
	if exact && !a.loose && (stampOf(found.At) != a.stamp || found.URL != a.url) && hasSecond(&near, a.stamp) {
		taken, err := h.Index.Taken(ctx, a.collection, key, a.url, at.Truncate(time.Second))
		if err == nil && !leadsBack(&taken) {
			return choice{Capture: taken, near: near}, nil
		}
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return choice{}, err
		}
	}
	if leadsBack(&found.Capture) || repeatsNothing(&found.Capture) && !a.shows(&found.Capture) {
		return h.onward(ctx, a, found)
	}
	return found, nil
}

// picked brings the capture that an address names by its second and its digest; nil if it names none, or there is none such.
func (h *Handler) picked(ctx context.Context, a *address) (*storage.Capture, error) {
	if a.pick == "" {
		return nil, nil
	}
	in := storage.OneKey(a.collection, a.key())
	in.Since = a.at().Truncate(time.Second)
	in.Until = in.Since.Add(time.Second)
	n := 0
	for c, err := range h.Index.CapturesIn(ctx, in, storage.Place{}, false) {
		switch n++; {
		case err != nil:
			return nil, err
		case a.picks(&c):
			return &c, nil
		case n == maxScan:
			return nil, nil
		}
	}
	return nil, nil
}

func orNone(c *storage.Capture) storage.Capture {
	if c == nil {
		return storage.Capture{}
	}
	return *c
}

// hasSecond says whether something was captured in the second in whose middle a moment is.
func hasSecond(near *storage.Around, stamp string) bool {
	return len(near.Before) > 0 && stampOf(near.Before[0].At) == stamp || len(near.After) > 0 && stampOf(near.After[0].At) == stamp
}

// maxScan bounds how many captures of one key are looked at for one request.
const maxScan = 2000

// onward brings what is the better answer than a capture that shows nothing itself: the nearest that does, or the capture itself.
func (h *Handler) onward(ctx context.Context, a *address, from choice) (choice, error) {
	span, at := storage.OneKey(a.collection, a.key()), a.at()
	middle := storage.Place{URLKey: span.From, At: at, Offset: -1}
	earlier, stop := iter.Pull2(h.Index.CapturesIn(ctx, span, middle, true))
	defer stop()
	later, stop := iter.Pull2(h.Index.CapturesIn(ctx, span, middle, false))
	defer stop()
	before, err, hasBefore := earlier()
	after, err2, hasAfter := later()
	best := from
	for n := 0; n < maxScan && (hasBefore || hasAfter); n++ {
		if err = errors.Join(err, err2); err != nil {
			return from, err
		}
		var c storage.Capture
		if hasBefore && (!hasAfter || at.Sub(before.At) <= after.At.Sub(at)) {
			c = before
			before, err, hasBefore = earlier()
		} else {
			c = after
			after, err2, hasAfter = later()
		}
		if showsNothing(&c) || !showsNothing(&best.Capture) && !nearer(at, &c, &best.Capture) {
			continue
		}
		if best.Capture = c; c.Flags == "" && c.Kind != warc.KindTruncated {
			break // what comes is farther away
		}
	}
	return best, nil
}

// leadsBack says whether a capture shows nothing but a way to its own key.
func leadsBack(c *storage.Capture) bool {
	return c.Status == http.StatusNotModified && !confirms(c) ||
		c.Status/100 == 3 && c.Redirect != "" && len(c.Redirect) <= urlkey.MaxLength && urlkey.Key(c.Redirect) == c.URLKey
}

// repeatsNothing says whether a capture repeats a payload that is not here: that of a revisit which came without its original, or whose
// original was purged. There is nothing to show for it.
func repeatsNothing(c *storage.Capture) bool {
	_, lacks := storage.Lacking(c.RefersTo)
	return lacks && c.Kind == warc.KindRevisit
}

// showsNothing says whether a capture is no memento: see leadsBack and repeatsNothing.
func showsNothing(c *storage.Capture) bool { return leadsBack(c) || repeatsNothing(c) }

// confirms says whether a capture is a 304 that shows the page which it confirmed. Rows of our own have that page's status; those of
// imported ones have 304, and confirm nothing as long as that page is not here.
func confirms(c *storage.Capture) bool {
	_, lacks := storage.Lacking(c.RefersTo)
	return c.Unmodified && !lacks
}

// leadsOn says whether a capture is a redirect to another key.
func leadsOn(c *storage.Capture) bool {
	return c.Status/100 == 3 && c.Status != http.StatusNotModified && urlkey.Fetchable(c.Redirect) && !leadsBack(c)
}

// nearer says whether c is the better answer: without flags, then whole rather than truncated, then nearer in time, then
// earlier.
func nearer(at time.Time, c, best *storage.Capture) bool {
	if plain, other := c.Flags == "", best.Flags == ""; plain != other {
		return plain
	}
	if whole, other := c.Kind != warc.KindTruncated, best.Kind != warc.KindTruncated; whole != other {
		return whole
	}
	return c.At.Sub(at).Abs() < best.At.Sub(at).Abs()
}

// truthful tells the path to redirect to before a capture is shown, if the address that was asked for is not the
// capture's own. A requisite is shown at once; a document in a frame, once its URL is right. So is a redirect of the past,
// for nobody reads it: what it leads to is then looked up at the time that was asked for, however many follow.
//
// What is shown in the place of a capture that was named by its digest, and is not there, never stands under that name.
func truthful(r *http.Request, a *address, c *storage.Capture) (string, bool) {
	own := a.own(c)
	misnamed := a.pick != "" && own.pick == ""
	switch {
	case misnamed && a.mod == asIs && reads(r):
		return own.String(), true
	case leadsOn(c) && !misnamed:
		return "", false
	case !reads(r): // a redirect would lose what is asked
		return "", false
	case topLevel(r, a.mod):
		return own.String(), a.loose || misnamed || own.stamp != a.stamp || own.url != a.url
	case framed(r, a.mod):
		own.stamp = a.stamp
		return own.String(), misnamed || own.url != a.url
	}
	return "", false
}

package replay

import (
	"context"
	"errors"
	"net/http"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// maxScan bounds how many captures of one key are looked at for one request.
const maxScan = 100_000

// choose brings the capture that an address asks for. If that one only leads back to the same key (http to https, the
// www in front, a slash at the end, a 304) it is the nearest in time that doesn't, if there is one. That choice depends
// on the key and the second alone, so that redirects to it come to rest.
//
// A wall is the answer only if nothing else is known of the key, or if exact says that a person asks for what was captured
// in that second: an archivist must be able to see it.
func (h *Handler) choose(ctx context.Context, a *address, exact bool) (storage.Capture, error) {
	key := a.key()
	c, err := h.Index.Closest(ctx, a.collection, key, a.url, a.at())
	if err != nil {
		return c, err
	}
	if exact && !a.loose && stampOf(c.At) != a.stamp {
		taken, err := h.Index.Taken(ctx, a.collection, key, a.url, a.at().Truncate(time.Second))
		if err == nil && taken.Flags != "" {
			return taken, nil
		}
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return c, err
		}
	}
	if !leadsBack(&c) {
		return c, nil
	}
	var best storage.Capture
	n := 0
	for other, err := range h.Index.Captures(ctx, a.collection, key) {
		if err != nil {
			return c, err
		}
		if n++; n > maxScan {
			break
		}
		if !leadsBack(&other) && (best.Segment == "" || nearer(a.at(), &other, &best)) {
			best = other
		}
	}
	if best.Segment == "" {
		return c, nil
	}
	return best, nil
}

// leadsBack says whether a capture shows nothing but a way to its own key.
func leadsBack(c *storage.Capture) bool {
	return c.Status == http.StatusNotModified ||
		c.Status/100 == 3 && c.Redirect != "" && len(c.Redirect) <= urlkey.MaxLength && urlkey.Key(c.Redirect) == c.URLKey
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
// capture's own. A requisite is shown at once; a document in a frame, once its URL is right.
func truthful(r *http.Request, a *address, c *storage.Capture) (string, bool) {
	own := a.own(c)
	switch {
	case !reads(r): // a redirect would lose what is asked
		return "", false
	case topLevel(r, a.mod):
		return own.String(), a.loose || own.stamp != a.stamp || own.url != a.url
	case framed(r, a.mod):
		own.stamp = a.stamp
		return own.String(), own.url != a.url
	}
	return "", false
}

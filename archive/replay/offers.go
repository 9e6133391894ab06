package replay

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// Elsewhere is another archive, which may have what this one lacks. Nothing is asked of it: a page links to it.
type Elsewhere struct {
	Name   string
	Prefix string // URL of its TimeGate, behind which the address is put; "{time}" in it stands for a time of 14 digits
}

// offersData is what the page about a missing copy offers instead.
type offersData struct {
	Nearby    []nearbyRow
	Folder    string            // which all of Nearby have in common
	Timed     bool              // a time was asked for, and each of Nearby is nearest to it; else the last of its address
	All       template.HTMLAttr // what is kept under it
	Elsewhere []elsewhereRow
	Capture   string // page of the archive's own that captures it; empty: nobody may from here
}

type nearbyRow struct {
	Path      template.HTMLAttr
	URL       string
	When, ISO string
}

type elsewhereRow struct{ Name, URL string }

// Bounds of what is offered.
const (
	maxNearby     = 5   // addresses on either side of the missing one
	maxNearbyRows = 400 // rows of the index that are read for them, on either side
)

// offers gathers what is offered in the place of what an address asks for.
func (h *Handler) offers(r *http.Request, a *address) (offersData, error) {
	o := offersData{Timed: a.stamp != newest}
	if h.CaptureNow != nil && a.asked == "" {
		o.Capture = h.CaptureNow(r, a.collection, a.url)
	}
	if !urlkey.Fetchable(a.url) {
		return o, nil
	}
	at := min(a.stamp, stampOf(h.Now()))
	for _, e := range h.Elsewhere {
		o.Elsewhere = append(o.Elsewhere, elsewhereRow{e.Name, strings.ReplaceAll(e.Prefix, "{time}", at) + pathOf(a.url)})
	}
	var err error
	for _, folder := range foldersOf(a.url) {
		if o.Nearby, err = h.nearby(r.Context(), a, folder); err != nil {
			return o, err
		}
		if len(o.Nearby) > 0 {
			all := address{kind: ofPrefix, name: a.name, url: folder}
			o.Folder, o.All = folder, hrefOf(&all)
			break
		}
	}
	return o, nil
}

// foldersOf are the folder that a URL stands in, and the root of its host.
func foldersOf(url string) []string {
	origin := urlkey.Origin(url)
	path, _, _ := strings.Cut(strings.TrimPrefix(url, origin), "?")
	folder := origin + path[:strings.LastIndexByte(path, '/')+1]
	if origin == "" || folder == origin+"/" {
		return []string{origin + "/"}
	}
	return []string{folder, origin + "/"}
}

// nearby brings pages of a folder: those that stand next to the missing one in the order of keys, which is that of names.
func (h *Handler) nearby(ctx context.Context, a *address, folder string) ([]nearbyRow, error) {
	from, to, err := urlkey.Span(folder, urlkey.MatchPrefix)
	if err != nil {
		return nil, nil //nolint:nilerr // a folder that no index spans has nothing to offer
	}
	in := storage.KeySpan{Collection: a.collection, From: from, To: to}
	here := urlkey.Key(a.url)
	before, err := h.next(ctx, in, a, here, true)
	if err != nil {
		return nil, err
	}
	after, err := h.next(ctx, in, a, here, false)
	if err != nil {
		return nil, err
	}
	rows := make([]nearbyRow, 0, 1+len(before)+len(after))
	front, err := h.Index.Closest(ctx, a.collection, urlkey.Key(folder), folder, a.at())
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	if same := func(c storage.Capture) bool { return c.URLKey == front.URLKey }; err == nil && readable(&front) &&
		!slices.ContainsFunc(before, same) && !slices.ContainsFunc(after, same) {
		rows = append(rows, nearbyOf(a, &front)) // the way in
	}
	for i := len(before) - 1; i >= 0; i-- {
		rows = append(rows, nearbyOf(a, &before[i]))
	}
	for i := range after {
		rows = append(rows, nearbyOf(a, &after[i]))
	}
	return rows, nil
}

// next brings the pages that follow a key in the index or against its order: of each, its capture that is nearest in time
// among those that were read.
func (h *Handler) next(ctx context.Context, in storage.KeySpan, a *address, key string, backwards bool) (out []storage.Capture, err error) {
	place := storage.Place{URLKey: key}
	if !backwards {
		place.At = endOfTime
	}
	n := 0
	for c, err := range h.Index.CapturesIn(ctx, in, place, backwards) {
		if err != nil {
			return nil, err
		}
		if n++; n > maxNearbyRows {
			break
		}
		if !readable(&c) {
			continue
		}
		last := len(out) - 1
		if last >= 0 && out[last].URLKey == c.URLKey {
			if closer(a.at(), c.At, out[last].At) {
				out[last] = c
			}
			continue
		}
		if len(out) == maxNearby {
			break
		}
		out = append(out, c)
	}
	return out, nil
}

// closer says whether one time is closer to at than another. On one side of it their order tells: a Duration spans 292 years,
// and the end of time is further off.
func closer(at, one, other time.Time) bool {
	if early := one.Before(at); early == other.Before(at) {
		return early == one.After(other) && !one.Equal(other)
	}
	return one.Sub(at).Abs() < other.Sub(at).Abs()
}

// readable says whether a person would read a capture: a page or a document that answered.
func readable(c *storage.Capture) bool {
	if c.Status != http.StatusOK || c.Flags != "" {
		return false
	}
	switch c.Mime {
	case "text/html", "application/xhtml+xml", "application/pdf", "text/plain", "text/markdown":
		return !strings.HasSuffix(c.URLKey, ")/robots.txt")
	}
	return false
}

func nearbyOf(a *address, c *storage.Capture) nearbyRow {
	own := a.own(c)
	own.mod = asPage
	return nearbyRow{Path: hrefOf(&own), URL: c.URL, When: day(c.At), ISO: iso(c.At)}
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

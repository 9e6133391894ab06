package report

import (
	"net/url"
	"slices"
	"strings"
)

// Place is what came of looking for the place in a page that a citation names.
type Place string

// The places.
const (
	PlaceFound   Place = "found"
	PlaceMissing Place = "missing"
	PlaceUnsure  Place = "unsure" // only a part of the page was read, or the fragment is one that scripts read
)

// Placed tells each citation what came of looking for its place: missing and unsure are fragments of which that is to be said. It says nothing of a
// page that is not there.
func (l *AuditLink) Placed() {
	for i := range l.Citations {
		c := &l.Citations[i]
		switch {
		case c.Fragment == "" || l.State != StateOK && l.State != StateRedirected:
			c.Place = ""
		case slices.Contains(l.Missing, c.Fragment):
			c.Place = PlaceMissing
		case slices.Contains(l.Unsure, c.Fragment):
			c.Place = PlaceUnsure
		default:
			c.Place = PlaceFound
		}
	}
}

// Misplaced are the citations of places that the page does not have.
func (l *AuditLink) Misplaced() (out []*AuditCitation) {
	for i := range l.Citations {
		if l.Citations[i].Place == PlaceMissing {
			out = append(out, &l.Citations[i])
		}
	}
	return out
}

// Misplacing is why a citation misses its place, for people.
func (c *AuditCitation) Misplacing() string {
	name, words, directive := strings.Cut(c.Fragment, ":~:")
	if !directive {
		return "its page is there, but has no place named #" + name
	}
	if plain, err := url.PathUnescape(words); err == nil {
		words = plain
	}
	words = strings.ReplaceAll(strings.ReplaceAll(words, "&text=", " / "), "text=", "")
	if name == "" {
		return "its page is there, but does not have the words “" + words + "”"
	}
	return "its page is there, but has no place named #" + name + ", or not the words “" + words + "”"
}

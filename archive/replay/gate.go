package replay

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"linkstead/archive/warc"
	"linkstead/storage"
)

// newest is later than whatever is archived.
const newest = "99991231235959"

// gate answers as the TimeGate of a URL, by pattern 2.1 of RFC 7089 (§4.2.1): it redirects to the memento that is nearest
// to the time that Accept-Datetime names, or to the last one.
func (h *Handler) gate(w http.ResponseWriter, r *http.Request, a address) {
	if !reads(r) { // a script of a page sends a form to what it takes for the live web
		a.kind, a.stamp, a.loose = ofMemento, stampOf(h.Now()), true
		h.memento(w, r, a)
		return
	}
	w = negotiated{w}
	stamp, err := acceptDatetime(r.Header)
	if err != nil {
		h.plain(w, r, http.StatusBadRequest, "Accept-Datetime: "+err.Error()+".\n")
		return
	}
	a.kind, a.stamp = ofMemento, stamp
	if stamp == "" {
		a.stamp = newest
	}
	c, err := h.choose(r.Context(), &a, false)
	if err == nil && repeatsNothing(&c.Capture) {
		if c, err = h.onward(r.Context(), &a, c); err == nil && repeatsNothing(&c.Capture) {
			err = fmt.Errorf("memento of %s: %w", a.url, warc.ErrNoOriginal)
		}
	}
	if errors.Is(err, storage.ErrNotFound) {
		w.Header().Set("Link", "<"+pathOf(a.url)+`>; rel="original"`)
		h.missing(w, r, &a)
		return
	}
	if err != nil {
		h.fault(w, r, &a, err)
		return
	}
	w.Header().Set("Link", h.links(r, &a, &c))
	to := a.own(&c.Capture)
	if stamp != "" && leadsOn(&c.Capture) {
		to.stamp = stamp // or what it leads to would be looked up at its own time: see truthful
	}
	h.redirect(w, r, http.StatusFound, to.String())
}

// negotiated says of every answer that it depends on Accept-Datetime (RFC 7089 §2.1.2).
type negotiated struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (n negotiated) WriteHeader(status int) {
	vary := "accept-datetime"
	if others := n.Header().Get("Vary"); others != "" {
		vary += ", " + others
	}
	n.Header().Set("Vary", vary)
	n.ResponseWriter.WriteHeader(status)
}

var errDatetime = errors.New("give one time as RFC 1123 spells it, in GMT: Thu, 31 May 2007 20:35:00 GMT")

// weekday is the length of a day's name, which tells nothing.
const weekday = len("Thu")

// acceptDatetime reads the time that a client asks for, as a stamp; "" if it asks for none. What is not spelled as RFC 7089
// §2.1.1 wants it is an error (§4.5.3).
func acceptDatetime(head http.Header) (string, error) {
	values := head.Values("Accept-Datetime")
	if len(values) == 0 {
		return "", nil
	}
	t, err := time.Parse(http.TimeFormat, values[0])
	if err != nil || len(values) > 1 || t.Format(http.TimeFormat)[weekday:] != values[0][weekday:] { // Parse takes fractions
		return "", errDatetime
	}
	return stampOf(t), nil
}

package replay

import (
	"context"
	_ "embed" // the page of what may not be seen
	"net/http"
	"strings"
	"time"

	"linkstead/archive/access"
	"linkstead/archive/urlkey"
)

//go:embed assets/refusal.html
var refusalSource string

// Access says what may not be seen: package guard. Index leaves it out; Access tells why.
type Access interface {
	Refused(ctx context.Context, collection, key, url string, at time.Time) error
}

// refusalData is what the page of a refusal tells: of a withholding all that RFC 7725 §3 asks for, of any other rule no reason.
type refusalData struct {
	Reason, Since, SinceISO, BlockedBy, Contact string
}

// refused is an *access.Refusal if what an address names may not be seen. Lists of many addresses leave such things out.
func (h *Handler) refused(r *http.Request, a *address) error {
	if h.Access == nil || a.url == "" {
		return nil
	}
	at := h.Now()
	switch a.kind {
	case ofMemento:
		at = a.at()
	case ofGate, ofCaptures, ofTimeMap:
	default:
		return nil
	}
	return h.Access.Refused(r.Context(), a.collection, urlkey.Key(a.url), a.url, at)
}

// withhold answers that something may not be seen. What it says depends on the rule and the address alone: not on whether there
// are captures.
func (h *Handler) withhold(w http.ResponseWriter, r *http.Request, a *address, why *access.Refusal) {
	data := pageData{URL: a.url}
	rule := why.Rule
	if rule != nil {
		data.Refusal.Contact = rule.Contact
	}
	switch {
	case why.Effect == access.Withheld && rule != nil:
		by := rule.BlockedBy
		if by == "" {
			by = strings.TrimSuffix(h.Origin, "/") + "/"
		}
		w.Header().Set("Link", "<"+by+`>; rel="blocked-by"`)
		data.Title = "Withheld for legal reasons"
		data.Detail = "What the archive has of this address, if anything, may not be shown."
		data.Refusal.Reason, data.Refusal.BlockedBy = rule.Reason, rule.BlockedBy
		data.Refusal.Since, data.Refusal.SinceISO = when(rule.Since), iso(rule.Since)
	case why.Effect == access.Embargo:
		data.Title = "Under embargo until " + access.Day(why.Until)
		data.Detail = "What the archive has of this address may be shown from then on."
	default:
		data.Title = "Not public"
		data.Detail = "What the archive has of this address, if anything, is not open to readers."
	}
	w.Header().Set("Server-Timing", "withheld")
	if embedded(r, a.mod) {
		text := data.Title + ".\n"
		if data.Refusal.Reason != "" {
			text += data.Refusal.Reason + "\n"
		}
		h.plain(w, r, why.Status(), text)
		return
	}
	h.page(w, r, why.Status(), "refusal", data)
}

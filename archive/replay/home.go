package replay

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// maxRecent is how many posts the front page of a collection names.
const maxRecent = 10

// recentRow is a post there.
type recentRow struct {
	Title, When, ISO string
	Path             template.HTMLAttr
}

// home is a collection's own page: it takes a URL and a time, and names what was captured last.
func (h *Handler) home(w http.ResponseWriter, r *http.Request, a address) {
	if a.name == "" {
		a.name, a.collection = defaultName, h.Collection
	}
	_, query, _ := strings.Cut(targetOf(r), "?")
	if to, ok := h.wish(&a, query); ok {
		h.redirect(w, r, http.StatusFound, to)
		return
	}
	data := pageData{Title: "Archived pages", Name: a.name, URL: wished(query)}
	if a.name != defaultName {
		data.Title += " of " + a.name
	}
	if data.URL != "" {
		data.Detail = "This is no address of the web"
	}
	var err error
	if data.Recent, err = h.recent(r.Context(), &a); err != nil && r.Context().Err() == nil {
		h.Log.Warn("look for the newest posts", "collection", a.collection, "error", err)
	}
	h.page(w, r, http.StatusOK, "home", data)
}

// wish is where the form of the page leads: to the copies of a URL, or to the one that is nearest to a time.
func (h *Handler) wish(a *address, query string) (string, bool) {
	raw := wished(query)
	if raw == "" || len(raw) > urlkey.MaxLength {
		return "", false
	}
	to := address{kind: ofCaptures, name: a.name}
	if to.readPrefix(raw) != nil || !urlkey.Fetchable(to.url) && !strings.HasPrefix(to.url, "file:") {
		return "", false
	}
	values, _ := url.ParseQuery(query) // what is malformed is left out
	digits := strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, values.Get("date"))
	digits = digits[:min(len(digits), len(stampLayout))]
	switch {
	case to.kind == ofPrefix:
		to.stamp = digits
	case digits != "":
		to.kind, to.stamp = ofMemento, pad(digits)
	}
	return to.String(), true
}

func wished(query string) string {
	values, _ := url.ParseQuery(query) // what is malformed is left out
	return strings.TrimSpace(values.Get("url"))
}

// recent are the newest posts of which readers may see the copy.
func (h *Handler) recent(ctx context.Context, a *address) ([]recentRow, error) {
	if h.Recent == nil {
		return nil, nil
	}
	posts, err := h.Recent(ctx, a.collection, 2*maxRecent)
	if err != nil {
		return nil, err
	}
	var rows []recentRow
	for _, p := range posts {
		c, err := h.Index.Closest(ctx, a.collection, urlkey.Key(p.URL), p.URL, p.At)
		if errors.Is(err, storage.ErrNotFound) {
			continue // hidden by a rule, or purged
		}
		if err != nil {
			return rows, err
		}
		own := a.own(&c)
		row := recentRow{Title: p.Title, When: when(c.At), ISO: iso(c.At), Path: hrefOf(&own)}
		if strings.TrimSpace(row.Title) == "" {
			row.Title = p.URL
		}
		if rows = append(rows, row); len(rows) == maxRecent {
			break
		}
	}
	return rows, nil
}

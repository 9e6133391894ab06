package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"linkstead/archive/bibliography"
	"linkstead/archive/cite"
	"linkstead/archive/report"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// Citations makes citation records.
type Citations interface {
	ID(ctx context.Context, id cite.ID, w bibliography.Wanted) (*bibliography.Entry, bibliography.Named, error)
	URL(ctx context.Context, w bibliography.Wanted) (*bibliography.Entry, error)
	Sources(ctx context.Context, id string, run int64) (storage.Post, []*bibliography.Entry, []string, error)
}

var _ Citations = (*bibliography.Desk)(nil)

// citeView is the page by which something is cited.
type citeView struct {
	Title, URL, Live string
	ID               string
	At               *moment
	Distance         string
	Failure          string
	Copy, Evidence   string
	Facts            []factView
	Formats          []citeFormat
	Command          string // that gives an identifier; empty: there is one
}

// citeFormat is the citation in one format.
type citeFormat struct{ Name, Label, Href, Text string }

// citeID answers for what an identifier names: as a page, or in the format that the path's ending or the Accept field asks for. It only reads: an
// identifier is given by “linkstead cite”.
func (p *Pages) citeID(r *http.Request) (*answer, error) {
	name, format, asked := citeName(r.PathValue("id"))
	id, err := cite.ParseID(name)
	switch {
	case p.Citations == nil:
		return nothingHere(r)
	case errors.Is(err, cite.ErrMistyped):
		return nil, &problem{
			status: http.StatusNotFound, title: "A slip in the identifier", text: "One of its signs is wrong, or two have changed places.",
			hint: "Compare it with where you have it from.",
		}
	case err != nil:
		return nil, &problem{
			status: http.StatusNotFound, title: "No identifier", text: "An identifier has ten signs, digits and letters, in two groups.",
			hint: "An address can be cited at /cite?url=ADDRESS.",
		}
	}
	w, err := citeWanted(r.URL.Query())
	if err != nil {
		return nil, err
	}
	e, _, err := p.Citations.ID(r.Context(), id, w)
	switch {
	case errors.Is(err, bibliography.ErrGone):
		return nil, &problem{
			status: http.StatusGone, title: "Taken out of the archive", text: "What the identifier " + id.String() + " names was taken out of this archive for good.",
			hint: "The identifier will never name anything else.",
		}
	case errors.Is(err, bibliography.ErrUnknown):
		return nil, &problem{status: http.StatusNotFound, title: "No such identifier", text: "This archive has given no identifier " + id.String() + "."}
	case err != nil:
		return nil, err
	}
	a, err := p.citeAnswer(r, e, format, asked)
	if err == nil && name != r.PathValue("id") { // a file was asked for
		a.file = id.String() + "." + format.Ext
	}
	return a, err
}

// citeURL answers for the copy of an address that is nearest to a date.
func (p *Pages) citeURL(r *http.Request) (*answer, error) {
	if p.Citations == nil {
		return nothingHere(r)
	}
	q := r.URL.Query()
	w, err := citeWanted(q)
	if err != nil {
		return nil, err
	}
	u, err := urlkey.Parse("", q.Get("url"))
	if err != nil || !urlkey.Fetchable(u) || len(u) > urlkey.MaxLength {
		return nil, &problem{
			status: http.StatusBadRequest, title: "Which address?", text: "Only copies of http and https addresses can be cited.",
			hint: "Write it in full, as in /cite?url=https://example.org/post&at=2016-02-21",
		}
	}
	w.URL, w.Collection = u, q.Get("collection")
	if w.Collection == "" {
		w.Collection = p.CitedCollection
	}
	format, asked := cite.Format{}, false
	if f := q.Get("format"); f != "" {
		if format, err = cite.FormatOf(f); err != nil {
			return nil, &problem{status: http.StatusBadRequest, title: "No such format", text: err.Error()}
		}
		asked = true
	}
	e, err := p.Citations.URL(r.Context(), w)
	if errors.Is(err, bibliography.ErrNothing) {
		return nil, &problem{status: http.StatusNotFound, title: "Nothing to cite", text: "The archive has no copy of this address, and has not tried to get one."}
	}
	if err != nil {
		return nil, err
	}
	return p.citeAnswer(r, e, format, asked)
}

func citeWanted(q url.Values) (w bibliography.Wanted, err error) {
	w.Quote = q.Get("quote")
	if at := q.Get("at"); at != "" {
		moment, date, ok := bibliography.Moment(at)
		if !ok {
			return w, &problem{status: http.StatusBadRequest, title: "No date", text: "A date is written as 2016, 2016-02, 2016-02-21 or 2016-02-21T10:00:00Z."}
		}
		w.At, w.Cited, w.CitedIn = moment, date, date.String()
	}
	return w, nil
}

// citeName cuts the ending of a file off a name, if it is that of a format.
func citeName(s string) (name string, f cite.Format, ok bool) {
	name, ext, dot := strings.Cut(s, ".")
	if !dot {
		return s, f, false
	}
	f, err := cite.FormatOf(ext)
	if err != nil {
		return s, f, false
	}
	return name, f, true
}

func (p *Pages) citeAnswer(r *http.Request, e *bibliography.Entry, format cite.Format, asked bool) (*answer, error) {
	if !asked {
		format, asked = accepted(r.Header.Values("Accept"))
	}
	if asked {
		return inFormat(format, []*bibliography.Entry{e}), nil
	}
	v := p.citeView(e)
	return &answer{status: http.StatusOK, page: "cite", title: "Cite: " + v.Title, body: v, vary: "Accept", script: copyPath}, nil
}

func inFormat(f cite.Format, entries []*bibliography.Entry) *answer {
	mime := f.Mime
	if !strings.Contains(mime, "charset") && !strings.HasSuffix(mime, "json") {
		mime += "; charset=utf-8"
	}
	return &answer{status: http.StatusOK, raw: []byte(f.Write(bibliography.Records(entries))), mime: mime, vary: "Accept"}
}

// accepted is the format that an Accept field likes best; false if that is a page. Browsers like pages best, and who likes anything gets one.
func accepted(fields []string) (best cite.Format, ok bool) {
	most := 0.0
	for item := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		kind, params, _ := strings.Cut(strings.ToLower(item), ";")
		q := 1.0
		for param := range strings.SplitSeq(params, ";") {
			if v, is := strings.CutPrefix(strings.TrimSpace(param), "q="); is {
				q, _ = strconv.ParseFloat(v, 64) // what is no number is none
			}
		}
		kind = strings.TrimSpace(kind)
		if q <= most || q > 1 {
			continue
		}
		if kind == "text/html" || kind == "*/*" || kind == "application/xhtml+xml" {
			most, ok = q, false
			continue
		}
		for _, f := range cite.Formats {
			if bare, _, _ := strings.Cut(f.Mime, ";"); bare == kind || kind == "text/plain" && f.Name == "text" {
				if kind == "text/plain" && f.Name != "text" {
					continue
				}
				best, most, ok = f, q, true
				break
			}
		}
	}
	return best, ok
}

func (p *Pages) citeView(e *bibliography.Entry) *citeView {
	v := &citeView{
		Title: clean(e.Title(), maxTitle), URL: shownURL(e.URL), Live: liveURL(e.URL), ID: e.ID.String(), At: momentOf(e.Captured), Distance: e.Distance(),
		Failure: clean(e.Failure, maxContext), Copy: p.copyURL(e.Link()),
	}
	if own := "/cite/" + v.ID; v.ID == "" || !strings.HasSuffix(e.Evidence, own) { // not this page itself
		if i := strings.Index(e.Evidence, "/attempts/"); i >= 0 {
			v.Evidence = e.Evidence[i:]
		} else if i := strings.Index(e.Evidence, "/posts/"); i >= 0 {
			v.Evidence = e.Evidence[i:]
		}
	}
	if v.ID == "" {
		v.Command = "linkstead cite " + shownURL(e.URL)
	}
	fact := func(name, value, from string) {
		if value == "" {
			return
		}
		if from != "" {
			value += " (" + from + ")"
		}
		v.Facts = append(v.Facts, factView{name, clean(value, maxContext)})
	}
	var by []string
	for _, a := range e.Meta.Authors {
		by = append(by, a.String())
	}
	fact("Author", strings.Join(by, ", "), e.Meta.ByFrom)
	fact("Website", e.Site(), e.Meta.Site.From)
	fact("Journal", e.Meta.Container.Value, e.Meta.Container.From)
	fact("Published", e.Meta.Published.String(), e.Meta.Published.From)
	fact("Modified", e.Meta.Modified.String(), e.Meta.Modified.From)
	fact("Language", e.Meta.Lang.Value, e.Meta.Lang.From)
	fact("DOI", e.Meta.DOI.Value, e.Meta.DOI.From)
	fact("PWID", e.PWID(), "")
	fact("Digest", strings.Join(e.Digests, ", "), "")
	fact("Record", e.Name, "")
	for _, f := range cite.Formats {
		c := citeFormat{Name: f.Name, Label: f.Title, Text: strings.TrimRight(f.Write([]cite.Record{e.Record}), "\r\n")}
		if v.ID != "" {
			c.Href = "/cite/" + v.ID + "." + f.Ext
		}
		v.Formats = append(v.Formats, c)
	}
	return v
}

// nameView is a short name, with the page by which what it names is cited.
type nameView struct {
	ID, Href, What string
	At             *moment
}

// namesOf are the short names of what is kept of a link.
func (p *Pages) namesOf(l *report.Link) (out []nameView) {
	for _, id := range l.Identifiers {
		name := nameView{ID: id.ID, What: "copy", At: momentOf(id.At)}
		if id.Attempt {
			name.What = "attempt"
		}
		if p.Citations != nil {
			name.Href = "/cite/" + id.ID
		}
		out = append(out, name)
	}
	return out
}

// bibliography is all sources of a post, in the format that the ending of the file names.
func (p *Pages) bibliography(r *http.Request) (*answer, error) {
	name, f, ok := citeName(r.PathValue("file"))
	if name != "bibliography" || !ok || p.Citations == nil {
		return nothingHere(r)
	}
	asked, err := viewOf(r.PathValue("id"), r.URL.Query())
	if err != nil {
		return nil, err
	}
	post, entries, _, err := p.Citations.Sources(r.Context(), asked.id, asked.run)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, &problem{status: http.StatusNotFound, title: "No such post", text: "The archive keeps no post under this name, or no such version of it."}
	}
	if err != nil {
		return nil, err
	}
	a := inFormat(f, entries)
	a.file = post.ID + "." + f.Ext
	return a, nil
}

// bibliographies lead to all sources of a version of a post, in each format.
func (p *Pages) bibliographies(asked view) (out []citeFormat) {
	if p.Citations == nil {
		return nil
	}
	for _, f := range cite.Formats {
		href := "/posts/" + url.PathEscape(asked.id) + "/bibliography." + f.Ext
		if asked.run != 0 {
			href += "?run=" + strconv.FormatInt(asked.run, 10)
		}
		out = append(out, citeFormat{Name: f.Name, Label: f.Title, Href: href})
	}
	return out
}

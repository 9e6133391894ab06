package bibliography

import (
	"time"

	"linkstead/archive/cite"
)

// DocumentVersion is the version of the JSON documents.
const DocumentVersion = 1

// Document is the JSON document of a record, with where each fact comes from. What is not known is left out.
type Document struct {
	Identifier string      `json:"identifier,omitempty"`
	Permanent  string      `json:"permanent,omitempty"` // the address that leads to what the identifier names, whatever becomes of it
	What       string      `json:"what"`                // capture, attempt, post
	URL        string      `json:"url"`
	Memento    string      `json:"memento,omitempty"`
	Link       string      `json:"link,omitempty"` // the memento, at the place of the quotation
	Evidence   string      `json:"evidence,omitempty"`
	Captured   time.Time   `json:"captured"`
	Cited      string      `json:"cited,omitempty"`
	Distance   string      `json:"distance,omitempty"`
	Failure    string      `json:"failure,omitempty"`
	Title      *cite.Fact  `json:"title,omitempty"`
	Authors    []cite.Name `json:"authors,omitempty"`
	AuthorsBy  string      `json:"authors_from,omitempty"`
	Site       *cite.Fact  `json:"site,omitempty"`
	Container  *cite.Fact  `json:"container,omitempty"`
	Publisher  *cite.Fact  `json:"publisher,omitempty"`
	Published  *cite.Fact  `json:"published,omitempty"`
	Modified   *cite.Fact  `json:"modified,omitempty"`
	Language   *cite.Fact  `json:"language,omitempty"`
	Type       string      `json:"type"` // in the words of CSL
	DOI        *cite.Fact  `json:"doi,omitempty"`
	Digests    []string    `json:"digests,omitempty"`
	Record     string      `json:"record,omitempty"`
	PWID       string      `json:"pwid,omitempty"`
	Live       string      `json:"live,omitempty"`
	URLStatus  string      `json:"url_status,omitempty"`
	Repaired   string      `json:"repaired,omitempty"` // how the link was found again that the post has lost
	Quote      string      `json:"quote,omitempty"`
	Quoted     *bool       `json:"quoted,omitempty"` // whether the copy holds the quotation; absent without one
}

// Document is the entry as JSON.
func (e *Entry) Document() *Document {
	m := &e.Meta
	d := &Document{
		Identifier: e.ID.String(), Permanent: e.Permanent, What: e.Named.What, URL: e.URL, Memento: e.Memento, Link: e.Link(), Evidence: e.Evidence, Captured: e.Captured.UTC(),
		Cited: e.Cited.String(), Distance: e.Distance(), Failure: e.Failure, Title: fact(m.Title), Authors: m.Authors, AuthorsBy: m.ByFrom, Site: fact(m.Site),
		Container: fact(m.Container), Publisher: fact(m.Publisher), Published: fact(cite.Fact{Value: m.Published.String(), From: m.Published.From}),
		Modified: fact(cite.Fact{Value: m.Modified.String(), From: m.Modified.From}), Language: fact(m.Lang), Type: e.Type(), DOI: fact(m.DOI),
		Digests: e.Digests, Record: e.Name, PWID: e.PWID(), Live: e.Live, URLStatus: e.URLStatus(), Repaired: e.Repaired, Quote: e.Quote,
	}
	if e.Quote != "" {
		d.Quoted = &e.Quoted
	}
	return d
}

func fact(f cite.Fact) *cite.Fact {
	if f.Value == "" {
		return nil
	}
	return &f
}

// Sources is the JSON document of all sources of a post.
type Sources struct {
	Version int         `json:"version"`
	Post    string      `json:"post"`
	Run     int64       `json:"run"`
	Dated   string      `json:"dated,omitempty"`
	Sources []*Document `json:"sources"`
	Missing []string    `json:"missing,omitempty"` // of which there is neither a copy nor an attempt
}

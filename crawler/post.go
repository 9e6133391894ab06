package crawler

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"time"

	"linkstead/archive/post"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// PostID is the short name of a post: see storage.PostID.
func PostID(collection, source string) string { return storage.PostID(collection, source) }

// maxCitationBytes bounds what is kept of a post's citations, in bytes of their texts.
const maxCitationBytes = 4 << 20

// discoverPost reads a post of the run, known by source: its citations become the run's links, besides what any page
// leads to.
func (c *Crawler) discoverPost(r *run, e *warc.Entry, d fetch.Document, at time.Time, source string) {
	spec := r.spec()
	doc, err := readPost(d, spec, c.until())
	if errors.Is(err, post.ErrType) {
		e.Meta.Notes = append(e.Meta.Notes, fmt.Sprintf("no links can be read out of a document of type %q", d.Mime))
	} else if err != nil {
		e.Meta.Notes = append(e.Meta.Notes, "the post's links can't be read: "+err.Error())
	}
	s := r.scope.Load()
	if rooted, err := s.Rooted(d.URL); err == nil && spec.Single() { // a document handed in has no root
		s = rooted
		r.scope.Store(s)
	}
	base := d.URL
	if spec.Base != "" && e.Resource != nil {
		base = spec.Base
	}
	f := newFinder(r, e, base)
	p := &storage.Post{
		ID: PostID(r.row.Collection, source), Run: r.row.ID, Collection: r.row.Collection, Source: source,
		URL: d.URL, Title: doc.Title, Dated: doc.Dated, At: at,
	}
	if spec.Dated != "" {
		p.Dated = spec.Dated
	}
	size := 0
	for i, found := range doc.Citations {
		ct := concealed(f.hide, storage.Citation(found))
		if size += len(ct.URL) + len(ct.Raw) + len(ct.Text) + len(ct.Context) + ct.More(); size > maxCitationBytes {
			f.note(fmt.Sprintf("%d citations were left out: there are more than can be kept", len(doc.Citations)-i))
			break
		}
		p.Citations = append(p.Citations, ct)
		if ct.LeftOut == "" {
			f.cited[ct.URL] = true
		}
	}
	for _, d := range doc.Damaged {
		p.Damaged = append(p.Damaged, storage.Scar{
			Class: string(d.Class), Confidence: d.Confidence, Start: d.Start, End: d.End, Text: d.Text, Context: d.Context, Reason: d.Reason, Key: d.Key,
		})
	}
	f.cite(p)
	if doc.Fault != "" {
		f.note("the post has faults: " + doc.Fault)
	}
	if doc.Cut {
		f.note("only the beginning of the post was read for citations: it has more elements than can be kept in mind")
	}
	if len(doc.Citations) >= post.MaxLinks {
		f.note(fmt.Sprintf("only the first %d links of the post were read", post.MaxLinks))
	}
	for _, img := range doc.Images {
		f.add(img.URL, scope.HopEmbed, "image")
	}
	f.guessMap()
	e.Post = p
	f.scan(d, c.until())
}

// cite makes tasks of the post's citations, in the order of the text, and notes which of them the run's rules leave out.
func (f *finder) cite(p *storage.Post) {
	for i := range p.Citations {
		ct := &p.Citations[i]
		if ct.LeftOut != "" || !urlkey.Fetchable(ct.URL) {
			continue
		}
		before := len(f.e.Meta.Outlinks)
		f.add(ct.URL, scope.HopLink, warc.CitationContext)
		if n := len(f.e.Meta.Outlinks); n > before && f.e.Meta.Outlinks[n-1].Kind == "" {
			f.refused(p, ct.URL)
		}
	}
}

// refused notes on every citation of a URL that the run's rules leave it out.
func (f *finder) refused(p *storage.Post, url string) {
	t := f.e.Task
	v := f.run.admit(f.scope, f.e, scope.Link{URL: url, Hop: scope.HopLink, Cited: true, From: t.URL, Depth: t.Depth, Hops: t.Hops})
	for i := range p.Citations {
		if p.Citations[i].URL == url {
			p.Citations[i].LeftOut = v.Detail
		}
	}
}

// readPost reads a document's citations by its media type.
func readPost(d fetch.Document, spec scope.Spec, until time.Time) (post.Document, error) {
	mode := post.Mode(spec.Links)
	if spec.Links == scope.LinksSources {
		mode = post.Default
	}
	o := post.Options{Links: mode, ContentType: d.Mime, Expired: func() bool { return time.Now().After(until) }}
	if d.Charset != "" {
		o.ContentType += "; charset=" + d.Charset
	}
	base := d.URL
	if !urlkey.Fetchable(base) && spec.Base != "" {
		base = spec.Base
	}
	return post.Read(d.Body, d.Mime, base, o)
}

// handedIn is a document that was handed in, as discovery wants it.
func handedIn(url string, doc storage.Document) (fetch.Document, error) {
	t, params, err := mime.ParseMediaType(doc.Mime)
	if err != nil {
		return fetch.Document{}, fmt.Errorf("document %s is of type %q: %w", url, doc.Mime, err)
	}
	return fetch.Document{URL: url, Status: http.StatusOK, Mime: t, Charset: params["charset"], Body: doc.Body}, nil
}

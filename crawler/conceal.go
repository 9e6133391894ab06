package crawler

import (
	"net/url"
	"strings"

	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/session"
	"linkstead/crawler/watch"
	"linkstead/storage"
)

// The recorder masks secrets in what came over the wire (crawler/fetch/veil.go). What is read out of that is decoded, and may
// hold one that was spelled otherwise there. So addresses are looked through where they are taken, before it is decided what
// becomes of them; and an entry with all that it tells before it is recorded, told or logged.

// secrets are what is looked for in what the document of an entry is read to hold.
func (r *run) secrets(e *warc.Entry) *session.Set { return r.who.Secrets(urlkey.Hostname(e.Task.URL)) }

// conceal masks the secrets in what an entry tells besides the bytes that came.
func conceal(s *session.Set, e *warc.Entry) {
	if s.Empty() {
		return
	}
	e.Meta.Redirect, e.Meta.Mime = s.Address(e.Meta.Redirect), s.String(e.Meta.Mime)
	for i := range e.Meta.Outlinks {
		o := &e.Meta.Outlinks[i]
		o.URL, o.Context = s.Address(o.URL), s.Text(o.Context)
	}
	for i, n := range e.Meta.Notes {
		e.Meta.Notes[i] = s.Text(n)
	}
	if x := e.Exchange; x != nil {
		x.Detail = s.Text(x.Detail)
	}
	if p := e.Post; p != nil {
		p.Title, p.Dated = s.Text(p.Title), s.Text(p.Dated)
		for i, ct := range p.Citations {
			p.Citations[i] = concealed(s, ct)
		}
		for i := range p.Damaged {
			d := &p.Damaged[i]
			d.Text, d.Context, d.Reason = s.Text(d.Text), s.Text(d.Context), s.Text(d.Reason)
		}
	}
}

// concealed is a citation without the secrets in it.
func concealed(s *session.Set, ct storage.Citation) storage.Citation {
	if !s.Empty() {
		ct.URL, ct.Raw, ct.Of = s.Address(ct.URL), s.Address(ct.Raw), s.Address(ct.Of)
		ct.Text, ct.Context, ct.LeftOut = s.Text(ct.Text), s.Text(ct.Context), s.Text(ct.LeftOut)
		ct.Quotation, ct.Dated, ct.Entry = s.Text(ct.Quotation), s.Text(ct.Dated), s.Text(ct.Entry)
		if words, err := url.PathUnescape(ct.Selector); err != nil || s.Text(words) != words {
			ct.Selector = "" // with a mask in it, it would lead nowhere
		}
		others := strings.Split(ct.Alternatives, "\n")
		for i := range others {
			others[i] = s.Address(others[i])
		}
		ct.Alternatives = strings.Join(others, "\n")
	}
	return ct
}

// concealListing masks the secrets in what a document lists: it is looked up by its addresses, which are to be the same then.
func concealListing(s *session.Set, l *watch.Listing) {
	if s.Empty() {
		return
	}
	for i := range l.Entries {
		l.Entries[i].URL, l.Entries[i].Stamp = s.Address(l.Entries[i].URL), s.Text(l.Entries[i].Stamp)
	}
	for i, u := range l.Nested {
		l.Nested[i] = s.Address(u)
	}
}

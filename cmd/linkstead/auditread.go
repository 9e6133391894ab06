package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"strings"
	"time"

	"linkstead/archive/link"
	"linkstead/archive/post"
	"linkstead/archive/report"
	"linkstead/archive/urlkey"
	"linkstead/crawler/probe"
)

// auditDoc is a source that was read.
type auditDoc struct {
	url     string // of it, serialised
	path    string // of the file that it is; empty if it is none
	mime    string
	charset string
	body    []byte
	own     string // what a link to a place in itself is called, if it has any
}

// read reads the sources and lists their links, in the order in which they are named.
func (c *auditCmd) read(ctx context.Context, e *env, a *report.Audit) ([]*auditDoc, error) {
	var docs []*auditDoc
	var p *probe.Prober
	sources, err := auditSources(c.Sources)
	if err != nil {
		return nil, err
	}
	for _, arg := range sources {
		name, doc, err := e.source(arg)
		if err != nil {
			return nil, err
		}
		s := report.AuditSource{Source: arg, URL: name, Links: []report.AuditLink{}, Damaged: []report.AuditScar{}, LeftOut: []report.AuditLeftOut{}}
		d := &auditDoc{url: name}
		switch {
		case doc != nil:
			var params map[string]string
			if d.mime, params, err = mime.ParseMediaType(doc.Mime); err != nil {
				return nil, fmt.Errorf("%s is of type %q: %w", arg, doc.Mime, err)
			}
			if d.charset, d.body = params["charset"], doc.Body; arg != "-" {
				d.path = arg
			}
		default:
			if p == nil {
				if p, err = c.prober(e); err != nil {
					return nil, err
				}
				defer p.Recorder.Close()
			}
			if err := c.fetch(ctx, e, p, d, &s); err != nil {
				return nil, err
			}
		}
		if s.Failure == "" {
			c.list(e, d, &s)
		}
		a.Sources, docs = append(a.Sources, s), append(docs, d)
	}
	return docs, nil
}

// fetch gets a source from the web.
func (c *auditCmd) fetch(ctx context.Context, e *env, p *probe.Prober, d *auditDoc, s *report.AuditSource) error {
	l, err := p.Look(ctx, probe.Request{URL: d.url, All: true, Page: func(g probe.Page) {
		d.url, d.mime, d.charset, d.body = g.URL, g.Mime, g.Charset, bytes.Clone(g.Body)
		if !g.Whole {
			s.Notes = append(s.Notes, "Only the beginning of the source could be read.")
		}
	}})
	if err != nil {
		return fmt.Errorf("read %s: %w", d.url, err)
	}
	found := linkOf(l, 1)
	seen, rules := l.Evidence(link.Look), linkRules(&e.cfg.Verdicts)
	seen.TLS = "" // the source is named by whoever asks: its certificate is theirs to judge
	found.Judge(link.Judge(&seen, &rules), report.AuditRules{Accept: func(status int) bool { return status/100 == 2 }})
	s.URL = l.URL
	switch {
	case found.State != report.StateOK && found.State != report.StateRedirected:
		s.Failure = found.Reason
	case d.body == nil:
		s.Failure = fmt.Sprintf("it is of type %q; links can be read out of HTML, PDF, Markdown, feeds and plain text alone", l.Mime)
	}
	return nil
}

// list lists the links of a source, each once, and what is damaged in it.
func (c *auditCmd) list(e *env, d *auditDoc, s *report.AuditSource) {
	until := time.Now().Add(time.Duration(e.cfg.Limits.Discover))
	contentType := d.mime
	if d.charset != "" {
		contentType += "; charset=" + d.charset
	}
	base := d.url
	if !urlkey.Fetchable(base) && c.Base != "" {
		base = c.Base
	}
	doc, err := post.Read(d.body, d.mime, base, post.Options{
		Links: post.Mode(c.Links), ContentType: contentType, Expired: func() bool { return time.Now().After(until) },
	})
	if errors.Is(err, post.ErrType) {
		s.Failure = fmt.Sprintf("it is of type %q; links can be read out of HTML, PDF, Markdown, feeds and plain text alone", d.mime)
		return
	}
	if err != nil {
		s.Notes = append(s.Notes, "Its links can't all be read: "+err.Error()+".")
	}
	if doc.Fault != "" {
		s.Notes = append(s.Notes, "It has faults: "+doc.Fault+".")
	}
	if doc.Cut || len(doc.Citations) >= post.MaxLinks {
		s.Notes = append(s.Notes, "Only the beginning of it was read: it has more links or elements than are kept in mind.")
	}
	s.Title, s.Dated = doc.Title, doc.Dated
	lines := post.NewLines(d.body, d.mime, contentType)
	at := map[string]int{}
	for i := range doc.Citations {
		ct := &doc.Citations[i]
		switch {
		case c.within(ct):
			ct.LeftOut, ct.URL, d.own = "", d.name(), d.name()
		case c.local(d, ct):
			ct.LeftOut = ""
			ct.URL, _, _ = strings.Cut(strings.TrimSpace(ct.Raw), "#")
		}
		if ct.LeftOut == "" && !c.wanted(ct.URL) {
			ct.LeftOut = "excluded"
		}
		line, column := lines.At(ct.Start)
		if ct.LeftOut != "" {
			s.LeftOut = append(s.LeftOut, report.AuditLeftOut{URL: ct.URL, Reason: ct.LeftOut, Text: ct.Text, Line: line, Column: column})
			continue
		}
		k, known := at[ct.URL]
		if !known {
			k = len(s.Links)
			at[ct.URL] = k
			s.Links = append(s.Links, report.AuditLink{URL: ct.URL, Of: ct.Of, State: report.StateUnchecked, Reason: "it was not asked for"})
		}
		s.Links[k].Citations = append(s.Links[k].Citations, auditCitation(ct, s.Dated, line, column))
	}
	damaged(&doc, s, lines)
}

func auditCitation(ct *post.Citation, dated string, line, column int) report.AuditCitation {
	out := report.AuditCitation{Text: ct.Text, Context: ct.Context, Start: ct.Start, End: ct.End, Page: ct.Page,
		Line: line, Column: column, Fragment: urlkey.SerialisedFragment(ct.Raw),
		Selector: ct.Selector, Quotation: ct.Quotation, Dated: cmp.Or(ct.Dated, dated), Entry: ct.Entry}
	if ct.Alternatives != "" {
		out.Alternatives = strings.Split(ct.Alternatives, "\n")
	}
	if ct.Raw != ct.URL {
		out.Raw = ct.Raw
	}
	return out
}

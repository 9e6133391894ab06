package web

import (
	"fmt"
	"html/template"
	"io"

	"linkstead/archive/report"
)

// auditView is what the file of an audit shows.
type auditView struct {
	Made    *moment
	Verdict string // in a sentence
	Failed  bool
	Cut     string
	Sources []auditSourceView
}

type auditSourceView struct {
	N       int
	Name    string
	Title   string
	Live    string
	Failure string
	Notes   []string
	Counts  []auditCount
	Groups  []auditGroup
	Damaged []auditScar
	LeftOut []auditLeft
}

type auditCount struct {
	Word string
	N    int
}

type auditGroup struct {
	ID, Head, Hint, Class string
	Links                 []auditLinkView
}

type auditLinkView struct {
	URL     addressView
	Fate    string
	Class   string
	Suggest addressView
	Places  []auditPlace
	More    int
}

type auditPlace struct{ Where, Before, Text, After, Quotation string }

type auditScar struct{ Where, Before, Text, After, Reason, Class, Sure string }

type auditLeft struct{ URL, Reason, Where string }

// What the file shows at most of one link and of one source.
const (
	auditPlaces = 20
	auditLefts  = 500
)

// auditHeads are the groups of links, the worst first. The classes are those of the stylesheet.
var auditHeads = []struct {
	state             report.AuditState
	head, hint, class string
}{
	{report.StateBroken, "Broken", "", "dead"},
	{report.StateBlocked, "Not shown to programs", "These answered, but not to a program, or not without a login. Look for yourself.", "walled"},
	{report.StateRedirected, "Redirected", "These are there, at another address.", "partial"},
	{report.StateUnchecked, "Not checked", "", "not-captured"},
	{report.StateOK, "In order", "", "captured"},
}

// WriteAudit writes an audit as one HTML file that needs no other.
func WriteAudit(w io.Writer, a *report.Audit) error {
	v := auditView{Made: momentOf(a.At), Failed: a.Failed(), Cut: clean(a.Cut, maxContext)}
	t := a.Totals()
	switch {
	case a.Offline:
		v.Verdict = fmt.Sprintf("%s, none of which was asked for.", count(t.Links, "link", "links"))
	case t.Broken > 0:
		v.Verdict = fmt.Sprintf("%d of %s broken.", t.Broken, count(t.Links, "link is", "links are"))
	default:
		v.Verdict = fmt.Sprintf("None of %s is broken.", count(t.Links, "link", "links"))
	}
	if t.Misplaced > 0 {
		v.Verdict += fmt.Sprintf(" %s not there.", count(t.Misplaced, "cited place is", "cited places are"))
	}
	for i := range a.Sources {
		v.Sources = append(v.Sources, auditSourceOf(i+1, &a.Sources[i], a.Offline))
	}
	title := "Audit"
	if len(a.Sources) == 1 {
		title = "Audit of " + clean(sourceName(&a.Sources[0]), maxTitle)
	}
	return templates["audit"].ExecuteTemplate(w, "file", struct {
		Title, Policy string
		Style         template.CSS
		Body          auditView
	}{title, filePolicy, fileStyle, v})
}

func sourceName(s *report.AuditSource) string {
	if s.Source == "-" {
		return "standard input"
	}
	return s.Source
}

func auditSourceOf(n int, s *report.AuditSource, offline bool) auditSourceView {
	v := auditSourceView{N: n, Name: clean(sourceName(s), maxContext), Title: clean(s.Title, maxTitle), Live: liveURL(s.URL), Failure: clean(s.Failure, maxContext)}
	for _, n := range s.Notes {
		v.Notes = append(v.Notes, clean(n, maxContext))
	}
	t := &s.Totals
	for _, c := range []auditCount{{"links", t.Links}, {"broken", t.Broken}, {"not shown to programs", t.Blocked}, {"redirected", t.Redirected},
		{"not checked", t.Unchecked}, {"in order", t.OK}, {"places that are not there", t.Misplaced}, {"damaged citations", t.Damaged}, {"left out", t.LeftOut}} {
		if c.N > 0 {
			v.Counts = append(v.Counts, c)
		}
	}
	for _, h := range auditHeads {
		g := auditGroup{ID: fmt.Sprintf("s%d-%s", n, h.state), Head: h.head, Hint: h.hint, Class: h.class}
		if offline {
			g.Head = "Links"
		}
		for i := range s.Links {
			if s.Links[i].State == h.state {
				g.Links = append(g.Links, auditLinkOf(&s.Links[i], h.class, offline))
			}
		}
		if len(g.Links) > 0 {
			v.Groups = append(v.Groups, g)
		}
		if h.state == report.StateBroken {
			v.Groups = append(v.Groups, misplacedOf(n, s)...)
		}
	}
	for i := range s.Damaged {
		d := &s.Damaged[i]
		c := report.AuditCitation{Start: d.Start, Line: d.Line, Column: d.Column}
		before, after := report.Marked(d.Context, d.Text)
		v.Damaged = append(v.Damaged, auditScar{c.Where(), clean(before, maxContext), clean(d.Text, maxContext), clean(after, maxContext), clean(d.Reason, maxContext), clean(d.Class, maxTitle), fmt.Sprintf("%.0f %%", 100*d.Confidence)})
	}
	for _, l := range s.LeftOut[:min(len(s.LeftOut), auditLefts)] {
		c := report.AuditCitation{Line: l.Line, Column: l.Column}
		v.LeftOut = append(v.LeftOut, auditLeft{shownURL(l.URL), clean(l.Reason, maxTitle), c.Where()})
	}
	return v
}

func auditLinkOf(l *report.AuditLink, class string, offline bool) auditLinkView {
	v := auditLinkView{URL: pair(shownURL(l.URL), liveURL(l.URL)), Fate: clean(l.Reason, maxContext), Class: class}
	switch {
	case offline:
		v.Fate = ""
	case v.Fate == "":
		v.Fate = "in order"
		if l.Status > 0 {
			v.Fate = fmt.Sprint(l.Status)
		}
	}
	if l.Suggest != "" {
		v.Suggest = pair(shownURL(l.Suggest), liveURL(l.Suggest))
	}
	for i := range l.Citations[:min(len(l.Citations), auditPlaces)] {
		c := &l.Citations[i]
		v.Places = append(v.Places, auditPlaceOf(c))
	}
	v.More = len(l.Citations) - len(v.Places)
	return v
}

func auditPlaceOf(c *report.AuditCitation) auditPlace {
	q := citationOf(report.Citation{Text: c.Text, Context: c.Context})
	return auditPlace{c.Where(), q.Before, q.Text, q.After, clean(c.Quotation, maxContext)}
}

// misplacedOf is the group of the places that pages do not have, if there are any.
func misplacedOf(n int, s *report.AuditSource) []auditGroup {
	g := auditGroup{ID: fmt.Sprintf("s%d-fragment", n), Head: "Places that are not there", Hint: "The page is there, without the place in it that is cited.", Class: "partial"}
	for i := range s.Links {
		l := &s.Links[i]
		for _, c := range l.Misplaced() {
			at := l.URL + "#" + c.Fragment
			g.Links = append(g.Links, auditLinkView{URL: pair(shownURL(at), liveURL(at)), Fate: clean(c.Misplacing(), maxContext), Class: g.Class, Places: []auditPlace{auditPlaceOf(c)}})
		}
	}
	if len(g.Links) == 0 {
		return nil
	}
	return []auditGroup{g}
}

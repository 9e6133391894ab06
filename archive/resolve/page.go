package resolve

import (
	"html/template"
	"strings"
	"time"

	"linkstead/archive/link"
)

// page is what the page that explains shows. html/template escapes all of it.
type page struct {
	Style    template.CSS
	Heading  string
	URL      string
	Says     string
	Live     string // address of the page itself, if it is worth a look
	Copies   []copyRow
	Evidence []evidenceRow
	JSON     string
	Unknown  bool
}

type copyRow struct{ URL, Label, Says string }

type evidenceRow struct{ ISO, When, What string }

// headings say in a few words what is the matter.
var headings = map[link.Verdict]string{
	link.Alive: "This page may be in trouble", link.Redirected: "This page may be in trouble", link.Moved: "This page may be in trouble",
	link.Drifted: "This page has changed since it was cited", link.Soft404: "This page is gone, though its server doesn't say so",
	link.Usurped: "This address belongs to somebody else now", link.Gone: "This page is gone", link.DNSDead: "This site is gone",
	link.TLSBad: "No safe connection to this site can be made", link.Timeout: "This site doesn't answer", link.ServerError: "This site fails",
	link.Blocked: "Programs can't see whether this page is there", link.Paywalled: "This page is behind a login or payment",
	link.Excluded: "This site asks not to be looked at by programs", link.Unknown: "Nobody has looked at this page yet",
}

func pageOf(a *Answer) *page {
	p := &page{
		Style:   template.CSS(explainStyle), //nolint:gosec // our own
		Heading: headings[a.Verdict], URL: a.URL, Says: a.Says, Unknown: a.Does == Unknown, JSON: "?" + jsonQuery(a),
	}
	switch a.Does {
	case Unknown:
		p.Heading = "This archive doesn't know this address"
	case Withheld:
		p.Heading = "The copy of this page is not public"
	case Live:
		p.Heading = "This page is there"
	}
	if a.Does != Unknown && a.Verdict != link.Usurped && a.Verdict != link.DNSDead {
		p.Live = a.URL
	}
	if a.Copy != nil {
		p.Copies = append(p.Copies, copyRow{a.Copy.URL, "The copy of " + day(a.Copy.At), a.Copy.Says(a.when)})
	}
	for i := range a.Others {
		v := &a.Others[i]
		p.Copies = append(p.Copies, copyRow{v.URL, "A copy of " + day(v.At) + " at " + v.Archive, v.Says(a.when)})
	}
	if a.State != nil {
		for _, e := range a.State.Evidence {
			what := e.Reason
			if what == "" {
				what = string(e.Shows)
			}
			p.Evidence = append(p.Evidence, evidenceRow{e.At.UTC().Format(time.RFC3339), e.At.UTC().Format("2 January 2006, 15:04 UTC"), what})
		}
	}
	return p
}

// jsonQuery asks for the same as JSON, by the page's own address.
func jsonQuery(a *Answer) string {
	_, query, _ := strings.Cut(a.About, "?")
	return strings.Replace(query, "format=html", "format=json", 1)
}

package web

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"linkstead/archive/report"
)

// TestAuditFile: the file of an audit is valid, loads nothing, and shows what came from the web as text.
func TestAuditFile(t *testing.T) {
	t.Parallel()
	const evil = "<script>alert(1)</script>"
	source := report.AuditSource{
		Source: "a" + evil + ".md", URL: "javascript:alert(1)", Title: evil, Notes: []string{evil},
		Links: []report.AuditLink{
			{URL: "http://a.test/" + evil, State: report.StateBroken, Reason: evil, Citations: []report.AuditCitation{{Text: evil, Context: "Before " + evil + " after.", Line: 3, Column: 4, Quotation: evil + "quoted", Fragment: evil, Place: report.PlaceMissing}}},
			{URL: "javascript:alert(1)", State: report.StateOK, Status: 200, Citations: make([]report.AuditCitation, 30)},
			{URL: "http://a.test/old", State: report.StateRedirected, Suggest: "http://a.test/new", Reason: "redirects for good to http://a.test/new"},
			{URL: "http://a.test/shy", State: report.StateBlocked, Reason: "403 Forbidden"},
			{URL: "http://a.test/no", State: report.StateUnchecked, Reason: "robots.txt"},
		},
		Damaged: []report.AuditScar{{Class: evil, Text: evil, Reason: evil, Start: 7}},
		LeftOut: []report.AuditLeftOut{{URL: "mailto:x", Reason: "share", Line: 1, Column: 1}},
	}
	source.Count()
	for _, a := range []*report.Audit{
		{At: time.Unix(0, 0), Sources: []report.AuditSource{source}},
		{At: time.Unix(0, 0), Offline: true, Sources: []report.AuditSource{source}},
		{At: time.Unix(0, 0), Cut: "the time was over", Sources: []report.AuditSource{source, {Source: "-", Failure: "404"}, {Source: "empty.md"}}},
	} {
		var b bytes.Buffer
		if err := WriteAudit(&b, a); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		head, rest, _ := strings.Cut(page, "<style>") // a file has its style in it, and no other element may
		_, rest, _ = strings.Cut(rest, "</style>")
		checkPage(t, "an audit", head+rest)
		for _, bad := range []string{"<script", "href=\"javascript", "src=", "<link"} {
			if strings.Contains(page, bad) {
				t.Errorf("the page holds %s", bad)
			}
		}
		if !a.Offline && !strings.Contains(page, "1 of") || !strings.Contains(page, "line 3, column 4") || !strings.Contains(page, `href="http://a.test/old"`) ||
			!strings.Contains(page, "quoted</bdi>”") || !strings.Contains(page, "Places that are not there") ||
			!strings.Contains(page, "1 cited place is not there.") {
			t.Errorf("it lacks something:\n%s", page)
		}
	}
}

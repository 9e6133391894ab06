package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"linkstead/archive/link"
	"linkstead/archive/report"
)

func TestAuditJudge(t *testing.T) {
	t.Parallel()
	rules := link.Defaults()
	for _, c := range []struct {
		name    string
		l       report.AuditLink
		e       link.Evidence
		accept  int
		state   report.AuditState
		verdict link.Verdict
		reason  string // a part of it
	}{
		{"good", report.AuditLink{Outcome: "captured", Status: 200}, link.Evidence{}, 0, "ok", link.Alive, ""},
		{"not found", report.AuditLink{Outcome: "captured", Status: 404}, link.Evidence{}, 0, "broken", link.Gone, "404 Not Found"},
		{"gone", report.AuditLink{Outcome: "captured", Status: 410}, link.Evidence{}, 0, "broken", link.Gone, "410 Gone"},
		{"accepted", report.AuditLink{Outcome: "captured", Status: 404}, link.Evidence{}, 404, "ok", link.Gone, "404"},
		{"accepted wall", report.AuditLink{Outcome: "captured", Status: 403, Flags: []string{"bot-wall"}}, link.Evidence{}, 403, "ok", link.Blocked, "403"},
		{"login", report.AuditLink{Outcome: "captured", Status: 401}, link.Evidence{}, 0, "blocked", link.Paywalled, "401 Unauthorized"},
		{"payment", report.AuditLink{Outcome: "captured", Status: 402}, link.Evidence{}, 0, "blocked", link.Paywalled, "402"},
		{"forbidden", report.AuditLink{Outcome: "captured", Status: 403}, link.Evidence{}, 0, "blocked", link.Blocked, "403 Forbidden"},
		{"busy", report.AuditLink{Outcome: "captured", Status: 429}, link.Evidence{}, 0, "blocked", link.Blocked, "429"},
		{"legal", report.AuditLink{Outcome: "captured", Status: 451}, link.Evidence{}, 0, "blocked", link.Blocked, "451"},
		{"999", report.AuditLink{Outcome: "captured", Status: 999}, link.Evidence{}, 0, "blocked", link.Blocked, "999"},
		{"wall with 200", report.AuditLink{Outcome: "captured", Status: 200, Flags: []string{"bot-wall"}}, link.Evidence{}, 0, "blocked", link.Blocked, "200 OK, bot wall"},
		{"needs a browser", report.AuditLink{Outcome: "captured", Status: 200, Flags: []string{"needs-browser"}}, link.Evidence{}, 0, "ok", link.Alive, ""},
		{"server error", report.AuditLink{Outcome: "captured", Status: 500}, link.Evidence{}, 0, "broken", link.ServerError, "500 Internal"},
		{"nowhere", report.AuditLink{Outcome: "captured", Status: 302}, link.Evidence{}, 0, "broken", link.ServerError, "leads nowhere"},
		{"no name", report.AuditLink{Outcome: "dns", Detail: "a.test:80: the name does not resolve."}, link.Evidence{}, 0, "broken", link.DNSDead, "the name does not resolve"},
		{"loop", report.AuditLink{Outcome: "redirect-loop", Status: 302}, link.Evidence{}, 0, "broken", link.ServerError, "lead back"},
		{"certificate", report.AuditLink{Outcome: "captured", Status: 200, TLSInvalid: "it is old"}, link.Evidence{TLS: "expired"}, 0, "broken", link.TLSBad, "it is old"},
		{"robots", report.AuditLink{Outcome: "robots", Detail: "robots.txt says: no"}, link.Evidence{}, 0, "unchecked", link.Excluded, "robots.txt says"},
		{"private", report.AuditLink{Outcome: "private"}, link.Evidence{}, 0, "unchecked", link.Excluded, "private"},
		{"own proxy", report.AuditLink{Outcome: "captured", Status: 407}, link.Evidence{}, 0, "unchecked", link.Unknown, "proxy"},
		{"not asked", report.AuditLink{Reason: "r"}, link.Evidence{}, 0, "unchecked", link.Unknown, "r"},
		{"cut short", report.AuditLink{Outcome: "cut-short", Status: 200}, link.Evidence{}, 0, "ok", link.Alive, ""},
		{"no such place", report.AuditLink{Outcome: "captured", Status: 200, Missing: []string{"x"}}, link.Evidence{}, 0, "ok", link.Alive, ""},
		{"for good", report.AuditLink{Outcome: "captured", Status: 200, Final: "http://a.test/b/new.html", Redirects: []report.Hop{{Status: 301}, {Status: 308}}},
			link.Evidence{Final: "http://a.test/b/new.html", Hops: []link.Hop{{Status: 301}, {Status: 308}}}, 0, "redirected", link.Redirected, "for good"},
		{"for now", report.AuditLink{Outcome: "captured", Status: 200, Final: "http://a.test/b/new.html", Redirects: []report.Hop{{Status: 301}, {Status: 302}}},
			link.Evidence{Final: "http://a.test/b/new.html", Hops: []link.Hop{{Status: 301}, {Status: 302}}}, 0, "redirected", link.Redirected, "redirects to"},
		{"to the front page", report.AuditLink{Outcome: "captured", Status: 200, Final: "http://a.test/", Redirects: []report.Hop{{Status: 301}}},
			link.Evidence{Final: "http://a.test/", Hops: []link.Hop{{Status: 301}}}, 0, "broken", link.Soft404, "front page"},
	} {
		e := c.e
		e.URL, e.Outcome, e.Status, e.Flags = "http://a.test/2016/02/a/deep/page.html", c.l.Outcome, c.l.Status, c.l.Flags
		c.l.Judge(link.Judge(&e, &rules), report.AuditRules{Accept: func(status int) bool { return status/100 == 2 || status == c.accept }})
		if c.l.State != c.state || c.l.Verdict != string(c.verdict) || !strings.Contains(c.l.Reason, c.reason) {
			t.Errorf("%s: %s %s %q; want %s %s %q", c.name, c.l.State, c.l.Verdict, c.l.Reason, c.state, c.verdict, c.reason)
		}
		if (c.l.Suggest != "") != (c.name == "for good") {
			t.Errorf("%s: suggests %q", c.name, c.l.Suggest)
		}
	}
}

// audited is an audit that has something of everything, and text that wants to be more than that.
func audited() *report.Audit {
	a := &report.Audit{At: time.Date(2026, 8, 3, 12, 0, 0, 0, time.UTC), FailOn: []string{"broken"}, Sources: []report.AuditSource{{
		Source: "post.md", URL: "file:///post.md", Title: "=1+1 <b>\x00",
		Links: []report.AuditLink{
			{URL: "http://a.test/gone", State: report.StateBroken, Reason: "404 Not Found", Outcome: "captured", Status: 404, MS: 1500, Tries: 2,
				Citations: []report.AuditCitation{{Text: "gone", Context: "One is gone, <script>\x1b[31m.", Start: 3, End: 9, Line: 2, Column: 4}, {Line: 7, Column: 1}}},
			{URL: "http://a.test/x?a=1&b=2", State: report.StateBlocked, Reason: "403 Forbidden", Citations: []report.AuditCitation{{Text: "=cmd()", Page: 3}}},
			{URL: "http://a.test/ok", State: report.StateOK, Missing: []string{"no"}, Unsure: []string{"L10"}, Citations: []report.AuditCitation{
				{Quotation: "@words"}, {Fragment: "no", Line: 8, Column: 1}, {Fragment: "yes"}, {Fragment: "L10"}, {Fragment: "no", Line: 9, Column: 1}}},
		},
		Damaged: []report.AuditScar{{Class: "colon-object", Strong: true, Confidence: 0.97, Start: 40, End: 42, Text: ": .", Reason: "a colon with no object", Line: 9, Column: 2}},
		LeftOut: []report.AuditLeftOut{{URL: "mailto", Reason: "share", Line: 1, Column: 1}},
	}}}
	for i := range a.Sources[0].Links {
		a.Sources[0].Links[i].Placed()
	}
	a.Sources[0].Count()
	return a
}

func TestAuditFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		on   []string
		want bool
	}{{[]string{"broken"}, true}, {nil, false}, {[]string{"redirected"}, false}, {[]string{"unchecked", "blocked"}, true}, {[]string{"damaged"}, true}, {[]string{"fragment"}, true}} {
		a := audited()
		if a.FailOn = c.on; a.Failed() != c.want {
			t.Errorf("to fail on %v: %v", c.on, a.Failed())
		}
	}
	a := audited()
	a.FailOn, a.Cut = nil, "the time was over"
	if !a.Failed() {
		t.Error("an audit that was cut does not fail")
	}
	a.Cut, a.Sources[0].Failure = "", "404"
	if !a.Failed() {
		t.Error("an audit whose source could not be read does not fail")
	}
	a.Sources[0].Failure, a.Sources[0].Damaged[0].Strong, a.FailOn = "", false, []string{"damaged"}
	if a.Failed() {
		t.Error("an audit fails on weak scars")
	}
}

// TestAuditJUnit reads the report back with a parser of XML, by the structure that CI servers go by.
func TestAuditJUnit(t *testing.T) {
	t.Parallel()
	a := audited()
	a.Sources = append(a.Sources, report.AuditSource{Source: "gone.md", Failure: "404 Not Found"})
	var b bytes.Buffer
	if err := a.WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		XMLName  xml.Name
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Suites   []struct {
			Name     string `xml:"name,attr"`
			Tests    int    `xml:"tests,attr"`
			Failures int    `xml:"failures,attr"`
			Time     string `xml:"time,attr"`
			Cases    []struct {
				Class   string `xml:"classname,attr"`
				Name    string `xml:"name,attr"`
				Line    int    `xml:"line,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
				Skipped *struct{} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	if got.XMLName.Local != "testsuites" || got.Tests != 6 || got.Failures != 2 || got.Skipped != 3 || len(got.Suites) != 3 {
		t.Fatalf("%+v", got)
	}
	s := got.Suites[0]
	if s.Name != "post.md" || s.Tests != 4 || s.Failures != 1 || s.Time != "1.500" || len(s.Cases) != 4 {
		t.Errorf("%+v", s)
	}
	if c := s.Cases[0]; c.Failure == nil || c.Failure.Message != "404 Not Found" || c.Line != 2 || c.Name != "http://a.test/gone" ||
		!strings.Contains(c.Failure.Text, "line 2, column 4: One is gone, <script>") {
		t.Errorf("%+v", c)
	}
	if c := s.Cases; c[1].Skipped == nil || c[2].Skipped != nil || c[2].Failure != nil || c[3].Skipped == nil || c[3].Name != "http://a.test/ok#no" || c[3].Line != 8 {
		t.Errorf("%+v", s.Cases)
	}
	if d := got.Suites[1]; d.Name != "post.md: damaged citations" || d.Tests != 1 || d.Cases[0].Skipped == nil || d.Cases[0].Line != 9 {
		t.Errorf("%+v", d)
	}
	a.FailOn = []string{report.FailFragment, report.FailDamaged}
	b.Reset()
	if err := a.WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`failures="3"`, `message="its page is there, but has no place named #no" type="fragment">line 8, column 1:&#xA;line 9, column 1:<`,
		`message="a colon with no object" type="colon-object">line 9, column 2: `} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in %s", want, b.String())
		}
	}
}

func TestAuditCSV(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := audited().WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 11 || rows[1][3] != "http://a.test/gone" || rows[2][9] != "7" || rows[9][1] != "damaged" || rows[10][1] != "left-out" {
		t.Errorf("%q", rows)
	}
	if q := rows[4][20:]; q[0] != "'@words" {
		t.Errorf("the quotation is %q", q)
	}
	if r := rows[5]; r[2] != "ok" || r[6] != "its page is there, but has no place named #no" || r[21] != "no" || r[22] != "missing" || rows[6][22] != "found" || rows[7][22] != "unsure" {
		t.Errorf("%q", r)
	}
	if rows[3][14] != "'=cmd()" {
		t.Errorf("a formula came through: %q", rows[3][14])
	}
}

func TestAuditJSON(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(audited().Document())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"version":1`, `"failed":true`, `"damaged":[{"class":"colon-object","strong":true,"confidence":0.97,"start":40,"end":42,"text":": .","reason":"a colon with no object"`,
		`"totals":{"links":3,"ok":1,"redirected":0,"blocked":1,"broken":1,"unchecked":0,"misplaced":2,"damaged":1,"left_out":1}`} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("no %s in %s", want, b)
		}
	}
	a := audited()
	a.Sources = append(a.Sources, a.Sources[0])
	if b, err = json.Marshal(a.Document()); err != nil || !bytes.Contains(b, []byte(`"sources":[{`)) || !bytes.Contains(b, []byte(`"totals":{"links":6,`)) {
		t.Errorf("%v %s", err, b)
	}
}

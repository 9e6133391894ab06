package web

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"linkstead/archive/outcome"
	"linkstead/archive/report"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// tried records an attempt as a worker does: its record stands in a segment of the spool, and its row points there.
func (a *archive) tried(x *warc.Exchange, sent string) storage.Attempt {
	a.t.Helper()
	ctx, dir := context.Background(), a.t.TempDir()
	check := func(err error) {
		if err != nil {
			a.t.Fatal(err)
		}
	}
	if sent != "" {
		x.Response = storage.NewSpill(dir, 1<<20)
		_, err := x.Response.Write([]byte(sent))
		check(err)
	}
	g, err := (&warc.Composer{}).Compose(x, &warc.Meta{Run: 1, Attempt: 2, Kind: "page"}, warc.Options{})
	check(err)
	seg := storage.Segment{ID: "default-hostile", Collection: "default", Node: "n", State: storage.SegmentOpen, Created: a.now}
	check(os.MkdirAll(filepath.Dir(storage.SpoolPath(dir, seg.ID)), 0o755))
	var b bytes.Buffer
	_, err = g.WriteTo(&b)
	check(err)
	check(os.WriteFile(storage.SpoolPath(dir, seg.ID), b.Bytes(), 0o644))
	check(a.db.AdoptSegment(ctx, seg))
	at := storage.Attempt{
		Collection: "default", URL: x.URL, URLKey: urlkey.Key(x.URL), At: x.At, Run: 1, Outcome: string(x.Outcome), Detail: x.Detail,
		Segment: seg.ID, Offset: g.Closing().Offset, RecordID: g.Closing().RecordID,
	}
	check(a.db.Adopt(ctx, []storage.End{{Attempts: []storage.Attempt{at}, Task: storage.Task{Host: "h", Run: 1, ID: 1, URL: x.URL}}}))
	a.pages.Attempts, a.pages.Evidence = a.db, &warc.Library{Shelves: a.db, Spool: dir}
	return at
}

// TestAttempt: an attempt can be cited; whatever a server sent is shown and does nothing.
func TestAttempt(t *testing.T) {
	a := newArchive(t)
	const sent = "<script>alert(1)</script>\r\n\x00\x1b[31m\u202e\xff</code></pre>\n\\ end"
	at := a.tried(&warc.Exchange{
		URL: "http://hostile.test/?%3Cb%3E='", Method: "GET", At: day, Request: []byte("GET / HTTP/1.1\r\n\r\n"), Outcome: outcome.Protocol,
		Detail: "hostile.test:80 did not answer in HTTP", IP: "192.0.2.7", Interim: []byte("HTTP/1.1 103 <i>\r\n\r\n"),
		Cause: warc.Cause{Phase: warc.PhaseHeaders, Offending: []byte("\x00\x1b[31m"), At: 27},
		TLS:   &warc.TLS{Version: "TLS 1.3", Fingerprint: "ab12", Fault: "alert 40 <u>"},
	}, sent)
	path := report.AttemptPath(at)
	page := a.get(path)
	if page.Code != 200 {
		t.Fatalf("%d: %s", page.Code, page.Body)
	}
	text := strings.ReplaceAll(page.Body.String(), styleTag, "STYLE")
	checkPage(t, "the page of an attempt", page.Body.String())
	for _, bad := range []string{"<script>alert", "<b>", "<i>", "<u>", "\x1b", "\u202e", "\x00"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	id := strings.TrimPrefix(path, "/attempts/")
	golden(t, "attempt.html", regexp.MustCompile(`(segment default-hostile at )\d+`).ReplaceAllString(strings.ReplaceAll(text, id, "ID"), "${1}N"))

	var doc attemptDoc
	if err := json.Unmarshal(a.get(path+".json").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.URL != at.URL || doc.Phase != "headers" || doc.IP != "192.0.2.7" || *doc.Offending.At != 27 || doc.Evidence.Size != int64(len(sent)) || doc.RecordID != at.RecordID || doc.TLS.Fault != "alert 40 <u>" {
		t.Errorf("%+v", doc)
	}
	byPlace := report.AttemptPath(storage.Attempt{Segment: at.Segment, Offset: at.Offset})
	if got := a.get(byPlace); got.Code != 200 || byPlace == path {
		t.Errorf("%s: %d", byPlace, got.Code)
	}
	for _, path := range []string{"/attempts/x", "/attempts/", "/attempts/default-hostile/x", "/attempts/default-hostile/99999", "/attempts/%00/1.json", "/attempts/%00"} {
		if got := a.get(path); got.Code != 404 {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}

// TestAttemptByRobots: an attempt that rests upon that on its robots.txt leads there, and no page says of one and the same
// attempt that it was asked for and that it was not.
func TestAttemptByRobots(t *testing.T) {
	const first = "01234567-89ab-cdef-0123-456789abcdef"
	for name, c := range map[string]struct {
		cause     warc.Cause
		has, lack []string
	}{
		"a dead host": {
			warc.Cause{Phase: warc.PhaseDNS, DNSAnswer: "not-found", DNSServer: "192.0.2.53:53", Robots: "<urn:uuid:" + first + ">"},
			[]string{"<dt>Due</dt>", `href="/attempts/` + first + `"`, "resolving the name", "not-found", "due on 2026", "robots.txt, which was asked for first"},
			[]string{"by rule", ", asked for on"},
		},
		"a rule": {
			warc.Cause{Phase: warc.PhaseRules, Rule: "Disallow: /private"},
			[]string{"<h1>Not asked for, by rule</h1>", "Disallow: /private", "not asked for, as decided on 2026"},
			[]string{", asked for on", "<dt>Asked for</dt>", "brought no response"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newArchive(t)
			at := a.tried(&warc.Exchange{URL: "http://gone.test/", Method: "GET", At: day, Outcome: outcome.DNS, Cause: c.cause}, "")
			page := a.get(report.AttemptPath(at)).Body.String()
			checkPage(t, name, page)
			for _, s := range c.has {
				if !strings.Contains(page, s) {
					t.Errorf("%q is missing in %s", s, page)
				}
			}
			for _, s := range c.lack {
				if strings.Contains(page, s) {
					t.Errorf("%q stands in %s", s, page)
				}
			}
			doc := a.get(report.AttemptPath(at) + ".json").Body.String()
			if got, want := strings.Contains(doc, `"robots_attempt": "/attempts/`+first+`"`), c.cause.Robots != ""; got != want {
				t.Errorf("it is named: %t, want %t: %s", got, want, doc)
			}
		})
	}
}

package web

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"linkstead/archive/outcome"
	"linkstead/storage"
)

func TestPagesAreValidAndUsable(t *testing.T) {
	a := filled(t)
	for _, path := range []string{
		"/", "/posts/waf3kq2m7ayz", "/posts/waf3kq2m7ayz?run=1", "/posts/waf3kq2m7ayz?show=pending", "/posts/busy22222222?follow=1", "/runs/4?follow=1",
		"/posts/k2notes4sfds", "/outcomes", "/nothing", "/lookup?url=x%3A%2F%2F",
	} {
		checkPage(t, path, a.get(path).Body.String())
	}
	checkPage(t, "an empty home", newArchive(t).get("/").Body.String())
}

// checkPage holds a page to what validators and people who don't see or point need.
func checkPage(t *testing.T, name, page string) {
	t.Helper()
	if fault := balanced(page); fault != "" {
		t.Errorf("%s: %s", name, fault)
	}
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	c := &checks{ids: map[string]bool{}, count: map[string]int{}}
	c.walk(doc)
	for _, one := range []string{"html", "title", "main", "h1"} {
		if c.count[one] != 1 {
			c.faults = append(c.faults, fmt.Sprintf("%d %s elements", c.count[one], one))
		}
	}
	for _, ref := range c.refs {
		if !c.ids[ref] {
			c.faults = append(c.faults, "nothing has the id "+ref)
		}
	}
	for control := range c.controls {
		if !c.labels[control] {
			c.faults = append(c.faults, "a control has no label: "+control)
		}
	}
	for label := range c.labels {
		if !c.controls[label] {
			c.faults = append(c.faults, "a label has no control: "+label)
		}
	}
	for _, f := range c.faults {
		t.Errorf("%s: %s", name, f)
	}
}

// balanced says where end tags do not match their start tags.
func balanced(page string) string {
	void := map[string]bool{"meta": true, "link": true, "br": true, "input": true}
	var open []string
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) || len(open) > 0 {
				return fmt.Sprintf("%v, left open: %q", z.Err(), open)
			}
			return ""
		case html.StartTagToken:
			if name, _ := z.TagName(); !void[string(name)] {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				return fmt.Sprintf("</%s> closes %q", name, open)
			}
			open = open[:len(open)-1]
		}
	}
}

type checks struct {
	faults           []string
	ids              map[string]bool
	count            map[string]int
	refs             []string
	labels, controls map[string]bool
	heading          int
}

func (c *checks) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

// elements are all that the pages are made of: anything else came from outside.
var elements = func() map[string]bool {
	out := map[string]bool{}
	for _, e := range strings.Fields(`html head meta title link body a header nav main footer p h1 h2 h3 section ul ol li dl div dt dd
		table thead tbody tr th td time strong span bdi br form label input button pre code details summary mark`) {
		out[e] = true
	}
	return out
}()

func (c *checks) walk(n *html.Node) {
	if n.Type == html.ElementNode {
		c.element(n)
	}
	for k := n.FirstChild; k != nil; k = k.NextSibling {
		c.walk(k)
	}
}

func (c *checks) element(n *html.Node) {
	c.count[n.Data]++
	if !elements[n.Data] {
		c.fault("a <%s> element", n.Data)
	}
	at := map[string]string{}
	for _, a := range n.Attr {
		at[a.Key] = a.Val
		if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" || a.Key == "srcdoc" {
			c.fault("a %s attribute: %s", a.Key, a.Val)
		}
	}
	if id, ok := at["id"]; ok {
		if c.ids[id] || id == "" {
			c.fault("the id %q is not single", id)
		}
		c.ids[id] = true
	}
	if by := at["aria-labelledby"]; by != "" {
		c.refs = append(c.refs, by)
	}
	switch n.Data {
	case "html":
		if at["lang"] == "" {
			c.fault("no language")
		}
	case "a":
		c.anchor(n, at)
	case "h1", "h2", "h3":
		level := int(n.Data[1] - '0')
		if level > c.heading+1 {
			c.fault("h%d after h%d: %s", level, c.heading, textOf(n))
		}
		c.heading = level
		c.named(n, at)
	case "button", "summary", "title", "th":
		c.named(n, at)
	case "label":
		c.labels = with(c.labels, at["for"])
	case "input":
		c.controls = with(c.controls, at["id"])
	}
}

func with(set map[string]bool, s string) map[string]bool {
	if set == nil {
		set = map[string]bool{}
	}
	set[s] = true
	return set
}

func (c *checks) anchor(n *html.Node, at map[string]string) {
	c.named(n, at)
	switch href := at["href"]; {
	case strings.HasPrefix(href, "#"):
		c.refs = append(c.refs, href[1:])
	case strings.HasPrefix(href, "/") && !strings.HasPrefix(href, "//"):
	case strings.HasPrefix(href, "http://"), strings.HasPrefix(href, "https://"):
		if !strings.HasPrefix(href, replayOrigin+"/web/") && at["rel"] != "noreferrer nofollow" {
			c.fault("a link to the live web without rel: %s", href)
		}
	default:
		c.fault("a link to %q", href)
	}
}

func (c *checks) named(n *html.Node, at map[string]string) {
	if strings.TrimSpace(textOf(n)) == "" && at["aria-label"] == "" {
		c.fault("a <%s> without text", n.Data)
	}
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for k := n.FirstChild; k != nil; k = k.NextSibling {
		b.WriteString(textOf(k))
	}
	return b.String()
}

// hostile is text that captured pages may hold.
var hostile = []string{
	"<script>alert(1)</script>",
	"</title><script>alert(1)</script>",
	"</bdi></h1><h1>Another</h1><img src=x onerror=alert(1)>",
	`" onmouseover="alert(1)" x="`,
	"' autofocus onfocus='alert(1)",
	"{{.Secret}}{{template \"link\" .}}",
	"javascript:alert(1)",
	" java\nscript:alert(1)",
	"data:text/html,<script>alert(1)</script>",
	"vbscript:msgbox(1)",
	"//evil.example/x",
	"https://good.example@evil.example/",
	"https://xn--80ak6aa92e.com/\"><script>alert(1)</script>",
	"http://replay.localhost:8081.evil.example/web/1/x",
	"\u202egnp.exe\u202c and \u2066more\u2069 \u200e\u200f\u061c",
	"zero\u200bwidth\ufeff\u2060\u00ad and tags \U000e0041\U000e0042",
	"Zalgo: e\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0309",
	"line\u2028separators\u2029and\x00nul\x1b[31mred\x7f\u0085",
	"\xff\xfe broken \xc3 bytes",
	strings.Repeat("W", 15000),
	strings.Repeat("<b>", 9000),
	"file:///etc/passwd?<script>",
	"http://[::1",
	"http://example.org/\u202e/%zz/<>\"'`",
	"&lt;script&gt;&#x3c;&amp;",
	"<!-- --> <![CDATA[ ]]> <plaintext>",
}

func TestHostileText(t *testing.T) {
	for i, h := range hostile {
		a := newArchive(t)
		c := storage.Citation{URL: h, Raw: h, Text: h, Context: "Before " + h + " after."}
		out, of := c, c
		out.LeftOut = h
		of.URL, of.Of = "https://original.example/", h
		p := storage.Post{Collection: h, Source: h, URL: h + "/x", Title: h, Dated: h, Citations: numbered([]storage.Citation{c, out, of})}
		if i%2 == 0 {
			p.Source, p.URL = "https://post.example/", h
		}
		a.finish(a.capture("hostile", p, fact{url: p.Source, outcome: outcome.Captured, status: 200},
			fact{url: "https://original.example/", outcome: outcome.Protocol, detail: h}))
		a.capture("", storage.Post{Source: h}, fact{url: "https://waits.example/"})
		for _, path := range []string{"/", "/posts/hostile"} {
			w := a.get(path)
			page := w.Body.String()
			if w.Code != 200 || !utf8.ValidString(page) || len(page) > 60000 {
				t.Errorf("%.40q: %s: %d, %d bytes", h, path, w.Code, len(page))
			}
			checkPage(t, fmt.Sprintf("%.40q: %s", h, path), page)
			if i := strings.IndexFunc(page, func(r rune) bool { return invisible(r) || r < ' ' && r != '\n' || r == 0x7f }); i >= 0 {
				t.Errorf("%.40q: %s holds %q", h, path, page[i:i+20])
			}
		}
		if w := a.get("/posts/hostile.json"); w.Code != 200 || w.Header().Get("Content-Type") != jsonType {
			t.Errorf("%.40q: JSON: %d", h, w.Code)
		}
		if a.log.Len() > 0 {
			t.Error(a.log.String())
		}
	}
}

func TestClean(t *testing.T) {
	for _, c := range []struct {
		in    string
		limit int
		want  string
	}{
		{"  two\n\twords ", 10, "two words"},
		{"a\u202eb\u2066c\u200fd", 10, "abcd"},
		{"می\u200cخواهم", 10, "می\u200cخواهم"},
		{"👩\u200d💻", 10, "👩\u200d💻"},
		{"e\u0301\u0302\u0303\u0304x", 10, "e\u0301\u0302\u0303x"},
		{"0123456789", 10, "0123456789"},
		{"0123456789abc", 10, "0123456789…"},
		{"012345678 abc", 10, "012345678…"},
		{"\x00\x1b[0m", 10, "[0m"},
		{"", 10, ""},
	} {
		if got := clean(c.in, c.limit); got != c.want {
			t.Errorf("clean(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct{ in, shown, live string }{
		{"https://example.org/a?b=c&d", "https://example.org/a?b=c&d", "https://example.org/a?b=c&d"},
		{"file:///home/josé/x y.txt", "file:///home/josé/x%20y.txt", ""},
		{"https://good.example@evil.example/", "https://good.example@evil.example/", "https://evil.example/"},
		{"javascript:alert(1)", "javascript:alert(1)", ""},
		{"https://example.org/\u202egnp", "https://example.org/%E2%80%AEgnp", "https://example.org/%E2%80%AEgnp"},
		{"", "", ""},
	} {
		if shown, live := shownURL(c.in), liveURL(c.in); shown != c.shown || live != c.live {
			t.Errorf("%q: shown %q, live %q", c.in, shown, live)
		}
	}
	long := shownURL("https://example.org/" + strings.Repeat("x", 5000) + "/end")
	if utf8.RuneCountInString(long) != maxURL+1 || !strings.HasSuffix(long, "/end") {
		t.Errorf("a long address is shown as %q", long)
	}
}

func TestCited(t *testing.T) {
	for in, want := range map[string]string{
		"2016": "2016", "2016-02": "February 2016", "2016-02-21": "21 February 2016", "2016-02-21T10:00:00+01:00": "21 February 2016, 10:00 (UTC+01:00)",
		"2016-02-21T10:00:00Z": "21 February 2016, 10:00 UTC", "2016-02-21T10:00:00": "21 February 2016, 10:00", "last\u202e spring": "last spring",
	} {
		if got := cited(in); got == nil || got.Text != want {
			t.Errorf("cited(%q) = %+v, want %q", in, got, want)
		}
	}
	if got := cited(""); got != nil {
		t.Errorf("no date = %+v", got)
	}
}

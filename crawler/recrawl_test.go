package crawler_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// tagged serves a text with an entity tag, and answers 304 to who has it.
func (w *web) tagged(hostPath, mime, tag, text string) {
	w.set(hostPath, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			rw.Header().Set("X-Now", "yes")
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		rw.Header().Set("Content-Type", mime)
		fmt.Fprint(rw, w.fill(text))
	})
}

// captures are those of an address, oldest first.
func (n *node) captures(url string) (out []storage.Capture) {
	n.t.Helper()
	for c, err := range n.db.Captures(n.t.Context(), "default", urlkey.Key(url)) {
		must(n.t, err)
		out = append(out, c)
	}
	return out
}

// body is what a reader gets of a capture.
func (n *node) body(c storage.Capture) string {
	n.t.Helper()
	m, err := n.Library.Open(n.t.Context(), c)
	must(n.t, err)
	b, err := io.ReadAll(m.Payload)
	must(n.t, err)
	must(n.t, m.Close())
	return string(b)
}

// strict reads every stored segment with another program's eyes.
func (n *node) strict() {
	n.t.Helper()
	files, err := filepath.Glob(filepath.Join(n.dir, "warc", "*", "*.warc.gz"))
	must(n.t, err)
	for _, name := range files {
		faults, err := warc.StrictRead(name)
		must(n.t, err)
		for _, f := range faults {
			n.t.Errorf("%s: %s", filepath.Base(name), f)
		}
	}
}

// TestRecrawl: what has not changed is answered 304, costs no body, and leads where it led before.
func TestRecrawl(t *testing.T) {
	w := newWeb(t)
	const post = `<title>P</title><link rel=stylesheet href="style.css"><article><p>See <a href="{s.test/source}">the source</a>.</article>`
	w.tagged("a.test/post", "text/html; charset=utf-8", `"p1"`, post)
	w.tagged("a.test/style.css", "text/css", `W/"c1"`, `body { background: url(pic.png) }`)
	w.tagged("a.test/pic.png", "image/png", `"i1"`, "a picture")
	w.tagged("s.test/source", "text/html", `"s1"`, `<p>source<img src="{s.test/own.png}">`)
	w.html("s.test/own.png", "no tag")
	n := newNode(t, archive(t))
	spec := w.spec("a.test/post", "s.test")
	first := n.capture(spec)
	second := n.capture(spec)
	for _, page := range []string{"a.test/post", "a.test/style.css", "a.test/pic.png", "s.test/source", "s.test/own.png"} {
		if w.hits()[page] != 2 {
			t.Errorf("%s was asked for %d times", page, w.hits()[page])
		}
		cs := n.captures(w.at(page))
		if len(cs) != 2 {
			t.Fatalf("%s has %d captures", page, len(cs))
		}
		was, is := cs[0], cs[1]
		if is.Run != second.ID || is.Kind != warc.KindRevisit || is.Unmodified == (page == "s.test/own.png") ||
			is.RefersTo != fmt.Sprintf("%s/%d", was.Segment, was.Offset) {
			t.Errorf("second capture of %s is %+v", page, is)
		}
		if is.Status != 200 || is.Mime != was.Mime || is.Digest != was.Digest || is.ETag != was.ETag || n.body(is) != n.body(was) {
			t.Errorf("%s was\n%+v, is\n%+v", page, was, is)
		}
	}
	p1, err := n.db.PostOf(t.Context(), first.ID)
	must(t, err)
	p2, err := n.db.PostOf(t.Context(), second.ID)
	must(t, err)
	if len(p2.Citations) != 1 || p2.Citations[0].URL != p1.Citations[0].URL || p2.Title != "P" {
		t.Errorf("post %+v", p2)
	}
	m, err := n.Library.Open(t.Context(), n.captures(w.at("a.test/post"))[1])
	must(t, err)
	if m.Head.Status != 304 || m.Original.Status != 200 || m.Original.Updated(m.Head).Get("X-Now") != "yes" {
		t.Errorf("heads %+v, %+v", m.Head, m.Original)
	}
	must(t, m.Close())
	n.strict()

	// Once more: what a 304 stood for can stand for the next one, and what has changed comes anew.
	w.tagged("s.test/source", "text/html", `"s2"`, `<p>new<img src="{s.test/own.png}">`)
	n.capture(spec)
	cs := n.captures(w.at("a.test/post"))
	if len(cs) != 3 || !cs[2].Unmodified || cs[2].RefersTo != cs[1].RefersTo {
		t.Errorf("captures of the post %+v", cs)
	}
	if cs = n.captures(w.at("s.test/source")); len(cs) != 3 || cs[2].Kind != warc.KindResponse || !strings.Contains(n.body(cs[2]), "new") {
		t.Errorf("captures of the source %+v", cs)
	}
	n.strict()
}

// TestRecrawlDistrust: a 304 counts for a page only if it speaks of the copy that is there, and can be read.
func TestRecrawlDistrust(t *testing.T) {
	const text = "<p>the page</p>"
	page := func(w *web, head ...string) {
		w.set("a.test/", func(rw http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(head); i += 2 {
				rw.Header().Set(head[i], head[i+1])
			}
			fmt.Fprint(rw, text)
		})
	}
	answer304 := func(w *web, always bool, head ...string) {
		w.set("a.test/", func(rw http.ResponseWriter, r *http.Request) {
			if !always && r.Header.Get("If-None-Match") == "" && r.Header.Get("If-Modified-Since") == "" {
				fmt.Fprint(rw, text)
				return
			}
			for i := 0; i < len(head); i += 2 {
				rw.Header().Set(head[i], head[i+1])
			}
			rw.WriteHeader(http.StatusNotModified)
		})
	}
	const old = "Mon, 02 Jan 2006 15:04:05 GMT"
	for name, c := range map[string]struct {
		first  []string // head of the first answer
		always bool     // 304 without conditions, too
		second []string // head of the 304
		hits   int      // of both runs
		last   string   // kind and status of the last capture
	}{
		"the same tag":              {[]string{"ETag", `"1"`}, false, []string{"ETag", `"1"`}, 2, "revisit 200 true"},
		"the same tag, weakly":      {[]string{"ETag", `"1"`}, false, []string{"ETag", `W/"1"`}, 2, "revisit 200 true"},
		"no validator told":         {[]string{"ETag", `"1"`}, false, nil, 2, "revisit 200 true"},
		"another tag":               {[]string{"ETag", `"1"`}, false, []string{"ETag", `"2"`}, 3, "revisit 200 false"},
		"a date":                    {[]string{"Last-Modified", old}, false, []string{"Last-Modified", old}, 2, "revisit 200 true"},
		"another date":              {[]string{"Last-Modified", old}, false, []string{"Last-Modified", "Tue, 03 Jan 2006 15:04:05 GMT"}, 3, "revisit 200 false"},
		"304 to everything":         {[]string{"ETag", `"1"`}, true, []string{"ETag", `"2"`}, 3, "response 304 false"},
		"304, and nothing was said": {nil, true, nil, 2, "response 304 false"},
		"a tag that is a star":      {[]string{"ETag", "*"}, false, nil, 2, "revisit 200 false"},
		"two tags":                  {[]string{"ETag", `"a", "b"`}, false, nil, 2, "revisit 200 false"},
		"a huge tag":                {[]string{"ETag", `"` + strings.Repeat("x", 5000) + `"`}, false, nil, 2, "revisit 200 false"},
		"changed this second":       {[]string{"Last-Modified", time.Now().UTC().Add(time.Hour).Format(http.TimeFormat)}, false, nil, 2, "revisit 200 false"},
		"varies by anything":        {[]string{"ETag", `"1"`, "Vary", "*"}, false, nil, 2, "revisit 200 false"},
		"a date, varies by cookie":  {[]string{"Last-Modified", old, "Vary", "Cookie"}, false, nil, 2, "revisit 200 false"},
		"a tag, varies by cookie":   {[]string{"ETag", `"1"`, "Vary", "Cookie"}, false, nil, 2, "revisit 200 true"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWeb(t)
			n := newNode(t, archive(t))
			page(w, c.first...)
			n.capture(w.spec("a.test/"))
			answer304(w, c.always, c.second...)
			n.capture(w.spec("a.test/"))
			cs := n.captures(w.at("a.test/"))
			last := cs[len(cs)-1]
			if got := fmt.Sprintf("%s %d %t", last.Kind, last.Status, last.Unmodified); got != c.last || w.hits()["a.test/"] != c.hits {
				t.Errorf("the last capture is %s after %d requests, want %s after %d", got, w.hits()["a.test/"], c.last, c.hits)
			}
			if last.Status == 200 && n.body(last) != text {
				t.Errorf("it reads %q", n.body(last))
			}
			n.strict()
		})
	}
}

// TestRecrawlConditions: what is asked for by what.
func TestRecrawlConditions(t *testing.T) {
	var asked []http.Header
	w := newWeb(t)
	status := 200
	w.set("a.test/", func(rw http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Clone())
		rw.Header().Set("ETag", `"1"`)
		rw.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
		rw.WriteHeader(status)
		fmt.Fprint(rw, "it is ", status)
	})
	n := newNode(t, archive(t))
	spec := w.spec("a.test/")
	conditional := func(want bool) {
		t.Helper()
		h := asked[len(asked)-1]
		if got := h.Get("If-None-Match") == `"1"` && h.Get("If-Modified-Since") == "Mon, 02 Jan 2006 15:04:05 GMT"; got != want {
			t.Errorf("asked with %v", h)
		}
	}
	status = 404
	n.capture(spec)
	status = 200
	n.capture(spec)
	conditional(false) // an error is nothing to be confirmed
	n.capture(spec)
	conditional(true)
	if len(asked[1]) != len(asked[2])-2 {
		t.Errorf("other fields differ: %v, %v", asked[1], asked[2])
	}
	other := spec
	other.Collection = "other"
	n.capture(other)
	conditional(false) // collections share no payloads
	spec.Unconditional = true
	n.capture(spec)
	conditional(false)
	other.Robots = scope.RobotsObey
	w.tagged("a.test/robots.txt", "text/plain", `"r"`, "User-agent: *\nDisallow: /private")
	n.capture(other)
	n.capture(other)
	for c, err := range n.db.Captures(t.Context(), "other", urlkey.Key(w.at("a.test/robots.txt"))) {
		must(t, err)
		if c.Unmodified {
			t.Errorf("robots.txt was asked for with conditions: %+v", c)
		}
	}
}

// TestRecrawlDamaged: a copy that can't be read back is captured anew.
func TestRecrawlDamaged(t *testing.T) {
	w := newWeb(t)
	w.tagged("a.test/", "text/html", `"1"`, "<p>"+strings.Repeat("words and words ", 500))
	n := newNode(t, archive(t))
	spec := w.spec("a.test/")
	n.capture(spec)
	c := n.captures(w.at("a.test/"))[0]
	name := filepath.Join(n.dir, "warc", "default", c.Segment+".warc.gz")
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt([]byte("\xff\x00\xff\x00"), c.Offset+c.Length-12)
	must(t, err)
	must(t, f.Close())
	n.capture(spec)
	cs := n.captures(w.at("a.test/"))
	if len(cs) != 3 || cs[1].Status != 304 || cs[1].Kind != warc.KindResponse || cs[2].Status != 200 {
		t.Fatalf("captures %+v", cs)
	}
	m, err := os.Open(filepath.Join(n.dir, "warc", "default", cs[1].Segment+".warc.gz"))
	must(t, err)
	defer m.Close()
	for u, err := range warc.Exchanges(m, 0, n.segmentSize(cs[1].Segment)) {
		must(t, err)
		if main := u.Main(); main != nil && main.Offset == cs[1].Offset && !strings.Contains(strings.Join(u.Closing.Notes, "\n"), "can't be read") {
			t.Errorf("notes %q", u.Closing.Notes)
		}
	}
}

// TestRecrawlDamagedWithin: a coded page whose copy is damaged in its middle is captured anew, too: what can still be decoded of it
// looks like a shorter page.
func TestRecrawlDamagedWithin(t *testing.T) {
	w := newWeb(t)
	page := &bytes.Buffer{}
	z := gzip.NewWriter(page)
	for i := range 3000 {
		fmt.Fprintf(z, "<p>Paragraph %d <a href=/%d>%x</a>", i, i, i*7919)
	}
	must(t, z.Close())
	w.set("a.test/", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") != "" {
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		rw.Header().Set("Content-Type", "text/html")
		rw.Header().Set("Content-Encoding", "gzip")
		_, _ = rw.Write(page.Bytes())
	})
	for _, back := range []int64{40, 500, 5000} {
		n := newNode(t, archive(t))
		spec := w.spec("a.test/")
		spec.Links, spec.Exclude = scope.LinksContent, []string{`\d$`}
		n.capture(spec)
		c := n.captures(w.at("a.test/"))[0]
		name := filepath.Join(n.dir, "warc", "default", c.Segment+".warc.gz")
		bad, err := os.ReadFile(name)
		must(t, err)
		must(t, os.Chmod(name, 0o644))
		bad[c.Offset+c.Length-back] ^= 0x55
		must(t, os.WriteFile(name, bad, 0o644))
		n.capture(spec)
		cs := n.captures(w.at("a.test/"))[1:]
		if len(cs) != 2 || cs[0].Status != 304 || cs[1].Status != 200 || cs[1].Kind != warc.KindResponse {
			t.Errorf("a byte %d before the end: captures %+v", back, cs)
		}
	}
}

func (n *node) segmentSize(id string) int64 {
	n.t.Helper()
	s, err := n.db.Segment(n.t.Context(), id)
	must(n.t, err)
	return s.Size
}

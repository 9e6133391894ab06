package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The viewer is fetched by .ci/deps and kept in the cache. It is under the AGPL, and only ever run.
const (
	viewerVersion = "2.4.6"
	viewerSum     = "uG50jESRld0p+fY7+nUxIWl7hvfimreNjSmaNkc/a9a8gBdmb7PH4J42Iib+vgk9KrHd0HLScVT++LgqV5fwpQ==" // SHA-512
)

// viewerFiles are those of ReplayWeb.page, by path.
func viewerFiles(t *testing.T) map[string][]byte {
	t.Helper()
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	name := filepath.Join(cache, "linkstead", "replaywebpage-"+viewerVersion+".tgz")
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("ReplayWeb.page is missing: make deps fetches it: %v", err)
	}
	if sum := sha512.Sum512(raw); base64.StdEncoding.EncodeToString(sum[:]) != viewerSum {
		t.Fatalf("%s is another file: delete it, and make deps fetches it anew", name)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[strings.TrimPrefix(h.Name, "package")], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
	}
}

// framePath is a page at the viewer's origin with a frame, in which it shows copies.
const framePath = "/frame.html"

// serveViewer serves the viewer at an origin of its own.
func serveViewer(t *testing.T) string {
	t.Helper()
	files := viewerFiles(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Path
		if name == "/" {
			name = "/index.html"
		}
		body, ok := files[name]
		if name == framePath {
			body, ok = []byte(`<!doctype html><title>frame</title><iframe width=900 height=900></iframe>`), true
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
		_, _ = w.Write(body)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// warcOf makes a WARC file of records: each is its header fields, and its block.
func warcOf(records ...[2]string) []byte {
	var file bytes.Buffer
	for i, r := range records {
		z := gzip.NewWriter(&file)
		fmt.Fprintf(z, "WARC/1.1\r\n%s\r\nWARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-%012d>\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n", r[0], i, len(r[1]), r[1])
		_ = z.Close()
	}
	return file.Bytes()
}

// viewerPage asserts what it sees by what it leaves behind.
const viewerPage = `<!doctype html><title>The post</title><h1>The post as it was</h1>
<img src="/picture.png"><p>See <a id="source" href="http://source.test/Essay/?b=2&amp;a=1">the source</a>.</p>
<script>
(async () => {
	const out = {};
	const ask = async (name, url, init) => {
		try { const r = await fetch(url, init); out[name] = r.status + ' ' + await r.text(); } catch (e) { out[name] = String(e); }
	};
	await ask('post', '/api', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({q: null, n: 2.0, s: 'a b/é'})});
	await ask('form', '/api', {method: 'POST', body: new URLSearchParams({q: 'x y', r: 'é/'})});
	await ask('fuzzy', '/data.json?_=1589710830999');
	document.documentElement.dataset.out = JSON.stringify(out);
})();
</script>`

// viewerWARC is an archive of what is hard to find: a page whose address has a slash at its end, answers to POST, a revisit of what was
// another page a moment later.
func viewerWARC(t *testing.T) []byte {
	t.Helper()
	pic := image.NewRGBA(image.Rect(0, 0, 7, 5))
	pic.Set(1, 1, color.RGBA{255, 0, 0, 255})
	var picture bytes.Buffer
	if err := png.Encode(&picture, pic); err != nil {
		t.Fatal(err)
	}
	head := func(kind, url, ms, more string) string {
		return "WARC-Type: " + kind + "\r\nWARC-Target-URI: " + url + "\r\nWARC-Date: 2020-05-17T10:20:30." + ms + "456Z\r\n" + more + "Content-Type: application/http; msgtype=response"
	}
	answer := func(mime, body string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", mime, len(body), body)
	}
	request := func(url, ms, concurrent, kind, body string) [2]string {
		return [2]string{
			strings.Replace(head("request", url, ms, "WARC-Concurrent-To: "+concurrent+"\r\n"), "msgtype=response", "msgtype=request", 1),
			fmt.Sprintf("POST /api HTTP/1.1\r\nHost: blog.test\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", kind, len(body), body),
		}
	}
	return warcOf(
		[2]string{head("response", "http://www.blog.test/Post/", "123", ""), answer("text/html", viewerPage)},
		[2]string{head("response", "http://www.blog.test/picture.png", "223", ""), answer("image/png", picture.String())},
		[2]string{head("response", "http://source.test/Essay/?b=2&a=1", "323", ""), answer("text/html", "<title>The source</title>its words")},
		[2]string{head("response", "http://www.blog.test/api", "400", ""), answer("application/json", `{"posted":1}`)},
		request("http://www.blog.test/api", "400", "<urn:uuid:00000000-0000-0000-0000-000000000003>", "application/json", `{"q":null,"n":2,"s":"a b/é"}`),
		[2]string{head("response", "http://www.blog.test/api", "410", ""), answer("text/plain", "the form's")},
		request("http://www.blog.test/api", "410", "<urn:uuid:00000000-0000-0000-0000-000000000005>", "application/x-www-form-urlencoded;charset=UTF-8", "q=x+y&r=%C3%A9%2F"),
		[2]string{head("response", "http://www.blog.test/data.json?_=1589710830123", "423", ""), answer("application/json", `{"fuzzy":1}`)},
		[2]string{head("response", "http://source.test/first", "500", "WARC-Payload-Digest: sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ\r\n"), answer("text/html", "<title>First words</title>")},
		[2]string{strings.Replace(head("response", "http://source.test/first", "600", ""), ":30.", ":31.", 1), answer("text/html", "<title>Other words</title>")},
		[2]string{head("revisit", "http://source.test/again", "700", "WARC-Profile: http://netpreserve.org/warc/1.1/revisit/identical-payload-digest\r\nWARC-Payload-Digest: sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ\r\n"+
			"WARC-Refers-To-Target-URI: http://source.test/first\r\nWARC-Refers-To-Date: 2020-05-17T10:20:30.500456Z\r\n"), "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"},
	)
}

// TestReplayWebPage publishes an export, and reads it in Chromium with ReplayWeb.page, which asks serve for ranges: the post is shown with its
// picture, its source opens, answers to POST are told apart, and a revisit shows what it refers to.
func TestReplayWebPage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	archive, file := filepath.Join(dir, "A"), filepath.Join(dir, "made.warc.gz")
	if err := os.WriteFile(file, viewerWARC(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"import", "--archive", archive, file}, {"export", "--archive", archive, "--all", "--publish", "all"}} {
		if out, err := linkstead(t, args...).CombinedOutput(); err != nil {
			t.Fatalf("linkstead %v: %v\n%s", args, err, out)
		}
	}
	viewer := serveViewer(t)
	config := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(config, []byte("replay:\n  viewers: ["+viewer+"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, b := serveArchive(t, archive, "--config", config), browse(t)
	b.open(viewer + "/?source=" + url.QueryEscape(s.origin+"/web/-/exports/all.wacz"))
	// The viewer's service worker has the file once its list of collections names it.
	b.untilTrue(`navigator.serviceWorker && navigator.serviceWorker.controller && fetch('/w/api/coll-index').then(r => r.json()).then(j => {
		const c = j.colls && j.colls[0];
		document.documentElement.dataset.coll = c ? c.id : '';
		return !!c;
	})`)
	root := viewer + "/w/" + run(b, chromedp.Evaluate[string](`document.documentElement.dataset.coll`)) + "/"
	b.open(viewer + framePath)
	b.until(`document.querySelector('iframe')`)
	show := func(url, holds string) {
		t.Helper()
		run(b, chromedp.Evaluate[bool](`document.querySelector('iframe').src = '`+url+`', true`))
		b.until(`(d => d && ` + holds + `)(document.querySelector('iframe').contentDocument)`)
	}
	show(root+"20200517102030mp_/http://www.blog.test/Post/", `d.querySelector('h1') && d.images[0].naturalWidth === 7 && d.documentElement.dataset.out`)
	got := run(b, chromedp.Evaluate[string](`document.querySelector('iframe').contentDocument.documentElement.dataset.out`))
	if want := `{"post":"200 {\"posted\":1}","form":"200 the form's","fuzzy":"200 {\"fuzzy\":1}"}`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	run(b, chromedp.Evaluate[bool](`document.querySelector('iframe').contentDocument.getElementById('source').click(), true`))
	b.until(`document.querySelector('iframe').contentDocument.title === 'The source'`)
	show(root+"20200517102030mp_/http://source.test/again", `d.title === 'First words'`)
}

// untilTrue waits until a promise comes to true.
func (b *browser) untilTrue(promise string) {
	b.t.Helper()
	b.until(`(window.asks = window.asks || (Promise.resolve(` + promise + `).then(v => { window.asked = v; window.asks = null; }, () => { window.asks = null; })), window.asked)`)
}

package replay_test

import (
	"strings"
	"testing"

	"linkstead/archive/replay"
)

const siteOrigin = "http://site-test.replay.localhost:8081"

// TestHostsOfSites: a browser is shown a document at its own site's host alone, and our own pages at the origin itself.
func TestHostsOfSites(t *testing.T) {
	a := newArchive(t)
	a.page("http://site.test/x", "text/html", `<script src="/s.js"></script>`)
	a.page("http://www.site.test/y", "text/html", "y")
	a.page("http://site.test/i.png", "image/png", "png")
	a.page("http://other.test/x", "text/html", "other")
	const at = "/web/" + stamp
	const base, own = "Host: replay.localhost:8081", "Host: site-test.replay.localhost:8081"
	const document, frame, old = "Sec-Fetch-Dest: document", "Sec-Fetch-Dest: iframe", "Upgrade-Insecure-Requests: 1"
	for _, c := range []struct {
		name, target string
		fields       []string
		status       int
		location     string
		sandbox      string // how it begins; "-": there is none
	}{
		{"a tool", at + "/http://site.test/x", []string{base}, 200, "", "sandbox allow-scripts"},
		{"a tool at a site's host", at + "/http://site.test/x", []string{own}, 200, "", "-"},
		{"a tool at another's host", at + "/http://other.test/x", []string{own}, 200, "", "sandbox allow-scripts"},
		{"a window", at + "/http://site.test/x", []string{base, document}, 307, siteOrigin + at + "/http://site.test/x", ""},
		{"a window of an older browser", at + "/http://site.test/x", []string{base, old}, 307, siteOrigin + at + "/http://site.test/x", ""},
		{"a window at its host", at + "/http://site.test/x", []string{own, document}, 200, "", "-"},
		{"a subdomain has its site's host", at + "/http://www.site.test/y", []string{own, document}, 200, "", "-"},
		{"a host in capitals", at + "/http://site.test/x", []string{"Host: SITE-test.replay.localhost:8081", document}, 200, "", "-"},
		{"another site", at + "/http://other.test/x", []string{own, document}, 307, "http://other-test.replay.localhost:8081" + at + "/http://other.test/x", ""},
		{"another site, asked loosely", "/web/2020/other.test/x", []string{own, document}, 307, "http://other-test.replay.localhost:8081" + at + "/http://other.test/x", ""},
		{"another site's frame", at + "if_/http://other.test/x", []string{own, frame}, 307, "http://other-test.replay.localhost:8081" + at + "if_/http://other.test/x", ""},
		{"another site's object", at + "oe_/http://other.test/x", []string{own, "Sec-Fetch-Dest: object"}, 307, "http://other-test.replay.localhost:8081" + at + "oe_/http://other.test/x", ""},
		{"a frame", at + "if_/http://site.test/x", []string{own, frame}, 200, "", "sandbox allow-same-origin allow-scripts"},
		{"another site's data", at + "mp_/http://other.test/x", []string{own, "Sec-Fetch-Dest: empty"}, 200, "", "sandbox; "},
		{"another site's picture", at + "im_/http://site.test/i.png", []string{"Host: other-test.replay.localhost:8081", "Sec-Fetch-Dest: image"}, 200, "", "-"},
		{"exact bytes anywhere", at + "id_/http://other.test/x", []string{own, document}, 200, "", "sandbox;"},
		{"a list", "/web/*/http://site.test/x", []string{own, document}, 307, "http://replay.localhost:8081/web/*/http://site.test/x", ""},
		{"the front page", "/", []string{own, document}, 307, "http://replay.localhost:8081/", ""},
		{"what can't be read", "/web/202005171020301/http://site.test/", []string{own, document}, 307, "http://replay.localhost:8081/web/202005171020301/http://site.test/", ""},
		{"what the archive lacks", at + "/http://site.test/none", []string{own, document}, 307, "http://replay.localhost:8081" + at + "/http://site.test/none", ""},
		{"what the archive lacks, there", at + "/http://site.test/none", []string{base, document}, 404, "", "-"},
		{"what the archive lacks, in a frame", at + "if_/http://site.test/none", []string{own, frame}, 404, "", "-"},
		{"two labels", at + "/http://site.test/x", []string{"Host: a.b.replay.localhost:8081"}, 421, "", "-"},
		{"a label with a space", at + "/http://site.test/x", []string{"Host: a b.replay.localhost:8081"}, 421, "", "-"},
		{"another port", at + "/http://site.test/x", []string{"Host: site-test.replay.localhost:80"}, 421, "", "-"},
		{"by its Referer", "/s.js", []string{own, "Referer: " + siteOrigin + at + "/http://site.test/x", "Sec-Fetch-Dest: script"}, 307, at + "js_/http://site.test/s.js", ""},
		{"another host's Referer", "/s.js", []string{own, "Referer: " + testOrigin + at + "/http://site.test/x", "Sec-Fetch-Dest: script"}, 404, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := a.get(c.target, c.fields...)
			if got.StatusCode != c.status || got.Header.Get("Location") != c.location {
				t.Errorf("got %d %q, want %d %q", got.StatusCode, got.Header.Get("Location"), c.status, c.location)
			}
			_, sandbox, ok := strings.Cut(got.Header.Get("Content-Security-Policy"), "sandbox")
			if c.sandbox == "-" && ok || c.sandbox != "-" && !strings.HasPrefix("sandbox"+sandbox, c.sandbox) {
				t.Errorf("sandbox%s, want %s", sandbox, c.sandbox)
			}
			if got.StatusCode/100 == 3 && got.Header.Get("Memento-Datetime") != "" {
				t.Error("a redirect of ours says that it is a memento")
			}
		})
	}
}

// TestOneHost: every document is in a sandbox, and may read what it asks for.
func TestOneHost(t *testing.T) {
	a := newArchive(t)
	a.handler.Mode = replay.OneHost
	a.page("http://site.test/x", "text/html", "x")
	a.page("http://site.test/f.woff2", "font/woff2", "font")
	const at = "/web/" + stamp
	for _, fields := range [][]string{{}, {"Sec-Fetch-Dest: document"}, {"Sec-Fetch-Dest: iframe"}} {
		got := a.get(at+"/http://site.test/x", fields...)
		csp := got.Header.Get("Content-Security-Policy")
		if got.StatusCode != 200 || !strings.Contains(csp, "; sandbox allow-scripts") || strings.Contains(csp, "allow-same-origin") || strings.Contains(csp, "*.") {
			t.Errorf("%v: %d %s", fields, got.StatusCode, csp)
		}
	}
	// What a script reads is no document that a browser would show: it may do nothing.
	if data := a.get(at+"/http://site.test/x", "Sec-Fetch-Dest: empty", "Origin: null"); data.StatusCode != 200 || data.body != "x" ||
		data.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.HasPrefix(data.Header.Get("Content-Security-Policy"), "sandbox; ") {
		t.Errorf("data: %d %v", data.StatusCode, data.Header)
	}
	for origin, want := range map[string]string{"null": "*", "http://evil.test": "", testOrigin: "", "": ""} {
		got := a.get(at+"oe_/http://site.test/f.woff2", "Sec-Fetch-Dest: font", "Origin: "+origin)
		if got.Header.Get("Access-Control-Allow-Origin") != want || got.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%q: %v", origin, got.Header)
		}
	}
	flight := a.get(at+"mp_/http://site.test/x", "OPTIONS", "Origin: null", "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: x-a,x-b")
	if flight.StatusCode != 204 || flight.Header.Get("Access-Control-Allow-Headers") != "x-a,x-b" || flight.Header.Get("Memento-Datetime") != "" {
		t.Errorf("a preflight got %d %v", flight.StatusCode, flight.Header)
	}
	if got := a.get("/", "Host: site-test.replay.localhost:8081"); got.StatusCode != 421 {
		t.Errorf("a site's host got %d", got.StatusCode)
	}
	a.handler.Mode = replay.Shared
	if csp := a.get(at+"/http://site.test/x", "Sec-Fetch-Dest: document").Header.Get("Content-Security-Policy"); strings.Contains(csp, "sandbox") {
		t.Errorf("on a shared origin: %s", csp)
	}
}

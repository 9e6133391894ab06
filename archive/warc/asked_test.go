package warc

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
)

func post(contentType, body string) []byte {
	return fmt.Appendf(nil, "POST /api HTTP/1.1\r\nHost: a.test\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", contentType, len(body), body)
}

func TestAsked(t *testing.T) {
	const url, form = "http://a.test/api", "application/x-www-form-urlencoded"
	const chunked = "POST /api HTTP/1.1\r\nContent-Type: " + form + "\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, c := range []struct{ name, request, want string }{
		{"a GET", "GET /api HTTP/1.1\r\n\r\n", url},
		{"nothing", "", url},
		{"a form", string(post(form, "a=1&b=2")), url + "?__wb_method=POST&a=1&b=2"},
		{"JSON", string(post("application/json", `{"a":{"b":true}}`)), url + "?__wb_method=POST&b=True"},
		{"chunks", chunked + "3\r\na=1\r\n0\r\n\r\n", url + "?__wb_method=POST&a=1"},
		{"chunks that break off", chunked + "3\r\na=1\r\n9\r\n&b", url + "?__wb_method=POST&a=1&b"},
		{"a length that lies", "POST / HTTP/1.1\r\nContent-Type: " + form + "\r\nContent-Length: 3\r\n\r\na=1&b=2", url + "?__wb_method=POST&a=1"},
		{"HEAD", "HEAD /api HTTP/1.1\r\n\r\n", url + "?__wb_method=HEAD"},
		{"no HTTP", "\x16\x03\x01\x02\x00", url},
		{"a head without an end", "POST /api HTTP/1.1\r\nHost: a", url},
	} {
		if got := asked(url, strings.NewReader(c.request)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestAskedRows: answers to requests other than GET have keys of their own, the same when they are written, when a rebuild makes
// the rows anew, and when verify compares them.
func TestAskedRows(t *testing.T) {
	w := newWorld(t, nil, nil)
	run := w.run("default", "http://a.test/api", "http://b.test/api")
	e := w.entry(run, "http://a.test/api", okResponse("posted"))
	e.Exchange.Method, e.Exchange.Request = "POST", post("application/json", `{"page":2}`)
	w.add(e)
	gone := w.entry(run, "http://b.test/api", "")
	gone.Exchange.Outcome, gone.Exchange.Response = outcome.Reset, nil
	gone.Exchange.Request = post("application/json", `{"page":2}`)
	w.add(gone)
	w.flush()

	key := urlkey.Key("http://a.test/api?__wb_method=POST&page=2")
	want := w.dump()
	if !slices.ContainsFunc(want["captures"], func(row string) bool { return strings.Contains(row, "urlkey="+key+" ") }) ||
		!slices.ContainsFunc(want["attempts"], func(row string) bool { return strings.Contains(row, "test,b)/api?__wb_method=post&page=2 ") }) {
		t.Errorf("%q\n%q", want["captures"], want["attempts"])
	}
	for _, f := range w.inspected(false, false).Flaws {
		if f.Word != WordTask { // tasks of ours are GETs: those of other requests are looked for among them
			t.Errorf("verify finds %+v", f)
		}
	}
	w.rebuild()
	same(t, w.dump(), want)
}

// FuzzAsked: whatever a request says, its key is found, and is the same at each reading.
func FuzzAsked(f *testing.F) {
	f.Add(post("application/x-www-form-urlencoded", "a=1"))
	f.Add([]byte("PUT / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n\x1f\x8b\x08"))
	f.Fuzz(func(t *testing.T, request []byte) {
		one := asked("http://a.test/", strings.NewReader(string(request)))
		if two := asked("http://a.test/", strings.NewReader(string(request))); one != two || !strings.HasPrefix(one, "http://a.test/") {
			t.Errorf("%q and %q", one, two)
		}
	})
}

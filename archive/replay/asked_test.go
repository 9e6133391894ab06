package replay_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// posted is a request as a client sends it.
func posted(method, contentType, body string) string {
	return fmt.Sprintf("%s /api HTTP/1.1\r\nHost: a.test\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", method, contentType, len(body), body)
}

// send asks the handler with a body.
func (a *testArchive) send(method, target, contentType, body string) answer {
	a.t.Helper()
	r := httptest.NewRequest(method, testOrigin+"/", strings.NewReader(body))
	r.RequestURI, r.Host = target, strings.TrimPrefix(testOrigin, "http://")
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	res := w.Result()
	got, err := io.ReadAll(res.Body)
	must(a.t, err)
	return answer{res, string(got)}
}

// TestPosts: each request gets the answer to what it asks, and nothing is ever done.
func TestPosts(t *testing.T) {
	const form, js = "application/x-www-form-urlencoded", "application/json"
	const api = "http://a.test/api?v=1"
	a := newArchive(t)
	a.page(api, js, `"got"`)
	n := 0
	kept := func(method, contentType, body, answer string) {
		n++
		a.capture(capture{url: api, at: day.Add(time.Duration(n) * time.Second), request: posted(method, contentType, body), response: message(200, js, answer)})
	}
	kept("POST", form, "page=1&q=a+b", `"one"`)
	kept("POST", form, "page=2&q=a+b", `"two"`)
	kept("POST", js, `{"query":"{x}","variables":{"page":3}}`, `"three"`)
	kept("PUT", js, `{"page":1}`, `"put"`)
	kept("POST", "multipart/form-data; boundary=one", "--one\r\nContent-Disposition: form-data; name=\"page\"\r\n\r\n9\r\n--one--\r\n", `"parts"`)
	long := `{"query":"` + strings.Repeat("x", 9000) + `","page":%d}`
	kept("POST", js, fmt.Sprintf(long, 1), `"long"`)
	a.capture(capture{url: "http://a.test/login", request: posted("POST", form, "name=x"), response: message(303, "text/plain", "", "Location: http://a.test/login")})

	const at = "/web/" + stamp
	for _, c := range []struct {
		name, method, target, contentType, body string
		status                                  int
		want                                    string
	}{
		{"a form", "POST", at + "mp_/" + api, form, "q=a%20b&page=1", 200, `"one"`},
		{"another", "POST", at + "mp_/" + api, form + ";charset=UTF-8", "page=2&q=a+b", 200, `"two"`},
		{"JSON, spaced otherwise", "POST", at + "mp_/" + api, js, `{ "query": "{x}", "variables": { "page": 3 } }`, 200, `"three"`},
		{"PUT", "PUT", at + "mp_/" + api, js, `{"page":1}`, 200, `"put"`},
		{"parts with another boundary", "POST", at + "mp_/" + api, "multipart/form-data; boundary=two",
			"--two\r\nContent-Disposition: form-data; name=\"page\"\r\n\r\n9\r\n--two--\r\n", 200, `"parts"`},
		{"a long one", "POST", at + "mp_/" + api, js, fmt.Sprintf(long, 1), 200, `"long"`},
		{"a long one that differs at its end", "POST", at + "mp_/" + api, js, fmt.Sprintf(long, 2), 404, "Not in the archive.\n"},
		{"what was not asked", "POST", at + "mp_/" + api, form, "page=7&q=a+b", 404, "Not in the archive.\n"},
		{"what was asked otherwise", "PUT", at + "mp_/" + api, form, "page=1&q=a+b", 404, "Not in the archive.\n"},
		{"at the top, without a redirect to the second", "POST", "/web/2020/" + api, form, "page=2&q=a+b", 200, `"two"`},
		{"a TimeGate", "POST", "/web/" + api, form, "page=2&q=a+b", 200, `"two"`},
		{"GET", "GET", at + "mp_/" + api, "", "", 200, `"got"`},
		{"a body without an end", "POST", at + "mp_/" + api, form, strings.Repeat("x", 3<<20), 404, "Not in the archive.\n"},
		{"a redirect to the page itself", "POST", at + "/http://a.test/login", form, "name=x", 303, ""},
	} {
		got := a.send(c.method, c.target, c.contentType, c.body)
		if got.StatusCode != c.status || got.body != c.want {
			t.Errorf("%s: %d %.200s", c.name, got.StatusCode, got.body)
		}
		if c.status == 303 && got.Header.Get("Location") != at+"/http://a.test/login" {
			t.Errorf("%s: to %q", c.name, got.Header.Get("Location"))
		}
		if got.Header.Get("Memento-Datetime") == "" && c.status != 404 {
			t.Errorf("%s: no Memento-Datetime", c.name)
		}
	}
	if got := a.get("/api", "POST", "Referer: "+testOrigin+at+"/http://a.test/x"); got.StatusCode != http.StatusTemporaryRedirect {
		t.Errorf("a script's own address: %d, which loses what is asked", got.StatusCode)
	}
	if s := a.log.String(); s != "" {
		t.Errorf("faults were logged: %s", s)
	}
}

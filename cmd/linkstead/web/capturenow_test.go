package web

import (
	"bytes"
	"context"
	"errors"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// begun are the captures that a page has begun.
type begun struct {
	urls []string
	err  error
}

func capturing(t *testing.T) (*Pages, *begun, *time.Time) {
	t.Helper()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	b := &begun{}
	p := &Pages{Listen: "127.0.0.1:8080", Hosts: []string{"archive.example"}, Replay: "http://replay.localhost:8081",
		Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&bytes.Buffer{}, nil))}
	p.Capture = func(_ context.Context, collection, source string) (int64, error) {
		if b.err == nil {
			b.urls = append(b.urls, collection+" "+source)
		}
		return 17, b.err
	}
	return p, b, &now
}

// ask sends a request as a browser on this machine would, unless a change says otherwise.
func ask(p *Pages, method, target, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:50000"
	if r.Host == "example.com" {
		r.Host = "localhost:8080"
	}
	if method == http.MethodPost {
		r.Header.Set("Origin", "http://"+r.Host)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	p.Handler().ServeHTTP(w, r)
	return w
}

var hidden = regexp.MustCompile(`name="([a-z]+)" value="([^"]*)"`)

// formOf is the form on the page about an address.
func formOf(t *testing.T, p *Pages, source string) url.Values {
	t.Helper()
	w := ask(p, "GET", CapturePath+"?collection=news&url="+url.QueryEscape(source), "", nil)
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(w.Body.String(), -1) {
		v.Set(m[1], html.UnescapeString(m[2]))
	}
	if w.Code != 200 || v.Get("token") == "" {
		t.Fatalf("no form: %d %s", w.Code, w.Body)
	}
	return v
}

// TestCaptureNow: a capture is begun by the archive's own form, sent from this machine; by nothing else.
func TestCaptureNow(t *testing.T) {
	const source = "http://site.example/a?b=1&c='x'"
	p, b, now := capturing(t)
	form := formOf(t, p, source)
	if len(b.urls) > 0 {
		t.Fatal("GET has begun a capture")
	}
	if w := ask(p, "GET", CapturePath+"?"+form.Encode(), "", nil); len(b.urls) > 0 || w.Code != 200 {
		t.Errorf("GET with a token: %d, begun %q", w.Code, b.urls)
	}
	if w := ask(p, "HEAD", CapturePath+"?"+form.Encode(), "", nil); len(b.urls) > 0 {
		t.Errorf("HEAD with a token: %d, begun %q", w.Code, b.urls)
	}
	other, _, _ := capturing(t)
	with := func(name, value string) string {
		v := url.Values{}
		for k := range form {
			v.Set(k, form.Get(k))
		}
		v.Set(name, value)
		return v.Encode()
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for _, c := range []struct {
		name   string
		body   string
		change func(*http.Request)
		status int
	}{
		{"the replay's origin", form.Encode(), header("Origin", "http://replay.localhost:8081"), 403},
		{"another port", form.Encode(), header("Origin", "http://localhost:9999"), 403},
		{"another scheme", form.Encode(), header("Origin", "https://localhost:8080"), 403},
		{"an opaque origin", form.Encode(), header("Origin", "null"), 403},
		{"no origin", form.Encode(), func(r *http.Request) { r.Header.Del("Origin") }, 403},
		{"an origin of the other loopback name", form.Encode(), header("Origin", "http://127.0.0.1:8080"), 403},
		{"from a sibling", form.Encode(), header("Sec-Fetch-Site", "same-site"), 403},
		{"a foreign host", form.Encode(), func(r *http.Request) { r.Host = "evil.example" }, 421},
		{"a host that is ours, but no name of this machine", form.Encode(), func(r *http.Request) {
			r.Host = "archive.example"
			r.Header.Set("Origin", "http://archive.example")
		}, 403},
		{"from another machine", form.Encode(), func(r *http.Request) { r.RemoteAddr = "192.0.2.7:50000" }, 403},
		{"from a neighbour", form.Encode(), func(r *http.Request) { r.RemoteAddr = "[fe80::1]:50000" }, 403},
		{"through a proxy", form.Encode(), header("X-Forwarded-For", "192.0.2.7"), 403},
		{"through a proxy of the standard", form.Encode(), header("Forwarded", "for=192.0.2.7"), 403},
		{"through a proxy that says no more", form.Encode(), func(r *http.Request) { r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.0", 1, 0 }, 403},
		{"from nowhere", form.Encode(), func(r *http.Request) { r.RemoteAddr = "@" }, 403},
		{"no token", with("token", ""), nil, 403},
		{"a token of another process", with("token", formOf(t, other, source).Get("token")), nil, 403},
		{"a token of another address", with("url", "http://site.example/z"), nil, 403},
		{"a token of another collection", with("collection", "other"), nil, 403},
		{"a token with a later end", with("token", "9999999999"+form.Get("token")[10:]), nil, 403},
		{"no token at all", "url=" + url.QueryEscape(source), nil, 403},
		{"no address", "", nil, 400},
		{"an address that is none", with("url", "file:///etc/passwd"), nil, 400},
		{"no form", `{"url":"` + source + `"}`, header("Content-Type", "application/json"), 400},
		{"no form, but of that type", "%zz", nil, 400},
		{"a long form", form.Encode() + "&x=" + strings.Repeat("x", maxForm), nil, 400},
	} {
		w := ask(p, "POST", CapturePath, c.body, c.change)
		if w.Code != c.status || len(b.urls) > 0 {
			t.Errorf("%s: %d, want %d; begun %q", c.name, w.Code, c.status, b.urls)
			b.urls = nil
		}
	}
	for method, want := range map[string]int{"PUT": 405, "DELETE": 405} {
		if w := ask(p, method, CapturePath, form.Encode(), nil); w.Code != want || len(b.urls) > 0 {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
	if w := ask(p, "POST", "/runs/1", form.Encode(), nil); w.Code != 405 {
		t.Errorf("POST to another page: %d", w.Code)
	}

	w := ask(p, "POST", CapturePath, form.Encode(), nil)
	if w.Code != 303 || w.Header().Get("Location") != "/runs/17?follow=1" || len(b.urls) != 1 || b.urls[0] != "news http://site.example/a?b=1&c=%27x%27" {
		t.Errorf("%d %q, begun %q", w.Code, w.Header(), b.urls)
	}
	if w := ask(p, "POST", CapturePath, form.Encode(), func(r *http.Request) { r.RemoteAddr = "[::1]:1"; r.Header.Del("Sec-Fetch-Site") }); w.Code != 303 {
		t.Errorf("over IPv6: %d", w.Code)
	}
	b.err = &Refused{"The archive has no collection <news>."}
	if w := ask(p, "POST", CapturePath, form.Encode(), nil); w.Code != 400 || !strings.Contains(w.Body.String(), "no collection &lt;news&gt;") {
		t.Errorf("refused: %d %s", w.Code, w.Body)
	}
	b.err = errors.New("secret detail")
	if w := ask(p, "POST", CapturePath, form.Encode(), nil); w.Code != 500 || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("a fault: %d %s", w.Code, w.Body)
	}
	*now = now.Add(formLife + time.Second)
	if w := ask(p, "POST", CapturePath, form.Encode(), nil); w.Code != 403 || !strings.Contains(w.Body.String(), "too old") {
		t.Errorf("an old form: %d", w.Code)
	}
}

// TestCapturePage: what the page says, and to whom.
func TestCapturePage(t *testing.T) {
	p, _, _ := capturing(t)
	const query = "?collection=a%22b&url=http%3A%2F%2Fsite.example%2F%3Cscript%3E"
	w := ask(p, "GET", CapturePath+query, "", nil)
	if body := w.Body.String(); w.Code != 200 || strings.Contains(body, "<script>") || !strings.Contains(body, "a&#34;b") || !strings.Contains(body, `<form method="post" action="/capture">`) {
		t.Errorf("%d %s", w.Code, body)
	}
	if got := w.Header().Get("Referrer-Policy"); got != "same-origin" {
		t.Errorf("Referrer-Policy %q: a form's Origin would be null", got)
	}
	if got := w.Header().Get("Content-Security-Policy"); !strings.Contains(got, "frame-ancestors 'none'") {
		t.Errorf("it can be framed: %q", got)
	}
	if w := ask(p, "GET", CapturePath+query, "", func(r *http.Request) { r.RemoteAddr = "192.0.2.7:1" }); w.Code != 403 || !strings.Contains(w.Body.String(), "linkstead capture") {
		t.Errorf("from another machine: %d %s", w.Code, w.Body)
	}
	for _, q := range []string{"", "?url=", "?url=x", "?url=javascript:x", "?url=http://" + strings.Repeat("x", 20000)} {
		if w := ask(p, "GET", CapturePath+q, "", nil); w.Code != 400 {
			t.Errorf("%.30s: %d", q, w.Code)
		}
	}
	p.Capture = nil
	if w := ask(p, "GET", CapturePath+query, "", nil); w.Code != 404 {
		t.Errorf("switched off: %d", w.Code)
	}
	if w := ask(p, "POST", CapturePath, "", nil); w.Code != 405 {
		t.Errorf("POST, switched off: %d", w.Code)
	}
}

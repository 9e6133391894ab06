package web

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// TestMend: a repair is decided by the archive's own form, sent from this machine; by nothing else.
func TestMend(t *testing.T) {
	p, _, now := capturing(t)
	var got []Decision
	p.Mend = func(_ context.Context, d Decision) error {
		got = append(got, d)
		if d.Accept == "wrong" {
			return &Refused{Text: "no"}
		}
		return nil
	}
	const page = "/posts/abc/repairs"
	form := func(post, key, accept string) string {
		return url.Values{"key": {"k"}, "accept": {accept}, "token": {p.sign(now.Add(time.Hour), "repair", post, key)}}.Encode()
	}
	for name, test := range map[string]struct {
		body   string
		change func(*http.Request)
		want   int
	}{
		"ours":             {form("abc", "k", "u"), nil, 303},
		"refused":          {form("abc", "k", "wrong"), nil, 400},
		"another post":     {form("abd", "k", "u"), nil, 403},
		"another citation": {form("abc", "l", "u"), nil, 403},
		"no token":         {"key=k&accept=u", nil, 403},
		"another origin":   {form("abc", "k", "u"), func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, 403},
		"no origin":        {form("abc", "k", "u"), func(r *http.Request) { r.Header.Del("Origin") }, 403},
		"cross-site":       {form("abc", "k", "u"), func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		"another machine":  {form("abc", "k", "u"), func(r *http.Request) { r.RemoteAddr = "192.0.2.1:5" }, 403},
		"through a proxy":  {form("abc", "k", "u"), func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") }, 403},
		"another host": {form("abc", "k", "u"), func(r *http.Request) {
			r.Host = "archive.example"
			r.Header.Set("Origin", "http://archive.example")
		}, 403},
	} {
		got = nil
		w := ask(p, "POST", page, test.body, test.change)
		if w.Code != test.want {
			t.Errorf("%s: %d, want %d: %s", name, w.Code, test.want, w.Body)
		}
		if decided := len(got) > 0; decided != (test.want == 303 || test.want == 400) {
			t.Errorf("%s: decided %v", name, got)
		}
	}
	old := form("abc", "k", "u")
	*now = now.Add(2 * time.Hour)
	if w := ask(p, "POST", page, old, nil); w.Code != 403 {
		t.Errorf("an old form: %d", w.Code)
	}
	p.Mend = nil
	if w := ask(p, "POST", page, old, nil); w.Code != 405 {
		t.Errorf("where nobody may: %d", w.Code)
	}
}

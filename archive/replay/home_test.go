package replay_test

import (
	"context"
	"strings"
	"testing"

	"linkstead/storage"
)

// TestHome: the front page of a collection leads to what is asked of it, and names the newest posts that may be seen.
func TestHome(t *testing.T) {
	a := seeded(t)
	a.handler.Recent = func(_ context.Context, collection string, n int) ([]storage.Post, error) {
		return []storage.Post{{Title: "A <b>post</b>", URL: "http://a.test/x", At: day}, {Title: "hidden", URL: "http://a.test/never", At: day}, {URL: "http://a.test/p?q=http://b.test//c%2Fd&e='(1)'", At: day}}, nil
	}
	home := a.get("/web/")
	for _, want := range []string{
		`<form class="ask" action="/web/" method="get">`, `<a href="/web/` + stamp + `/http://a.test/x">A &lt;b&gt;post&lt;/b&gt;</a>`, `>http://a.test/p?q=`,
	} {
		if !strings.Contains(home.body, want) {
			t.Errorf("the page lacks %s:\n%s", want, home.body)
		}
	}
	if strings.Contains(home.body, "hidden") || home.StatusCode != 200 || strings.Contains(home.Header.Get("Content-Security-Policy"), "form-action 'none'") {
		t.Errorf("%d %v\n%s", home.StatusCode, home.Header, home.body)
	}
	for query, want := range map[string]string{
		"?url=http%3A%2F%2Fa.test%2Fx": "/web/*/http://a.test/x", "?url=a.test/x&date=": "/web/*/http://a.test/x", "?url=+a.test/x+&date=2020-05-17": "/web/20200517115959/http://a.test/x",
		"?url=http://a.test/*&date=2020": "/web/2020*/http://a.test/*", "?url=*.a.test": "/web/*/http://*.a.test/", "?url=a.test/%3Fq=1%26r%23f": "/web/*/http://a.test/?q=1&r",
		"?url=file:///notes.md": "/web/*/file:///notes.md", "?url=a.test&date=99999999999999999": "/web/99991231235959/http://a.test/",
		"?url=javascript:alert(1)": "", "?url=http://[": "", "?url=": "", "?url=%zz": "", "?url=http://a.test/%0d%0aX:y": "",
	} {
		got := a.get("/web/" + query)
		to := got.Header.Get("Location")
		if query == "?url=http://a.test/%0d%0aX:y" && !strings.ContainsAny(to, "\r\n") {
			want = to // wherever that leads, it is one line
		}
		if to != want || to == "" && got.StatusCode != 200 {
			t.Errorf("%s: %d %q, want %q", query, got.StatusCode, to, want)
		}
	}
	if got := a.get("/web/?url=javascript:alert(1)"); !strings.Contains(got.body, `value="javascript:alert(1)" aria-invalid="true"`) {
		t.Errorf("what was asked is not told:\n%s", got.body)
	}
}

package replay

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"linkstead/storage"
)

func TestPad(t *testing.T) {
	for digits, want := range map[string]string{
		"1": "15000101000000", "2": "24991231115959", "0": "04991231120000", "2020": "20200701235959", "202002": "20200215115959",
		"20200229": "20200229115959", "20210229": "20210228115959", "2020013": "20200130235959", "20209999": "20201231115959",
		"20200101000000": "20200101000000", "99999999999999": "99991231235959", "00000000000000": "00000101000000",
		"2020010199": "20200101232959", "20200131120": "20200131120459",
	} {
		if got := pad(digits); got != want {
			t.Errorf("%s became %s, want %s", digits, got, want)
		}
	}
}

// FuzzParseAddress: whatever is asked, nothing panics; what is understood is a path of ours that is understood the same
// again, and that no header or page can be broken with.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"/web/20200101000000/http://a.test/x?y=/web/2020/#z", "/web/2020id_/https:/a.test", "/web/*/a.test", "/web/2*/file:///x", "/web/http://a.test",
		"/web/20200101000000mp_/http://a.test/%2e%2e/%00", "/web/1/urn:x y<>", "/web/1/javascript:alert(1)", "/web//", "/web/-/x", "/x", "",
		"/web/99999999999999/http://[::1]:80/", "/web/1/http://a.test\\..\\b", "/web/1/\r\nX: y", "/web/1/http://xn--a/",
	} {
		f.Add(s)
	}
	now := time.Date(2020, 5, 17, 10, 20, 30, 0, time.UTC)
	f.Fuzz(func(t *testing.T, target string) {
		a, err := parseAddress(target, now)
		if err != nil {
			if !errors.Is(err, errForeign) && !errors.Is(err, errStamp) && !errors.Is(err, errURL) {
				t.Fatalf("%q: %v", target, err)
			}
			return
		}
		path := a.String()
		if !strings.HasPrefix(path, "/web/") || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"<>`, r) }) {
			t.Fatalf("%q leads to %q", target, path)
		}
		again, err := parseAddress(path, now)
		if err != nil || again.stamp != a.stamp || again.mod != a.mod || again.list != a.list {
			t.Fatalf("%q became %q, and that %+v (%v)", target, path, again, err)
		}
		// Serialising twice is a fixed point, so that redirects come to rest.
		if third, err := parseAddress(again.String(), now); err != nil || third.url != again.url {
			t.Fatalf("%q became %q, then %q (%v)", target, again.url, third.url, err)
		}
		if !a.list {
			if at := a.at(); at.IsZero() && a.stamp != "00010101000000" {
				t.Fatalf("%q is no time", a.stamp)
			}
			own := a.own(&storage.Capture{URL: a.url, At: a.at()})
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			if to, ok := truthful(r, &own, &storage.Capture{URL: a.url, At: a.at()}); ok {
				t.Fatalf("%q redirects to itself: %q", own.String(), to)
			}
		}
	})
}

func TestNotation(t *testing.T) {
	for _, c := range []struct {
		mod, want modifier
		mime      string
		form      notation
	}{
		{asPage, asPage, "text/html", html}, {asIs, asPage, "text/html", verbatim}, {asPage, asPage, "application/xhtml+xml", xml},
		{asStyle, asPage, "text/plain", css}, {asPage, asStyle, "", css}, {asScript, asPage, "text/plain", script},
		{asScript, asPage, "application/json", verbatim}, {asImage, asPage, "text/html", verbatim}, {asImage, asImage, "image/svg+xml", xml},
		{asImage, asPage, "image/png", verbatim}, {asEmbed, asEmbed, "text/css", css}, {asPage, asFrame, "text/html", html},
		{asData, asData, "application/json", verbatim}, {asPage, asPage, "text/plain", verbatim}, {asEmbed, asEmbed, "application/manifest+json", manifest},
	} {
		if got := notationOf(c.mod, c.want, c.mime); got != c.form {
			t.Errorf("%q %q %q is %q, want %q", c.mod, c.want, c.mime, got, c.form)
		}
	}
}

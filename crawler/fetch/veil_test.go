package fetch

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
	"linkstead/archive/warc"
	"linkstead/crawler/session"
)

const (
	password = "correct-horse/9"
	apiKey   = "key+4711 & more"
	cookie   = "c00kie%2Fvalue-1234"
)

// secretive is a session with one secret of each kind for loopback.
func secretive() *session.Session {
	return session.New(session.Options{
		Sites: []session.Site{{
			Host: "127.0.0.1", User: "reader", Password: password, Plain: true, Language: "de-CH",
			Fields: []session.Field{{Name: "X-Api-Key", Value: apiKey}},
			Open:   []session.Field{{Name: "X-Edition", Value: "print"}},
		}},
		Cookies: []session.Cookie{{Name: "sid", Value: cookie, Domain: "127.0.0.1", HostOnly: true, Path: "/"}},
	})
}

// leaks are the forms in which nothing may be kept.
func leaks() []string {
	basic := base64.StdEncoding.EncodeToString([]byte("reader:" + password))
	out := []string{basic, strings.TrimRight(basic, "="), url.QueryEscape(basic)}
	for _, s := range []string{password, apiKey, cookie} {
		out = append(out, s, url.QueryEscape(s), url.PathEscape(s), strings.ToLower(url.QueryEscape(s)),
			base64.RawStdEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s)))
	}
	return append(out, "c00kie/value-1234")
}

func leaked(t *testing.T, what string, b []byte) {
	t.Helper()
	for _, s := range leaks() {
		if bytes.Contains(b, []byte(s)) {
			t.Errorf("%s holds %q:\n%.2000s", what, s, b)
		}
	}
}

// everything of an exchange as it would be kept.
func everything(t *testing.T, x *warc.Exchange, doc *Document) []byte {
	t.Helper()
	all := fmt.Sprintf("%q %q %q %q %+v", x.URL, x.Detail, x.Notes, x.Outcome, x.Head) + string(x.Request) + string(x.Interim) + response(t, x)
	if doc != nil {
		all += fmt.Sprintf("%+v", doc) + string(doc.Body)
	}
	return []byte(all)
}

func TestSecretsAreSentAndNotKept(t *testing.T) {
	s := serve(t, false, always(reply{raw: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}))
	w := recorder(t, &Recorder{UserAgent: "test"}).Worker()
	x, _ := fetch(t, w, Request{URL: s.url("/"), Session: secretive(), Header: http.Header{"If-None-Match": {`"of-somebody-else"`}}})
	sent := string(s.request(""))
	if strings.Contains(sent, "If-None-Match") {
		t.Errorf("what was asked for by somebody else is to be confirmed: %s", sent)
	}
	basic := base64.StdEncoding.EncodeToString([]byte("reader:" + password))
	for _, line := range []string{
		"Authorization: Basic " + basic, "X-Api-Key: " + apiKey, "Cookie: sid=" + cookie, "Accept-Language: de-CH",
		"X-Edition: print", "Accept-Encoding: identity",
	} {
		if !strings.Contains(sent, line+"\r\n") {
			t.Errorf("%q was not sent:\n%s", line, sent)
		}
	}
	want := strings.NewReplacer(basic, "[redacted]", apiKey, "[redacted]", cookie, "[redacted]").Replace(sent)
	if string(x.Request) != want {
		t.Errorf("the record of the request is\n%s\nwant\n%s", x.Request, want)
	}
	if notes := strings.Join(x.Notes, "\n"); notes != "redacted in the request: Authorization, X-Api-Key, Cookie (sid)" {
		t.Errorf("notes: %s", notes)
	}
	leaked(t, "the exchange", everything(t, x, nil))

	x, _ = fetch(t, w, Request{URL: s.url("/"), Session: session.New(session.Options{Language: "fr"})})
	if got := string(x.Request); got != string(s.request("")) || !strings.Contains(got, "Accept-Encoding: gzip") || !strings.Contains(got, "Accept-Language: fr\r\n") {
		t.Errorf("without a secret, the request is kept as it was sent: %s", got)
	}
}

// echo is a body that repeats every secret in every form.
func echo() string { return "<p>" + strings.Join(leaks(), "</p>\n<p>") + "</p>" }

func TestSecretsThatComeBackAreMasked(t *testing.T) {
	body := echo()
	plain := "HTTP/1.1 200 OK\r\n" + html
	chunks := func(at int) string {
		return fmt.Sprintf("%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", at, body[:at], len(body)-at, body[at:])
	}
	var single strings.Builder
	for _, c := range []byte(body) {
		fmt.Fprintf(&single, "1\r\n%c\r\n", c)
	}
	cases := map[string]reply{
		"length":      {raw: fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", plain, len(body), body)},
		"until close": {raw: plain + "\r\n" + body, close: true},
		"cut short":   {raw: fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", plain, len(body)+1, body), close: true},
		"by bytes":    {raw: plain + "Transfer-Encoding: chunked\r\n\r\n" + single.String() + "0\r\n\r\n"},
		"bad chunk":   {raw: plain + "Transfer-Encoding: chunked\r\n\r\n" + chunks(10)[:30] + "\r\nzz" + body, close: true},
		"head": {raw: "HTTP/1.1 302 Found " + apiKey + "\r\nLocation: /?k=" + url.QueryEscape(apiKey) + "&p=" + password +
			"\r\nSet-Cookie: sid=" + cookie + "x; Path=/\r\nSet-Cookie: n=1\r\nX-Echo: " + base64.StdEncoding.EncodeToString([]byte("reader:"+password)) +
			"\r\nContent-Length: 0\r\n\r\n"},
		"version":   {raw: "HTTP/1.1" + password + " 200 OK\r\nContent-Length: 0\r\n\r\n", close: true},
		"no status": {raw: "HTTP/1.1 " + apiKey + " OK\r\nContent-Length: 0\r\n\r\n", close: true},
		"a cookie in frames": {raw: "HTTP/1.1 200 " + cookie + "\r\nContent-Type: text/html; k=" + cookie + "\r\nTransfer-Encoding: chunked\r\nConnection: x-" + cookie +
			"\r\nTrailer: " + cookie + "\r\nUpgrade: " + cookie + "\r\nX-" + cookie + ": 1\r\n\r\n" + strings.TrimPrefix(chunks(9), "0\r\n\r\n")},
		"a cookie as a coding": {raw: "HTTP/1.1 200 OK\r\nContent-Encoding: " + cookie + "\r\nContent-Length: 0\r\n\r\n"},
		"interim":              {raw: "HTTP/1.1 103 Early Hints\r\nLink: </" + password + ">\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
		"no HTTP":              {raw: "hello " + password + "\r\n\r\n", close: true},
		"no end":               {raw: "HTTP/1.1 200 OK\r\nSet-Cookie: sid=" + cookie + "\r\nX: " + apiKey, close: true},
		"lengths":              {raw: "HTTP/1.1 200 OK\r\nSet-Cookie: sid=fresh-and-secret\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n" + apiKey, close: true},
	}
	for at := 0; at < len(body); at += 1 + at%3 {
		cases[fmt.Sprintf("chunked at %d", at)] = reply{raw: plain + "Transfer-Encoding: chunked\r\n\r\n" + strings.TrimPrefix(chunks(at), "0\r\n\r\n")}
	}
	rec := recorder(t, &Recorder{Limits: Limits{Memory: 300}})
	s := serve(t, false, func(path string, _ []byte) reply {
		name, err := url.PathUnescape(path[1:])
		if err != nil {
			t.Error(err)
		}
		return cases[name]
	})
	for name, r := range cases {
		for _, size := range []int{1, 7, wireBuffer} {
			if size != wireBuffer && strings.HasPrefix(name, "chunked at") && len(name)%2 == 0 {
				continue // enough of them are read in pieces
			}
			w := rec.Worker()
			w.wire.buf = make([]byte, size)
			x, doc := fetch(t, w, Request{URL: s.url("/" + url.PathEscape(name)), Session: secretive()})
			leaked(t, name, everything(t, x, doc))
			early := size != wireBuffer && (name == "no HTTP" || name == "bad chunk" || name == "lengths") // nothing is read once that is clear
			if got := response(t, x); len(got)+len(x.Interim) != len(r.raw) && !early {
				t.Errorf("%s: %d bytes of %d are kept: %q", name, len(got)+len(x.Interim), len(r.raw), got)
			}
			if bytes.Contains([]byte(response(t, x)), []byte("fresh-and-secret")) {
				t.Errorf("%s: a cookie that a login brought is kept", name)
			}
			if x.Head.Len > 0 {
				digestFits(t, name, x)
			}
			if x.Outcome == outcome.Captured && doc != nil && name != "head" && name != "interim" && doc.Body != nil &&
				(len(doc.Body) != len(body) || !strings.HasPrefix(string(doc.Body), "<p>***")) {
				t.Errorf("%s: the document is %q", name, doc.Body)
			}
			if len(x.Notes) < 2 && !early {
				t.Errorf("%s: notes %q", name, x.Notes)
			}
		}
	}
}

// digestFits compares the payload's digest with the payload as it is kept.
func digestFits(t *testing.T, name string, x *warc.Exchange) {
	t.Helper()
	b, err := io.ReadAll(httpmsg.Body(x.Head, x.Method, x.Response.From(x.Head.Len)))
	if err != nil && x.Outcome == outcome.Captured {
		t.Errorf("%s: the framing is broken: %v", name, err)
	}
	if sum := sha256.Sum256(b); sum != x.Payload.SHA256 || int64(len(b)) != x.Payload.Size {
		t.Errorf("%s: the digest is not that of the payload kept: %q", name, b)
	}
}

func TestASecretCutOffAtTheEndIsMasked(t *testing.T) {
	for _, raw := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthe word is " + password[:9],
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nis " + password[:3] + "\r\n9\r\n" + password[3:9],
		"HTTP/1.1 200 OK\r\nX: " + password[:9],
	} {
		s := serve(t, false, always(reply{raw: raw, close: true}))
		x, _ := fetch(t, recorder(t, &Recorder{}).Worker(), Request{URL: s.url("/"), Session: secretive()})
		if got := response(t, x); strings.Contains(got, password[3:9]) || len(got) != len(raw) {
			t.Errorf("kept: %q", got)
		}
	}
}

func TestCompressedSecretsAreWithheld(t *testing.T) {
	coded := func(fields, body string) reply {
		return reply{raw: fmt.Sprintf("HTTP/1.1 200 OK\r\n%s%sContent-Length: %d\r\n\r\n%s", html, fields, len(body), body)}
	}
	z := zipped(echo())
	for name, c := range map[string]struct {
		reply    reply
		withheld bool
	}{
		"gzip":          {coded("Content-Encoding: gzip\r\n", z), true},
		"gzip harmless": {coded("Content-Encoding: gzip\r\n", zipped("<p>nothing to see")), false},
		"transfer gzip": {reply{raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(z), z)}, true},
		"unknown":       {coded("Content-Encoding: x-rot13\r\n", "uryyb"), true},
		"broken":        {coded("Content-Encoding: br\r\n", "\xff\xff\xff no brotli at all"), true},
		"cut gzip":      {reply{raw: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9999\r\n\r\n" + z[:len(z)-3], close: true}, true},
		"a bomb":        {coded("Content-Encoding: gzip\r\n", zipped(strings.Repeat("a", 100<<10))), true},
		"a trailer":     {reply{raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Echo: " + password + "\r\n\r\n"}, true},
		"an extension":  {reply{raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;" + password + "\r\nok\r\n0\r\n\r\n"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, false, always(c.reply))
			x, doc := fetch(t, recorder(t, &Recorder{Limits: Limits{Decoded: 4 << 10, Memory: 100}}).Worker(), Request{URL: s.url("/"), Session: secretive()})
			if got := x.Outcome == outcome.Withheld; got != c.withheld {
				t.Fatalf("outcome %s: %s", x.Outcome, x.Detail)
			}
			digestFits(t, name, x)
			leaked(t, name, everything(t, x, doc))
			if c.withheld && (x.Response.Size() != x.Head.Len || x.Truncated != "unspecified" || x.Payload.Size != 0 || x.Detail == "") {
				t.Errorf("kept %d bytes, truncated %q, %s", x.Response.Size(), x.Truncated, x.Detail)
			}
		})
	}
}

func TestWhoCarriedNoSecretKeepsWhatCantBeSearched(t *testing.T) {
	who := session.New(session.Options{Sites: []session.Site{{Host: "other.test", User: "u", Password: password}}})
	body := "<p>uryyb"
	s := serve(t, false, always(reply{raw: fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: x-rot13\r\nContent-Length: %d\r\n\r\n%s", len(body), body)}))
	x, _ := fetch(t, recorder(t, &Recorder{}).Worker(), Request{URL: s.url("/"), Session: who})
	if x.Outcome != outcome.Captured || !strings.HasSuffix(response(t, x), body) || len(x.Notes) != 0 {
		t.Errorf("%s %q %q", x.Outcome, response(t, x), x.Notes)
	}
}

func TestALoginsCookiesAreSentBackAndNotKept(t *testing.T) {
	const fresh = "a-session-made-by-the-server"
	s := serve(t, false, func(path string, head []byte) reply {
		if path == "/login" {
			return reply{raw: "HTTP/1.1 200 OK\r\nSet-Cookie: login=" + fresh + "; HttpOnly\r\nSet-Cookie: n=7\r\nContent-Length: 28\r\n\r\n" + fresh}
		}
		return reply{raw: fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(head), head)}
	})
	who := secretive()
	w := recorder(t, &Recorder{}).Worker()
	for _, path := range []string{"/login", "/page"} {
		x, doc := fetch(t, w, Request{URL: s.url(path), Header: http.Header{"X-Id": {path}}, Session: who})
		if all := everything(t, x, doc); bytes.Contains(all, []byte(fresh)) {
			t.Errorf("%s: the login's cookie is kept:\n%s", path, all)
		}
		if strings.Contains(string(x.Request), "n=7") || strings.Contains(response(t, x)[:x.Head.Len], "n=7") {
			t.Errorf("%s: a short cookie of the login is kept in a head", path)
		}
	}
	if got := string(s.request("/page")); !strings.Contains(got, "; login="+fresh+"; n=7\r\n") {
		t.Errorf("it was not sent back: %s", got)
	}
}

// TestNamesOfCookiesAreNoPlaceForSecrets: a server may name a cookie by the key or the user, and gets it back.
func TestNamesOfCookiesAreNoPlaceForSecrets(t *testing.T) {
	names := []string{"u_" + url.QueryEscape(apiKey), "logged_in_" + password + "_x", cookie}
	s := serve(t, false, func(string, []byte) reply {
		return reply{raw: "HTTP/1.1 200 OK\r\nSet-Cookie: " + strings.Join(names, "=1; Path=/\r\nSet-Cookie: ") + "=1\r\nContent-Length: 2\r\n\r\nok"}
	})
	who := secretive()
	w := recorder(t, &Recorder{}).Worker()
	for _, path := range []string{"/", "/next"} {
		x, doc := fetch(t, w, Request{URL: s.url(path), Header: http.Header{"X-Id": {path}}, Session: who})
		leaked(t, path, everything(t, x, doc))
		if path == "/next" && !strings.Contains(string(x.Request), "\r\nCookie: sid=[redacted]; [redacted]=[redacted]; [redacted]=[redacted]; [redacted]=[redacted]\r\n") {
			t.Errorf("the request is kept as %s", x.Request)
		}
	}
	if got, want := string(s.request("/next")), "; "+strings.Join(names, "=1; ")+"=1\r\n"; !strings.Contains(got, want) {
		t.Errorf("%q was not sent back: %s", want, got)
	}
}

func TestCookiesOfAnOpenSessionAreKeptAsTheyAre(t *testing.T) {
	s := serve(t, false, func(path string, head []byte) reply {
		return reply{raw: fmt.Sprintf("HTTP/1.1 200 OK\r\nSet-Cookie: visit=a-visit-without-a-login\r\nContent-Length: %d\r\n\r\n%s", len(head), head)}
	})
	who := session.New(session.Options{Keep: true})
	w := recorder(t, &Recorder{}).Worker()
	fetch(t, w, Request{URL: s.url("/"), Session: who})
	x, _ := fetch(t, w, Request{URL: s.url("/"), Session: who})
	if got := string(x.Request); got != string(s.request("")) || !strings.Contains(got, "Cookie: visit=a-visit-without-a-login\r\n") {
		t.Errorf("the request is kept as %s", got)
	}
	if got := response(t, x); !strings.Contains(got, "Set-Cookie: visit=a-visit-without-a-login\r\n") || len(x.Notes) != 0 {
		t.Errorf("the response is kept as %s, with %q", got, x.Notes)
	}
}

func TestARequestCutOffHidesASecretInPart(t *testing.T) {
	r := &Recorder{UserAgent: "test"}
	r.init()
	target, err := parseTarget("http://127.0.0.1/")
	if err != nil {
		t.Fatal(err)
	}
	m, ok := r.message(target, Request{Method: "GET"}, secretive().Ask(whereOf(target), r.now()))
	if !ok {
		t.Fatal("the request can't be written")
	}
	for n := range len(m.wire) + 1 {
		shown := m.shown(n)
		leaked(t, "a part of the request", shown)
		for _, s := range []string{password[:5], apiKey[:5], cookie[:5]} {
			if bytes.Contains(shown, []byte(s)) {
				t.Fatalf("after %d bytes, the beginning of a secret is shown: %s", n, shown)
			}
		}
	}
}

func TestNothingIsLeftInTheSpool(t *testing.T) {
	rec := recorder(t, &Recorder{Limits: Limits{Memory: 10}})
	body := echo()
	s := serve(t, false, always(reply{raw: fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)}))
	x, err := rec.Worker().Fetch(t.Context(), Request{URL: s.url("/"), Session: secretive()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, inMemory := x.Response.Bytes(); inMemory {
		t.Fatal("the response did not go to the disk")
	}
	if err := rec.Release(x); err != nil || files(t, rec.Spool) != 0 {
		t.Errorf("%v, %d files", err, files(t, rec.Spool))
	}
	if _, err := os.Stat(rec.Spool); err != nil {
		t.Error(err)
	}
}

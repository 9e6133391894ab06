package session

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func basic(s Site) string {
	return base64.StdEncoding.EncodeToString([]byte(s.User + ":" + s.Password))
}

func at(url string) Where {
	w := Where{Port: "80"}
	scheme, rest, _ := strings.Cut(url, "://")
	if w.Secure = scheme == "https"; w.Secure {
		w.Port = "443"
	}
	i := strings.IndexByte(rest+"/", '/')
	w.Host, w.Path = rest[:i], rest[i:]
	if host, port, ok := strings.Cut(w.Host, ":"); ok {
		w.Host, w.Port = host, port
	}
	return w
}

func TestSitesAreForTheirHostsAlone(t *testing.T) {
	s := New(Options{Language: "en", Sites: []Site{
		{Host: "example.org:8443", User: "port", Password: "password-1"},
		{Host: "example.org", User: "exact", Password: "password-2", Language: "de"},
		{Host: ".example.com", User: "domain", Password: "password-3"},
		{Host: "plain.test", User: "plain", Password: "password-4", Plain: true},
		{Host: "[::1]:81", User: "six", Password: "password-5", Plain: true},
	}})
	for url, want := range map[string]string{
		"https://example.org/": "exact de", "https://EXAMPLE.org./": "exact de", "https://example.org:8443/": "port en",
		"https://www.example.org/": "- en", "https://example.com/": "domain en", "https://a.b.example.com/": "domain en",
		"https://badexample.com/": "- en", "https://example.com.evil.test/": "- en", "http://example.org/": "held de",
		"http://plain.test/": "plain en", "https://plain.test/": "plain en", "https://other.test/": "- en",
	} {
		a := s.Ask(at(url), now)
		who, language := "-", ""
		for _, l := range a.Lines {
			switch l.Name {
			case "Authorization":
				for _, site := range s.sites {
					if strings.Contains(l.Value, basic(site)) {
						who = site.User
					}
				}
			case "Accept-Language":
				language = l.Value
			}
		}
		if a.Held != "" {
			who = "held"
		}
		if got := who + " " + language; got != want || a.Secret != (who != "-" && who != "held") {
			t.Errorf("%s is asked as %q, want %q; secret %t", url, got, want, a.Secret)
		}
	}
	if a := s.Ask(Where{Host: "::1", Port: "81", Path: "/"}, now); len(a.Hidden) != 1 {
		t.Errorf("an IPv6 address with its port: %+v", a)
	}
	if a := s.Ask(Where{Host: "::1", Port: "82", Path: "/"}, now); len(a.Hidden) != 0 {
		t.Errorf("an IPv6 address with another port: %+v", a)
	}
}

func TestNobodyAsksAsNobody(t *testing.T) {
	var s *Session
	if a := s.Ask(at("https://example.org/"), now); len(a.Lines) != 0 || a.Secret || !s.Secrets("example.org").Empty() {
		t.Errorf("%+v", a)
	}
	head := []byte("HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\n\r\n")
	if got := s.Answer(at("https://example.org/"), Asked{}, head, now); got != nil {
		t.Errorf("%q", got)
	}
}

// cookies is what a jar sends.
func cookies(s *Session, url string, now time.Time) string {
	for _, l := range s.Ask(at(url), now).Lines {
		if l.Name == "Cookie" {
			return l.Value
		}
	}
	return ""
}

func TestCookiesByTheRules(t *testing.T) {
	for _, c := range []struct{ name, from, set, to, want string }{
		{"back to the host", "http://a.test/", "n=v", "http://a.test/x", "n=v"},
		{"not to another", "http://a.test/", "n=v", "http://b.test/", ""},
		{"not to a host under it", "http://a.test/", "n=v", "http://x.a.test/", ""},
		{"to a domain", "http://x.a.test/", "n=v; Domain=a.test", "http://y.a.test/", "n=v"},
		{"to a domain itself", "http://x.a.test/", "n=v; domain=.A.test", "http://a.test/", "n=v"},
		{"not of a foreign domain", "http://a.test/", "n=v; Domain=b.test", "http://b.test/", ""},
		{"not of a suffix of the name", "http://xa.test/", "n=v; Domain=a.test", "http://a.test/", ""},
		{"not for a public suffix", "http://a.co.uk/", "n=v; Domain=co.uk", "http://b.co.uk/", ""},
		{"nor for a whole TLD", "http://a.test/", "n=v; Domain=test", "http://b.test/", ""},
		{"a public suffix is a host, too", "http://github.io/", "n=v; Domain=github.io", "http://x.github.io/", ""},
		{"an address has none under it", "http://127.0.0.1/", "n=v; Domain=0.0.1", "http://127.0.0.1/", ""},
		{"an address itself", "http://127.0.0.1/", "n=v; Domain=127.0.0.1", "http://127.0.0.1/", "n=v"},
		{"path", "http://a.test/d/p", "n=v", "http://a.test/d/q?x", "n=v"},
		{"other path", "http://a.test/d/p", "n=v", "http://a.test/dd", ""},
		{"named path", "http://a.test/d/p", "n=v; Path=/", "http://a.test/", "n=v"},
		{"path with a slash", "http://a.test/", "n=v; Path=/d/", "http://a.test/d", ""},
		{"secure over http", "https://a.test/", "n=v; Secure", "http://a.test/", ""},
		{"secure over https", "https://a.test/", "n=v; Secure", "https://a.test/", "n=v"},
		{"secure set over http", "http://a.test/", "n=v; Secure", "https://a.test/", ""},
		{"other port", "http://a.test/", "n=v", "http://a.test:81/", "n=v"},
		{"a host cookie", "https://a.test/d/", "__Host-n=v; Secure; Path=/", "https://a.test/", "__Host-n=v"},
		{"no host cookie", "https://a.test/d/", "__Host-n=v; Secure", "https://a.test/d/", ""},
		{"no secure cookie", "https://a.test/", "__Secure-n=v", "https://a.test/", ""},
		{"quotes are part of it", "http://a.test/", `n="v w"; HttpOnly`, "http://a.test/", `n="v w"`},
		{"no name", "http://a.test/", "just a value", "http://a.test/", ""},
		{"taken back", "http://a.test/", "n=v; Max-Age=0", "http://a.test/", ""},
		{"over", "http://a.test/", "n=v; Expires=Wed, 21 Oct 2015 07:28:00 GMT", "http://a.test/", ""},
		{"later", "http://a.test/", "n=v; Expires=Sunday, 01-Mar-26 13:00:00 GMT", "http://a.test/", "n=v"},
		{"age goes before date", "http://a.test/", "n=v; Max-Age=60; Expires=Wed, 21 Oct 2015 07:28:00 GMT", "http://a.test/", "n=v"},
		{"no date", "http://a.test/", "n=v; Expires=tomorrow", "http://a.test/", "n=v"},
		{"folded", "http://a.test/", "n=\r\n v; Path=/\r\n ; Domain=a.test", "http://x.a.test/", "n=v"},
		{"control character", "http://a.test/", "n=v\x01", "http://a.test/", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := New(Options{Keep: true})
			head := []byte("HTTP/1.1 200 OK\r\nset-COOKIE : " + c.set + "\r\nX: y\r\n\r\n")
			if redacted := s.Answer(at(c.from), Asked{}, head, now); redacted != nil {
				t.Errorf("redacted %q", redacted)
			}
			if got := cookies(s, c.to, now.Add(time.Second)); got != c.want {
				t.Errorf("sent %q, want %q", got, c.want)
			}
			if off := New(Options{}); true {
				off.Answer(at(c.from), Asked{}, head, now)
				if got := cookies(off, c.to, now); got != "" {
					t.Errorf("off, and sent %q", got)
				}
			}
		})
	}
}

func TestCookiesInTheirOrderAndInTheirTime(t *testing.T) {
	s := New(Options{Keep: true})
	s.Answer(at("https://a.test/d/"), Asked{}, []byte("HTTP/1.1 200 OK\r\nSet-Cookie: old=1; Path=/\r\nSet-Cookie: deep=2; Path=/d\r\n"+
		"Set-Cookie: short=3; Max-Age=60; Path=/\r\nSet-Cookie: safe=4; Secure; Path=/\r\n\r\n"), now)
	s.Answer(at("https://a.test/"), Asked{}, []byte("HTTP/1.1 200 OK\r\nSet-Cookie: old=5; Path=/\r\n\r\n"), now)
	if got := cookies(s, "https://a.test/d/x", now); got != "deep=2; old=5; short=3; safe=4" {
		t.Errorf("sent %q", got)
	}
	if got := cookies(s, "https://a.test/", now.Add(time.Minute)); got != "old=5; safe=4" {
		t.Errorf("a minute later %q", got)
	}
	s.Answer(at("http://a.test/"), Asked{}, []byte("HTTP/1.1 200 OK\r\nSet-Cookie: safe=overlaid; Path=/\r\n\r\n"), now)
	if got := cookies(s, "https://a.test/", now.Add(time.Minute)); got != "old=5; safe=4" {
		t.Errorf("http overlaid what https had set: %q", got)
	}
}

func TestAJarIsBounded(t *testing.T) {
	s := New(Options{Keep: true})
	for host := range 40 {
		var head strings.Builder
		head.WriteString("HTTP/1.1 200 OK\r\n")
		for i := range maxSetCookies + 50 {
			fmt.Fprintf(&head, "Set-Cookie: n%d=%s\r\n", i, strings.Repeat("v", 200))
		}
		s.Answer(at(fmt.Sprintf("http://h%d.test/", host)), Asked{}, []byte(head.String()+"\r\n"), now)
	}
	if n := len(s.jar.all); n > maxCookies {
		t.Errorf("%d cookies are kept", n)
	}
	if got := cookies(s, "http://h39.test/", now); len(got) > maxHeaderBytes || got == "" {
		t.Errorf("a Cookie field of %d bytes", len(got))
	}
	asked := Asked{Secret: true}
	for i := range 3 * maxLearnt {
		s.Answer(at("http://a.test/"), asked, fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nSet-Cookie: n=rot4t1ng-value-%d\r\n\r\n", i), now)
	}
	if n := len(s.learnt.by["a.test"]); n != maxLearnt || s.learnt.n != maxLearnt {
		t.Errorf("%d values are learnt, of %d", n, s.learnt.n)
	}
	if n := s.Secrets("a.test").Mask(fmt.Appendf(nil, "rot4t1ng-value-%d", 3*maxLearnt-1)); n != 1 {
		t.Error("the newest is not looked for")
	}
}

func TestACookiesFile(t *testing.T) {
	const text = "\ufeff# Netscape HTTP Cookie File\r\n# a comment\r\n\r\n" +
		".Example.org\tTRUE\t/\tFALSE\t0\tsession\tvalue-of-the-session\r\n" +
		"#HttpOnly_members.example.org\tFALSE\t/m\tTRUE\t1772370000.5\thidden\tvalue=with=signs\r\n" +
		"example.org\tFALSE\t/\tFALSE\t1000\told\tvalue-of-long-ago\r\n" +
		"example.org\tFALSE\t/\tFALSE\t\tempty\r\n"
	cs, err := ReadCookies([]byte(text))
	if err != nil || len(cs) != 4 {
		t.Fatalf("%d cookies, %v", len(cs), err)
	}
	s := New(Options{Cookies: cs})
	for url, want := range map[string]string{
		"https://members.example.org/m/x": "hidden=value=with=signs; session=value-of-the-session",
		"http://members.example.org/m/x":  "session=value-of-the-session",
		"https://example.org/":            "session=value-of-the-session; empty=",
		"https://example.net/":            "",
	} {
		if got := cookies(s, url, now); got != want {
			t.Errorf("%s is sent %q, want %q", url, got, want)
		}
	}
	a := s.Ask(at("https://example.org/"), now)
	if shown := a.Lines[len(a.Lines)-1].Shown; shown != "session=[redacted]; empty=[redacted]" || !a.Secret {
		t.Errorf("shown %q", shown)
	}
	s.Answer(at("https://example.org/"), a, []byte("HTTP/1.1 200 OK\r\nSet-Cookie: session=a-very-new-value; Domain=example.org\r\n\r\n"), now)
	if got := cookies(s, "https://example.org/", now); got != "session=a-very-new-value; empty=" {
		t.Errorf("a renewed cookie: %q", got)
	}
	if n := s.Secrets("www.example.org").Mask([]byte("value-of-the-session a-very-new-value")); n != 2 {
		t.Errorf("%d of the two values are secrets", n)
	}
}

func TestACookiesFileSaysWhatIsWrong(t *testing.T) {
	const good = "a.test\tFALSE\t/\tFALSE\t0\tn\tSECRET\n"
	for text, want := range map[string]string{
		good + "a.test FALSE / FALSE 0 n SECRET":             "line 2: 1 fields",
		good + "\n" + "a.test\tno\t/\tFALSE\t0\tn\tSECRET":   "line 3: the second field",
		"a.test\tFALSE\t/\tmaybe\t0\tn\tSECRET":              "line 1: the fourth field",
		"a test\tFALSE\t/\tFALSE\t0\tn\tSECRET":              "no domain",
		"co.uk\tTRUE\t/\tFALSE\t0\tn\tSECRET":                "public suffix",
		"a.test\tFALSE\td\tFALSE\t0\tn\tSECRET":              "no path",
		"a.test\tFALSE\t/\tFALSE\tsoon\tn\tSECRET":           "no time",
		"a.test\tFALSE\t/\tFALSE\tNaN\tn\tSECRET":            "no time",
		"a.test\tFALSE\t/\tFALSE\t0\t\tSECRET":               "no name",
		"a.test\tFALSE\t/\tFALSE\t0\tn\tSECRET; x":           "the value of n can't be sent",
		"\n  [{\"name\": \"n\", \"value\": \"SECRET\"}]":     "Netscape format",
		strings.Repeat(good, maxFileCookies+1):               "more than 3000",
		strings.Repeat(" ", MaxFile) + "x":                   "longer than 4 MiB",
		"a.test\tFALSE\t/\tFALSE\t0\tn\tSECRET\tand\tmore\n": "9 fields",
	} {
		_, err := ReadCookies([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

func TestMaskingFindsWhatOverlaps(t *testing.T) {
	s := newSet([]string{"abcdefgh", "efghijkl", "abcd", "ijklabcd-long-one"})
	for in, want := range map[string]string{
		"abcdefghijkl": "************", "xabcdx": "x****x", "abc": "abc", "": "", "abcdabcd": "********",
		"efghijklabcd-long-one": "*********************", "efghijklabcx": "********abcx",
	} {
		b := []byte(in)
		s.Mask(b)
		if string(b) != want {
			t.Errorf("%q becomes %q, want %q", in, b, want)
		}
		if found, err := s.In(strings.NewReader(strings.Repeat("-", 64<<10) + in)); err != nil || found != (in != want) {
			t.Errorf("%q is found: %t, %v", in, found, err)
		}
	}
	if got := s.Partial([]byte("ends in abcdef")); got != 6 {
		t.Errorf("%d bytes of a secret begin at the end", got)
	}
	var none *Set
	if none.Mask([]byte("abcd")) != 0 || none.Partial([]byte("abcd")) != 0 || none.String("abcd") != "abcd" {
		t.Error("nothing is a secret, and is masked")
	}
}

func TestAWordOfAFieldIsASecretToo(t *testing.T) {
	s := New(Options{Sites: []Site{{Host: "a.test", Fields: []Field{{"Authorization", "Bearer the-token"}}, Secrets: []string{"inner!"}}}})
	a := s.Ask(at("https://a.test/"), now)
	if a.Lines[0].Shown != "Bearer [redacted]" {
		t.Errorf("shown %q", a.Lines[0].Shown)
	}
	if got := s.Secrets("else.test").String("Bearer x, the-token, inner!, Bearer the-token"); got != "Bearer x, *********, ******, ****************" {
		t.Errorf("masked %q", got)
	}
}

// TestCookiesThatTurnOutSecret: what was set when nothing was secret may be a secret when it is sent.
func TestCookiesThatTurnOutSecret(t *testing.T) {
	const learnt = "f3a9c1d27b-l0g1n"
	s := New(Options{Keep: true, Sites: []Site{{Host: "a.test", User: "u", Password: "pa55word", Secrets: []string{"half=ofit"}}}})
	open, closed := at("http://a.test/"), at("https://a.test/")
	for _, line := range []string{"n=" + learnt, "plain=yes", "half=ofit", "user_pa55word=1"} {
		s.Answer(open, s.Ask(open, now), []byte("HTTP/1.1 200 OK\r\nSet-Cookie: "+line+"; Path=/\r\n\r\n"), now)
	}
	s.Answer(closed, s.Ask(closed, now), []byte("HTTP/1.1 200 OK\r\nSet-Cookie: m="+learnt+"; Path=/\r\n\r\n"), now)
	a := s.Ask(open, now)
	line := a.Lines[len(a.Lines)-1]
	if want := "n=" + learnt + "; plain=yes; half=ofit; user_pa55word=1; m=" + learnt; line.Value != want {
		t.Errorf("sent %q", line.Value)
	}
	if want := "n=[redacted]; plain=yes; [redacted]=[redacted]; [redacted]=[redacted]; m=[redacted]"; line.Shown != want {
		t.Errorf("shown %q", line.Shown)
	}
	if got := strings.Join(a.Hidden, ", "); got != "Cookie (n, [redacted], [redacted], m)" || !a.Secret {
		t.Errorf("hidden: %s, secret %t", got, a.Secret)
	}
}

func TestCookieDates(t *testing.T) {
	want := time.Date(2015, 10, 21, 7, 28, 0, 0, time.UTC)
	for _, s := range []string{
		"Wed, 21 Oct 2015 07:28:00 GMT", "Wednesday, 21-Oct-15 07:28:00 GMT", "Wed Oct 21 07:28:00 2015", "7:28:0 2015 october 21",
	} {
		if got, ok := cookieDate(s); !ok || !got.Equal(want) {
			t.Errorf("%s is read as %s, %t", s, got, ok)
		}
	}
	for _, s := range []string{"", "soon", "31 Feb 2015 07:28:00", "21 Oct 2015 25:00:00", "21 Oct 1500 07:28:00", "21 2015 07:28:00"} {
		if got, ok := cookieDate(s); ok {
			t.Errorf("%q is read as %s", s, got)
		}
	}
}

func FuzzReadCookies(f *testing.F) {
	f.Add([]byte("#HttpOnly_.a.test\tTRUE\t/\tTRUE\t1772370000\tn\tv\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cs, err := ReadCookies(data)
		if err != nil {
			return
		}
		s := New(Options{Cookies: cs})
		for _, c := range cs {
			for _, l := range s.Ask(Where{Secure: true, Host: c.Domain, Path: c.Path}, time.Unix(0, 0)).Lines {
				if strings.ContainsAny(l.Value, "\r\n\x00") {
					t.Errorf("a line break is sent: %q", l.Value)
				}
			}
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nSet-Cookie: a=secret-value; Path=/; Expires=Wed, 21 Oct 2065 07:28:00 GMT\r\n folded\r\n\r\n"))
	f.Fuzz(func(t *testing.T, head []byte) {
		s := New(Options{Keep: true, Sites: []Site{{Host: "a.test", User: "u", Password: "password"}}})
		w := at("https://a.test/")
		kept := slices.Clone(head)
		s.Answer(w, Asked{Secret: true}, kept, now)
		if len(kept) != len(head) || strings.Contains(string(kept), "password") {
			t.Fatalf("%q becomes %q", head, kept)
		}
		for i, c := range kept {
			if c != head[i] && c != Mask {
				t.Fatalf("%q becomes %q", head, kept)
			}
		}
		for _, c := range setCookies(kept) {
			if strings.Trim(c.value, "* \t\r\n\x00") != "" && strings.IndexFunc(c.value, func(r rune) bool { return r > ' ' && r != Mask }) >= 0 {
				t.Fatalf("the value %q is kept", c.value)
			}
		}
		for _, l := range s.Ask(w, now).Lines {
			if strings.ContainsAny(l.Value, "\r\n\x00") {
				t.Errorf("a line break is sent: %q", l.Value)
			}
		}
	})
}

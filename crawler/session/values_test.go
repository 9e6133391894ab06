package session

import (
	"fmt"
	"strings"
	"testing"
)

func TestWhichValuesAreLookedFor(t *testing.T) {
	for value, want := range map[string]bool{
		"Switzerland": false, "stylesheet": false, "Bundesverfassungsgericht": false, "Content-Type": false, "Transfer-Encoding": false,
		"HTTP/1.1 200": false, "text/html": false, "<article": false, "https://": false, "http://post": false, "dark-mode": false,
		"consent=accepted": false, "2026-03-01": false, "1719236400": false, "deadbeef": false, "StyleSheet": false, "ab12cd3": false,
		"": false, "********************": false, strings.Repeat("a1b2", 2000): false, "GA1.2.1719": false,

		"f3a9c1d27b": true, "0f8fad5b-d9cb-469f-a165-70867728950e": true, "eyJhbGciOiJIUzI1NiJ9": true, "FreshLoginValue123": true,
		"a-login-made-by-the-server": true, "qwhgzkfbvnmxpldtyrjcqwhgzkfbvnmx": true, "1719236400123456": true, "c00kie%2Fvalue-1234": true,
	} {
		if got := telling(value); got != want {
			t.Errorf("%.40q is looked for: %t, by %.1f bits", value, got, guesses(value))
		}
	}
}

// TestNobodyBlanksTheWordsOfOthers: what a server sets, or once set in somebody's browser, is looked for where that cookie
// may go, and nowhere else; what a person declared, everywhere.
func TestNobodyBlanksTheWordsOfOthers(t *testing.T) {
	const chosen, ours, filed = "sha256-f3a9c1d27b", "pa55wordHunter", "0f8fad5b-tracker"
	s := New(Options{
		Sites:   []Site{{Host: "member.evil.test", User: "u", Password: ours, Plain: true}},
		Cookies: []Cookie{{Name: "t", Value: filed, Domain: "tracker.test", Path: "/"}, {Name: "h", Value: filed + "2", Domain: "one.tracker.test", HostOnly: true, Path: "/"}},
	})
	where := at("http://member.evil.test/")
	set := func(line string) {
		s.Answer(where, s.Ask(where, now), []byte("HTTP/1.1 200 OK\r\nSet-Cookie: "+line+"\r\n\r\n"), now)
	}
	set("k=" + chosen)
	set("d=" + chosen + "-domain; Domain=evil.test")
	set("f=" + chosen + "-foreign; Domain=news.test")
	set("p=" + chosen + "-public; Domain=test")
	for host, want := range map[string]string{
		"member.evil.test":     "k d f p ours",
		"Member.Evil.test.":    "k d f p ours",
		"a.member.evil.test":   "d ours",
		"news.evil.test":       "d ours",
		"news.test":            "ours",
		"tracker.test":         "t ours",
		"one.tracker.test":     "t h ours",
		"two.one.tracker.test": "t ours",
		"127.0.0.1":            "ours",
	} {
		var got []string
		for _, c := range []struct{ name, value string }{
			{"k", chosen + " "}, {"d", chosen + "-domain"}, {"f", chosen + "-foreign"}, {"p", chosen + "-public"}, {"t", filed}, {"h", filed + "2"}, {"ours", ours},
		} {
			if s.Secrets(host).String(c.value) == strings.Repeat("*", len(strings.TrimSpace(c.value)))+strings.Repeat(" ", len(c.value)-len(strings.TrimSpace(c.value))) {
				got = append(got, c.name)
			}
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("on %s are looked for: %s, want %s", host, got, want)
		}
	}
}

func TestAHeadStaysTheSameMessage(t *testing.T) {
	const head = "HTTP/1.1 200 200 pa55word 4fe0c1a2 123456\r\n4fe0c1a2: 4fe0c1a2\r\npa55word: x\r\nContent-Length: 123456\r\n" +
		"Transfer-Encoding: chunked\r\nContent-Type: text/html; k=4fe0c1a2\r\nX-Fold: a\r\n 4fe0c1a2\r\nContent-Encoding: pa55word\r\n" +
		"Transfer-Encoding: gzip;4fe0c1a2, chunky\r\nTrailer: 123456\r\nConnection: 123456, close\r\nsplit:in-two\r\n4fe0c1a2\r\n\r\n"
	const want = "HTTP/1.1 200 200 ******** ******** ******\r\n********: ********\r\n********: x\r\nContent-Length: 123456\r\n" +
		"Transfer-Encoding: chunked\r\nContent-Type: text/html; k=********\r\nX-Fold: a\r\n ********\r\nContent-Encoding: ********\r\n" +
		"Transfer-Encoding: gzip;********, chunky\r\nTrailer: ******\r\nConnection: ******, close\r\n*****:******\r\n********\r\n\r\n"
	all := newSet([]string{"pa55word", "123456", "chunked", "4fe0c1a2", "split:in-two", "/1.1 200"})
	b := []byte(head)
	if n := maskHead(all, b); n != 15 || string(b) != want {
		t.Errorf("%d places:\n%s", n, b)
	}
	for in, want := range map[string]string{
		"hello 4fe0c1a2": "hello ********", "HTTP/1.1": "HTTP/1.1", "HTTP/1.1 2": "HTTP/1.1 2", "": "", "HTTP/1.1 200 OK": "HTTP/1.1 200 OK",
		"HTTP/1.1 200 OK\r\nX: 4fe0c1a2": "HTTP/1.1 200 OK\r\nX: ********", "http/1.0 200 4fe0c1a2": "http/1.0 200 ********",
		"HTTP/1.14fe0c1a2 200 OK\r\nContent-Length: 0\r\n\r\n": "HTTP/1.1******** 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/4fe0c1a2 200 OK":                                 "HTTP/******** 200 OK", "HTTP/1.1 123456 OK": "HTTP/1.1 ****** OK", "HTTP/123456 200 OK": "HTTP/****** 200 OK",
	} {
		b := []byte(in)
		if maskHead(all, b); string(b) != want {
			t.Errorf("%q becomes %q", in, b)
		}
	}
}

func TestOneSitePushesNothingOfAnothersOut(t *testing.T) {
	s := New(Options{Sites: []Site{{Host: "a.test", Password: "pa55word", Plain: true}, {Host: "b.test", Password: "pa55word", Plain: true}}})
	set := func(host, value string) {
		w := at("http://" + host + "/")
		s.Answer(w, s.Ask(w, now), []byte("HTTP/1.1 200 OK\r\nSet-Cookie: n="+value+"\r\n\r\n"), now)
	}
	set("a.test", "the-l0g1n-of-a-reader")
	set("b.test", "the-l0g1n-at-b")
	for i := range 2 * maxLearnt {
		set("b.test", fmt.Sprintf("rot4t1ng-value-%d", i))
		if i%50 == 0 {
			set("b.test", "the-l0g1n-at-b") // it is set again and again
		}
	}
	if s.Secrets("a.test").Mask([]byte("the-l0g1n-of-a-reader")) != 1 {
		t.Error("what a.test set is forgotten for what b.test did")
	}
	if s.Secrets("b.test").Mask([]byte("the-l0g1n-at-b")) != 1 {
		t.Error("what is set again and again is forgotten")
	}
}

func TestInterimHeadsSetNoCookiesAndTellNone(t *testing.T) {
	s := New(Options{Keep: true, Sites: []Site{{Host: "a.test", Password: "pa55word", Plain: true}}})
	w := at("http://a.test/")
	head := []byte("HTTP/1.1 103 Early\r\nSet-Cookie: i=x\r\nLink: <pa55word>\r\n\r\n")
	said := strings.Join(s.Interim(w, s.Ask(w, now), head), ", ")
	if string(head) != "HTTP/1.1 103 Early\r\nSet-Cookie: i=*\r\nLink: <********>\r\n\r\n" || said != "Set-Cookie (i) of an interim head, an interim head in 1 places" {
		t.Errorf("%q, %s", head, said)
	}
	if got := cookies(s, "http://a.test/", now); got != "" {
		t.Errorf("sent %q", got)
	}
}

func TestWhoHasCookiesIsSomebody(t *testing.T) {
	if New(Options{Cookies: []Cookie{{Name: "lang", Value: "en", Domain: "a.test", Path: "/"}}}).Nobody() {
		t.Error("who asks with a cookie of a file asks as anybody does")
	}
}

// TestSecretsThatBeginAlike: what is found does not depend on how much the secrets have in common.
func TestSecretsThatBeginAlike(t *testing.T) {
	words := []string{"aaaa", "aaaaaaaa", "aaaab", "aaaabc", "aaaabd", "aaab", "baaaa", "aaaabcdefgh", "aaaabcdefgx"}
	s := setOf(words)
	text := "xaaaabcdefghaaaaaaaaabaaabaaaabcdefgxbaaaabdaaa"
	for i := range text {
		want := 0
		begins := false
		for _, w := range words {
			if strings.HasPrefix(text[i:], w) {
				want = max(want, len(w))
			}
			begins = begins || strings.HasPrefix(w, text[i:])
		}
		if got := s.At([]byte(text), i); got != want {
			t.Errorf("at %q: %d, want %d", text[i:], got, want)
		}
		if got := s.Partial([]byte(text[i:])) == len(text)-i; got != begins && len(text)-i >= prefix {
			t.Errorf("%q is a beginning: %t, want %t", text[i:], got, begins)
		}
	}
	for cut := prefix; cut < len("aaaabcdefgh"); cut++ {
		if got := s.Partial([]byte("--" + "aaaabcdefgh"[:cut])); got != cut {
			t.Errorf("%d bytes of a secret begin at the end, want %d", got, cut)
		}
	}
}

// TestSecretsAreComparedOnce: a text is compared once with the secrets that begin alike, however many there are.
func TestSecretsAreComparedOnce(t *testing.T) {
	var words []string
	for i := range 100 {
		words = append(words, strings.Repeat("a", 3000+i)+"b")
	}
	s := setOf(words)
	b := s.words[[prefix]byte([]byte("aaaa"))]
	parts := len(b.label)
	for i := strings.IndexByte(b.keys, 'a'); i >= 0; i = strings.IndexByte(b.keys, 'a') {
		b = &b.next[i]
		parts += len(b.label)
	}
	if parts > 3200 {
		t.Errorf("%d bytes are compared at each place", parts)
	}
}

// TestLearntValuesAreBounded: the newest values of a site are looked for, of which there are not too many bytes.
func TestLearntValuesAreBounded(t *testing.T) {
	var vs values
	for i := range 200 {
		vs.add(value{text: fmt.Sprintf("%d%s", i, strings.Repeat("x1y2", 900)), domain: "a.test"}, maxLearnt, maxLearntBytes)
		vs.add(value{text: fmt.Sprintf("short-%d", i), domain: "b.test"}, maxLearnt, maxLearntBytes)
	}
	a, b := vs.of("a.test"), vs.of("b.test")
	if size := sizeOf(vs.by["a.test"]); size > maxLearntBytes || size < maxLearntBytes-4096 || !strings.HasPrefix(a[len(a)-1], "199x") || len(b) != maxLearnt || vs.n != len(a)+len(b) {
		t.Errorf("%d values of %d bytes, %d others, %d in all", len(a), size, len(b), vs.n)
	}
}

// BenchmarkSecretsThatBeginAlike looks secrets of 3 KB that differ in their ends, as many as are looked for, up in a text that
// begins like them everywhere: the worst that a server can do.
func BenchmarkSecretsThatBeginAlike(b *testing.B) {
	var words []string
	for i := range maxLearntBytes / 3200 {
		words = append(words, strings.Repeat("a", 3000+i)+"b")
	}
	s, text := newSet(words), []byte(strings.Repeat("a", 64<<10))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		s.Mask(text)
	}
}

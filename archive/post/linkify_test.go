package post

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// linkCases are texts with the addresses in them, as they stand, in the order of the text, separated by spaces. What follows a "→" is
// what is asked for, if it isn't that; what follows a "|" may be meant as well.
var linkCases = []struct{ text, want string }{
	// What a sentence puts behind and around.
	{"See http://a.test/x.", "http://a.test/x"},
	{"See http://a.test/x, then http://b.test/y; http://c.test/z: ok", "http://a.test/x http://b.test/y http://c.test/z"},
	{"Is it http://a.test/x? http://a.test/y!", "http://a.test/x http://a.test/y"},
	{"http://a.test/x?y=1&z=2#f", "http://a.test/x?y=1&z=2#f"},
	{"(http://a.test/x)", "http://a.test/x"},
	{"(see http://a.test/x_(y))", "http://a.test/x_(y)"},
	{"http://a.test/x_(y)_z", "http://a.test/x_(y)_z"},
	{"http://a.test/(x", "http://a.test/(x"},
	{"[http://a.test/x]", "http://a.test/x"},
	{"http://a.test/x[1]", "http://a.test/x[1]"},
	{"{http://a.test/x}", "http://a.test/x"},
	{"((http://a.test/x))", "http://a.test/x"},
	{"(http://a.test/x).", "http://a.test/x"},
	{"http://a.test/x...", "http://a.test/x"},
	{"http://a.test/x?!", "http://a.test/x"},
	{"\"http://a.test/x\"", "http://a.test/x"},
	{"'http://a.test/x'", "http://a.test/x"},
	{"“http://a.test/x”", "http://a.test/x"},
	{"‘http://a.test/x’", "http://a.test/x"},
	{"«http://a.test/x»", "http://a.test/x"},
	{"„http://a.test/x“", "http://a.test/x"},
	{"「http://a.test/x」", "http://a.test/x"},
	{"*http://a.test/x*", "http://a.test/x"},
	{"_http://a.test/x_", "http://a.test/x"},
	{"~http://a.test/x~", "http://a.test/x"},
	{"`http://a.test/x`", "http://a.test/x"},
	{"<http://a.test/x>", "http://a.test/x"},
	{"<http://a.test/x.>", "http://a.test/x."},
	{"<URL:http://a.test/x>", "http://a.test/x"},
	{"|http://a.test/x|", "http://a.test/x"},
	{"http://a.test/x|y", "http://a.test/x"},
	{"http://a.test/x<br>", "http://a.test/x"},
	{"http://a.test/x\\", "http://a.test/x"},
	{"http://a.test/it's", "http://a.test/it's"},
	{"http://a.test/a,b;c=d", "http://a.test/a,b;c=d"},
	{"http://a.test/x/", "http://a.test/x/"},
	{"http://a.test/x-", "http://a.test/x-"},
	{"http://a.test/~me", "http://a.test/~me"},
	{"http://a.test/100%25", "http://a.test/100%25"},
	{"http://a.test/x&quot;", "http://a.test/x"},
	{"http://a.test/x?y=1&hl;", "http://a.test/x?y=1"},
	{"http://a.test/x?y=1&hl=en", "http://a.test/x?y=1&hl=en"},
	{"http://a.test", "http://a.test"},
	{"http://a.test.", "http://a.test"},
	{"http://a.test?x=1", "http://a.test?x=1"},
	{"http://a.test#f", "http://a.test#f"},
	{"http://a.test:8080/x", "http://a.test:8080/x"},
	{"http://user:pw@a.test/x", "http://user:pw@a.test/x"},
	{"http://127.0.0.1/x http://[::1]:80/y", "http://127.0.0.1/x http://[::1]:80/y"},
	{"HTTP://A.TEST/X", "HTTP://A.TEST/X"},
	{"http://localhost/x", "http://localhost/x"},
	{"link:http://a.test/x", "http://a.test/x"},
	{"xhttp://a.test/x", ""},
	{"http:// http://. http://, https://", ""},
	{"http:a.test", ""},
	{"http://a.test/xhttp://b.test/y", "http://a.test/xhttp://b.test/y"},
	// GFM's cases.
	{"www.commonmark.org", "www.commonmark.org"},
	{"Visit www.commonmark.org/help for more", "www.commonmark.org/help"},
	{"Visit www.commonmark.org.", "www.commonmark.org"},
	{"www.google.com/search?q=Markup+(business)", "www.google.com/search?q=Markup+(business)"},
	{"www.google.com/search?q=Markup+(business)))", "www.google.com/search?q=Markup+(business)"},
	{"(www.google.com/search?q=Markup+(business))", "www.google.com/search?q=Markup+(business)"},
	{"www.google.com/search?q=(business))+ok", "www.google.com/search?q=(business))+ok"},
	{"www.google.com/search?q=commonmark&hl;", "www.google.com/search?q=commonmark"},
	{"www.commonmark.org/he<lp", "www.commonmark.org/he"},
	{"(Visit https://encrypted.google.com/search?q=Markup+(business))", "https://encrypted.google.com/search?q=Markup+(business)"},
	{"www. www.x www..com", ""},
	{"WWW.Example.COM/x", "WWW.Example.COM/x"},
	{"foo@www.example.org", ""},
	{"xwww.example.org/", "xwww.example.org/→http://xwww.example.org/"},
	// Mail is none.
	{"mail@example.org", ""},
	{"first.last@example.org", ""},
	{"mailto:me@example.org", ""},
	{"me+tag@mail.example.org.", ""},
	{"me@example.org/x", ""},
	// Names without a scheme.
	{"see example.org for more", "example.org→http://example.org"},
	{"see example.org.", "example.org→http://example.org"},
	{"(example.org)", "example.org→http://example.org"},
	{"see example.org/x_(y).", "example.org/x_(y)→http://example.org/x_(y)"},
	{"sub.example.co.uk/a", "sub.example.co.uk/a→http://sub.example.co.uk/a"},
	{"example.org:8080/x", "example.org:8080/x→http://example.org:8080/x"},
	{"en.wikipedia.org/wiki/X", "en.wikipedia.org/wiki/X→http://en.wikipedia.org/wiki/X"},
	{"youtu.be/abc and t.co/abc and bit.ly/abc", "youtu.be/abc→http://youtu.be/abc t.co/abc→http://t.co/abc bit.ly/abc→http://bit.ly/abc"},
	{"NYTimes.com/2016/x", "NYTimes.com/2016/x→http://NYTimes.com/2016/x"},
	{"bücher.de/x", "bücher.de/x→http://bücher.de/x"},
	{"пример.рф", "пример.рф→http://пример.рф"},
	{"xn--bcher-kva.de", "xn--bcher-kva.de→http://xn--bcher-kva.de"},
	{"a blog.google/x", "blog.google/x→http://blog.google/x"},
	{"e.g. i.e. a.m. U.S. Ph.D.", ""},
	{"file.txt, main.go, README.md, run.sh, test.py, lib.rs", ""},
	{"Node.js and ASP.NET and Vue.js", ""},
	{"1.2.3 and 10.20 and v1.2.3", ""},
	{"The end.Next sentence", ""},
	{"the house.in the", ""},
	{"Booking.com said", ""},
	{"foo.bar() and x.com(y)", ""},
	{"a.b.c", ""},
	{"192.168.0.1", ""},
	{"user.name=x", ""},
	{"path/to/example.org", ""},
	{"../example.org/x", ""},
	{"--flag.example.org", ""},
	{"archive.tar.gz and index.html", ""},
	{"$foo.example.org @example.org #example.org", ""},
	// Made harmless.
	{"hxxp://evil.test/x", "hxxp://evil.test/x→http://evil.test/x"},
	{"hXXps://evil[.]test/x", "hXXps://evil[.]test/x→https://evil.test/x"},
	{"hxxp[:]//evil[.]example[.]org/x", "hxxp[:]//evil[.]example[.]org/x→http://evil.example.org/x"},
	{"http://evil[dot]test/x", "http://evil[dot]test/x→http://evil.test/x"},
	{"evil[.]example[.]org", "evil[.]example[.]org→http://evil.example.org"},
	{"evil[.]example[.]org/x.", "evil[.]example[.]org/x→http://evil.example.org/x"},
	{"www[.]evil[.]org", "www[.]evil[.]org→http://www.evil.org"},
	// Typography.
	{"http://a.test/en–dash.html", "http://a.test/en–dash.html|http://a.test/en--dash.html|http://a.test/en-dash.html"},
	{"www.example.org/a–b", "www.example.org/a–b|http://www.example.org/a--b|http://www.example.org/a-b"},
	{"example.org/a–b", "example.org/a–b→http://example.org/a–b|http://example.org/a--b|http://example.org/a-b"},
	{"http://a.test/x –", "http://a.test/x"},
	{"http://a.test/x–", "http://a.test/x"},
	{"http://a.test/x—and more", "http://a.test/x"},
	{"http://a.test/x—y.html", "http://a.test/x|http://a.test/x--y.html"},
	{"http://a.test/it’s", "http://a.test/it’s|http://a.test/it's"},
	{"http://a.test/x\u2011y", "http://a.test/x\u2011y|http://a.test/x-y"},
	{"http://a.test/x…", "http://a.test/x CUT"},
	{"http://a.test/…/x.html", "http://a.test/…/x.html CUT"},
	{"nytimes.com/2016/02…", "nytimes.com/2016/02→http://nytimes.com/2016/02 CUT"},
	{"http://a.test/long\u00ADword", "http://a.test/long\u00ADword→http://a.test/longword"},
	{"http://a.test/long\u200Bword\u200B.", "http://a.test/long\u200Bword→http://a.test/longword"},
	{"http://a.\u200Btest/x", "http://a.\u200Btest/x→http://a.test/x"},
	// Broken over lines.
	{"<http://a.test/x/\n  y.html>", "http://a.test/x/\n  y.html→http://a.test/x/y.html"},
	{"<http://a.test/x\n\ny>", "http://a.test/x"},
	{"<http://a.test/x is broken>", "http://a.test/x"},
	// Other scripts.
	{"日本語はhttp://a.test/日本。次", "http://a.test/日本"},
	{"全角http://a.test/x，次", "http://a.test/x"},
	{"全角（http://a.test/x）", "http://a.test/x"},
	{"ｈｔｔｐ：／／ａ．ｔｅｓｔ／ｘ。", "ｈｔｔｐ：／／ａ．ｔｅｓｔ／ｘ→http://a.test/x"},
	{"ｈｔｔｐｓ：／／a.test/x?y、", "ｈｔｔｐｓ：／／a.test/x?y→https://a.test/x?y"},
	{"http://例え.test/引き割り", "http://例え.test/引き割り"},
	{"http://пример.test/путь.", "http://пример.test/путь"},
	{"اقرأ http://a.test/مسار، ثم", "http://a.test/مسار"},
	{"http://a.test/x\u200F", "http://a.test/x"},
	{"http://a.test/x\u00A0y", "http://a.test/x"},
	// DOIs.
	{"doi:10.1000/182.", "doi:10.1000/182"},
	{"(10.1016/S0140-6736(16)00001-2)", "10.1016/S0140-6736(16)00001-2"},
	{"https://doi.org/10.5555/x, and example.org/y", "https://doi.org/10.5555/x example.org/y→http://example.org/y"},
	{"10.1000/182 http://a.test/ doi:10.1000/183", "10.1000/182 http://a.test/ doi:10.1000/183"},
}

func TestLinks(t *testing.T) {
	for _, c := range linkCases {
		var got []string
		for _, b := range findURLs(c.text) {
			raw := c.text[b.start:b.end]
			s := raw
			if ref := target(b, raw); ref != raw && !b.doi && !strings.HasPrefix(strings.ToLower(raw), "www.") {
				s += "→" + ref
			}
			for _, o := range b.others {
				s += "|" + o
			}
			if b.cut {
				s += " CUT"
			}
			got = append(got, s)
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%q:\n got %q\nwant %q", c.text, got, c.want)
		}
	}
	if n := len(linkCases); n < 120 {
		t.Errorf("%d cases", n)
	}
}

func FuzzLinks(f *testing.F) {
	for _, c := range linkCases {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		done := 0
		for _, b := range findURLs(s) {
			if b.start < done || b.end <= b.start || b.end > len(s) {
				t.Fatalf("%d to %d behind %d of %q", b.start, b.end, done, s)
			}
			done = b.end
			raw := s[b.start:b.end]
			if !utf8.ValidString(raw) {
				t.Fatalf("%q of %q", raw, s)
			}
			if again := findURLs(raw); !b.doi && !strings.Contains(raw, "\n") && (len(again) == 0 || again[0].start > 0) {
				t.Fatalf("%q of %q is none by itself: %+v", raw, s, again)
			}
		}
	})
}

// A text of one kind of thing must not take time that grows with its square. The bound is wide.
func TestLinksOfLongTextsAreQuick(t *testing.T) {
	for _, unit := range []string{"a.", "a.b ", "[.]", ".org", "x.org/", "http://[", "ｈｔｔｐ：／／", "<http://a.b/\n", "a@b.c.", "\u200B.", "www.a", "h", "&a;", "–—", "a-", "http://a/—"} {
		s := strings.Repeat(unit, 300_000/len(unit))
		start := time.Now()
		findURLs(s)
		if d := time.Since(start); d > 30*time.Second {
			t.Errorf("%q takes %v", unit, d)
		} else {
			t.Log(unit, d)
		}
	}
}

// TestLinksOverLines: in a text, an address goes on in the next line if it fills its own; else that is a guess.
func TestLinksOverLines(t *testing.T) {
	long := "http://a.test/" + strings.Repeat("long/", 12)
	for _, c := range []struct{ src, raw, url, others string }{
		{long + "\nand/more.html for you", long + "\nand/more.html", long + "and/more.html", ""},
		{"See " + long + "a-\nb.html.", long + "a-\nb.html", long + "a-b.html", ""},
		{"See " + long + "\nfor more", long, long, ""},
		{"See http://a.test/x/\ny/z.html", "http://a.test/x/", "http://a.test/x/", "http://a.test/x/y/z.html"},
		{long + "\nhttp://b.test/", long, long, ""},
		{"<http://a.test/x/\ny.html>", "http://a.test/x/\ny.html", "http://a.test/x/y.html", ""},
	} {
		d, err := Text([]byte(c.src), "", Options{})
		if err != nil || len(d.Citations) == 0 {
			t.Fatalf("%q: %+v, %v", c.src, d.Citations, err)
		}
		if got := d.Citations[0]; got.Raw != c.raw || got.URL != c.url || got.Alternatives != c.others {
			t.Errorf("%q: %q, %q, %q", c.src, got.Raw, got.URL, got.Alternatives)
		}
	}
}

// TestCutOff: of an address whose end is lost nothing is asked for.
func TestCutOff(t *testing.T) {
	d, err := Text([]byte("See nytimes.com/2016/02/long… and http://a.test/b–c."), "", Options{})
	if err != nil || len(d.Citations) != 2 || d.Citations[0].LeftOut != "cut off" || d.Citations[1].Alternatives != "http://a.test/b--c\nhttp://a.test/b-c" {
		t.Errorf("%+v, %v", d.Citations, err)
	}
}

package urlkey

import (
	"strings"
	"testing"
)

func TestSessionless(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"http://a.test/", "http://a.test/"},
		{"http://a.test/?", "http://a.test/?"},
		{"http://a.test/?b=1&a=2", "http://a.test/?b=1&a=2"},
		{"http://a.test/x?PHPSESSID=abc", "http://a.test/x"},
		{"http://a.test/x?a=1&PHPSESSID=9u2h&b=2", "http://a.test/x?a=1&b=2"},
		{"http://a.test/x;jsessionid=0A1B!-12.n1?a=1", "http://a.test/x?a=1"},
		{"http://a.test/x;jsessionid=0A1B/y", "http://a.test/x/y"},
		{"http://a.test/x;v=1.2?a", "http://a.test/x;v=1.2?a"},
		{"http://a.test/(S(4hqa0555fwsecu455xqckv45))/m.aspx", "http://a.test/m.aspx"},
		{"http://a.test/(4hqa0555fwsecu455xqckv45)/m.aspx", "http://a.test/m.aspx"},
		{"http://a.test/wiki/Go_(game)/x", "http://a.test/wiki/Go_(game)/x"},
		{"http://a.test/x?sid=0123456789abcdef", "http://a.test/x"},
		{"http://a.test/x?sid=12", "http://a.test/x?sid=12"},
		{"http://a.test/x?session=international-press", "http://a.test/x?session=international-press"},
		{"http://a.test/x?sessionid=1234567890123456", "http://a.test/x?sessionid=1234567890123456"},
		{"http://a.test/x?s=0123456789abcdef0123456789abcdef", "http://a.test/x"},
		{"http://a.test/x?s=searched", "http://a.test/x?s=searched"},
		{"http://a.test/x?CFID=1&CFTOKEN=2&a=b", "http://a.test/x?a=b"},
		{"http://a.test/x?cfid=1&a=b", "http://a.test/x?cfid=1&a=b"},
		{"http://a.test/x?ASPSESSIONIDAQBSDSRT=EOHBLBDDPFCLHKPGGKLILNAM&a", "http://a.test/x?a"},
	} {
		if got := Sessionless(c.url); got != c.want {
			t.Errorf("Sessionless(%q) = %q, want %q", c.url, got, c.want)
		}
		if PageID(c.url) != ID(c.want) {
			t.Errorf("%q has another page id than %q", c.url, c.want)
		}
	}
}

// FuzzSessionless: it is stable, adds nothing, and leaves the host alone.
func FuzzSessionless(f *testing.F) {
	for _, s := range []string{"http://a/;jsessionid=1;jsessionid=2/?&&sid=0123456789abcdef0&", "http://a/(S(4hqa0555fwsecu455xqckv45))/(S(4hqa0555fwsecu455xqckv45))/", "?"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		url, err := Parse("", ref)
		if err != nil || !Fetchable(url) {
			return
		}
		got := Sessionless(url)
		if len(got) > len(url) || Origin(got) != Origin(url) || strings.ContainsAny(got, " #") {
			t.Errorf("Sessionless(%q) = %q", url, got)
		}
	})
}

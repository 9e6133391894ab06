package urlkey

import (
	"errors"
	"strings"
	"sync"
	"testing"

	whatwg "github.com/nlnwa/whatwg-url/url"
)

const page = "http://docs.python.test/library/json.html?v=3"

func TestParse(t *testing.T) {
	for _, c := range []struct{ base, ref, want string }{
		{page, "", page},
		{page, "#top", page},
		{page, "re.html#x", "http://docs.python.test/library/re.html"},
		{page, "./re.html", "http://docs.python.test/library/re.html"},
		{page, "../index.html?a=b", "http://docs.python.test/index.html?a=b"},
		{page, "../../../x/..", "http://docs.python.test/"},
		{page, "..", "http://docs.python.test/"},
		{page, ".", "http://docs.python.test/library/"},
		{page, "a/%2E%2e/b", "http://docs.python.test/library/b"},
		{page, "/a//b/", "http://docs.python.test/a//b/"},
		{page, "?q=1", "http://docs.python.test/library/json.html?q=1"},
		{page, "//git.test/x", "http://git.test/x"},
		{page, "//git.test", "http://git.test/"},
		{page, "https://git.test?x", "https://git.test/?x"},
		{page, `http:\\git.test\a`, "http://git.test/a"},
		{page, "http:re.html", "http://docs.python.test/library/re.html"},
		{page, " \tht\ntp://git.\ttest/a b\n", "http://git.test/a%20b"},
		{page, "http://user:secret@git.test/x", "http://git.test/x"},
		{page, "HTTP://GIT.Test:80/X", "http://git.test/X"},
		{page, "https://git.test:443/", "https://git.test/"},
		{page, "https://git.test:80/", "https://git.test:80/"},
		{page, "http://git.test:81/closed", "http://git.test:81/closed"},
		{page, "http://git.test:0081/", "http://git.test:81/"},
		{page, "http://bücher.example/ü?ü=é", "http://xn--bcher-kva.example/%C3%BC?%C3%BC=%C3%A9"},
		{page, "http://[::FFFF:1.2.3.4]:8080/x", "http://[::ffff:102:304]:8080/x"},
		{page, "http://0x7f.1/", "http://127.0.0.1/"},
		{page, "it's.html?q='x'", "http://docs.python.test/library/it's.html?q=%27x%27"},
		{page, "mailto:a@b.test", "mailto:a@b.test"},
		{page, "javascript:void(0)", "javascript:void(0)"},
		{"", "http://git.test", "http://git.test/"},
		{"", "http://us:er@git.test/ü#f", "http://git.test/%C3%BC"},
		{"file:///home/x/post.md", "img/a.png", "file:///home/x/img/a.png"},
		{"http://user:secret@git.test/x", "#a", "http://git.test/x"},
		{"http://user:secret@git.test/x", "y z", "http://git.test/y%20z"},
	} {
		got, err := Parse(c.base, c.ref)
		if err != nil || got != c.want {
			t.Errorf("Parse(%q, %q) = %q, %v; want %q", c.base, c.ref, got, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range [][2]string{
		{page, "http://git.test:99999/"}, {page, "http://"}, {page, "http://a b/"}, {page, "http://256.1.1.1/"},
		{"", "re.html"}, {"", ""}, {"", "http://a.test/" + strings.Repeat("a/", MaxLength/2)}, {page, strings.Repeat("a", MaxLength+1)}, {"nothing", "re.html"}, {page, "http://xn--a/"},
	} {
		if got, err := Parse(c[0], c[1]); !errors.Is(err, ErrInvalid) {
			t.Errorf("Parse(%q, %q) = %q, %v; want ErrInvalid", c[0], c[1], got, err)
		}
	}
}

func TestLongURL(t *testing.T) {
	long := "http://git.test/" + strings.Repeat("a/", 4000) + "é"
	got, err := Parse("", long)
	if err != nil || len(got) != len(long)+4 {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

func TestFetchable(t *testing.T) {
	for url, want := range map[string]bool{
		"http://h/": true, "https://h:1/x": true, "ftp://h/": false, "http:///": false, "file:///x": false,
		"mailto:a@b": false, "": false, "urn:uuid:1": false,
	} {
		if Fetchable(url) != want {
			t.Errorf("Fetchable(%q) is not %v", url, want)
		}
	}
}

// A Base is shared by the workers of a page; the race detector watches.
func TestBaseIsSafeForManyGoroutines(t *testing.T) {
	b, err := NewBase(page)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, ref := range []string{"a b", "ü", "//xn--bcher-kva.example/", "../x", "?é", "http:y"} {
				if _, err := b.Resolve(ref); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// FuzzResolve holds the fast path equal to the full parser, and serialisation stable.
func FuzzResolve(f *testing.F) {
	for _, base := range []string{page, "https://h:8443/a/b/c?d#e", "http://h", "http://h/?", "http://u:p@h/a/../%2e/b"} {
		for _, ref := range []string{
			"", "?", "/", "//", "a/../b", "..", "../..", "./", "?a?b", "a?", "#", "//h.test:80/x", "//h..x/", "http://1.2/", "http://a.0x1/x",
			"http://h:080", "http://h./..", "http:/x", "https:x", "a:b", "a/b:c", "/.", "/..//", "/a/.b/..c/...", "%2e/x", "HTTP://H/", "//-a.b-/",
			"http://h/x?'", "http://h:/", "//_x.y/", "http://a@b/", "http://h\\x", "x\\y",
		} {
			f.Add(base, ref)
		}
	}
	f.Fuzz(func(t *testing.T, base, ref string) {
		b, err := NewBase(base)
		if err != nil {
			return
		}
		slow := ""
		if u, err := b.url.Parse(ref); err == nil {
			slow = href(u)
		}
		if got, ok := b.fast(ref); ok && got != slow {
			t.Errorf("%q on %q: fast path %q, full parser %q", ref, base, got, slow)
		}
		if got, ok := absolute(ref); ok {
			if u, err := whatwg.Parse(ref); err != nil || href(u) != got {
				t.Errorf("%q: fast path %q, full parser %q, %v", ref, got, u, err)
			}
		}
		if Fetchable(slow) {
			if again, err := Parse("", slow); err != nil || again != slow {
				t.Errorf("%q is serialised as %q, %v", slow, again, err)
			}
			if strings.ContainsAny(slow, "#\n\r\t ") || Host(slow) == "" {
				t.Errorf("%q must not be requested", slow)
			}
		}
	})
}

func BenchmarkResolve(b *testing.B) {
	base, err := NewBase(page)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct{ name, ref string }{
		{"relative", "../library/re.html#re.compile"},
		{"absolute", "http://docs.python.test/library/re.html#x"},
		{"encoded", "../library/ré.html"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if _, err := base.Resolve(c.ref); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

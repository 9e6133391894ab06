package urlkey

import (
	"strings"
	"testing"
)

func TestKey(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"http://archive.org/", "org,archive)/"},
		{"http://archive.org", "org,archive)/"},
		{"https://www.archive.org/goo/", "org,archive)/goo"},
		{"http://www2.archive.org/goo", "org,archive)/goo"},
		{"http://wwwx.archive.org/", "org,archive,wwwx)/"},
		{"http://www.www.archive.org/", "org,archive,www)/"},
		{"http://www/", "www)/"},
		{"http://archive.org/goo/?a=2&b&a=1", "org,archive)/goo?a=1&a=2&b"},
		{"http://archive.org/goo?b=1&a-b=1&a=2", "org,archive)/goo?a=2&a-b=1&b=1"},
		{"http://archive.org/goo?", "org,archive)/goo"},
		{"http://archive.org/goo?&&x&", "org,archive)/goo?x"},
		{"http://archive.org/Goo/Index.HTML?Q=A", "org,archive)/goo/index.html?q=a"},
		{"http://ARCHIVE.org:80/", "org,archive)/"},
		{"https://archive.org:443/", "org,archive)/"},
		{"https://archive.org:80/", "org,archive:80)/"},
		{"http://archive.org:8080/goo", "org,archive:8080)/goo"},
		{"http://user:pw@archive.org/", "org,archive)/"},
		{"http://archive.org./x#frag", "org,archive)/x"},
		{"http://127.0.0.1:8080/x", "1,0,0,127:8080)/x"},
		{"http://.../x", "...)/x"},
		{"http://[::1]:8080/x", "[::1]:8080)/x"},
		{"http://[2001:db8::1]/x", "[2001:db8::1])/x"},
		{"http://xn--bcher-kva.example/%C3%9C", "example,xn--bcher-kva)/%c3%9c"},
		{"http://a.test/%2541%2fb%20c", "test,a)/a/b%20c"},
		{"http://a.test/100%25", "test,a)/100%25"},
		{"http://a.test/x%23y", "test,a)/x%23y"},
		{"http://a.test/b//c/./d/../e", "test,a)/b/c/e"},
		{"http://a.test/web/2005/http://b.test/", "test,a)/web/2005/http:/b.test"},
		{"http://a.test/../..", "test,a)/"},
		{"http://a.test/x;jsessionid=0123456789abcdef0123456789ABCDEF", "test,a)/x"},
		{"http://a.test/x;jsessionid=short", "test,a)/x;jsessionid=short"},
		{"http://a.test/(S(4hqa0555fwsecu455xqckv45))/mileg.aspx", "test,a)/mileg.aspx"},
		{"http://a.test/?PHPSESSID=0123456789abcdef0123456789abcdef&x=1", "test,a)/?x=1"},
		{"http://a.test/?x=1&sid=0123456789abcdef0123456789abcdef", "test,a)/?x=1"},
		{"http://a.test/?sid=1", "test,a)/?sid=1"},
		{"http://a.test/?ASPSESSIONIDAQBSDSRT=EOHBLBDDPFCLHKPGGKLILNAM&a", "test,a)/?a"},
		{"http://a.test/?CFID=1&CFTOKEN=2&a=b", "test,a)/?a=b"},
		{"http://a.test/?cfid=1&a=b", "test,a)/?a=b&cfid=1"},
		{"ftp://ftp.a.test:21/x", "test,a,ftp)/x"},
		{"file:///home/x/Post.md#a", "file:///home/x/Post.md"},
		{"urn:uuid:6A", "urn:uuid:6A"},
		{"dns:archive.org", "dns:archive.org"},
		{"mailto:a b@c.test", "mailto:a%20b@c.test"},
		{"org,archive)/goo?a%20b", "org,archive)/goo?a%20b"},
		{"", ""},
	} {
		if got := Key(c.url); got != c.want {
			t.Errorf("Key(%q) = %q, want %q", c.url, got, c.want)
		}
	}
}

func TestHostOriginSite(t *testing.T) {
	for _, c := range []struct{ url, host, origin, site string }{
		{"http://blog.wp.test/x", "blog.wp.test", "http://blog.wp.test", "wp.test"},
		{"https://a.b.co.uk:443/", "a.b.co.uk", "https://a.b.co.uk:443", "b.co.uk"},
		{"http://a.github.io:81?x", "a.github.io:81", "http://a.github.io:81", "a.github.io"},
		{"https://co.uk:80/", "co.uk", "https://co.uk:80", "co.uk"},
		{"http://u@127.0.0.1:8080/", "127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1"},
		{"http://[::1]:8080/", "[::1]:8080", "http://[::1]:8080", "[::1]"},
		{"http://[::80]/", "[::80]", "http://[::80]", "[::80]"},
		{"http://localhost/", "localhost", "http://localhost", "localhost"},
		{"http://example.org./", "example.org.", "http://example.org.", "example.org"},
		{"file:///x", "", "", ""},
		{"mailto:a@b.test", "", "", ""},
	} {
		if Host(c.url) != c.host || Origin(c.url) != c.origin || Site(c.url) != c.site {
			t.Errorf("%s: %q %q %q", c.url, Host(c.url), Origin(c.url), Site(c.url))
		}
	}
}

func TestIDIsStable(t *testing.T) {
	// The frontier keeps these: another function would fetch everything again.
	if got := ID("http://example.org/"); got != 8654722553547130012 {
		t.Errorf("ID is %d", got)
	}
	if ID("http://example.org/") == ID("http://example.org/a") || ID("") <= 0 {
		t.Error("IDs are not hashes")
	}
}

// FuzzKey: a key is its own key, fits a CDXJ line, and does not depend on how the URL spells what the key folds.
func FuzzKey(f *testing.F) {
	for _, s := range []string{
		"http://www.Example.org:80/A/../b?c=%2541&b", "http://h/%25%32%35", "http://%77ww.a/", "http://a/%2e%2e/%3fx", "urn:x y", "http://:80/",
		"http://[::1", "http://a:b:c/", "ftp://@/", "http://a/;jsessionid=0123456789abcdef0123456789abcdef/", "http://http:80)/", "http://.../",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, url string) {
		key := Key(url)
		if Key(key) != key {
			t.Errorf("%q: key %q has key %q", url, key, Key(key))
		}
		if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r >= 0x7F }) {
			t.Errorf("%q: key %q breaks a line", url, key)
		}
		Host(url)
		Origin(url)
		Site(url)
		if ID(url) <= 0 {
			t.Errorf("%q: ID %d", url, ID(url))
		}
		plain, err := Parse("", url)
		if err != nil || !Fetchable(plain) {
			return
		}
		if other, ok := strings.CutPrefix(plain, "http://"); ok && !strings.Contains(Host(plain), ":") && !strings.Contains(other, ":") {
			if Key("https://"+other) != Key(plain) {
				t.Errorf("%q: http and https differ", plain)
			}
		}
	})
}

func BenchmarkKey(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		Key("http://docs.python.test/library/re.html?b=1&a=2")
	}
}

// TestKeysOfHostsAreTheirOwn: a comma is legal in a host, and must not make it the key of another.
func TestKeysOfHostsAreTheirOwn(t *testing.T) {
	for _, host := range []string{"com,victim", "com,victim,www", "victim.com,"} {
		if Key("http://"+host+"/") == Key("http://victim.com/") {
			t.Errorf("%s has the key of victim.com", host)
		}
	}
}

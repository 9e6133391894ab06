package markup

import "testing"

func TestCharset(t *testing.T) {
	for _, c := range []struct{ src, declared, url, want string }{
		{"\xcf", "windows-1251", "/\xcf\xf0?q=\xcf\xf0#\xcf", "/Пр?q=%CF%F0#П"}, // as Chromium asks, the reference included
		{"\xcf", "windows-1251", "/a?q=П&e=é", "/a?q=%CF&e=%26%23233%3B"},
		{"<meta charset=windows-1251>\xcf", "", "/\xcf", "/П"},
		{"<meta charset=windows-1251>\xcf", "koi8-r", "/\xf0", "/П"},
		{"\xef\xbb\xbf<meta charset=windows-1251>", "koi8-r", "/é", "/é"},
		{"\xe9", "", "/\xe9?\xe9", "/é?%E9"},
		{"é", "", "/é?é", "/é?é"},
		{"\xff\xfe", "", "/é?é", "/é?é"},
		{"", "utf-16le", "/é?é", "/é?é"},
		{"", "shift_jis", "/\x93\xfa\x96\x7b?\x93\xfa", "/日本?%93%FA"},
		{"", "gbk", "http://a/\xd6\xd0", "http://a/中"},
		{"", "klingon", "/\xe9", "/é"},
		{"", "gbk", "/plain?x#y", "/plain?x#y"},
		{"<title>" + string(make([]byte, 3000)) + "</title><meta charset='windows-1251'>\xcf", "", "/\xcf", "/П"},
	} {
		cs := CharsetOf([]byte(c.src), c.declared)
		for range 2 {
			if got := cs.URL(c.url); got != c.want {
				t.Errorf("%.30q %s: %q is %q, want %q", c.src, c.declared, c.url, got, c.want)
			}
		}
	}
	if got := (*Charset)(nil).URL("/\xe9"); got != "/\xe9" {
		t.Errorf("%q", got)
	}
}

func FuzzCharset(f *testing.F) {
	f.Add([]byte("<meta charset=gbk>\x81"), "", "/\x81?\x81é#\x81")
	f.Fuzz(func(t *testing.T, src []byte, declared, url string) {
		c := CharsetOf(src, declared)
		once := c.URL(url)
		if len(once) > 24*len(url)+24 {
			t.Errorf("%q became %d bytes", url, len(once))
		}
	})
}

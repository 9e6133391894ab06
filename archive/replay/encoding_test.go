package replay

import (
	"bytes"
	"testing"

	"linkstead/archive/httpmsg"
)

func TestUnreadable(t *testing.T) {
	p := func(charset string) *reply {
		return &reply{head: httpmsg.Head{Fields: []httpmsg.Field{{Name: "Content-Type", Value: "text/html; charset=" + charset}}}}
	}
	const shift = "\x1b$B<meta>\x1b(B"
	for _, c := range []struct {
		charset, src string
		form         notation
		want         bool
	}{
		{"utf-8", "<p>", html, false},
		{"utf-16le", "<\x00p\x00", html, false},
		{"UCS-2", "<\x00p\x00", html, false},
		{"utf-16be", "\x00<\x00p", html, false},
		{"utf-16le", "\xff\xfe<\x00p\x00", html, false},
		{"", "<\x00?\x00x\x00m\x00l\x00", html, false},
		{"", "<\x00p\x00", html, true}, // a browser may guess it
		{"", "\x00<\x00p", html, true},
		{"", "<p>", html, false},
		{"utf-8", "<\x00p\x00", html, false},
		{"iso-2022-jp", "<p>", html, false}, // nothing but ASCII
		{"iso-2022-jp", shift, html, true},
		{"csISO2022JP", shift, xml, true},
		{"utf-8", shift, html, false},
		{"", shift, html, true},
		{"", "<meta charset=iso-2022-jp>" + shift, html, true},
		{"", "<meta charset=utf-8>" + shift, html, false},
		{"", "\xef\xbb\xbf" + shift, html, false}, // the mark goes first
		{"iso-2022-jp", "\xef\xbb\xbf" + shift, html, false},
		{"hz-gb-2312", "<p>", html, true}, // browsers read nothing of it
		{"utf-7", "<p>", html, false},     // browsers know no UTF-7
		{"utf-8", `<?xml-stylesheet type="text/xsl" href="x"?>`, xml, true},
		{"utf-8", `<?xml-stylesheet type="text/css" href="x"?><?xml-stylesheet href="x"?>`, xml, false},
		{"utf-8", `<?xml-stylesheet type="text/css" href="x"?><?xml-stylesheet type="text/xml" href="x"?>`, xml, true},
		{"utf-8", `<!DOCTYPE x [<?xml-stylesheet type="text/xsl" href="x"?>]><x/>`, xml, true},
		{"utf-8", `<?xml-stylesheet?>`, xml, true},
		{"utf-8", "\xff\xfe" + wide(`<?xml-stylesheet type="text/xsl" href="x"?>`), xml, true},
		{"utf-8", `<?xml-stylesheet type="text/xsl" href="x"?>`, html, false}, // a bogus comment
		{"utf-8", `<svg/>`, xml, false},
		{"utf-16le", "b\x00", css, false},
	} {
		if got := p(c.charset).unreadable([]byte(c.src), c.form); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}

// wide is ASCII in UTF-16LE.
func wide(s string) string {
	var b bytes.Buffer
	for _, c := range []byte(s) {
		b.Write([]byte{c, 0})
	}
	return b.String()
}

func TestHonest(t *testing.T) {
	for _, c := range []struct {
		codings []string
		start   string
		want    int
	}{
		{[]string{"gzip"}, "<p>", 0},
		{[]string{"gzip"}, "\x1f\x8b\x08", 1},
		{[]string{"zstd"}, "<p>", 0},
		{[]string{"zstd"}, "\x28\xb5\x2f\xfd\x00", 1},
		{[]string{"br"}, "<html><head><title>", 0},
		{[]string{"deflate"}, "<html><head><title>", 0},
		{[]string{"deflate"}, "\x78\x9c\x03\x00\x00\x00\x00\x01", 1},
		{[]string{"br"}, "\xff\xff\xff\xff\xff", 0},
		{[]string{"gzip"}, "", 0},
		{[]string{"br", "gzip"}, "<html><head><title>", 0},
	} {
		if got := honest(c.codings, []byte(c.start)); len(got) != c.want {
			t.Errorf("%v of %q: %v", c.codings, c.start, got)
		}
	}
}

func TestCalledBack(t *testing.T) {
	for _, c := range []struct{ src, captured, asked, want string }{
		{`cb1({"a":1})`, "http://a/?callback=cb1&x=1", "http://a/?callback=cb2&x=1", `cb2({"a":1})`},
		{"/**/ typeof cb1 === 'function' && cb1({});", "http://a/?cb=cb1", "http://a/?cb=cb_22", "/**/ typeof cb_22 === 'function' && cb_22({});"},
		{"\xEF\xBB\xBF// c\n;jQuery1_2.x['y'][0] ([])", "http://a/?j=jQuery1_2.x%5B%27y%27%5D[0]", "http://a/?j=b", "\xEF\xBB\xBF// c\n;b ([])"},
		{`cb1({})`, "http://a/?callback=cb1", "http://a/?callback=alert(1)//", `cb1({})`},
		{`cb1({})`, "http://a/?callback=cb1", "http://a/?callback=", `cb1({})`},
		{`cb1({})`, "http://a/?callback=cb1", "http://a/?other=cb2", `cb1({})`},
		{`fixed({})`, "http://a/?callback=cb1", "http://a/?callback=cb2", `fixed({})`},
		{`var x; cb1({})`, "http://a/?callback=cb1", "http://a/?callback=cb2", `var x; cb1({})`},
		{`{"cb1":1}`, "http://a/?callback=cb1", "http://a/?callback=cb2", `{"cb1":1}`},
		{`if(x)`, "http://a/?callback=if", "http://a/?callback=cb2", `if(x)`},
		{`cb1({})`, "http://a/?callback=cb1", "http://a/?callback=cb1", `cb1({})`},
	} {
		if got := string(calledBack([]byte(c.src), c.captured, c.asked)); got != c.want {
			t.Errorf("%q of %s for %s: %q, want %q", c.src, c.captured, c.asked, got, c.want)
		}
	}
}

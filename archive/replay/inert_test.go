package replay

import (
	"testing"

	"linkstead/archive/httpmsg"
)

func TestInert(t *testing.T) {
	for mime, want := range map[string]bool{
		"image/png": true, "image/svg+xml": false, "video/mp4": true, "font/woff2": true, "application/pdf": true, "text/plain": true,
		"application/octet-stream": true, "text/javascript": true, "unknown/unknown": false, "": false, "image": false, "image/": false,
		"multipart/x-mixed-replace": false, "application/x-something": false, "message/rfc822": false, "text/xsl": false,
	} {
		if got := inert(mime); got != want {
			t.Errorf("%q: %t", mime, got)
		}
	}
}

func TestAmbiguous(t *testing.T) {
	head := func(types ...string) httpmsg.Head {
		var h httpmsg.Head
		for _, v := range types {
			h.Fields = append(h.Fields, httpmsg.Field{Name: "Content-Type", Value: v})
		}
		return h
	}
	for _, c := range []struct {
		h    httpmsg.Head
		want bool
	}{{head(), false}, {head("text/html; charset=utf-8"), false}, {head("text/plain, text/html"), true}, {head("text/plain", "text/html"), true}} {
		if got := ambiguous(c.h); got != c.want {
			t.Errorf("%v: %t", c.h.Fields, got)
		}
	}
}

func TestUnreadable(t *testing.T) {
	p := func(charset string) *reply {
		return &reply{head: httpmsg.Head{Fields: []httpmsg.Field{{Name: "Content-Type", Value: "text/html; charset=" + charset}}}}
	}
	for _, c := range []struct {
		charset, src string
		form         notation
		want         bool
	}{
		{"utf-8", "<p>", html, false},
		{"utf-16le", "<\x00p\x00", html, true},
		{"UCS-2", "<\x00p\x00", html, true},
		{"utf-16le", "\xff\xfe<\x00p\x00", html, false},
		{"iso-2022-jp", "<p>", html, true},
		{"utf-7", "<p>", html, false}, // browsers know no UTF-7
		{"utf-8", `<?xml-stylesheet type="text/xsl" href="x"?>`, xml, true},
		{"utf-8", `<svg/>`, xml, false},
		{"utf-16le", "b\x00", css, false},
	} {
		if got := p(c.charset).unreadable([]byte(c.src), c.form); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}

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

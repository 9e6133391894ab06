package replay

import (
	"net/http"
	"strings"
)

// destinations are the values of Sec-Fetch-Dest (Fetch Metadata §2.1) with the modifier that says the same. Workers run
// scripts; "empty" is what scripts ask for.
var destinations = map[string]modifier{
	"": asPage, "document": asPage,
	"iframe": asFrame, "frame": asFrame, "fencedframe": asFrame,
	"script": asScript, "worker": asScript, "sharedworker": asScript, "serviceworker": asScript, "audioworklet": asScript,
	"paintworklet": asScript,
	"style":        asStyle,
	"image":        asImage,
	"json":         asScript,
	"empty":        asData,
}

// wanted is what a browser says that it wants, as a modifier; asPage if it does not say.
func wanted(r *http.Request) modifier {
	if m, ok := destinations[r.Header.Get("Sec-Fetch-Dest")]; ok {
		return m
	}
	return asEmbed
}

// topLevel says whether a request is for a page at the top of a window, or by a person's tool, rather than for a part
// of a page.
func topLevel(r *http.Request, mod modifier) bool {
	return (mod == asPage || mod == asIs || bare(r, mod)) && wanted(r) == asPage
}

// bare says whether a page is asked for without our banner: mp_ in a window, as pywb has it. Where the browser does not say
// what it wants, as over plain HTTP under other names than localhost, a script's request accepts anything (Fetch
// §4.1, step 14), and one for a page begins with HTML.
func bare(r *http.Request, mod modifier) bool {
	if mod != asData {
		return false
	}
	dest := r.Header.Get("Sec-Fetch-Dest")
	return dest == "document" || dest == "" && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// forScript says whether a script asks, which wants the bytes and runs them not as a page.
func forScript(r *http.Request, mod modifier) bool {
	w := wanted(r)
	return w == asData || w == asPage && mod == asData && !bare(r, mod)
}

// framed says whether a request is for a document in a frame.
func framed(r *http.Request, mod modifier) bool {
	w := wanted(r)
	return w == asFrame || w == asPage && mod == asFrame
}

// embedded says whether nobody would read a page of ours that comes as the answer.
func embedded(r *http.Request, mod modifier) bool {
	if w := wanted(r); w != asPage {
		return w != asFrame
	}
	switch mod {
	case asPage, asIs, asFrame:
		return false
	}
	return !bare(r, mod)
}

// runs says whether a script is asked for to be run, and not to be read.
func (p *reply) runs() bool {
	w := wanted(p.r)
	return w == asScript || w == asEmbed && p.a.mod == asScript
}

package replay

import "net/http"

// destinations are the values of Sec-Fetch-Dest (Fetch Metadata §2.1) with the modifier that says the same. Workers run
// scripts; "empty" is what scripts ask for.
var destinations = map[string]modifier{
	"": asPage, "document": asPage,
	"iframe": asFrame, "frame": asFrame, "fencedframe": asFrame,
	"script": asScript, "worker": asScript, "sharedworker": asScript, "serviceworker": asScript, "audioworklet": asScript,
	"paintworklet": asScript,
	"style":        asStyle,
	"image":        asImage,
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
	return (mod == asPage || mod == asIs) && wanted(r) == asPage
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
	return true
}

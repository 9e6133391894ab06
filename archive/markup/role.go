package markup

// Role says what a URL is for.
type Role uint8

// The roles. Three groups follow one another: where a reader may go, what a page needs to be seen, and what is noted but
// neither followed nor fetched.
const (
	None Role = iota

	Link    // a and area, longdesc, prerender, what a link element calls next, search, author
	Refresh // meta refresh and the Refresh header
	Cite    // the source of a quotation or an edit

	Stylesheet
	Import // CSS @import
	Script // a classic script
	Module // a module script, or what one imports
	Image
	Icon
	Media  // audio or video
	Track  // subtitles, captions
	Poster // of a video
	Font
	Frame    // iframe and frame
	Object   // embed, object, applet
	Use      // an SVG file of which a part is used
	Manifest // a web app manifest
	Preload  // of a destination that is not told
	Prefetch

	Base      // the document's base; the first one alone counts
	Codebase  // the base of an object or applet
	Form      // where a form is sent
	Ping      // told of a click
	Hint      // dns-prefetch, preconnect
	Canonical // the preferred address of the page
	Alternate // the same in another form or tongue, feeds among them
	Related   // any other relation
	Social    // pictures and media for link previews
	Prefix    // a key or prefix in an import map, a scope of a manifest
	AppCache  // the obsolete manifest of html
)

var roleNames = [...]string{
	"none", "link", "refresh", "cite", "stylesheet", "import", "script", "module", "image", "icon", "media", "track",
	"poster", "font", "frame", "object", "use", "manifest", "preload", "prefetch", "base", "codebase", "form", "ping",
	"hint", "canonical", "alternate", "related", "social", "prefix", "appcache",
}

// String returns the role in lower case.
func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return "unknown"
}

// Outlink says whether a reader can go there.
func (r Role) Outlink() bool { return r >= Link && r <= Cite }

// Requisite says whether a page needs it to be seen again.
func (r Role) Requisite() bool { return r >= Stylesheet && r <= Prefetch }

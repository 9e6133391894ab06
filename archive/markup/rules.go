package markup

// kind is the notation of an attribute's value.
type kind uint8

const (
	plain    kind = iota + 1 // a URL
	words                    // URLs parted by spaces
	commas                   // URLs parted by commas
	srcset                   // image candidate strings, HTML §4.8.4.2.1
	css                      // a list of declarations, or one value
	srcdoc                   // an HTML document
	inFeed                   // a URL in feeds only
	inDASH                   // a URL in DASH, if it keeps nothing of its base
	guess                    // a URL if it looks like one: data-* attributes mean what their script says
	sure                     // a URL if it can be nothing else: those whose names many scripts use for other things, too
	guessSet                 // image candidate strings if they look so
	values                   // URLs parted by semicolons, if an animation is one of an address
	foreign                  // a URL in SVG and XML only
)

// rule says what an attribute holds.
type rule struct {
	kind    kind
	role    Role
	context string
}

// ruleLines are all URL-bearing attributes, an element and a role a line. Sources: the list of attributes in the HTML
// standard ("Attributes", and §16 for the obsolete ones), SVG 2 §16.1 and its animations, MathML 3, HTML 4.01's list of
// attributes, AMP's elements, and the habits of lazy-loading scripts. What depends on other attributes too (link, meta, param,
// input, set) is told in elements.go. itemid and itemtype name things, and usemap a part of the page: nobody fetches them.
var ruleLines = []struct {
	elements string // "": any
	attrs    string
	kind     kind
	role     Role
}{
	{"a area", "href", plain, Link},
	{"a area", "ping", words, Ping},
	{"a area img script", "attributionsrc", words, Ping},
	{"link", "href", plain, Related},
	{"link", "imagesrcset", srcset, Image},
	{"base", "href", plain, Base},
	{"script", "src", plain, Script},
	{"script", "data-src data-cfsrc data-rocket-src data-wp-strategy-src", guess, Script},
	{"img image input mglyph amp-img amp-anim", "src lowsrc", plain, Image},
	{"menuitem command", "icon", plain, Image},
	{"math", "altimg", plain, Image},
	{"img input", "dynsrc", plain, Media},
	{"img image source amp-img amp-anim", "srcset", srcset, Image},
	{"img iframe frame", "longdesc", plain, Link},
	{"source video audio bgsound amp-video amp-audio model", "src", plain, Media},
	{"source video audio", "data-src data-lazy-src", guess, Media},
	{"video amp-video", "poster", plain, Poster},
	{"video", "data-poster data-lazy-poster", guess, Poster},
	{"track", "src", plain, Track},
	{"iframe frame amp-iframe layer ilayer portal", "src", plain, Frame},
	{"iframe frame", "data-src data-lazy-src data-lazy data-cfsrc data-ezsrc data-litespeed-src data-rocket-lazyload-src", guess, Frame},
	{"iframe", "srcdoc", srcdoc, Frame},
	{"embed", "src", plain, Object},
	{"object", "data classid", plain, Object},
	{"object", "archive", words, Object},
	{"applet", "code object", plain, Object},
	{"applet", "archive", commas, Object},
	{"object applet", "codebase", plain, Codebase},
	{"param", "value", plain, Object},
	{"form isindex", "action", plain, Form},
	{"button input", "formaction", plain, Form},
	{"body table thead tbody tfoot tr td th layer ilayer", "background", plain, Image},
	{"blockquote q ins del", "cite", plain, Cite},
	{"html", "manifest", plain, AppCache},
	{"head", "profile", words, Related},
	{"meta", "content", plain, Social},

	{"a", "xlink:href", foreign, Link},
	{"image feimage", "href xlink:href", foreign, Image},
	{"script", "href xlink:href", foreign, Script},
	{"", "href xlink:href", foreign, Use},
	{"set animate", "to from by", values, Link},
	{"animate", "values", values, Link},

	{"enclosure content thumbnail player source", "url", inFeed, Media},
	{"content", "src", inFeed, Media},
	{"outline", "xmlurl htmlurl url", inFeed, Link},
	{"", "xml:base", inFeed, Base},
	{"segmenttemplate segmenturl", "media initialization index bitstreamswitching", inDASH, Media},
	{"initialization representationindex bitstreamswitching", "sourceurl", inDASH, Media},

	{"", "style", css, Image},
	{"img", "data-src data-lazy-src data-lazy data-original", guess, Image},
	{"img source", "data-srcset data-lazy-srcset", guessSet, Image},
}

// lazyLines are where scripts that load pictures late find their addresses: lazysizes, lozad, vanilla-lazyload, jQuery
// Lazy, Echo, Unveil, Flickity, Slick, WooCommerce, Jetpack, Ezoic, Cloudflare Mirage, PageSpeed, and what WordPress themes
// have taken from one another. Any element may have them.
var lazyLines = []struct {
	attrs string
	kind  kind
}{
	{"data-src data-lazy-src data-lazy data-original data-original-src data-orig-src data-lazyload data-lazy-load data-lazy-image " +
		"data-bg data-bg-src data-bg-image data-lazy-bg data-background data-background-src data-background-image " +
		"data-img-src data-image-src data-src-retina data-hi-res-src data-fallback-src data-defer-src data-delayed-url data-full-src " +
		"data-cfsrc data-ezsrc data-pagespeed-lazy-src data-pagespeed-high-res-src data-flickity-lazyload data-flickity-lazyload-src " +
		"data-flickity-bg-lazyload data-echo data-unveil data-at2x data-rjs data-iesrc data-large-file data-medium-file data-orig-file " +
		"data-large_image data-zoom-image data-desktop-src data-tablet-src data-mobile-src data-src-mobile data-src-desktop", guess},
	{"data-srcset data-lazy-srcset data-original-set data-original-srcset data-bgset data-lazy-bgset data-ezsrcset data-image-srcset " +
		"data-flickity-lazyload-srcset data-pagespeed-lazy-srcset", guessSet},
	{"data-image data-img data-thumb data-thumbnail data-poster data-large data-full data-highres data-retina data-icon", sure},
}

// presentation are the SVG attributes whose value is CSS that may hold a url() (SVG 2 §6.6).
var presentation = []string{
	"fill", "stroke", "filter", "clip-path", "mask", "marker", "marker-start", "marker-mid", "marker-end", "cursor",
}

// ruleTable answers (element, attribute) → rule with two look-ups.
type ruleTable struct {
	elems, attrs *nameTable
	index        [256][256]uint8
	rules        []rule
}

var table = buildRules()

func buildRules() *ruleTable {
	t := &ruleTable{elems: elements, attrs: attributes, rules: make([]rule, 1)}
	add := func(elem, attr string, r rule) {
		e, a := t.elems.add(elem), t.attrs.add(attr)
		t.rules = append(t.rules, r)
		n := uint8(len(t.rules) - 1)
		if t.index[e][a] == 0 {
			t.index[e][a] = n
		}
	}
	for _, line := range ruleLines {
		for _, elem := range fields(line.elements) {
			for _, attr := range fields(line.attrs) {
				add(elem, attr, rule{line.kind, line.role, contextOf(elem, attr, line.kind)})
			}
		}
	}
	for _, line := range lazyLines {
		for _, attr := range fields(line.attrs) {
			add("", attr, rule{line.kind, Image, contextOf("", attr, line.kind)})
		}
	}
	for _, attr := range presentation {
		add("", attr, rule{css, Image, "@" + attr + "/url()"})
	}
	for e := range t.elems.names {
		for a := range t.attrs.names {
			if t.index[e][a] == 0 {
				t.index[e][a] = t.index[0][a]
			}
		}
	}
	return t
}

func contextOf(elem, attr string, k kind) string {
	switch {
	case k == css:
		return "@" + attr + "/url()"
	case elem == "":
		elem = "*"
	}
	return elem + "/@" + attr
}

// fields splits a line of the table; an empty one holds one empty name.
func fields(s string) (list []string) {
	if s == "" {
		return []string{""}
	}
	eachWord([]byte(s), func(start, end int) { list = append(list, s[start:end]) })
	return list
}

// Elements and attributes that the scanner asks for by number. buildRules adds the rest.
const (
	_ uint8 = iota
	elemA
	elemApplet
	elemBase
	elemHead
	elemHTML
	elemInput
	elemLink
	elemMeta
	elemObject
	elemParam
	elemScript
	elemStyle
	elemNoscript
	elemTemplate
	elemTextarea
	elemTitle
	elemXMP
	elemIframe
	elemNoembed
	elemNoframes
	elemPlaintext
	elemSVG
	elemMath
)

var elements = newNameTable("a", "applet", "base", "head", "html", "input", "link", "meta", "object", "param", "script",
	"style", "noscript", "template", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "plaintext", "svg", "math")

const (
	_ uint8 = iota
	attrHref
	attrXlinkHref
	attrRel
	attrAs
	attrType
	attrName
	attrProperty
	attrItemprop
	attrHTTPEquiv
	attrContent
	attrValue
	attrCodebase
	attrAttributeName
	attrXMLBase
	attrHandler // any event handler
)

var attributes = newNameTable("href", "xlink:href", "rel", "as", "type", "name", "property", "itemprop", "http-equiv", "content",
	"value", "codebase", "attributename", "xml:base", "on*")

package markup

// kind is the notation of an attribute's value.
type kind uint8

const (
	plain   kind = iota + 1 // a URL
	words                   // URLs parted by spaces
	commas                  // URLs parted by commas
	srcset                  // image candidate strings, HTML §4.8.4.2.1
	css                     // a list of declarations, or one value
	srcdoc                  // an HTML document
	guess                   // a URL if it looks like one: data-* attributes mean what their script says
	foreign                 // a URL in SVG and XML only
)

// rule says what an attribute holds.
type rule struct {
	kind    kind
	role    Role
	context string
}

// ruleLines are all URL-bearing attributes, an element and a role a line. Sources: the list of attributes in the HTML
// standard ("Attributes", and §16 for the obsolete ones), SVG 2 §16.1, HTML 4.01's list of attributes, and the habits of
// lazy-loading scripts. What depends on other attributes too (link, meta, param, input) is told in elements.go.
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
	{"script", "data-src", guess, Script},
	{"img image input", "src lowsrc", plain, Image},
	{"img input", "dynsrc", plain, Media},
	{"img image source", "srcset", srcset, Image},
	{"img iframe frame", "longdesc", plain, Link},
	{"img source", "data-srcset data-lazy-srcset", srcset, Image},
	{"source video audio bgsound", "src", plain, Media},
	{"source video audio", "data-src", guess, Media},
	{"video", "poster", plain, Poster},
	{"video", "data-poster", guess, Poster},
	{"track", "src", plain, Track},
	{"iframe frame", "src", plain, Frame},
	{"iframe frame", "data-src data-lazy-src", guess, Frame},
	{"iframe", "srcdoc", srcdoc, Frame},
	{"embed", "src", plain, Object},
	{"object", "data classid", plain, Object},
	{"object", "archive", words, Object},
	{"applet", "code object", plain, Object},
	{"applet", "archive", commas, Object},
	{"object applet", "codebase", plain, Codebase},
	{"param", "value", plain, Object},
	{"form", "action", plain, Form},
	{"button input", "formaction", plain, Form},
	{"body table thead tbody tfoot tr td th", "background", plain, Image},
	{"blockquote q ins del", "cite", plain, Cite},
	{"html", "manifest", plain, AppCache},
	{"head", "profile", words, Related},
	{"meta", "content", plain, Social},

	{"a", "xlink:href", foreign, Link},
	{"image feimage", "href xlink:href", foreign, Image},
	{"script", "href xlink:href", foreign, Script},
	{"", "href xlink:href", foreign, Use},

	{"", "style", css, Image},
	{"img", "data-src data-lazy-src data-lazy data-original", guess, Image},
	{"", "data-src data-lazy-src data-lazy data-original data-bg data-background data-background-image", guess, Image},
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
)

var attributes = newNameTable("href", "xlink:href", "rel", "as", "type", "name", "property", "itemprop", "http-equiv", "content",
	"value", "codebase")

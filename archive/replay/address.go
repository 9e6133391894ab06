package replay

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"linkstead/archive/cdx"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// Parts of the paths that replay serves. The first segment names a collection; "web" is the default one.
const (
	defaultName = "web"
	assetRoot   = "/web/-/" // never a memento: "-" is no time and no URL
)

const stampLayout = "20060102150405"

// What can be wrong with a path.
var (
	errForeign = errors.New("not an address of the archive")
	errStamp   = errors.New("a time has 14 digits at most: year, month, day, hour, minute, second")
	errURL     = errors.New("the address does not name a URL")
)

// modifier tells for what a memento is asked, in the words that Wayback and pywb use.
type modifier string

const (
	asPage   modifier = ""    // to be read, at the top of a window
	asIs     modifier = "id_" // the exact bytes
	asScript modifier = "js_"
	asStyle  modifier = "cs_"
	asImage  modifier = "im_"
	asFrame  modifier = "if_" // in a frame; fr_ means the same
	asData   modifier = "mp_" // by a script: fetch, XMLHttpRequest; or a page without the banner, see bare
	asEmbed  modifier = "oe_" // any other requisite: media, fonts, objects
)

// kind is what sort of thing an address names.
type kind uint8

const (
	ofMemento    kind = iota
	ofGate            // a URL without a time: its TimeGate (RFC 7089 §2.1.2)
	ofCaptures        // "*" after the time: the captures of one URL
	ofPrefix          // "*" after the time and in the URL: what is there under a prefix or a domain
	ofTimeMap         // RFC 7089 §5
	ofCDX             // the index, asked as pywb's is
	ofWaybackCDX      // the index, asked as the Wayback CDX server's is
	ofHome            // a collection's own page
)

// address is what a path asks for.
type address struct {
	kind       kind
	name       string // of the collection, as the path has it
	collection string // whose captures are meant; the handler fills it in
	stamp      string // 14 digits; of a list, the digits with which times begin; of a TimeGate none
	mod        modifier
	loose      bool   // it was spelled otherwise than we spell addresses: a partial time, http:/host, no scheme
	pick       string // ofMemento: how the digest of the capture begins, of several within a second; "": whichever
	url        string // serialised; of a prefix that of the prefix, of a domain that of its root
	asked      string // of a request other than GET: the URL that its answer is indexed under
	after      string // ofPrefix: the key behind which the page begins
	domain     bool   // ofPrefix: every host under the URL's counts, too
	format     string // ofTimeMap: link, json or cdxj
	page       int    // ofTimeMap: from 1; 0 if none is named
}

// list says whether a person is shown what there is, rather than a memento.
func (a *address) list() bool { return a.kind == ofCaptures || a.kind == ofPrefix }

// parseAddress reads a request target. The URL is taken as it stands there, query and all, never unescaped: slashes, "%2F" and
// "?" keep their meaning. The error is errForeign, errStamp or errURL.
func parseAddress(target string) (address, error) {
	target = unled(target)
	name, rest, ok := strings.Cut(strings.TrimPrefix(target, "/"), "/")
	if target == "" || target[0] != '/' || !isName(name) {
		return address{}, errForeign
	}
	a := address{name: name}
	path, _, _ := strings.Cut(rest, "?")
	switch {
	case !ok || path == "":
		a.kind = ofHome
		return a, nil
	case path == "cdx":
		a.kind = ofCDX
		return a, nil
	case path == "wayback-cdx":
		a.kind = ofWaybackCDX
		return a, nil
	case hasScheme(rest, "http:/") || hasScheme(rest, "https:/") || hasScheme(rest, "file:/"):
		a.kind = ofGate
		return a, a.readURL(rest)
	}
	if maps, ok := strings.CutPrefix(rest, "timemap/"); ok {
		return a, a.readTimeMap(maps)
	}
	return a, a.readTime(rest)
}

// isName says whether s can be the name of a collection.
func isName(s string) bool {
	if s == "" || len(s) > 63 || s[0] != '_' && !isLower(s[0]) && (s[0] < '0' || s[0] > '9') {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789._-") == ""
}

// readTime reads a time with its modifier, and the URL behind it.
func (a *address) readTime(rest string) error {
	when, raw, ok := strings.Cut(rest, "/")
	if !ok {
		return errForeign
	}
	if when, a.pick, ok = strings.Cut(when, pickMark); ok && !isPick(a.pick) {
		return errForeign
	}
	digits := when[:len(when)-len(strings.TrimLeft(when, "0123456789"))]
	switch mod := when[len(digits):]; {
	case strings.HasPrefix(mod, "*") && a.pick == "":
		var ok bool
		if a.after, ok = readAfter(mod[1:]); !ok {
			return errForeign
		}
		a.kind = ofCaptures
	case digits == "" || mod != "" && !isModifier(mod):
		return errForeign
	case mod == "fr_":
		a.mod = asFrame
	default:
		a.mod = modifier(mod)
	}
	if len(digits) > len(stampLayout) {
		return errStamp
	}
	if a.stamp = digits; a.kind == ofCaptures {
		err := a.readPrefix(raw)
		if a.kind != ofPrefix {
			a.after = ""
		}
		return err
	}
	a.stamp = pad(digits)
	a.loose = a.stamp != digits
	return a.readURL(raw)
}

// pickMark stands before the digits of a digest that tell captures of one URL and second apart: "20160221153049~o2zgwusx".
const pickMark = "~"

// pickLength is how many of a digest's letters an address has: of a thousand captures in a second no two would share them.
const pickLength = 12

func isPick(s string) bool {
	return len(s) >= 4 && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// pickOf is the beginning of a capture's digest, as addresses spell it; "" if it has none that they could.
func pickOf(c *storage.Capture) string {
	_, digits, _ := strings.Cut(c.Digest, ":")
	digits = strings.ToLower(digits[:min(len(digits), pickLength)])
	if !isPick(digits) {
		return ""
	}
	return digits
}

// picks says whether a capture is the one of its second that an address means.
func (a *address) picks(c *storage.Capture) bool {
	_, digits, _ := strings.Cut(c.Digest, ":")
	return a.pick != "" && stampOf(c.At) == a.stamp && urlOf(c) == a.url && strings.HasPrefix(strings.ToLower(digits), a.pick)
}

// readPrefix reads the URL of a list: "http://host/dir/*" and "*.host" name many.
func (a *address) readPrefix(raw string) error {
	bare, many := strings.CutSuffix(raw, "*")
	if scheme, host, ok := strings.Cut(bare, "://*."); ok {
		bare, a.domain = scheme+"://"+host, true
	} else if host, ok := strings.CutPrefix(bare, "*."); ok {
		bare, a.domain = host, true
	}
	if many || a.domain {
		a.kind = ofPrefix
	}
	return a.readURL(bare)
}

// readTimeMap reads what follows "timemap/": a format, the number of a page if there is one, the URL.
func (a *address) readTimeMap(rest string) error {
	format, raw, ok := strings.Cut(rest, "/")
	switch {
	case !ok:
		return errForeign
	case format != "link" && format != "json" && format != "cdxj":
		return errForeign
	}
	a.kind, a.format = ofTimeMap, format
	if n, behind, ok := strings.Cut(raw, "/"); ok && len(n) < 10 && absolute(behind) {
		if page, err := strconv.Atoi(n); err == nil && page > 0 {
			a.page, raw = page, behind
		}
	}
	return a.readURL(raw)
}

// isModifier accepts the modifiers that we know and those that others have: two letters and a low line.
func isModifier(s string) bool {
	return len(s) == 3 && s[2] == '_' && isLower(s[0]) && isLower(s[1])
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

func hasScheme(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// readURL repairs what people and proxies do to a URL in a path: a slash lost after the scheme, no scheme at all.
func (a *address) readURL(raw string) error {
	if len(raw) > urlkey.MaxLength {
		return errURL
	}
	for _, scheme := range [...]string{"http:", "https:"} {
		if hasScheme(raw, scheme) && !strings.HasPrefix(raw[len(scheme):], "//") {
			raw, a.loose = scheme+"//"+strings.TrimLeft(raw[len(scheme):], "/"), true
		}
	}
	if !absolute(raw) {
		raw, a.loose = "http://"+raw, true
	}
	u, err := urlkey.Parse("", raw)
	if err != nil || strings.ContainsFunc(u, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return errURL
	}
	a.url = u
	return nil
}

// absolute says whether s begins with a scheme. "host:80/" does not.
func absolute(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || rest == "" || rest[0] >= '0' && rest[0] <= '9' {
		return false
	}
	for i := range len(scheme) {
		c := scheme[i] | 0x20
		if !isLower(c) && (i == 0 || strings.IndexByte("0123456789+-.", scheme[i]) < 0) {
			return false
		}
	}
	return true
}

// pad makes a whole time of 1 to 14 digits: the middle of the years, days or minutes that begin with them, so that
// "2016" brings a capture of that year if there is one, and "2" the newest of all. What no calendar has is moved to the
// nearest that it has.
func pad(digits string) string {
	from, to, err := cdx.Span(digits)
	if err != nil {
		return digits // parseAddress has let digits through alone
	}
	middle := (from.Unix() + to.Unix() - 1) / 2 // a Duration does not span a thousand years
	return time.Unix(middle, 0).UTC().Format(stampLayout)
}

// at is the moment in the middle of the second that is asked for. Of two captures the one within that second is then
// always the nearer one, so that every capture can be reached by its own time.
func (a *address) at() time.Time {
	t, err := time.Parse(stampLayout, a.stamp)
	if err != nil {
		return time.Time{}
	}
	return t.Add(time.Second / 2)
}

// String is the path of the address.
func (a *address) String() string {
	path := "/" + a.name + "/"
	switch a.kind {
	case ofGate:
		return path + pathOf(a.url)
	case ofCaptures:
		return path + a.stamp + "*/" + pathOf(a.url)
	case ofPrefix:
		path += a.stamp + "*" + afterText(a.after) + "/"
		if scheme, host, ok := strings.Cut(a.url, "://"); a.domain && ok {
			return path + scheme + "://*." + pathOf(host)
		}
		return path + pathOf(a.url) + "*"
	case ofTimeMap:
		path += "timemap/" + a.format + "/"
		if a.page > 0 {
			path += strconv.Itoa(a.page) + "/"
		}
		return path + pathOf(a.url)
	case ofCDX:
		return path + "cdx"
	case ofWaybackCDX:
		return path + "wayback-cdx"
	case ofHome:
		return path
	}
	path += a.stamp + string(a.mod)
	if a.pick != "" {
		path += pickMark + a.pick
	}
	return path + "/" + pathOf(a.url)
}

// captures is the address of the list of the captures of the URL.
func (a *address) captures() address {
	return address{kind: ofCaptures, name: a.name, collection: a.collection, url: a.url}
}

// own is the address of exactly this capture: the one that was asked for by its digest keeps that.
func (a *address) own(c *storage.Capture) address {
	own := address{name: a.name, collection: a.collection, stamp: stampOf(c.At), mod: a.mod, url: urlOf(c)}
	if a.picks(c) {
		own.pick = a.pick
	}
	return own
}

// urlOf is a capture's URL in the spelling of addresses, which that of imported captures may not be.
func urlOf(c *storage.Capture) string {
	if len(c.URL) <= urlkey.MaxLength {
		if u, err := urlkey.Parse("", c.URL); err == nil {
			return u
		}
	}
	return c.URL
}

func stampOf(t time.Time) string {
	t = t.UTC()
	if y := t.Year(); y < 0 || y > 9999 {
		return pad("0")
	}
	return t.Format(stampLayout)
}

// pathOf spells a URL so that it can stand in a path, a header field and the target of a Link: serialised URLs are so
// already, save for opaque ones.
func pathOf(url string) string {
	const hex = "0123456789ABCDEF"
	var out []byte
	for i := range len(url) {
		if c := url[i]; c <= ' ' || c >= 0x7f || c == '<' || c == '>' || c == '"' || c == '#' {
			if out == nil {
				out = append(make([]byte, 0, len(url)+16), url[:i]...)
			}
			out = append(out, '%', hex[c>>4], hex[c&15])
		} else if out != nil {
			out = append(out, c)
		}
	}
	if out == nil {
		return url
	}
	return string(out)
}

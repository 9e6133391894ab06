package wall

import (
	"bytes"
	"html"
	"strings"
)

// Bounds of what is read of a page.
const (
	maxRead   = 1 << 20   // bytes of a page in which its text is looked for
	maxMarkup = 128 << 10 // bytes of a page in which the word "markup" looks
	maxTitle  = 300       // bytes
	maxSaid   = 4000      // bytes of what stands in noscript elements
)

// trait is something that a page has; a page has a set of them.
type trait uint16

const (
	hasPassword trait = 1 << iota
	hasCaptcha
	hasRoot
	hasScript
	hasMedia
	hasFrame
	hasForm
	hasLinks
	hasRefresh
	hasFields
)

var traits = map[string]trait{
	"password": hasPassword, "captcha": hasCaptcha, "root": hasRoot, "script": hasScript, "media": hasMedia,
	"frame": hasFrame, "form": hasForm, "links": hasLinks, "refresh": hasRefresh, "fields": hasFields,
}

// manyLinks is how many links a page has that "has links".
const manyLinks = 8

// answer is a page as far as it has been read.
type answer struct {
	page    *Page
	scanned bool
	title   string
	text    []byte // visible, folded, white space collapsed
	size    int    // of it
	said    []byte // in noscript elements, the same
	has     trait
	links   int
	refresh string
	raw     string // the markup, folded
	shown   string // text
}

// header says whether a field has a value that a rule wants.
func (a *answer) header(h header) bool {
	if a.page.Values == nil {
		return false
	}
	for _, v := range a.page.Values(h.name) {
		if h.value.match(strings.ToLower(v)) {
			return true
		}
	}
	return false
}

// shows is how much text the page shows, in bytes; a page that shows MaxUnder is read no further.
func (a *answer) shows() int {
	a.scan()
	return a.size
}

func (a *answer) hasAll(ts []trait) bool {
	for _, t := range ts {
		if a.has&t == 0 {
			return false
		}
	}
	return true
}

func (a *answer) hasAny(ts []trait) bool {
	for _, t := range ts {
		if a.has&t != 0 {
			return true
		}
	}
	return false
}

// target is where the answer sends its reader on: by a redirect, or by a refresh of a page that shows little else.
func (a *answer) target() string {
	if a.page.Target == "" && a.page.HTML != nil && a.shows() < MaxUnder {
		return a.refresh
	}
	return a.page.Target
}

func (a *answer) folded() string {
	if a.shown == "" {
		a.shown = string(a.text)
	}
	return a.shown
}

func (a *answer) inTitle(ps []pattern) bool { return anyMatch(ps, a.title) }

// inText looks at what the page shows and at what it says where scripts don't run.
func (a *answer) inText(ps []pattern) bool {
	return anyMatch(ps, a.folded()) || len(a.said) > 0 && anyMatch(ps, string(a.said))
}

func (a *answer) inMarkup(ps []pattern) bool {
	if a.raw == "" {
		a.raw = string(uncommented(a.page.HTML[:min(len(a.page.HTML), maxMarkup)]))
	}
	return anyMatch(ps, a.raw)
}

// uncommented is markup, folded, without its comments.
func uncommented(s []byte) []byte {
	out := make([]byte, 0, len(s))
	for {
		before, rest, found := bytes.Cut(s, []byte("<!--"))
		out = lower(out, before)
		if !found {
			return out
		}
		_, s, found = bytes.Cut(rest, []byte("-->"))
		if !found {
			return lower(out, rest)
		}
	}
}

func anyMatch(ps []pattern, s string) bool {
	for i := range ps {
		if ps[i].match(s) {
			return true
		}
	}
	return false
}

// scan reads the page's text and what it has, once: no tree is built, and what is broken is text.
func (a *answer) scan() {
	if a.scanned {
		return
	}
	a.scanned = true
	s := a.page.HTML[:min(len(a.page.HTML), maxRead)]
	a.text = make([]byte, 0, min(len(s)/2+1, MaxUnder+1))
	var into *[]byte
	for len(s) > 0 && len(a.text) < MaxUnder {
		i := bytes.IndexByte(s, '<')
		if i < 0 {
			i = len(s)
		}
		if into == nil {
			a.text = prose(a.text, s[:i], MaxUnder)
		} else {
			*into = prose(*into, s[:i], maxSaid)
		}
		if s = s[i:]; len(s) == 0 {
			break
		}
		var t tag
		t, s = nextTag(s)
		switch {
		case t.name == "noscript" && !t.end:
			into = &a.said
		case t.name == "noscript":
			into = nil
		case t.end || t.name == "":
			a.text = space(a.text, t.name)
		default:
			a.text = space(a.text, t.name)
			s = a.element(t, s, into != nil)
		}
	}
	if a.size = min(len(a.text), MaxUnder); a.size < MaxUnder {
		a.text = bytes.TrimRight(a.text, " ")
		a.size = len(a.text)
	}
}

// element takes in a start tag, and skips what it holds if that is not shown.
func (a *answer) element(t tag, s []byte, unscripted bool) []byte {
	switch t.name {
	case "title":
		body, rest := raw(s, "title")
		if a.title == "" {
			a.title = strings.TrimSpace(string(prose(nil, body, maxTitle)))
		}
		return rest
	case "script":
		if !bytes.Contains(t.attrs, []byte("json")) {
			a.has |= hasScript
		}
		body, rest := raw(s, "script")
		if captcha(t.attrs) || len(body) < 4096 && captcha(body) {
			a.has |= hasCaptcha
		}
		return rest
	case "textarea":
		a.has |= hasFields
		fallthrough
	case "style", "template", "svg":
		if _, rest := raw(s, t.name); rest != nil {
			return rest
		}
	}
	if !unscripted { // what stands there instead of scripts is no part of the page that readers see
		a.seen(t)
	}
	return s
}

// seen notes an element of the page.
func (a *answer) seen(t tag) {
	switch t.name {
	case "input":
		switch v := t.attr("type"); {
		case strings.EqualFold(v, "password"):
			a.has |= hasPassword
		case v == "", strings.EqualFold(v, "text"), strings.EqualFold(v, "email"), strings.EqualFold(v, "search"):
			a.has |= hasFields
		}
	case "form":
		a.has |= hasForm
	case "img", "picture", "video", "audio", "object", "embed", "canvas":
		a.has |= hasMedia
	case "iframe", "frame", "frameset":
		a.has |= hasFrame
		if captcha(t.attrs) {
			a.has |= hasCaptcha
		}
	case "a":
		if a.links++; a.links >= manyLinks {
			a.has |= hasLinks
		}
	case "meta":
		if strings.EqualFold(t.attr("http-equiv"), "refresh") {
			a.has |= hasRefresh
			a.refresh = refreshTarget(t.attr("content"))
		}
	case "app-root", "my-app":
		a.has |= hasRoot
	case "div", "main", "body", "section":
		if len(t.attrs) > 0 {
			if roots[strings.ToLower(t.attr("id"))] {
				a.has |= hasRoot
			}
			if t.name == "div" && captcha(t.attrs) {
				a.has |= hasCaptcha
			}
		}
	}
}

// roots are the ids under which frameworks put a page that scripts make.
var roots = map[string]bool{
	"root": true, "app": true, "__next": true, "__nuxt": true, "___gatsby": true, "react-root": true, "app-root": true, "q-app": true,
	"svelte": true, "application": true, "main-app": true, "mount": true, "react-app": true, "appmount": true, "app-mount": true,
	"ember-app": true, "vue-app": true, "single-spa-application": true, "mount_0_0": true, "layers": true, "spa-root": true,
}

// captcha says whether markup or a short script loads a puzzle.
func captcha(b []byte) bool {
	return bytes.Contains(b, []byte("captcha")) && containsAny(b, captchas[:]) || containsAny(b, otherPuzzles[:])
}

var (
	captchas = [...][]byte{
		[]byte("recaptcha"), []byte("hcaptcha"), []byte("h-captcha"), []byte("captcha-delivery"), []byte("px-captcha"),
		[]byte("friendlycaptcha"), []byte("frc-captcha"), []byte("funcaptcha"),
	}
	otherPuzzles = [...][]byte{[]byte("turnstile"), []byte("arkoselabs"), []byte("geetest"), []byte("altcha")}
)

func containsAny(b []byte, words [][]byte) bool {
	for _, w := range words {
		if bytes.Contains(b, w) {
			return true
		}
	}
	return false
}

// refreshTarget is the address in a refresh, not resolved; empty if readers are given time to read.
func refreshTarget(content string) string {
	wait, rest, _ := strings.Cut(content, ";")
	if wait = strings.TrimSpace(wait); len(wait) > 1 && wait[0] != '0' && wait[1] != '.' {
		return ""
	}
	rest = strings.TrimSpace(rest)
	if len(rest) > 3 && strings.EqualFold(rest[:3], "url") {
		if after, ok := strings.CutPrefix(strings.TrimSpace(rest[3:]), "="); ok {
			rest = strings.TrimSpace(after)
		}
	}
	return strings.Trim(rest, `'"`)
}

// tag is one tag. Comments and the like have no name.
type tag struct {
	name  string
	end   bool
	attrs []byte
}

// nextTag reads the tag with which s begins, and what is behind it. A "<" that begins none is passed over.
func nextTag(s []byte) (tag, []byte) {
	switch {
	case bytes.HasPrefix(s, []byte("<!--")):
		if i := bytes.Index(s[2:], []byte("-->")); i >= 0 {
			return tag{}, s[2+i+3:]
		}
		return tag{}, nil
	case len(s) < 2 || s[1] != '/' && s[1] != '!' && s[1] != '?' && !letter(s[1]):
		return tag{}, s[1:]
	}
	t := tag{end: s[1] == '/'}
	i := 1
	if t.end {
		i = 2
	}
	start := i
	for i < len(s) && (letter(s[i]) || s[i] == '-' || '0' <= s[i] && s[i] <= '9') {
		i++
	}
	t.name = nameOf(s[start:i])
	attrs := i
	for i < len(s) && s[i] != '>' {
		if c := s[i]; (c == '"' || c == '\'') && (s[i-1] == '=' || s[i-1] == ' ') { // a ">" in a value ends no tag
			if j := bytes.IndexByte(s[i+1:], c); j >= 0 {
				i += j + 1
			}
		}
		i++
	}
	i = min(i, len(s))
	t.attrs = s[attrs:i]
	return t, s[min(i+1, len(s)):]
}

// nameOf folds a tag's name; the usual ones cost no memory.
func nameOf(b []byte) string {
	if len(b) > 32 {
		return "?"
	}
	var buf [32]byte
	folded := lower(buf[:0], b)
	if name, usual := usualNames[string(folded)]; usual {
		return name
	}
	return string(folded)
}

var usualNames = func() map[string]string {
	names := map[string]string{}
	for name := range strings.FieldsSeq(`a abbr article aside b body br button code col colgroup dd div dl dt em footer form h1 h2 h3 h4 head
		header html i iframe img input label li link main meta nav noscript ol option p path picture pre script section select small source
		span strong style sub sup svg table tbody td template textarea tfoot th thead title tr ul`) {
		names[name] = name
	}
	return names
}()

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// attr is the value of an attribute, references decoded; empty if the tag has none.
func (t *tag) attr(name string) string {
	for s := t.attrs; ; {
		s = bytes.TrimLeft(s, " \t\r\n\f/")
		if len(s) == 0 {
			return ""
		}
		n := bytes.IndexAny(s[1:], "= \t\r\n\f/") + 1
		if n == 0 {
			n = len(s)
		}
		key := s[:n]
		var value []byte
		if s = bytes.TrimLeft(s[n:], " \t\r\n\f"); len(s) > 0 && s[0] == '=' {
			value, s = attrValue(bytes.TrimLeft(s[1:], " \t\r\n\f"))
		}
		if len(key) == len(name) && strings.EqualFold(string(key), name) {
			return html.UnescapeString(string(value[:min(len(value), maxAddress)]))
		}
	}
}

func attrValue(s []byte) (value, rest []byte) {
	if len(s) > 0 && (s[0] == '"' || s[0] == '\'') {
		if i := bytes.IndexByte(s[1:], s[0]); i >= 0 {
			return s[1 : 1+i], s[i+2:]
		}
		return s[1:], nil
	}
	i := bytes.IndexAny(s, " \t\r\n\f")
	if i < 0 {
		i = len(s)
	}
	return s[:i], s[i:]
}

// raw cuts what an element holds that is not read as markup.
func raw(s []byte, name string) (body, rest []byte) {
	for at := 0; ; {
		i := bytes.Index(s[at:], []byte("</"))
		if i < 0 {
			return s, nil
		}
		at += i
		if n := at + 2 + len(name); n <= len(s) && strings.EqualFold(string(s[at+2:n]), name) {
			return s[:at], s[at:]
		}
		at += 2
	}
}

// inline are the elements between which no space stands.
var inline = map[string]bool{
	"a": true, "b": true, "i": true, "em": true, "strong": true, "span": true, "code": true, "u": true, "small": true, "sup": true,
	"sub": true, "abbr": true, "mark": true, "font": true, "wbr": true, "": true,
}

// space keeps the words of different blocks apart.
func space(dst []byte, name string) []byte {
	if n := len(dst); n > 0 && dst[n-1] != ' ' && !inline[name] {
		dst = append(dst, ' ')
	}
	return dst
}

// prose appends text: folded, white space collapsed, references decoded, up to a length.
func prose(dst, text []byte, most int) []byte {
	if len(text) == 0 || len(dst) >= most {
		return dst
	}
	text = text[:min(len(text), 4*most)]
	if bytes.IndexByte(text, '&') >= 0 {
		text = []byte(html.UnescapeString(string(text)))
	}
	for i := 0; i < len(text) && len(dst) < most; i++ {
		c := text[i]
		if c == 0xC2 && i+1 < len(text) && text[i+1] == 0xA0 { // a space that does not break
			i++
			c = ' '
		}
		// The typographic apostrophe is one.
		if c == 0xE2 && i+2 < len(text) && text[i+1] == 0x80 && text[i+2] == 0x99 {
			i += 2
			c = '\''
		}
		switch {
		case c <= ' ':
			if n := len(dst); n > 0 && dst[n-1] != ' ' {
				dst = append(dst, ' ')
			}
		case 'A' <= c && c <= 'Z':
			dst = append(dst, c|0x20)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// lower appends ASCII letters folded, and the rest as it is.
func lower(dst, b []byte) []byte {
	for _, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

package watch

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"
)

// Bounds of an XML document. Beyond them it is hostile: whoever reads it takes stack or memory for each.
const (
	maxTag     = 64 << 10 // bytes of one tag with its attributes
	maxNesting = 256      // elements within each other
	maxNodes   = 250_000  // elements and attributes of a feed
	maxSpaces  = 128      // namespaces that are declared at the same time
)

var declared = regexp.MustCompile(`^\s*<\?xml\s[^>]*?\bencoding\s*=\s*["']([\w.:-]+)["']`)

// plain makes of a document what every reader reads alike: UTF-8 of at most so many bytes, with no byte order mark, no
// declaration of another charset anywhere, and no character that XML forbids. The document itself is left as it is.
func plain(b []byte, most int) ([]byte, error) {
	b, err := inUTF8(b, most)
	if err != nil {
		return nil, err
	}
	return cleaned(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))), nil
}

// cleaned is plain for what is meant to be UTF-8.
func cleaned(b []byte) []byte {
	if !utf8.Valid(b) {
		b = bytes.ToValidUTF8(b, []byte("\ufffd"))
	}
	if bytes.Contains(b, []byte("<?xml")) {
		b = bytes.ReplaceAll(b, []byte("<?xml"), []byte("<?XML"))
	}
	return legal(b)
}

// inUTF8 decodes a document of another charset.
func inUTF8(b []byte, most int) ([]byte, error) {
	enc, err := charsetOf(b)
	if enc == nil || err != nil {
		return b, err
	}
	out, err := io.ReadAll(io.LimitReader(transform.NewReader(bytes.NewReader(b), enc.NewDecoder()), int64(most)))
	if err != nil {
		return nil, fmt.Errorf("it can't be decoded from its charset: %w", err)
	}
	return out, nil
}

// charsetOf is the charset that a document declares; nil if it is to be read as UTF-8.
func charsetOf(b []byte) (encoding.Encoding, error) {
	var label string
	switch m := declared.FindSubmatch(b[:min(len(b), 1024)]); {
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		label = "utf-16be"
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		label = "utf-16le"
	case m != nil && !strings.HasPrefix(strings.ToLower(string(m[1])), "utf-16"): // it could not be read if it were
		label = string(m[1])
	default:
		return nil, nil
	}
	enc, name := charset.Lookup(label)
	if enc == nil {
		return nil, fmt.Errorf("its charset %q is unknown", label)
	}
	if name == "utf-8" {
		return nil, nil
	}
	return enc, nil
}

// legal puts a space in the place of characters that XML forbids, also where they are written as &#1;.
func legal(b []byte) []byte {
	owned := false
	put := func(i int, c byte) {
		if !owned {
			b, owned = bytes.Clone(b), true
		}
		b[i] = c
	}
	for i, c := range b {
		switch {
		case c < ' ' && c != '\t' && c != '\n' && c != '\r':
			put(i, ' ')
		case c >= 0xbe && i >= 2 && b[i-1] == 0xbf && b[i-2] == 0xef: // U+FFFE and U+FFFF
			put(i, 0xbd)
		}
	}
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte("&#"))
		if i < 0 {
			return b
		}
		at += i + 2
		ref, _, ok := bytes.Cut(b[at:min(len(b), at+16)], []byte(";"))
		if !ok || !forbidden(string(ref)) {
			continue
		}
		for j := at - 2; j <= at+len(ref); j++ {
			put(j, ' ')
		}
	}
}

// forbidden says whether the number of a character reference stands for what XML forbids.
func forbidden(ref string) bool {
	base := 10
	if hex, ok := strings.CutPrefix(ref, "x"); ok {
		ref, base = hex, 16
	}
	n, err := strconv.ParseUint(ref, base, 32)
	return err == nil && (n < ' ' && n != '\t' && n != '\n' && n != '\r' || n == 0xfffe || n == 0xffff)
}

// errTag stops the reading of a document.
var errTag = fmt.Errorf("a tag is longer than %d KiB", maxTag>>10)

// tokens reads a plain document in bounded memory: no more of a tag is read than maxTag.
type tokens struct {
	d *xml.Decoder
	r *tagReader
}

func newTokens(plain []byte) *tokens {
	r := &tagReader{b: plain}
	t := &tokens{d: xml.NewDecoder(r), r: r}
	t.d.Strict, t.d.Entity = false, xml.HTMLEntity
	return t
}

// next is RawToken.
func (t *tokens) next() (xml.Token, error) {
	at, b := t.offset(), t.r.b
	t.r.stop = len(b)
	if at+1 < len(b) && b[at] == '<' && b[at+1] != '!' && b[at+1] != '?' {
		t.r.stop = min(at+maxTag, len(b))
	}
	return t.d.RawToken()
}

// offset is where the next token begins.
func (t *tokens) offset() int { return int(t.d.InputOffset()) }

// tagReader reads up to stop. It gives single bytes, so that the decoder reads no further than it has to.
type tagReader struct {
	b        []byte
	at, stop int
}

func (r *tagReader) ReadByte() (byte, error) {
	if r.at >= len(r.b) {
		return 0, io.EOF
	}
	if r.at >= r.stop {
		return 0, errTag
	}
	r.at++
	return r.b[r.at-1], nil
}

func (r *tagReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c, err := r.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}

// sound is the part of a plain XML feed that its parser can be given: from its root on, within the bounds, at most so many
// items, and whole. The fault says why that is not all of it; over is how many items are left out by their number.
func sound(plain []byte, items int) (feed []byte, over int, fault error) {
	s := soundness{t: newTokens(plain), items: items}
	for fault == nil && !s.done {
		fault = s.step()
	}
	if s.done && s.seen <= items {
		return plain[s.root:s.t.offset()], 0, nil
	}
	if errors.Is(fault, io.EOF) {
		fault = errors.New("its end is missing")
	}
	if s.whole == 0 {
		return nil, 0, fault
	}
	feed = slices.Clone(plain[s.root:s.whole])
	for _, name := range slices.Backward(s.around) {
		feed = append(feed, "</"+name+">"...)
	}
	return feed, max(s.seen-items, 0), fault
}

// soundness goes through a feed as its parser would.
type soundness struct {
	t     *tokens
	items int // that are wanted

	root   int        // where the root begins
	open   []*element // that stand around the next token
	nodes  int
	spaces int
	seen   int      // items
	whole  int      // where the last wanted item ended
	around []string // what stood open there
	done   bool     // the root has ended
}

type element struct {
	name   string
	spaces int
}

func (s *soundness) step() error {
	at := s.t.offset()
	t, err := s.t.next()
	if err != nil {
		return err
	}
	switch t := t.(type) {
	case xml.StartElement:
		if len(s.open) == 0 {
			s.root = at
			if name := localName(tagName(t.Name)); name != "rss" && name != "rdf" && name != "feed" {
				return errNoFeed
			}
		}
		return s.start(t)
	case xml.EndElement:
		return s.end(tagName(t.Name))
	}
	return nil
}

func (s *soundness) start(t xml.StartElement) error {
	e := &element{name: tagName(t.Name)}
	for _, a := range t.Attr {
		if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" {
			e.spaces++
		}
	}
	s.open = append(s.open, e)
	s.spaces += e.spaces
	if s.seen < s.items {
		s.nodes += 1 + len(t.Attr)
	}
	switch {
	case len(s.open) > maxNesting:
		return fmt.Errorf("more than %d elements stand within each other", maxNesting)
	case s.spaces > maxSpaces:
		return fmt.Errorf("more than %d namespaces are declared", maxSpaces)
	case s.nodes > maxNodes:
		return fmt.Errorf("it has more than %d elements and attributes", maxNodes)
	}
	return nil
}

// end closes an element, and those within it that were left open.
func (s *soundness) end(name string) error {
	for {
		if len(s.open) == 0 {
			return fmt.Errorf("</%.40s> ends nothing", name)
		}
		last := s.open[len(s.open)-1]
		s.open = s.open[:len(s.open)-1]
		s.spaces -= last.spaces
		if last.name == name {
			break
		}
	}
	s.done = len(s.open) == 0
	if local := localName(name); len(s.open) > 2 || local != "item" && local != "entry" {
		return nil
	}
	if s.seen++; s.seen > s.items {
		return nil
	}
	s.whole, s.around = s.t.offset(), s.around[:0]
	for _, e := range s.open {
		s.around = append(s.around, e.name)
	}
	return nil
}

// tagName is a name as it is written.
func tagName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// localName is a name without its prefix, in small letters.
func localName(name string) string {
	return strings.ToLower(name[strings.LastIndexByte(name, ':')+1:])
}

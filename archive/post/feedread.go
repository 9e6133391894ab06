package post

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// read reads the elements.
func (f *feedReader) read() error {
	text := f.src
	if !f.legal() {
		f.src = legalXML(f.src) // as long as before: places stay what they are
	}
	defer func() { f.src = text }()
	f.open = &f.channel
	for at := 0; at < len(f.src); {
		next, err := f.readFrom(at)
		if err != nil {
			return err
		}
		at = next
	}
	if !f.closed && !f.cut && f.fault == "" {
		f.fault = "it ends before its root element does: the rest of it is missing"
	}
	f.finish()
	return nil
}

// readFrom reads elements up to a fault, and says where to go on.
func (f *feedReader) readFrom(at int) (next int, err error) {
	z := xml.NewDecoder(bytes.NewReader(f.src[at:]))
	z.Strict = false
	z.Entity = xml.HTMLEntity
	z.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for tokens := 0; ; tokens++ {
		if tokens%1000 == 0 && f.expired != nil && f.expired() {
			return 0, ErrSlow
		}
		start := at + int(z.InputOffset())
		t, err := z.RawToken()
		if err != nil {
			return f.failed(err, start), nil
		}
		end := min(at+int(z.InputOffset()), len(f.src))
		switch t := t.(type) {
		case xml.StartElement:
			if f.depth++; f.depth > maxFeedDepth || f.n > maxEntries || len(f.links) >= MaxLinks {
				f.cut = true
				return len(f.src), nil
			}
			f.start(t, start, end)
		case xml.EndElement:
			f.closed = f.closed || feedRoots[t.Name.Local]
			f.end(t.Name.Local, start, end)
			f.depth--
		case xml.CharData:
			f.text(t, start, end)
		}
	}
}

var feedRoots = map[string]bool{"rss": true, "feed": true, "RDF": true}

// maxFaults is how often the reading of a feed is taken up again.
const maxFaults = 200

// failed notes what is wrong with a token, takes text, or the less-than sign of a tag that is none, as it stands, and says where to go on.
func (f *feedReader) failed(err error, start int) int {
	if errors.Is(err, io.EOF) || start >= len(f.src) {
		return len(f.src)
	}
	what := err.Error()
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		what = syntax.Msg
	}
	f.noted(what, start)
	if f.faults++; f.faults > maxFaults {
		f.cut = true
		return len(f.src)
	}
	end := start + 1
	if f.src[start] != '<' {
		if n := bytes.IndexByte(f.src[end:], '<'); n >= 0 {
			end += n
		} else {
			end = len(f.src)
		}
	}
	f.text(xml.CharData(f.src[start:end]), start, end)
	return end
}

// noted keeps the first fault.
func (f *feedReader) noted(what string, at int) {
	if f.fault == "" {
		line := 1 + bytes.Count(f.src[:at], []byte("\n"))
		f.fault = fmt.Sprintf("line %d, byte %d is not well-formed XML (%s); what is around it was read all the same", line, at, what)
	}
}

// legal says whether there are no characters that XML forbids, and notes the first.
func (f *feedReader) legal() bool {
	at := bytes.IndexFunc(f.src, illegalXML)
	if at < 0 {
		return true
	}
	r, _ := utf8.DecodeRune(f.src[at:])
	f.noted(fmt.Sprintf("the character U+%04X", r), at)
	return false
}

// illegalXML are the characters that XML forbids (XML 1.0 §2.2). U+FFFD stands where a byte was none of the charset's.
func illegalXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF || r == utf8.RuneError
}

// legalXML puts spaces in the place of what XML forbids.
func legalXML(src []byte) []byte {
	out := bytes.Clone(src)
	for i := 0; i < len(out); {
		r, n := utf8.DecodeRune(out[i:])
		if illegalXML(r) && r != utf8.RuneError {
			copy(out[i:i+n], "   ")
		}
		i += n
	}
	return out
}

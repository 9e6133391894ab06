package replay

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"linkstead/archive/httpmsg"
)

// peekSize is how much of a payload is looked at to tell what it is, in bytes.
const peekSize = 4 << 10

// peek returns the first n bytes of a payload, less if it has no more, without taking them from it.
func (s *source) peek(n int) []byte {
	b := make([]byte, n)
	got, err := io.ReadFull(s, b)
	b = b[:got]
	s.r = io.MultiReader(bytes.NewReader(b), s.r)
	if err != nil && s.err != nil { // a fault stays for whoever reads on to it
		s.r, s.err = io.MultiReader(bytes.NewReader(b), failing{s.err}), nil
	}
	return b
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// readCodings tells which content codings the payload is really in. Those declared may be lies: servers send what they
// have as it is, and archives hold bodies that some tool has decoded under the heads that came with them. And a text that
// is not said to be in gzip, but is, was a heap of signs to its readers; here it is read.
func (p *reply) readCodings(declared string) {
	var codings []string
	for c := range strings.SplitSeq(strings.ToLower(declared), ",") {
		if c = strings.Trim(c, " \t"); c != "" && c != "identity" {
			codings = append(codings, c)
		}
	}
	d, err := httpmsg.Decode(strings.NewReader(""), strings.Join(codings, ", "))
	if err != nil {
		return // one that we can't undo; browsers can't either, and show the bytes
	}
	_ = d.Close() // it frees buffers alone
	textual := p.a.mod != asIs && (strings.HasPrefix(p.mime, "text/") || notationFor(p.mime) != verbatim)
	if len(codings) == 0 && !textual {
		return
	}
	start := p.payload.peek(peekSize)
	if len(codings) == 0 && bytes.HasPrefix(start, []byte{0x1f, 0x8b, 8}) {
		codings = []string{"gzip"}
	}
	p.coding = strings.Join(honest(codings, start), ", ")
}

// honest leaves of the codings of a payload, which begins with start, those in which it is.
func honest(codings []string, start []byte) []string {
	var list []string
	for i := len(codings) - 1; i >= 0 && len(start) > 0; i-- {
		out, ok := undone(codings[i], start, i > 0)
		if ok {
			list = append([]string{codings[i]}, list...)
			start = out
		}
	}
	return list
}

// undone says whether the beginning of a payload can be in a coding, and decodes it, if that is wanted.
func undone(coding string, start []byte, wanted bool) ([]byte, bool) {
	switch coding {
	case "gzip", "x-gzip":
		if sign := bytes.HasPrefix(start, []byte{0x1f, 0x8b}); !sign || !wanted {
			return nil, sign
		}
	case "zstd":
		sign := bytes.HasPrefix(start, []byte{0x28, 0xb5, 0x2f, 0xfd}) ||
			len(start) > 3 && start[0]&0xf0 == 0x50 && bytes.Equal(start[1:4], []byte{0x2a, 0x4d, 0x18}) // a frame to be skipped
		if !sign || !wanted {
			return nil, sign
		}
	default:
		// These have no sign of their own. What reads as text is text: of random bytes one in three hundred thousand would.
		if len(start) >= 16 && plainText(start) {
			return nil, false
		}
	}
	d, err := httpmsg.Decode(bytes.NewReader(start), coding)
	if err != nil {
		return nil, false
	}
	defer d.Close() //nolint:errcheck // it frees buffers alone
	out, err := io.ReadAll(io.LimitReader(d, peekSize))
	return out, err == nil || len(out) > 0 || errors.Is(err, io.ErrUnexpectedEOF)
}

// plainText says whether b is UTF-8, but for a rune that its end cuts, without control characters that no text has.
func plainText(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return !utf8.FullRune(b)
		}
		if r < ' ' && !strings.ContainsRune("\t\n\f\r", r) || r == 0x7f {
			return false
		}
		b = b[n:]
	}
	return true
}

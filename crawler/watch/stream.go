package watch

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/transform"
)

// A sitemap may be unpacked to fifty times the memory that a process was given. So it is read as it is unpacked.

// plainReader is plain for what is read in pieces.
type plainReader struct {
	r    io.Reader
	buf  []byte
	rest [plainHold]byte // of r, what belongs to the next piece …
	kept int             // … so many bytes
	out  []byte          // made plain, not read yet
	err  error           // of r
	seen bool            // the beginning, with or without a byte order mark
}

// plainPiece is how much is made plain at a time, in bytes; plainHold is the longest thing of which a piece may not end in the
// middle.
const (
	plainPiece = 64 << 10
	plainHold  = 20
)

// plainOf makes a plain text of a stream; the error is that of a charset that is not known.
func plainOf(r io.Reader) (*plainReader, error) {
	b := bufio.NewReaderSize(r, plainPiece)
	head, _ := b.Peek(1024) // what can't be read is met again
	enc, err := charsetOf(head)
	if err != nil {
		return nil, err
	}
	p := &plainReader{r: b}
	if enc != nil {
		p.r = transform.NewReader(b, enc.NewDecoder())
	}
	return p, nil
}

func (p *plainReader) Read(to []byte) (int, error) {
	for len(p.out) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		p.fill()
	}
	n := copy(to, p.out)
	p.out = p.out[n:]
	return n, nil
}

// fill makes the next piece plain, once the one before has been read.
func (p *plainReader) fill() {
	if p.buf == nil {
		p.buf = make([]byte, plainPiece)
	}
	had := copy(p.buf, p.rest[:p.kept])
	n, err := io.ReadFull(p.r, p.buf[had:])
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	p.err = err
	piece := p.buf[:had+n]
	if p.kept = 0; err == nil {
		p.kept = unfinished(piece)
		copy(p.rest[:], piece[len(piece)-p.kept:])
		piece = piece[:len(piece)-p.kept]
	}
	if !p.seen {
		piece = bytes.TrimPrefix(piece, []byte("\xef\xbb\xbf"))
		p.seen = true
	}
	p.out = cleaned(piece)
}

// unfinished is how many bytes at the end may go on in the next piece: of a character, a reference, a declaration.
func unfinished(b []byte) int {
	if i := bytes.LastIndexAny(b[len(b)-min(len(b), plainHold):], "<&"); i >= 0 {
		return min(len(b), plainHold) - i
	}
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if c := b[len(b)-n]; utf8.RuneStart(c) {
			if !utf8.FullRune(b[len(b)-n:]) {
				return n
			}
			break
		}
	}
	return 0
}

// mapTokens are the tokens of a plain sitemap, in bounded memory whatever its length.
type mapTokens struct {
	d *xml.Decoder
	r *boundReader
}

func newMapTokens(r *bufio.Reader) *mapTokens {
	t := &mapTokens{r: &boundReader{r: r}}
	t.d = xml.NewDecoder(t.r)
	t.d.Strict, t.d.Entity = false, xml.HTMLEntity
	return t
}

// next is RawToken, of maxTag bytes at most.
func (t *mapTokens) next() (xml.Token, error) {
	t.r.left = maxTag
	return t.d.RawToken()
}

// boundReader gives single bytes, so that the decoder reads no further than it has to, and no more of them than are left.
type boundReader struct {
	r    *bufio.Reader
	left int
}

func (b *boundReader) ReadByte() (byte, error) {
	if b.left--; b.left < 0 {
		return 0, errTag
	}
	return b.r.ReadByte()
}

func (b *boundReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c, err := b.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}

// limited reads so many bytes, and knows whether there were more, or what ended them but their end.
type limited struct {
	r     io.Reader
	left  int64
	over  bool
	fault error
}

func (l *limited) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if l.left == 0 {
		n, _ := io.ReadFull(l.r, make([]byte, 1))
		l.over = l.over || n > 0
		return 0, io.EOF
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		l.fault, err = err, io.EOF
	}
	return n, err
}

// notes tells of what was not read.
func (l *limited) notes() (out []string) {
	if l.fault != nil {
		out = append(out, "the sitemap can't be uncompressed to its end")
	}
	if l.over {
		out = append(out, fmt.Sprintf("only the first %d MiB of the sitemap were read", maxSitemap>>20))
	}
	return out
}

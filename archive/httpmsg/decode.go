package httpmsg

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// ErrEncoding says that a content coding is unknown, or that there are absurdly many.
var ErrEncoding = errors.New("unknown content encoding")

const (
	// maxCodings bounds a chain of codings. Nobody sends more than two.
	maxCodings = 4
	// maxWindow is the most memory that a zstd frame may ask for, in bytes (RFC 9659 §3).
	maxWindow = 8 << 20
)

// Decode undoes the content codings (RFC 9110 §8.4.1) that contentEncoding lists in the order in which they were
// applied: gzip, x-gzip, deflate (zlib or raw), br, zstd, identity. Codings are read as browsers read them: a body that
// is declared gzip but isn't passes as it is, and bytes after the last gzip member are ignored. A body that lacks its end
// yields what came, then io.ErrUnexpectedEOF. Close the reader to give its buffers back; r is not closed. The error
// wraps ErrEncoding. The output has no bound of its own: see Capped.
func Decode(r io.Reader, contentEncoding string) (io.ReadCloser, error) {
	var codings []string
	for c := range strings.SplitSeq(strings.ToLower(contentEncoding), ",") {
		if c = strings.Trim(c, " \t"); c != "" && c != "identity" {
			codings = append(codings, c)
		}
	}
	if len(codings) > maxCodings {
		return nil, fmt.Errorf("%d content encodings in a row: %w", len(codings), ErrEncoding)
	}
	d := &decoder{r: r}
	for i := len(codings) - 1; i >= 0; i-- {
		if err := d.push(codings[i]); err != nil {
			d.release()
			return nil, err
		}
	}
	return d, nil
}

// decoder is a chain of decoders over a source.
type decoder struct {
	r    io.Reader
	free []func() // give the parts back to their pools
	err  error
}

func (d *decoder) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	n, err := d.r.Read(p)
	d.err = err
	return n, err
}

// Close gives the buffers back. Reading afterwards fails.
func (d *decoder) Close() error {
	d.release()
	d.r, d.err = nil, errors.New("read a closed decoder")
	return nil
}

func (d *decoder) release() {
	for _, f := range d.free {
		f()
	}
	d.free = nil
}

// push puts the decoder of one coding on top of the chain.
func (d *decoder) push(coding string) error {
	open := openers[coding]
	if open == nil {
		return fmt.Errorf("content encoding %.40q: %w", coding, ErrEncoding)
	}
	src := buffers.Get().(*bufio.Reader)
	src.Reset(d.r)
	d.free = append(d.free, func() {
		src.Reset(nil)
		buffers.Put(src)
	})
	d.r = &lazy{src: src, open: func() (io.Reader, error) { return open(d, src) }}
	return nil
}

// lazy opens a decoder at the first read, since opening reads. An empty source is an empty body in every coding.
type lazy struct {
	src  *bufio.Reader
	open func() (io.Reader, error)
	r    io.Reader
}

func (l *lazy) Read(p []byte) (int, error) {
	if l.r == nil {
		if _, err := l.src.Peek(1); err != nil {
			return 0, err
		}
		r, err := l.open()
		if err != nil {
			return 0, err
		}
		l.r = r
	}
	return l.r.Read(p)
}

var openers = map[string]func(*decoder, *bufio.Reader) (io.Reader, error){
	"gzip":    (*decoder).gunzip,
	"x-gzip":  (*decoder).gunzip,
	"deflate": (*decoder).inflate,
	"br":      (*decoder).unbrotli,
	"zstd":    (*decoder).unzstd,
}

var (
	buffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 16<<10) }}
	gzips   = sync.Pool{New: func() any { return new(gzip.Reader) }}
	flates  = sync.Pool{New: func() any { return flate.NewReader(nil) }}
	brotlis = sync.Pool{New: func() any { return brotli.NewReader(nil) }}
	zstds   = sync.Pool{New: newZstd}
)

// newZstd makes a decoder that starts no goroutine and bounds its window. Only an option out of range could fail.
func newZstd() any {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return err
	}
	return z
}

func (d *decoder) gunzip(src *bufio.Reader) (io.Reader, error) {
	if magic, _ := src.Peek(2); len(magic) < 2 || magic[0] != 0x1f || magic[1] != 0x8b {
		return src, nil // declared gzip, sent plain: browsers show it
	}
	z := gzips.Get().(*gzip.Reader)
	d.free = append(d.free, func() { gzips.Put(z) })
	if err := z.Reset(src); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("decode gzip: %w", err)
	}
	z.Multistream(false)
	return &members{z: z, src: src}, nil
}

// members reads one gzip member after the other, up to the first bytes that are none.
type members struct {
	z   *gzip.Reader
	src *bufio.Reader
}

func (m *members) Read(p []byte) (int, error) {
	n, err := m.z.Read(p)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	if magic, _ := m.src.Peek(3); len(magic) < 3 || magic[0] != 0x1f || magic[1] != 0x8b || magic[2] != 8 {
		return n, io.EOF
	}
	if err := m.z.Reset(m.src); err != nil {
		return n, io.EOF
	}
	m.z.Multistream(false)
	return n, nil
}

// inflate reads "deflate" in both its meanings: zlib (RFC 1950), as RFC 9110 §8.4.1.2 has it, and raw (RFC 1951), as
// some servers send it.
func (d *decoder) inflate(src *bufio.Reader) (io.Reader, error) {
	b, _ := src.Peek(2)
	if len(b) == 2 && b[0]&0x0f == 8 && (uint(b[0])<<8|uint(b[1]))%31 == 0 {
		z, err := zlib.NewReader(src)
		if err != nil {
			return nil, fmt.Errorf("decode deflate: %w", err)
		}
		return z, nil
	}
	z := flates.Get().(io.ReadCloser)
	d.free = append(d.free, func() { flates.Put(z) })
	if err := z.(flate.Resetter).Reset(src, nil); err != nil {
		return nil, fmt.Errorf("decode deflate: %w", err)
	}
	return z, nil
}

func (d *decoder) unbrotli(src *bufio.Reader) (io.Reader, error) {
	z := brotlis.Get().(*brotli.Reader)
	d.free = append(d.free, func() { brotlis.Put(z) })
	if err := z.Reset(src); err != nil {
		return nil, fmt.Errorf("decode br: %w", err)
	}
	return z, nil
}

func (d *decoder) unzstd(src *bufio.Reader) (io.Reader, error) {
	z, ok := zstds.Get().(*zstd.Decoder)
	if !ok {
		return nil, fmt.Errorf("decode zstd: %w", ErrEncoding)
	}
	d.free = append(d.free, func() {
		_ = z.Reset(nil) // lets go of the source; without a source nothing can fail
		zstds.Put(z)
	})
	if err := z.Reset(src); err != nil {
		return nil, fmt.Errorf("decode zstd: %w", err)
	}
	return z, nil
}

// Capped reads at most a number of bytes, and says whether there were more: a few bytes on the wire can be gigabytes
// decoded.
type Capped struct {
	r      io.Reader
	left   int64
	capped bool
}

// NewCapped makes a reader of the first limit bytes of r.
func NewCapped(r io.Reader, limit int64) *Capped { return &Capped{r: r, left: max(0, limit)} }

// Capped says whether r had more than the limit. It is known once Read has returned io.EOF.
func (c *Capped) Capped() bool { return c.capped }

// Read implements io.Reader. It ends with io.EOF at the limit as at the end.
func (c *Capped) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.left == 0 {
		var one [1]byte
		if !c.capped {
			n, err := io.ReadFull(c.r, one[:])
			if n == 0 {
				return 0, err
			}
			c.capped = true
		}
		return 0, io.EOF
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

package fetch

import (
	"errors"
	"io"
	"slices"

	"linkstead/archive/httpmsg"
)

// What is no document but a bomb: more than maxRatio times its own size, and more than the limit of a document. Honest pages
// shrink to a tenth, tables of numbers perhaps to a fiftieth. maxBomb is what is read of one, in bytes.
const (
	maxRatio = 100
	maxBomb  = 64 << 10
)

// unpacking is a body on its way through its decoders.
type unpacking struct {
	io.ReadCloser
	in *counted
}

// counted counts what is read through it.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// measure reads on from the first done bytes and keeps nothing: how many bytes there are up to limit, whether there are more,
// and whether it is a bomb. A fault ends it as the end does; whoever reads what was measured meets it again.
func (u *unpacking) measure(done, limit int64) (size int64, more, bomb bool) {
	rest := httpmsg.NewCapped(u, limit-done)
	n, _ := io.Copy(io.Discard, rest)
	// One byte has been read beyond done, to know that there are more.
	size, more = min(done+1+n, limit), rest.Capped() || done+1+n > limit
	return size, more, more && size/maxRatio > u.in.n
}

// fill reads the first limit bytes of r into buf, which grows by doubling up to them, and says whether there are more: then
// one byte more has been read.
func fill(r io.Reader, buf []byte, limit int64) ([]byte, bool, error) {
	for {
		room := min(int64(cap(buf)), limit) - int64(len(buf))
		if int64(len(buf)) >= limit {
			var one [1]byte
			n, err := io.ReadFull(r, one[:])
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return buf, n == 1, err
		}
		if room == 0 {
			buf = slices.Grow(buf, int(min(int64(max(cap(buf), 4<<10)), limit-int64(len(buf)))))
			continue
		}
		n, err := r.Read(buf[len(buf) : int64(len(buf))+room])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			return buf, false, nil
		}
		if err != nil {
			return buf, false, err
		}
	}
}

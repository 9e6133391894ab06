package warc

import (
	"hash"
	"io"
)

// hashing hashes a stream on another core while it is read. It holds a few chunks at most.
type hashing struct {
	in     io.Reader
	sum    hash.Hash
	n      int64 // bytes read
	told   func(n int)
	chunk  []byte // the one that is read from
	rest   []byte // of it
	full   chan []byte
	free   chan []byte
	hashed chan struct{}
	ended  bool
}

const (
	hashChunk  = 256 << 10
	hashChunks = 4
)

func newHashing(in io.Reader, sum hash.Hash, told func(n int)) *hashing {
	h := &hashing{in: in, sum: sum, told: told, full: make(chan []byte, hashChunks), free: make(chan []byte, hashChunks+1), hashed: make(chan struct{})}
	for range hashChunks {
		h.free <- make([]byte, hashChunk)
	}
	go func() {
		defer close(h.hashed)
		for b := range h.full {
			h.sum.Write(b)
			h.free <- b[:hashChunk]
		}
	}()
	return h
}

// Read implements io.Reader. A chunk goes to be hashed once it has been read from.
func (h *hashing) Read(p []byte) (int, error) {
	for len(h.rest) == 0 {
		if h.chunk != nil {
			h.full <- h.chunk
			h.chunk = nil
		}
		b := <-h.free
		n, err := h.in.Read(b)
		h.n += int64(n)
		if h.told != nil && n > 0 {
			h.told(n)
		}
		if n == 0 {
			h.free <- b
			if err != nil {
				return 0, err
			}
			continue
		}
		h.chunk, h.rest = b[:n], b[:n]
		if err != nil && err != io.EOF {
			return 0, err
		}
	}
	n := copy(p, h.rest)
	h.rest = h.rest[n:]
	return n, nil
}

// finish waits until all that was read is hashed.
func (h *hashing) finish() {
	if h.ended {
		return
	}
	h.ended = true
	if h.chunk != nil {
		h.full <- h.chunk
		h.chunk = nil
	}
	close(h.full)
	<-h.hashed
}

// close ends the hashing.
func (h *hashing) close() { h.finish() }

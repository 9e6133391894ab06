package warc

import (
	"crypto/sha256"
	"fmt"
	"io"

	"linkstead/storage"
)

// block is the block of a record to be written: bytes in memory, or the first size bytes of a spill.
type block struct {
	mem   []byte
	spill *storage.Spill
	size  int64
}

func memBlock(b []byte) block { return block{mem: b, size: int64(len(b))} }

// spillBlock is the first size bytes of s, without a copy if they are in memory.
func spillBlock(s *storage.Spill, size int64) block {
	if b, ok := s.Bytes(); ok {
		return memBlock(b[:size])
	}
	return block{spill: s, size: size}
}

func (b block) writeTo(w io.Writer) error {
	if b.spill == nil {
		_, err := w.Write(b.mem)
		return err
	}
	n, err := copyFrom(w, io.NewSectionReader(b.spill, 0, b.size))
	if err == nil && n != b.size {
		err = fmt.Errorf("%d of %d bytes: %w", n, b.size, io.ErrUnexpectedEOF)
	}
	return err
}

func (b block) sum() ([32]byte, error) {
	if b.spill == nil {
		return sha256.Sum256(b.mem), nil
	}
	h := sha256.New()
	if err := b.writeTo(h); err != nil {
		return [32]byte{}, fmt.Errorf("hash block: %w", err)
	}
	return [32]byte(h.Sum(nil)), nil
}

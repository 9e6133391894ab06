package pack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
)

// zipBlock is how many lines of an index are compressed together (ZipNum; 3,000 in Common Crawl's and in others').
const zipBlock = 3000

// zipNum writes a sorted index in compressed blocks, and beside it the index of the blocks: the first key and time of each, and where it
// stands.
type zipNum struct {
	blocks *counter  // the compressed lines
	index  io.Writer // of the blocks
	name   string    // of the file of the blocks

	// apart puts lines whose keys are no SURTs into blocks of their own: readers tell by the first key of blocks whether they are.
	apart bool

	lines bytes.Buffer
	n     int
	first []byte
}

// all writes the lines of a sorter.
func (z *zipNum) all(lines *sorter) error {
	if err := z.head(); err != nil {
		return err
	}
	if err := lines.each(z.add); err != nil {
		return err
	}
	return z.flush()
}

// head writes the first line of the index.
func (z *zipNum) head() error {
	_, err := fmt.Fprintf(z.index, "!meta 0 {\"format\": \"cdxj-gzip-1.0\", \"filename\": %q}\n", z.name)
	return err
}

// add takes the next line.
func (z *zipNum) add(line []byte) error {
	if z.apart && z.n > 0 && surtKey.Match(line) != surtKey.Match(z.first) {
		if err := z.flush(); err != nil {
			return err
		}
	}
	if z.n == 0 {
		key, rest, _ := bytes.Cut(line, []byte(" "))
		at, _, _ := bytes.Cut(rest, []byte(" "))
		z.first = append(append(append(z.first[:0], key...), ' '), at...)
	}
	z.lines.Write(line)
	if z.n++; z.n < zipBlock {
		return nil
	}
	return z.flush()
}

// flush ends a block.
func (z *zipNum) flush() error {
	if z.n == 0 {
		return nil
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(z.lines.Bytes()); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	sum := sha256.Sum256(packed.Bytes())
	at := z.blocks.n
	if _, err := z.blocks.Write(packed.Bytes()); err != nil {
		return err
	}
	_, err := fmt.Fprintf(z.index, "%s {\"offset\": %d, \"length\": %d, \"digest\": \"sha256:%s\", \"filename\": %q}\n",
		z.first, at, packed.Len(), hex.EncodeToString(sum[:]), z.name)
	z.lines.Reset()
	z.n = 0
	return err
}

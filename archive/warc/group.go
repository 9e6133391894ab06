package warc

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"

	"linkstead/storage"
)

// gzipLevel keeps segments within a tenth of wget's, which zlib makes at its level 6. Measured on a documentation site of
// 55 MB: level 6 gives 1.12 times wget's size, 7 gives 1.11, 8 gives 1.09 for half a CPU second more.
const gzipLevel = 8

// A record of up to smallRecord bytes is compressed at smallLevel: it comes out a third of a percent larger, and takes a quarter
// less time, for the tables of higher levels have to be cleared first. A 304 has nothing but such records.
const (
	smallRecord = 8 << 10
	smallLevel  = 6
)

// copyBuffer is the size of the buffer that a spilled block is read through, in bytes.
const copyBuffer = 64 << 10

// Member is one gzip member holding one record.
type Member struct {
	Type     Type
	RecordID string // with angle brackets
	Offset   int64  // within the group, bytes
	Length   int64  // bytes, compressed
}

// Group is a run of records that belong together, each compressed into a gzip member of its own (WARC 1.1, record-at-time compression),
// ready to be appended to a segment. The group of an exchange or a document ends with its closing metadata record: a
// reader that finds that record has found the whole group.
type Group struct {
	Data    *storage.Spill // the members, one after another
	Members []Member       // in the order of Data
	home    *Composer
}

// Size is the length of the group in bytes.
func (g *Group) Size() int64 { return g.Data.Size() }

// Main is the member that the index points to: the response, revisit or resource. A failure has none.
func (g *Group) Main() (Member, bool) {
	for _, m := range g.Members {
		if m.Type == TypeResponse || m.Type == TypeRevisit || m.Type == TypeResource {
			return m, true
		}
	}
	return Member{}, false
}

// Closing is the last member: of an exchange or a document, the closing metadata record.
func (g *Group) Closing() Member { return g.Members[len(g.Members)-1] }

// Extra is the member of the i-th extra record, counted as they were given to Compose.
func (g *Group) Extra(i int) (Member, bool) {
	for _, m := range g.Members[:len(g.Members)-1] {
		if m.Type != TypeMetadata {
			continue
		}
		if i == 0 {
			return m, true
		}
		i--
	}
	return Member{}, false
}

// WriteTo copies the group to w.
func (g *Group) WriteTo(w io.Writer) (int64, error) {
	if b, ok := g.Data.Bytes(); ok {
		n, err := w.Write(b)
		return int64(n), err
	}
	return copyFrom(w, g.Data.From(0))
}

// Release gives the group's memory and file back. The group must not be used again.
func (g *Group) Release() error {
	data := g.Data
	g.Data = nil
	if err := data.Reset(); err != nil {
		return err
	}
	g.home.spills.Put(data)
	return nil
}

// Composer makes groups. It may be used by many goroutines at once.
type Composer struct {
	Dir    string        // for the temporary files of big groups; empty: the system's
	Memory int64         // bytes of a group kept in memory before it goes to a file; 0: 1 MiB
	Meter  *atomic.Int64 // counts the bytes in those files; nil: nobody does
	spills sync.Pool
}

func (c *Composer) newGroup() *Group {
	if s, ok := c.spills.Get().(*storage.Spill); ok {
		return &Group{Data: s, home: c}
	}
	limit := c.Memory
	if limit == 0 {
		limit = 1 << 20
	}
	return &Group{Data: storage.NewSpill(c.Dir, limit).Metered(c.Meter), home: c}
}

var (
	gzipWriters  = gzipPool(gzipLevel)
	smallWriters = gzipPool(smallLevel)
	copyBuffers  = sync.Pool{New: func() any { return new([copyBuffer]byte) }}
)

func gzipPool(level int) *sync.Pool {
	return &sync.Pool{New: func() any {
		z, err := gzip.NewWriterLevel(io.Discard, level)
		if err != nil {
			panic(err) // the level is a constant that the package knows
		}
		return z
	}}
}

// copyFrom is io.Copy through a pooled buffer; io.Copy would take the shortcuts of os.File, which read nothing here.
func copyFrom(w io.Writer, r io.Reader) (int64, error) {
	buf := copyBuffers.Get().(*[copyBuffer]byte)
	defer copyBuffers.Put(buf)
	return io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, buf[:])
}

// append compresses one record into the group: header, block, and the two line ends that close it (WARC 1.1 §4).
func (g *Group) append(t Type, id string, header []byte, block block) error {
	start := g.Data.Size()
	pool := gzipWriters
	if int64(len(header))+block.size <= smallRecord {
		pool = smallWriters
	}
	z := pool.Get().(*gzip.Writer)
	defer pool.Put(z)
	z.Reset(g.Data)
	if _, err := z.Write(header); err != nil {
		return fmt.Errorf("compress %s record: %w", t, err)
	}
	if err := block.writeTo(z); err != nil {
		return fmt.Errorf("compress %s record: %w", t, err)
	}
	if _, err := z.Write([]byte("\r\n\r\n")); err != nil {
		return fmt.Errorf("compress %s record: %w", t, err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("compress %s record: %w", t, err)
	}
	g.Members = append(g.Members, Member{Type: t, RecordID: id, Offset: start, Length: g.Data.Size() - start})
	return nil
}

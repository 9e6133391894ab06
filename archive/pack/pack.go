// Package pack brings archives in that others made, and takes parts of this one out, in the forms that other tools read: WARC,
// ARC, WACZ. It reads nothing of the web.
package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"

	"linkstead/archive/warc"
)

// ErrPacked says that the records of a file are compressed in a way that none can be read where it lies.
var ErrPacked = errors.New("its records are packed so that none can be read where they lie")

// ErrEmpty says that a file has no byte.
var ErrEmpty = errors.New("it is empty")

// File is a file as it was handed over.
type File struct {
	Name     string // as a person knows it
	Location string // where it lies, see storage.Outside
	R        io.ReaderAt
	Size     int64 // bytes
}

// Sources are the WARC and ARC files that a file holds: itself, or those within a WACZ. What is packed is unpacked into files of temp,
// unless it is to be read in place: then that is ErrPacked. Close frees them.
func (f File) Sources(temp string, inPlace bool) (*Sources, error) {
	s := &Sources{Pages: &warc.Pages{}}
	if f.Size == 0 {
		return nil, ErrEmpty
	}
	var sign [8]byte
	n, err := f.R.ReadAt(sign[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", f.Name, err)
	}
	err = nil // a file may be shorter than a sign
	s.source = &failing{ReaderAt: f.R}
	switch head := sign[:n]; {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		f.R = s.source
		err = s.wacz(f, temp, inPlace)
	case isZstd(head):
		f.R = s.source
		err = s.zstandard(f, "", temp, inPlace)
	default:
		s.List = []warc.Source{{Name: f.Name, Location: f.Location, R: f.R, Size: f.Size}}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", f.Name, err), s.Close())
	}
	return s, nil
}

// Sources are files to be imported.
type Sources struct {
	List   []warc.Source
	Passed []string    // files within it that were passed over, with why; maxPassed of them
	Pages  *warc.Pages // what the file tells of its pages
	temp   []*os.File
	source *failing
}

// Close frees the files that were unpacked.
func (s *Sources) Close() error {
	var err error
	for _, f := range s.temp {
		err = errors.Join(err, f.Close())
	}
	s.temp = nil
	return err
}

// maxPassed bounds how many files that were passed over are told of.
const maxPassed = 1000

// pass notes that something was passed over.
func (s *Sources) pass(name, why string) {
	if name != "" {
		why = name + ": " + why
	}
	if len(s.Passed) < maxPassed {
		s.Passed = append(s.Passed, why)
	}
}

// Bounds of what is unpacked.
const (
	maxEntries  = 100_000
	maxUnpacked = 1 << 40 // bytes of one file
)

// errTemp says that what is unpacked could not be written: that is not the fault of what is read.
var errTemp = errors.New("unpack it")

// unpack writes a stream into a file without a name; within is its name in a ZIP file. What can't be unpacked to its end is taken as far as
// it goes, and told of.
func (s *Sources) unpack(name, location string, in io.Reader, within, temp string) error {
	f, err := os.CreateTemp(temp, "unpack-*")
	if err != nil {
		return fmt.Errorf("%w: %w", errTemp, err)
	}
	s.temp = append(s.temp, f)
	if err := os.Remove(f.Name()); err != nil {
		return fmt.Errorf("%w: %w", errTemp, err)
	}
	torn := &tornReader{r: in}
	n, err := io.Copy(f, io.LimitReader(torn, maxUnpacked+1))
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errTemp, err)
	case n > maxUnpacked:
		return fmt.Errorf("it unpacks to over %d bytes", int64(maxUnpacked))
	case torn.err != nil && (n == 0 || s.source.failed()):
		return torn.err
	case torn.err != nil:
		s.pass(within, fmt.Sprintf("it can't be unpacked to its end, and was taken as far as it goes: %v", torn.err))
	}
	s.List = append(s.List, warc.Source{Name: name, Location: location, R: f, Size: n})
	return nil
}

// tornReader ends where its reader fails, and remembers how.
type tornReader struct {
	r   io.Reader
	err error
}

func (t *tornReader) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		t.err, err = err, io.EOF
	}
	return n, err
}

// failing is a file that remembers that it could not be read: that is not the fault of what is in it.
type failing struct {
	io.ReaderAt
	broken atomic.Bool
}

func (f *failing) failed() bool { return f.broken.Load() }

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.ReaderAt.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		f.broken.Store(true)
	}
	return n, err
}

// Signs at the begin of a frame (RFC 8878 §3.1): a frame, and one to be skipped, in which WARC files keep their dictionary.
const (
	zstdFrame      = 0xFD2FB528
	zstdDictionary = 0x184D2A5D
	maxDictionary  = 16 << 20 // bytes
)

func isZstd(head []byte) bool {
	if len(head) < 4 {
		return false
	}
	sign := binary.LittleEndian.Uint32(head)
	return sign == zstdFrame || sign == zstdDictionary
}

// zstandard unpacks a .warc.zst file, whose dictionary, if it has one, stands before the first frame, packed itself or not (IIPC,
// "Zstandard compression for WARC files 1.0").
func (s *Sources) zstandard(f File, within, temp string, inPlace bool) error {
	if inPlace {
		return ErrPacked
	}
	opts := []zstd.DOption{zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128 << 20)}
	var head [8]byte
	if _, err := f.R.ReadAt(head[:], 0); err != nil {
		return err
	}
	from := int64(0)
	if binary.LittleEndian.Uint32(head[:]) == zstdDictionary {
		n := int64(binary.LittleEndian.Uint32(head[4:]))
		if n > maxDictionary {
			return fmt.Errorf("its dictionary has %d bytes; %d are read at most", n, maxDictionary)
		}
		dict := make([]byte, n)
		if _, err := f.R.ReadAt(dict, 8); err != nil {
			return fmt.Errorf("read its dictionary: %w", err)
		}
		if isZstd(dict) {
			d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxDictionary))
			if err != nil {
				return err
			}
			dict, err = d.DecodeAll(dict, nil)
			d.Close()
			if err != nil {
				return fmt.Errorf("read its dictionary: %w", err)
			}
		}
		opts = append(opts, zstd.WithDecoderDicts(dict))
		from = 8 + n
	}
	d, err := zstd.NewReader(io.NewSectionReader(f.R, from, f.Size-from), opts...)
	if err != nil {
		return err
	}
	defer d.Close()
	return s.unpack(f.Name, f.Location, d, within, temp)
}

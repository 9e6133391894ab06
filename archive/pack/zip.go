package pack

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/flate"

	"linkstead/archive/warc"
)

// entry is a file within a ZIP file.
type entry struct {
	name      string
	method    uint16
	encrypted bool
	at, n     int64                         // where its bytes stand, packed
	open      func() (io.ReadCloser, error) // reads it unpacked
}

const maxDepth = 2 // of WACZ files in WACZ files

// wacz finds the WARC files of a WACZ (WACZ 1.1.1, "archive" directory), or of any ZIP file. Those that stand unpacked in it are read there.
func (s *Sources) wacz(f File, temp string, inPlace bool) error {
	z := &zipped{s: s, f: f, temp: temp, inPlace: inPlace}
	if err := z.file(f.R, 0, f.Size, "", 0); err != nil {
		return err
	}
	slices.SortFunc(z.taken, func(a, b warc.Part) int { return int(min(max(a.Offset-b.Offset, -1), 1)) })
	for i := 1; i < len(z.taken); i++ {
		if p := z.taken[i-1]; p.Length > z.taken[i].Offset-p.Offset {
			return fmt.Errorf("%s and %s share bytes of it", p.Name, z.taken[i].Name)
		}
	}
	if len(z.parts) > 0 {
		slices.SortFunc(z.parts, func(a, b warc.Part) int { return int(min(max(a.Offset-b.Offset, -1), 1)) })
		whole := warc.Source{Name: f.Name, Location: f.Location, R: f.R, Size: f.Size, Parts: z.parts}
		s.List = append([]warc.Source{whole}, s.List...)
	}
	if len(s.List) == 0 {
		why := "it is a ZIP file without WARC files: a WACZ has them in its folder archive/"
		if len(s.Passed) > 0 {
			why += "; " + s.Passed[0]
		}
		return errors.New(why)
	}
	return nil
}

// zipped is a ZIP file while it is looked through.
type zipped struct {
	s       *Sources
	f       File
	temp    string
	inPlace bool
	entries int
	taken   []warc.Part // the bytes that were taken, packed or not
	parts   []warc.Part // those that are read where they are
}

// file takes what a ZIP file holds that stands at base of the file; depth is in how many others it stands.
func (z *zipped) file(r io.ReaderAt, base, size int64, within string, depth int) error {
	list, err := zipEntries(r, size)
	if errors.Is(err, zip.ErrFormat) { // its end, where the list is, is not there
		if list, err = walkZip(r, size); err == nil {
			z.s.pass(within, "the ZIP file has no end that can be read: what begins in it was taken, one by one")
		}
	}
	if err != nil {
		return fmt.Errorf("it is no ZIP file that can be read: %w", err)
	}
	if z.entries += len(list); z.entries > maxEntries {
		return fmt.Errorf("it is a ZIP file of over %d entries; that many are read at most", maxEntries)
	}
	for _, e := range list {
		name := within + e.name
		err := z.entry(r, base, name, e, depth)
		if err != nil && (z.s.source.failed() || errors.Is(err, ErrPacked) || errors.Is(err, errTemp)) {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err != nil { // one that is damaged takes no other with it
			z.s.pass(name, err.Error())
		}
	}
	return nil
}

// entry takes one file, if it is an archive; else it is passed over, and told of where it could be one.
func (z *zipped) entry(r io.ReaderAt, base int64, name string, e entry, depth int) error {
	kind := kindOf(e.name)
	switch {
	case e.name == pagesName:
		z.pages(name, e)
		return nil
	case kind == "":
		if strings.HasPrefix(strings.ToLower(e.name), "archive/") && !strings.HasSuffix(e.name, "/") {
			z.s.pass(name, "its name is not that of a WARC file")
		}
		return nil
	case e.encrypted:
		z.s.pass(name, "it is encrypted")
		return nil
	case e.method != zip.Store && e.method != zip.Deflate:
		z.s.pass(name, fmt.Sprintf("it is packed by method %d, which is not known here", e.method))
		return nil
	case e.method != zip.Store && kind != kindWARC:
		z.s.pass(name, "it is packed twice: take it out of the ZIP file, and import it by itself")
		return nil
	case kind == kindWACZ && depth >= maxDepth:
		z.s.pass(name, "it stands in too many others")
		return nil
	}
	part := warc.Part{Name: name, Offset: base + e.at, Length: e.n}
	switch in := io.NewSectionReader(r, e.at, e.n); {
	case kind == kindWACZ:
		return z.file(in, base+e.at, e.n, name+"!/", depth+1)
	case kind == kindZstd:
		z.taken = append(z.taken, part)
		return z.s.zstandard(File{Name: z.f.Name + "!/" + name, Location: z.f.Location, R: in, Size: e.n}, name, z.temp, z.inPlace)
	case e.method == zip.Store:
		z.taken, z.parts = append(z.taken, part), append(z.parts, part)
		return nil
	case z.inPlace:
		return ErrPacked
	}
	z.taken = append(z.taken, part)
	in, err := e.open()
	if err != nil {
		return err
	}
	return errors.Join(z.s.unpack(z.f.Name+"!/"+name, z.f.Location, in, name, z.temp), in.Close())
}

// pagesName is the list of a WACZ's pages (WACZ 1.1.1, "pages" directory). Further lists are of what was found on the way: those are no posts.
const pagesName = "pages/pages.jsonl"

// pages reads the list of pages. One that can't be read is passed over, as far as it can't.
func (z *zipped) pages(name string, e entry) {
	why := ""
	switch {
	case e.encrypted:
		why = "it is encrypted"
	case e.method != zip.Store && e.method != zip.Deflate:
		why = fmt.Sprintf("it is packed by method %d, which is not known here", e.method)
	default:
		in, err := e.open()
		if err == nil {
			err = errors.Join(z.s.Pages.Read(in), in.Close())
		}
		if err != nil {
			why = "it can't be read to its end: " + err.Error()
		}
	}
	if why != "" {
		z.s.pass(name, why)
	}
}

// Kinds of archives within a ZIP file.
const (
	kindWARC = "warc"
	kindZstd = "zst"
	kindWACZ = "wacz"
)

// kindOf is the kind of archive that a name tells of; "" if of none.
func kindOf(name string) string {
	name = strings.ToLower(name)
	bare := strings.TrimSuffix(name, ".gz")
	switch {
	case strings.HasSuffix(bare, ".warc"), strings.HasSuffix(bare, ".arc"):
		return kindWARC
	case strings.HasSuffix(name, ".warc.zst"), strings.HasSuffix(name, ".arc.zst"):
		return kindZstd
	case strings.HasSuffix(name, ".wacz"):
		return kindWACZ
	}
	return ""
}

// zipEntries lists a ZIP file by its central directory, and makes sure that what is named stands in it.
func zipEntries(r io.ReaderAt, size int64) ([]entry, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, err
	}
	if len(z.File) > maxEntries {
		return nil, fmt.Errorf("%d entries; %d are read at most", len(z.File), maxEntries)
	}
	var list []entry
	for _, e := range z.File {
		at := int64(0)
		if kindOf(e.Name) != "" {
			if at, err = e.DataOffset(); err != nil {
				return nil, fmt.Errorf("%s: %w", e.Name, err)
			}
			if at > size || e.CompressedSize64 > uint64(size-at) {
				return nil, fmt.Errorf("%s: it has %d bytes, more than the file", e.Name, e.CompressedSize64)
			}
			if e.Method == zip.Store && e.CompressedSize64 != e.UncompressedSize64 {
				return nil, fmt.Errorf("%s: it stands unpacked, with two lengths: %d and %d bytes", e.Name, e.CompressedSize64, e.UncompressedSize64)
			}
		}
		list = append(list, entry{
			name: e.Name, method: e.Method, encrypted: e.Flags&1 != 0, at: at, n: int64(e.CompressedSize64 & (1<<63 - 1)), open: e.Open,
		})
	}
	return list, nil
}

// Sizes and signs of ZIP files (APPNOTE.TXT §4.3).
const (
	localHeader    = 30
	signLocal      = "PK\x03\x04"
	signDescriptor = "PK\x07\x08"
	zip64Extra     = 1
)

// walkZip lists a ZIP file without a central directory by the headers before its files, as far as they go. The last may be cut.
func walkZip(r io.ReaderAt, size int64) ([]entry, error) {
	var list []entry
	for pos := int64(0); pos+localHeader <= size && len(list) <= maxEntries; {
		var head [localHeader]byte
		if _, err := r.ReadAt(head[:], pos); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if string(head[:4]) != signLocal {
			break
		}
		le := binary.LittleEndian
		flags, names := le.Uint16(head[6:]), make([]byte, int64(le.Uint16(head[26:]))+int64(le.Uint16(head[28:])))
		if n, err := r.ReadAt(names, pos+localHeader); n < len(names) {
			if !errors.Is(err, io.EOF) {
				return nil, err
			}
			break
		}
		name, extra := string(names[:le.Uint16(head[26:])]), names[le.Uint16(head[26:]):]
		e := entry{name: name, method: le.Uint16(head[8:]), encrypted: flags&1 != 0, at: pos + localHeader + int64(len(names))}
		n, next := localSize(uint64(le.Uint32(head[18:])), uint64(le.Uint32(head[22:])), extra), int64(-1)
		if flags&8 != 0 && n == 0 {
			found, err := descriptor(r, e.at, size)
			if err != nil {
				return nil, err
			}
			n, next = uint64(found-e.at), found+16
		}
		if left := size - e.at; n > uint64(max(0, left)) {
			n = uint64(max(0, left)) // the cut goes through it
		}
		if e.n = int64(n); next < 0 {
			next = e.at + e.n
		}
		e.open = func() (io.ReadCloser, error) {
			in := io.NewSectionReader(r, e.at, e.n)
			if e.method == zip.Store {
				return io.NopCloser(in), nil
			}
			return flate.NewReader(in), nil
		}
		list = append(list, e)
		if pos = next; flags&8 != 0 {
			var err error
			if pos, err = behindDescriptor(r, pos, size); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// localSize is the size of a packed file by the header before it, which may have it in a ZIP64 field (§4.5.3).
func localSize(packed, unpacked uint64, extra []byte) uint64 {
	if packed != 1<<32-1 {
		return packed
	}
	le := binary.LittleEndian
	for len(extra) >= 4 {
		id, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			break
		}
		skip := 0
		if unpacked == 1<<32-1 {
			skip = 8
		}
		if id == zip64Extra && n >= skip+8 {
			return le.Uint64(extra[skip:])
		}
		extra = extra[n:]
	}
	return packed
}

// descriptor finds where the file ends that begins at an offset, by the descriptor behind it, which has its length (§4.3.9); the end of all if
// there is none.
func descriptor(r io.ReaderAt, at, size int64) (int64, error) {
	buf := make([]byte, 256<<10)
	for from := at; from < size; {
		n, err := r.ReadAt(buf[:min(int64(len(buf)), size-from)], from)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		for i := 0; i+16 <= n; i++ {
			k := bytes.Index(buf[i:n], []byte(signDescriptor))
			if k < 0 || i+k+16 > n {
				break
			}
			i += k
			if uint64(binary.LittleEndian.Uint32(buf[i+8:])) == uint64(from+int64(i)-at)&(1<<32-1) {
				return from + int64(i), nil
			}
		}
		if n < 32 || from+int64(n) >= size {
			break
		}
		from += int64(n) - 16
	}
	return size, nil
}

// behindDescriptor is where the next file begins, at or little behind an offset: descriptors are of several lengths.
func behindDescriptor(r io.ReaderAt, at, size int64) (int64, error) {
	var b [32]byte
	n, err := r.ReadAt(b[:min(int64(len(b)), max(0, size-at))], at)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if k := bytes.Index(b[:n], []byte(signLocal)); k >= 0 {
		return at + int64(k), nil
	}
	return size, nil
}

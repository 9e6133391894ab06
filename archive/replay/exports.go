package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"linkstead/archive/pack"
	"linkstead/storage"
)

// Exports are the files that are published; see pack.Shelf.
type Exports interface {
	List(ctx context.Context, bad func(name string, err error)) ([]pack.Published, error)
	Look(ctx context.Context, name string) (pack.Published, error)
	Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error)
}

var _ Exports = (*pack.Shelf)(nil)

// exportsRoot begins the paths of published files, and is that of their list.
const exportsRoot = assetRoot + "exports/"

// exportRow is a published file in the list.
type exportRow struct {
	Name, Title, When, ISO, Size, Path string
}

// exports serves the published files and their list: at the origin itself, for any program, and for scripts of the sites of viewers.
func (h *Handler) exports(w http.ResponseWriter, r *http.Request, site, name string) {
	if h.Exports == nil {
		h.plain(w, r, http.StatusNotFound, "Nothing is here.\n")
		return
	}
	h.lend(w, r)
	switch {
	case r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "":
		h.plain(w, r, http.StatusNoContent, "")
	case !reads(r):
		h.disallow(w, r, "GET, HEAD")
	case site != "":
		h.leadHome(w, r, exportsRoot+name)
	case name == "":
		h.listExports(w, r)
	default:
		h.export(w, r, name)
	}
}

// lend lets scripts of the viewers' sites read published files, never with credentials (Fetch standard, CORS protocol). A range counted from
// the end needs a preflight.
func (h *Handler) lend(w http.ResponseWriter, r *http.Request) {
	origin := r.Header.Get("Origin")
	head := w.Header()
	if origin == "" || origin == "null" || !slices.Contains(h.Viewers, origin) && !slices.Contains(h.Viewers, "*") {
		return
	}
	head.Set("Access-Control-Allow-Origin", origin)
	head.Set("Access-Control-Expose-Headers", "Accept-Ranges, Content-Disposition, Content-Encoding, Content-Length, Content-Range, ETag, Last-Modified")
	if r.Method != http.MethodOptions {
		return
	}
	head.Set("Access-Control-Allow-Methods", "GET, HEAD")
	head.Set("Access-Control-Allow-Headers", "Range, If-Range, If-None-Match, If-Match, If-Modified-Since")
	head.Set("Access-Control-Max-Age", "600")
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		head.Set("Access-Control-Allow-Private-Network", "true")
	}
}

// export serves a published file, whole or in ranges (RFC 9110 §14).
func (h *Handler) export(w http.ResponseWriter, r *http.Request, name string) {
	name, _, _ = strings.Cut(name, "?")
	p, err := h.Exports.Look(r.Context(), name)
	if err == nil || errors.Is(err, pack.ErrClosed) {
		if !h.named(r, p.Collection) {
			err = storage.ErrNotFound
		}
	}
	switch {
	case errors.Is(err, storage.ErrNotFound):
		h.plain(w, r, http.StatusNotFound, "No file of this name is published. The list of those that are: "+h.originOf("")+exportsRoot+"\n")
		return
	case errors.Is(err, pack.ErrClosed):
		h.plain(w, r, http.StatusForbidden, "This file is closed: it was made before a rule of the archive, or a removal, that is about something in it. A new export has the rest.\n")
		return
	case err != nil:
		if r.Context().Err() == nil {
			h.Log.Error("look at a published file", "file", name, "error", err)
		}
		h.plain(w, r, http.StatusServiceUnavailable, "This file can't be read now. Trying again may help.\n")
		return
	}
	head := w.Header()
	h.ownHeaders(head)
	head.Set("Vary", "Origin")
	head.Set("Cache-Control", "no-cache") // a rule may close it
	head.Set("Content-Type", "application/wacz")
	head.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	head.Set("ETag", p.Tag)
	body := &blobSeeker{open: func(off, n int64) (io.ReadCloser, error) { return h.Exports.Open(r.Context(), name, off, n) }, size: p.Size}
	defer body.Close() //nolint:errcheck // it was only read
	http.ServeContent(w, satisfiable(r, p.Size), "", p.Created, body)
}

// satisfiable is r, where a range of no bytes at the end is asked for as one that begins there: http.ServeContent answers the former with
// a range that is none, and the latter with 416 (RFC 9110 §14.1.2).
func satisfiable(r *http.Request, size int64) *http.Request {
	want, ok := parseRange(r.Header.Get("Range"))
	if !ok || want.first >= 0 || want.suffix > 0 {
		return r
	}
	r = r.Clone(r.Context())
	r.Header.Set("Range", fmt.Sprintf("bytes=%d-", size))
	return r
}

// named says whether a reader may be told of a collection's files.
func (h *Handler) named(r *http.Request, collection string) bool {
	a := address{name: collection}
	if collection == h.Collection {
		return true
	}
	_, ok := h.served(r, &a)
	return ok
}

func (h *Handler) listExports(w http.ResponseWriter, r *http.Request) {
	all, err := h.Exports.List(r.Context(), func(name string, err error) {
		h.Log.Warn("look at a published file", "file", name, "error", err)
	})
	if err != nil {
		h.Log.Error("list published files", "error", err)
		h.plain(w, r, http.StatusServiceUnavailable, "The list can't be made now. Trying again may help.\n")
		return
	}
	data := pageData{Title: "Files to take away"}
	for _, p := range all {
		if p.Closed || !h.named(r, p.Collection) {
			continue
		}
		row := exportRow{Name: p.Name, Title: p.Title, When: when(p.Created), ISO: iso(p.Created), Size: sizeOf(p.Size), Path: exportsRoot + p.Name}
		data.Exports = append(data.Exports, row)
	}
	h.page(w, r, http.StatusOK, "exports", data)
}

// sizeOf tells bytes for people.
func sizeOf(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d KiB", (n+1023)/1024)
}

// blobSeeker reads a blob as http.ServeContent does: it goes to a place and reads on from there. It asks for little at first, and for more
// as long as more is read, so that a short range costs no long one.
type blobSeeker struct {
	open     func(off, n int64) (io.ReadCloser, error)
	size, at int64
	in       io.ReadCloser
	left     int64 // of in
	ask      int64
}

const (
	firstAsk = 256 << 10
	mostAsk  = 8 << 20
)

// Seek implements io.Seeker.
func (b *blobSeeker) Seek(off int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		off += b.at
	case io.SeekEnd:
		off += b.size
	}
	if off < 0 {
		return 0, errors.New("seek before the begin")
	}
	if off != b.at {
		_ = b.Close()
		b.ask = 0
	}
	b.at = off
	return off, nil
}

// Read implements io.Reader.
func (b *blobSeeker) Read(p []byte) (int, error) {
	if b.at >= b.size {
		return 0, io.EOF
	}
	if b.in != nil && b.left == 0 {
		if err := b.Close(); err != nil {
			return 0, err
		}
	}
	if b.in == nil {
		b.ask = min(max(firstAsk, 2*b.ask), mostAsk)
		b.left = min(b.ask, b.size-b.at)
		var err error
		if b.in, err = b.open(b.at, b.left); err != nil {
			b.in = nil
			return 0, err
		}
	}
	n, err := b.in.Read(p[:min(int64(len(p)), b.left)])
	b.at += int64(n)
	b.left -= int64(n)
	if errors.Is(err, io.EOF) {
		if b.left > 0 {
			return n, io.ErrUnexpectedEOF
		}
		err = nil
	}
	return n, err
}

// Close ends what is being read.
func (b *blobSeeker) Close() error {
	if b.in == nil {
		return nil
	}
	err := b.in.Close()
	b.in = nil
	return err
}

var _ io.ReadSeekCloser = (*blobSeeker)(nil)

package warc

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
	"strings"

	"linkstead/storage"
)

// copySum copies a segment and makes sure of its checksum, if that is known.
func copySum(to io.Writer, from io.Reader, sum string) error {
	h := sha256.New()
	if _, err := copyFrom(io.MultiWriter(to, h), from); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); sum != "" && got != sum {
		return fmt.Errorf("the store holds SHA-256 %s, and %s was stored: %w", got, sum, storage.ErrDamaged)
	}
	return nil
}

// fresh is a new segment being written.
type fresh struct {
	out  *bufio.Writer
	hash hash.Hash
	size int64
}

func (f *fresh) Write(p []byte) (int, error) {
	n, err := f.out.Write(p)
	f.hash.Write(p[:n])
	f.size += int64(n)
	return n, err
}

// group writes a group and frees it.
func (f *fresh) group(g *Group) error {
	_, err := g.WriteTo(f)
	return errors.Join(err, g.Release())
}

// write writes a segment anew: a warcinfo record of its own, the note, and then, from the old warcinfo record on, byte for
// byte, all that stays.
func (b *batch) write(ctx context.Context, rw *rewrite) error {
	rw.path = b.newPath(rw)
	file, err := b.FS.OpenFile(rw.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		rw.path = ""
		return err
	}
	f := &fresh{out: bufio.NewWriterSize(file, 256<<10), hash: sha256.New()}
	err = b.head(ctx, rw, f)
	if err == nil && Imported(rw.row.ID) {
		err = b.bodyImported(ctx, rw, f)
	} else if err == nil {
		err = b.body(ctx, rw, f)
	}
	if err == nil {
		err = errors.Join(f.out.Flush(), file.Sync())
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	rw.sum = hex.EncodeToString(f.hash.Sum(nil))
	rw.written = f.size
	if !rw.outer {
		rw.row.Size, rw.row.Committed, rw.row.SHA256 = f.size, f.size, rw.sum
	}
	return nil
}

func (b *batch) head(ctx context.Context, rw *rewrite, f *fresh) error {
	info := b.Info
	info.At, info.Filename, info.IsPartOf, info.Hostname = b.Now().UTC(), rw.row.ID+segmentSuffix, rw.row.Collection, b.Node
	if Imported(rw.row.ID) {
		info.Robots, info.UserAgent, info.From = "", "", "" // whoever made the captures says that
	}
	if err := info.describe(ctx, b.Collection); err != nil {
		return err
	}
	g, err := b.Composer.Warcinfo(info)
	if err != nil {
		return err
	}
	infoID := g.Members[0].RecordID
	if err := f.group(g); err != nil {
		return err
	}
	note, err := rw.note.document(b.Composer, infoID)
	if err != nil {
		return err
	}
	return f.group(note)
}

func (b *batch) body(ctx context.Context, rw *rewrite, f *fresh) error {
	for u, err := range Exchanges(rw.file, 0, rw.rows.Segment.Size) {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		goes, err := b.goes(rw, u)
		if err != nil {
			return err
		}
		if goes {
			continue
		}
		rw.count(u)
		for i := range u.Records {
			if err := b.copyRecord(ctx, rw, u, &u.Records[i], f); err != nil {
				return err
			}
		}
	}
	return nil
}

// count adds what a unit that stays came to to the new segment's ledger.
func (rw *rewrite) count(u *Unit) {
	if u.Closing == nil {
		return
	}
	end, _ := unitEnd(rw.row.Collection, rw.row.ID, u, rw.file) // its error is of a post's record, which counts for nothing here
	if _, promoted := rw.holds[u.rowOffset()]; promoted {
		end.Captures[0].Kind = KindResponse
	}
	rw.ledger.Add(&end)
}

// goes says whether a unit is left out. A record that voids an exchange goes with the exchange.
func (b *batch) goes(rw *rewrite, u *Unit) (bool, error) {
	if u.Closing != nil {
		return rw.out[u.rowOffset()], nil
	}
	if u.Voids != "" {
		return true, nil
	}
	if h := &u.Last().Header; isCertificates(h) {
		return !rw.servers[strings.TrimPrefix(h.URL(), certificateURN)], nil
	}
	if len(b.order.Forget) == 0 || u.Last().Header.Get(fieldContentType) != MimeRun {
		return false, nil
	}
	var run storage.Run
	if err := u.Last().decode(rw.file, &run); err != nil {
		return false, err
	}
	return slices.Contains(b.order.Forget, run.ID), nil
}

// copyRecord copies a member as it is, or writes the response that a revisit becomes, and notes where it stands now.
func (b *batch) copyRecord(ctx context.Context, rw *rewrite, u *Unit, r *Found, f *fresh) error {
	start := f.size
	if u.Closing != nil && r.Offset == u.rowOffset() {
		rw.mains[r.Offset] = start
	} else if u.Closing != nil {
		rw.extras[r.Offset] = start
	}
	from, ok := rw.holds[r.Offset]
	if !ok {
		_, err := copyFrom(f, io.NewSectionReader(rw.file, r.Offset, r.Length))
		return err
	}
	g, err := b.promote(ctx, rw.file, r, from)
	if err != nil {
		return fmt.Errorf("give the copy of %s its payload: %w", u.URL(), err)
	}
	rw.lengths[r.Offset] = g.Members[0].Length
	return f.group(g)
}

// promote makes the response that a revisit becomes: its own head, and the payload that it referred to, in the framing that
// the head announces. It keeps its name, for it is the record of the same exchange, and everything refers to it by that. The head
// of a page that was not modified is what a cache would show (RFC 9111 §3.2): the original's, updated by the 304, which stands
// behind it as it came.
func (b *batch) promote(ctx context.Context, file io.ReaderAt, r *Found, from original) (*Group, error) {
	block := storage.NewSpill(b.Composer.Dir, 1<<20)
	g, err := b.fill(ctx, block, file, r, from)
	if err != nil {
		return nil, errors.Join(err, block.Reset())
	}
	return g, block.Reset()
}

func (b *batch) fill(ctx context.Context, block *storage.Spill, file io.ReaderAt, r *Found, from original) (*Group, error) {
	rec, err := r.Open(file)
	if err != nil {
		return nil, err
	}
	defer rec.Close() //nolint:errcheck // it frees buffers alone
	own, err := io.ReadAll(io.LimitReader(rec.Block, maxHead+1))
	if err != nil {
		return nil, err
	}
	orig, err := b.openOriginal(ctx, from)
	if err != nil {
		return nil, err
	}
	defer orig.Close() //nolint:errcheck // it frees buffers alone
	head, payload, err := orig.HTTP()
	if err != nil {
		return nil, err
	}
	if r.NotModified() || r.Head.Len == 0 { // a record of another program may have kept no head
		head = head.Updated(r.Head)
		_, err = block.Write(head.Append(nil))
	} else {
		head = r.Head
		_, err = block.Write(own)
	}
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	var to io.WriteCloser = unframed{block}
	if codings := head.Tokens("Transfer-Encoding"); len(codings) > 0 && strings.EqualFold(codings[len(codings)-1], "chunked") {
		to = chunked{block}
	}
	if _, err := copyFrom(io.MultiWriter(to, h), payload); err != nil {
		return nil, err
	}
	if err := to.Close(); err != nil {
		return nil, err
	}
	if got := Digest([32]byte(h.Sum(nil))); !from.named && got != r.Digest() {
		return nil, fmt.Errorf("its payload has digest %s, not %s: %w", got, r.Digest(), storage.ErrDamaged)
	}
	g, err := b.response(r, spillBlock(block, block.Size()))
	if err == nil && r.NotModified() {
		if err = b.asItCame(g, r, own); err != nil {
			err = errors.Join(err, g.Release())
		}
	}
	return g, err
}

// mimeMessage is the type of the record that keeps a 304 whose page has become a response.
const mimeMessage = "message/http"

// asItCame adds the head of a 304 to the response that takes its place.
func (b *batch) asItCame(g *Group, r *Found, head []byte) error {
	k := &composition{
		Group: g, opts: &Options{WarcinfoID: r.Header.Get(fieldWarcinfo)}, url: r.Header.URL(), ip: r.Header.Get(fieldIP),
		at: r.Header.Date(), anchor: r.Header.ID(),
	}
	return k.record(TypeMetadata, newRecordID(), mimeMessage, memBlock(head), nil)
}

// response writes a revisit's record as that of a response.
func (b *batch) response(r *Found, body block) (*Group, error) {
	sum, err := body.sum()
	if err != nil {
		return nil, err
	}
	w := headerWriter{buf: append([]byte(version), "\r\n"...)}
	for _, f := range r.Header.Fields {
		switch strings.ToLower(f.Name) {
		case strings.ToLower(fieldType):
			w.add(fieldType, string(TypeResponse))
		case strings.ToLower(fieldProfile), strings.ToLower(fieldRefersTo), strings.ToLower(fieldRefersURI),
			strings.ToLower(fieldRefersDate), strings.ToLower(fieldBlockDigest), strings.ToLower(fieldLength):
		default:
			w.add(f.Name, f.Value)
		}
	}
	w.addDigest(fieldBlockDigest, sum)
	header, err := w.end(body.size)
	if err != nil {
		return nil, err
	}
	g := b.Composer.newGroup()
	if err := g.append(TypeResponse, r.Header.ID(), header, body); err != nil {
		return nil, errors.Join(err, g.Release())
	}
	return g, nil
}

// unframed writes a body that ends with its length.
type unframed struct{ io.Writer }

func (unframed) Close() error { return nil }

// chunked writes a body in chunks (RFC 9112 §7.1).
type chunked struct{ w io.Writer }

func (c chunked) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	var head bytes.Buffer
	fmt.Fprintf(&head, "%x\r\n", len(p))
	for _, part := range [][]byte{head.Bytes(), p, []byte("\r\n")} {
		if _, err := c.w.Write(part); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Close writes the last chunk.
func (c chunked) Close() error {
	_, err := io.WriteString(c.w, "0\r\n\r\n")
	return err
}

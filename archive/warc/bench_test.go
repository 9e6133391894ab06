package warc

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/nlnwa/gowarc"

	"linkstead/storage"
)

// page is an exchange like those of a documentation site: 100 KB of HTML with 200 outlinks.
func page(b *testing.B) (*Exchange, *Meta) {
	var body strings.Builder
	for i := 0; body.Len() < 100<<10; i++ {
		fmt.Fprintf(&body, "<p id=p%d>The %dth paragraph has <a href=\"/library/m%d.html\">a link</a> and %x.</p>\n", i, i, i%311, sha256.Sum256([]byte{byte(i)}))
	}
	meta := testMeta(1)
	for i := range 200 {
		meta.Outlinks = append(meta.Outlinks, Outlink{URL: fmt.Sprintf("http://docs.python.test/library/m%d.html", i), Hop: 'L', Context: "a/@href"})
	}
	return exchangeOf(b, "http://docs.python.test/library/index.html", okResponse(body.String())), meta
}

func BenchmarkCompose(b *testing.B) {
	ex, meta := page(b)
	c := Composer{Dir: b.TempDir()}
	b.SetBytes(ex.Response.Size())
	b.ReportAllocs()
	for b.Loop() {
		g, err := c.Compose(ex, meta, Options{WarcinfoID: "<urn:uuid:0>"})
		if err != nil {
			b.Fatal(err)
		}
		if err := g.Release(); err != nil {
			b.Fatal(err)
		}
	}
}

// One record by our own header writer, and by gowarc's builder and marshaler.
func BenchmarkRecord(b *testing.B) {
	ex, _ := page(b)
	c := Composer{Dir: b.TempDir()}
	b.Run("own", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(ex.Response.Size())
		for b.Loop() {
			k := &composition{Group: c.newGroup(), opts: &Options{}, url: ex.URL, ip: ex.IP, at: ex.At}
			if err := k.answer(ex, newRecordID()); err != nil {
				b.Fatal(err)
			}
			if err := k.Release(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("gowarc", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(ex.Response.Size())
		spill := storage.NewSpill(b.TempDir(), 1<<20)
		z, _ := gzip.NewWriterLevel(io.Discard, gzipLevel)
		for b.Loop() {
			if err := spill.Reset(); err != nil {
				b.Fatal(err)
			}
			z.Reset(spill)
			if err := gowarcRecord(z, ex); err != nil {
				b.Fatal(err)
			}
			if err := z.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func gowarcRecord(w io.Writer, ex *Exchange) error {
	block, _ := ex.Response.Bytes()
	rb := gowarc.NewRecordBuilder(gowarc.Response, gowarc.WithNoValidation(), gowarc.WithFixDigest(false),
		gowarc.WithAddMissingDigest(false), gowarc.WithFixSyntaxErrors(false))
	rb.AddWarcHeader(fieldID, newRecordID())
	rb.AddWarcHeader(fieldDate, formatDate(ex.At))
	rb.AddWarcHeader(fieldURI, ex.URL)
	rb.AddWarcHeader(fieldIP, ex.IP)
	rb.AddWarcHeader(fieldContentType, mimeResponse)
	rb.AddWarcHeader(fieldPayloadDigest, Digest(ex.Payload.SHA256))
	rb.AddWarcHeader(fieldBlockDigest, Digest(sha256.Sum256(block)))
	rb.AddWarcHeaderInt64(fieldLength, int64(len(block)))
	if _, err := rb.Write(block); err != nil {
		return err
	}
	rec, _, err := rb.Build()
	if err != nil {
		return err
	}
	if _, _, err := gowarc.NewMarshaler().Marshal(w, rec, 0); err != nil {
		return err
	}
	return rec.Close()
}

func benchSegment(b *testing.B) []byte {
	ex, meta := page(b)
	s := newTestSegment(b)
	for range 100 {
		s.add(s.c.Compose(ex, meta, s.opts()))
	}
	return s.Bytes()
}

func BenchmarkExchanges(b *testing.B) {
	data := benchSegment(b)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range Exchanges(bytes.NewReader(data), 0, int64(len(data))) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	data := benchSegment(b)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if faults, err := Verify(bytes.NewReader(data), int64(len(data))); err != nil || len(faults) > 0 {
			b.Fatal(faults, err)
		}
	}
}

func BenchmarkReadMember(b *testing.B) {
	ex, meta := page(b)
	s := newTestSegment(b)
	p := s.add(s.c.Compose(ex, meta, s.opts()))
	m := p.members[1]
	data := s.Bytes()[p.offset+m.Offset : p.offset+m.Offset+m.Length]
	b.SetBytes(ex.Response.Size())
	b.ReportAllocs()
	for b.Loop() {
		rec, err := ReadMember(bytes.NewReader(data))
		if err != nil {
			b.Fatal(err)
		}
		_, body, err := rec.HTTP()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			b.Fatal(err)
		}
		if err := rec.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

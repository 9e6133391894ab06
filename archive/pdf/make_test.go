package pdf

import (
	"bytes"
	"compress/zlib"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"fmt"
	"sort"
	"strings"
)

// maker makes small PDFs.
type maker struct {
	objects map[int]string
	raw     map[int][]byte // of streams, as they are to be written
	pack    bool           // objects go into an object stream, and the table into a stream
	key     []byte         // of an encrypted file; AESV2
	trailer string
}

func newMaker() *maker { return &maker{objects: map[int]string{}, raw: map[int][]byte{}} }

// stream adds a stream; more are further entries of its dictionary.
func (m *maker) stream(num int, more string, body []byte) {
	if m.key != nil {
		body = sealed(m.key, num, body)
	}
	m.objects[num] = fmt.Sprintf("<< /Length %d %s >>", len(body), more)
	m.raw[num] = body
}

func deflated(s string) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.Bytes()
}

// flate adds a compressed stream.
func (m *maker) flate(num int, more, body string) {
	m.stream(num, "/Filter /FlateDecode "+more, deflated(body))
}

func (m *maker) bytes() []byte {
	var out bytes.Buffer
	out.WriteString("%PDF-1.5\n%\xE2\xE3\xCF\xD3\n")
	var nums []int
	for n := range m.objects {
		nums = append(nums, n)
	}
	sort.Ints(nums)
	var head, body strings.Builder
	packed, top := 0, 0
	for _, n := range nums {
		top = max(top, n)
		raw, isStream := m.raw[n]
		switch {
		case isStream:
			fmt.Fprintf(&out, "%d 0 obj\n%s\nstream\n%s\nendstream\nendobj\n", n, m.objects[n], raw)
		case m.pack:
			fmt.Fprintf(&head, "%d %d ", n, body.Len())
			body.WriteString(m.objects[n] + " ")
			packed++
		default:
			fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", n, m.objects[n])
		}
	}
	if m.pack {
		z := deflated(head.String() + body.String())
		fmt.Fprintf(&out, "%d 0 obj\n<< /Type /ObjStm /N %d /First %d /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream\nendobj\n",
			top+1, packed, head.Len(), len(z), z)
		fmt.Fprintf(&out, "%d 0 obj\n<< /Type /XRef /Size %d /W [1 2 1] /Root 1 0 R /Info 2 0 R %s /Length 3 >>\nstream\nabc\nendstream\nendobj\nstartxref\n0\n%%%%EOF\n",
			top+2, top+3, m.trailer)
		return out.Bytes()
	}
	fmt.Fprintf(&out, "xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size %d /Root 1 0 R /Info 2 0 R %s >>\nstartxref\n0\n%%%%EOF\n", top+1, m.trailer)
	return out.Bytes()
}

// paper is a PDF of one page with a content stream, fonts and annotations.
func paper(content, fonts string, annots ...string) *maker {
	m := newMaker()
	m.objects[1] = "<< /Type /Catalog /Pages 3 0 R /Lang (en-GB) >>"
	m.objects[2] = "<< /Title (On bridges) /CreationDate (D:20160221103000+01'00') >>"
	m.objects[3] = "<< /Type /Pages /Kids [4 0 R] /Count 1 /Resources << /Font << " + fonts + " >> >> >>"
	m.objects[4] = "<< /Type /Page /Parent 3 0 R /Contents 5 0 R /Annots [" + strings.Join(annots, " ") + "] >>"
	m.flate(5, "", content)
	return m
}

// link is an annotation.
func link(rect, uri string) string {
	return "<< /Type /Annot /Subtype /Link /Rect [" + rect + "] /A << /S /URI /URI (" + uri + ") >> >>"
}

// plainFont is one of those that a file need not bring along.
const plainFont = "/F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"

// sealed encrypts as AESV2 does, with an initialisation vector of zeros.
func sealed(key []byte, num int, body []byte) []byte {
	k := append(bytes.Clone(key), byte(num), byte(num>>8), byte(num>>16), 0, 0)
	sum := md5.Sum(append(k, "sAlT"...))
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		panic(err)
	}
	n := 16 - len(body)%16
	padded := append(bytes.Clone(body), bytes.Repeat([]byte{byte(n)}, n)...)
	cipher.NewCBCEncrypter(block, make([]byte, 16)).CryptBlocks(padded, padded)
	return append(make([]byte, 16), padded...)
}

// locked makes an encrypted file of a paper: by AES, so that the empty password opens it, or not.
func locked(content string, open bool) []byte {
	o := strings.Repeat("o", 32)
	id := "0123456789abcdef"
	sum := md5.Sum([]byte(string(padding) + o + "\xFC\xFF\xFF\xFF" + id))
	for range 50 {
		sum = md5.Sum(sum[:])
	}
	m := newMaker()
	m.key = bytes.Clone(sum[:])
	check := md5.Sum(append(bytes.Clone(padding), id...))
	u := rc4ed(m.key, check[:])
	for i := 1; i < 20; i++ {
		k := bytes.Clone(m.key)
		for j := range k {
			k[j] ^= byte(i)
		}
		u = rc4ed(k, u)
	}
	if !open {
		u[0]++
	}
	m.objects[1] = "<< /Type /Catalog /Pages 3 0 R >>"
	m.objects[2] = fmt.Sprintf("<< /Title <%x> >>", sealed(m.key, 2, []byte("A sealed title")))
	m.objects[3] = "<< /Type /Pages /Kids [4 0 R] /Resources << /Font << " + plainFont + " >> >> >>"
	m.objects[4] = "<< /Type /Page /Contents 5 0 R >>"
	m.stream(5, "", []byte(content))
	m.objects[6] = fmt.Sprintf("<< /Filter /Standard /V 4 /R 4 /Length 128 /P -4 /O <%x> /U <%x> /CF << /StdCF << /CFM /AESV2 >> >> /StmF /StdCF /StrF /StdCF >>",
		o, append(u, make([]byte, 16)...))
	m.trailer = fmt.Sprintf("/Encrypt 6 0 R /ID [<%x> <%x>]", id, id)
	return m.bytes()
}

package warc

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"linkstead/archive/httpmsg"
)

// digest is a digest to be held against what it claims.
type digest struct {
	hash hash.Hash
	want []byte // nil: nothing is claimed
}

func (d digest) fits() bool { return bytes.Equal(d.hash.Sum(nil), d.want) }

// digestOf reads a labelled digest (WARC 1.1 §5.8), in base32 or hexadecimal. No digest at all claims nothing.
func digestOf(s string) (digest, error) {
	label, value, _ := strings.Cut(s, ":")
	d := digest{hash: sha256.New()}
	switch strings.ToLower(label) {
	case "":
		return d, nil
	case "sha256", "sha-256":
	case "sha1", "sha-1":
		d.hash = sha1.New()
	case "sha512", "sha-512":
		d.hash = sha512.New()
	case "md5":
		d.hash = md5.New()
	default:
		return d, fmt.Errorf("unknown algorithm %.20q", label)
	}
	sum, err := hex.DecodeString(value)
	if err != nil || len(sum) != d.hash.Size() {
		sum, err = base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(strings.TrimRight(value, "=")))
	}
	if err != nil || len(sum) != d.hash.Size() {
		return d, fmt.Errorf("%.100q is neither base32 nor hexadecimal of %d bytes", value, d.hash.Size())
	}
	d.want = sum
	return d, nil
}

// messageCheck follows an archived block as it passes by: it hashes its payload and sees where the message ends.
type messageCheck struct {
	typ     Type
	method  string // of the request, which a response's framing depends on; found here in a request
	payload hash.Hash

	head   []byte // until its end was found
	parsed httpmsg.Head
	scan   httpmsg.Scanner
	bad    error
	excess int64
	size   int64
}

func (c *messageCheck) Write(p []byte) (int, error) {
	n := len(p)
	c.size += int64(n)
	switch c.typ {
	case TypeResource:
		c.payload.Write(p)
		return n, nil
	case TypeRequest:
		if len(c.head) < 32 {
			c.head = append(c.head, p[:min(n, 32)]...)
			c.method, _, _ = strings.Cut(string(c.head), " ")
		}
		return n, nil
	case TypeResponse, TypeRevisit:
	default:
		return n, nil
	}
	if c.parsed.Len == 0 && c.bad == nil {
		p = c.readHead(p)
	}
	for len(p) > 0 && c.bad == nil && !c.scan.Done() {
		part, k, err := c.scan.Next(p)
		c.payload.Write(part)
		p, c.bad = p[k:], err
	}
	if c.bad == nil {
		c.excess += int64(len(p))
	}
	return n, nil
}

// readHead adds p to the head and returns what comes after it.
func (c *messageCheck) readHead(p []byte) []byte {
	from := len(c.head)
	c.head = append(c.head, p...)
	end := httpmsg.HeadEnd(c.head, from)
	if end < 0 {
		if len(c.head) > maxHead {
			c.bad = fmt.Errorf("a head of more than %d bytes", maxHead)
		}
		return nil
	}
	if c.parsed, c.bad = httpmsg.ParseHead(c.head[:end]); c.bad != nil {
		return nil
	}
	c.scan = httpmsg.NewScanner(c.parsed.Framing(c.method))
	return p[end-from:]
}

// judge says what is wrong with the message, once the block has passed.
func (c *messageCheck) judge(rec *Record, fault func(clause, format string, args ...any)) {
	if c.typ == TypeResource {
		return
	}
	switch {
	case c.parsed.Len == 0:
		fault("§6.3.2", "no complete HTTP head: %v", c.bad)
	case c.typ == TypeRevisit:
		if c.size != c.parsed.Len {
			fault("§6.7.2", "a revisit with more than the head")
		}
	case rec.Truncated() != "":
	case c.bad != nil:
		fault("§6.3.2", "the body is no HTTP body, and is not marked as truncated: %v", c.bad)
	case !c.scan.Complete():
		fault("§6.3.2", "the body lacks its end, and is not marked as truncated")
	case c.excess > 0:
		fault("§6.3.2", "%d bytes after the end of the message", c.excess)
	}
}

package warc

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
)

// emptySum is the digest of no bytes.
var emptySum = sha256.Sum256(nil)

// Digest writes a SHA-256 sum as WARC digests stand (WARC 1.1 §5.8, §5.9): "sha256:" and padded base32.
func Digest(sum [32]byte) string { return string(appendDigest(nil, sum)) }

func appendDigest(dst []byte, sum [32]byte) []byte {
	return base32.StdEncoding.AppendEncode(append(dst, "sha256:"...), sum[:])
}

// newRecordID makes a WARC-Record-ID (WARC 1.1 §5.2): a random UUID (RFC 9562 §5.4) as a URN in angle brackets.
func newRecordID() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // never fails: crypto/rand ends the process instead
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	b := append(make([]byte, 0, 48), "<urn:uuid:"...)
	for i, part := range [][]byte{u[:4], u[4:6], u[6:8], u[8:10], u[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return string(append(b, '>'))
}

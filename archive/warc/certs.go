package warc

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
)

// MimeCertificates is the media type of a record of certificates (RFC 8555 §9.1).
const MimeCertificates = "application/pem-certificate-chain"

// certificateURN begins the WARC-Target-URI of such a record; the fingerprint of the leaf follows.
const certificateURN = "urn:linkstead:certificate:"

// maxCertificates bounds the block of such a record, in bytes.
const maxCertificates = 256 << 10

// errCertificates says that a record of certificates is none.
var errCertificates = errors.New("not a chain of certificates")

// certificates composes the record of the certificates that a server showed: leaf first, as it sent them. One stands in a
// segment before the first exchange there that was made under them; closing records name it by the leaf's fingerprint.
func (c *Composer) certificates(t *TLS, at time.Time, opts Options) (*Group, error) {
	return c.Document(Document{
		URL: certificateURN + t.Fingerprint, ContentType: MimeCertificates, At: at, Body: encodeChain(t.Chain),
	}, opts)
}

func encodeChain(chain [][]byte) []byte {
	var b bytes.Buffer
	for _, der := range chain {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der}) // a buffer takes everything
	}
	return b.Bytes()
}

// Certificates reads the block of a record of certificates that stands under a WARC-Target-URI: each in DER, the leaf
// first. It is an error if the leaf does not have the fingerprint that the address tells.
func Certificates(url string, block []byte) ([][]byte, error) {
	fingerprint, ok := strings.CutPrefix(url, certificateURN)
	if !ok || len(block) > maxCertificates {
		return nil, errCertificates
	}
	var chain [][]byte
	for rest := block; len(bytes.TrimSpace(rest)) > 0; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil || b.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("%w: after %d of them", errCertificates, len(chain))
		}
		chain = append(chain, b.Bytes)
	}
	if len(chain) == 0 {
		return nil, errCertificates
	}
	if sum := sha256.Sum256(chain[0]); hex.EncodeToString(sum[:]) != fingerprint {
		return nil, fmt.Errorf("%w: the first is not the one of the address", errCertificates)
	}
	return chain, nil
}

// isCertificates says whether a record is one of ours that holds certificates.
func isCertificates(h *Header) bool {
	return h.Type() == TypeMetadata && h.Get(fieldContentType) == MimeCertificates && strings.HasPrefix(h.URL(), certificateURN)
}

// shown names the certificates of an exchange among those that a segment has; "" if it has none to tell.
func (e *Entry) shown() string {
	if e.Exchange == nil || e.Exchange.TLS == nil || len(e.Exchange.TLS.Chain) == 0 {
		return ""
	}
	h := sha256.New()
	for _, der := range e.Exchange.TLS.Chain {
		_, _ = h.Write(der) // a hash never fails; certificates tell their own length
	}
	return string(h.Sum(nil))
}

// aboutServer composes the record of the certificates that an entry was made under; nil if there are none, or they stand
// in the segment already.
func (j *Journal) aboutServer(seg *segment, e *Entry) (*Group, error) {
	shown := e.shown()
	j.mu.Lock()
	known := shown == "" || seg.servers[shown]
	j.mu.Unlock()
	if known {
		return nil, nil
	}
	return j.Composer.certificates(e.Exchange.TLS, e.Exchange.At, Options{WarcinfoID: seg.infoID})
}

// describeServer writes what aboutServer composed, unless somebody else has meanwhile. The lock is held.
func (s *segment) describeServer(about *Group, shown string) error {
	if about == nil {
		return nil
	}
	if s.servers[shown] {
		return about.Release()
	}
	if _, err := s.append(about); err != nil {
		return err
	}
	s.servers[shown] = true
	return nil
}

package warc

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// proof holds a payload against its digests as it passes by: that of its record and, if it is another one, that which it is
// wanted for. It is the one test of whether a payload is whole: for readers, for verify and for a rebuild.
type proof struct {
	digests []digest
	size    int64
}

func proofOf(h *Header, wanted string) *proof {
	p := &proof{}
	for _, claim := range []string{h.Get(fieldPayloadDigest), wanted} {
		if len(p.digests) > 0 && claim == h.Get(fieldPayloadDigest) {
			continue
		}
		if d, err := digestOf(claim); err == nil && d.want != nil { // one that can't be read claims nothing: verify tells
			p.digests = append(p.digests, d)
		}
	}
	return p
}

func (p *proof) Write(b []byte) (int, error) {
	for _, d := range p.digests {
		d.hash.Write(b)
	}
	p.size += int64(len(b))
	return len(b), nil
}

// judge says whether what has passed by was the payload: a TornError if not.
func (p *proof) judge() error {
	for _, d := range p.digests {
		if !d.fits() {
			return &TornError{Err: fmt.Errorf("the %d bytes of its payload are not those of the digest", p.size)}
		}
	}
	return nil
}

// prove reads a record to its end, and says whether its member and its payload are whole.
func (r *Record) prove(wanted string) error {
	if t := r.Header.Type(); t != TypeResponse && t != TypeResource {
		return r.Finish()
	}
	_, payload, err := r.HTTP()
	if err != nil {
		return err
	}
	p := proofOf(&r.Header, wanted)
	if _, err := copyFrom(p, payload); err != nil {
		return err
	}
	return errors.Join(p.judge(), r.Finish())
}

// proving reads a payload that is too long to be proven before it is sent. The last of it is held back until it is: whoever
// reads it never takes a damaged one for whole.
type proving struct {
	in      *bufio.Reader
	proof   *proof
	rest    func() error // reads what is left of the record
	damaged func()
	err     error
}

func (p *proving) Read(b []byte) (int, error) {
	if p.err != nil || len(b) == 0 {
		return 0, p.err
	}
	n, err := p.in.Read(b)
	_, _ = p.proof.Write(b[:n]) // never fails
	if err == nil {
		_, err = p.in.Peek(1)
	}
	if p.err = err; !errors.Is(err, io.EOF) {
		return n, nil // an error is that of the next reading
	}
	if err := errors.Join(p.proof.judge(), p.rest()); err != nil {
		p.damaged()
		p.err, n = err, 0
	}
	return n, p.err
}

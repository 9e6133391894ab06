package warc

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/nlnwa/gowarc"
)

// An Exemption names a way in which gowarc v1.6.0, reading strictly, finds fault with a record that is right. Verify
// judges those records instead.
type Exemption string

// The exemptions, all there are. The first two come of a reader that hashes the payload with the framing still on it, and
// that takes every block of application/http for a message with a complete head.
const (
	ExemptChunked Exemption = "dechunked payload digest" // §6.3.2: the payload is without transfer coding
	ExemptCutHead Exemption = "header-cut block"         // a request that was cut off before its head was out
	ExemptEmpty   Exemption = "empty block"              // gowarc would panic at the record after it
)

// strictly lets one strict read go on at a time: gowarc v1.6.0 sets a switch that google/uuid has for the whole process
// whenever it makes an unmarshaler, and two at once race.
var strictly sync.Mutex

// StrictRead reads the segment at path with gowarc, every policy set to fail, and with Verify, and lists what either
// finds. gowarc sees only members that the scan has proven whole: on others it loops without end. It is for tests; nothing
// in service depends on it.
func StrictRead(path string) ([]Fault, error) {
	strictly.Lock()
	defer strictly.Unlock()
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("strict read: %w", err)
	}
	faults, _, err := strictRead(f)
	return faults, errors.Join(err, f.Close())
}

// strictRead also tells how often each exemption was made.
func strictRead(f *os.File) ([]Fault, map[Exemption]int, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, nil, fmt.Errorf("strict read: %w", err)
	}
	faults, err := Verify(f, size)
	if err != nil || len(faults) > 0 {
		return faults, nil, err
	}
	exempt := map[Exemption]int{}
	for u, err := range Exchanges(f, 0, size) {
		if err != nil {
			return faults, exempt, err
		}
		for i := range u.Records {
			r := &u.Records[i]
			why, err := exemption(f, r)
			if err != nil {
				return faults, exempt, err
			}
			if why != "" {
				exempt[why]++
			}
			if why == ExemptEmpty || why == ExemptCutHead {
				continue
			}
			if err := gowarcRead(io.NewSectionReader(f, r.Offset, r.Length), why); err != nil {
				faults = append(faults, Fault{Offset: r.Offset, RecordID: r.Header.ID(), Clause: "gowarc", Detail: err.Error()})
			}
		}
	}
	return faults, exempt, nil
}

// exemption says why gowarc's judgement on a record does not count, if it does not.
func exemption(segment io.ReaderAt, f *Found) (Exemption, error) {
	t := f.Header.Type()
	if t != TypeRequest && t != TypeResponse && t != TypeRevisit {
		return "", nil
	}
	if f.Header.Length == 0 {
		return ExemptEmpty, nil
	}
	if t == TypeResponse && len(f.Head.Tokens("Transfer-Encoding")) > 0 {
		return ExemptChunked, nil
	}
	if t != TypeRequest {
		return "", nil
	}
	rec, err := f.Open(segment)
	if err != nil {
		return "", err
	}
	block, err := io.ReadAll(rec.Block)
	if err = errors.Join(err, rec.Close()); err != nil {
		return "", err
	}
	if !strings.Contains(string(block), "\r\n\r\n") {
		return ExemptCutHead, nil
	}
	return "", nil
}

// gowarcRead reads one member. The one fault that ExemptChunked covers is the payload digest.
func gowarcRead(member io.Reader, why Exemption) error {
	u := gowarc.NewUnmarshaler(gowarc.WithStrictValidation(), gowarc.WithBlockErrorPolicy(gowarc.ErrFail),
		gowarc.WithUnknownRecordTypePolicy(gowarc.ErrFail), gowarc.WithFixDigest(false), gowarc.WithFixSyntaxErrors(false),
		gowarc.WithFixContentLength(false), gowarc.WithAddMissingDigest(false))
	rec, _, validation, err := u.Unmarshal(bufio.NewReader(member))
	if err != nil && why == ExemptChunked && strings.HasPrefix(err.Error(), "payload: wrong digest") {
		err = nil
	}
	if err == nil && validation != nil && !validation.Valid() {
		err = validation
	}
	if rec != nil && rec.Block() != nil {
		err = errors.Join(err, rec.Close())
	}
	return err
}

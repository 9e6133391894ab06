package cite

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// The alphabet of identifiers is that of NOID, which archives have used for ARKs since 2005: digits and consonants without l, so that
// no identifier spells a word, and no sign of it is taken for another. That it has a prime number of signs makes the check hold.
const alphabet = "0123456789bcdfghjkmnpqrstvwxz"

// The identifier of a copy, an attempt or a post: random signs and one that checks them, 14 million million of them.
const (
	idRandom = 9
	idLen    = idRandom + 1
	idCut    = 5 // a dash stands behind so many
)

// ID is a short permanent identifier as it is kept: ten signs of the alphabet, without the dash.
type ID string

// String is the identifier as people read it, in two groups.
func (id ID) String() string {
	if len(id) != idLen {
		return string(id)
	}
	return string(id[:idCut]) + "-" + string(id[idCut:])
}

// ErrNotID says that a text is no identifier of ours at all; ErrMistyped, that it looks like one, and its check sign says no.
var (
	ErrNotID    = errors.New("it is no identifier")
	ErrMistyped = errors.New("one of its signs is wrong, or two have changed places: compare it with where you have it from")
)

// NewID makes an identifier out of random bytes, usually of crypto/rand.Reader. That none is used twice is for whoever keeps them to see to.
func NewID(random io.Reader) (ID, error) {
	out := make([]byte, 0, idLen)
	for b := make([]byte, 16); len(out) < idRandom; {
		if _, err := io.ReadFull(random, b); err != nil {
			return "", fmt.Errorf("make an identifier: %w", err)
		}
		for _, c := range b {
			// Bytes from 232 on would make some signs likelier than others.
			if n := len(alphabet); int(c) < 256/n*n && len(out) < idRandom {
				out = append(out, alphabet[int(c)%n])
			}
		}
	}
	return ID(append(out, check(out))), nil
}

// check is the sign behind an identifier: the sum of its signs, each times its place from 1, modulo the size of the alphabet. As that is prime
// and greater than the length, every wrong sign and every two neighbours that change places give another sum.
func check(signs []byte) byte {
	sum := 0
	for i, c := range signs {
		sum += (i + 1) * strings.IndexByte(alphabet, c)
	}
	return alphabet[sum%len(alphabet)]
}

// maxTyped bounds what is read as an identifier, in bytes: signs with dashes and spaces between them.
const maxTyped = 200

// ParseID reads an identifier as it is typed, spoken or set in print: in whatever case, with dashes of any kind, spaces and soft hyphens
// anywhere in it, full-width signs, I and L for 1, O for 0.
func ParseID(s string) (ID, error) {
	if len(s) > maxTyped {
		return "", ErrNotID
	}
	out := make([]byte, 0, idLen)
	for _, r := range s {
		if 0xFF01 <= r && r <= 0xFF5E { // full-width forms
			r -= 0xFEE0
		}
		switch r = unicode.ToLower(r); {
		case ignored(r):
			continue
		case r == 'i' || r == 'l':
			r = '1'
		case r == 'o':
			r = '0'
		}
		if r >= unicode.MaxASCII || strings.IndexByte(alphabet, byte(r)) < 0 || len(out) == idLen {
			return "", ErrNotID
		}
		out = append(out, byte(r))
	}
	if len(out) != idLen {
		return "", ErrNotID
	}
	if check(out[:idRandom]) != out[idRandom] {
		return "", ErrMistyped
	}
	return ID(out), nil
}

// ignored says whether a code point may stand between the signs of an identifier: a dash, a space, or what typesetters put there.
func ignored(r rune) bool {
	const minus, softHyphen, bullet = '\u2212', '\u00ad', '\u2043'
	switch r {
	case minus, softHyphen, bullet, '_', '\u200b', '\u2060', '\ufeff':
		return true
	}
	return unicode.Is(unicode.Pd, r) || unicode.IsSpace(r)
}

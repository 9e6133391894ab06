package cdx

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Place is where a row stands in the order of an index.
type Place struct {
	Key     string
	At      time.Time // whole microseconds
	Segment string
	Offset  int64
}

// longestPlace bounds what is read as a resume key, bytes.
const longestPlace = 4 << 10

// placeMark stands between the parts of a resume key: no urlkey and no name of a segment has it.
const placeMark = "\x01"

var errPlace = errors.New("it is no key that this archive gave; begin without one")

// String is the resume key of a place. It has letters, digits, "-" and "_" alone: percent-encoding leaves it as it is, once
// or twice.
func (p Place) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join([]string{
		p.Key, strconv.FormatInt(p.At.UnixMicro(), 10), p.Segment, strconv.FormatInt(p.Offset, 10),
	}, placeMark)))
}

// readPlace reads a resume key.
func readPlace(s string) (Place, error) {
	if len(s) > longestPlace {
		return Place{}, errPlace
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	parts := strings.Split(string(text), placeMark)
	if err != nil || len(parts) != 4 || parts[0] == "" || !utf8.Valid(text) || strings.IndexByte(string(text), 0) >= 0 {
		return Place{}, errPlace
	}
	us, err := strconv.ParseInt(parts[1], 10, 64)
	offset, err2 := strconv.ParseInt(parts[3], 10, 64)
	if err != nil || err2 != nil {
		return Place{}, errPlace
	}
	return Place{parts[0], time.UnixMicro(us).UTC(), parts[2], offset}, nil
}

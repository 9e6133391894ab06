package warc

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"linkstead/archive/httpmsg"
)

// Fields of the line before an ARC record (ARC File Format 1.0 and 2.0, "URL record"): version 1 has five, version 2 ten.
const (
	arcV1 = 5
	arcV2 = 10
)

const arcVersion = "ARC/1.0"

// arcHeader makes a header of the line before an ARC record, as a WARC record of the same would have it. URLs with spaces in
// them are found: the fields behind are counted from the end of the line.
func arcHeader(line []byte) (Header, error) {
	words := strings.Split(string(line), " ")
	n := len(words)
	if n < arcV1 || len(line) > maxLine {
		return Header{}, fmt.Errorf("%w: no ARC record", ErrHeader)
	}
	length, err := strconv.ParseUint(words[n-1], 10, 62)
	if err != nil {
		return Header{}, fmt.Errorf("%w: no ARC record", ErrHeader)
	}
	at := n - arcV1
	when, ok := arcDate(words[at+2])
	if n >= arcV2 {
		if w, v2 := arcDate(words[n-arcV2+2]); v2 {
			at, when, ok = n-arcV2, w, true
		}
	}
	url := strings.Join(words[:at+1], " ")
	scheme, _, has := strings.Cut(url, ":")
	if !ok || !has || scheme == "" {
		return Header{}, fmt.Errorf("%w: no ARC record", ErrHeader)
	}
	h := Header{Version: arcVersion, Length: int64(length)}
	add := func(name, value string) {
		if value != "" && value != "-" {
			h.Fields = append(h.Fields, httpmsg.Field{Name: name, Value: value})
		}
	}
	kind, mime := TypeResource, words[at+3]
	switch strings.ToLower(scheme) {
	case "http", "https":
		kind, mime = TypeResponse, mimeResponse
	case "filedesc":
		kind, url = TypeWarcinfo, ""
	}
	sum := sha256.Sum256(bytes.TrimSpace(line))
	add(fieldType, string(kind))
	add(fieldID, "<urn:sha256:"+hex.EncodeToString(sum[:])+">")
	add(fieldDate, formatDate(when))
	add(fieldURI, url)
	if ip := words[at+1]; ip != "0.0.0.0" {
		add(fieldIP, ip)
	}
	add(fieldContentType, mime)
	add(fieldLength, strconv.FormatUint(length, 10))
	return h, nil
}

// arcDate reads an Archive-date: 14 digits, of which some programs wrote the last two not.
func arcDate(s string) (time.Time, bool) {
	if len(s) == 12 {
		s += "00"
	}
	t, err := time.Parse("20060102150405", s)
	return t, err == nil
}

package watch

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"linkstead/archive/urlkey"
)

// MaxList bounds the addresses of a list.
const MaxList = 50_000

// ReadList reads a text file of addresses, one a line, whichever way lines end. Empty lines, and what follows a # at the
// beginning of a line or behind a space, say nothing. An address that is named twice counts once. A line that is no http(s)
// address is an error that names its number, and not what it says: the file may be another than was meant.
func ReadList(text []byte) ([]string, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	out := newEntries(MaxList)
	n := 0
	for b := range bytes.Lines(text) {
		n++
		line := string(b)
		if i := strings.Index(" "+line, " #"); i >= 0 {
			line = line[:i]
		}
		line = strings.TrimSpace(line)
		switch u, err := urlkey.Parse("", line); {
		case line == "":
		case strings.ContainsFunc(line, unicode.IsControl):
			return nil, fmt.Errorf("line %d holds a control character: write a text file of addresses, one a line", n)
		case err != nil || !urlkey.Fetchable(u):
			return nil, fmt.Errorf("line %d is no http(s) address: write one a line, for example https://example.org/page", n)
		default:
			out.add(u, NoStamp)
		}
	}
	if out.over > 0 {
		return nil, fmt.Errorf("the list has more than %d addresses: split it", MaxList)
	}
	if len(out.list) == 0 {
		return nil, fmt.Errorf("the list is empty: write one address a line")
	}
	urls := make([]string, len(out.list))
	for i, e := range out.list {
		urls[i] = e.URL
	}
	return urls, nil
}

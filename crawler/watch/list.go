package watch

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"

	"linkstead/archive/urlkey"
)

// MaxList bounds the addresses of a list.
const MaxList = 50_000

// ReadList reads a text file of addresses, one a line. Empty lines, and what follows a # at the beginning of a line or
// behind a space, say nothing. An address that is named twice counts once. A line that is no http(s) address is an error
// that names its number.
func ReadList(text []byte) ([]string, error) {
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))))
	lines.Buffer(make([]byte, 0, 4096), 1<<20)
	out := newEntries(MaxList)
	n := 0
	for lines.Scan() {
		n++
		line := lines.Text()
		if i := strings.Index(" "+line, " #"); i >= 0 {
			line = line[:i]
		}
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		u, err := urlkey.Parse("", line)
		if err != nil || !urlkey.Fetchable(u) {
			return nil, fmt.Errorf("line %d: %.200q is no http(s) address: write one a line, for example https://example.org/page", n, line)
		}
		out.add(u, NoStamp)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", n+1, err)
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

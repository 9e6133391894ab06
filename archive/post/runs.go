package post

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// The tokeniser and the parser each hold a run of text in one piece, twice while it grows. So of a run beyond maxRun only what
// stands at its ends and around DOIs goes into the copy, of a script or a style sheet nothing: no context of a citation is as
// long. The same goes for attributes of tags beyond maxRun, which are pictures.
const (
	maxRun    = 64 << 10 // bytes
	maxAttr   = 8 << 10
	maxScript = 1 << 20 // a script in which a page may tell about itself
	runEdge   = 8 << 10 // what is kept at the ends of a run
)

// long is the length of the run of text that begins at a place, if it is beyond maxRun; or 0.
func (m *marker) long(at int) int {
	rest := m.src[at:]
	if len(rest) <= maxRun || rest[0] == '<' && m.raw == "" {
		return 0
	}
	end := 0
	for end <= len(rest) {
		i := bytes.IndexByte(rest[end:], '<')
		if i < 0 {
			end = len(rest)
			break
		}
		if end += i; m.ends(rest[end:]) {
			break
		}
		end++
	}
	if end <= maxRun || m.raw == "script" && bytes.Contains(rest[:end], []byte("<!--")) {
		return 0 // what ends a script with comments in it is the tokeniser's to say
	}
	return end
}

// ends says whether the run of text ends at a less-than sign.
func (m *marker) ends(b []byte) bool {
	if m.raw == "" {
		return len(b) > 1 && (b[1] == '/' || b[1] == '!' || b[1] == '?' || 'a' <= b[1]|0x20 && b[1]|0x20 <= 'z')
	}
	n := 2 + len(m.raw)
	return m.raw != "plaintext" && len(b) > n && b[1] == '/' && strings.EqualFold(string(b[2:n]), m.raw) && strings.IndexByte(" \t\r\n\f/>", b[n]) >= 0
}

// shorten takes a run of text of which only parts go into the copy.
func (m *marker) shorten(start, end int) {
	raw := m.raw
	m.raw = ""
	m.nodes += 1 + m.again.text()
	if raw != "" {
		if !m.flat && (raw != "script" || end-start <= maxScript) && end-start <= maxScript {
			m.out.Write(m.src[start:end])
		}
		return
	}
	keep := [][2]int{{start, start + runEdge}}
	for at := start; at < end; {
		to := min(at+maxRun, end)
		if to < end { // words stay whole
			if i := bytes.LastIndexAny(m.src[at:to], " \n\t"); i > 0 {
				to = at + i
			}
		}
		for _, d := range findDOIs(string(m.src[at:to])) {
			keep = append(keep, [2]int{max(start, at+d.start-4*maxContext), min(end, at+d.end+4*maxContext)})
		}
		if len(keep) > MaxLinks {
			break
		}
		at = to
	}
	keep = append(keep, [2]int{end - runEdge, end})
	slices.SortFunc(keep, func(a, b [2]int) int { return a[0] - b[0] })
	done := start
	for _, k := range keep {
		from, to := max(k[0], done), k[1]
		for from < to && !utf8.RuneStart(m.src[from]) {
			from++
		}
		for to < end && from < to && !utf8.RuneStart(m.src[to]) {
			to++
		}
		if from >= to {
			continue
		}
		if from > done {
			m.out.WriteByte(' ')
		}
		if m.open >= 0 {
			m.words(m.src[from:to], from)
		} else {
			m.text(m.src[from:to], from)
		}
		done = to
	}
}

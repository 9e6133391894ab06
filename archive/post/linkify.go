package post

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// bare is a URL or DOI that stands in prose, in bytes.
type bare struct {
	start, end int
	doi        bool
}

// A DOI as Crossref recommends to match them, with the prefixes that people write.
var doiPattern = regexp.MustCompile(`(?i)(?:doi:[ \x{A0}]?|(?:https?://)?(?:dx\.)?doi\.org/)?10\.\d{4,9}(?:\.\d+)*/[-._;()/:a-z0-9+<>\[\]]+`)

var (
	bareStart = regexp.MustCompile(`(?i)https?:(?://|\\\\)|www\.`)
	wwwHost   = regexp.MustCompile(`(?i)^www\.(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+\p{L}{2,}`)
)

// findDOIs returns the bare DOIs of a text.
func findDOIs(s string) []bare {
	if !strings.Contains(s, "10.") {
		return nil
	}
	var out []bare
	for _, at := range doiPattern.FindAllStringIndex(s, -1) {
		before, _ := utf8.DecodeLastRuneInString(s[:at[0]])
		if at[0] > 0 && (joins(before) || strings.ContainsRune("/.-@=&%", before)) {
			continue
		}
		end := at[0] + trim(s[at[0]:at[1]])
		if cut := strings.IndexByte(s[at[0]:end], '<'); cut >= 0 && !strings.Contains(s[at[0]:end], ">") {
			end = at[0] + trim(s[at[0]:at[0]+cut])
		}
		if slash := strings.LastIndex(s[at[0]:end], "/"); slash >= 0 && end > at[0]+slash+1 && doiPattern.MatchString(s[at[0]:end]) {
			out = append(out, bare{at[0], end, true})
		}
	}
	return out
}

// doiURL returns the address of a DOI as spelled: with or without "doi:" or the resolver before it.
func doiURL(s string) string {
	_, id, _ := strings.Cut(s, "10.")
	return "https://doi.org/10." + strings.NewReplacer("<", "%3C", ">", "%3E", "[", "%5B", "]", "%5D").Replace(id)
}

// findURLs returns the bare URLs, www. forms and DOIs of a text, in its order.
func findURLs(s string) []bare {
	dois := findDOIs(s)
	var out []bare
	for from := 0; from < len(s) && len(out) < MaxLinks; {
		at := bareStart.FindStringIndex(s[from:])
		if at == nil {
			break
		}
		start := from + at[0]
		end, ok := extent(s, start)
		if !ok {
			from += at[1]
			continue
		}
		for len(dois) > 0 && dois[0].start < start {
			out = append(out, dois[0])
			dois = dois[1:]
		}
		for len(dois) > 0 && dois[0].start < end {
			dois = dois[1:]
		}
		if n := len(out); n > 0 && out[n-1].end > start {
			from = max(end, out[n-1].end)
			continue
		}
		out = append(out, bare{start, end, false})
		from = end
	}
	return append(out, dois...)
}

// extent returns where the URL that begins at start ends; ok is false if none begins there.
func extent(s string, start int) (end int, ok bool) {
	before, _ := utf8.DecodeLastRuneInString(s[:start])
	if start > 0 && (joins(before) || before == '@') {
		return 0, false
	}
	www := s[start]|0x20 == 'w'
	if www && start > 0 && strings.ContainsRune("/.-:", before) {
		return 0, false
	}
	if www && !wwwHost.MatchString(s[start:]) {
		return 0, false
	}
	host := start
	if !www {
		host = start + strings.IndexAny(s[start:], `/\`) + 2
	}
	end = host + hostEnd(s[host:])
	if end == host {
		return 0, false
	}
	if end < len(s) && strings.IndexByte(`/?#\`, s[end]) >= 0 {
		for end < len(s) {
			r, n := utf8.DecodeRuneInString(s[end:])
			if !urlRune(r) {
				break
			}
			end += n
		}
	}
	if before == '<' && end < len(s) && s[end] == '>' {
		return end, true
	}
	end = start + trim(s[start:end])
	return end, end > host && strings.ContainsFunc(s[host:end], wordRune)
}

// hostEnd returns where a host and its port end: at the first character that neither may hold.
func hostEnd(s string) int {
	for i, r := range s {
		if !wordRune(r) && !strings.ContainsRune("-.:@%[]", r) || r == ']' && !strings.Contains(s[:i], "[") {
			return i
		}
	}
	return len(s)
}

// urlRune reports whether a character may stand inside a URL in prose. White space, quotes, angle brackets and the
// punctuation of other scripts end it.
func urlRune(r rune) bool {
	switch {
	case r <= ' ' || r == 0x7F || unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError:
		return false
	case strings.ContainsRune("<>\"`{}|^“”„«»‹›—、。，；：？！（）「」『』【】《》〈〉｛｝［］", r):
		return false
	case unicode.Is(unicode.Cf, r):
		return false
	}
	return true
}

// joins reports whether a character before a URL makes it the tail of a word. In scripts that don't separate words by
// spaces a letter says nothing.
func joins(r rune) bool {
	return wordRune(r) && !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

func wordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_'
}

// trim returns the length of s without what the sentence around a URL has put behind it: punctuation, and closing
// brackets that nothing in s opens.
func trim(s string) int {
	opened := map[rune]int{}
	for _, pair := range []string{"()", "[]", "<>"} {
		opened[rune(pair[1])] = strings.Count(s, pair[:1]) - strings.Count(s, pair[1:])
	}
	for s != "" {
		r, n := utf8.DecodeLastRuneInString(s)
		switch r {
		case '.', ',', ';', ':', '!', '?', '\'', '"', '*', '_', '~', '…', '’', '‘', '–', '\\', '·':
		case '(':
			opened[')']--
		case '[':
			opened[']']--
		case '<':
			opened['>']--
		case ')', ']', '>':
			if opened[r] >= 0 {
				return len(s)
			}
			opened[r]++
		default:
			return len(s)
		}
		s = s[:len(s)-n]
	}
	return 0
}

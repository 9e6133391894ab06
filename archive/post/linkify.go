package post

import (
	"cmp"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// bare is a URL or DOI that stands in prose, in bytes.
type bare struct {
	start, end int
	doi        bool
	ref        string   // what to resolve, if that isn't what stands there
	others     []string // what may be meant as well
	cut        bool     // an ellipsis stands for its end
}

// A DOI as Crossref recommends to match them, with the prefixes that people write.
var doiPattern = regexp.MustCompile(`(?i)(?:doi:[ \x{A0}]?|(?:https?://)?(?:dx\.)?doi\.org/)?10\.\d{4,9}(?:\.\d+)*/[-._;()/:a-z0-9+<>\[\]]+`)

var (
	bareStart = regexp.MustCompile(`(?i)(?:h(?:tt|xx)ps?|ｈ(?:ｔｔ|ｘｘ)ｐｓ?)(?:[:：]|\[:\])(?:[/／]{2}|\\\\)|www(?:\.|\[\.\]|\[dot\])`)
	wwwHost   = regexp.MustCompile(`(?i)^www(?:(?:\.|\[\.\]|\[dot\])[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,62}[\p{L}\p{N}])?){1,10}(?:\.|\[\.\]|\[dot\])(?:\p{L}{2,63}|xn--[a-z0-9-]{2,59})`)
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
			out = append(out, bare{start: at[0], end: end, doi: true})
		}
	}
	return out
}

// doiURL returns the address of a DOI as spelled: with or without "doi:" or the resolver before it.
func doiURL(s string) string {
	_, id, _ := strings.Cut(s, "10.")
	return "https://doi.org/10." + strings.NewReplacer("<", "%3C", ">", "%3E", "[", "%5B", "]", "%5D").Replace(id)
}

// findURLs returns the bare URLs, www. forms, domains and DOIs of a text, in its order.
func findURLs(s string) []bare {
	dois := findDOIs(s)
	var out []bare
	done := 0
	add := func(b bare) {
		if len(out) < MaxLinks && b.start >= done {
			out = append(out, b)
			done = b.end
		}
	}
	gap := func(until int) { // what stands before the next URL
		for len(dois) > 0 && dois[0].start < until {
			d := dois[0]
			dois = dois[1:]
			if d.start >= done {
				findDomains(s, done, d.start, add)
				add(d)
			}
		}
		findDomains(s, done, until, add)
	}
	for from := 0; from < len(s) && len(out) < MaxLinks; {
		at := bareStart.FindStringIndex(s[from:])
		if at == nil {
			break
		}
		start := from + at[0]
		b, ok := extent(s, start, from+at[1])
		if !ok {
			from += at[1]
			continue
		}
		gap(start)
		for len(dois) > 0 && dois[0].start < b.end {
			dois = dois[1:]
		}
		from = max(b.end, done)
		add(b)
	}
	gap(len(s))
	return out
}

// extent is the URL that begins at start, whose scheme ends at host; ok is false if none begins there.
func extent(s string, start, host int) (b bare, ok bool) {
	before, _ := utf8.DecodeLastRuneInString(s[:start])
	if start > 0 && (joins(before) && before != '_' || before == '@') {
		return b, false
	}
	if wide, _ := utf8.DecodeRuneInString(s[start:]); wide >= 'ａ' || strings.ContainsAny(s[start:host], "：／") {
		return wideExtent(s, start)
	}
	if s[start]|0x20 == 'w' {
		if start > 0 && strings.ContainsRune("/.-:", before) || !wwwHost.MatchString(s[start:min(len(s), start+1024)]) {
			return b, false
		}
		host = start
	}
	if before == '<' || start >= 5 && strings.EqualFold(s[start-5:start], "<url:") {
		if end := bracketed(s, start); end > 0 {
			return bare{start: start, end: end, ref: unlessSame(s[start:end])}, true
		}
	}
	end := host + hostEnd(s[host:min(len(s), host+1024)])
	if end == host {
		return b, false
	}
	if end < len(s) && strings.IndexByte(`/?#\`, s[end]) >= 0 {
		end = pathEnd(s, end)
	}
	return whole(s, start, host, end)
}

// pathEnd is where the path of a URL ends that begins at a place. What can't be seen does not end it, if it goes on.
func pathEnd(s string, end int) int {
	for end < len(s) {
		r, n := utf8.DecodeRuneInString(s[end:])
		if unseen(r) {
			if next, _ := utf8.DecodeRuneInString(s[end+n:]); end+n >= len(s) || !urlRune(next) {
				break
			}
		} else if !urlRune(r) {
			break
		}
		end += n
	}
	return end
}

// whole is the URL without what is not its own, and with what may be meant by it.
func whole(s string, start, host, end int) (b bare, ok bool) {
	full := end
	end = start + trim(s[start:end])
	if end <= host || !strings.ContainsFunc(s[host:end], wordRune) {
		return b, false
	}
	b = bare{start: start, end: end, ref: unlessSame(s[start:end])}
	rest := s[end:]
	b.cut = strings.HasPrefix(rest, "…") || strings.HasPrefix(rest, "[…]") || strings.Contains(s[host:end], "…")
	b.others = typed(cmp.Or(b.ref, s[start:end]))
	if full == end && strings.HasPrefix(rest, "—") { // an em dash: the end of it, or two hyphens within
		if more := pathEnd(s, end+len("—")); more > end+len("—") {
			more = start + trim(s[start:more])
			if tail := s[min(end+len("—"), more):more]; strings.ContainsAny(tail, "/.-_=") {
				b.others = append(b.others, meant(s[start:end])+"--"+meant(tail))
			}
		}
	}
	if host == start { // it has no scheme
		for i, o := range b.others {
			b.others[i] = "http://" + o
		}
	}
	return b, true
}

// typed are the addresses that an author may have typed before typography made dashes and apostrophes of it.
func typed(ref string) []string {
	if !strings.ContainsAny(ref, "–’‘‐‑−") {
		return nil
	}
	plain := strings.NewReplacer("’", "'", "‘", "'", "‐", "-", "‑", "-", "−", "-").Replace(ref)
	if !strings.Contains(plain, "–") {
		return []string{plain}
	}
	return []string{strings.ReplaceAll(plain, "–", "--"), strings.ReplaceAll(plain, "–", "-")}
}

// unlessSame is what is meant, or nothing if that is what stands there.
func unlessSame(raw string) string {
	if ref := meant(raw); ref != raw {
		return ref
	}
	return ""
}

// meant is what an author means by an address that is made harmless, wide, or broken by what can't be seen.
func meant(raw string) string {
	ref := strings.Map(func(r rune) rune {
		if unseen(r) || r == '\n' || r == '\r' || r == ' ' || r == '\t' {
			return -1
		}
		return r
	}, raw)
	if strings.Contains(ref, "[") {
		ref = strings.NewReplacer("[.]", ".", "[dot]", ".", "[DOT]", ".", "[:]", ":", "[:]//", "://", "[/]", "/").Replace(ref)
	}
	if len(ref) > 4 && (strings.EqualFold(ref[:4], "hxxp")) {
		ref = "http" + ref[4:]
	}
	return ref
}

// wideExtent reads an address that is written in full-width forms, or begins so.
func wideExtent(s string, start int) (b bare, ok bool) {
	var sb strings.Builder
	var ends []int // in s, of each byte
	for at := start; at < len(s) && sb.Len() < 2048; {
		r, n := utf8.DecodeRuneInString(s[at:])
		if '！' <= r && r <= '～' {
			r -= '！' - '!'
		}
		if r >= utf8.RuneSelf || !urlRune(r) {
			break
		}
		at += n
		sb.WriteByte(byte(r)) //nolint:gosec // below RuneSelf
		ends = append(ends, at)
	}
	folded := sb.String()
	at := bareStart.FindStringIndex(folded)
	if at == nil || at[0] != 0 {
		return b, false
	}
	f, ok := extent(folded, 0, at[1])
	if !ok {
		return b, false
	}
	return bare{start: start, end: ends[f.end-1], ref: meant(folded[:f.end])}, true
}

// bracketed is where an address ends that stands in angle brackets, in which it may be broken over lines (RFC 3986, appendix C); 0 if
// it is not one.
func bracketed(s string, start int) int {
	window := s[start:min(len(s), start+2048)]
	end := strings.IndexAny(window, "<>\"")
	if end < 0 || window[end] != '>' || strings.Contains(window[:end], "\n\n") {
		return 0
	}
	for line := range strings.Lines(window[:end]) {
		if strings.ContainsFunc(strings.TrimSpace(line), func(r rune) bool { return !urlRune(r) && !unseen(r) }) {
			return 0
		}
	}
	return start + len(strings.TrimRight(window[:end], " \t\r\n"))
}

// unseen are characters that take no room: they come into addresses where they may be broken.
func unseen(r rune) bool {
	return r == '\u00AD' || r == '\u200B' || r == '\u2060' || r == '\uFEFF' || r == '\u200C' || r == '\u200D'
}

// hostEnd returns where a host and its port end: at the first character that neither may hold.
func hostEnd(s string) int {
	opened := false
	for i, r := range s {
		if unseen(r) {
			if next, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):]); wordRune(next) || next == '.' {
				continue
			}
			return i
		}
		if !wordRune(r) && !strings.ContainsRune("-.:@%[]", r) || r == ']' && !opened {
			return i
		}
		opened = opened || r == '['
	}
	return len(s)
}

// urlRune reports whether a character may stand inside a URL in prose. White space, quotes, angle brackets and the
// punctuation of other scripts end it.
func urlRune(r rune) bool {
	switch {
	case r <= ' ' || r == 0x7F || unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError:
		return false
	case strings.ContainsRune("<>\"`{}|^“”„«»‹›—、。，；：？！（）「」『』【】《》〈〉｛｝［］،؛؟۔।॥", r):
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

// entityEnd is a character reference that was taken along with a text.
var entityEnd = regexp.MustCompile(`&(?:[a-zA-Z]{2,10}|#\d{1,5});$`)

// trim returns the length of s without what the sentence around a URL has put behind it: punctuation, and closing
// brackets that nothing in s opens.
func trim(s string) int {
	opened := map[rune]int{}
	for _, pair := range []string{"()", "[]", "<>"} {
		opened[rune(pair[1])] = strings.Count(s, pair[:1]) - strings.Count(s, pair[1:])
	}
	for s != "" {
		r, n := utf8.DecodeLastRuneInString(s)
		if r == ';' {
			n = max(n, len(entityEnd.FindString(s[max(0, len(s)-maxRef):])))
		}
		switch r {
		case '.', ',', ';', ':', '!', '?', '\'', '"', '*', '_', '~', '…', '’', '‘', '–', '\\', '·', '\u00AD', '\u200B', '\u2060', '\uFEFF', '\u200C', '\u200D':
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

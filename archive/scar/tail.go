package scar

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	pageEnd  = regexp.MustCompile(`(?i)\.(?:s?html?|php\d?|aspx?|jspx?|cfm|stm|ece|cms)(?:[?#]\S*)?$`)
	datePath = regexp.MustCompile(`(?:^|/)(?:19|20)\d\d/(?:0?[1-9]|1[0-2]|[a-z]{3})/\S*[\pL\d]`)
	slugEnd  = regexp.MustCompile(`^[\pL\d_]+(?:/[\pL\d_-]+)+[-/]\d{5,}/?$`)
	hostPath = regexp.MustCompile(`(?i)^(?:[a-z\d-]+\.)+[a-z]{2,18}/\S`)
	cutURL   = regexp.MustCompile(`(?i)^(?:https?://)?(?:[a-z\d-]+\.)+[a-z]{2,18}(?::\d{1,5})?/\S*(?:…|\.\.\.)$`)
	headless = regexp.MustCompile(`(?i)^(?:(?:t?tps?)?:)?//(?:[a-z\d-]+\.)+[a-z]{2,18}(?::\d{1,5})?(?:/\S*)?$`)
	onlyHead = regexp.MustCompile(`(?i)^(?:https?:/{0,2}|https?://(?:www\.)?|www\.)$`)
	system   = regexp.MustCompile(`^/(?:usr|etc|var|home|tmp|opt|lib\d*|s?bin|dev|proc|sys|root|srv|mnt|boot|run|private|Users|Library)(?:/|$)`)
	samples  = regexp.MustCompile(`(?i)(?:^|[./])(?:example|localhost|yourdomain)\b`)
)

const maxTail = 2048 // bytes

// tails finds what is left of a URL that was cut.
func tails(t *text) []finding {
	var out []finding
	if !strings.ContainsAny(t.s, "/.…") {
		return nil
	}
	for i := 0; i < len(t.s); {
		i = t.skip(i)
		j := i
		for j < len(t.s) {
			r, n := utf8.DecodeRuneInString(t.s[j:])
			if unicode.IsSpace(r) {
				break
			}
			j += n
		}
		if j-i > 3 && j-i < maxTail {
			if f := tail(t, i, j); f.confidence > 0 {
				out = append(out, f)
			}
		}
		i = j
	}
	return out
}

// tail judges one piece of text without white space.
func tail(t *text, i, j int) finding {
	f := finding{class: URLTail, start: i, end: j}
	enclosed := false
	if k := strings.IndexByte(t.s[i:j], '('); k >= 0 && (k == 0 || !strings.Contains(t.s[i:i+k], "/")) {
		end := strings.LastIndexByte(t.s[i:j], ')')
		if end < k {
			return finding{}
		}
		enclosed, f.start, f.end = true, i+k, i+end+1
		i, j = i+k+1, i+end
	}
	s := t.s[i:j]
	if !enclosed {
		s = strings.TrimRight(strings.TrimLeft(s, "[<"), ",;:!?>]")
		if !strings.HasSuffix(s, "...") {
			s = strings.TrimRight(s, ".")
		}
		k := strings.Index(t.s[i:j], s)
		f.start, f.end = i+k, i+k+len(s)
	}
	if len(s) < 4 || strings.ContainsAny(s, `"“”'<>{}$*=\|@[]()`) && !strings.Contains(s, "?") || isQuote(t.before(f.start)) {
		return finding{}
	}
	f.confidence, f.reason = judgeTail(s, enclosed)
	return f
}

// judgeTail is how sure it is that a text is the rest of a URL.
func judgeTail(s string, enclosed bool) (float64, string) {
	first, _ := utf8.DecodeRuneInString(s)
	dash := strings.ContainsRune("-–—‐‑−", first)
	page := pageEnd.MatchString(s)
	dated := datePath.MatchString(s)
	switch {
	case strings.Contains(s, "://") && !headless.MatchString(s) && !onlyHead.MatchString(s) && !cutURL.MatchString(s):
		return 0, "" // a URL behind a sign
	case samples.MatchString(s), system.MatchString(s), strings.ContainsAny(s, "<>"):
		return 0, ""
	case dash && page && len(s) > 6:
		return 0.97, "the end of a URL that was cut at a dash"
	case headless.MatchString(s):
		return 0.9, "a URL whose scheme is cut"
	case enclosed && onlyHead.MatchString(s):
		return 0.9, "the beginning of a URL, and nothing behind it"
	case cutURL.MatchString(s) && strings.Count(s, "/") > 1 && (dated || strings.ContainsAny(s, "0123456789") || strings.Count(s, "-") > 1):
		return 0.85, "a URL that was shortened: its end is gone"
	case strings.Contains(s, "://"), hostPath.MatchString(s) && !page && !dated:
		return 0, ""
	case hostPath.MatchString(s):
		return 0, "" // a URL without its scheme is one
	case first == '/' && dated && (page || enclosed || strings.Count(s, "-") > 1):
		return 0.93, "the path of a URL whose host is gone"
	case enclosed && first == '/' && page:
		return 0.93, "the path of a URL whose host is gone"
	case dated && (page || enclosed):
		return 0.9, "the end of a URL: its host is gone"
	case enclosed && page && (strings.Count(s, "-") > 1 || strings.Contains(s, "/")):
		return 0.88, "the end of a URL: its beginning is gone"
	case enclosed && slugEnd.MatchString(s):
		return 0.85, "the end of a URL: its host is gone"
	}
	return 0, ""
}

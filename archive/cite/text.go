package cite

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what a page may say of itself, in code points.
const (
	maxTitle   = 500
	maxName    = 200
	maxAuthors = 100
	maxQuote   = 1000
)

// plain makes text of a page fit for a record: one line, without control characters, without what turns the direction of the
// text around it or shows nothing, and not longer than limit code points.
func plain(s string, limit int) string {
	if len(s) > 16*limit { // no need to look at what is cut off
		s = s[:16*limit]
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	var b strings.Builder
	for _, r := range s {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			b.WriteByte(' ')
		case r == '\u200c' || r == '\u200d': // Persian, Hindi and emoji need the joiners
			b.WriteRune(r)
		case unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp):
		default:
			b.WriteRune(r)
		}
	}
	s = strings.Join(strings.Fields(b.String()), " ")
	if utf8.RuneCountInString(s) > limit {
		s = strings.TrimSpace(string([]rune(s)[:limit-1])) + "…"
	}
	return s
}

// address is a URL as it may stand in any of the formats: what is no plain sign of a URL is percent-encoded. "" if it is none of http or https.
func address(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return escapeURL(s)
}

func escapeURL(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// A quotation longer than this is named by its first and last words.
const (
	wholeQuote = 100 // code points
	quoteEnds  = 5   // words at each end
)

// TextFragment is the fragment directive that leads to a quotation in a page, without the "#": ":~:text=…". Empty if there is no quotation.
// See https://wicg.github.io/scroll-to-text-fragment/.
func TextFragment(quote string) string {
	quote = strings.Trim(plain(quote, maxQuote), "“”„«»\"'…‘’ ")
	if quote == "" {
		return ""
	}
	words := strings.Fields(quote)
	if utf8.RuneCountInString(quote) <= wholeQuote || len(words) < 2*quoteEnds+1 {
		return ":~:text=" + escapeDirective(quote)
	}
	first, last := words[:quoteEnds], words[len(words)-quoteEnds:]
	return ":~:text=" + escapeDirective(strings.Join(first, " ")) + "," + escapeDirective(strings.Join(last, " "))
}

func escapeDirective(s string) string {
	s = strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
	return strings.ReplaceAll(s, "-", "%2D") // which would end a prefix
}

// withFragment puts a fragment directive behind an address.
func withFragment(address, directive string) string {
	switch {
	case address == "" || directive == "":
		return address
	case strings.Contains(address, "#"):
		return address + directive
	}
	return address + "#" + directive
}

// PWID is the persistent web identifier of one archived resource, in the namespace that is registered for it
// (https://www.iana.org/assignments/urn-formal/pwid): urn:pwid:ARCHIVE:TIME:part:URL. What may not stand in a URN, and the
// percent sign itself, is percent-encoded, so that decoding gives the URL back.
func PWID(archive, stamp, url string) string {
	if archive == "" || stamp == "" || url == "" {
		return ""
	}
	return "urn:pwid:" + archive + ":" + stamp + ":part:" + pwidEscaper.Replace(url)
}

var pwidEscaper = func() *strings.Replacer {
	var pairs []string
	for c := range 256 {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("%?#[]\"<>\\^`{|}", byte(c)) >= 0 {
			pairs = append(pairs, string([]byte{byte(c)}), "%"+strings.ToUpper(hexByte(byte(c))))
		}
	}
	return strings.NewReplacer(pairs...)
}()

func hexByte(c byte) string { const h = "0123456789abcdef"; return string([]byte{h[c>>4], h[c&15]}) }

package session

import (
	"bytes"
	"strings"
)

// What is read out of a page is not what was sent: character references, escapes of scripts and style sheets, charsets and
// fonts are undone, and addresses are brought into one form. A secret that was spelled in such a way comes to light there,
// and is masked there.

// rounds bounds how often an address is unescaped in search of secrets.
const rounds = 8

// Address is an address, or what stands for one on a page, without the secrets in it: as they are, in small letters, as hosts
// are written, behind escapes of escapes, and with tabs and line breaks between, which are dropped from addresses.
func (s *Set) Address(url string) string {
	if s.Empty() || url == "" {
		return url
	}
	b := []byte(url)
	v := view{text: make([]byte, 0, len(b)), from: make([]int, 0, len(b)), to: make([]int, 0, len(b))}
	for i, c := range b {
		if c != '\t' && c != '\r' && c != '\n' {
			v.put(c, i, i+1)
		}
	}
	found := false
	for range rounds {
		found = v.cover(s, b) || found
		low := view{[]byte(small(string(v.text))), v.from, v.to}
		found = low.cover(s.low, b) || found
		next, fewer := v.unescaped()
		if !fewer {
			break
		}
		v = next
	}
	if !found {
		return url
	}
	return string(b)
}

// view is a text, of each byte of which it is known which bytes of another one it stands for.
type view struct {
	text     []byte
	from, to []int
}

func (v *view) put(c byte, from, to int) {
	v.text, v.from, v.to = append(v.text, c), append(v.from, from), append(v.to, to)
}

// cover writes Mask into b wherever a secret stands in the view of it.
func (v *view) cover(s *Set, b []byte) (found bool) {
	if s.Empty() {
		return false
	}
	for i := range v.text {
		k := s.At(v.text, i)
		if k == 0 {
			continue
		}
		found = true
		for j := v.from[i]; j < v.to[i+k-1]; j++ {
			b[j] = Mask
		}
	}
	return found
}

// unescaped is the view with a round of percent-escapes undone, and whether there were any.
func (v *view) unescaped() (out view, fewer bool) {
	if bytes.IndexByte(v.text, '%') < 0 {
		return out, false
	}
	for i := 0; i < len(v.text); i++ {
		if v.text[i] == '%' && i+2 < len(v.text) {
			if hi, lo := unhex(v.text[i+1]), unhex(v.text[i+2]); hi >= 0 && lo >= 0 {
				out.put(byte(hi<<4|lo), v.from[i], v.to[i+2])
				i += 2
				fewer = true
				continue
			}
		}
		out.put(v.text[i], v.from[i], v.to[i])
	}
	return out, fewer
}

// unhex is the value of a hexadecimal digit, or -1.
func unhex(c byte) int {
	if 'A' <= c && c <= 'F' {
		c |= 0x20
	}
	return strings.IndexByte("0123456789abcdef", c)
}

// cut stands where a text was cut short.
const cut = "…"

// Text is a text that was read out of a page, without the secrets in it. Where it was cut short, as an ellipsis tells, what may
// be a piece of one is masked, too.
func (s *Set) Text(text string) string {
	if s.Empty() || text == "" {
		return text
	}
	text = s.String(text)
	if rest, ok := strings.CutSuffix(text, cut); ok {
		if k := s.Partial([]byte(rest)); k > 0 {
			text = rest[:len(rest)-k] + strings.Repeat(string(rune(Mask)), k) + cut
		}
	}
	if rest, ok := strings.CutPrefix(text, cut); ok {
		if k := s.remainder(rest); k > 0 {
			text = cut + strings.Repeat(string(rune(Mask)), k) + rest[k:]
		}
	}
	return text
}

// remainder is the length of the longest beginning of a text that may be the end of a secret; or 0.
func (s *Set) remainder(text string) (longest int) {
	if len(text) < prefix {
		return 0
	}
	for _, w := range s.all {
		for i := max(1, len(w)-len(text)); i+max(longest+1, prefix) <= len(w); i++ {
			if w[i] == text[0] && strings.HasPrefix(text, w[i:]) {
				longest = len(w) - i
			}
		}
	}
	return longest
}

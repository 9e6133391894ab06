package session

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"html"
	"io"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"
)

// Mask is what stands for each byte of a secret in a response: it may stand in a header field, an address, HTML, JSON.
const Mask = '*'

// prefix is by how many bytes a secret is looked up. No secret is shorter.
const prefix = 4

// Set is secrets as they are looked for in what servers send. It never changes, and many may use it at once. A nil Set
// is empty.
type Set struct {
	words   map[[prefix]byte]*branch // by their first bytes
	all     []string
	filter  [1 << 10]uint64 // which first bytes there are, by a hash of 16 bits
	longest int             // bytes
	low     *Set            // the secrets alone, in small letters: see Address
}

// newSet makes the set of the given secrets in every form in which a server is likely to repeat them.
func newSet(secrets []string) *Set {
	var all, low []string
	for _, secret := range secrets {
		all = append(all, forms(secret)...)
		low = append(low, lowered(secret))
	}
	s := setOf(all)
	s.low = setOf(low)
	return s
}

// setOf makes the set of the given words.
func setOf(words []string) *Set {
	s := &Set{words: map[[prefix]byte]*branch{}, all: slices.DeleteFunc(slices.Clone(words), func(w string) bool { return len(w) < prefix })}
	slices.Sort(s.all)
	s.all = slices.Compact(s.all)
	for from := 0; from < len(s.all); {
		key := [prefix]byte([]byte(s.all[from][:prefix]))
		to := from
		for ; to < len(s.all) && s.all[to][:prefix] == s.all[from][:prefix]; to++ {
			s.longest = max(s.longest, len(s.all[to]))
		}
		s.words[key] = branchOf(s.all[from:to], 0)
		h := hash(key)
		s.filter[h>>6] |= 1 << (h & 63)
		from = to
	}
	return s
}

// branch is a tree of words by what they have in common, so that a text is compared once with all of them, and not with each:
// a server may set a hundred cookies that differ in their last byte.
type branch struct {
	label string   // what comes next in all words
	ends  bool     // one of them ends here
	keys  string   // the bytes with which it goes on …
	next  []branch // … and how
}

// branchOf makes the tree of sorted words, each once, from a byte on.
func branchOf(words []string, at int) *branch {
	first, last := words[0], words[len(words)-1]
	n := at
	for n < len(first) && n < len(last) && first[n] == last[n] {
		n++
	}
	b := &branch{label: first[at:n], ends: len(first) == n}
	if b.ends {
		words = words[1:]
	}
	for from := 0; from < len(words); {
		to := from
		for to < len(words) && words[to][n] == words[from][n] {
			to++
		}
		b.keys += words[from][n : n+1]
		b.next = append(b.next, *branchOf(words[from:to], n))
		from = to
	}
	return b
}

// longest is the length of the longest word with which a text begins, and whether the text is the beginning of a longer one.
func (b *branch) longest(text []byte) (n int, more bool) {
	if b == nil {
		return 0, false
	}
	for at := 0; ; {
		rest := text[at:]
		if len(rest) < len(b.label) {
			return n, strings.HasPrefix(b.label, string(rest))
		}
		if string(rest[:len(b.label)]) != b.label {
			return n, false
		}
		at += len(b.label)
		if b.ends {
			n = at
		}
		if at == len(text) {
			return n, true // of itself, at least
		}
		i := strings.IndexByte(b.keys, text[at])
		if i < 0 {
			return n, false
		}
		b = &b.next[i]
	}
}

// lowered is a secret as Address looks for it: in small ASCII letters, unescaped, since an address is.
func lowered(secret string) string {
	if plain, err := url.PathUnescape(secret); err == nil && len(plain) >= MinSecret {
		secret = plain
	}
	return small(secret)
}

// small is a text with small letters of ASCII. Its length stays, whatever bytes it is made of.
func small(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}

func hash(k [prefix]byte) uint32 {
	n := uint32(k[0]) | uint32(k[1])<<8 | uint32(k[2])<<16 | uint32(k[3])<<24
	return n * 0x9E3779B1 >> 16
}

// forms are a secret as it is, and as servers write it into addresses, HTML, JSON and logs.
func forms(secret string) []string {
	out := written(secret)
	if lower := lowerEscapes(secret); lower != secret {
		out = append(out, written(lower)...)
	}
	if plain, err := url.PathUnescape(secret); err == nil && plain != secret && len(plain) >= MinSecret {
		out = append(out, written(plain)...)
	}
	return out
}

// written are the ways in which servers write a text.
func written(s string) []string {
	out := []string{s}
	for _, e := range []string{url.QueryEscape(s), url.PathEscape(s), percent(s)} {
		out = append(out, e, lowerEscapes(e))
	}
	out = append(out, wide(s)...)
	return append(out, html.EscapeString(s), asHTML.Replace(s), asJSON.Replace(s), asPHP.Replace(s), asGo.Replace(s),
		base64.RawStdEncoding.EncodeToString([]byte(s)), // with padding behind it, too
		base64.RawURLEncoding.EncodeToString([]byte(s)))
}

// wide is a text in UTF-16, little and big end first, without the outermost of the bytes that are zero: between letters of
// ASCII both are the same, and a byte more would be of a neighbour's.
func wide(s string) []string {
	var little, big []byte
	for _, u := range utf16.Encode([]rune(s)) {
		little, big = binary.LittleEndian.AppendUint16(little, u), binary.BigEndian.AppendUint16(big, u)
	}
	if len(big) == 0 {
		return nil
	}
	return []string{string(little[:len(little)-1]), string(big[1:])}
}

var (
	asHTML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#039;")
	asJSON = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	asPHP  = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "/", `\/`)
	asGo   = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "<", `\u003c`, ">", `\u003e`, "&", `\u0026`, "'", `\u0027`)
)

// percent escapes all but letters and digits.
func percent(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		if '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// lowerEscapes writes %2F as %2f.
func lowerEscapes(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i:], strings.ToLower(s[i:i+3]))
			i += 2
		}
	}
	return string(b)
}

// Empty says whether there is nothing to look for.
func (s *Set) Empty() bool { return s == nil || s.longest == 0 }

// Longest is the length of the longest form, in bytes: a secret that begins in the last Longest-1 bytes of a piece may
// end in the next.
func (s *Set) Longest() int {
	if s == nil {
		return 0
	}
	return s.longest
}

// At is the length of the longest secret that begins at b[i], or 0.
func (s *Set) At(b []byte, i int) int {
	if len(b)-i < prefix {
		return 0
	}
	key := [prefix]byte(b[i : i+prefix])
	if h := hash(key); s.filter[h>>6]&(1<<(h&63)) == 0 {
		return 0
	}
	n, _ := s.words[key].longest(b[i:])
	return n
}

// Partial is the length of the longest end of b that may be the beginning of a secret, if that is long enough to give
// any of it away; or 0.
func (s *Set) Partial(b []byte) int {
	if s.Empty() {
		return 0
	}
	for i := max(0, len(b)-s.longest+1); i <= len(b)-prefix; i++ {
		if _, begins := s.words[[prefix]byte(b[i:i+prefix])].longest(b[i:]); begins {
			return len(b) - i
		}
	}
	return 0
}

// Mask writes Mask over every secret in b, and tells how many there were.
func (s *Set) Mask(b []byte) (n int) {
	if s.Empty() {
		return 0
	}
	var spans [][2]int
	end := 0
	for i := range b {
		if k := s.At(b, i); k > 0 {
			if i < end {
				spans[len(spans)-1][1] = max(end, i+k)
			} else {
				spans = append(spans, [2]int{i, i + k})
				n++
			}
			end = max(end, i+k)
		}
	}
	for _, p := range spans {
		for i := p[0]; i < p[1]; i++ {
			b[i] = Mask
		}
	}
	return n
}

// String is s without the secrets in it.
func (s *Set) String(text string) string {
	if s.Empty() || text == "" {
		return text
	}
	b := []byte(text)
	if s.Mask(b) == 0 {
		return text
	}
	return string(b)
}

// tells says whether a secret stands in a text.
func (s *Set) tells(text string) bool { return s.String(text) != text }

// In says whether a secret stands in what r yields, up to its first error, which is returned unless it is io.EOF.
func (s *Set) In(r io.Reader) (bool, error) {
	if s.Empty() {
		return false, nil
	}
	buf := make([]byte, 0, 64<<10+s.longest)
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		for i := range buf {
			if s.At(buf, i) > 0 {
				return true, nil
			}
		}
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		buf = buf[:copy(buf, buf[max(0, len(buf)-s.longest+1):])]
	}
}

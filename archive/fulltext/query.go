package fulltext

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"linkstead/archive/text"
	"linkstead/storage"
)

// ErrQuery says that a query can't be understood, or asks for nothing.
var ErrQuery = errors.New("query")

// Bounds of a query.
const (
	maxQuery  = 2000 // bytes
	maxParts  = 32
	maxPhrase = 64 // words
)

// Query is what is looked for.
type Query struct {
	all, any, not []storage.TextTerm
}

// Parse reads a query as people write it: words that all must be there, "phrases" whose words follow upon one another, -words and
// -"phrases" that must not be there, and beginnings of words with an asterisk. Case, accents and punctuation count for nothing, so
// that a word with a hyphen is a phrase. The error is an ErrQuery.
func Parse(s string) (Query, error) {
	if len(s) > maxQuery || !utf8.ValidString(s) {
		return Query{}, fmt.Errorf("%w: it is longer than %d bytes, or no UTF-8", ErrQuery, maxQuery)
	}
	var q Query
	for rest := strings.TrimSpace(s); rest != ""; rest = strings.TrimLeftFunc(rest, unicode.IsSpace) {
		var part string
		var not, prefix bool
		rest, not = strings.CutPrefix(rest, "-")
		part, prefix, rest = next(rest)
		t, ok := term(part, prefix)
		switch {
		case !ok:
			continue
		case not:
			q.not = append(q.not, t)
		default:
			q.all = append(q.all, t)
		}
		if len(q.all)+len(q.not) > maxParts {
			return Query{}, fmt.Errorf("%w: it has more than %d words and phrases", ErrQuery, maxParts)
		}
	}
	if len(q.all) == 0 {
		return Query{}, fmt.Errorf("%w %q: it has no word that is to be found\nName words, \"phrases\" or beg* of words; -word for what must not be there", ErrQuery, s)
	}
	return q, nil
}

const quotes = "\"“”„«»"

// next cuts the first word or phrase off. A phrase that is not closed goes on to the end.
func next(s string) (part string, prefix bool, rest string) {
	if r, n := utf8.DecodeRuneInString(s); n > 0 && strings.ContainsRune(quotes, r) {
		s = s[n:]
		end := strings.IndexAny(s, quotes)
		if end < 0 {
			return s, false, ""
		}
		_, n = utf8.DecodeRuneInString(s[end:])
		part, rest = s[:end], s[end+n:]
		if after, ok := strings.CutPrefix(rest, "*"); ok {
			return part, true, after
		}
		return part, false, rest
	}
	end := strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(quotes, r) })
	if end < 0 {
		end = len(s)
	}
	part, prefix = strings.CutSuffix(s[:end], "*")
	return part, prefix, s[end:]
}

// term makes the words of an index of a word or phrase. A last sign of a script without spaces is the beginning of whatever term it begins,
// unless the term before has it.
func term(s string, prefix bool) (storage.TextTerm, bool) {
	var words []string
	last := false
	for t := range text.Terms(s) {
		if len(words) == maxPhrase {
			last = false
			break
		}
		words = append(words, t.Text)
		last = t.Last
	}
	if len(words) == 0 {
		return storage.TextTerm{}, false
	}
	if last {
		if n := len(words); n > 1 && sign(words[n-2]) && strings.HasSuffix(words[n-2], words[n-1]) {
			return storage.TextTerm{Words: words[:n-1]}, true
		}
		return storage.TextTerm{Words: words, Prefix: true}, true
	}
	return storage.TextTerm{Words: words, Prefix: prefix}, true
}

// sign says whether a term is of a script without spaces.
func sign(s string) bool {
	for w := range text.Words(s) {
		return w.Sign
	}
	return false
}

// terms are all that must be there.
func (q *Query) terms() []storage.TextTerm { return append(q.all[:len(q.all):len(q.all)], q.any...) }

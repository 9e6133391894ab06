package scar

import (
	_ "embed" // the words are data
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The words of English, the common ones apart: words/COPYRIGHT tells whose they are. They are looked up where they lie.
//
//go:embed words/common.txt
var commonWords string

//go:embed words/known.txt
var knownWords string

// listed says whether a word stands in a sorted list of lines.
func listed(list, w string) bool {
	if w == "" {
		return false
	}
	i := sort.Search(len(list), func(i int) bool {
		start := strings.LastIndexByte(list[:i], '\n') + 1
		end := strings.IndexByte(list[start:], '\n')
		return list[start:start+end] >= w
	})
	if i >= len(list) {
		return false
	}
	start := strings.LastIndexByte(list[:i], '\n') + 1
	line, _, _ := strings.Cut(list[start:], "\n")
	return line == w
}

// english says whether a word, in lower case, is in the lists.
func english(w string) bool {
	if listed(commonWords, w) || listed(knownWords, w) {
		return true
	}
	s, plural := strings.CutSuffix(w, "s")
	return plural && len(s) > 2 && (listed(commonWords, s) || listed(knownWords, s))
}

// doc is what is known of a document before its blocks are judged.
type doc struct {
	seen   map[string]int // its words in lower case, how often
	upper  map[string]int // those with a capital, as they stand
	beside map[uint64]int // those that follow each other, by the hash of both, how often
	total  int
	lang   string // of those that there are words of; empty: none of them
	loose  int    // parentheses as "( x )"
	calls  int    // names as "f()" …
	spaced int    // … and, in a name that is no word of prose, as "f_g ()"
	hard   int    // no-break spaces
}

// maxSeen bounds the words of a document that are kept in mind.
const maxSeen = 200_000

// survey reads all of a document once.
func survey(blocks []Block) *doc {
	d := &doc{seen: map[string]int{}, upper: map[string]int{}, beside: map[uint64]int{}}
	hits := map[string]int{}
	for i := range blocks {
		b := &blocks[i]
		if b.Kind == Pre {
			continue
		}
		t := readText(b)
		for i, w := range t.words {
			d.total++
			if i > 0 && len(d.beside) < maxSeen && t.apart(i-1) {
				d.beside[both(t.words[i-1].low, w.low)]++
			}
			if len(d.seen) < maxSeen {
				d.seen[w.low]++
				if r, _ := utf8.DecodeRuneInString(t.s[w.start:]); unicode.IsUpper(r) && w.low != t.s[w.start:w.end] {
					d.upper[t.s[w.start:w.end]]++
				}
			}
			for _, l := range languagesOf[w.low] {
				hits[l]++
			}
		}
		d.hard += strings.Count(t.s, "\u00a0")
		calls, spaced := callsIn(t)
		d.calls += calls
		d.spaced += spaced
		for p, e := range pairs(t.s) {
			if e > p+3 && t.s[p+1] == ' ' && t.s[e-1] == ' ' {
				d.loose++
			}
		}
	}
	d.lang = chosen(hits, d.total)
	return d
}

// apart says whether nothing but white space stands between a word and the next one.
func (t *text) apart(i int) bool { return t.skip(t.words[i].end) == t.words[i+1].start }

// twice says how often the document has two words beside each other.
func (d *doc) twice(a, b string) int { return d.beside[both(a, b)] }

// both hashes two words (FNV-1a), with a sign between them that no word has.
func both(a, b string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(a) {
		h = (h ^ uint64(a[i])) * 1099511628211
	}
	h = (h ^ ' ') * 1099511628211
	for i := range len(b) {
		h = (h ^ uint64(b[i])) * 1099511628211
	}
	return h
}

// callsIn counts what is written as a call: "f()", and "f_g ()".
func callsIn(t *text) (calls, spaced int) {
	for p := strings.Index(t.s, "()"); p >= 0; {
		i := t.skipBack(p)
		if i == p && unicode.IsLetter(t.before(p)) {
			calls++
		}
		if w, ok := t.wordEnding(i); ok && i < p && t.before(w.start) == '_' {
			spaced++
		}
		n := strings.Index(t.s[p+2:], "()")
		if n < 0 {
			break
		}
		p += 2 + n
	}
	return calls, spaced
}

// chosen is the language whose small words are most of those that were met.
func chosen(hits map[string]int, total int) string {
	best, most := "", 0
	for _, l := range languages {
		if hits[l.name] > most {
			best, most = l.name, hits[l.name]
		}
	}
	if most*6 < total {
		return ""
	}
	return best
}

// known says whether a word is one: of the lists, in English, or that the document has elsewhere.
func (d *doc) known(w string) bool {
	return d.lang == "en" && english(w) || d.seen[w] > 1
}

// wordAt returns the number of the first word that doesn't begin before a place.
func (t *text) wordAt(at int) int {
	i, _ := slices.BinarySearchFunc(t.words, at, func(w word, at int) int { return w.start - at })
	return i
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// Words that announce a source.
var leads = set(`see via source sources from cf link links here read more full image photo video quelle siehe voir fuente ver vía fonte bron zie`)

// language is what is known of one: its small words, and those that no clause ends with.
type language struct {
	name    string
	small   string
	hanging map[string]bool // a comma, a full stop or a semicolon behind one of these says that something is gone
	joiner  map[string]bool // what begins no longer word
}

var languages = []language{
	{
		name:    "en",
		small:   `the of and to in is that it was for on with as are be this have from by not which or an at has but they their were been`,
		hanging: set(`the an my your our their every`),
	},
	{
		name:    "de",
		small:   `der die das und den dem des ein eine einer nicht mit sich auf für ist im zu von auch wird sind wie es werden aus bei nach war hat dass`,
		hanging: set(`zum zur vom beim im ins`),
		joiner:  set(`der die das den dem des und dass`),
	},
	{
		name:    "fr",
		small:   `le la les de des du et un une que qui dans pour est pas sur par avec au ce il sont plus ne cette aux ses ces nous vous`,
		hanging: set(`des du aux au les ces`),
		joiner:  set(`les une dans avec cette`),
	},
	{
		name:    "es",
		small:   `el la los las de del y que en un una por con para se es no su al como más lo pero sus este está ha son`,
		hanging: set(`el los las del`),
		joiner:  set(`los las una del`),
	},
	{
		name:    "it",
		small:   `il la le i gli di del della dei che e è un una per con non si in da al nel sono più come anche ha alla dalla questo`,
		hanging: set(`il gli del della dei nel allo`),
		joiner:  set(`gli della dei nella`),
	},
	{
		name:    "pt",
		small:   `o a os as de do da dos das e que em um uma para com não por no na se ao mais como foi são ou pelo pela`,
		hanging: set(`os dos das ao`),
		joiner:  set(`dos das uma`),
	},
	{
		name:    "nl",
		small:   `de het een en van in is dat op te zijn met voor niet aan er die ook als bij door naar maar wordt werd hij`,
		hanging: set(`de`),
	},
}

var languagesOf = func() map[string][]string {
	m := map[string][]string{}
	for _, l := range languages {
		for _, w := range strings.Fields(l.small) {
			m[w] = append(m[w], l.name)
		}
	}
	return m
}()

func (d *doc) language() *language {
	for i := range languages {
		if languages[i].name == d.lang {
			return &languages[i]
		}
	}
	return &language{}
}

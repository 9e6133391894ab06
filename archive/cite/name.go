package cite

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Name is that of an author. A person has Family, and mostly Given; whoever has no such parts, or of whom nobody knows which is which, has Literal alone.
type Name struct {
	Family   string `json:"family,omitempty"`
	Given    string `json:"given,omitempty"`
	Particle string `json:"particle,omitempty"` // "van der", written before the family name
	Suffix   string `json:"suffix,omitempty"`   // "Jr."
	Literal  string `json:"literal,omitempty"`
}

// String is the name in the order in which it is spoken.
func (n Name) String() string {
	if n.Literal != "" {
		return n.Literal
	}
	return strings.Join(strings.Fields(n.Given+" "+n.Particle+" "+n.Family+" "+n.Suffix), " ")
}

// Sorted is the name in the order of lists: "van Beethoven, Ludwig", with the suffix last.
func (n Name) Sorted() string {
	if n.Literal != "" {
		return n.Literal
	}
	out := strings.TrimSpace(n.Particle + " " + n.Family)
	for _, more := range []string{n.Given, n.Suffix} {
		if more != "" {
			out += ", " + more
		}
	}
	return out
}

var (
	byline   = regexp.MustCompile(`^(?i:(?:(?:written|posted|published|story|text|words|reporting) )?by:?|von|par|por|authors?:)\s+`)
	noName   = regexp.MustCompile(`(?i)^(admin|administrator|editor|webmaster|root|user|guest|unknown|anonymous|author|n/a|null|undefined|none|\d+)$|://|@|^www\.|^#|^[\w-]+(\.[\w-]+)*\.(com|org|net)/`)
	bodies   = regexp.MustCompile(`(?i)\b(university|institute|institut|universität|université|press|news|newspaper|agency|agence|agentur|team|staff|committee|commission|ministry|ministerium|department|office|bureau|council|association|society|foundation|stiftung|centre|center|group|company|inc|ltd|llc|gmbh|corp|corporation|organi[sz]ation|nations|government|parliament|redaktion|editorial|desk|network|library|museum|media|magazine|times|post|reuters|contributors?|correspondents?|collective|project|union|bank|service|reporters|writers|editors|developers|the)\b`)
	suffixes = []string{"jr", "sr", "ii", "iii", "iv", "phd", "md"}
	// Words that begin a family name, in lower case.
	particles = []string{
		"van", "von", "de", "der", "den", "del", "della", "di", "da", "dos", "das", "do", "du", "des", "la", "le", "ter", "ten", "te", "zu", "zum", "zur", "vom", "af", "av",
		"al", "el", "bin", "ibn", "bint", "'t", "op", "d'", "y", "e",
	}
)

// NamesIn reads the names in a line: of one author, or of several with "and", "&", semicolons, or commas between whole names.
func NamesIn(s string) (out []Name) {
	s = byline.ReplaceAllString(plain(s, 4*maxName), "")
	for _, part := range splitNames(s) {
		if n, ok := ParseName(part); ok && len(out) < maxAuthors {
			out = append(out, n)
		}
	}
	return out
}

func splitNames(s string) []string {
	if strings.Contains(s, ";") {
		return strings.Split(s, ";")
	}
	if bodies.MatchString(s) && !strings.ContainsAny(s, ",") {
		return []string{s} // "Food and Drug Administration Office"
	}
	for _, and := range []string{" and ", " & ", " und ", " et "} {
		s = strings.ReplaceAll(s, and, ";")
	}
	s = strings.ReplaceAll(s, ",;", ";")
	comma := strings.Split(s, ",")
	whole := len(comma) > 1
	for _, c := range comma {
		// "Doe, Jane" has one name before the comma, "Jane Doe, John Roe" two on either side.
		if w := strings.Fields(strings.Split(c, ";")[0]); len(w) < 2 {
			whole = false
		}
	}
	if whole {
		s = strings.ReplaceAll(s, ",", ";")
	}
	return strings.Split(s, ";")
}

// ParseName reads one name: "Given Family", "Family, Given", "Family, Jr., Given". What looks like an institution, or is written without spaces
// between its parts, stays whole. False for what is no name: an address, "admin".
func ParseName(s string) (Name, bool) {
	s = strings.Trim(byline.ReplaceAllString(plain(s, maxName), ""), " ,;|·–—")
	if s == "" || noName.MatchString(s) || !strings.ContainsFunc(s, unicode.IsLetter) {
		return Name{}, false
	}
	if bodies.MatchString(s) || !strings.ContainsAny(s, " ,") || strings.ContainsFunc(s, ideographic) {
		return Name{Literal: s}, true
	}
	if parts := strings.Split(s, ","); len(parts) > 1 {
		return sortedName(parts, s), true
	}
	words := strings.Fields(s)
	var n Name
	if last := words[len(words)-1]; len(words) > 2 && isSuffix(last) {
		n.Suffix, words = last, words[:len(words)-1]
	}
	from := len(words) - 1
	for i := 1; i < len(words)-1; i++ {
		if slices.Contains(particles, words[i]) {
			from = i
			break
		}
	}
	n.Given = strings.Join(words[:from], " ")
	n.Particle, n.Family = cutParticle(words[from:])
	return n, true
}

func sortedName(parts []string, whole string) Name {
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	n := Name{Given: parts[len(parts)-1]}
	switch {
	case len(parts) == 2 && isSuffix(parts[1]): // "Martin Luther King, Jr."
		if inner, ok := ParseName(parts[0]); ok && inner.Literal == "" {
			inner.Suffix = parts[1]
			return inner
		}
		return Name{Literal: whole}
	case len(parts) == 3 && isSuffix(parts[1]):
		n.Suffix = parts[1]
	case len(parts) == 3 && isSuffix(parts[2]):
		n.Given, n.Suffix = parts[1], parts[2]
	case len(parts) != 2:
		return Name{Literal: whole}
	}
	n.Particle, n.Family = cutParticle(strings.Fields(parts[0]))
	if n.Family == "" || n.Given == "" {
		return Name{Literal: strings.Trim(whole, " ,")}
	}
	return n
}

// cutParticle cuts the words in lower case that begin a family name off it.
func cutParticle(words []string) (particle, family string) {
	i := 0
	for i < len(words)-1 && slices.Contains(particles, words[i]) {
		i++
	}
	return strings.Join(words[:i], " "), strings.Join(words[i:], " ")
}

func isSuffix(s string) bool {
	return slices.Contains(suffixes, strings.ToLower(strings.ReplaceAll(s, ".", "")))
}

// ideographic says whether a letter belongs to a script whose names have their parts in another order, or no space between them.
func ideographic(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai)
}

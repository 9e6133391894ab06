package post

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"linkstead/archive/pdf"
	"linkstead/archive/urlkey"
)

// PDF reads a paper: its link annotations, and the addresses and DOIs in its text, those that are broken over lines among
// them. base resolves relative links and may be empty. Offsets are those of the text that package pdf makes of the file.
// Its errors are ErrURL, ErrSlow and those of package pdf.
func PDF(src []byte, base string, o Options) (Document, error) {
	b, err := optionalBase(base)
	if err != nil {
		return Document{}, err
	}
	paper, err := pdf.Read(src, o.Expired)
	if errors.Is(err, pdf.ErrSlow) {
		return Document{}, ErrSlow
	}
	if err != nil {
		return Document{}, err
	}
	d := Document{Title: paper.Title, Dated: paper.Dated, Lang: paper.Lang, Cut: paper.Cut}
	own := ownAddress(b, &d)
	if paper.Base != "" {
		if u, err := resolveIn(b, paper.Base); err == nil {
			b = u
		}
	}
	links := marked(paper)
	links = append(links, printed(paper, links)...)
	links = links[:min(len(links), MaxLinks)]
	runs := textBlocks(paper.Text, true)
	for _, r := range runs {
		r.Pictured = true // nobody can tell where pictures stand
	}
	locate(runs, links)
	d.judge(inString(paper.Text), b, links, runs, o.Links, own...)
	return d, nil
}

func resolveIn(b *urlkey.Base, ref string) (*urlkey.Base, error) {
	if b == nil {
		return urlkey.NewBase(ref)
	}
	u, err := b.Resolve(ref)
	if err != nil {
		return nil, err
	}
	return urlkey.NewBase(u)
}

// marked are the link annotations.
func marked(paper *pdf.Document) []found {
	out := make([]found, 0, len(paper.Links))
	for _, l := range paper.Links {
		f := found{content: true}
		f.Raw, f.Page, f.Start, f.End = l.URI, l.Page, l.Start, l.End
		if inner, ok := strings.CutPrefix(l.URI, "url("); ok { // as some style sheets write it
			f.ref = strings.Trim(strings.TrimSuffix(inner, ")"), `"' `)
		}
		if low := strings.ToLower(l.URI); strings.HasPrefix(low, "www.") {
			f.ref = "http://" + l.URI
		}
		if l.End > l.Start {
			f.Text = label(paper.Text[l.Start:l.End])
			f.Context = lineless(textContext(paper.Text, l.Start, l.End))
		}
		out = append(out, f)
	}
	return out
}

// label is the text under an annotation; an address that is broken over lines is put together.
func label(s string) string {
	if bareStart.MatchString(s) {
		if joined := strings.Join(strings.Fields(s), ""); bareStart.FindStringIndex(joined)[0] == 0 {
			return collapse(joined)
		}
	}
	return lineless(collapse(s))
}

var hyphenated = regexp.MustCompile(`(\p{Ll})- (\p{Ll})`)

// lineless puts together the words that a hyphen breaks at the end of a line.
func lineless(s string) string { return hyphenated.ReplaceAllString(s, "$1$2") }

// printed are the addresses in the text that no annotation covers.
func printed(paper *pdf.Document, marked []found) []found {
	spans := slices.Clone(marked)
	slices.SortStableFunc(spans, func(a, b found) int { return cmp.Compare(a.Start, b.Start) })
	on := map[int][]string{} // by page
	for i := range marked {
		on[marked[i].Page] = append(on[marked[i].Page], marked[i].Raw)
	}
	var out []found
	next, done := 0, 0
	for _, b := range findURLs(paper.Text) {
		if b.start < done {
			continue // its beginning was the rest of the one before
		}
		raw, end := overLines(paper.Text, b.start, b.end)
		done = end
		for next < len(spans) && spans[next].End <= b.start {
			next++
		}
		if covered(spans[next:], b.start, end) {
			continue
		}
		if b.ref != "" && end > b.end {
			b.ref = meant(raw)
		}
		f := b.found(raw)
		f.Start, f.End = b.start, end
		f.Page = pageOf(paper, b.start)
		if !b.doi && beginning(raw, on[f.Page]) {
			continue // what an annotation of the page says whole
		}
		f.Context = lineless(textContext(paper.Text, b.start, end))
		out = append(out, f)
	}
	return out
}

// maxOnPage bounds the annotations of a page that a printed address is compared with.
const maxOnPage = 1000

// covered says whether a span that begins before the end of a place reaches into it. Spans are in the order of their
// starts; few overlap.
func covered(spans []found, start, end int) bool {
	for i := 0; i < len(spans) && i < 64 && spans[i].Start < end; i++ {
		if spans[i].End > start {
			return true
		}
	}
	return false
}

// beginning says whether an address is the beginning of another, cut off within its path.
func beginning(raw string, of []string) bool {
	return strings.Count(raw, "/") > 2 && slices.ContainsFunc(of[:min(len(of), maxOnPage)], func(uri string) bool {
		return len(uri) > len(raw) && strings.HasPrefix(uri, raw)
	})
}

func pageOf(paper *pdf.Document, at int) int {
	n, ok := slices.BinarySearch(paper.Pages, at)
	if ok {
		n++
	}
	return n
}

// maxLines bounds the lines over which an address runs.
const maxLines = 6

// overLines reads on where an address seems to go on in the next line. What is ambiguous is not joined: a wrong join would
// lose a right address.
func overLines(s string, start, end int) (raw string, stop int) {
	raw, stop = s[start:end], end
	for range maxLines {
		tail, next, ok := lineEnd(s, stop)
		if !ok {
			break
		}
		token := s[next : next+tokenEnd(s[next:])]
		if trimmed := token[:trim(token)]; goesOn(raw+tail, trimmed) {
			raw += tail + trimmed
			stop = next + len(trimmed)
			continue
		}
		break
	}
	return raw, stop
}

// lineEnd says what stands between a place and the end of its line, if that can be an address's own, and where the next line
// begins.
func lineEnd(s string, at int) (tail string, next int, ok bool) {
	i := at
	for i < len(s) && (strings.IndexByte(".-_~:", s[i]) >= 0) && i-at < 2 {
		i++
	}
	tail = s[at:i]
	for i < len(s) && s[i] == ' ' {
		i++
	}
	if i >= len(s) || s[i] != '\n' {
		return "", 0, false
	}
	for i++; i < len(s) && s[i] == ' '; i++ {
	}
	return tail, i, i < len(s) && s[i] != '\n' && s[i] != '\f'
}

func tokenEnd(s string) int {
	for i, r := range s {
		if !urlRune(r) || i > 2048 {
			return i
		}
	}
	return len(s)
}

var fileName = regexp.MustCompile(`(?i)^[\w.~-]*\.(html?|xhtml|pdf|php\d?|aspx?|jsp|txt|xml|json|ps|gz|zip|md|org|com|net|edu|gov|io|uk|de|ch|fr|eu|int)$`)

// goesOn says whether an address that fills its line goes on with the first word of the next.
func goesOn(raw, token string) bool {
	first, _ := utf8.DecodeRuneInString(token)
	if token == "" || bareStart.MatchString(token) || strings.HasPrefix(strings.ToLower(token), "doi:") {
		return false
	}
	likely := strings.ContainsAny(token, "/_=%?&#~") && token != "and/or" || fileName.MatchString(token)
	start := unicode.IsLower(first) || unicode.IsDigit(first)
	switch raw[len(raw)-1] {
	case '-', '_', '=', '&', '?', '%', '#', '~':
		return start || unicode.IsUpper(first) || first == '/'
	case '/':
		return likely || strings.ContainsFunc(token, unicode.IsDigit) || strings.Contains(raw, "doi.org/") || strings.Contains(token, "-") && start
	case '.', ':':
		return start && (likely || suffix[strings.ToLower(token)])
	}
	return strings.ContainsRune("/?&=#%_", first) && len(token) > 1
}

// suffix are words with which a name or a file ends.
var suffix = map[string]bool{
	"html": true, "htm": true, "pdf": true, "php": true, "aspx": true, "org": true, "com": true, "net": true, "edu": true, "gov": true, "txt": true,
}

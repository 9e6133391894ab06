package post

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// months by their first letters, in the languages whose words for "retrieved" are known here.
var months = func() map[string]int {
	m := map[string]int{}
	for i, names := range []string{
		"jan january januar janvier enero gennaio januari janeiro jänner",
		"feb february februar février febrero febbraio februari fevereiro fév",
		"mar march märz mars marzo maart março mrz",
		"apr april avril abril aprile avr",
		"may mai mayo maggio mei maio maj",
		"jun june juni juin junio giugno junho",
		"jul july juli juillet julio luglio julho juil",
		"aug august août agosto augustus augusti ago",
		"sep sept september septembre septiembre settembre setembro",
		"oct october oktober octobre octubre ottobre outubro okt",
		"nov november novembre noviembre novembro",
		"dec december dezember décembre diciembre dicembre dezembro dez déc",
	} {
		for _, n := range strings.Fields(names) {
			m[n] = i + 1
		}
	}
	return m
}()

const monthName = `(\p{L}{3,10})\.?`

// Dates as people write them. Which of 3/5/2015 is the month nobody knows: that is none.
var datePatterns = []struct {
	re    *regexp.Regexp
	parts [3]int // groups of year, month, day
}{
	{regexp.MustCompile(`\b((?:19|20)\d\d)-(\d\d?)-(\d\d?)\b`), [3]int{1, 2, 3}},
	{regexp.MustCompile(`\b((?:19|20)\d\d)[./](\d\d?)[./](\d\d?)\b`), [3]int{1, 2, 3}},
	{regexp.MustCompile(`\b(\d\d?)(?:st|nd|rd|th|er|º|\.)?\s+(?:of\s+|de\s+)?` + monthName + `,?\s+(?:de\s+)?((?:19|20)\d\d)\b`), [3]int{3, 2, 1}},
	{regexp.MustCompile(`(?:^|[^\p{L}])` + monthName + `\s+(\d\d?)(?:st|nd|rd|th)?,?\s+((?:19|20)\d\d)\b`), [3]int{3, 1, 2}},
	{regexp.MustCompile(`\b(\d\d?)\.\s?(\d\d?)\.\s?((?:19|20)\d\d)\b`), [3]int{3, 2, 1}},
	{regexp.MustCompile(`((?:19|20)\d\d)年(\d\d?)月(\d\d?)日`), [3]int{1, 2, 3}},
	{regexp.MustCompile(`(?:^|[^\p{L}])` + monthName + `,?\s+(?:de\s+)?((?:19|20)\d\d)\b`), [3]int{2, 1, 0}},
}

// dateIn is the first date of a text, and where it stands.
func dateIn(s string) (out string, start, end int) {
	start = len(s)
	if !strings.Contains(s, "19") && !strings.Contains(s, "20") {
		return "", 0, 0
	}
	for _, p := range datePatterns {
		for _, m := range p.re.FindAllStringSubmatchIndex(s, 4) {
			group := func(i int) string { return s[m[2*i]:m[2*i+1]] }
			month := months[strings.ToLower(group(p.parts[1]))]
			if month == 0 {
				month, _ = strconv.Atoi(group(p.parts[1]))
			}
			if month < 1 || month > 12 {
				continue
			}
			iso := fmt.Sprintf("%s-%02d", group(p.parts[0]), month)
			if p.parts[2] > 0 {
				day, _ := strconv.Atoi(group(p.parts[2]))
				if iso = isoDate(fmt.Sprintf("%s-%02d", iso, day)); iso == "" {
					continue
				}
			}
			if m[0] < start {
				out, start, end = iso, m[0], m[1]
			}
			break
		}
	}
	return out, start, end
}

// retrievedWords stand before the date on which an author read a source.
var retrievedWords = regexp.MustCompile(`(?i)\b(?:(?:last\s+)?(?:retrieved|accessed|viewed|consulted|visited|checked)|date\s+of\s+access|access\s+date|archived(?:\s+from\s+the\s+original)?|` +
	`(?:zuletzt\s+)?(?:abgerufen|besucht|aufgerufen|eingesehen)|zugriff|stand|(?:page\s+)?consultée?|consultado|consulta|consultato|visitato|geraadpleegd|bezocht|hämtad|läst|besøgt|acesso|acessado)` + //nolint:misspell // Italian
	`(?:\s+(?:on|am|le|el|il|em|op|den|on\s+the|the))?\s*:?\s*[(\[]?$`)

// maxBeside is how far behind a citation, or before it, the date of its reading stands, in bytes.
const maxBeside = 250

// retrieved is the date on which the author read what is cited at a place of a text, if it stands beside: behind it sooner than
// before it.
func retrieved(text string, start, end int) string {
	after := text[end:min(len(text), end+maxBeside)]
	if i := strings.Index(after, "http"); i > 0 { // of another one
		after = after[:i]
	}
	if iso := retrievedIn(after); iso != "" {
		return iso
	}
	before := text[max(0, start-maxBeside):start]
	if i := max(strings.LastIndex(before, "http"), strings.LastIndex(before, "; ")); i >= 0 {
		before = before[i:]
	}
	return retrievedIn(before)
}

func retrievedIn(s string) string {
	for from := 0; from < len(s); {
		iso, start, end := dateIn(s[from:])
		if iso == "" {
			return ""
		}
		lead := s[:from+start+1]
		if c := s[from+start]; '0' <= c && c <= '9' || c >= 0x80 || 'a' <= c|0x20 && c|0x20 <= 'z' {
			lead = lead[:len(lead)-1]
		}
		if retrievedWords.MatchString(lead) {
			return iso
		}
		from += end
	}
	return ""
}

// headingDates are the dates of the sections in which blocks stand: those that a heading begins with, until the next heading of its
// level or a higher one. The document's title is none.
func headingDates(blocks []Block, title string) map[int]string {
	out := map[int]string{}
	date, level := "", 0
	for i := range blocks {
		b := &blocks[i]
		if b.Kind == Heading && b.Text != title {
			iso, start, _ := dateIn(b.Text[:min(len(b.Text), 200)])
			dated := iso != "" && len(strings.Fields(b.Text[:start])) <= 2
			switch {
			case dated:
				date, level = iso, b.Level
			case b.Level <= level:
				date = ""
			}
		}
		if date != "" && len(b.Links) > 0 {
			out[i] = date
		}
	}
	return out
}

package scar

import (
	"regexp"
	"strings"
)

var (
	credit = regexp.MustCompile(`(?i)^\(?(?:photo(?:graph)?|image|picture|screenshot|screen grab|foto|bild|imagen|imagem|immagine)(?:\s+(?:credit|courtesy|source|copyright))?(?::|\s*[©/]|\s+by\s+\p{Lu}|\s+courtesy\s+of\s)`)
	agency = regexp.MustCompile(`(?:\((?:Photo|Image|Picture|Credit|Foto|Bild)\s*(?::|by|©|courtesy)[^()]{2,80}\)|\[(?:Photo|Image|Credit)\s*:[^\[\]]{2,80}\]|©\s?(?:Reuters|AFP|AP|Getty|EPA)\b[^.]{0,40}|(?:AFP|Reuters|AP Photo|EPA)/[\pL .-]{2,40})\.?$`)
)

const maxCaption = 400 // bytes

// captions finds those whose picture is gone.
func captions(t *text) []finding {
	s := strings.TrimSpace(t.s)
	if t.b.Pictured || len(s) > maxCaption || len(t.words) < 2 {
		return nil
	}
	f := finding{class: LostPicture, start: strings.Index(t.s, s)}
	f.end = f.start + len(s)
	switch {
	case t.b.Kind == Caption:
		f.confidence, f.reason = 0.9, "the caption of a picture that isn't there"
	case t.b.Kind == Heading || t.b.Kind == Other:
		return nil
	case credit.MatchString(s):
		f.confidence, f.reason = 0.85, "it tells who made a picture that isn't there"
	case agency.MatchString(s):
		f.confidence, f.reason = 0.85, "it ends as captions do, and no picture is there"
	default:
		return nil
	}
	return []finding{f}
}

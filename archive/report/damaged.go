package report

import (
	"strings"

	"linkstead/archive/scar"
	"linkstead/storage"
)

// Scar is a damaged citation of the post: a place where a link was lost from its text. Offsets count Unicode code points of the source, or
// of a PDF's text.
type Scar struct {
	storage.Scar
	Strong bool `json:"strong"` // its class is one that clean prose has next to none of
}

func scarsOf(all []storage.Scar) []Scar {
	var out []Scar
	for i := range all {
		out = append(out, Scar{all[i], scar.Class(all[i].Class).Strong()})
	}
	return out
}

// Marked splits what stands around a scar where the scar itself begins and ends. The words around are empty where they aren't known.
func Marked(context, text string) (before, after string) {
	best := -1
	off := func(at int) int { n := 2*at + len(text) - len(context); return max(n, -n) }
	for at := 0; text != ""; at++ {
		i := strings.Index(context[at:], text)
		if i < 0 {
			break
		}
		if at += i; best < 0 || off(at) < off(best) {
			best = at
		}
	}
	if best < 0 {
		return "", ""
	}
	return context[:best], context[best+len(text):]
}

// Strong counts the damaged citations of the strong classes, and those that are only hinted at.
func (r *Report) Strong() (strong, weak int) {
	for i := range r.Damaged {
		if r.Damaged[i].Strong {
			strong++
		} else {
			weak++
		}
	}
	return strong, weak
}

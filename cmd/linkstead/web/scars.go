package web

import (
	"fmt"

	"linkstead/archive/report"
)

// shownScars bounds the damaged citations of either kind that a page shows; the JSON document has all.
const shownScars = 200

// scarView is a damaged citation with the words around it.
type scarView struct {
	Key                 string
	Before, Text, After string
	Reason, Sure        string
}

// scarsOf splits damaged citations into those that are surely such and those that may be.
func scarsOf(all []report.Scar) (surely, perhaps []scarView) {
	for i := range all {
		s := &all[i]
		before, after := report.Marked(s.Context, s.Text)
		v := scarView{
			Key: s.Key, Before: clean(before, maxContext), Text: clean(s.Text, maxContext), After: clean(after, maxContext),
			Reason: clean(s.Reason, maxContext), Sure: fmt.Sprintf("%.0f %%", 100*s.Confidence),
		}
		if s.Strong && len(surely) < shownScars {
			surely = append(surely, v)
		} else if !s.Strong && len(perhaps) < shownScars {
			perhaps = append(perhaps, v)
		}
	}
	return surely, perhaps
}

package main

import (
	"fmt"
	"io"

	"linkstead/archive/report"
)

// shownHints is how many of the weak findings 'show' tells; the JSON document has all.
const shownHints = 20

// printScars lists the damaged citations of a post: those that surely lost their link, then what hints at one.
func printScars(w io.Writer, r *report.Report) {
	strong, weak := r.Strong()
	list := func(title string, want bool, most int) {
		fmt.Fprintf(w, "\n%s\n", title)
		for i := range r.Damaged {
			s := &r.Damaged[i]
			if s.Strong != want {
				continue
			}
			if most--; most < 0 {
				fmt.Fprintln(w, "  … --json tells of the others")
				return
			}
			fmt.Fprintf(w, "  at %-8d %s\n  %-11s %s\n", s.Start, marked(s.Context, s.Text), "", clean(s.Reason))
		}
	}
	if strong > 0 {
		list("Damaged: a link was lost from these words", true, len(r.Damaged))
	}
	if weak > 0 {
		list("Perhaps damaged", false, shownHints)
	}
}

// marked is a scar amid the words around it, between signs that no prose has: ⟦ and ⟧.
func marked(context, text string) string {
	before, after := report.Marked(context, text)
	return clean(before + "⟦" + text + "⟧" + after)
}

// scarCount says in a few words what is damaged in a post; empty if nothing is.
func scarCount(r *report.Report) string {
	strong, weak := r.Strong()
	switch {
	case strong > 0 && weak > 0:
		return fmt.Sprintf("%s a link, %s", plural(strong, "place has lost", "places have lost"), plural(weak, "other may have", "others may have"))
	case strong > 0:
		return plural(strong, "place has lost", "places have lost") + " a link"
	case weak > 0:
		return plural(weak, "place may have lost", "places may have lost") + " a link"
	}
	return ""
}

package main

import (
	"fmt"
	"io"

	"linkstead/archive/repair"
	"linkstead/archive/report"
)

// printMended tells of one damaged citation; of its candidates, if they are wanted.
func printMended(w io.Writer, c *report.Repair, all bool) {
	class := ""
	if c.Class != "" {
		class = " (" + clean(c.Class) + ")"
	}
	fmt.Fprintf(w, "\n  %3d  %s%s at %d–%d\n", c.N, c.State, class, c.Start, c.End)
	if c.Around != "" {
		fmt.Fprintf(w, "       | %s\n", clean(c.Around))
	}
	if r := c.Repaired; r != nil {
		fmt.Fprintf(w, "       %s\n", clean(r.URL))
		fmt.Fprintf(w, "         repaired (%s, %.2f), %s\n", clean(r.Method), r.Confidence, decided(r))
		fmt.Fprintf(w, "         %s\n", clean(r.Explanation))
		if c.Fate != nil {
			fmt.Fprintf(w, "         %s\n", fate(*c.Fate))
			if c.Fate.Replay != "" {
				fmt.Fprintf(w, "         %s\n", c.Fate.Replay)
			}
		}
	}
	if !all {
		return
	}
	for i, o := range c.Candidates {
		fmt.Fprintf(w, "       %d.%d  %s\n", c.N, i+1, clean(o.URL))
		fmt.Fprintf(w, "         %s, %.2f: %s\n", clean(o.Method), o.Confidence, clean(o.Explanation))
	}
	for _, o := range c.Rejected {
		fmt.Fprintf(w, "       rejected: %s (%s)\n", clean(o.URL), decided(&o))
	}
}

// decided says who decided, and when.
func decided(c *report.Candidate) string {
	if c.At.IsZero() { // nothing was written
		return "would be accepted by itself"
	}
	who := "accepted by itself"
	if c.By != repair.ByRule {
		who = "decided by " + clean(c.By)
	}
	return who + " on " + stamp(c.At)
}

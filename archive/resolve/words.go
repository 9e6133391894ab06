package resolve

import (
	"fmt"
	"strings"
	"time"

	"linkstead/archive/cite"
	"linkstead/archive/link"
)

// words tell in plain sentences what is known of a link, and what stands for it.
func (a *Answer) words(k *Known, now time.Time) string {
	var said []string
	if k.Linked {
		said = append(said, link.Explain(k.State, now))
	}
	if a.Does == Withheld && a.blocked != nil {
		return strings.Join(append(said, "The copy that this archive has "+a.blocked.Error()+"."), " ")
	}
	if a.Does == Live {
		return strings.Join(said, " ")
	}
	switch v := a.best(); {
	case v != nil:
		said = append(said, v.Says(a.when))
	case a.Copy != nil:
		said = append(said, a.Copy.Says(a.when))
	default:
		said = append(said, "This archive has no copy of it.")
	}
	return strings.Join(said, " ")
}

// Says tells of a copy: “Copy of 6 February 2016, 2 hours after the link was written; has the quoted sentence.” at is the date that it is
// measured by, if it is known.
func (v *Version) Says(at cite.Date) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Copy of %s", day(v.At))
	if v.Archive != "" {
		b.WriteString(" at " + v.Archive)
	}
	if at.Known() {
		b.WriteString(", " + cite.Distance(v.At, at) + " the link was written")
	}
	switch v.Quoted {
	case link.Yes:
		b.WriteString("; contains the quoted sentence")
	case link.No:
		b.WriteString("; does not contain the quoted sentence")
	}
	if v.Bracketed {
		b.WriteString("; the page was the same before and after that")
	}
	if v.Fault != "" {
		b.WriteString("; but " + v.Fault)
	}
	return b.String() + "."
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"linkstead/archive/report"
)

// auditGroups are the states that the text lists, the worst first, under what they mean.
var auditGroups = []struct {
	state report.AuditState
	head  string
}{
	{report.StateBroken, "Broken"},
	{report.StateBlocked, "Not shown to programs, or not without a login: look for yourself"},
	{report.StateRedirected, "Redirected"},
	{report.StateUnchecked, "Not checked"},
}

func printAudit(w io.Writer, a *report.Audit) {
	for i := range a.Sources {
		if i > 0 {
			fmt.Fprintln(w)
		}
		printAuditSource(w, a, &a.Sources[i])
	}
	if len(a.Sources) > 1 {
		t := a.Totals()
		fmt.Fprintf(w, "\nIn all, %s: %s\n", plural(len(a.Sources), "source", "sources"), auditCounts(&t, a.Offline))
	}
	if a.Cut != "" {
		fmt.Fprintf(w, "\nNot every link was checked: %s.\n", a.Cut)
	}
}

func printAuditSource(w io.Writer, a *report.Audit, s *report.AuditSource) {
	name := clean(s.Source)
	if s.Source == "-" {
		name = "standard input"
	}
	if s.Title != "" {
		name += " — " + clean(s.Title)
	}
	fmt.Fprintf(w, "%s\n", name)
	if s.Failure != "" {
		fmt.Fprintf(w, "  It could not be read: %s.\n", clean(s.Failure))
		return
	}
	fmt.Fprintf(w, "  %s\n", auditCounts(&s.Totals, a.Offline))
	for _, n := range s.Notes {
		fmt.Fprintf(w, "  %s\n", clean(n))
	}
	if a.Offline {
		for i := range s.Links {
			l := &s.Links[i]
			fmt.Fprintf(w, "\n  %s\n", clean(l.URL))
			printAuditPlaces(w, l)
		}
	} else {
		for _, g := range auditGroups {
			printAuditGroup(w, s, g.state, g.head)
		}
		printMisplaced(w, s)
	}
	printDamaged(w, s)
	if len(s.LeftOut) > 0 {
		fmt.Fprintf(w, "\nLeft out: %s\n", auditLeftOut(s))
	}
}

func printAuditGroup(w io.Writer, s *report.AuditSource, state report.AuditState, head string) {
	first := true
	for i := range s.Links {
		l := &s.Links[i]
		if l.State != state {
			continue
		}
		if first {
			fmt.Fprintf(w, "\n%s\n", head)
			first = false
		}
		fmt.Fprintf(w, "  %s\n", clean(l.URL))
		if l.Reason != "" {
			fmt.Fprintf(w, "    %s\n", clean(l.Reason))
		}
		printAuditPlaces(w, l)
	}
}

// printMisplaced tells of places that pages do not have, by the citations that name them.
func printMisplaced(w io.Writer, s *report.AuditSource) {
	first := true
	for i := range s.Links {
		l := &s.Links[i]
		for _, c := range l.Misplaced() {
			if first {
				fmt.Fprintln(w, "\nPlaces that their pages do not have")
				first = false
			}
			fmt.Fprintf(w, "  %s\n    %s\n", clean(l.URL+"#"+c.Fragment), clean(c.Misplacing()))
			printAuditPlace(w, c)
		}
	}
}

// auditPlaces are the places of a link that the text tells at most.
const auditPlaces = 5

func printAuditPlaces(w io.Writer, l *report.AuditLink) {
	for i := range l.Citations[:min(len(l.Citations), auditPlaces)] {
		printAuditPlace(w, &l.Citations[i])
	}
	if more := len(l.Citations) - auditPlaces; more > 0 {
		fmt.Fprintf(w, "    and %s\n", plural(more, "more place", "more places"))
	}
}

func printAuditPlace(w io.Writer, c *report.AuditCitation) {
	fmt.Fprintf(w, "    %s", c.Where())
	if sentence := clean(c.Context); sentence != "" {
		fmt.Fprintf(w, ": %s", sentence)
	} else if c.Text != "" {
		fmt.Fprintf(w, ": %s", clean(c.Text))
	}
	fmt.Fprintln(w)
}

func printDamaged(w io.Writer, s *report.AuditSource) {
	for i := range s.Damaged {
		d := &s.Damaged[i]
		if i == 0 {
			fmt.Fprintln(w, "\nDamaged: words that seem to have lost their link")
		}
		where := fmt.Sprintf("at %d", d.Start)
		if d.Line > 0 {
			where = fmt.Sprintf("line %d, column %d", d.Line, d.Column)
		}
		fmt.Fprintf(w, "  %s: %s\n    %s (%s, %.0f %% sure)\n", where, marked(d.Context, d.Text), clean(d.Reason), d.Class, 100*d.Confidence)
	}
}

func auditCounts(t *report.AuditTotals, offline bool) string {
	s := plural(t.Links, "link", "links")
	sep := ": "
	for _, p := range []struct {
		n    int
		text string
	}{{t.OK, "ok"}, {t.Redirected, "redirected"}, {t.Blocked, "blocked"}, {t.Broken, "broken"}, {t.Unchecked, "not checked"}} {
		if p.n > 0 && !offline {
			s += fmt.Sprintf("%s%d %s", sep, p.n, p.text)
			sep = ", "
		}
	}
	if t.Misplaced > 0 {
		s += "; " + plural(t.Misplaced, "place that its page does not have", "places that their pages do not have")
	}
	if t.Damaged > 0 {
		s += "; " + plural(t.Damaged, "damaged citation", "damaged citations")
	}
	return s
}

func auditLeftOut(s *report.AuditSource) string {
	count := map[string]int{}
	for _, l := range s.LeftOut {
		count[l.Reason]++
	}
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, fmt.Sprintf("%d %s", count[reason], reason))
	}
	return fmt.Sprintf("%d (%s)", len(s.LeftOut), strings.Join(parts, ", "))
}

// auditProgress is a live line on a terminal, and nothing elsewhere.
type auditProgress struct {
	bars *mpb.Progress
	bar  *mpb.Bar

	mu        sync.Mutex
	all, done int64
	broken    int
	last      string
}

func newAuditProgress(w io.Writer, all int) *auditProgress {
	p := &auditProgress{all: int64(all)}
	if !drawable(w) {
		return p
	}
	p.bars = mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh())
	p.bar = p.bars.New(0, mpb.NopStyle(), mpb.PrependDecorators(decor.Any(func(st decor.Statistics) string { return p.line(st.AvailableWidth) })))
	return p
}

func (p *auditProgress) line(width int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := fmt.Sprintf("%d of %d  %s  %d broken  %s", p.done, p.all, bar(p.done, p.all), p.broken, clean(p.last))
	if r := []rune(s); width > 1 && len(r) > width-1 {
		s = string(r[:width-2]) + "…"
	}
	return s
}

func (p *auditProgress) tell(l *report.AuditLink) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if l.State == report.StateBroken {
		p.broken++
	}
	p.last = l.URL
}

func (p *auditProgress) close() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.bars.Wait()
	}
}

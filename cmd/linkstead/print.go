package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"linkstead/archive/outcome"
	"linkstead/archive/report"
	"linkstead/archive/wall"
	"linkstead/crawler"
	"linkstead/storage"
)

// printJSON prints one document: the report itself, or all of them in one if there are several sources.
func printJSON(w io.Writer, reports []*report.Report) error {
	if len(reports) == 1 {
		return encode(w, reports[0])
	}
	return encode(w, struct {
		Version int              `json:"version"`
		Posts   []*report.Report `json:"posts"`
	}{report.Version, reports})
}

func encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// encodeLine writes JSON in one line.
func encodeLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// clean makes text from the web fit for a terminal: no control characters, no bidi tricks, one line.
func clean(s string) string { return strings.Join(strings.Fields(harmless(s)), " ") }

// legible makes several lines fit for a terminal.
func legible(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = harmless(lines[i])
	}
	return strings.Join(lines, "\n")
}

// harmless puts a space in the place of what a terminal would obey.
func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == unicode.ReplacementChar:
			return ' '
		}
		return r
	}, s)
}

// fate says in a few words what became of a URL.
func fate(f report.Fate) string {
	o := outcome.Outcome(f.Outcome)
	switch {
	case f.Outcome == report.Pending:
		return "not tried yet"
	case f.Outcome == report.Purged:
		return "taken out of the archive"
	case f.Walled():
		return fmt.Sprintf("%d, %s", f.Status, wall.Names(f.Flags))
	case o == outcome.Captured && f.Status == 0:
		return "taken in"
	case o == outcome.Captured:
		return fmt.Sprint(f.Status)
	case o.Kept():
		return fmt.Sprintf("%d, %s", f.Status, o.Describe().Short)
	}
	return o.Describe().Short
}

// runName names a run to a person. What came with an imported file has a number below zero.
func runName(run int64) string {
	if run < 0 {
		return "imported"
	}
	return fmt.Sprintf("run %d", run)
}

func printReport(w io.Writer, r *report.Report) {
	title := clean(r.Post.Title)
	if title == "" {
		title = r.Post.Source
	}
	fmt.Fprintf(w, "%s\n%s\n", title, strings.Repeat("=", min(len([]rune(title)), 80)))
	fmt.Fprintf(w, "  Source    %s\n", r.Post.Source)
	if r.Post.URL != r.Post.Source {
		fmt.Fprintf(w, "  Found at  %s\n", r.Post.URL)
	}
	fmt.Fprintf(w, "  Post      %s", fate(r.Post.Fate))
	if r.Post.LeadsTo != "" {
		fmt.Fprintf(w, ", at %s", clean(r.Post.LeadsTo))
	}
	if r.Post.Detail != "" {
		fmt.Fprintf(w, " — %s", clean(r.Post.Detail))
	}
	fmt.Fprintln(w)
	if r.Post.Requisites.Incomplete() {
		fmt.Fprintf(w, "  Lacks     %s\n", r.Post.Requisites.Lacks())
	}
	if r.Post.TLSInvalid != "" {
		fmt.Fprintf(w, "  Insecure  %s\n", clean(r.Post.TLSInvalid))
	}
	if r.Post.CapturedAt != nil {
		fmt.Fprintf(w, "  Captured  %s, %s, collection %s\n", stamp(*r.Post.CapturedAt), runName(r.Post.Run), r.Post.Collection)
	}
	if r.Post.Replay != "" {
		fmt.Fprintf(w, "  Copy      %s\n", r.Post.Replay)
	}
	if r.Post.Replay == "" && r.Post.Good() {
		fmt.Fprintf(w, "  Copy      in collection %[1]s: 'linkstead serve --collection %[1]s' replays it\n", r.Post.Collection)
	}
	if r.Post.Identifier != "" {
		fmt.Fprintf(w, "  Cited as  %s\n", r.Post.Identifier)
	}
	t := r.Totals
	fmt.Fprintf(w, "  Links     %d: %s\n", t.Links, linkCounts(&t))
	if s := scarCount(r); s != "" {
		fmt.Fprintf(w, "  Damaged   %s\n", s)
	}
	if q := t.Requisites; q != nil {
		fmt.Fprintf(w, "  Needs     %s\n", q.Words())
	}
	printLinks(w, "In part", r, func(l *report.Link) bool { return l.Good() && l.Outcome != string(outcome.Captured) })
	printLinks(w, "Behind a wall", r, func(l *report.Link) bool { return l.Walled() })
	printLinks(w, "Dead", r, func(l *report.Link) bool { return l.Dead() })
	printLinks(w, "Not captured by rule", r, func(l *report.Link) bool { return outcome.Outcome(l.Outcome).Ours() })
	printLinks(w, "Captured, but the page lacks something", r, func(l *report.Link) bool { return l.Good() && l.Requisites.Incomplete() })
	printLinks(w, "Captured with an invalid certificate", r, func(l *report.Link) bool { return l.Good() && l.TLSInvalid != "" })
	printLeftOut(w, r)
	fmt.Fprintf(w, "  In all    %s\n", report.Words(t.Tasks))
	for _, c := range r.Completed {
		fmt.Fprintf(w, "  Run %-5d %s, which were missing\n", c.Run, report.Words(c.Tasks))
	}
	if why := r.Post.Failure(); why != "" {
		fmt.Fprintf(w, "\n  The post was not captured: %s\n", why)
		if try := tryInstead(&r.Post.Fate); try != "" && r.Post.State == string(storage.RunDone) {
			fmt.Fprintf(w, "  %s\n", try)
		}
	}
}

// tryInstead says what to do about a failure of the post that the archive's own rules, or a setting, made; "" if they did not.
func tryInstead(f *report.Fate) string {
	switch o := outcome.Outcome(f.Outcome); {
	case o == outcome.Private:
		return "If it is yours: --allow-private, or the setting allow_networks, lets it be asked."
	case o == outcome.Robots, o == outcome.RobotsError:
		return "If you may: --robots record captures it all the same, and notes what robots.txt says."
	case o == outcome.TLS && strings.Contains(f.Detail, "certificate"):
		return "--tls-verify record captures it all the same, and notes what is wrong with its certificate."
	}
	return ""
}

// linkCounts says of how many links what became; the numbers add up to all of them.
func linkCounts(t *report.Totals) string {
	said := fmt.Sprintf("%d captured", t.Captured)
	for _, part := range []struct {
		n    int
		text string
	}{
		{t.Partial, "in part"}, {t.Walled, "behind a wall"}, {t.Dead, "dead"}, {t.NotCaptured, "not captured by rule"},
		{t.Pending, "not tried yet"}, {t.Purged, "taken out of the archive"},
	} {
		if part.n > 0 || part.text == "dead" {
			said += fmt.Sprintf(", %d %s", part.n, part.text)
		}
	}
	return said
}

// printLinks lists the links of one kind, and why they are of it. A reason that many share is told once.
func printLinks(w io.Writer, head string, r *report.Report, which func(*report.Link) bool) {
	detail := ""
	for i := range r.Links {
		l := &r.Links[i]
		if !which(l) {
			continue
		}
		if head != "" {
			fmt.Fprintf(w, "  %s\n", head)
			head = ""
		}
		fmt.Fprintf(w, "    %-14s %s\n", fate(l.Fate), l.URL)
		if l.Detail != "" && l.Detail != detail {
			fmt.Fprintf(w, "    %-14s   %s\n", "", clean(l.Detail))
		}
		if l.LeadsTo != "" {
			fmt.Fprintf(w, "    %-14s   it leads to %s\n", "", clean(l.LeadsTo))
		}
		if l.Requisites.Incomplete() {
			fmt.Fprintf(w, "    %-14s   page incomplete: %s\n", "", l.Requisites.Lacks())
		}
		if l.TLSInvalid != "" {
			fmt.Fprintf(w, "    %-14s   %s\n", "", clean(l.TLSInvalid))
		}
		detail = l.Detail
	}
}

func printLeftOut(w io.Writer, r *report.Report) {
	if len(r.LeftOut) == 0 {
		return
	}
	count := map[string]int{}
	for _, l := range r.LeftOut {
		count[l.Reason]++
	}
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(count)) {
		parts = append(parts, fmt.Sprintf("%d %s", count[reason], reason))
	}
	fmt.Fprintf(w, "  Left out  %d (%s)\n", len(r.LeftOut), strings.Join(parts, ", "))
}

// stamp writes a time as this machine's clock shows it, with its zone: pages, JSON and addresses have it in UTC.
func stamp(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") }

// minute is stamp without the seconds.
func minute(t time.Time) string { return t.Local().Format("2006-01-02 15:04 MST") }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func printPreview(w io.Writer, p *crawler.Planned) {
	fmt.Fprintf(w, "%s\n", p.URL)
	if p.Title != "" {
		fmt.Fprintf(w, "%s\n", clean(p.Title))
	}
	if o := outcome.Outcome(p.Outcome); !o.Kept() || p.Status >= 400 {
		f := report.Fate{Outcome: p.Outcome, Status: p.Status, Detail: p.Detail}
		fmt.Fprintf(w, "The post can't be captured: %s\n", f.Failure())
		if try := tryInstead(&f); try != "" {
			fmt.Fprintln(w, try)
		}
		fmt.Fprintln(w, "\nNothing was written.")
		return
	}
	for _, list := range []struct {
		name string
		urls []string
	}{{"Links that would be captured, each with its requisites", p.Links}, {"Requisites of the post", p.Requisites}} {
		fmt.Fprintf(w, "\n%s: %d\n", list.name, len(list.urls))
		for _, u := range list.urls {
			fmt.Fprintf(w, "  %s\n", u)
		}
	}
	fmt.Fprintf(w, "\nLeft out: %d\n", len(p.LeftOut))
	printOmitted(w, p.LeftOut)
	fmt.Fprintln(w, "\nNothing was written.")
}

// printOmitted lists what is left out, each address once for each reason.
func printOmitted(w io.Writer, list []crawler.Omitted) {
	count := map[crawler.Omitted]int{}
	for _, l := range list {
		if count[l]++; count[l] > 1 {
			continue
		}
		fmt.Fprintf(w, "  %-18s %s\n", l.Reason, clean(l.URL))
	}
}

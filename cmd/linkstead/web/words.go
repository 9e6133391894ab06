package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/report"
	"linkstead/archive/wall"
)

// group is what a link counts as.
type group string

// The groups of links, as the report's totals count them.
const (
	captured    group = "captured"
	partial     group = "partial"
	walled      group = "walled"
	dead        group = "dead"
	notCaptured group = "not-captured"
	pending     group = "pending"
	purged      group = "purged"
)

// fate is what became of an address, in plain words.
type fate struct {
	Group  group
	Word   string // captured, dead: 404 Not Found, …
	Status string // of a copy that is good: 200 OK
	Why    string // a sentence
	Detail string // what the failure said
}

func fateOf(f *report.Fate) fate {
	o := outcome.Outcome(f.Outcome)
	d := o.Describe()
	out := fate{Detail: clean(f.Detail, maxContext)}
	switch {
	case f.Outcome == report.Pending || o == outcome.Pending:
		out.Group, out.Word = pending, "Not tried yet"
	case f.Outcome == report.Purged:
		out.Group, out.Word = purged, "Taken out of the archive"
	case f.Walled():
		out.Group, out.Word, out.Status = walled, "Behind a wall: "+wall.Names(f.Flags), status(f.Status)
		out.Why = wall.Sentence(f.Flags)
		if f.LeadsTo != "" {
			out.Why += " It leads to " + shownURL(f.LeadsTo)
		}
	case f.Good():
		out.Group, out.Word, out.Status = captured, "Captured", status(f.Status)
		if o != outcome.Captured {
			out.Group, out.Word, out.Why = partial, "Captured in part: "+d.Short, d.Meaning
		}
		if f.Status == 0 {
			out.Why = "The document was handed in; no server was asked for it."
		}
	case d.Kept:
		out.Group, out.Word = dead, "Dead: "+status(f.Status)
		out.Why = "The server answered with an error; its answer is kept."
		if o != outcome.Captured {
			out.Why = "The server answered with an error. " + d.Meaning
		}
		if f.Status < http.StatusBadRequest { // a redirect that leads nowhere, or a 304 that nobody asked for
			why := f.Failure()
			out.Why = strings.ToUpper(why[:1]) + why[1:]
		}
	case d.Ours:
		out.Group, out.Word, out.Why = notCaptured, "Not captured: "+d.Short, d.Meaning
	default:
		out.Group, out.Word, out.Why = dead, "Dead: "+clean(d.Short, maxTitle), clean(d.Meaning, maxTitle)
	}
	if out.Why == out.Detail {
		out.Detail = ""
	}
	return out
}

// status is an HTTP status with its name, such as "404 Not Found"; empty for 0.
func status(code int) string {
	if code == 0 {
		return ""
	}
	return strings.TrimSpace(fmt.Sprint(code, " ", http.StatusText(code)))
}

// moment is a point in time for people and for programs.
type moment struct{ Text, ISO string }

func momentOf(t time.Time) *moment {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &moment{t.Format("2 January 2006, 15:04 UTC"), t.Format(time.RFC3339)}
}

// cited is when an author cited, as exactly as it is known: a year, a month, a day or a time.
func cited(s string) *moment {
	for _, f := range []struct{ in, out string }{
		{"2006", "2006"},
		{"2006-01", "January 2006"},
		{"2006-01-02", "2 January 2006"},
		{"2006-01-02T15:04", "2 January 2006, 15:04"},
		{"2006-01-02T15:04:05", "2 January 2006, 15:04"},
		{time.RFC3339, "2 January 2006, 15:04 (UTC-07:00)"},
	} {
		if t, err := time.Parse(f.in, s); err == nil {
			return &moment{strings.Replace(t.Format(f.out), "(UTC+00:00)", "UTC", 1), s}
		}
	}
	if s = clean(s, 40); s == "" {
		return nil
	}
	return &moment{Text: s}
}

// count says how many of something there are.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

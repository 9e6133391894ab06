package watch

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // machines without a time zone database must run the same schedules

	"github.com/robfig/cron/v3"
)

// When says when a schedule's runs are due: exactly one of Every, Cron, At and Adaptive is set. Its texts are those that a
// person wrote.
type When struct {
	Every    string  `json:"every,omitempty"`    // 6h, 90m, 7d
	Cron     string  `json:"cron,omitempty"`     // minute hour day-of-month month day-of-week, or @daily and the like
	At       string  `json:"at,omitempty"`       // once: 2026-12-01T10:00, or RFC 3339
	Adaptive *Bounds `json:"adaptive,omitempty"` // sooner when its history shows change, later when not
	TZ       string  `json:"tz,omitempty"`       // time zone of Cron, At and Start: Europe/Zurich; UTC without it
	Start    string  `json:"start,omitempty"`    // of Every and Adaptive: when the first run is due; at once without it
}

// Bounds are the shortest and the longest time between two runs.
type Bounds struct {
	Min string `json:"min"`
	Max string `json:"max"`
}

// Timing is a When made ready.
type Timing struct {
	zone     *time.Location
	every    time.Duration
	cron     cron.Schedule
	wall     bool // of cron: the hour is given, so that it means what clocks show
	at       time.Time
	min, max time.Duration
	start    time.Time
}

// Compile checks a When. Errors say what to write instead.
func (w When) Compile() (*Timing, error) {
	t := &Timing{zone: time.UTC}
	n := 0
	for _, set := range []bool{w.Every != "", w.Cron != "", w.At != "", w.Adaptive != nil} {
		if set {
			n++
		}
	}
	if n != 1 {
		return nil, fmt.Errorf("say when it runs, in one way: every 6h, cron '0 3 * * *', at 2026-12-01T10:00, or adaptive with min 1h and max 30d")
	}
	var err error
	if w.TZ != "" {
		if t.zone, err = time.LoadLocation(w.TZ); err != nil || w.TZ == "Local" {
			return nil, fmt.Errorf("time zone %q is unknown: write it as in Europe/Zurich, America/New_York or UTC", w.TZ)
		}
	}
	if w.Start != "" && (w.Cron != "" || w.At != "") {
		return nil, fmt.Errorf("start is for every and adaptive; cron and at say by themselves when the first run is due")
	}
	if w.TZ != "" && w.Cron == "" && w.At == "" && w.Start == "" {
		return nil, fmt.Errorf("tz is the time zone of cron, at and start: every and adaptive without a start need none")
	}
	if t.start, err = t.moment("start", w.Start); err != nil {
		return nil, err
	}
	switch {
	case w.Every != "":
		t.every, err = span("every", w.Every)
	case w.Cron != "":
		err = t.setCron(w.Cron)
	case w.At != "":
		t.at, err = t.moment("at", w.At)
	default:
		if t.min, err = span("adaptive min", w.Adaptive.Min); err == nil {
			t.max, err = span("adaptive max", w.Adaptive.Max)
		}
		if err == nil && t.min > t.max {
			err = fmt.Errorf("adaptive: min %s is longer than max %s", w.Adaptive.Min, w.Adaptive.Max)
		}
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// String says when for people.
func (w When) String() string {
	zone := ""
	if w.TZ != "" {
		zone = " " + w.TZ
	}
	switch {
	case w.Every != "":
		return "every " + w.Every
	case w.Cron != "":
		return "cron " + w.Cron + zone
	case w.At != "":
		return "once at " + w.At + zone
	case w.Adaptive != nil:
		return "adaptive, " + w.Adaptive.Min + " to " + w.Adaptive.Max
	}
	return "never"
}

func (t *Timing) moment(what, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.ParseInLocation(form, s, t.zone); err == nil && at.Year() < 1990 { // nor Go's zero, which is none
			return at, fmt.Errorf("%s %q lies before the web", what, s)
		} else if err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s %q is no time: write it as in 2026-12-01T10:00, with tz for its time zone", what, s)
}

// The shortest and the longest time between two runs that can be asked for.
const (
	minSpan = time.Second
	maxSpan = 10 * 366 * 24 * time.Hour
)

// span reads a length of time: Go's units, and d and w for days of 24 hours and weeks of 7 days.
func span(what, s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if unit := map[byte]time.Duration{'d': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[(" " + s)[len(s)]]; unit != 0 {
		var n float64
		if n, err = strconv.ParseFloat(s[:len(s)-1], 64); err == nil && !math.IsNaN(n) && math.Abs(n) < float64(2*maxSpan/unit) {
			d = time.Duration(n * float64(unit))
		}
	}
	if err != nil || d < minSpan || d > maxSpan {
		return 0, fmt.Errorf("%s %q is no time between two runs: write a number and its unit, as in 90m, 6h, 7d or 4w", what, s)
	}
	return d, nil
}

var cronParser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// setCron reads a cron expression.
func (t *Timing) setCron(s string) (err error) {
	const form = "write five fields, minute hour day-of-month month day-of-week, as in '0 3 * * *', or @daily"
	fields := strings.Fields(s)
	switch {
	case strings.Contains(s, "TZ="):
		return fmt.Errorf("cron %q: give the time zone with tz, not within", s)
	case strings.HasPrefix(s, "@every"):
		return fmt.Errorf("cron %q: use every instead, as in every 6h", s)
	case len(fields) == 0:
		return fmt.Errorf("cron %q is empty: %s", s, form)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("cron %q can't be read: %s", s, form)
		}
	}()
	if t.cron, err = cronParser.Parse(s); err != nil {
		return fmt.Errorf("cron %q can't be read (%s): %s", s, err.Error(), form)
	}
	t.wall = len(fields) > 1 && !strings.HasPrefix(fields[1], "*") || len(fields) == 1 && fields[0] != "@hourly"
	if t.cron.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return fmt.Errorf("cron %q never comes: there is no such day", s)
	}
	return nil
}

// Past is one run of a schedule.
type Past struct {
	Started time.Time
	Changed bool // it found something new, changed, failed or back again
	Unknown bool // nobody knows what it found: it goes on, or its rows were lost
}

// First is when a new schedule's first run is due.
func (t *Timing) First(now time.Time) time.Time {
	switch {
	case t.cron != nil:
		return t.nextCron(now)
	case !t.at.IsZero():
		return t.at
	case !t.start.IsZero():
		return t.start
	}
	return now
}

// Next is when the tick that comes after one is due, which was due at due and is carried out now; zero if there is none.
// However many runs were missed, the next one lies after now.
func (t *Timing) Next(due, now time.Time) time.Time {
	switch {
	case t.cron != nil:
		return t.nextCron(now)
	case !t.at.IsZero():
		return time.Time{}
	case t.every > 0:
		if late := now.Sub(due); late >= 0 && late < maxSpan {
			return due.Add((late/t.every + 1) * t.every)
		}
		return now.Add(t.every)
	}
	return now.Add(t.min) // Ready says whether it runs then
}

// Ready says when a schedule whose tick is due may run: at once, unless it is adaptive and its history, oldest first, asks
// for a longer pause.
func (t *Timing) Ready(history []Past) time.Time {
	if t.min == 0 || len(history) == 0 {
		return time.Time{}
	}
	return history[len(history)-1].Started.Add(Pause(t.min, t.max, history))
}

// Pause is how long an adaptive schedule waits after its last run: half as long after each run that found a change, half as
// long again after each that found none. It begins in the middle between the bounds, by proportion. A run of which nothing
// is known leaves it as it was.
func Pause(shortest, longest time.Duration, history []Past) time.Duration {
	wait := math.Sqrt(float64(shortest) * float64(longest))
	for i, p := range history {
		switch {
		case i == 0, p.Unknown: // the first run has nothing to compare with
		case p.Changed:
			wait /= 2
		default:
			wait *= 1.5
		}
		wait = min(max(wait, float64(shortest)), float64(longest))
	}
	return time.Duration(wait)
}

// nextCron is the next time of a cron expression. One whose hour is given means what clocks show: a time that a change of
// the clocks leaves out comes an hour later, and one that comes twice counts once. Others go by elapsed time.
func (t *Timing) nextCron(now time.Time) time.Time {
	if !t.wall {
		return t.cron.Next(now.In(t.zone))
	}
	// Clocks may have gone back since: begin early enough to see the hours before.
	l := now.In(t.zone).Add(-3 * time.Hour)
	shown := time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), 0, time.UTC)
	for range 10_000 {
		if shown = t.cron.Next(shown); shown.IsZero() {
			return time.Time{}
		}
		if at := onClock(shown, t.zone); at.After(now) {
			return at
		}
	}
	return time.Time{}
}

// onClock is the first moment at which clocks of a zone show a time; if they never do, as long after the gap's beginning as
// the time lies behind it.
func onClock(shown time.Time, zone *time.Location) time.Time {
	at := time.Date(shown.Year(), shown.Month(), shown.Day(), shown.Hour(), shown.Minute(), shown.Second(), 0, zone)
	for _, earlier := range []time.Duration{2 * time.Hour, time.Hour, 30 * time.Minute} {
		if e := at.Add(-earlier); e.Format(time.DateTime) == shown.Format(time.DateTime) {
			return e
		}
	}
	if at.Format(time.DateTime) < shown.Format(time.DateTime) { // Go chose the zone behind the gap
		_, before := at.Add(-24 * time.Hour).Zone()
		_, behind := at.Add(24 * time.Hour).Zone()
		return at.Add(time.Duration(behind-before) * time.Second)
	}
	return at
}

// Same says whether two of them mean the same times.
func (w When) Same(o When) bool {
	a, b := w.Adaptive, o.Adaptive
	w.Adaptive, o.Adaptive = nil, nil
	return w == o && (a == nil) == (b == nil) && (a == nil || *a == *b)
}

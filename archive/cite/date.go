package cite

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Date is a date as exact as it was told: a year, a month, a day, or a moment. The zero Date is unknown.
type Date struct {
	Year  int
	Month int       // 0: unknown
	Day   int       // 0: unknown
	At    time.Time // the moment, UTC; zero if only a date was told, or no zone
}

// DateOf is the date of a moment, in UTC.
func DateOf(t time.Time) Date {
	if t.IsZero() {
		return Date{}
	}
	t = t.UTC()
	return Date{t.Year(), int(t.Month()), t.Day(), t}
}

// Known says whether there is at least a year.
func (d Date) Known() bool { return d.Year != 0 }

// ISO is the date in ISO 8601, without a time: "2016", "2016-02", "2016-02-06"; empty if it is unknown.
func (d Date) ISO() string {
	switch {
	case d.Year == 0:
		return ""
	case d.Month == 0:
		return fmt.Sprintf("%04d", d.Year)
	case d.Day == 0:
		return fmt.Sprintf("%04d-%02d", d.Year, d.Month)
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// String is the date as exact as it is known, for people and JSON: with its time if it has one.
func (d Date) String() string {
	if !d.At.IsZero() {
		return d.At.UTC().Format(time.RFC3339)
	}
	return d.ISO()
}

var (
	isoDate     = regexp.MustCompile(`^(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2})(?:[T ]\s*(.*))?)?)?$`)
	compactDate = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})$`)
	germanDate  = regexp.MustCompile(`^(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})$`)
	weekday     = regexp.MustCompile(`^(?i:mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun)(day)?\.?,?\s+`)
	ordinal     = regexp.MustCompile(`(?i)\b(\d{1,2})(st|nd|rd|th)\b`)
)

var timeLayouts = []string{"15:04:05.999999999Z07:00", "15:04:05Z0700", "15:04Z07:00", "15:04Z0700", "15:04:05 -0700", "15:04:05 MST"}

// Layouts of dates with months in words. Those with numbers for day and month are not read unless the order is plain: 2/3/2016 is two days.
var wordLayouts = []struct {
	layout  string
	instant bool
	days    bool
}{
	{"2 Jan 2006 15:04:05 -0700", true, true}, {"2 Jan 2006 15:04:05 MST", true, true}, {"2 Jan 2006 15:04:05", false, true},
	{"January 2, 2006", false, true}, {"Jan 2, 2006", false, true}, {"January 2 2006", false, true}, {"Jan 2 2006", false, true},
	{"2 January 2006", false, true}, {"2 Jan 2006", false, true}, {"2006 January 2", false, true}, {"2006 Jan 2", false, true},
	{"January 2006", false, false}, {"Jan 2006", false, false}, {"2006 January", false, false},
}

// ParseDate reads a date as pages tell them. What is ambiguous, impossible or outside of the years 1000 to 9999 is no date.
func ParseDate(s string) (Date, bool) {
	if len(s) > 80 {
		return Date{}, false
	}
	s = strings.Join(strings.Fields(s), " ")
	for _, m := range [][]string{isoDate.FindStringSubmatch(s), compactDate.FindStringSubmatch(s)} {
		if m == nil {
			continue
		}
		d := Date{Year: number(m[1]), Month: number(m[2]), Day: number(m[3])}
		if len(m) > 4 && m[4] != "" {
			d.At = moment(d, m[4])
		}
		return d, valid(d) && (m[2] == "" || d.Month > 0) && (m[3] == "" || d.Day > 0)
	}
	if m := germanDate.FindStringSubmatch(s); m != nil {
		d := Date{Year: number(m[3]), Month: number(m[2]), Day: number(m[1])}
		return d, valid(d) && d.Month > 0 && d.Day > 0
	}
	s = ordinal.ReplaceAllString(weekday.ReplaceAllString(s, ""), "$1")
	for _, l := range wordLayouts {
		t, err := time.Parse(l.layout, s)
		if err != nil || t.Year() < 1000 {
			continue
		}
		d := Date{Year: t.Year(), Month: int(t.Month())}
		if l.days {
			d.Day = t.Day()
		}
		if l.instant && certain(t) {
			d.At = t.UTC()
		}
		return d, true
	}
	return Date{}, false
}

// certain says whether the zone of a parsed time is known: Go makes an unknown abbreviation one of no offset.
func certain(t time.Time) bool {
	name, offset := t.Zone()
	return offset != 0 || name == "" || name == "UTC" || name == "GMT"
}

// moment is when a clock of a day showed a time; zero if its zone is not told.
func moment(d Date, clock string) time.Time {
	for _, l := range timeLayouts {
		t, err := time.Parse("2006-01-02 "+l, d.ISO()+" "+strings.TrimSpace(clock))
		if err == nil && certain(t) {
			return t.UTC()
		}
	}
	return time.Time{}
}

func number(s string) (n int) {
	for _, c := range s {
		n = n*10 + int(c-'0')
	}
	return n
}

func valid(d Date) bool {
	if d.Year < 1000 || d.Month > 12 || d.Month == 0 && d.Day != 0 {
		return false
	}
	return d.Day == 0 || d.Day <= time.Date(d.Year, time.Month(d.Month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// Distance says in words how far a capture lies from a date, as exact as that is known: "2 hours after", "on the day of",
// "3 months before". What it lies from is for the caller to name. Empty if the date is unknown.
func Distance(captured time.Time, from Date) string {
	captured = captured.UTC()
	switch {
	case !from.Known() || captured.IsZero():
		return ""
	case !from.At.IsZero():
		return apart(captured.Sub(from.At))
	case from.Day != 0:
		day := time.Date(from.Year, time.Month(from.Month), from.Day, 0, 0, 0, 0, time.UTC)
		n := int(captured.Truncate(24*time.Hour).Sub(day) / (24 * time.Hour))
		switch {
		case n == 0:
			return "on the day of"
		case n > -60 && n < 60:
			return counted(n, "day")
		}
		return apart(time.Duration(n) * 24 * time.Hour)
	case from.Month != 0:
		n := (captured.Year()-from.Year)*12 + int(captured.Month()) - from.Month
		if n == 0 {
			return "in the month of"
		}
		return counted(n, "month")
	}
	if n := captured.Year() - from.Year; n != 0 {
		return counted(n, "year")
	}
	return "in the year of"
}

func apart(d time.Duration) string {
	size := max(d, -d)
	switch day := 24 * time.Hour; {
	case size < time.Minute:
		return "within a minute of"
	case size < 2*time.Hour:
		return counted(int(d/time.Minute), "minute")
	case size < 2*day:
		return counted(int(d/time.Hour), "hour")
	case size < 60*day:
		return counted(int(d/day), "day")
	case size < 730*day:
		return counted(int(d/(30*day+10*time.Hour)), "month")
	default:
		return counted(int(d/(365*day)), "year")
	}
}

func counted(n int, unit string) string {
	word := "after"
	if n < 0 {
		n, word = -n, "before"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s %s", n, unit, word)
}

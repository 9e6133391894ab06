package access

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Period is a time by the calendar: years and months are as long as they are then.
type Period struct{ Months, Days int }

const maxPeriod = 1000 // years

var errPeriod = errors.New("is no period: write it as 1y, 18mo, 2w, 90d, or 1y6mo")

// units are how a period may be written.
var units = map[string]Period{
	"y": {Months: 12}, "year": {Months: 12}, "years": {Months: 12},
	"mo": {Months: 1}, "month": {Months: 1}, "months": {Months: 1},
	"w": {Days: 7}, "week": {Days: 7}, "weeks": {Days: 7},
	"d": {Days: 1}, "day": {Days: 1}, "days": {Days: 1},
}

// ParsePeriod reads a period: "1y", "18mo", "1 year 6 months".
func ParsePeriod(s string) (Period, error) {
	var p Period
	rest := strings.ToLower(strings.TrimSpace(s))
	if rest == "" || len(rest) > 100 {
		return p, fmt.Errorf("%.100q %w", s, errPeriod)
	}
	for rest != "" {
		digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
		rest = strings.TrimLeft(rest[len(digits):], " ")
		word := rest[:len(rest)-len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyz"))]
		rest = strings.TrimLeft(rest[len(word):], " ")
		unit, known := units[word]
		n, err := strconv.Atoi(digits)
		if err != nil || !known || n > maxPeriod*366 {
			return Period{}, fmt.Errorf("%q %w", s, errPeriod)
		}
		p.Months += n * unit.Months
		p.Days += n * unit.Days
	}
	if p.IsZero() || p.Months > maxPeriod*12 || p.Days > maxPeriod*366 {
		return Period{}, fmt.Errorf("%q: a period has a day at least, and %d years at most", s, maxPeriod)
	}
	return p, nil
}

// IsZero says whether a period is none.
func (p Period) IsZero() bool { return p == Period{} }

// String writes a period so that ParsePeriod reads it.
func (p Period) String() string {
	s := ""
	for _, part := range []struct {
		n    int
		unit string
	}{{p.Months / 12, "y"}, {p.Months % 12, "mo"}, {p.Days, "d"}} {
		if part.n > 0 {
			s += strconv.Itoa(part.n) + part.unit
		}
	}
	return s
}

// Words writes a period for people: "1 year, 6 months".
func (p Period) Words() string {
	var out []string
	for _, part := range []struct {
		n    int
		unit string
	}{{p.Months / 12, "year"}, {p.Months % 12, "month"}, {p.Days, "day"}} {
		switch {
		case part.n == 1:
			out = append(out, "1 "+part.unit)
		case part.n > 1:
			out = append(out, strconv.Itoa(part.n)+" "+part.unit+"s")
		}
	}
	return strings.Join(out, ", ")
}

// MarshalText implements encoding.TextMarshaler.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Period) UnmarshalText(b []byte) error {
	var err error
	if len(b) == 0 {
		*p = Period{}
		return nil
	}
	*p, err = ParsePeriod(string(b))
	return err
}

// From is the moment that lies a period after another. A day that a month does not have is its last one, so that a later
// moment never leads to an earlier one.
func (p Period) From(at time.Time) time.Time {
	at = at.UTC()
	y, m, d := at.Date()
	first := time.Date(y, m+time.Month(p.Months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	day := first.AddDate(0, 0, min(d, last)-1+p.Days)
	return day.Add(at.Sub(at.Truncate(24 * time.Hour)))
}

// since is the first microsecond for which a period has not gone by at a moment.
func (p Period) since(now time.Time) time.Time {
	low := now.UTC().AddDate(0, -p.Months, -p.Days-5).UnixMicro() // gone by
	high := now.UnixMicro() + 1                                   // not gone by: a period has a day at least
	for low+1 < high {
		if mid := low + (high-low)/2; p.From(time.UnixMicro(mid)).After(now) {
			high = mid
		} else {
			low = mid
		}
	}
	return time.UnixMicro(high).UTC()
}

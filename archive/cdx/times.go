package cdx

import (
	"errors"
	"strings"
	"time"
)

var errTime = errors.New("a time is 1 to 14 digits: year, month, day, hour, minute, second")

// Span brings the first moment of what 1 to 14 digits name, and the first moment behind it. What no calendar has is moved to
// the nearest that it has.
func Span(digits string) (from, to time.Time, err error) {
	if digits == "" || len(digits) > len(timeLayout) || strings.Trim(digits, "0123456789") != "" {
		return from, to, errTime
	}
	from, err = time.Parse(timeLayout, existing(digits+"00000000000000"[len(digits):]))
	if err == nil {
		to, err = time.Parse(timeLayout, existing(digits+"99999999999999"[len(digits):]))
	}
	if err != nil {
		return from, to, errTime
	}
	return from, to.Add(time.Second), nil
}

// existing moves 14 digits to a time that exists.
func existing(digits string) string {
	s := []byte(digits)
	clamp(s[4:6], 1, 12)
	last := 31
	if first, err := time.Parse("200601", string(s[:6])); err == nil {
		last = first.AddDate(0, 1, -1).Day()
	}
	clamp(s[6:8], 1, last)
	clamp(s[8:10], 0, 23)
	clamp(s[10:12], 0, 59)
	clamp(s[12:14], 0, 59)
	return string(s)
}

func clamp(two []byte, low, high int) {
	n := min(max(int(two[0]-'0')*10+int(two[1]-'0'), low), high)
	two[0], two[1] = byte('0'+n/10), byte('0'+n%10) //nolint:gosec // up to 59
}

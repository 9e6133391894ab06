package pace

import (
	"net/http"
	"strings"
	"time"
)

// RetryAfter reads a Retry-After field (RFC 9110 §10.2.3), of seconds or of a date: how long to wait from now on, up to
// most. date is the Date field of the same answer, by which a server whose clock is wrong is understood; it may be empty.
// What can't be read, or lies in the past, is 0: nothing was asked for.
func RetryAfter(value, date string, now time.Time, most time.Duration) time.Duration {
	value = strings.Trim(value, " \t")
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		return seconds(value, most)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if sent, err := http.ParseTime(date); err == nil {
		now = sent
	}
	return min(max(at.Sub(now), 0), max(most, 0))
}

// seconds reads digits of any number.
func seconds(digits string, most time.Duration) time.Duration {
	var d time.Duration
	for _, c := range []byte(digits) {
		if d = 10*d + time.Duration(c-'0')*time.Second; d >= most {
			return max(most, 0)
		}
	}
	return d
}

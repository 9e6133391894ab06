package main

import (
	"fmt"
	"strconv"
	"strings"
)

// statuses are HTTP statuses, as ranges.
type statuses []statusSpan

type statusSpan struct{ low, high int } // both included

// parseStatuses reads a list such as "200..=299,403": numbers, ranges as lychee writes them (the end of 200..300 is not in it,
// that of 200..=299 and 200-299 is), and classes such as 2xx.
func parseStatuses(s string) (statuses, error) {
	var out statuses
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		one, ok := parseStatus(part)
		if !ok {
			return nil, fmt.Errorf("%q is neither a status nor a range of them: write 200, 200..=299, 200-299 or 2xx, separated by commas", part)
		}
		out = append(out, one)
	}
	return out, nil
}

func parseStatus(s string) (statusSpan, bool) {
	if len(s) == 3 && strings.EqualFold(s[1:], "xx") && s[0] >= '1' && s[0] <= '9' {
		n := int(s[0]-'0') * 100
		return statusSpan{n, n + 99}, true
	}
	for _, sep := range []struct {
		mark string
		less int
	}{{"..=", 0}, {"..", 1}, {"-", 0}} {
		if low, high, ok := strings.Cut(s, sep.mark); ok {
			from, ok1 := statusNumber(low, 100)
			to, ok2 := statusNumber(high, 1000-1+sep.less)
			to -= sep.less
			return statusSpan{from, to}, ok1 && ok2 && from <= to && (low != "" || high != "")
		}
	}
	n, ok := statusNumber(s, 0)
	return statusSpan{n, n}, ok
}

// statusNumber reads a status; nothing is open.
func statusNumber(s string, open int) (int, bool) {
	if s == "" {
		return open, open != 0
	}
	n, err := strconv.ParseUint(s, 10, 16)
	return int(n), err == nil && n >= 100 && n <= 1000 //nolint:gosec // 16 bits
}

func (l statuses) has(status int) bool {
	for _, s := range l {
		if status >= s.low && status <= s.high {
			return true
		}
	}
	return false
}

package session

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// setCookie is one Set-Cookie field (RFC 6265 §5.2).
type setCookie struct {
	name, value string
	from, to    int // where the value stands in the head

	domain   string // lower case, without a leading dot; "" if none is named
	path     string // "" if none is named
	secure   bool
	httpOnly bool
	maxAge   string // as written; "" if none is named
	expires  string
}

// maxSetCookies bounds the fields of one head that are read. What is beyond is masked all the same.
const maxSetCookies = 200

// setCookies reads the Set-Cookie fields of a head. Lines end with CRLF or LF; those that begin with a space go on with
// the one before.
func setCookies(head []byte) []setCookie {
	var out []setCookie
	for at := 0; at < len(head); {
		end := lineEnd(head, at)
		for end < len(head) && (head[end] == ' ' || head[end] == '\t') {
			end = lineEnd(head, end)
		}
		line := head[at:end]
		if colon := bytes.IndexByte(line, ':'); colon > 0 &&
			strings.EqualFold(strings.Trim(string(line[:colon]), " \t"), "Set-Cookie") {
			out = append(out, parseSetCookie(head, at+colon+1, end))
		}
		at = end
	}
	return out
}

// lineEnd is where the line after the one at begins.
func lineEnd(b []byte, at int) int {
	if i := bytes.IndexByte(b[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(b)
}

// parseSetCookie reads the value of a field, which stands at head[from:to].
func parseSetCookie(head []byte, from, to int) setCookie {
	pair := to
	if i := bytes.IndexByte(head[from:to], ';'); i >= 0 {
		pair = from + i
	}
	c := setCookie{from: from, to: pair}
	if i := bytes.IndexByte(head[from:pair], '='); i >= 0 {
		c.name = flat(head[from : from+i])
		c.from = from + i + 1
	}
	c.value = flat(head[c.from:c.to])
	for attr := range strings.SplitSeq(flat(head[pair:to]), ";") {
		name, value, _ := strings.Cut(attr, "=")
		value = strings.Trim(value, " \t")
		switch strings.ToLower(strings.Trim(name, " \t")) {
		case "domain":
			if value != "" {
				c.domain = strings.ToLower(strings.TrimPrefix(value, "."))
			}
		case "path":
			c.path = value
		case "secure":
			c.secure = true
		case "httponly":
			c.httpOnly = true
		case "max-age":
			c.maxAge = value
		case "expires":
			c.expires = value
		}
	}
	return c
}

// flat is a piece of a head on one line, trimmed.
func flat(b []byte) string {
	return strings.Trim(strings.NewReplacer("\r", "", "\n", "").Replace(string(b)), " \t")
}

// mask writes Mask over the value of the cookie in its head.
func (c setCookie) mask(head []byte) {
	for i := c.from; i < c.to; i++ {
		if head[i] > ' ' {
			head[i] = Mask
		}
	}
}

// until is when the cookie ends (RFC 6265 §5.3); the zero time if with the run. gone says that it is over already: that
// is how a cookie is taken back.
func (c setCookie) until(now time.Time) (end time.Time, gone bool) {
	if c.maxAge != "" && strings.Trim(strings.TrimPrefix(c.maxAge, "-"), "0123456789") == "" {
		n, err := strconv.ParseInt(c.maxAge, 10, 64)
		if err != nil || n > maxAge {
			n = maxAge
		}
		if strings.HasPrefix(c.maxAge, "-") || n <= 0 {
			return now, true
		}
		return now.Add(time.Duration(n) * time.Second), false
	}
	if end, ok := cookieDate(c.expires); ok {
		return end, !end.After(now)
	}
	return time.Time{}, false
}

// maxAge bounds a cookie's life, in seconds: four hundred days (RFC 6265bis §5.5).
const maxAge = 400 * 24 * 3600

var months = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

// cookieDate reads a date as browsers do (RFC 6265 §5.1.1): whatever the order of its parts.
func cookieDate(s string) (time.Time, bool) {
	var hour, minute, second, day, year = -1, -1, -1, -1, -1
	month := 0
	tokens := strings.FieldsFunc(s, func(r rune) bool {
		return r != ':' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z') && r < 0x80
	})
	for _, t := range tokens[:min(len(tokens), 20)] {
		switch {
		case hour < 0 && clock(t, &hour, &minute, &second):
		case day < 0 && digits(t, 1, 2, &day):
		case month == 0 && monthOf(t, &month):
		case year < 0 && digits(t, 2, 4, &year):
		}
	}
	switch {
	case year >= 70 && year <= 99:
		year += 1900
	case year >= 0 && year < 70:
		year += 2000
	}
	if day < 1 || day > 31 || month == 0 || year < 1601 || hour < 0 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	d := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return d, d.Day() == day
}

// clock reads hh:mm:ss.
func clock(t string, hour, minute, second *int) bool {
	parts := strings.SplitN(t, ":", 3)
	var h, m, s int
	if len(parts) != 3 || !digits(parts[0], 1, 2, &h) || !digits(parts[1], 1, 2, &m) || !digits(parts[2], 1, 2, &s) {
		return false
	}
	*hour, *minute, *second = h, m, s
	return true
}

// digits reads the least to most digits that t begins with, and no more of them.
func digits(t string, least, most int, to *int) bool {
	n, v := 0, 0
	for n < len(t) && t[n] >= '0' && t[n] <= '9' && n <= most {
		v = v*10 + int(t[n]-'0')
		n++
	}
	if n < least || n > most {
		return false
	}
	*to = v
	return true
}

func monthOf(t string, to *int) bool {
	for i, m := range months {
		if len(t) >= 3 && strings.EqualFold(t[:3], m) {
			*to = i + 1
			return true
		}
	}
	return false
}

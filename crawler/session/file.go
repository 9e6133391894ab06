package session

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Bounds of a file of cookies.
const (
	MaxFile        = 4 << 20 // bytes
	maxFileCookies = 3000
)

// ReadCookies reads cookies as browsers' extensions, curl, wget and yt-dlp write them: a line a cookie, of seven fields
// with a tab between (domain, TRUE if for hosts under it too, path, TRUE if over https alone, end in seconds of the epoch
// or 0, name, value). "#HttpOnly_" before the domain is no comment. Errors name the line and never a value.
func ReadCookies(data []byte) ([]Cookie, error) {
	text := strings.TrimPrefix(string(data), "\ufeff")
	if len(data) > MaxFile {
		return nil, fmt.Errorf("longer than %d MiB: too long for cookies", MaxFile>>20)
	}
	if s := strings.TrimSpace(text); s != "" && (s[0] == '[' || s[0] == '{') {
		return nil, fmt.Errorf("line 1: this is JSON: export the cookies in Netscape format (cookies.txt)")
	}
	var out []Cookie
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		line = strings.TrimSuffix(line, "\r")
		rest, httpOnly := strings.CutPrefix(line, "#HttpOnly_")
		if strings.TrimSpace(line) == "" || line[0] == '#' && !httpOnly {
			continue
		}
		c, err := readCookie(rest)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if out = append(out, c); len(out) > maxFileCookies {
			return nil, fmt.Errorf("line %d: more than %d cookies: keep those of the sites to be captured", n, maxFileCookies)
		}
	}
	return out, nil
}

func readCookie(line string) (Cookie, error) {
	f := strings.Split(line, "\t")
	if len(f) == 6 {
		f = append(f, "") // a cookie without a value, whose last tab was trimmed
	}
	if len(f) != 7 {
		return Cookie{}, fmt.Errorf("%d fields with a tab between them, where 7 are needed: domain, TRUE or FALSE, path, TRUE or FALSE, end, name, value", len(f))
	}
	c := Cookie{Domain: strings.ToLower(strings.TrimPrefix(f[0], ".")), Path: f[2], Name: f[5], Value: f[6], secret: true}
	tail, ok := flag(f[1])
	if c.HostOnly = !tail; !ok {
		return c, fmt.Errorf("the second field says whether hosts under the domain are meant, too: TRUE or FALSE")
	}
	if c.Secure, ok = flag(f[3]); !ok {
		return c, fmt.Errorf("the fourth field says whether the cookie is for https alone: TRUE or FALSE")
	}
	if !hostName(c.Domain) {
		return c, fmt.Errorf("the first field is no domain")
	}
	if tail && Public(c.Domain) {
		if strings.Contains(c.Domain, ".") {
			return c, fmt.Errorf("the domain %s is a public suffix: anybody may have a host under it", c.Domain)
		}
		c.HostOnly = true
	}
	if c.Path == "" || c.Path[0] != '/' || !sendable(c.Path) {
		return c, fmt.Errorf("the third field is no path: it begins with /")
	}
	if f[4] != "" && f[4] != "0" && f[4] != "-1" {
		end, err := strconv.ParseFloat(f[4], 64) // some write fractions
		if err != nil || math.IsNaN(end) || end < 0 || end > 1<<50 {
			return c, fmt.Errorf("the fifth field is no time: seconds of the epoch, or 0 for a cookie of the session")
		}
		c.Until = time.Unix(int64(end), 0).UTC()
	}
	switch {
	case c.Name == "" || !sendable(c.Name) || strings.Contains(c.Name, "="):
		return c, fmt.Errorf("the sixth field is no name of a cookie")
	case !sendable(c.Value) || len(c.Name)+len(c.Value) > 4*maxCookieBytes:
		return c, fmt.Errorf("the value of %s can't be sent: it holds a control character or a semicolon, or is too long", c.Name)
	}
	return c, nil
}

func flag(s string) (value, ok bool) {
	switch strings.ToUpper(s) {
	case "TRUE", "1":
		return true, true
	case "FALSE", "0":
		return false, true
	}
	return false, false
}

func hostName(s string) bool {
	return s != "" && len(s) <= 253 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '.' && r != '-' && r != '_' && r != ':' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
}

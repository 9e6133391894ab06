package urlkey

import (
	"regexp"
	"strings"
)

// What a server puts into URLs to know its visitor again. Names that nothing else has say so whatever their value; the
// others only where the value could be nothing else.
var (
	sessionPath  = regexp.MustCompile(`(?i);jsessionid=[^/;?]*`)
	sessionASP   = regexp.MustCompile(`(?i)/\((?:(?:[a-z]\([0-9a-z]{24}\))+|[0-9a-z]{24})\)/`)
	sessionNames = regexp.MustCompile(`(?i)^(?:phpsessid|jsessionid|oscsid|zenid|aspsessionid[a-z]{8})=`)
	sessionMaybe = regexp.MustCompile(`(?i)^(?:sid|sess|sessid|session|sessionid|session_id)=([0-9a-z_-]{16,128})$`)
	sessionOld   = regexp.MustCompile(`(?i)^s=[0-9a-f]{32}$`)
)

// Sessionless returns a serialised URL without the session ids in its path and query: the same for the same page under
// another one. It is for comparing; what is requested is the URL as it was written.
func Sessionless(url string) string {
	origin := Origin(url)
	if origin == "" || !strings.HasPrefix(url, origin) {
		return url
	}
	path, query, asks := strings.Cut(url[len(origin):], "?")
	plain := path
	if strings.Contains(path, ";") {
		plain = sessionPath.ReplaceAllString(plain, "")
	}
	if strings.Contains(path, "/(") {
		plain = sessionASP.ReplaceAllString(plain, "/")
	}
	switch {
	case !asks && len(plain) == len(path):
		return url
	case !asks:
		return origin + plain
	}
	left := sessionlessQuery(query)
	switch {
	case len(left) == len(query) && len(plain) == len(path):
		return url
	case left == "" && query != "":
		return origin + plain
	}
	return origin + plain + "?" + left
}

// sessionlessQuery leaves the other fields as they stand.
func sessionlessQuery(query string) string {
	fields := strings.Split(query, "&")
	cold := false // ColdFusion sends two, and only both of them are a session
	for _, f := range fields {
		cold = cold || hasName(f, "cftoken")
	}
	out := fields[:0]
	for _, f := range fields {
		ours := cold && (hasName(f, "cfid") || hasName(f, "cftoken"))
		if !ours && !isSession(f) {
			out = append(out, f)
		}
	}
	return strings.Join(out, "&")
}

func isSession(field string) bool {
	if m := sessionMaybe.FindStringSubmatch(field); m != nil {
		return random(m[1])
	}
	return sessionNames.MatchString(field) || sessionOld.MatchString(field)
}

// random says whether a value looks drawn: digits among letters, which no word has.
func random(s string) bool {
	return strings.ContainsAny(s, "0123456789") && strings.ContainsFunc(s, func(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' })
}

// PageID is ID, and the same for the same page under another session id: what keys a page in the frontier.
func PageID(url string) int64 { return ID(Sessionless(url)) }

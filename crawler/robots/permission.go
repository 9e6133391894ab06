package robots

import (
	"fmt"
	"strings"
	"time"
)

// Permission is what the fetch of a robots.txt came to (RFC 9309 §2.3.1).
type Permission struct {
	state  state
	status int
	rules  *Rules
}

type state uint8

const (
	unreachable state = iota // nothing may be asked for now; so does the zero Permission
	open                     // there is no robots.txt: everything may be asked
	ruled                    // its rules say
)

// FromStatus judges the final response to a request for robots.txt, after redirects; status is 0 if none came.
//
//   - 2xx: the rules in body say. The body must be decoded; a truncated one is judged by what came.
//   - 3xx, too many redirects or one that leads nowhere, and 4xx: there is no robots.txt, so all is allowed.
//   - 5xx, 429 and no response at all: nothing is allowed for now. 429 is the server's wish for less, so it is not
//     taken for leave to ask for everything.
func FromStatus(status int, body []byte) Permission {
	switch {
	case status >= 200 && status < 300:
		return Permission{state: ruled, status: status, rules: Parse(body)}
	case status >= 300 && status < 500 && status != 429:
		return Permission{state: open, status: status}
	}
	return Permission{status: status}
}

// Unreachable says that robots.txt could not be had, so nothing may be asked of the host for now.
func (p Permission) Unreachable() bool { return p.state == unreachable }

// Rules are the rules of robots.txt, or nil if it has none.
func (p Permission) Rules() *Rules { return p.rules }

// Allowed says whether the agent may fetch url, and why not or by which line; the reason is empty if no line spoke.
func (p Permission) Allowed(agent, url string) (bool, string) {
	switch {
	case p.state == ruled:
		return p.rules.Allowed(agent, url)
	case p.state == open:
		return true, ""
	case p.status == 0:
		return false, "robots.txt could not be fetched"
	}
	return false, fmt.Sprintf("robots.txt could not be fetched: status %d", p.status)
}

// CrawlDelay is the pause that the site asks of the agent, between 0 and MaxCrawlDelay.
func (p Permission) CrawlDelay(agent string) time.Duration {
	if p.state != ruled {
		return 0
	}
	return p.rules.CrawlDelay(agent)
}

// ProductToken is the name under which a User-Agent obeys robots.txt (RFC 9309 §2.2.1): of "Name/1.0 (…)" it is Name,
// of "Mozilla/5.0 (compatible; Name/1.0; …)" it is the name that hides behind Mozilla's.
func ProductToken(userAgent string) string {
	if token := productPrefix(userAgent); !strings.EqualFold(token, "Mozilla") {
		return token
	}
	if _, inner, ok := strings.Cut(userAgent, "compatible;"); ok {
		if token := productPrefix(strings.TrimSpace(inner)); token != "" {
			return token
		}
	}
	return productPrefix(userAgent)
}

// productPrefix is the product token that s begins with: letters, underscores and hyphens (RFC 9309 §2.2.1).
func productPrefix(s string) string {
	n := 0
	for n < len(s) && (isLetter(s[n]) || s[n] == '_' || s[n] == '-') {
		n++
	}
	return s[:n]
}

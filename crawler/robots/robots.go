// Package robots reads robots.txt by RFC 9309 and says what it permits. It is pure: it fetches nothing and keeps no
// time; its caller fetches robots.txt, and decides how long to trust it.
//
// Where RFC 9309 leaves room it does what Google's parser does, for that is what robots.txt files are tried against:
// misspelt keys, a missing colon, index.html. Crawl-delay is honoured as an extension, within a bound.
package robots

import (
	"strconv"
	"strings"
	"time"
)

const (
	// MaxBody is how much of a robots.txt is read, in bytes (RFC 9309 §2.5).
	MaxBody = 500 << 10
	// MaxCrawlDelay bounds Crawl-delay: a site may slow a crawler down, not hold it up for ever.
	MaxCrawlDelay = 60 * time.Second

	maxLine = 2083*8 - 1 // bytes of a line that count; Google's limit
)

// Rules is a robots.txt that has been read. It is immutable and safe for concurrent use. The zero value permits all.
type Rules struct {
	agents   map[string][]*group // by product token, lower case; "*" for all others
	sitemaps []string
}

// group is one block of rules. Agents share groups, so that a file with many agents and many rules stays small.
type group struct {
	rules *[]rule
	delay *time.Duration
}

// Sitemaps are the values of the Sitemap lines, as they stand there.
func (r *Rules) Sitemaps() []string { return append([]string(nil), r.sitemaps...) }

// Allowed says whether the agent may fetch url, and which line of robots.txt decided that; the line is empty if none
// did. agent is a product token (see ProductToken), compared without regard to case; url is absolute.
func (r *Rules) Allowed(agent, url string) (bool, string) {
	path, best := normalise(target(url), false), rule{allow: true}
	length := 0
	var seen *[]rule
	for _, g := range r.groups(agent) {
		if g.rules == seen {
			continue // the same block, with another delay
		}
		seen = g.rules
		for _, x := range *g.rules {
			if n := x.match(path); n > length || n == length && n > 0 && x.allow && !best.allow {
				best, length = x, n
			}
		}
	}
	return best.allow, best.String()
}

// CrawlDelay is the pause between requests that the site asks of the agent, between 0 and MaxCrawlDelay; 0 if it asks
// for none.
func (r *Rules) CrawlDelay(agent string) time.Duration {
	var delay time.Duration
	for _, g := range r.groups(agent) {
		delay = max(delay, *g.delay)
	}
	return delay
}

// groups are the agent's own groups, or else those for everybody (RFC 9309 §2.2.1).
func (r *Rules) groups(agent string) []*group {
	if own, ok := r.agents[strings.ToLower(agent)]; ok && agent != "" {
		return own
	}
	return r.agents["*"]
}

// Parse reads a robots.txt. No input is an error: what can't be understood is skipped. Of a body beyond MaxBody the
// rest is ignored, with the line that the cut falls into, for half a rule may forbid far more than the whole.
func Parse(body []byte) *Rules {
	if len(body) > MaxBody {
		body = body[:MaxBody]
		for len(body) > 0 && !isEOL(body[len(body)-1]) {
			body = body[:len(body)-1]
		}
	}
	p := parser{rules: &Rules{agents: map[string][]*group{}}}
	text := trimBOM(string(body))
	for more := true; more; {
		end := strings.IndexAny(text, "\r\n")
		if more = end >= 0; !more {
			end = len(text)
		}
		p.line(text[:end])
		text = strings.TrimPrefix(text[end:], "\r")
		text = strings.TrimPrefix(text, "\n")
	}
	return p.rules
}

func isEOL(c byte) bool { return c == '\n' || c == '\r' }

// trimBOM drops a byte order mark, or the beginning of one.
func trimBOM(s string) string {
	for _, c := range []byte{0xEF, 0xBB, 0xBF} {
		if s == "" || s[0] != c {
			break
		}
		s = s[1:]
	}
	return s
}

// parser builds Rules line by line.
type parser struct {
	rules  *Rules
	number int
	group  *group // the open group; nil before the first user-agent line
	owned  bool   // an agent was named for it
	ruled  bool   // it has rules, so the next user-agent line begins another
	paused bool   // it has a delay, so agents that are named next share its rules but not its delay
}

func (p *parser) line(s string) {
	p.number++
	if len(s) > maxLine {
		s = s[:maxLine]
	}
	key, value, ok := split(s)
	if !ok {
		return
	}
	switch field(key) {
	case "user-agent":
		p.agent(value)
	case "allow":
		p.rule(true, value)
	case "disallow":
		p.rule(false, value)
	case "crawl-delay":
		p.delay(value)
	case "sitemap":
		p.rules.sitemaps = append(p.rules.sitemaps, value)
	}
}

func (p *parser) agent(value string) {
	switch {
	case p.group == nil || p.ruled:
		p.group, p.owned = &group{rules: new([]rule), delay: new(time.Duration)}, false
	case p.paused:
		p.group = &group{rules: p.group.rules, delay: new(time.Duration)}
	}
	p.ruled, p.paused = false, false
	token := "*"
	if !strings.HasPrefix(value, "*") || len(value) > 1 && value[1] != ' ' && value[1] != '\t' {
		token = strings.ToLower(productPrefix(value))
	}
	if token == "" {
		return
	}
	own := p.rules.agents[token]
	if len(own) == 0 || own[len(own)-1] != p.group {
		p.rules.agents[token] = append(own, p.group)
	}
	p.owned = true
}

func (p *parser) rule(allow bool, value string) {
	if !p.owned {
		return
	}
	p.ruled = true
	if value != "" {
		*p.group.rules = append(*p.group.rules, rule{allow: allow, pattern: normalise(value, true), line: p.number})
	}
}

// delay reads a Crawl-delay. What is no decimal number above zero asks for nothing. It does not end the group: lines that RFC
// 9309 does not define must not interfere with those that it does (§2.2.4).
func (p *parser) delay(value string) {
	if strings.Trim(value, "0123456789.eE+-") != "" { // ParseFloat takes Inf, NaN and hexadecimal numbers, too
		return
	}
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil || seconds <= 0 || !p.owned {
		return
	}
	d := MaxCrawlDelay
	if seconds < MaxCrawlDelay.Seconds() {
		d = time.Duration(seconds * float64(time.Second))
	}
	*p.group.delay, p.paused = max(*p.group.delay, d), true
}

// split takes a line apart at its colon, or at its only white space where the colon was forgotten.
func split(line string) (key, value string, ok bool) {
	line, _, _ = strings.Cut(line, "#")
	line = strings.TrimSpace(line)
	key, value, ok = strings.Cut(line, ":")
	if !ok {
		words := strings.Fields(line)
		if len(words) != 2 {
			return "", "", false
		}
		key, value = words[0], words[1]
	}
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	return key, value, key != ""
}

// The spellings under which a field is known, by their beginnings; Google accepts the same.
var fields = []struct{ begins, field string }{
	{"user-agent", "user-agent"}, {"useragent", "user-agent"}, {"user agent", "user-agent"},
	{"allow", "allow"},
	{"disallow", "disallow"}, {"dissallow", "disallow"}, {"dissalow", "disallow"}, {"disalow", "disallow"},
	{"diasllow", "disallow"}, {"disallaw", "disallow"},
	{"crawl-delay", "crawl-delay"}, {"crawldelay", "crawl-delay"}, {"crawl delay", "crawl-delay"},
	{"sitemap", "sitemap"}, {"site-map", "sitemap"},
}

func field(key string) string {
	for _, f := range fields {
		if len(key) >= len(f.begins) && strings.EqualFold(key[:len(f.begins)], f.begins) {
			return f.field
		}
	}
	return ""
}

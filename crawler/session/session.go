// Package session knows as whom a run asks: which cookies, credentials and header fields go to which host, and which of
// them are secrets, so that none ends up in what is kept. It does no I/O, and time is an argument. It never tells a
// secret: not in an error, not in a note.
package session

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// The shortest secrets that are looked for in what servers send, in bytes. What is shorter would eat pages: a page that
// holds "yes" somewhere is no page that holds the secret "yes".
const (
	MinSecret = 6 // of what a person declared a secret: who configures a shorter one is told so
	MinCookie = 8 // of a cookie's value; shorter ones, and those that are no more than words, are masked in Cookie and Set-Cookie alone
)

// Redacted is what stands for a secret in the record of a request. It tells nothing of the secret's length.
const Redacted = "[redacted]"

// Site says how the hosts of one pattern are asked.
type Site struct {
	Host     string  // example.org; .example.org for it and all hosts under it; with :PORT for that port alone
	User     string  // of basic authentication (RFC 7617), with Password
	Password string  // secret
	Fields   []Field // secret values
	Open     []Field // values that are no secrets
	Secrets  []string
	Language string // Accept-Language
	Plain    bool   // secrets go over plain http, too
}

// Field is a header field.
type Field struct{ Name, Value string }

// Options make a session.
type Options struct {
	Sites    []Site   // the first that matches a host is the one for it
	Language string   // Accept-Language where no site says otherwise; may be empty
	Keep     bool     // cookies that servers set are sent back
	Cookies  []Cookie // that there are from the beginning; all are secrets
}

// Session is as whom one run asks, in one process. Many goroutines may use it at once. A nil Session asks as nobody.
type Session struct {
	sites    []Site
	language string
	keep     bool
	own      *Set     // what a person declared a secret: looked for everywhere
	secrets  []string // of own
	given    values   // of the cookies that there were from the beginning
	owns     bool     // there were some

	mu     sync.Mutex
	jar    jar
	learnt values
	sets   map[string]*Set // what is looked for on a host; made when it is asked for
}

// maxSets bounds for how many hosts it is kept what is looked for there.
const maxSets = 1000

// New makes a session.
func New(o Options) *Session {
	s := &Session{
		sites: o.Sites, language: o.Language, keep: o.Keep || len(o.Cookies) > 0, owns: len(o.Cookies) > 0, sets: map[string]*Set{},
	}
	for _, site := range o.Sites {
		s.secrets = append(s.secrets, site.secrets()...)
	}
	for _, c := range o.Cookies {
		c.secret = true
		s.jar.set(c)
		if telling(c.Value) {
			s.given.add(value{c.Value, plainHost(c.Domain), c.HostOnly}, maxCookies, maxCookies*maxCookieBytes)
		}
	}
	s.own = newSet(s.secrets)
	return s
}

// Nobody says whether the session asks as nobody in particular: it has no cookies but those that the servers themselves set, no
// fields and no passwords of ours, and no language. A nil session does.
func (s *Session) Nobody() bool {
	return s == nil || len(s.sites) == 0 && s.language == "" && !s.owns
}

// secrets are all that must not be told of a site.
func (s Site) secrets() []string {
	out := slices.Clone(s.Secrets)
	if s.Password != "" {
		both := []byte(s.User + ":" + s.Password)
		out = append(out, s.Password, base64.StdEncoding.EncodeToString(both), base64.RawStdEncoding.EncodeToString(both))
	}
	for _, f := range s.Fields {
		out = append(out, f.Value)
		for word := range strings.FieldsSeq(f.Value) { // "Bearer TOKEN" is told as TOKEN, too
			if len(word) >= MinCookie {
				out = append(out, word)
			}
		}
	}
	return slices.DeleteFunc(out, func(w string) bool { return len(w) < MinSecret })
}

// Where is the address of a request.
type Where struct {
	Secure bool
	Host   string // lower case, IPv6 without brackets
	Port   string
	Path   string // with the query
}

// matches says whether a pattern is for a host.
func matches(pattern string, at Where) bool {
	name, port := pattern, ""
	if i := strings.LastIndexByte(pattern, ':'); i > strings.LastIndexByte(pattern, ']') {
		name, port = pattern[:i], pattern[i+1:]
	}
	if port != "" && port != at.Port {
		return false
	}
	name = strings.Trim(strings.ToLower(name), "[]")
	host := strings.TrimSuffix(at.Host, ".")
	if domain, ok := strings.CutPrefix(name, "."); ok {
		return host == domain || under(host, domain)
	}
	return host == name
}

// Asked is what a session adds to one request.
type Asked struct {
	Lines  []Line
	Secret bool     // a secret is among them
	Hidden []string // the fields that hold secrets, in words
	Held   string   // what was not sent, and why; "" if nothing was held back
}

// Line is one header field of a request.
type Line struct {
	Name, Value string
	Shown       string // as the record of the request has it
}

// Ask says what to send to an address.
func (s *Session) Ask(at Where, now time.Time) Asked {
	var a Asked
	if s == nil {
		return a
	}
	at.Host = strings.ToLower(at.Host)
	site := Site{}
	for _, one := range s.sites {
		if matches(one.Host, at) {
			site = one
			break
		}
	}
	for _, f := range site.Open {
		a.Lines = append(a.Lines, Line{f.Name, f.Value, f.Value})
	}
	language := site.Language
	if language == "" {
		language = s.language
	}
	if language != "" {
		a.Lines = append(a.Lines, Line{"Accept-Language", language, language})
	}
	if held := len(site.Fields) > 0 || site.Password != "" || site.User != ""; held && !at.Secure && !site.Plain {
		a.Held = "what the settings have for this host was not sent: the address is not https, and plain_http is not set"
	} else if held {
		a.credentials(site)
	}
	s.cookies(&a, at, now)
	return a
}

func (a *Asked) credentials(site Site) {
	a.Secret = true
	if site.Password != "" || site.User != "" {
		word := base64.StdEncoding.EncodeToString([]byte(site.User + ":" + site.Password))
		a.Lines = append(a.Lines, Line{"Authorization", "Basic " + word, "Basic " + Redacted})
		a.Hidden = append(a.Hidden, "Authorization")
	}
	for _, f := range site.Fields {
		shown := Redacted
		if scheme, _, ok := strings.Cut(f.Value, " "); ok && strings.EqualFold(f.Name, "Authorization") {
			shown = scheme + " " + Redacted
		}
		a.Lines = append(a.Lines, Line{f.Name, f.Value, shown})
		a.Hidden = append(a.Hidden, f.Name)
	}
}

// cookies adds the Cookie field.
func (s *Session) cookies(a *Asked, at Where, now time.Time) {
	if !s.keep {
		return
	}
	s.mu.Lock()
	cs := s.jar.matching(at, now)
	s.mu.Unlock()
	if len(cs) == 0 {
		return
	}
	set := s.Secrets(at.Host)
	var sent, shown strings.Builder
	var hidden []string
	for i, c := range cs {
		if i > 0 {
			sent.WriteString("; ")
			shown.WriteString("; ")
		}
		sent.WriteString(c.Name + "=" + c.Value)
		name, value := c.shown(set)
		shown.WriteString(name + "=" + value)
		if name != c.Name || value != c.Value {
			a.Secret = true
			hidden = append(hidden, name)
		}
	}
	a.Lines = append(a.Lines, Line{"Cookie", sent.String(), shown.String()})
	if len(hidden) > 0 {
		a.Hidden = append(a.Hidden, "Cookie ("+list(hidden)+")")
	}
}

// Secrets are what to look for in what comes from a host now: all that a person declared a secret, and the values of the
// secret cookies that may go there.
func (s *Session) Secrets(host string) *Set {
	if s == nil {
		return nil
	}
	host = plainHost(host)
	s.mu.Lock()
	defer s.mu.Unlock()
	if set := s.sets[host]; set != nil {
		return set
	}
	set := s.own
	if of := append(s.given.of(host), s.learnt.of(host)...); len(of) > 0 {
		set = newSet(append(of, s.secrets...))
	}
	if len(s.sets) >= maxSets {
		clear(s.sets)
	}
	s.sets[host] = set
	return set
}

// Answer takes the head of the answer to a request: it keeps the cookies that are set there, learns which of them are
// secrets, and masks all secrets in the head. What a server sets in answer to a request that carried a secret is one,
// too: it may be all that a login is worth. It tells what it masked.
func (s *Session) Answer(at Where, a Asked, head []byte, now time.Time) (redacted []string) {
	if s == nil {
		return nil
	}
	at.Host = strings.ToLower(at.Host)
	cookies, secret := s.secretCookies(at, a, head)
	s.take(at, cookies, secret, now)
	if names := s.maskCookies(at, cookies, secret, head); names != "" {
		redacted = append(redacted, "Set-Cookie ("+names+")")
	}
	if n := maskHead(s.Secrets(at.Host), head); n > 0 {
		redacted = append(redacted, fmt.Sprintf("the head in %d places", n))
	}
	return redacted
}

// Interim masks the secrets in an interim head, by which no cookie is kept. It tells what it masked.
func (s *Session) Interim(at Where, a Asked, head []byte) (redacted []string) {
	if s == nil {
		return nil
	}
	cookies, secret := s.secretCookies(at, a, head)
	if names := s.maskCookies(at, cookies, secret, head); names != "" {
		redacted = append(redacted, "Set-Cookie ("+names+") of an interim head")
	}
	if n := maskHead(s.Secrets(at.Host), head); n > 0 {
		redacted = append(redacted, fmt.Sprintf("an interim head in %d places", n))
	}
	return redacted
}

// secretCookies are the cookies that a head sets, and which of them are secrets.
func (s *Session) secretCookies(at Where, a Asked, head []byte) (cookies []setCookie, secret []bool) {
	cookies = setCookies(head)
	secret = make([]bool, len(cookies))
	set := s.Secrets(at.Host)
	for i, c := range cookies {
		secret[i] = a.Secret || set.Mask([]byte(c.value)) > 0
	}
	return cookies, secret
}

// maskCookies masks the values of the secret ones among the cookies of a head, and returns their names in words.
func (s *Session) maskCookies(at Where, cookies []setCookie, secret []bool, head []byte) string {
	set := s.Secrets(at.Host)
	names := map[string]bool{}
	for i, c := range cookies {
		if secret[i] {
			c.mask(head)
			names[set.String(c.name)] = true
		}
	}
	return list(slices.Sorted(maps.Keys(names)))
}

// take keeps cookies, and learns the values of the secret ones.
func (s *Session) take(at Where, cookies []setCookie, secret []bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keep {
		for i, c := range cookies[:min(len(cookies), maxSetCookies)] {
			s.jar.take(at, c, secret[i], now)
		}
	}
	fresh := false
	for i, c := range cookies {
		text := strings.Trim(c.value, `"`)
		if !secret[i] || !telling(text) {
			continue
		}
		v := value{text, plainHost(at.Host), true}
		if domain := plainHost(c.domain); domain != "" && (domain == v.domain || under(v.domain, domain)) && !Public(domain) {
			v.domain, v.only = domain, false
		}
		fresh = s.learnt.add(v, maxLearnt, maxLearntBytes) || fresh
	}
	if fresh {
		s.learnt.bound()
		clear(s.sets)
	}
}

// list puts names into words, the first few of them.
func list(names []string) string {
	const most = 20
	for i, n := range names {
		if len(n) > 40 {
			names[i] = strings.ToValidUTF8(n[:40], "") + "…"
		}
	}
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

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
	"sync/atomic"
	"time"
)

// The shortest secrets that are looked for in what servers send, in bytes. What is shorter would eat pages: a page that
// holds "yes" somewhere is no page that holds the secret "yes".
const (
	MinSecret = 6 // of what a person declared a secret: who configures a shorter one is told so
	MinCookie = 8 // of a cookie's value; shorter ones are masked in Cookie and Set-Cookie alone
)

// maxLearnt bounds the cookies' values that a run has learnt to be secrets; the newest are looked for.
const maxLearnt = 100

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
	fixed    []string // secrets that are known from the beginning

	set atomic.Pointer[Set]

	mu     sync.Mutex
	jar    jar
	learnt []string
	known  map[string]bool
}

// New makes a session.
func New(o Options) *Session {
	s := &Session{sites: o.Sites, language: o.Language, keep: o.Keep || len(o.Cookies) > 0, known: map[string]bool{}}
	for _, site := range o.Sites {
		s.fixed = append(s.fixed, site.secrets()...)
	}
	for _, c := range o.Cookies {
		c.secret = true
		s.jar.set(c)
		if len(c.Value) >= MinCookie {
			s.fixed = append(s.fixed, c.Value)
		}
	}
	for _, w := range s.fixed {
		s.known[w] = true
	}
	s.set.Store(newSet(s.fixed))
	return s
}

// Nobody says whether the session asks as nobody in particular: it has no cookies but those that the servers themselves set, no
// fields and no passwords of ours, and no language. A nil session does.
func (s *Session) Nobody() bool {
	return s == nil || len(s.sites) == 0 && s.language == "" && len(s.fixed) == 0
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
	var sent, shown strings.Builder
	var hidden []string
	for i, c := range cs {
		if i > 0 {
			sent.WriteString("; ")
			shown.WriteString("; ")
		}
		sent.WriteString(c.Name + "=" + c.Value)
		if c.secret {
			a.Secret = true
			hidden = append(hidden, c.Name)
			shown.WriteString(c.Name + "=" + Redacted)
		} else {
			shown.WriteString(c.Name + "=" + c.Value)
		}
	}
	a.Lines = append(a.Lines, Line{"Cookie", sent.String(), shown.String()})
	if len(hidden) > 0 {
		a.Hidden = append(a.Hidden, "Cookie ("+list(hidden)+")")
	}
}

// Secrets are what to look for in what comes now.
func (s *Session) Secrets() *Set {
	if s == nil {
		return nil
	}
	return s.set.Load()
}

// Answer takes the head of the answer to a request: it keeps the cookies that are set there, learns which of them are
// secrets, and masks all secrets in the head. What a server sets in answer to a request that carried a secret is one,
// too: it may be all that a login is worth. It tells what it masked.
func (s *Session) Answer(at Where, a Asked, head []byte, now time.Time) (redacted []string) {
	if s == nil {
		return nil
	}
	at.Host = strings.ToLower(at.Host)
	cookies := setCookies(head)
	secret := make([]bool, len(cookies))
	set := s.Secrets()
	var values []string
	for i, c := range cookies {
		secret[i] = a.Secret || set.Mask([]byte(c.value)) > 0
		if secret[i] && len(c.value) >= MinCookie {
			values = append(values, strings.Trim(c.value, `"`))
		}
	}
	set = s.take(at, cookies, secret, values, now)
	names := map[string]bool{}
	for i, c := range cookies {
		if secret[i] {
			c.mask(head)
			names[set.String(c.name)] = true
		}
	}
	if len(names) > 0 {
		redacted = append(redacted, "Set-Cookie ("+list(slices.Sorted(maps.Keys(names)))+")")
	}
	if n := set.Mask(head); n > 0 {
		redacted = append(redacted, fmt.Sprintf("the head in %d places", n))
	}
	return redacted
}

// take keeps cookies, and returns what is secret from now on.
func (s *Session) take(at Where, cookies []setCookie, secret []bool, values []string, now time.Time) *Set {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keep {
		for i, c := range cookies[:min(len(cookies), maxSetCookies)] {
			s.jar.take(at, c, secret[i], now)
		}
	}
	fresh := false
	for _, v := range values {
		if len(v) < MinCookie || len(v) > maxCookieBytes || s.known[v] {
			continue
		}
		fresh = true
		s.known[v] = true
		if s.learnt = append(s.learnt, v); len(s.learnt) > maxLearnt {
			delete(s.known, s.learnt[0])
			s.learnt = s.learnt[1:]
		}
	}
	if fresh {
		s.set.Store(newSet(append(slices.Clone(s.fixed), s.learnt...)))
	}
	return s.set.Load()
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

package session

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// Cookie is one cookie that is kept.
type Cookie struct {
	Name, Value string
	Domain      string // lower case, without a leading dot
	HostOnly    bool   // for Domain itself, not for hosts under it
	Path        string
	Secure      bool      // over https alone
	Until       time.Time // zero: as long as the run
	secret      bool      // its value is never to be kept
	made        int64     // order of creation
}

// Bounds of a jar. A server that sets more loses its oldest.
const (
	maxCookies       = 3000
	maxDomainCookies = 180
	maxCookieBytes   = 4096     // of a name and its value
	maxHeaderBytes   = 16 << 10 // of a Cookie field
)

// shown are the name and the value of a cookie as the record of a request has them, without what is to be looked for on its
// host: a server chooses names, too, and may have made one of a secret; and a value that was none when it was set may have
// become one since.
func (c Cookie) shown(set *Set) (name, value string) {
	inName, inValue := set.tells(c.Name), set.tells(c.Value)
	across := !inName && !inValue && set.tells(c.Name+"="+c.Value)
	name, value = c.Name, c.Value
	if inName || across {
		name = Redacted
	}
	if inValue || across || c.secret {
		value = Redacted
	}
	return name, value
}

// jar keeps cookies by the rules of RFC 6265. It is for one goroutine at a time.
type jar struct {
	all  []Cookie
	made int64
}

// set keeps a cookie, in the place of an older one of the same name, domain and path.
func (j *jar) set(c Cookie) {
	c.made = j.made
	j.made++
	ofDomain := 0
	oldest := -1
	for i, old := range j.all {
		if old.Name == c.Name && old.Domain == c.Domain && old.HostOnly == c.HostOnly && old.Path == c.Path {
			c.made = old.made
			j.all[i] = c
			return
		}
		if old.Domain == c.Domain {
			if ofDomain++; oldest < 0 {
				oldest = i
			}
		}
	}
	switch {
	case ofDomain >= maxDomainCookies:
		j.all = slices.Delete(j.all, oldest, oldest+1)
	case len(j.all) >= maxCookies:
		j.all = slices.Delete(j.all, 0, 1)
	}
	j.all = append(j.all, c)
}

// drop forgets a cookie.
func (j *jar) drop(c Cookie) {
	j.all = slices.DeleteFunc(j.all, func(old Cookie) bool {
		return old.Name == c.Name && old.Domain == c.Domain && old.HostOnly == c.HostOnly && old.Path == c.Path
	})
}

// matching are the cookies to be sent with a request, in their order (RFC 6265 §5.4).
func (j *jar) matching(at Where, now time.Time) []Cookie {
	j.all = slices.DeleteFunc(j.all, func(c Cookie) bool { return !c.Until.IsZero() && !c.Until.After(now) })
	path, _, _ := strings.Cut(at.Path, "?")
	var out []Cookie
	for _, c := range j.all {
		if (at.Secure || !c.Secure) && (c.Domain == at.Host || !c.HostOnly && under(at.Host, c.Domain)) && pathMatch(path, c.Path) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b Cookie) int {
		if n := len(b.Path) - len(a.Path); n != 0 {
			return n
		}
		return int(a.made - b.made)
	})
	size := 0
	for i, c := range out {
		if size += len(c.Name) + len(c.Value) + 3; size > maxHeaderBytes {
			return out[:i]
		}
	}
	return out
}

// take keeps what a server sets, if it may (RFC 6265 §5.3).
func (j *jar) take(at Where, s setCookie, secret bool, now time.Time) {
	c := Cookie{Name: s.name, Value: s.value, Domain: at.Host, HostOnly: true, Path: s.path, Secure: s.secure, secret: secret}
	if s.name == "" || len(s.name)+len(s.value) > maxCookieBytes || !sendable(s.name) || !sendable(s.value) || strings.ContainsAny(s.name, "=;") {
		return
	}
	if s.domain != "" && s.domain != at.Host {
		if !under(at.Host, s.domain) || Public(s.domain) {
			return
		}
		c.Domain, c.HostOnly = s.domain, false
	} else if s.domain != "" && !Public(s.domain) && !address(at.Host) {
		c.HostOnly = false
	}
	if c.Path == "" || c.Path[0] != '/' {
		c.Path = folder(at.Path)
	}
	lower := strings.ToLower(s.name)
	switch {
	case s.secure && !at.Secure,
		strings.HasPrefix(lower, "__secure-") && !s.secure,
		strings.HasPrefix(lower, "__host-") && (!s.secure || !c.HostOnly || c.Path != "/"):
		return
	}
	if !at.Secure && slices.ContainsFunc(j.all, func(old Cookie) bool {
		return old.Secure && old.Name == c.Name && (old.Domain == c.Domain || under(old.Domain, c.Domain) || under(c.Domain, old.Domain)) &&
			pathMatch(c.Path, old.Path)
	}) {
		return // what was set over https is not overlaid from without
	}
	until, gone := s.until(now)
	if gone {
		j.drop(c)
		return
	}
	c.Until = until
	j.set(c)
}

// sendable says whether a name or a value may stand in a Cookie field.
func sendable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) && !strings.Contains(s, ";")
}

// under says whether host is a name under domain.
func under(host, domain string) bool {
	return len(host) > len(domain) && strings.HasSuffix(host, domain) && host[len(host)-len(domain)-1] == '.' && !address(host)
}

// address says whether a host is an IP address, without brackets.
func address(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// Public says whether anybody may have a host under a domain: it is on the public suffix list, as co.uk is.
func Public(domain string) bool {
	suffix, _ := publicsuffix.PublicSuffix(domain)
	return suffix == domain
}

// pathMatch is RFC 6265 §5.1.4.
func pathMatch(path, cookie string) bool {
	return path == cookie || strings.HasPrefix(path, cookie) && (strings.HasSuffix(cookie, "/") || path[len(cookie)] == '/')
}

// folder is the default path of a cookie (RFC 6265 §5.1.4).
func folder(path string) string {
	path, _, _ = strings.Cut(path, "?")
	i := strings.LastIndexByte(path, '/')
	if i <= 0 {
		return "/"
	}
	return path[:i]
}

package urlkey

import (
	"errors"
	"strings"
)

// Match says which URLs are meant by one.
type Match string

// The ways in which CDX servers match URLs.
const (
	MatchExact  Match = "exact"  // those of its key
	MatchPrefix Match = "prefix" // those whose key begins with its key
	MatchHost   Match = "host"   // those on its host and port
	MatchDomain Match = "domain" // those on its host, and on every host under it
)

// longestPrefix is how many bytes of a key an index keeps in their order: see storage.
const longestPrefix = 900

// What can be wrong with a URL of which a span is asked.
var (
	errNoHost     = errors.New("only http, https and ftp URLs have a host")
	errDomainPort = errors.New("a domain is named without a port: leave it out, or ask for the host")
	errLongPrefix = errors.New("a prefix has 900 characters at most")
	errMatch      = errors.New("use exact, prefix, host or domain")
)

// Span returns the keys that URLs have which match one: from is the first that they may have, to the first behind them, both
// compared as bytes. "" as to means that there is no end.
//
// A prefix means what it says as far as keys keep it: they have no slash at the end, so "http://host/dir/" is not among
// the URLs with that prefix, and "http://host/dir" finds "http://host/directory", too. The prefix "" is of all URLs.
func Span(url string, m Match) (from, to string, err error) {
	if m == MatchPrefix && url == "" {
		return "", "", nil
	}
	key := Key(url)
	if m == MatchExact {
		return key, key + "\x01", nil
	}
	host, path, ok := strings.Cut(key, ")")
	if ok = ok && isHierarchical(url); !ok && m != MatchPrefix {
		if m != MatchHost && m != MatchDomain {
			return "", "", errMatch
		}
		return "", "", errNoHost
	}
	switch m {
	case MatchPrefix:
		if ok {
			key = host + ")" + prefixPath(path, url)
		}
		if len(key) > longestPrefix {
			return "", "", errLongPrefix
		}
		return key, after(key), nil
	case MatchHost:
		return host + ")", after(host + ")"), nil
	case MatchDomain:
		if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
			return "", "", errDomainPort
		}
		return host + ")", after(host + ","), nil // what lies between is the host's own
	}
	return "", "", errMatch
}

// prefixPath gives the path of a key what the key has dropped of a URL that is only a beginning, and takes from it what
// the key has added.
func prefixPath(path, url string) string {
	_, rest, _ := strings.Cut(url, "://")
	at := strings.IndexAny(rest, "/?#")
	switch {
	case at < 0:
		return ""
	case strings.HasSuffix(rest, "/") && !strings.Contains(rest, "?"):
		return strings.TrimSuffix(path, "/") + "/"
	case strings.HasSuffix(rest, "?") || strings.HasSuffix(rest, "&"):
		return path + rest[len(rest)-1:]
	}
	return path
}

// after is the first text that sorts behind all that begin with a prefix. Keys are printable ASCII.
func after(prefix string) string {
	last := len(prefix) - 1
	return prefix[:last] + string(rune(prefix[last]+1))
}

func isHierarchical(url string) bool {
	for _, s := range hierarchical {
		if len(url) > len(s.prefix) && strings.EqualFold(url[:len(s.prefix)], s.prefix) {
			return true
		}
	}
	return false
}

package web

import (
	"net"
	"net/netip"
	"strings"
)

// hostSet is the names under which the pages answer.
type hostSet struct {
	names  map[string]bool
	anyIP  bool // listening on every address of the machine: any literal address is one that a person typed
	listen netip.Addr
}

// newHostSet answers to localhost, loopback addresses, the host that is listened on, and further names. It does not
// answer to names under localhost: archived sites are replayed there.
func newHostSet(listen string, further []string) hostSet {
	s := hostSet{names: map[string]bool{"localhost": true}}
	host := bareHost(listen)
	switch addr, err := netip.ParseAddr(host); {
	case err == nil && addr.IsUnspecified(), host == "":
		s.anyIP = true
	case err == nil:
		s.listen = addr.Unmap()
	default:
		s.names[host] = true
	}
	for _, f := range further {
		s.names[bareHost(f)] = true
	}
	delete(s.names, "")
	return s
}

// has says whether a request's Host header names these pages. The port may differ, as it does behind a tunnel.
func (s hostSet) has(header string) bool {
	host := bareHost(header)
	if host == "" {
		return false
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap()
		return s.anyIP || addr.IsLoopback() || addr == s.listen || s.names[host]
	}
	return s.names[host]
}

// bareHost takes port, brackets and the root's dot off, and lower-cases the rest.
func bareHost(s string) string {
	if h, _, err := net.SplitHostPort(s); err == nil {
		s = h
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	return strings.ToLower(strings.TrimSuffix(s, "."))
}

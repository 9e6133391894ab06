package fetch

import (
	"fmt"
	"net/netip"
	"syscall"
)

// privateError says that an address may not be dialled.
type privateError struct{ addr netip.Addr }

func (e *privateError) Error() string { return fmt.Sprintf("%s is a private address", e.addr) }

// guard is the dialer's last hook before every connection: whatever name, redirect, decimal or mapped form led here, addr
// is the address that would be reached.
func guard(_, addr string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return fmt.Errorf("guard address %q: %w", addr, err)
	}
	if private(ap.Addr()) {
		return &privateError{ap.Addr()}
	}
	return nil
}

// special4 is the part of IPv4 that is not the public internet (IANA IPv4 Special-Purpose Address Registry, RFC 6890).
var special4 = prefixes(
	"0.0.0.0/8",       // this network
	"10.0.0.0/8",      // private use
	"100.64.0.0/10",   // shared by carriers (RFC 6598)
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // link-local, and the metadata of clouds
	"172.16.0.0/12",   // private use
	"192.0.0.0/24",    // protocol assignments
	"192.0.2.0/24",    // documentation
	"192.88.99.0/24",  // 6to4 relays, deprecated
	"192.168.0.0/16",  // private use
	"198.18.0.0/15",   // benchmarks
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"224.0.0.0/4",     // multicast
	"240.0.0.0/4",     // reserved, broadcast
)

// special6 is the part of IPv6's global unicast space that is not the public internet (IANA IPv6 Special-Purpose Address
// Registry).
var special6 = prefixes(
	"2001::/23",     // protocol assignments, Teredo among them
	"2001:db8::/32", // documentation
	"3fff::/20",     // documentation (RFC 9637)
)

var (
	global6 = netip.MustParsePrefix("2000::/3")     // all that is assigned as global unicast (RFC 4291 §2.4)
	nat64   = netip.MustParsePrefix("64:ff9b::/96") // IPv4 within IPv6 (RFC 6052 §2.1)
	sixto4  = netip.MustParsePrefix("2002::/16")    // IPv4 within IPv6 (RFC 3056 §2)
)

func prefixes(ss ...string) []netip.Prefix {
	ps := make([]netip.Prefix, len(ss))
	for i, s := range ss {
		ps[i] = netip.MustParsePrefix(s)
	}
	return ps
}

// private says whether a is anything but an address of the public internet. An IPv4 address within an IPv6 one counts as
// itself.
func private(a netip.Addr) bool {
	if a.Zone() != "" {
		return true
	}
	a = a.Unmap()
	if a.Is4() {
		return within(a, special4)
	}
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return private(netip.AddrFrom4([4]byte(b[12:16])))
	case sixto4.Contains(a):
		return private(netip.AddrFrom4([4]byte(b[2:6])))
	}
	return !global6.Contains(a) || within(a, special6)
}

func within(a netip.Addr, ps []netip.Prefix) bool {
	for _, p := range ps {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

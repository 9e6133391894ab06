package fetch

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// privateError says that an address may not be dialled.
type privateError struct {
	addr   netip.Addr
	at     netip.AddrPort // addr with the port that was dialled
	denied bool           // by a network that is denied by name, not by being private
}

func (e *privateError) Error() string {
	if e.denied {
		return fmt.Sprintf("%s is in a denied network", e.addr)
	}
	return fmt.Sprintf("%s is a private address", e.addr)
}

// guard says which addresses may be dialled.
type guard struct {
	deny, allow []netip.Prefix
	private     bool // private ones may
}

// control is the dialer's last hook before every connection: whatever name, redirect, decimal or mapped form led here,
// addr is the address that would be reached.
func (g guard) control(_, addr string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return fmt.Errorf("guard address %q: %w", addr, err)
	}
	if err := g.check(ap.Addr()); err != nil {
		err.at = ap
		return err
	}
	return nil
}

// check refuses an address that may not be dialled. What is denied stays denied, whatever else is allowed. An IPv4 address
// within an IPv6 one is denied and allowed as itself, too.
func (g guard) check(a netip.Addr) *privateError {
	forms := append(embedded(a), a.Unmap().WithZone(""))
	for _, f := range forms {
		if within(f, g.deny) {
			return &privateError{addr: a, denied: true}
		}
	}
	if g.private || !private(a) {
		return nil
	}
	for _, f := range forms {
		if within(f, g.allow) {
			return nil
		}
	}
	return &privateError{addr: a}
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
	global6 = netip.MustParsePrefix("2000::/3")       // all that is assigned as global unicast (RFC 4291 §2.4)
	nat64   = netip.MustParsePrefix("64:ff9b::/96")   // IPv4 within IPv6 (RFC 6052 §2.1)
	local64 = netip.MustParsePrefix("64:ff9b:1::/48") // the same, for translators of one's own (RFC 8215)
	sixto4  = netip.MustParsePrefix("2002::/16")      // IPv4 within IPv6 (RFC 3056 §2)
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
	if nat64.Contains(a) || local64.Contains(a) || sixto4.Contains(a) {
		in := embedded(a)
		return len(in) == 0 || slices.ContainsFunc(in, private)
	}
	return !global6.Contains(a) || within(a, special6)
}

// embedded are the IPv4 addresses that an IPv6 one may stand for. Within the prefix for local translators, nobody but they
// know where in it the IPv4 address stands: each place that RFC 6052 §2.2 has for one counts, if what surrounds it is zero.
func embedded(a netip.Addr) []netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return nil
	}
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return []netip.Addr{netip.AddrFrom4([4]byte(b[12:16]))}
	case sixto4.Contains(a):
		return []netip.Addr{netip.AddrFrom4([4]byte(b[2:6]))}
	case !local64.Contains(a):
		return nil
	}
	var in []netip.Addr
	for _, f := range []struct {
		at   [4]int
		zero []byte // what has to be
	}{
		{[4]int{6, 7, 9, 10}, append([]byte{b[8]}, b[11:]...)},
		{[4]int{7, 9, 10, 11}, append([]byte{b[6], b[8]}, b[12:]...)},
		{[4]int{9, 10, 11, 12}, append([]byte{b[6], b[7], b[8]}, b[13:]...)},
		{[4]int{12, 13, 14, 15}, b[6:12]},
	} {
		v4 := netip.AddrFrom4([4]byte{b[f.at[0]], b[f.at[1]], b[f.at[2]], b[f.at[3]]})
		if !slices.ContainsFunc(f.zero, func(c byte) bool { return c != 0 }) && !v4.IsUnspecified() {
			in = append(in, v4)
		}
	}
	return in
}

func within(a netip.Addr, ps []netip.Prefix) bool {
	for _, p := range ps {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// maxWhereabouts bounds the name servers and the addresses that are told of a host.
const maxWhereabouts = 16

// Whereabouts asks for the name servers of a domain, and for where a host's name leads, until the context ends: what is known then is
// brought beside the error. Nothing is asked about addresses, names of one label and public suffixes, which have no owner to tell of,
// nor about a host that Resolve sends elsewhere: names that were made up here nobody else need hear.
func (r *Recorder) Whereabouts(ctx context.Context, host, domain string) (servers []string, addresses []netip.Addr, err error) {
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return nil, nil, nil
	}
	if site, err := publicsuffix.EffectiveTLDPlusOne(domain); err != nil || site != domain || r.resolves(host) {
		return nil, nil, nil //nolint:nilerr // there is nobody to ask about
	}
	asked := cmp.Or(r.Resolver, net.DefaultResolver)
	ns, nsErr := asked.LookupNS(ctx, domain+".")
	for _, s := range ns[:min(len(ns), maxWhereabouts)] {
		servers = append(servers, strings.ToLower(strings.TrimSuffix(s.Host, ".")))
	}
	addresses, addrErr := asked.LookupNetIP(ctx, "ip", host+".")
	addresses = addresses[:min(len(addresses), maxWhereabouts)]
	for i := range addresses {
		addresses[i] = addresses[i].Unmap().WithZone("")
	}
	if err := errors.Join(nsErr, addrErr); err != nil {
		return servers, addresses, fmt.Errorf("ask where %s is: %w", host, err)
	}
	return servers, addresses, nil
}

// resolves says whether some port of a host is sent elsewhere by Resolve.
func (r *Recorder) resolves(host string) bool {
	for from := range r.Resolve {
		if name, _, err := net.SplitHostPort(from); err == nil && name == host {
			return true
		}
	}
	return false
}

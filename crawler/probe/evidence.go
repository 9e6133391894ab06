package probe

import "linkstead/archive/link"

// Evidence is a look at a link as archive/link judges it. What is to be found out besides (copies, siblings, the host) its caller
// knows.
func (l *Look) Evidence(kind link.Kind) link.Evidence {
	e := link.Evidence{
		URL: l.URL, At: l.At, Kind: kind, Method: l.Method, Outcome: string(l.Outcome), Phase: l.Cause.Phase, DNS: l.Cause.DNSAnswer,
		Status: l.Status, Target: l.Target, Flags: l.Flags, RetryAfter: l.Retry, Digest: l.Digest,
	}
	if l.TLS != nil {
		e.TLS = l.TLS.Fault
	}
	for i := range l.Hops {
		h := &l.Hops[i]
		e.Hops = append(e.Hops, link.Hop{URL: h.URL, Status: h.Status, Target: h.Target})
	}
	if len(l.Hops) > 0 {
		e.URL, e.Final = l.Hops[0].URL, l.URL
	}
	return e
}

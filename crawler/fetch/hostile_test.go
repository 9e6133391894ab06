package fetch

import (
	"net"
	"strings"
	"testing"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch/fetchtest"
)

// TestHostile: whatever a server does, the exchange ends as it should, within its limits, with the bytes that came; and the
// one after it is not touched by it.
func TestHostile(t *testing.T) {
	cases, err := fetchtest.Cases()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			srv, err := fetchtest.Start(c.Script)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := srv.Close(); err != nil {
					t.Error(err)
				}
			})
			_, port, _ := net.SplitHostPort(srv.Addr)
			limits := Limits{Connect: 20 * time.Second, FirstByte: 20 * time.Second, Total: time.Minute, Bytes: 64 << 10}
			if c.Slow {
				limits = Limits{Connect: short, FirstByte: short, Total: 2 * short}
			}
			r := recorder(t, &Recorder{Limits: limits, Resolve: map[string]string{c.Host() + ":" + port: srv.Addr}})
			w := r.Worker()
			for range 2 { // the second on a connection that the first may have left behind
				x, _ := fetch(t, w, Request{URL: c.URL(port)})
				hostileCase(t, c, x)
				// What a server closes just when it is asked again is a connection that breaks, and rightly told as one.
				for c.Script.Then == fetchtest.Close && srv.Open() > 0 && t.Context().Err() == nil {
					time.Sleep(time.Millisecond)
				}
			}
			if c.Outcome != outcome.Captured && srv.Dials() < 2 { // a handshake that fails may be tried in another way
				t.Errorf("%d connections were made: garbage left one in use", srv.Dials())
			}
		})
	}
}

func hostileCase(t *testing.T, c fetchtest.Case, x *warc.Exchange) {
	t.Helper()
	if x.Outcome != c.Outcome || x.Truncated != c.Truncated || x.Cause.Phase != c.Phase {
		t.Errorf("outcome %q, truncated %q, phase %q (%s); want %q, %q, %q", x.Outcome, x.Truncated, x.Cause.Phase, x.Detail,
			c.Outcome, c.Truncated, c.Phase)
	}
	kept := response(t, x)
	if !strings.HasPrefix(kept, c.Kept) || c.Outcome == outcome.Captured && kept != c.Kept {
		t.Errorf("kept %.200q, want %.200q", kept, c.Kept)
	}
	if bad := string(x.Cause.Offending); !strings.HasPrefix(bad, c.Offending) || len(bad) > warc.MaxOffending ||
		bad != "" && !strings.HasPrefix(kept[x.Cause.At:], bad) {
		t.Errorf("offending %q at %d of %.200q, want %q", bad, x.Cause.At, kept, c.Offending)
	}
	fault := ""
	if x.TLS != nil {
		fault = x.TLS.Fault
	}
	if !strings.HasPrefix(fault, c.Fault) || c.Fault == "" && fault != "" {
		t.Errorf("TLS fault %q, want %q", fault, c.Fault)
	}
	plain(t, x.Detail)
}

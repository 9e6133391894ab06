package storagetest

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"linkstead/storage"
)

// Proxy is a piece of network before a server that a test can cut, slow down and break.
type Proxy struct {
	Addr string // 127.0.0.1:PORT

	t     testing.TB
	proxy *toxiproxy.Proxy
}

// NewProxy puts a proxy before the server at upstream (HOST:PORT), for as long as the test runs.
func NewProxy(t testing.TB, upstream string) *Proxy {
	t.Helper()
	zerolog.SetGlobalLevel(zerolog.Disabled) // some toxics tell of themselves past the logger that they are given
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	var last error
	for range 20 { // a port may be taken between the look at it and its use
		addr, err := freeAddress()
		if err != nil {
			t.Fatal(err)
		}
		p := &Proxy{Addr: addr, t: t, proxy: toxiproxy.NewProxy(api, "cut", addr, upstream)}
		if last = p.proxy.Start(); last == nil {
			t.Cleanup(p.Cut)
			return p
		}
	}
	t.Fatalf("proxy: %v", last)
	return nil
}

// Cut takes the network away: connections break, and new ones are refused.
func (p *Proxy) Cut() { p.proxy.Stop() }

// Mend brings it back.
func (p *Proxy) Mend() {
	p.t.Helper()
	if err := p.proxy.Start(); err != nil {
		p.t.Fatalf("proxy: %v", err)
	}
}

// Toxic spoils what goes through, on the connections there are and on new ones, until heal is called. Kinds and their
// attributes are toxiproxy's: latency, bandwidth, timeout, limit_data, reset_peer, slicer. stream is upstream (what the
// client sends) or downstream (what it gets).
func (p *Proxy) Toxic(kind, stream string, attributes map[string]int) (heal func()) {
	p.t.Helper()
	name := kind + storage.Random(3)
	spec, err := json.Marshal(map[string]any{"name": name, "type": kind, "stream": stream, "toxicity": 1.0, "attributes": attributes})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.proxy.Toxics.AddToxicJson(bytes.NewReader(spec)); err != nil {
		p.t.Fatalf("toxic %s: %v", kind, err)
	}
	return func() {
		if err := p.proxy.Toxics.RemoveToxic(context.Background(), name); err != nil {
			p.t.Errorf("heal %s: %v", kind, err)
		}
	}
}

// Leaks are for goleak: goroutines of toxiproxy stay behind where a connection ended with bytes on their way. They are
// its own, and ours are still found.
func Leaks() []goleak.Option {
	const pkg = "github.com/Shopify/toxiproxy/v2"
	var o []goleak.Option
	for _, f := range []string{"/toxics.(*ToxicStub).Run", ".(*ToxicLink).read", ".(*ToxicLink).write"} {
		o = append(o, goleak.IgnoreAnyFunction(pkg+f))
	}
	return o
}

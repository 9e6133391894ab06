package crawler_test

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"linkstead/archive/link"
	"linkstead/crawler/fetch"
)

// nameServer answers on loopback for every name: it leads to 127.0.0.1, and one server speaks for it, which may change.
type nameServer struct {
	mu     sync.Mutex
	server string
	asked  []string
}

func (n *nameServer) speaks(server string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.server = server
}

func (n *nameServer) questions() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.asked)
}

func (n *nameServer) reply(raw []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(raw) != nil || len(m.Questions) != 1 {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	q := m.Questions[0]
	n.asked = append(n.asked, q.Type.String()+" "+q.Name.String())
	m = dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}, Questions: m.Questions}
	head := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
	switch q.Type {
	case dnsmessage.TypeA:
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}})
	case dnsmessage.TypeNS:
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.NSResource{NS: dnsmessage.MustNewName(n.server)}})
	}
	out, err := m.Pack()
	if err != nil {
		return nil
	}
	return out
}

func (n *nameServer) start(t *testing.T) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		b := make([]byte, 1500)
		for {
			k, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			if out := n.reply(b[:k]); out != nil {
				_, _ = pc.WriteTo(out, from)
			}
		}
	})
	t.Cleanup(func() {
		_ = pc.Close()
		wg.Wait()
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

// TestWatchNameServers: a page that is no longer our copy, on a domain whose name servers are those of a parking service, is
// somebody else's; of one that is our copy nobody asks.
func TestWatchNameServers(t *testing.T) {
	names := &nameServer{server: "ns1.hosting.example."}
	w := newWeb(t)
	w.html("blog.test/post", `<article><p>On <a href="{www.sold.test/dir/page}">this</a> and its author, long ago.</p></article>`)
	w.html("www.sold.test/dir/page", words("page", 80))
	n := newWatchingBy(t, w, names.start(t), "blog.test/post")
	url := w.at("www.sold.test/dir/page")
	n.look(40*24*time.Hour, url)
	if e := n.looks(url)[0]; e.Host != nil || slices.ContainsFunc(names.questions(), func(q string) bool { return strings.HasPrefix(q, "TypeNS") }) {
		t.Fatalf("of what is our copy: %+v, %q", e, names.questions())
	}
	names.speaks("ns2.sedoparking.com.")
	w.html("www.sold.test/dir/page", words("loans", 80))
	n.look(40*24*time.Hour, url)
	e := n.looks(url)[1]
	if e.Host == nil || !slices.Equal(e.Host.NameServers, []string{"ns2.sedoparking.com"}) || !slices.Equal(e.Host.Addresses, []string{"127.0.0.1"}) ||
		!slices.Equal(e.Host.Parking, []string{"ns-parking"}) {
		t.Fatalf("%+v of %q", e.Host, names.questions())
	}
	if !slices.Contains(names.questions(), "TypeNS sold.test.") {
		t.Errorf("it was asked for %q", names.questions())
	}
	n.look(4*24*time.Hour, url)
	if l := n.link(url); l.Live != "usurped" {
		t.Errorf("%s", l.State)
	}
}

// TestWhereabouts: about what nobody can tell nobody is asked.
func TestWhereabouts(t *testing.T) {
	names := &nameServer{server: "NS.Host.example."}
	r := &fetch.Recorder{Resolver: names.start(t), Resolve: map[string]string{"made.up.test:80": "127.0.0.1:80"}}
	for _, c := range []struct{ host, domain string }{
		{"127.0.0.1", "127.0.0.1"}, {"[::1]", "[::1]"}, {"localhost", "localhost"}, {"co.uk", "co.uk"}, {"made.up.test", "up.test"}, {"", ""},
	} {
		if s, a, err := r.Whereabouts(t.Context(), c.host, c.domain); s != nil || a != nil || err != nil || len(names.questions()) > 0 {
			t.Errorf("%s: %q, %q, %v", c.host, s, a, err)
		}
	}
	s, a, err := r.Whereabouts(t.Context(), "www.a.test", "a.test")
	if must(t, err); !slices.Equal(s, []string{"ns.host.example"}) || !slices.Equal(a, []netip.Addr{netip.MustParseAddr("127.0.0.1")}) {
		t.Errorf("%q, %q", s, a)
	}
	over, stop := context.WithCancel(t.Context())
	stop()
	if _, _, err := r.Whereabouts(over, "www.a.test", "a.test"); err == nil {
		t.Error("nobody waited, and nothing is wrong")
	}
}

// TestWatchQuotation: what a post quotes from a page says whether that has drifted, however much of the rest has changed; of a page
// that was read in part nobody says that it is gone.
func TestWatchQuotation(t *testing.T) {
	const said = "the harbour was never meant to hold so many ships at the same time"
	w := newWeb(t)
	w.html("blog.test/post", `<article><p>As <a href="{a.test/keeps}">they wrote</a>, “`+said+`”, and nobody minded.</p>
		<p>And as <a href="{b.test/loses}">others wrote</a>, “`+said+`”, and nobody minded.</p></article>`)
	w.html("a.test/keeps", "<p>"+said+".</p>"+words("old", 80))
	w.html("b.test/loses", "<p>"+said+".</p>"+words("old", 80))
	n := newWatching(t, w, "blog.test/post", "a.test", "b.test")
	keeps, loses := w.at("a.test/keeps"), w.at("b.test/loses")
	w.html("a.test/keeps", words("new", 200)+"<p>"+said+".</p>"+words("newer", 80))
	w.html("b.test/loses", words("old", 80))
	n.look(40*24*time.Hour, keeps, loses)
	n.look(4*24*time.Hour, loses)
	if e := n.looks(keeps)[0]; e.Copy == nil || e.Copy.Had != link.Yes || e.Copy.Quoted != link.Yes || n.link(keeps).Live != "alive" {
		t.Errorf("%+v: %s", e.Copy, n.link(keeps).State)
	}
	if e := n.looks(loses)[0]; e.Copy == nil || e.Copy.Had != link.Yes || e.Copy.Quoted != link.No || n.link(loses).Live != "drifted" {
		t.Errorf("%+v: %s", e.Copy, n.link(loses).State)
	}
	n.Watch.Body = 200
	n.look(100*24*time.Hour, loses)
	if es := n.looks(loses); es[len(es)-1].Copy == nil || es[len(es)-1].Copy.Quoted != link.Unasked || es[len(es)-1].Outcome != "too-long" {
		t.Errorf("of a part: %+v", es[len(es)-1])
	}
}

// TestWatchAsksToWait: how long a server asks to be let alone is told, and heeded.
func TestWatchAsksToWait(t *testing.T) {
	w := newWeb(t)
	w.html("blog.test/post", `<article><p>On <a href="{a.test/x}">this</a> and its author, long ago.</p></article>`)
	w.html("a.test/x", words("x", 80))
	n := newWatching(t, w, "blog.test/post", "a.test")
	url := w.at("a.test/x")
	week := 7 * 24 * time.Hour
	w.status("a.test/x", http.StatusServiceUnavailable, "Retry-After", strconv.Itoa(int(week/time.Second)))
	n.look(40*24*time.Hour, url)
	if e := n.looks(url)[0]; e.RetryAfter != week {
		t.Errorf("%+v", e)
	}
	if next := time.UnixMilli(n.link(url).Next); next.Before(n.clock.now().Add(6 * 24 * time.Hour)) {
		t.Errorf("it is due at %s", next)
	}
}

// TestWatchOneTarget: several unlike addresses of a host that end at one place are not there, though that place is a page like others.
func TestWatchOneTarget(t *testing.T) {
	w := newWeb(t)
	w.html("blog.test/post", `<article><p>On <a href="{a.test/dir/one}">this</a>, <a href="{a.test/dir/two}">that</a> and <a href="{a.test/other/three}">more</a>, long ago.</p></article>`)
	var urls []string
	for i, p := range []string{"a.test/dir/one", "a.test/dir/two", "a.test/other/three"} {
		w.html(p, words("page"+string(rune('a'+i)), 80))
		urls = append(urls, w.at(p))
	}
	n := newWatching(t, w, "blog.test/post", "a.test")
	for _, p := range []string{"a.test/dir/one", "a.test/dir/two", "a.test/other/three"} {
		w.status(p, http.StatusFound, "Location", "{a.test/about/sorry}")
	}
	w.html("a.test/about/sorry", words("sorry", 80))
	n.look(40*24*time.Hour, urls...)
	n.look(4*24*time.Hour, urls...)
	n.look(4*24*time.Hour, urls...)
	for _, u := range urls {
		es := n.looks(u)
		e := es[len(es)-1]
		if l := n.link(u); l.Live != "soft-404" || len(e.Siblings) < 2 || e.Siblings[0].Random || e.Siblings[0].Final != w.at("a.test/about/sorry") {
			t.Errorf("%s: %s: %+v", u, l.State, e)
		}
	}
}

// TestWatchValidCopy: what was captured while the host answered everything alike is no copy to compare with, once a look has told.
func TestWatchValidCopy(t *testing.T) {
	w := newWeb(t)
	w.html("blog.test/post", `<article><p>On <a href="{a.test/dir/page}">this</a> and its author, long ago.</p></article>`)
	w.html("a.test/dir/page", words("page", 80))
	n := newWatching(t, w, "blog.test/post", "a.test")
	url := w.at("a.test/dir/page")
	for _, p := range []string{"a.test/dir/page", "a.test/*"} {
		w.html(p, words("sorry", 80))
	}
	n.look(40*24*time.Hour, url)
	watch := n.Watch
	n.Watch = nil
	n.capture(w.spec("blog.test/post", "a.test"))
	n.Watch = watch
	if got := len(n.captures(url)); got != 2 {
		t.Fatalf("%d copies", got)
	}
	first := n.looks(url)[0].Copy
	n.look(30*24*time.Hour, url)
	es := n.looks(url)
	if e := es[len(es)-1]; first == nil || e.Copy == nil || e.Copy.Ref != first.Ref || e.Copy.Equal {
		t.Errorf("%+v: it is compared with %+v", e, e.Copy)
	}
}

// TestWatchCrash: a look that a crash has cut in the middle, between a redirect and what it leads to, goes on with what was seen.
func TestWatchCrash(t *testing.T) {
	w := newWeb(t)
	w.html("blog.test/post", `<article><p>On <a href="{a.test/x}">this</a> and its author, long ago.</p></article>`)
	w.html("a.test/x", words("x", 80))
	n := newWatching(t, w, "blog.test/post", "a.test", "b.test")
	url := w.at("a.test/x")
	w.status("a.test/x", http.StatusFound, "Location", "{b.test/new}")
	came, leave := make(chan struct{}, 1), make(chan struct{})
	defer close(leave)
	w.set("b.test/new", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case came <- struct{}{}:
		default:
		}
		select {
		case <-leave:
		case <-r.Context().Done():
		}
	})
	n.until("the link is folded", func() bool { return n.link(url).Live == "alive" })
	n.clock.later(40 * 24 * time.Hour)
	n.until("the look is in its second step", func() bool { return len(came) == 1 })
	if l := n.link(url); l.Look == nil || l.Hop == 0 || len(n.looks(url)) != 0 {
		t.Fatalf("%+v", l)
	}
	w.html("b.test/new", words("x", 80))
	watch, clock, dir := n.Watch, n.clock, n.dir
	n.dead = true
	n.close()
	next := &watching{newNode(t, dir, func(p *parts) { p.now = clock.now }), clock}
	watch.Links, watch.History = next.db, next.db
	next.Watch = watch
	asked := w.hits()["a.test/x"]
	next.look(0, url)
	if e := next.looks(url)[0]; len(e.Hops) != 1 || e.Final != w.at("b.test/new") || e.Status != 200 || w.hits()["a.test/x"] != asked {
		t.Errorf("%+v, and the link was asked for %d times", e, w.hits()["a.test/x"]-asked)
	}
	if l := next.link(url); l.Look != nil || l.Hop != 0 || l.Live != "redirected" {
		t.Errorf("%s: %+v", l.State, l)
	}
}

package fetch

import (
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/warc"
)

// conn is one connection, above TLS if there is any.
type conn struct {
	net.Conn
	raw   net.Conn // below TLS
	gate  *gate    // between both; nil for plain http
	key   string
	ip    string
	tls   *warc.TLS // shared by the connection's exchanges, never changed
	timer *time.Timer

	protocol string // "h2", for one exchange alone; empty: HTTP/1.1

	most    time.Duration // for which it may be kept …
	bounded bool          // … if the server said so
}

// keptMargin is how long before a server closes a connection it is used no more: a request must not cross with the end.
const keptMargin = time.Second

// keptFor is for how long a connection may be kept, if the server said when it closes it (Keep-Alive: timeout=5, RFC 2068
// §19.7.1.1). What can't be read says nothing.
func keptFor(h httpmsg.Head) (d time.Duration, said bool) {
	for _, t := range h.Tokens("Keep-Alive") {
		v, found := strings.CutPrefix(t, "timeout=")
		if !found {
			continue
		}
		n, err := strconv.ParseUint(strings.Trim(v, `"`), 10, 16)
		if err != nil {
			continue
		}
		if own := max(0, time.Duration(n)*time.Second-keptMargin); !said || own < d { //nolint:gosec // 16 bits
			d, said = own, true
		}
	}
	return d, said
}

// gate lets a TLS connection be emptied of what it has read ahead: while it is shut, nothing more comes through.
type gate struct {
	net.Conn
	shut bool
}

func (g *gate) Read(p []byte) (int, error) {
	if g.shut {
		return 0, os.ErrDeadlineExceeded // the one error after which a TLS connection goes on
	}
	return g.Conn.Read(p)
}

// surplus counts the bytes that TLS has read beyond the last response, where quiet can't see them. buf is overwritten.
func (c *conn) surplus(buf []byte) (total int64) {
	if c.gate == nil {
		return 0
	}
	c.gate.shut = true
	defer func() { c.gate.shut = false }()
	for {
		n, err := c.Read(buf)
		if total += int64(n); err != nil {
			return total
		}
	}
}

// idle keeps connections between exchanges.
type idle struct {
	perHost, total int
	ttl            time.Duration

	mu     sync.Mutex
	closed bool
	n      int
	hosts  map[string][]*conn // the last one in is the first one out: the others may grow old and go
}

func (p *idle) open(perHost, total int, ttl time.Duration) {
	p.perHost, p.total, p.ttl = perHost, total, ttl
	if perHost == 0 {
		p.perHost = 8
	}
	if total == 0 {
		p.total = 256
	}
	if ttl == 0 {
		p.ttl = 30 * time.Second
	}
	p.hosts = map[string][]*conn{}
}

// get returns a connection to key that was alive a moment ago, or nil.
func (p *idle) get(key string) *conn {
	for {
		c := p.pop(key)
		if c == nil {
			return nil
		}
		if c.timer.Stop() && quiet(c.raw) {
			return c
		}
		_ = c.Close() // dead or talking out of turn; nothing is lost with it
	}
}

func (p *idle) pop(key string) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	cs := p.hosts[key]
	if len(cs) == 0 {
		return nil
	}
	c := cs[len(cs)-1]
	p.drop(key, len(cs)-1)
	return c
}

// put keeps c for another exchange, or closes it if there are enough, or if the server is about to.
func (p *idle) put(c *conn) {
	ttl := p.ttl
	if c.bounded {
		ttl = min(ttl, c.most)
	}
	p.mu.Lock()
	keep := ttl > 0 && !p.closed && p.n < p.total && len(p.hosts[c.key]) < p.perHost
	if keep {
		p.hosts[c.key] = append(p.hosts[c.key], c)
		p.n++
		if c.timer == nil {
			c.timer = time.AfterFunc(ttl, func() { p.expire(c) })
		} else {
			c.timer.Reset(ttl)
		}
	}
	p.mu.Unlock()
	if !keep {
		_ = c.Close() // its exchange is complete
	}
}

func (p *idle) expire(c *conn) {
	p.mu.Lock()
	for i, other := range p.hosts[c.key] {
		if other == c {
			p.drop(c.key, i)
			break
		}
	}
	p.mu.Unlock()
	_ = c.Close() // nobody uses it: whoever popped it could not stop the timer, and closes it as well
}

// drop takes the i-th connection to key out. The lock is held.
func (p *idle) drop(key string, i int) {
	cs := slices.Delete(p.hosts[key], i, i+1)
	if p.hosts[key] = cs; len(cs) == 0 {
		delete(p.hosts, key)
	}
	p.n--
}

func (p *idle) close() {
	p.mu.Lock()
	var all []*conn
	for _, cs := range p.hosts {
		all = append(all, cs...)
	}
	p.closed, p.n, p.hosts = true, 0, map[string][]*conn{}
	p.mu.Unlock()
	for _, c := range all {
		c.timer.Stop()
		_ = c.Close() // idle: nothing is lost with it
	}
}

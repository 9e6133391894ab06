package replay

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Bounds of what is remembered of redirects.
const (
	maxAsks = 4096
	askedAt = 2 * time.Minute // after which nobody looks at a page because of the redirect
)

// asks remembers for a while which time was asked for by whoever was redirected to a capture: the address of a page is its own
// second, and a reader is to know how far that is from what they asked. It may be lost at any time.
type asks struct {
	mu   sync.Mutex
	seen map[askKey]ask
}

type askKey struct{ client, agent, path string }

type ask struct {
	digits string // of the time, as they were given
	at     time.Time
}

// digitsOf is the time in a path, as it was spelled.
func digitsOf(target string) string {
	_, rest, _ := strings.Cut(strings.TrimPrefix(target, "/"), "/")
	return rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
}

func keyOfAsk(r *http.Request, path string) askKey {
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		client = r.RemoteAddr
	}
	return askKey{client, r.UserAgent(), path}
}

// note remembers that a client was led to path, for digits.
func (m *asks) note(r *http.Request, path, digits string, now time.Time) {
	if digits == "" || len(path) > 2048 || len(r.UserAgent()) > 512 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil || len(m.seen) >= maxAsks {
		m.seen = map[askKey]ask{}
	}
	m.seen[keyOfAsk(r, path)] = ask{digits, now}
}

// of tells the digits for which a client was led to path; "" if it was not, or long ago.
func (m *asks) of(r *http.Request, path string, now time.Time) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a, ok := m.seen[keyOfAsk(r, path)]; ok && now.Sub(a.at) < askedAt {
		return a.digits
	}
	return ""
}

package crawler_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"linkstead/archive/urlkey"
)

// rawServer answers every request with a short page, and keeps the request line and the Host field as they came.
type rawServer struct {
	port string
	six  bool // it listens on ::1, too

	mu   sync.Mutex
	post string
	to   []string // where GET /redirect/N leads
	got  []string // "LINE | HOST | Authorization if there is one"
}

func newRawServer(t *testing.T) *rawServer {
	t.Helper()
	s := &rawServer{}
	four, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	_, s.port, _ = net.SplitHostPort(four.Addr().String())
	listeners := []net.Listener{four}
	if six, err := net.Listen("tcp6", "[::1]:"+s.port); err == nil { // not every machine has it
		listeners, s.six = append(listeners, six), true
	}
	var open sync.WaitGroup
	var mu sync.Mutex
	conns := map[net.Conn]bool{}
	for _, l := range listeners {
		open.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				mu.Lock()
				conns[c] = true
				mu.Unlock()
				open.Go(func() { s.serve(c) })
			}
		})
	}
	t.Cleanup(func() {
		for _, l := range listeners {
			l.Close()
		}
		mu.Lock()
		for c := range conns {
			c.Close()
		}
		mu.Unlock()
		open.Wait()
	})
	return s
}

// serve answers the requests of one connection.
func (s *rawServer) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		what := strings.TrimSuffix(line, "\r\n")
		for {
			field, err := r.ReadString('\n')
			if err != nil {
				return
			}
			field = strings.TrimSuffix(field, "\r\n")
			if field == "" {
				break
			}
			if name, _, _ := strings.Cut(field, ":"); name == "Host" || name == "Authorization" || name == "Cookie" {
				what += " | " + field
			}
		}
		s.mu.Lock()
		body := "<p>A page.</p>"
		if strings.HasPrefix(what, "GET /post ") {
			body = s.post
		} else {
			s.got = append(s.got, what)
		}
		var n int
		if _, err := fmt.Sscanf(what, "GET /redirect/%d ", &n); err == nil {
			fmt.Fprintf(c, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", s.to[n])
			s.mu.Unlock()
			continue
		}
		s.mu.Unlock()
		fmt.Fprintf(c, "HTTP/1.1 200 %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n", http.StatusText(http.StatusOK), len(body))
		if _, err := io.WriteString(c, body); err != nil {
			return
		}
	}
}

// TestURLForms: whatever an author writes, it is requested as the WHATWG URL standard serialises it, to the byte; userinfo and
// fragment are not sent, and the citation keeps the address as it was written.
func TestURLForms(t *testing.T) {
	t.Parallel()
	s := newRawServer(t)
	port := s.port
	long := strings.Repeat("0123456789", 800)
	forms := []struct{ raw, url, line string }{
		{"http://bücher.test:PORT/straße?ü=ß#Größe 1", "http://xn--bcher-kva.test:PORT/stra%C3%9Fe?%C3%BC=%C3%9F", "GET /stra%C3%9Fe?%C3%BC=%C3%9F HTTP/1.1 | Host: xn--bcher-kva.test:PORT"},
		{"http://[0:0::1]:PORT/six", "http://[::1]:PORT/six", "GET /six HTTP/1.1 | Host: [::1]:PORT"},
		{"http://0x7f.1:PORT/four", "http://127.0.0.1:PORT/four", "GET /four HTTP/1.1 | Host: 127.0.0.1:PORT"},
		{"http://user:secret@a.test:PORT/userinfo", "http://a.test:PORT/userinfo", "GET /userinfo HTTP/1.1 | Host: a.test:PORT"},
		{"http://a.test:0PORT/port", "http://a.test:PORT/port", "GET /port HTTP/1.1 | Host: a.test:PORT"},
		{"http://a.test:PORT/" + long + "#end", "http://a.test:PORT/" + long, "GET /" + long + " HTTP/1.1 | Host: a.test:PORT"},
		{"//a.test:PORT/without-scheme", "http://a.test:PORT/without-scheme", "GET /without-scheme HTTP/1.1 | Host: a.test:PORT"},
		{`http:\\a.test:PORT\back\slashes?a\b`, `http://a.test:PORT/back/slashes?a\b`, `GET /back/slashes?a\b HTTP/1.1 | Host: a.test:PORT`},
		{"ht\ntp://a.te\tst:PORT/tabs\tand\nnewlines", "http://a.test:PORT/tabsandnewlines", "GET /tabsandnewlines HTTP/1.1 | Host: a.test:PORT"},
		{"HTTP://A.Test:PORT/Case/../Dots/./x//y", "http://a.test:PORT/Dots/x//y", "GET /Dots/x//y HTTP/1.1 | Host: a.test:PORT"},
		{"http://a.test:PORT/%7e%zz/a b?c d='e'", "http://a.test:PORT/%7e%zz/a%20b?c%20d=%27e%27", "GET /%7e%zz/a%20b?c%20d=%27e%27 HTTP/1.1 | Host: a.test:PORT"},
		{"http:relative", "http://p.test:PORT/relative", "GET /relative HTTP/1.1 | Host: p.test:PORT"},
		{"?query alone#x", "http://p.test:PORT/post?query%20alone", "GET /post?query%20alone HTTP/1.1 | Host: p.test:PORT"},
		{"http://a.test:PORT?no-path", "http://a.test:PORT/?no-path", "GET /?no-path HTTP/1.1 | Host: a.test:PORT"},
	}
	fill := func(s string) string { return strings.ReplaceAll(s, "PORT", port) }
	var page strings.Builder
	page.WriteString("<title>Forms</title><article>")
	var want []string
	if !s.six {
		forms = slices.Delete(forms, 1, 2)
	}
	for i, f := range forms {
		fmt.Fprintf(&page, `<p>This is form %d, <a href="%s">as it is written</a>, in a sentence of its own.</p>`, i, fill(f.raw))
		want = append(want, fill(f.line))
	}
	s.post = page.String() + "</article>"
	w := &web{port: port}
	n := newNode(t, archive(t))
	spec := w.spec("p.test/post", "a.test", "xn--bcher-kva.test")
	spec.Links = "all"
	r := n.capture(spec)
	s.mu.Lock()
	got := slices.Clone(s.got)
	s.mu.Unlock()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("requests\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	p, err := n.db.PostOf(t.Context(), r.ID)
	must(t, err)
	for i, f := range forms {
		c := p.Citations[i]
		if c.URL != fill(f.url) || c.Raw != fill(f.raw) {
			t.Errorf("%q is kept as %q, %q", fill(f.raw), c.URL, c.Raw)
		}
		if capture(n, c.URL).Status != 200 {
			t.Errorf("%s is not captured", c.URL)
		}
	}
	if f := urlkey.SerialisedFragment(p.Citations[0].Raw); f != "Gr%C3%B6%C3%9Fe%201" {
		t.Errorf("the fragment is %q", f)
	}
}

// TestRedirectForms: where a server sends the reader is requested as the WHATWG URL standard serialises it, to the byte, and
// userinfo that it adds or that the address had is not sent on.
func TestRedirectForms(t *testing.T) {
	t.Parallel()
	s := newRawServer(t)
	long := strings.Repeat("0123456789", 800)
	forms := []struct{ location, url, line string }{
		{`http:\\a.test:PORT\back\slashes`, "http://a.test:PORT/back/slashes", "GET /back/slashes HTTP/1.1 | Host: a.test:PORT"},
		{`\\a.test:PORT\without-scheme`, "http://a.test:PORT/without-scheme", "GET /without-scheme HTTP/1.1 | Host: a.test:PORT"},
		{"ht\ttp://a.te\tst:PORT/tabs\tinside", "http://a.test:PORT/tabsinside", "GET /tabsinside HTTP/1.1 | Host: a.test:PORT"},
		{"http://a.test:PORT/a\r\n folded/line", "http://a.test:PORT/a%20folded/line", "GET /a%20folded/line HTTP/1.1 | Host: a.test:PORT"},
		{"http://a.test:PORT/" + long, "http://a.test:PORT/" + long, "GET /" + long + " HTTP/1.1 | Host: a.test:PORT"},
		{"http://user:secret@a.test:PORT/userinfo", "http://a.test:PORT/userinfo", "GET /userinfo HTTP/1.1 | Host: a.test:PORT"},
		{"//user@a.test:PORT/user", "http://a.test:PORT/user", "GET /user HTTP/1.1 | Host: a.test:PORT"},
		{"/own%zz path#part", "http://p.test:PORT/own%zz%20path", "GET /own%zz%20path HTTP/1.1 | Host: p.test:PORT"},
		{"http://a.test:PORT/\xc3\xbc?\xc3\xbc", "http://a.test:PORT/%C3%BC?%C3%BC", "GET /%C3%BC?%C3%BC HTTP/1.1 | Host: a.test:PORT"},
	}
	fill := func(text string) string { return strings.ReplaceAll(text, "PORT", s.port) }
	var page strings.Builder
	var want []string
	for i, f := range forms {
		s.to = append(s.to, fill(f.location))
		fmt.Fprintf(&page, `<p>A <a href="http://who:hunter2@p.test:%s/redirect/%d">link</a>.`, s.port, i)
		want = append(want, fill(f.line), fmt.Sprintf("GET /redirect/%d HTTP/1.1 | Host: p.test:%s", i, s.port))
	}
	s.post = "<article>" + page.String() + "</article>"
	n := newNode(t, archive(t))
	spec := (&web{port: s.port}).spec("p.test/post", "a.test")
	spec.Links = "all"
	n.capture(spec)
	s.mu.Lock()
	got := slices.Clone(s.got)
	s.mu.Unlock()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("requests\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	for _, f := range forms {
		if capture(n, fill(f.url)).Status != 200 {
			t.Errorf("%.80s is not captured", fill(f.url))
		}
	}
}

package replay_test

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"linkstead/archive/replay"
)

// TestNothingLeavesAHostilePage listens where a page that was made to get out tries to get to: nobody comes.
func TestNothingLeavesAHostilePage(t *testing.T) {
	t.Parallel()
	inModes(t, func(t *testing.T, mode replay.Mode) {
		outside := listen(t)
		a := newArchive(t)
		a.handler.Mode = mode
		const url = "http://site.test/escapes.html"
		a.page(url, "text/html", strings.ReplaceAll(file(t, "hostile/escapes.html"), "OUTSIDE", outside.address))
		b := browse(t, a)
		must(t, chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/web/"+stamp+"/"+url)))
		if err := b.poll("window.results && results.tried > 50"); err != nil {
			t.Errorf("the page did not end: %v", err)
		}
		_, err := chromedp.Run(b.ctx, chromedp.Evaluate[int]("setTimeout(lead), 1"))
		must(t, err)
		if err := b.poll("location.href.endsWith('/http://" + outside.address + "/parent') && document.readyState === 'complete'"); err != nil {
			t.Errorf("the reader's window was not kept in the archive: %v", err)
		}
		time.Sleep(time.Second) // for what comes late: more can only find more
		for _, who := range outside.came() {
			t.Errorf("came out: %s", who)
		}
	})
}

// listener takes all that comes to a port of loopback, and remembers its first line.
type listener struct {
	address string
	mu      sync.Mutex
	lines   []string
}

func listen(t *testing.T) *listener {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	udp, err := net.ListenPacket("udp", tcp.Addr().String())
	must(t, err)
	l := &listener{address: tcp.Addr().String()}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			c, err := tcp.Accept()
			if err != nil {
				return
			}
			_ = c.SetReadDeadline(time.Now().Add(time.Second))
			l.note(c.Read)
			_ = c.Close()
		}
	})
	open.Go(func() {
		for {
			read := 0
			l.note(func(b []byte) (n int, err error) {
				n, _, err = udp.ReadFrom(b)
				read = n
				return n, err
			})
			if read == 0 {
				return
			}
		}
	})
	t.Cleanup(func() {
		_ = tcp.Close()
		_ = udp.Close()
		open.Wait()
	})
	return l
}

func (l *listener) note(read func([]byte) (int, error)) {
	var b [200]byte
	n, err := read(b[:])
	if n == 0 && strings.Contains(errText(err), "closed") {
		return
	}
	line, _, _ := strings.Cut(string(b[:n]), "\r\n")
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (l *listener) came() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines
}

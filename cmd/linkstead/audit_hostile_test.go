package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"linkstead/archive/report"
)

// TestAuditHostile: whatever servers do, the audit ends, tells of every link, and keeps no file.
func TestAuditHostile(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 20 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	_ = z.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw := func(s string, hang bool) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte(s))
			if hang {
				_, _ = c.Read(make([]byte, 1<<16)) // until the other side gives up
			}
			_ = c.Close()
		}
		switch r.URL.Path {
		case "/bomb":
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		case "/endless":
			w.Header().Set("Content-Type", "text/html")
			for b := []byte(strings.Repeat("<p>", 1<<14)); r.Context().Err() == nil; {
				if _, err := w.Write(b); err != nil {
					return
				}
			}
		case "/silent":
			raw("", true)
		case "/half":
			raw("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\nhalf", true)
		case "/garbage":
			raw("\x00\x01 \x1b[31mnot HTTP\r\n\r\n", false)
		case "/heads":
			raw("HTTP/1.1 200 OK\r\n"+strings.Repeat("X: y\r\n", 1<<17), true)
		case "/robots.txt":
			w.WriteHeader(404)
		default: // an endless chain
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
		}
	}))
	defer srv.Close()
	defer srv.CloseClientConnections()
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	dir := t.TempDir()
	var text strings.Builder
	paths := []string{"bomb", "endless", "silent", "half", "garbage", "heads", "chain"}
	args := []string{"audit", "--json", "--allow-private", "--timeout", "2s", "--retries", "0", "--fragments"}
	for _, p := range paths { // a host each, since those that give no answer are not asked for ever
		fmt.Fprintf(&text, "[%s](http://%s.test:%s/%s#place)\n\n", p, p, port, p)
		args = append(args, "--resolve", fmt.Sprintf("%s.test:%s:127.0.0.1", p, port))
	}
	name := filepath.Join(dir, "post.md")
	if err := os.WriteFile(name, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	p := &program{args: append(args, name), getenv: func(string) string { return "" }, stdout: &out, stderr: &errs}
	if code := p.run(t.Context()); code != exitFailed {
		t.Fatalf("exit %d\n%s", code, errs.String())
	}
	var got report.AuditSource
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"bomb": "ok", "endless": "ok", "silent": "broken", "half": "ok", "garbage": "broken", "heads": "broken", "chain": "broken"}
	for i := range got.Links {
		l := &got.Links[i]
		if w := want[l.Citations[0].Text]; string(l.State) != w {
			t.Errorf("%s: %s, %s; want %s", l.URL, l.State, l.Reason, w)
		}
		delete(want, l.Citations[0].Text)
	}
	if len(want) > 0 || got.Totals.Links != len(paths) {
		t.Errorf("not told of: %v", want)
	}
}

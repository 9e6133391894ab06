package main

import (
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// website serves folders as hosts on one loopback port: DIR/<host>/<path>. In text files, {{PORT}} stands for the port.
// A file _rules in a host's folder holds lines "PATH STATUS [TARGET]", or "PATH cut", "PATH empty", "PATH slow", "PATH encoding NAME",
// or "PATH page STATUS FILE", which answers with another file of the folder, or "PATH busy TIMES STATUS RETRY-AFTER", which is
// for the first so many requests.
// "PREFIX endless NAME" has no end: see unending.
type website struct {
	root string
	port string
	srv  *http.Server
	l    net.Listener

	mu   sync.Mutex
	hits map[string]int // by host and path with query
	over int            // requests that came while another was being served for the same host
	busy map[string]int
}

func newWebsite(root string) (*website, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, err
	}
	w := &website{root: root, port: port, l: l, hits: map[string]int{}, busy: map[string]int{}}
	w.srv = &http.Server{Handler: w, ReadHeaderTimeout: 10 * time.Second}
	go w.srv.Serve(l)
	return w, nil
}

func startWebsite(t testing.TB, root string) *website {
	t.Helper()
	w, err := newWebsite(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.srv.Close() })
	return w
}

// resolve are the flags that lead hosts here.
func (w *website) resolve(hosts ...string) []string {
	var out []string
	for _, h := range hosts {
		out = append(out, "--resolve", h+":"+w.port+":127.0.0.1")
	}
	return out
}

func (w *website) count(hostPath string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hits[hostPath]
}

func (w *website) total() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.hits {
		n += k
	}
	return n
}

func (w *website) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	host, _, _ := strings.Cut(r.Host, ":")
	w.mu.Lock()
	w.hits[host+r.URL.RequestURI()]++
	if w.busy[host]++; w.busy[host] > 1 {
		w.over++
	}
	w.mu.Unlock()
	defer func() { w.mu.Lock(); w.busy[host]--; w.mu.Unlock() }()
	dir := filepath.Join(w.root, filepath.Base(host))
	if w.rule(rw, r, dir) {
		return
	}
	name := filepath.Join(dir, filepath.FromSlash(path.Clean("/"+r.URL.Path)))
	if strings.HasSuffix(r.URL.Path, "/") {
		name = filepath.Join(name, "index.html")
	}
	body, err := os.ReadFile(name)
	if err != nil {
		http.Error(rw, "no such page", http.StatusNotFound)
		return
	}
	text := path.Ext(name) == ".html" || path.Ext(name) == ".css" || path.Ext(name) == ".txt" || path.Ext(name) == ".js" || path.Ext(name) == ".pdf"
	if text {
		body = []byte(strings.ReplaceAll(string(body), "{{PORT}}", w.port))
	}
	rw.Header().Set("ETag", fmt.Sprintf(`"%08x"`, crc32.ChecksumIEEE(body)))
	http.ServeContent(rw, r, path.Base(name), time.Unix(1e9, 0), strings.NewReader(string(body)))
}

// rule answers by the _rules file.
func (w *website) rule(rw http.ResponseWriter, r *http.Request, dir string) bool {
	rules, err := os.ReadFile(filepath.Join(dir, "_rules"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(rules)) {
		f := strings.Fields(strings.ReplaceAll(line, "{{PORT}}", w.port))
		if len(f) == 3 && f[1] == "endless" && strings.HasPrefix(r.URL.Path, f[0]) {
			unending(rw, r, f[0], f[2])
			return true
		}
		if len(f) < 2 || f[0] != r.URL.Path {
			continue
		}
		switch f[1] {
		case "encoding": // a coding that the body does not have
			rw.Header().Set("Content-Encoding", f[2])
			return false
		case "page":
			body, err := os.ReadFile(filepath.Join(dir, f[3]))
			if err != nil {
				panic(err)
			}
			status := 0
			fmt.Sscan(f[2], &status)
			rw.Header().Set("Content-Type", "text/html")
			rw.WriteHeader(status)
			rw.Write(body)
			return true
		case "cut":
			rw.Header().Set("Content-Length", "1000")
			io.WriteString(rw, "only this")
			rw.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case "empty":
			panic(http.ErrAbortHandler)
		case "busy":
			times := 0
			fmt.Sscan(f[2], &times)
			if host, _, _ := strings.Cut(r.Host, ":"); w.count(host+r.URL.RequestURI()) > times {
				return false
			}
			rw.Header().Set("Retry-After", f[4])
			f = []string{f[0], f[3]}
		case "slow":
			select {
			case <-time.After(300 * time.Millisecond):
			case <-r.Context().Done():
			}
			io.WriteString(rw, "slow")
			return true
		}
		status := 0
		fmt.Sscan(f[1], &status)
		if len(f) > 2 {
			rw.Header().Set("Location", f[2])
		}
		rw.WriteHeader(status)
		return true
	}
	return false
}

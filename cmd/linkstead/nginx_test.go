package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The documentation sites that tests capture, as Debian packages them.
const (
	postgresDocs = "/usr/share/doc/postgresql-doc-15/html"
	gitDocs      = "/usr/share/doc/git-doc"
)

// A vhost is a host that nginx serves from a folder.
type vhost struct {
	name, root string
	conf       string // more lines for its server block
}

// docSites are the three documentation sites under names of their own.
func docSites() []vhost {
	return []vhost{{name: "docs.python.test", root: pythonDocs}, {name: "pg.test", root: postgresDocs}, {name: "git.test", root: gitDocs}}
}

// nginx is a real web server for one test: each host on port 80 of a loopback address of its own, so that pages keep
// their real URLs.
type nginx struct {
	addr map[string]string // by host
	log  string            // file: a line for each request, "URL status bytes"
}

// startNginx serves hosts until the test ends.
func startNginx(t testing.TB, hosts ...vhost) *nginx {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/nginx")
	}
	if err != nil {
		t.Fatalf("nginx is missing: apt-get install nginx-light (make test does it): %v", err)
	}
	dir := t.TempDir()
	n := &nginx{addr: map[string]string{}, log: filepath.Join(dir, "access.log")}
	for _, h := range hosts {
		if _, err := os.Stat(h.root); err != nil {
			t.Fatalf("%v\nInstall the documentation: .ci/deps lists the packages (make test does it)", err)
		}
		n.addr[h.name] = freeLoopback(t, 80)
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, []byte(n.config(dir, hosts)), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command(path, "-c", conf, "-e", filepath.Join(dir, "error.log"))
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // it goes with the test, however that ends
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { stopProcess(t, "nginx", cmd, ended) })
	for _, h := range hosts {
		if err := answers(t.Context(), "http://"+n.addr[h.name]+"/", ended); err != nil {
			log, _ := os.ReadFile(filepath.Join(dir, "error.log")) // it may not be there yet
			t.Fatalf("nginx does not serve %s: %v\n%s%s", h.name, err, said.String(), log)
		}
	}
	if err := os.Truncate(n.log, 0); err != nil { // our own look is none of its requests
		t.Fatal(err)
	}
	return n
}

func (n *nginx) config(dir string, hosts []vhost) string {
	var b strings.Builder
	if os.Getuid() == 0 {
		b.WriteString("user root;\n") // a test's folders are closed to others
	}
	fmt.Fprintf(&b, "daemon off; worker_processes 2; pid %s/pid; events { worker_connections 1024; }\nhttp {\n", dir)
	b.WriteString("include /etc/nginx/mime.types; default_type application/octet-stream; charset utf-8; sendfile on; keepalive_requests 100000;\n")
	fmt.Fprintf(&b, "log_format url '$scheme://$host$request_uri $status $body_bytes_sent'; access_log %s url;\n", n.log)
	for _, k := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&b, "%s_temp_path %s/%s;\n", k, dir, k)
	}
	for _, h := range hosts {
		fmt.Fprintf(&b, "server { listen %s:80; server_name %s; root %s; index index.html; autoindex on; %s }\n", n.addr[h.name], h.name, h.root, h.conf)
	}
	b.WriteString("}\n")
	return b.String()
}

// stopProcess ends a process that a test started.
func stopProcess(t testing.TB, name string, cmd *exec.Cmd, ended chan error) {
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("stop %s: %v", name, err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	case <-time.After(15 * time.Second):
		t.Errorf("%s did not stop; it is killed", name)
		_ = cmd.Process.Kill() // it may have ended by now
		<-ended
	}
}

// answers waits until something answers at a URL, or its process has ended.
func answers(ctx context.Context, url string, ended chan error) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			return resp.Body.Close()
		}
		select {
		case e := <-ended:
			ended <- e
			return errors.Join(errors.New("it has ended"), e)
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// usedLoopback are the addresses given out by this process.
var usedLoopback = make(chan map[string]bool, 1)

func init() { usedLoopback <- map[string]bool{} }

// freeLoopback is a loopback address on which nobody listens at a port.
func freeLoopback(t testing.TB, port int) string {
	t.Helper()
	used := <-usedLoopback
	defer func() { usedLoopback <- used }()
	var last error
	for i := range 200 {
		// Different processes start at different places; all of 127/8 is loopback.
		addr := fmt.Sprintf("127.%d.%d.%d", 16+os.Getpid()%200, 1+os.Getpid()/200%250, 1+i)
		if used[addr] {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort(addr, fmt.Sprint(port)))
		if err != nil {
			last = err
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		used[addr] = true
		return addr
	}
	t.Fatalf("no loopback address has port %d free: %v\nThis test serves sites under their real URLs. Run it as root, or allow it with\n"+
		"sysctl net.ipv4.ip_unprivileged_port_start=80, and let nothing listen on port %d of all addresses.", port, last, port)
	return ""
}

// freePort is a port of 127.0.0.1 on which nobody listens.
func freePort(t testing.TB) string {
	t.Helper()
	port, err := pickPort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// pickPort finds a port that is free, and below those that the system gives to whoever asks for any.
func pickPort() (string, error) {
	var last error
	for range 50 {
		port := strconv.Itoa(20000 + rand.IntN(12000))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			return port, l.Close()
		}
		last = err
	}
	return "", last
}

// resolve are the flags that lead linkstead to the hosts.
func (n *nginx) resolve() []string {
	var out []string
	for h, a := range n.addr {
		out = append(out, "--resolve", h+":80:"+a)
	}
	return out
}

// rules lead Chromium to the hosts: --host-resolver-rules.
func (n *nginx) rules() []string {
	var out []string
	for h, a := range n.addr {
		out = append(out, "MAP "+h+" "+a)
	}
	return out
}

// requests counts the requests so far, by URL.
func (n *nginx) requests(t testing.TB) map[string]int {
	t.Helper()
	log, err := os.ReadFile(n.log)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for line := range strings.Lines(string(log)) {
		url, _, _ := strings.Cut(line, " ")
		out[url]++
	}
	return out
}

// forget empties the list of requests.
func (n *nginx) forget(t testing.TB) {
	t.Helper()
	if err := os.Truncate(n.log, 0); err != nil {
		t.Fatal(err)
	}
}

package main

import (
	"crypto/tls"
	"net"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"linkstead/crawler/fetch/fetchtest"
)

// cmdBadCerts starts servers whose certificates are faulty until the script ends, sets $EXPIRED, $NAMED (for another host)
// and $SELF (signed by itself) to their ports, and puts those into files for {{EXPIRED}} and so on.
func cmdBadCerts(ts *testscript.TestScript, neg bool, args []string) {
	now := time.Now()
	for name, c := range map[string]struct {
		host        string
		from, until time.Time
	}{
		"EXPIRED": {"expired.test", now.AddDate(-2, 0, 0), now.AddDate(-1, 0, 0)},
		"NAMED":   {"another.test", now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0)},
		"SELF":    {"self.test", now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0)},
	} {
		cert, err := fetchtest.Certificate(c.host, c.from, c.until)
		ts.Check(err)
		srv, err := fetchtest.Start(fetchtest.Script{
			TLS: &tls.Config{Certificates: []tls.Certificate{cert}},
			Raw: "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<p>" + name[:2] + "</p>",
		})
		ts.Check(err)
		ts.Defer(func() { ts.Check(srv.Close()) })
		_, port, err := net.SplitHostPort(srv.Addr)
		ts.Check(err)
		ts.Setenv(name, port)
		for _, file := range args {
			text := strings.ReplaceAll(ts.ReadFile(file), "{{"+name+"}}", port)
			ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o644))
		}
	}
}

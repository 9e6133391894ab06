package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdAsk sends one request and prints the head and the body of its answer, no redirect followed: ask STATUS URL WORDS…. A word
// is a method in capitals, a field as "Name: value", or a body that begins with "=". {now} in the URL is the time as replay's addresses have it. All names lead to loopback. Until
// something listens there, it asks again.
func cmdAsk(ts *testscript.TestScript, neg bool, args []string) {
	args[1] = strings.ReplaceAll(args[1], "{now}", time.Now().UTC().Format("20060102150405"))
	method, body, fields := http.MethodGet, "", http.Header{}
	for _, word := range args[2:] {
		if text, ok := strings.CutPrefix(word, "="); ok {
			body = text
		} else if name, value, ok := strings.Cut(word, ": "); ok {
			fields.Add(name, value)
		} else {
			method = word
		}
	}
	client := &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+port)
		}},
	}
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		var req *http.Request
		req, err = http.NewRequest(method, args[1], strings.NewReader(body))
		ts.Check(err)
		req.Header = fields.Clone()
		if host := fields.Get("Host"); host != "" {
			req.Host = host
		}
		var resp *http.Response
		if resp, err = client.Do(req); err != nil {
			continue
		}
		text, err := io.ReadAll(resp.Body)
		ts.Check(err)
		ts.Check(resp.Body.Close())
		var names []string
		for name, values := range resp.Header {
			names = append(names, name+": "+strings.Join(values, ", "))
		}
		slices.Sort(names)
		fmt.Fprintf(ts.Stdout(), "%s\n\n%s", strings.Join(names, "\n"), text)
		if (strconv.Itoa(resp.StatusCode) == args[0]) == neg {
			ts.Fatalf("%s %s: wanted %s, got %d: %.1000s", method, args[1], args[0], resp.StatusCode, text)
		}
		return
	}
	ts.Fatalf("%s %s: %v", method, args[1], err)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
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
	client := askClient()
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

// askClient follows no redirect, and finds every name on loopback.
func askClient() *http.Client {
	return &http.Client{
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
}

var inputs = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// cmdSubmit gets a page, and sends the form that stands on it as a browser would: submit STATUS URL. It prints the head and
// the body of the answer.
func cmdSubmit(ts *testscript.TestScript, neg bool, args []string) {
	page, err := askClient().Get(args[1])
	ts.Check(err)
	text, err := io.ReadAll(page.Body)
	ts.Check(errors.Join(err, page.Body.Close()))
	form := url.Values{}
	for _, m := range inputs.FindAllStringSubmatch(string(text), -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	if len(form) == 0 {
		ts.Fatalf("%s: %d, and no form: %s", args[1], page.StatusCode, text)
	}
	to := *page.Request.URL
	to.RawQuery = ""
	cmdAsk(ts, neg, []string{args[0], to.String(), "POST", "Content-Type: application/x-www-form-urlencoded", "Origin: http://" + to.Host, "=" + form.Encode()})
}

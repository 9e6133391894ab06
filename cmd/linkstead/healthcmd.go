package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// healthCmd asks a running linkstead how it is. Containers have no other program that could.
type healthCmd struct {
	URL string `arg:"" optional:"" help:"Where to ask: the address of 'serve --listen' or 'work --listen', with /readyz or /healthz (default: /readyz of the pages, on this machine)." placeholder:"URL"`
}

// healthPatience is for how long an answer is waited for: less than what calls this waits for it.
const healthPatience = 5 * time.Second

func (c *healthCmd) run(ctx context.Context, e *env) error {
	where := c.URL
	if where == "" {
		where = "http://" + dialled(e.cfg.Serve.Listen) + "/readyz"
	}
	u, err := url.Parse(where)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return usageError{fmt.Errorf("%q is no http(s) address\nWrite it whole, for example http://127.0.0.1:8080/readyz", where)}
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = pathReady
	}
	said, err := askHealth(ctx, u.String())
	if err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, said)
	return nil
}

// askHealth gives the line that is answered. Whatever is not 200 is an error that tells it.
func askHealth(ctx context.Context, where string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, healthPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return "", fmt.Errorf("ask %s: %w", where, err)
	}
	// Neither a proxy nor a redirect: it is this one process that is asked after.
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		var refused *url.Error
		if errors.As(err, &refused) {
			err = refused.Err
		}
		if reason := syscall.Errno(0); errors.As(err, &reason) {
			err = reason // without the words of the network stack around it
		}
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no answer within %s", healthPatience)
		}
		return "", fmt.Errorf("ask %s: %w\nSee that 'linkstead serve' or 'linkstead work --listen' runs there, and listens on that address", where, err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	b, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return "", fmt.Errorf("read what %s answers: %w", where, err)
	}
	said := clean(string(b))
	switch {
	case resp.StatusCode == http.StatusOK && said == healthy:
		return said, nil
	case resp.StatusCode == http.StatusServiceUnavailable && strings.HasPrefix(said, unready):
		return "", fmt.Errorf("%s answers %d: %s", where, resp.StatusCode, said)
	}
	return "", fmt.Errorf("%s answers %d, but nothing about its health\nAsk %s or %s of a linkstead, for example http://127.0.0.1:8080%s",
		where, resp.StatusCode, pathReady, pathAlive, pathReady)
}

// dialled is how this machine reaches what listens on an address: where that is every address, by the loopback one.
func dialled(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "127.0.0.1"
		if addr.Is6() {
			host = "::1"
		}
	}
	return net.JoinHostPort(host, port)
}

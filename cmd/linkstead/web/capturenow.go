package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"linkstead/archive/urlkey"
)

// CapturePath is where a person at this machine begins a capture. It and the pages of repairs are all that change something here.
const CapturePath = "/capture"

// Refused says why a capture that a reader asks for is not begun, in words for people.
type Refused struct{ Text string }

func (r *Refused) Error() string { return r.Text }

// Bounds of the form.
const (
	maxForm  = 64 << 10  // bytes
	formLife = time.Hour // for which it may lie open
)

// forwarding are the fields by which proxies say for whom they ask.
var forwarding = []string{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"}

// Local says whether a request was made on this machine: by a connection over loopback, which no proxy says that it has
// passed on. HTTP/1.0 is none that browsers speak, but what proxies fall back to.
func Local(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() || !r.ProtoAtLeast(1, 1) {
		return false
	}
	for _, name := range forwarding {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	return true
}

// LoopbackHost says whether a host, with or without a port, names this machine to itself alone.
func LoopbackHost(host string) bool {
	h := bareHost(host)
	addr, err := netip.ParseAddr(h)
	return h == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

// captureForm is what a reader asks for.
type captureForm struct{ URL, Collection, Token, Shown string }

// captureNow shows a form, and begins a capture for the one that comes back.
func (p *Pages) captureNow(r *http.Request) (*answer, error) {
	if p.Capture == nil {
		return nothingHere(r)
	}
	if !Local(r) || !LoopbackHost(r.Host) {
		return nil, &problem{
			status: http.StatusForbidden, title: "Only from the machine of the archive",
			text: "A capture is begun by whoever sits at the machine that the archive runs on: nobody else can be told apart yet.",
			hint: "There, open http://localhost with the port of these pages, or run: linkstead capture",
		}
	}
	if r.Method == http.MethodPost {
		return p.begin(r)
	}
	q := r.URL.Query()
	f := captureForm{URL: q.Get("url"), Collection: q.Get("collection")}
	if err := f.check(); err != nil {
		return nil, err
	}
	f.Token, f.Shown = p.token(&f, p.Now().Add(formLife)), shownURL(f.URL)
	return &answer{status: http.StatusOK, page: "capture", title: "Capture an address", body: f}, nil
}

// check sees to it that the address can be asked for.
func (f *captureForm) check() error {
	u, err := urlkey.Parse("", f.URL)
	if err != nil || !urlkey.Fetchable(u) || len(f.URL) > urlkey.MaxLength || len(f.Collection) > maxTitle {
		return &problem{
			status: http.StatusBadRequest, title: "This address can't be captured", text: "Only http and https addresses can be asked for.",
			hint: "Write it in full, for example https://example.org/post",
		}
	}
	f.URL = u
	return nil
}

// begin begins a capture if the form is one of ours, sent from a page of ours.
func (p *Pages) begin(r *http.Request) (*answer, error) {
	values, err := sent(r, "Nothing was captured")
	if err != nil {
		return nil, err
	}
	f := captureForm{URL: values.Get("url"), Collection: values.Get("collection"), Token: values.Get("token")}
	if err := f.check(); err != nil {
		return nil, err
	}
	if !p.knows(&f) {
		return nil, &problem{
			status: http.StatusForbidden, title: "Nothing was captured", text: "The form is too old, or the archive was started anew since it was made.",
			hint: "Open the page again, and send the form once more.",
		}
	}
	run, err := p.Capture(r.Context(), f.Collection, f.URL)
	var refused *Refused
	if errors.As(err, &refused) {
		return nil, &problem{status: http.StatusBadRequest, title: "Nothing was captured", text: refused.Text}
	}
	if err != nil {
		return nil, fmt.Errorf("begin a capture of %s: %w", f.URL, err)
	}
	p.Log.Info("a reader began a capture", "run", run, "url", f.URL, "collection", f.Collection)
	return &answer{status: http.StatusSeeOther, to: "/runs/" + strconv.FormatInt(run, 10) + "?follow=1"}, nil
}

// sent reads a form that a page of ours has sent; nothing is the title of what a person is told otherwise.
func sent(r *http.Request, nothing string) (url.Values, error) {
	// A page elsewhere can have a reader's browser send a form here. It can't say that it comes from here, nor read a token.
	if !strings.EqualFold(r.Header.Get("Origin"), "http://"+r.Host) || !sameSite(r.Header.Get("Sec-Fetch-Site")) {
		return nil, &problem{
			status: http.StatusForbidden, title: nothing, text: "The request came from a page that is none of the archive's own.",
			hint: "Send the form from the archive's own page.",
		}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	values, perr := url.ParseQuery(string(body))
	if err != nil || perr != nil || len(body) > maxForm || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil, &problem{status: http.StatusBadRequest, title: nothing, text: "The form could not be read.", hint: "Open the page again, and send the form once more."}
	}
	return values, nil
}

// sameSite reads Sec-Fetch-Site, which old browsers don't send.
func sameSite(s string) bool { return s == "" || s == "same-origin" }

// token is the proof that a form was made here, for this address, since this process began, and not long ago.
func (p *Pages) token(f *captureForm, until time.Time) string {
	return p.sign(until, "capture", f.Collection, f.URL)
}

func (p *Pages) knows(f *captureForm) bool { return p.signed(f.Token, "capture", f.Collection, f.URL) }

// sign makes a token of what a form is about, which holds until a time.
func (p *Pages) sign(until time.Time, about ...string) string {
	end := strconv.FormatInt(until.Unix(), 10)
	mac := hmac.New(sha256.New, p.key())
	for _, s := range append([]string{end}, about...) {
		fmt.Fprintf(mac, "%d\x00%s", len(s), s)
	}
	return end + "." + hex.EncodeToString(mac.Sum(nil))
}

// signed says whether a token was made here of the same, and holds.
func (p *Pages) signed(token string, about ...string) bool {
	end, _, _ := strings.Cut(token, ".")
	n, err := strconv.ParseInt(end, 10, 64)
	until := time.Unix(n, 0)
	return err == nil && p.Now().Before(until) && hmac.Equal([]byte(token), []byte(p.sign(until, about...)))
}

// key is known to this process alone.
func (p *Pages) key() []byte {
	p.secret.once.Do(func() { _, _ = rand.Read(p.secret.key[:]) }) // it never fails
	return p.secret.key[:]
}

// Begin begins a capture of an address, into a collection or the default one, and tells the number of its run. A *Refused says
// why it can't be.
type Begin func(ctx context.Context, collection, url string) (run int64, err error)

package replay_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"linkstead/archive/cdx"
	"linkstead/archive/replay"
	"linkstead/storage"
)

// fails is an index that fails behind so many rows of a walk.
type fails struct {
	replay.Index
	behind int
	err    error
}

func (f fails) CapturesIn(ctx context.Context, s storage.KeySpan, after storage.Place, backwards bool) iter.Seq2[storage.Capture, error] {
	return func(yield func(storage.Capture, error) bool) {
		n := 0
		for c, err := range f.Index.CapturesIn(ctx, s, after, backwards) {
			if n++; n > f.behind {
				yield(storage.Capture{}, f.err)
				return
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// TestCDXFails: a listing that fails says so; one that has begun is torn, since a clean end would call a part the whole.
func TestCDXFails(t *testing.T) {
	a := many(t, 2000)
	whole := a.handler.Index
	for _, c := range []struct {
		behind int
		err    error
		status int
		retry  string
	}{
		{0, errors.New("broken"), 500, ""},
		{5, errors.New("broken"), 500, ""}, // nothing of it was sent yet
		{0, fmt.Errorf("ask: %w", storage.ErrAway), 503, "60"},
	} {
		a.handler.Index = fails{whole, c.behind, c.err}
		for _, path := range []string{"/web/cdx?url=*", "/web/wayback-cdx?url=*&output=json"} {
			res := a.get(path)
			if res.StatusCode != c.status || res.Header.Get("Retry-After") != c.retry || strings.Contains(res.body, "broken") || strings.Contains(res.body, "urlkey") {
				t.Errorf("%s behind %d rows: %d %s", path, c.behind, res.StatusCode, res.body)
			}
		}
	}
	a.handler.Index = fails{whole, 1500, errors.New("broken")}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = strings.TrimPrefix(testOrigin, "http://")
		a.handler.ServeHTTP(w, r)
	}))
	defer srv.Close()
	for _, path := range []string{"/web/cdx?url=*", "/web/wayback-cdx?url=*"} {
		resp, err := srv.Client().Get(srv.URL + path) // compressed
		must(t, err)
		n, err := new(strings.Builder), error(nil)
		buf := make([]byte, 4096)
		for err == nil {
			var k int
			k, err = resp.Body.Read(buf)
			n.Write(buf[:k])
		}
		must(t, resp.Body.Close())
		if resp.StatusCode != http.StatusOK || err.Error() == "EOF" {
			t.Errorf("%s: %d, %d bytes, and then %v: it looks whole", path, resp.StatusCode, n.Len(), err)
		}
	}
	if !strings.Contains(a.log.String(), "broken") {
		t.Errorf("the log does not say why:\n%s", a.log)
	}
}

// waits is an index whose walks begin when they are let.
type waits struct {
	replay.Index
	begun chan struct{}
	let   chan struct{}
}

func (w waits) CapturesIn(ctx context.Context, s storage.KeySpan, after storage.Place, backwards bool) iter.Seq2[storage.Capture, error] {
	w.begun <- struct{}{}
	<-w.let
	return w.Index.CapturesIn(ctx, s, after, backwards)
}

// TestCDXAtATime: listings of many URLs at the same time are bounded; what is asked of one URL is answered meanwhile.
func TestCDXAtATime(t *testing.T) {
	a := indexed(t)
	whole := a.handler.Index
	w := waits{whole, make(chan struct{}, 100), make(chan struct{})}
	a.handler.Index = w
	ask := func(target string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, testOrigin+"/", nil)
		r.Host, r.RequestURI = strings.TrimPrefix(testOrigin, "http://"), target
		rec := httptest.NewRecorder()
		a.handler.ServeHTTP(rec, r)
		return rec
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := ask("/web/cdx?url=*"); got.Code != http.StatusOK {
				t.Errorf("one of eight: %d %s", got.Code, got.Body)
			}
		})
	}
	for range 8 {
		<-w.begun
	}
	if got := ask("/web/wayback-cdx?url=*"); got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") == "" {
		t.Errorf("the ninth: %d %s", got.Code, got.Body)
	}
	one := make(chan *httptest.ResponseRecorder, 1)
	go func() { one <- ask("/web/cdx?url=a.test") }()
	<-w.begun // it is not refused
	close(w.let)
	all.Wait()
	if got := <-one; got.Code != http.StatusOK {
		t.Errorf("of one URL: %d %s", got.Code, got.Body)
	}
	if got := ask("/web/cdx?url=*"); got.Code != http.StatusOK {
		t.Errorf("after them: %d %s", got.Code, got.Body)
	}
}

// stalls is an index that brings some rows and then nothing until it is told to stop.
type stalls struct {
	replay.Rows
	behind int
}

func (s stalls) CapturesIn(ctx context.Context, span storage.KeySpan, after storage.Place, backwards bool) iter.Seq2[storage.Capture, error] {
	return func(yield func(storage.Capture, error) bool) {
		n := 0
		for c, err := range s.Rows.CapturesIn(context.WithoutCancel(ctx), span, after, backwards) {
			if n++; n > s.behind {
				<-ctx.Done()
				yield(storage.Capture{}, ctx.Err())
				return
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// TestListingTakesTooLong: what there is when the time is over is answered, with the place to go on from.
func TestListingTakesTooLong(t *testing.T) {
	a := many(t, 100)
	q, err := cdx.Parse(cdx.Wayback, url.Values{"url": {"*"}, "fl": {"offset"}})
	must(t, err)
	var out strings.Builder
	n, err := (&replay.Listing{Rows: stalls{a.db, 40}, Collection: collection, MaxTime: time.Millisecond}).Write(t.Context(), &out, q)
	rows, key, ok := strings.Cut(out.String(), "\n\n")
	if err != nil || n != 40 || !ok || len(strings.Fields(rows)) != 40 {
		t.Fatalf("%d rows, %v:\n%s", n, err, out.String())
	}
	q, err = cdx.Parse(cdx.Wayback, url.Values{"url": {"*"}, "fl": {"offset"}, "resumeKey": {strings.TrimSpace(key)}})
	must(t, err)
	out.Reset()
	if n, err := (&replay.Listing{Rows: a.db, Collection: collection}).Write(t.Context(), &out, q); err != nil || n != 60 || !strings.HasPrefix(out.String(), "40\n") {
		t.Errorf("the rest: %d rows, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (&replay.Listing{Rows: a.db, Collection: collection}).Write(ctx, &out, q); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

package replay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/warc"
	"linkstead/storage"
)

func head(status int, fields ...string) httpmsg.Head {
	h := httpmsg.Head{Proto: "HTTP/1.1", Status: status, Len: 1}
	for i := 0; i < len(fields); i += 2 {
		h.Fields = append(h.Fields, httpmsg.Field{Name: fields[i], Value: fields[i+1]})
	}
	return h
}

// TestEffective: which head counts, by the kinds of revisits (WARC 1.1 §6.7).
func TestEffective(t *testing.T) {
	original := head(200, "Content-Type", "text/html", "Content-Length", "5", "X-Old", "1", "Date", "then")
	notModified := warc.Header{Fields: []httpmsg.Field{{Name: "WARC-Profile", Value: "http://netpreserve.org/warc/1.1/revisit/server-not-modified"}}}
	revisit := storage.Capture{Kind: warc.KindRevisit}
	for _, c := range []struct {
		name   string
		m      warc.Memento
		status int
		fields string
	}{
		{"a response", warc.Memento{Head: original, Original: original}, 200, "Content-Type: text/html; Content-Length: 5; X-Old: 1; Date: then; "},
		{"the same payload", warc.Memento{Capture: revisit, Head: head(404, "Content-Type", "text/plain"), Original: original}, 404, "Content-Type: text/plain; "},
		{"the same payload, no head", warc.Memento{Capture: revisit, Original: original}, 200, "Content-Type: text/html; Content-Length: 5; X-Old: 1; Date: then; "},
		{"not modified", warc.Memento{Capture: revisit, Header: notModified, Head: head(304, "date", "now", "Content-Length", "0"), Original: original}, 200,
			"Content-Type: text/html; Content-Length: 5; X-Old: 1; date: now; "},
		{"no final status", warc.Memento{Head: head(101), Original: head(101)}, 200, ""},
		{"a part", warc.Memento{Head: head(206), Original: head(206)}, 206, ""},
	} {
		h, status := effective(&c.m)
		var got strings.Builder
		for _, f := range h.Fields {
			got.WriteString(f.Name + ": " + f.Value + "; ")
		}
		if status != c.status || got.String() != c.fields {
			t.Errorf("%s: %d %s", c.name, status, got.String())
		}
	}
}

// one is an index of one capture, and a library whose storage fails in the middle of it.
type one struct {
	c    storage.Capture
	head httpmsg.Head
	err  error
}

func (o one) Closest(context.Context, string, string, string, time.Time) (storage.Capture, error) {
	return o.c, nil
}

func (o one) Taken(context.Context, string, string, string, time.Time) (storage.Capture, error) {
	return o.c, nil
}

func (o one) Captures(context.Context, string, string) iter.Seq2[storage.Capture, error] {
	return func(yield func(storage.Capture, error) bool) { yield(o.c, nil) }
}

func (o one) Around(context.Context, string, string, time.Time, int) (storage.Around, error) {
	return storage.Around{Before: []storage.Capture{o.c}, First: true, Last: true}, nil
}

func (o one) Beside(context.Context, string, storage.Place) (storage.Beside, error) {
	return storage.Beside{First: &o.c, Last: &o.c}, nil
}

func (o one) Buckets(context.Context, storage.KeySpan, time.Duration, bool) ([]storage.Bucket, error) {
	return nil, nil
}

func (o one) CapturesIn(ctx context.Context, _ storage.KeySpan, _ storage.Place, _ bool) iter.Seq2[storage.Capture, error] {
	return o.Captures(ctx, "", "")
}

func (o one) PassOver(context.Context, storage.KeySpan, storage.Place, bool, int64) (storage.Place, int64, error) {
	return o.c.Place(), 1, nil
}

func (o one) CaptureAt(context.Context, string, int64) (storage.Capture, error) { return o.c, nil }

func (o one) Segment(context.Context, string) (storage.Segment, error) {
	return storage.Segment{ID: o.c.Segment}, nil
}
func (o one) Attempts(context.Context, string, string) ([]storage.Attempt, error) { return nil, nil }

func (o one) Open(_ context.Context, c storage.Capture) (*warc.Memento, error) {
	payload := io.MultiReader(strings.NewReader("<a href=y>half"), iotest.ErrReader(o.err))
	return &warc.Memento{Capture: c, Head: o.head, Original: o.head, Payload: payload}, nil
}

// TestStorageFails: what fails before the first byte is a page that says so; after it the connection is torn, since a
// clean end would call a part the whole.
func TestStorageFails(t *testing.T) {
	at := time.Date(2020, 5, 17, 10, 20, 30, 0, time.UTC)
	var log bytes.Buffer
	o := one{storage.Capture{URL: "http://a.test/", URLKey: "test,a)/", At: at, Kind: warc.KindResponse, Status: 200, Segment: "s"},
		head(200, "Content-Type", "text/html", "Transfer-Encoding", "chunked"), errors.New("disk on fire")}
	h := &Handler{Index: o, Library: o, Origin: "http://example.com", Now: time.Now, Log: slog.New(slog.NewTextHandler(&log, nil))}
	ask := func(target string) (w *httptest.ResponseRecorder, torn any) {
		w = httptest.NewRecorder()
		defer func() { torn = recover() }()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		return w, nil
	}
	w, torn := ask("/web/20200517102030/http://a.test/")
	if torn != nil || w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "fire") || w.Header().Get("Memento-Datetime") != "" {
		t.Errorf("rewritten: %v %d %v %s", torn, w.Code, w.Header(), w.Body)
	}
	w, torn = ask("/web/20200517102030id_/http://a.test/")
	if err, ok := torn.(error); !ok || !errors.Is(err, http.ErrAbortHandler) || w.Body.String() != "<a href=y>half" {
		t.Errorf("passed: %v %d %s", torn, w.Code, w.Body)
	}
	if n := strings.Count(log.String(), "disk on fire"); n != 2 {
		t.Errorf("%d faults in the log: %s", n, &log)
	}
}

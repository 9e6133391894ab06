package fetch

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"linkstead/archive/outcome"
)

// TestFill reads up to a limit and no further, by whatever steps.
func TestFill(t *testing.T) {
	text := strings.Repeat("0123456789", 2000)
	for _, limit := range []int64{0, 1, 4095, 4096, 4097, 19_999, 20_000, 20_001, 1 << 20} {
		for name, r := range map[string]io.Reader{
			"whole": strings.NewReader(text), "bytes": iotest.OneByteReader(strings.NewReader(text)),
			"data and end at once": iotest.DataErrReader(strings.NewReader(text)),
		} {
			got, more, err := fill(r, nil, limit)
			if want := text[:min(limit, int64(len(text)))]; string(got) != want || more != (limit < int64(len(text))) || err != nil {
				t.Errorf("%s, limit %d: %d bytes, more %t, %v", name, limit, len(got), more, err)
			}
		}
	}
	got, more, err := fill(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(text))), nil, 100)
	if len(got) != 1 || more || err == nil {
		t.Errorf("a reader that fails gave %d bytes, more %t, %v", len(got), more, err)
	}
}

// TestLongDocument hands on documents longer than what is kept in memory, whole up to the limit; and of a bomb, the beginning.
func TestLongDocument(t *testing.T) {
	const memory, limit = 10_000, 1 << 20
	var sb strings.Builder
	for i := range 8000 {
		fmt.Fprintf(&sb, "<p>Paragraph %d has %x of its own.", i, i*7919)
	}
	honest := sb.String()
	if len(honest) < memory || len(honest) > limit {
		t.Fatalf("a page of %d bytes", len(honest))
	}
	for _, c := range []struct {
		name, page string
		kept       int
		capped     bool
		broken     string
	}{
		{"honest", honest, len(honest), false, ""},
		{"at the limit", strings.Repeat(honest, 6)[:limit], limit, false, ""},
		{"over the limit", strings.Repeat(honest, 6)[:limit+1], limit, true, ""},
		{"well packed, within the limit", strings.Repeat("a", limit), limit, false, ""},
		{"bomb", strings.Repeat("a", 8*limit), maxBomb, true, "It unpacks to more than a hundred times its size"},
	} {
		z := zipped(c.page)
		s := serve(t, false, always(reply{raw: fmt.Sprintf(
			"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(z), z)}))
		w := recorder(t, &Recorder{Limits: Limits{Memory: memory, Decoded: limit}, Room: NewRoom(limit)}).Worker()
		for range 2 { // the room is given back
			x, doc := fetch(t, w, Request{URL: s.url("/"), Weight: 11})
			if x.Outcome != outcome.Captured || doc == nil || string(doc.Body) != c.page[:c.kept] || doc.Capped != c.capped || !strings.HasPrefix(doc.Broken, c.broken) || (c.broken == "") != (doc.Broken == "") {
				t.Errorf("%s: outcome %q, document %.200v", c.name, x.Outcome, doc)
			}
		}
	}
}

// TestRoom lets who finds no room wait until there is some, or its context ends.
func TestRoom(t *testing.T) {
	r := NewRoom(100)
	free, err := r.take(t.Context(), 1000) // all there is
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := r.take(short, 1); err == nil {
		t.Error("there was room where there is none")
	}
	got := make(chan error, 1)
	go func() {
		f, err := r.take(t.Context(), 100)
		if err == nil {
			f()
		}
		got <- err
	}()
	free()
	if err := <-got; err != nil {
		t.Error(err)
	}
	if f, err := (*Room)(nil).take(t.Context(), 1<<40); err != nil {
		t.Error(err)
	} else {
		f()
	}
}

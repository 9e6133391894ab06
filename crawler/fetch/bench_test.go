package fetch

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// BenchmarkFetch makes exchanges of about the size of a documentation page over one kept-alive connection.
func BenchmarkFetch(b *testing.B) {
	page := strings.Repeat("<p>A page of documentation.</p>\n", 3200)
	for name, raw := range map[string]string{
		"html":    fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s", len(page), page),
		"chunked": fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(page), page),
		"image":   fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n%s", len(page), page),
		"tiny":    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok",
	} {
		b.Run(name, func(b *testing.B) {
			s := serve(b, false, always(reply{raw: raw}))
			w := recorder(b, &Recorder{}).Worker()
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				x, err := w.Fetch(context.Background(), Request{URL: s.url("/")}, func(Document) error { return nil })
				if err != nil || x.Outcome != "captured" {
					b.Fatal(err, x)
				}
				if err := w.rec.Release(x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

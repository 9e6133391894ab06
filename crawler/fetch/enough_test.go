package fetch

import (
	"fmt"
	"strings"
	"testing"

	"linkstead/archive/httpmsg"
	"linkstead/archive/outcome"
)

// TestEnough: of a body that would never end as much is read as the head calls for, and not a byte is waited for beyond.
func TestEnough(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
	for _, c := range []struct {
		reply   reply
		enough  int64
		outcome outcome.Outcome
		body    int
	}{
		{reply{raw: head + "Content-Length: 900\r\n\r\n", hang: true}, 0, outcome.TooLong, 0},
		{reply{raw: head + "Content-Length: 900\r\n\r\npart", hang: true}, 4, outcome.TooLong, 4},
		{reply{raw: head + "\r\npart" + strings.Repeat("x", 100<<10), drip: true}, 64 << 10, outcome.TooLong, 64 << 10},
		{reply{raw: head + "Content-Length: 4\r\n\r\nwell"}, 4, outcome.Captured, 4},
		{reply{raw: head + "Content-Length: 0\r\n\r\n"}, 0, outcome.Captured, 0},
		{reply{raw: head + "Content-Length: 4\r\n\r\nwell"}, -1, outcome.TooLong, 0},
	} {
		for _, secure := range []bool{false, true} {
			s := serve(t, secure, always(c.reply))
			w := recorder(t, &Recorder{}).Worker()
			x, _ := fetch(t, w, Request{URL: s.url("/"), Enough: func(httpmsg.Head) int64 { return c.enough }})
			body := int(x.Response.Size() - x.Head.Len)
			if what := fmt.Sprintf("%s %d", x.Outcome, body); what != fmt.Sprintf("%s %d", c.outcome, c.body) {
				t.Errorf("%.60q… with %d: %s, want %s %d", c.reply.raw, c.enough, what, c.outcome, c.body)
			}
		}
	}
}

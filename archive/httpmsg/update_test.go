package httpmsg

import (
	"reflect"
	"testing"
)

func head(t *testing.T, s string) Head {
	t.Helper()
	h, err := ParseHead([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestUpdated(t *testing.T) {
	stored := head(t, "HTTP/1.1 200 Fine\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"+
		"ETag: \"1\"\r\nX-Own: stays\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\n")
	fresh := head(t, "HTTP/1.1 304 Not Modified\r\nContent-Type: text/plain\r\nContent-Encoding: br\r\ncontent-length: 0\r\n"+
		"Transfer-Encoding: identity\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nETag: \"2\"\r\nSet-Cookie: c=3\r\nX-New: yes\r\n\r\n")
	got := stored.Updated(fresh)
	want := Head{Proto: "HTTP/1.1", Status: 200, Reason: "Fine", Len: stored.Len, Fields: []Field{
		{"Content-Type", "text/html"}, {"Content-Encoding", "gzip"}, {"Transfer-Encoding", "chunked"}, {"X-Own", "stays"},
		{"ETag", `"2"`}, {"Set-Cookie", "c=3"}, {"X-New", "yes"},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("updated head\n got %+v\nwant %+v", got, want)
	}
}

func TestAppendHead(t *testing.T) {
	want := "HTTP/1.1 204 No Content\r\nA: b\r\nC: \r\n\r\n"
	h := head(t, want)
	if got := string(h.Append(nil)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzUpdated holds that what a hostile 304 makes of a head can be written and read again, and frames the body as before.
func FuzzUpdated(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n")
	f.Add("HTTP/1.0 200\nTransfer-Encoding: chunked\n\n", "HTTP/1.1 304 x\r\nConnection: transfer-encoding\r\nTransfer-Encoding: x\r\n\r\n")
	f.Fuzz(func(t *testing.T, stored, fresh string) {
		s, err := ParseHead([]byte(stored))
		n, err2 := ParseHead([]byte(fresh))
		if err != nil || err2 != nil {
			return
		}
		u := s.Updated(n)
		again, err := ParseHead(u.Append(nil))
		if err != nil {
			t.Fatalf("%q can't be read: %v", u.Append(nil), err)
		}
		if !reflect.DeepEqual(again.Fields, u.Fields) && len(u.Fields) > 0 || again.Status != s.Status {
			t.Fatalf("fields\n%+v\n%+v", again, u)
		}
		if again.Framing("GET") != s.Framing("GET") {
			t.Fatalf("framing %v, was %v", again.Framing("GET"), s.Framing("GET"))
		}
	})
}

package httpmsg

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParseHead(t *testing.T) {
	f := func(nv ...string) (fs []Field) {
		for i := 0; i < len(nv); i += 2 {
			fs = append(fs, Field{nv[i], nv[i+1]})
		}
		return fs
	}
	cases := []struct {
		name, in string
		want     Head // Len is that of in up to "~"
	}{
		{"plain", "HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n~body", Head{Proto: "HTTP/1.1", Status: 200, Reason: "OK", Fields: f("A", "b", "C", "d")}},
		{"order and casing", "HTTP/1.1 404 Not  here \r\nzeta:1\r\nSET-cookie:  a=1 \t\r\nset-Cookie: b\r\n\r\n~", Head{Proto: "HTTP/1.1", Status: 404, Reason: "Not  here", Fields: f("zeta", "1", "SET-cookie", "a=1", "set-Cookie", "b")}},
		{"bare LF", "HTTP/1.0 200 OK\nA: b\n\n~\n", Head{Proto: "HTTP/1.0", Status: 200, Reason: "OK", Fields: f("A", "b")}},
		{"mixed ends", "HTTP/1.1 200 OK\nA: b\r\nC: d\n\r\n~\r\n", Head{Proto: "HTTP/1.1", Status: 200, Reason: "OK", Fields: f("A", "b", "C", "d")}},
		{"obs-fold", "HTTP/1.1 200 OK\r\nA: b\r\n  c\r\n\td\r\nE:\r\n f\r\n\r\n~", Head{Proto: "HTTP/1.1", Status: 200, Reason: "OK", Fields: f("A", "b c d", "E", "f")}},
		{"fold of nothing", "HTTP/1.1 200 OK\r\n x\r\nA: b\r\n\r\n~", Head{Proto: "HTTP/1.1", Status: 200, Reason: "OK", Fields: f("A", "b")}},
		{"no reason", "HTTP/1.1 200\r\n\r\n~", Head{Proto: "HTTP/1.1", Status: 200}},
		{"no reason, one space", "HTTP/1.1 200 \r\n\r\n~", Head{Proto: "HTTP/1.1", Status: 200}},
		{"lower case", "http/1.1 200 ok\r\n\r\n~", Head{Proto: "http/1.1", Status: 200, Reason: "ok"}},
		{"textual HTTP/2", "HTTP/2 200\r\n\r\n~", Head{Proto: "HTTP/2", Status: 200}},
		{"two spaces", "HTTP/1.1  200 OK\r\n\r\n~", Head{Proto: "HTTP/1.1", Status: 200, Reason: "OK"}},
		{"space before colon", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n~", Head{Proto: "HTTP/1.1", Status: 200, Reason: "OK", Fields: f("A", "b")}},
		{"no colon, no name", "HTTP/1.1 200 OK\r\nHTTP/1.1 200 OK\r\n: x\r\nA: b:c\r\n\r\n~", Head{Proto: "HTTP/1.1", Status: 200, Reason: "OK", Fields: f("A", "b:c")}},
		{"bare CR", "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n~", Head{Proto: "HTTP/1.1", Status: 200, Reason: "OK", Fields: f("A", "b c")}},
		{"latin-1", "HTTP/1.1 200 OK\r\nA: \xe9\r\n\r\n~", Head{Proto: "HTTP/1.1", Status: 200, Reason: "OK", Fields: f("A", "\xe9")}},
	}
	for _, c := range cases {
		head, rest, _ := strings.Cut(c.in, "~")
		c.want.Len = int64(len(head))
		got, err := ParseHead([]byte(head + rest))
		if len(got.Fields) == 0 {
			got.Fields = nil
		}
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
}

func TestParseHeadFaults(t *testing.T) {
	for in, want := range map[string]error{
		"":                                 ErrIncomplete,
		"HT":                               ErrIncomplete,
		"HTTP/1.1 200 OK\r\n":              ErrIncomplete,
		"HTTP/1.1 200 OK\r\nA: b\r\n":      ErrIncomplete,
		"HTTP/1.1 200 OK\r\nA: b\r\n\r":    ErrIncomplete,
		"ICY":                              ErrMalformed,
		"ICY 200 OK\r\n\r\n":               ErrMalformed,
		"\r\nHTTP/1.1 200 OK\r\n\r\n":      ErrMalformed,
		"HTTP/1.1 20 OK\r\n\r\n":           ErrMalformed,
		"HTTP/1.1 2000 OK\r\n\r\n":         ErrMalformed,
		"HTTP/1.1 099 OK\r\n\r\n":          ErrMalformed,
		"HTTP/1.1 OK\r\n\r\n":              ErrMalformed,
		"HTTP/1.1\r\n\r\n":                 ErrMalformed,
		"HTTP/ 200 OK\r\n\r\n":             ErrMalformed,
		"HTTP/x 200 OK\r\n\r\n":            ErrMalformed,
		"HTTP/1.1 200 OK\r\nA: \x00":       ErrMalformed,
		"HTTP/1.1 200 OK\r\nA: \x00\r\n\n": ErrMalformed,
	} {
		if h, err := ParseHead([]byte(in)); !errors.Is(err, want) || h.Len != 0 {
			t.Errorf("%q: %+v, %v; want %v", in, h, err, want)
		}
	}
}

func TestStatusEnd(t *testing.T) {
	for in, want := range map[string]int{
		"HTTP/1.1 200 OK\r\nA: b\r\n\r\n": 12, "HTTP/1.1 200": 12, "http/2  \t204\n": 12, "HTTP/1.0 200 200 200\r\n": 12,
		"": -1, "HTTP/1.1": -1, "HTTP/1.1 20": -1, "HTTP/1.1 2000 OK": -1, "HTTP/1.1x 200 OK": -1, "HTTP/123456 200 OK": -1,
		"HTTP/1.1\r\n 200 OK": -1, "ICY 200 OK": -1,
	} {
		if got := StatusEnd([]byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

// TestHeadEnd finds the same end however the bytes are cut into pieces.
func TestHeadEnd(t *testing.T) {
	for _, in := range []string{"a\r\nb\r\n\r\nx", "a\n\nx", "a\n\r\nx", "a\r\n\n", "a\r\n\r\r\n\r\n"} {
		want := HeadEnd([]byte(in), 0)
		if want < 0 {
			t.Errorf("%q has no end", in)
		}
		looked := 0
		for n := 1; n <= len(in); n++ {
			got := HeadEnd([]byte(in[:n]), looked)
			if got >= 0 && got != want || got < 0 && n >= want {
				t.Errorf("%q, first %d bytes: %d, want %d", in, n, got, want)
			}
			if looked = n; got >= 0 {
				break
			}
		}
	}
}

func TestParseRequest(t *testing.T) {
	r, err := ParseRequest([]byte("GET /a|b?c HTTP/1.1\r\nHost: x\r\n\r\nrest"))
	if err != nil || r.Method != "GET" || r.Target != "/a|b?c" || r.Proto != "HTTP/1.1" || r.Get("host") != "x" || r.Len != 32 || r.Status != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	for in, want := range map[string]error{
		"GET / HTTP/1.1\r\nHost: x\r\n":  ErrIncomplete,
		"GET /\r\n\r\n":                  ErrMalformed,
		"GET\r\n\r\n":                    ErrMalformed,
		"G(T / HTTP/1.1\r\n\r\n":         ErrMalformed,
		"GET / FTP/1.1\r\n\r\n":          ErrMalformed,
		"GET / HTTP/1.1\r\n\x00\r\n\r\n": ErrMalformed,
	} {
		if _, err := ParseRequest([]byte(in)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", in, err, want)
		}
	}
}

func TestFields(t *testing.T) {
	h := Head{Fields: []Field{{"Vary", "a, B"}, {"X", "1"}, {"vary", ",c"}, {"x", "2"}}}
	if h.Get("x") != "1" || h.Get("none") != "" || !reflect.DeepEqual(h.Values("X"), []string{"1", "2"}) {
		t.Error("Get or Values")
	}
	if got := h.Tokens("VARY"); !reflect.DeepEqual(got, []string{"a", "b", "c"}) {
		t.Errorf("Tokens: %q", got)
	}
	for _, c := range []struct {
		in            []string
		mime, charset string
	}{
		{nil, "", ""},
		{[]string{"Text/HTML; Charset=\"UTF-8\""}, "text/html", "utf-8"},
		{[]string{"text/html;charset=a;charset=b"}, "text/html", "a"},
		{[]string{"text/plain", "text/html"}, "text/html", ""},
		{[]string{"text/html", "nonsense"}, "text/html", ""},
		{[]string{"*/*"}, "", ""},
		{[]string{"text/html ; x=y; charset = iso-8859-1 "}, "text/html", "iso-8859-1"},
	} {
		var h Head
		for _, v := range c.in {
			h.Fields = append(h.Fields, Field{"content-type", v})
		}
		if h.Mime() != c.mime || h.Charset() != c.charset {
			t.Errorf("%q: %q, %q", c.in, h.Mime(), h.Charset())
		}
	}
	for _, c := range []struct {
		proto, connection string
		want              bool
	}{
		{"HTTP/1.1", "", true}, {"HTTP/1.1", "Close", false}, {"HTTP/1.1", "x, close", false}, {"HTTP/1.0", "", false},
		{"HTTP/1.0", "Keep-Alive", true}, {"HTTP/0.9", "", false}, {"HTTP/2", "", true}, {"", "", false},
	} {
		h := Head{Proto: c.proto, Fields: []Field{{"Connection", c.connection}}}
		if h.KeepAlive() != c.want {
			t.Errorf("%+v", c)
		}
	}
}

func TestOffence(t *testing.T) {
	for head, want := range map[string]string{
		"":                                 "",
		"<html>":                           "<html>",
		"HTTP/1.1 200 OK\r\n\r\n":          "HTTP/1.1 200 OK\r\n\r\n", // nothing is wrong
		"HTTP/1.1 200 OK\r\nA: b\x00c\r\n": "\x00c\r\n",
		"HTTP/x 200 OK\r\n\r\n":            "x 200 OK\r\n\r\n",
		"HTTP/1.1 2000000000 OK\r\n\r\n":   "2000000000 OK\r\n\r\n",
		"HTTP/1.1  099 OK\r\n\r\n":         "099 OK\r\n\r\n",
		"HTTP/1.1\r\n\r\n":                 "\r\n\r\n",
		"HTTP/1.1 20\r\n\r\n":              "20\r\n\r\n",
		"HTTP/1.1 200\nContent-Length: 5\nX: y\ncontent-length: 6\n\n": "content-length: 6\n\n",
		"HTTP/1.1 200\nX: y\nContent-Length: 5, 6\n\n":                 "Content-Length: 5, 6\n\n",
		"HTTP/1.1 200\nContent-Length: 5\nContent-Length: 5\n\n":       "HTTP/1.1 200\nContent-Length: 5\nContent-Length: 5\n\n",
	} {
		if got := head[Offence([]byte(head)):]; got != want {
			t.Errorf("%q: %q, want %q", head, got, want)
		}
	}
}

// FuzzParseHead checks what every head that parses must hold.
func FuzzParseHead(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\nbody", "HTTP/1.0 404\n\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 200 OK\r\n: \r\n\r\n", "HTTP/1.1 200 OK\r\nA\x00: b",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if at := Offence(b); at < 0 || at > len(b) {
			t.Errorf("%q: offence at %d", b, at)
		}
		h, err := ParseHead(b)
		if r, reqErr := ParseRequest(b); reqErr == nil && (r.Method == "" || r.Len > int64(len(b))) {
			t.Errorf("%q: request %+v", b, r)
		}
		if err != nil {
			if h.Len != 0 || (!errors.Is(err, ErrIncomplete) && !errors.Is(err, ErrMalformed)) {
				t.Errorf("%q: %+v, %v", b, h, err)
			}
			return
		}
		if int(h.Len) != HeadEnd(b, 0) || h.Len > int64(len(b)) || h.Status < 100 || h.Status > 999 {
			t.Errorf("%q: %+v", b, h)
		}
		for _, f := range h.Fields {
			if f.Name == "" || strings.ContainsAny(f.Name+f.Value, "\r\n\x00") || strings.Trim(f.Value, " \t") != f.Value {
				t.Errorf("%q: field %q", b, f)
			}
		}
		h.Framing("GET")
		h.Mime()
		h.Charset()
		h.KeepAlive()
		if again, err := ParseHead(b[:h.Len]); err != nil || !reflect.DeepEqual(again, h) {
			t.Errorf("%q: %+v alone, %+v within", b, again, h)
		}
		if _, err := ParseHead(b[:h.Len-1]); !errors.Is(err, ErrIncomplete) {
			t.Errorf("%q: %v without its last byte", b, err)
		}
	})
}

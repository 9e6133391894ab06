package warc

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// hostile are pieces of which strings are made that try to break out of their field.
var hostile = []string{
	"", " ", "\n", "\r\n", "\r\noutcome: captured", "\t", "\\", "\\x0a", "-", ":", "a", "http://a.test/?q=1", "é", "日本",
	"\xff", "\xc3", "\xef\xbf\xbd", "\x00", "\x7f", "=?utf-8?q?=41?=", "=", "?", "\u2028", "\u00a0", "\u200b", "\U0001f600", "\ufeff", "\u202e",
}

func hostileString(r *rand.Rand) string {
	s := ""
	for range r.IntN(4) {
		s += hostile[r.IntN(len(hostile))]
	}
	return s
}

func hostileClosing(r *rand.Rand) Closing {
	str := func() string { return hostileString(r) }
	num := func() int64 { return []int64{0, 1, -1, 42, math.MaxInt64, math.MinInt64}[r.IntN(6)] }
	c := Closing{
		Meta: Meta{Run: num(), Host: str(), Task: num(), Token: num(), Kind: str(), Depth: int(num()), Via: str(), Hops: str(),
			Attempt: int(num()), Retry: num(), Redirect: str(), Mime: str()},
		URL: str(), Method: str(), OutcomeVersion: int(num()), Detail: str(), Truncated: str(), Original: str(),
		Timing: Timing{DNS: time.Duration(r.IntN(9)) * time.Microsecond, Total: time.Duration(r.IntN(1e6)) * time.Microsecond},
		Excess: num(), EvidenceSize: num(),
	}
	for range r.IntN(3) {
		c.Notes = append(c.Notes, str())
	}
	for range r.IntN(4) {
		l := Outlink{URL: str(), Hop: byte(r.Uint32()), Context: str()}
		if r.IntN(2) == 0 {
			l.Kind, l.Depth, l.Due = str(), int(num()), num()
		}
		c.Outlinks = append(c.Outlinks, l)
	}
	if r.IntN(2) == 0 {
		c.TLS = &TLS{str(), str(), str(), str()}
	}
	if s := str(); s != "" {
		c.Interim, c.Evidence = []byte(s), []byte(s+"\x00")
	}
	return c
}

func TestParseMetaRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		want := hostileClosing(r)
		block := appendClosing(nil, &want)
		got, err := ParseMeta(block)
		if err != nil {
			t.Fatalf("%v in\n%s", err, block)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v\nfrom\n%s", got, want, block)
		}
		for _, line := range bytes.Split(bytes.TrimSuffix(block, []byte("\r\n")), []byte("\r\n")) {
			if bytes.ContainsAny(line, "\r\n\x00\t") || line[0] == ' ' || bytes.Contains(line, []byte("=?")) {
				t.Fatalf("line %q", line)
			}
		}
	}
}

func TestParseMetaGolden(t *testing.T) {
	c := Closing{
		Meta: *testMeta(3), Method: "GET", Outcome: "captured", OutcomeVersion: 1,
		Timing: Timing{FirstByte: 3 * time.Millisecond, Total: 5 * time.Millisecond},
		TLS:    &TLS{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256", Fingerprint: "ab12"}, Interim: []byte("HTTP/1.1 103 E\r\n\r\n"),
	}
	want := "format: linkstead-exchange/1\r\nmethod: GET\r\nrun: 7\r\ntask-host: a.test\r\ntask-id: 3\r\ntoken: 99\r\n" +
		"kind: page\r\nattempt: 1\r\nfetchTimeMs: 5\r\noutcome: captured\r\noutcome-version: 1\r\nmime: text/html\r\n" +
		"time-first-byte-us: 3000\r\ntime-total-us: 5000\r\ntls-version: TLS 1.3\r\ntls-cipher: TLS_AES_128_GCM_SHA256\r\n" +
		"tls-fingerprint: ab12\r\ninterim: HTTP/1.1 103 E\\x0d\\x0a\\x0d\\x0a\r\nnote: left out: share button\r\n" +
		"outlink: http://b.test/ L a/@href page 1 100\r\noutlink: http://c.test/x.png E img/@src\r\n"
	if got := string(appendClosing(nil, &c)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestParseMetaRefuses(t *testing.T) {
	for block, want := range map[string]error{
		"":                                  ErrNotClosing,
		"via: http://a.test/\r\n":           ErrNotClosing,
		"format: linkstead-void/1\r\n":      ErrNotClosing,
		"format: linkstead-exchange/1\r\nx": ErrMeta,
		"format: linkstead-exchange/1\r\nrun: x\r\n":                     ErrMeta,
		"format: linkstead-exchange/1\r\nvia: \\q\r\n":                   ErrMeta,
		"format: linkstead-exchange/1\r\nvia: \\x4\r\n":                  ErrMeta,
		"format: linkstead-exchange/1\r\nvia: \\xZZ\r\n":                 ErrMeta,
		"format: linkstead-exchange/1\r\noutlink: a L\r\n":               ErrMeta,
		"format: linkstead-exchange/1\r\noutlink: a LL b\r\n":            ErrMeta,
		"format: linkstead-exchange/1\r\noutlink: a L b page x 1\r\n":    ErrMeta,
		"format: linkstead-exchange/1\r\noutlink: a L b page 1 1 1\r\n":  ErrMeta,
		"format: linkstead-exchange/1\r\nlater: whatever\\q it says\r\n": nil,
	} {
		if _, err := ParseMeta([]byte(block)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", block, err, want)
		}
	}
}

// What can be parsed at all is written and parsed again to the same end.
func FuzzParseMeta(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		c := hostileClosing(r)
		f.Add(appendClosing(nil, &c))
	}
	f.Fuzz(func(t *testing.T, block []byte) {
		first, err := ParseMeta(block)
		if err != nil {
			return
		}
		written := appendClosing(nil, &first)
		second, err := ParseMeta(written)
		if err != nil {
			t.Fatalf("%v in\n%q", err, written)
		}
		if again := appendClosing(nil, &second); !bytes.Equal(again, written) {
			t.Fatalf("%q becomes %q", written, again)
		}
	})
}

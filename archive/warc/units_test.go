package warc

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"linkstead/archive/outcome"
)

// sample is a small segment with one unit of every kind.
func sample(t testing.TB) *testSegment {
	s := newTestSegment(t)
	first := s.exchange("http://a.test/1", okResponse("same"))
	opts := s.opts()
	opts.Original = &Original{RecordID: first.members[1].RecordID, URL: "http://a.test/1", At: testTime, Location: "s/1"}
	s.add(s.c.Compose(exchangeOf(t, "http://a.test/2", okResponse("same")), testMeta(2), opts))
	s.exchange("http://a.test/3", chunkedResponse)
	ex := exchangeOf(t, "http://a.test/4", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
	ex.Outcome, ex.Truncated = outcome.CutShort, "disconnect"
	s.add(s.c.Compose(ex, testMeta(4), s.opts()))
	ex = &Exchange{URL: "http://gone.test/", At: testTime, Outcome: outcome.DNS, Detail: "no such host"}
	s.add(s.c.Compose(ex, testMeta(5), s.opts()))
	opts = s.opts()
	opts.Extras = []Extra{{ContentType: "application/vnd.linkstead.post+json", Body: []byte(`{}`)}}
	res := s.add(s.c.Resource(&Resource{URL: "file:///p.md", Mime: "Text/Markdown; charset=utf-8", At: testTime, Body: []byte("# hi")}, testMeta(6), opts))
	s.add(s.c.Document(Document{URL: "urn:linkstead:run:7", ContentType: "application/json", At: testTime, Body: []byte("{}")}, s.opts()))
	s.add(s.c.Void(res.members[2].RecordID, testTime, "fenced", s.opts()))
	return s
}

func units(t testing.TB, data []byte, from int64) ([]*Unit, *TornError) {
	t.Helper()
	var all []*Unit
	for u, err := range Exchanges(bytes.NewReader(data), from, int64(len(data))) {
		var torn *TornError
		if errors.As(err, &torn) {
			return all, torn
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, u)
	}
	return all, nil
}

func TestExchanges(t *testing.T) {
	s := sample(t)
	all, torn := units(t, s.Bytes(), 0)
	if torn != nil || len(all) != len(s.groups) {
		t.Fatalf("%d units of %d: %v", len(all), len(s.groups), torn)
	}
	for i, u := range all {
		g := s.groups[i]
		if u.Offset != g.offset || u.End != g.end || len(u.Records) != len(g.members) {
			t.Errorf("unit %d is %d–%d with %d records, want %+v", i, u.Offset, u.End, len(u.Records), g)
		}
		for k, f := range u.Records {
			m := g.members[k]
			if f.Offset != g.offset+m.Offset || f.Length != m.Length || f.Header.ID() != m.RecordID {
				t.Errorf("unit %d, record %d is %+v, want %+v", i, k, f, m)
			}
		}
		if u.Voided != (i == 6) {
			t.Errorf("unit %d voided: %v", i, u.Voided)
		}
	}
	checkUnits(t, s, all)
	rest, torn := units(t, s.Bytes(), all[3].Offset)
	if torn != nil || len(rest) != len(all)-3 || rest[0].Offset != all[3].Offset {
		t.Errorf("from %d: %d units, %v", all[3].Offset, len(rest), torn)
	}
}

func checkUnits(t *testing.T, s *testSegment, all []*Unit) {
	t.Helper()
	var kinds []string
	for _, u := range all {
		kind := "-"
		if m := u.Main(); m != nil {
			kind = m.Kind()
		}
		kinds = append(kinds, kind)
	}
	if got := strings.Join(kinds, " "); got != "- response revisit response truncated - resource - -" {
		t.Errorf("kinds %s", got)
	}
	m := all[1].Main()
	if m.Head.Status != 200 || m.Mime() != "text/html" || m.Digest() == "" || m.Header.URL() != "http://a.test/1" ||
		!m.Header.Date().Equal(testTime) {
		t.Errorf("response %+v", m)
	}
	o := all[2].Main().Original()
	if o.RecordID != m.Header.ID() || o.URL != "http://a.test/1" || !o.At.Equal(testTime) || all[2].Closing.Original != "s/1" {
		t.Errorf("original %+v", o)
	}
	if u := all[5]; u.Closing.Outcome != outcome.DNS || u.Closing.Task != 5 || u.URL() != "http://gone.test/" {
		t.Errorf("failure %+v", u)
	}
	if m = all[6].Main(); m.Mime() != "text/markdown" || len(all[6].Extras()) != 1 {
		t.Errorf("resource %+v, extras %v", m, all[6].Extras())
	}
	if all[8].Voids != all[6].Last().Header.ID() {
		t.Errorf("voids %s", all[8].Voids)
	}
	rec, err := all[7].Last().Open(bytes.NewReader(s.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rec.Close() }()
	if block, err := io.ReadAll(rec.Block); err != nil || string(block) != "{}" {
		t.Errorf("document %q: %v", block, err)
	}
}

// Cut anywhere, a segment yields its whole units and the place to cut at; never more, and it never hangs.
func TestExchangesOfCutSegment(t *testing.T) {
	s := newTestSegment(t)
	first := s.exchange("http://a.test/1", okResponse("x"))
	s.add(s.c.Compose(&Exchange{URL: "http://b.test/", At: testTime, Outcome: outcome.DNS}, &Meta{}, s.opts()))
	s.add(s.c.Void(first.members[2].RecordID, testTime, "fenced", s.opts()))
	for n := range s.Len() {
		all, torn := units(t, s.Bytes()[:n], 0)
		want, cut := 0, int64(0)
		for want < len(s.groups) && s.groups[want].end <= int64(n) {
			cut = s.groups[want].end
			want++
		}
		if len(all) != want {
			t.Fatalf("cut to %d bytes: %d units, want %d", n, len(all), want)
		}
		if whole := cut == int64(n); whole != (torn == nil) {
			t.Fatalf("cut to %d bytes: %v", n, torn)
		} else if torn != nil && torn.Cut != cut {
			t.Fatalf("cut to %d bytes: cut at %d, want %d: %v", n, torn.Cut, cut, torn)
		}
	}
}

func TestExchangesOfGarbage(t *testing.T) {
	s := sample(t)
	whole, size := s.Bytes(), int64(s.Len())
	for name, tail := range map[string]string{
		"zeros": strings.Repeat("\x00", 4096), "text": "WARC/1.1\r\n\r\n", "noise": noise(4096), "gzip sign": "\x1f\x8b",
	} {
		all, torn := units(t, append(bytes.Clone(whole), tail...), 0)
		if len(all) != len(s.groups) || torn == nil || torn.Cut != size || torn.Offset != size {
			t.Errorf("%s: %d units, %+v", name, len(all), torn)
		}
	}
	// An exchange within another's records.
	a, b := s.groups[1], s.groups[3]
	mixed := append(bytes.Clone(whole[a.offset:a.offset+a.members[2].Offset]), whole[b.offset:b.end]...)
	if all, torn := units(t, mixed, 0); len(all) != 0 || torn == nil || torn.Cut != 0 || !errors.Is(torn, ErrUnclosed) {
		t.Errorf("mixed: %d units, %v", len(all), torn)
	}
}

// A failing disk is not a torn segment.
func TestExchangesOnFailingReader(t *testing.T) {
	s := sample(t)
	broken := errors.New("input/output error")
	for at := int64(0); at < int64(s.Len()); at += 997 {
		r := &failingReader{r: bytes.NewReader(s.Bytes()), at: at, err: broken}
		var last error
		for _, err := range Exchanges(r, 0, int64(s.Len())) {
			last = err
		}
		var torn *TornError
		if !errors.Is(last, broken) || errors.As(last, &torn) {
			t.Fatalf("failing at %d: %v", at, last)
		}
	}
}

// failingReader fails to read the byte at.
type failingReader struct {
	r   io.ReaderAt
	at  int64
	err error
}

func (f *failingReader) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) <= f.at {
		return f.r.ReadAt(p, off)
	}
	if off > f.at {
		return 0, f.err
	}
	n, _ := f.r.ReadAt(p[:f.at-off], off)
	return n, f.err
}

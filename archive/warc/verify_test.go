package warc

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

func verify(t testing.TB, data []byte) []Fault {
	t.Helper()
	faults, err := Verify(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return faults
}

func TestVerifySample(t *testing.T) {
	if faults := verify(t, sample(t).Bytes()); len(faults) > 0 {
		t.Errorf("%v", faults)
	}
}

// plain is a segment as text, one record a string.
func plain(t testing.TB, s *testSegment) []string {
	t.Helper()
	var all []string
	for _, g := range s.groups {
		for _, m := range g.members {
			z, err := gzip.NewReader(bytes.NewReader(s.Bytes()[g.offset+m.Offset : g.offset+m.Offset+m.Length]))
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(b))
		}
	}
	return all
}

// packed compresses records into a segment.
func packed(t testing.TB, records []string) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, r := range records {
		z := gzip.NewWriter(&b)
		if _, err := io.WriteString(z, r); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// The records of the sample by number.
const (
	theInfo     = 0
	theRequest  = 1
	theResponse = 2
	theClosing  = 3
	theRevisit  = 5
	theChunked  = 8
	theCut      = 11
)

func TestVerifyFinds(t *testing.T) {
	s := sample(t)
	for name, tc := range map[string]struct {
		record        int
		old, new      string
		clause, words string
	}{
		"version":             {theResponse, "WARC/1.1", "WARC/1.0", "§4", "version"},
		"no id":               {theClosing, "WARC-Record-ID: <", "X-Was: <", "§5.2", "no URI"},
		"no date":             {theRequest, "WARC-Date:", "X-Date:", "§5.4", "UTC"},
		"other date":          {theRequest, "WARC-Date: 2026", "WARC-Date: 2025", "§5.4", "different dates"},
		"unknown type":        {theRequest, "WARC-Type: request", "WARC-Type: demand", "§5.5", "demand"},
		"no content type":     {theResponse, "\r\nContent-Type: application/http", "\r\nX-Type: application/http", "§5.6", "Content-Type"},
		"concurrent to none":  {theRequest, "WARC-Concurrent-To: <urn:uuid:", "WARC-Concurrent-To: <urn:uuid:0", "§5.7", "nowhere"},
		"changed block":       {theClosing, "run: 7", "run: 8", "§5.8", "block"},
		"changed payload":     {theResponse, "\r\n\r\nsame", "\r\n\r\nSame", "§5.9", "payload"},
		"unknown digest":      {theResponse, "WARC-Payload-Digest: sha256:", "WARC-Payload-Digest: crc32:", "§5.9", "algorithm"},
		"short digest":        {theResponse, "WARC-Block-Digest: sha256:", "WARC-Block-Digest: sha256:A", "§5.8", "base32"},
		"address":             {theResponse, "127.0.7.1", "127.0.7.x", "§5.10", "127.0.7.x"},
		"revisit of none":     {theRevisit, "WARC-Refers-To-Date:", "X-Date:", "§6.7.2", "without"},
		"revisit of another":  {theRevisit, "WARC-Refers-To-Target-URI: http://a.test/1", "WARC-Refers-To-Target-URI: http://a.test/9", "§5.12", "not the URI"},
		"revisit's date":      {theRevisit, "WARC-Refers-To-Date: 2026", "WARC-Refers-To-Date: 2025", "§5.13", "not the date"},
		"revisit's digest":    {theRevisit, "WARC-Payload-Digest: sha256:", "WARC-Payload-Digest: sha256:A", "§5.9", "base32"},
		"no target":           {theResponse, "WARC-Target-URI:", "X-URI:", "§5.14", "WARC-Target-URI"},
		"unmarked truncation": {theCut, "WARC-Truncated: disconnect\r\n", "", "§6.3.2", "lacks its end"},
		"truncation reason":   {theCut, "WARC-Truncated: disconnect", "WARC-Truncated: whim", "§5.15", "whim"},
		"other warcinfo":      {theResponse, "WARC-Warcinfo-ID: <urn:uuid:", "WARC-Warcinfo-ID: <urn:uuid:0", "§5.16", "warcinfo"},
		"filename":            {theRequest, "WARC-IP-Address: 127.0.7.1", "WARC-Filename: x", "§5.17", "WARC-Filename"},
		"profile":             {theRevisit, "identical-payload-digest", "something-else", "§5.18", "WARC-Profile"},
		"repeated field":      {theResponse, "WARC-IP-Address:", "WARC-Date: 2026-03-01T12:30:45Z\r\nWARC-IP-Address:", "§5.1", "repeated"},
		"field name":          {theResponse, "WARC-IP-Address:", "WARC IP:", "§4", "field name"},
		"broken chunk":        {theChunked, "5;x=1", "z;x=1", "§6.3.2", "no HTTP body"},
		"bytes after the end": {theChunked, "0\r\nX-T: 1", "0\r\n\r\n:: 1", "§6.3.2", "after the end"},
		"no head":             {theResponse, "HTTP/1.1 200 OK", "HTTPS1.1 200 OK", "§6.3.2", "head"},
		"length":              {theResponse, "Content-Length: 4\r\n\r\nsame", "Content-Length: 3\r\n\r\nsame", "§6.3.2", "after the end"},
		"block length":        {theClosing, "\r\n\r\nformat", "\r\n\r\n format", "RFC 1952; §4", "line ends"},
		"no warcinfo":         {theInfo, "WARC-Type: warcinfo", "WARC-Type: metadata", "§6.2", "begin"},
	} {
		t.Run(name, func(t *testing.T) {
			records := plain(t, s)
			edited := strings.Replace(records[tc.record], tc.old, tc.new, 1)
			if edited == records[tc.record] {
				t.Fatalf("%q is not in\n%s", tc.old, edited)
			}
			records[tc.record] = edited
			faults := verify(t, packed(t, records))
			for _, f := range faults {
				if f.Clause == tc.clause && strings.Contains(f.Detail, tc.words) {
					return
				}
			}
			t.Errorf("not found among %v", faults)
		})
	}
}

func TestVerifyFindsMissingAndDoubledRecords(t *testing.T) {
	s := sample(t)
	records := plain(t, s)
	without := append(append([]string{}, records[:theClosing]...), records[theClosing+1:]...)
	if faults := verify(t, packed(t, without)); len(faults) == 0 {
		t.Error("a missing closing record is not found")
	}
	doubled := append(append([]string{}, records...), records[theInfo])
	if faults := verify(t, packed(t, doubled)); len(faults) != 1 || faults[0].Clause != "§5.2" {
		t.Errorf("a doubled record: %v", faults)
	}
	two := append([]string{records[theInfo], records[theRequest] + records[theResponse]}, records[theClosing:]...)
	if faults := verify(t, packed(t, two)); len(faults) != 1 || !strings.Contains(faults[0].Detail, "bytes after the record") {
		t.Errorf("two records in a member: %v", faults)
	}
	if faults := verify(t, nil); len(faults) != 1 {
		t.Errorf("an empty segment: %v", faults)
	}
}

// Whatever bit flips, it is found, or it is in one of the few bits of gzip that carry nothing: what is read stays the
// same then.
func TestVerifyFindsFlippedBits(t *testing.T) {
	s := newTestSegment(t)
	s.exchange("http://a.test/1", okResponse("<p>a page"))
	want := strings.Join(plain(t, s), "")
	data := bytes.Clone(s.Bytes())
	silent := 0
	for bit := 0; bit < len(data)*8; bit += 11 {
		data[bit/8] ^= 1 << (bit % 8)
		if len(verify(t, data)) == 0 {
			silent++
			z, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(z); err != nil || string(got) != want {
				t.Fatalf("bit %d: not found, and what is read differs: %v", bit, err)
			}
		}
		data[bit/8] ^= 1 << (bit % 8)
	}
	// Four members, each with a modification time, a system and extra flags (48 bits), padding, codes that are not used.
	if limit := 4 * (48 + 32) / 11; silent > limit {
		t.Errorf("%d flips were not found, more than %d", silent, limit)
	}
}

func TestVerifyCutSegment(t *testing.T) {
	s := sample(t)
	ends := map[int]bool{}
	for _, g := range s.groups {
		ends[int(g.end)] = true
	}
	for n := 0; n < s.Len(); n += 61 {
		if faults := verify(t, s.Bytes()[:n]); len(faults) == 0 && !ends[n] {
			t.Fatalf("cut to %d bytes: no fault", n)
		}
	}
}

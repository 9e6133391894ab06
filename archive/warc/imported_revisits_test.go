package warc

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// foreignRecord is a record as another program writes it; extra are fields, a line each.
func foreignRecord(kind, url, date, extra, block string) string {
	return fmt.Sprintf("WARC/1.0\r\nWARC-Type: %s\r\nWARC-Target-URI: %s\r\nWARC-Date: %s\r\n%sContent-Type: application/http; msgtype=%s\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n",
		kind, url, date, extra, kind, len(block), block)
}

const (
	foreignHead = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
	foreign304  = "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"
	identical   = "WARC-Profile: http://netpreserve.org/warc/1.0/revisit/identical-payload-digest\r\n"
	unmodified  = "WARC-Profile: http://netpreserve.org/warc/1.0/revisit/server-not-modified\r\n"
	otherSum    = "WARC-Payload-Digest: sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ\r\n" // of another algorithm than the originals have
)

func foreignID(id string) string { return "WARC-Record-ID: <urn:x:" + id + ">\r\n" }
func refersID(id string) string  { return "WARC-Refers-To: <urn:x:" + id + ">\r\n" }
func refersURI(url, date string) string {
	return "WARC-Refers-To-Target-URI: " + url + "\r\nWARC-Refers-To-Date: " + date + "\r\n"
}

// TestImportedRevisits: a revisit of another program is led to what it names by record id, or by address and date, whatever the
// digests, across files in any order; a 304 that names nothing to the capture before it. Never into another collection, and what leads
// nowhere or round in circles is told of.
func TestImportedRevisits(t *testing.T) {
	const first, second, third = "2016-01-01T00:00:00Z", "2016-02-01T00:00:00Z", "2016-03-01T00:00:00Z"
	originals := foreignRecord("response", "http://a.test/", first, foreignID("a"), foreignHead+"page a") +
		foreignRecord("response", "http://b.test/", first, foreignID("b"), foreignHead+"page b")
	revisits := map[string]string{ // by what they read
		foreignRecord("revisit", "http://by.test/id", second, foreignID("r1")+identical+refersID("a"), foreignHead):                                                     "page a",
		foreignRecord("revisit", "http://by.test/id-sum", second, foreignID("r2")+identical+otherSum+refersID("b"), foreignHead):                                        "page b",
		foreignRecord("revisit", "http://by.test/date", second, foreignID("r3")+identical+otherSum+refersURI("<http://b.test/>", first), foreignHead):                   "page b",
		foreignRecord("revisit", "http://by.test/both", second, foreignID("r4")+identical+otherSum+refersID("nowhere")+refersURI("http://a.test/", first), foreignHead): "page a",
		foreignRecord("revisit", "http://a.test/", third, foreignID("r5")+unmodified, foreign304):                                                                       "page a",
		foreignRecord("revisit", "http://by.test/chain", third, foreignID("r6")+identical+refersID("r1"), foreignHead):                                                  "page a",
		foreignRecord("revisit", "http://by.test/longer", third, foreignID("r7")+identical+refersID("r6"), foreignHead):                                                 "page a",
	}
	nowhere := []string{
		foreignRecord("revisit", "http://no.test/self", second, foreignID("n1")+identical+refersID("n1"), foreignHead),
		foreignRecord("revisit", "http://no.test/round", second, foreignID("n2")+identical+refersID("n3"), foreignHead),
		foreignRecord("revisit", "http://no.test/and-round", second, foreignID("n3")+identical+refersID("n2"), foreignHead),
		foreignRecord("revisit", "http://no.test/elsewhere", second, foreignID("n4")+identical+refersID("s"), foreignHead),
		foreignRecord("revisit", "http://no.test/", second, foreignID("n5")+identical, foreignHead),
		foreignRecord("revisit", "http://no.test/number", second, foreignID("n7")+identical+refersURI("http://d.test/page/2016", first), foreignHead),
		foreignRecord("revisit", "http://a.test/", "2015-01-01T00:00:00Z", foreignID("n6")+unmodified, foreign304), // nothing was before it
	}
	var file strings.Builder
	for r := range revisits {
		file.WriteString(r)
	}
	w := newWorld(t, nil, nil)
	w.takeIn("secret", foreignRecord("response", "http://secret.test/", first, foreignID("s"), foreignHead+"nobody's business"))
	w.takeIn("main", file.String())
	if n := dangling(w); n != len(revisits) {
		t.Errorf("without their originals, %d of %d revisits dangle", n, len(revisits))
	}
	w.takeIn("main", originals)
	w.takeIn("main", strings.Join(nowhere, ""))
	check := func() {
		t.Helper()
		for r, body := range revisits {
			url, date := fieldIn(r, fieldURI), fieldIn(r, fieldDate)
			for _, c := range w.captures("main", url) {
				if c.At.Format("2006-01-02T15:04:05Z") == date {
					w.reads(c, body)
				}
			}
		}
		for _, r := range nowhere {
			for _, c := range w.captures("main", fieldIn(r, fieldURI)) {
				if c.RecordID == fieldIn(r, fieldID) {
					if _, err := w.lib.Open(t.Context(), c); !errors.Is(err, ErrNoOriginal) {
						t.Errorf("%s: %v", c.URL, err)
					}
				}
			}
		}
		if n := dangling(w); n != len(nowhere) {
			t.Errorf("%d of %d revisits dangle", n, len(nowhere))
		}
	}
	check()
	before := w.dump()
	w.rebuild()
	for table, rows := range w.dump() {
		if !slices.Equal(rows, before[table]) {
			t.Errorf("after a rebuild, %s:\n%s\nwant\n%s", table, strings.Join(rows, "\n"), strings.Join(before[table], "\n"))
		}
	}
	check()
}

// TestImportedRevisitsOfExactly: what a revisit names by address and date is of exactly that address, though the keys of others are equal
// and they were captured in the same second; where nothing tells which of them is meant, none is shown.
func TestImportedRevisitsOfExactly(t *testing.T) {
	const first, second = "2016-01-01T00:00:00Z", "2016-02-01T00:00:00Z"
	page := func(url, body string) string {
		return foreignRecord("response", url, first, foreignID(body), foreignHead+body)
	}
	revisit := func(url, extra string) string {
		return foreignRecord("revisit", url, second, foreignID("r"+url)+extra, foreignHead)
	}
	w := newWorld(t, nil, nil)
	w.takeIn("main", page("http://t.test/Case", "upper")+page("http://t.test/case", "lower")+page("http://t.test/2", "one")+page("http://t.test/2", "two")+
		page("https://t.test/s", "by https")+
		revisit("http://by.test/upper", identical+refersURI("http://t.test/Case", first))+
		revisit("http://by.test/lower", identical+refersURI("http://t.test/case", first))+
		revisit("http://by.test/sum", identical+otherSum+refersURI("http://t.test/case", first))+
		revisit("http://by.test/s", identical+refersURI("http://t.test/s", first))+
		revisit("http://by.test/neither", identical+refersURI("http://t.test/CASE", first))+
		revisit("http://by.test/2", identical+refersURI("http://t.test/2", first))+
		foreignRecord("revisit", "http://t.test/case", second, foreignID("u")+unmodified, foreign304)+
		foreignRecord("revisit", "http://t.test/Case", second, foreignID("v")+unmodified, foreign304))
	check := func() {
		t.Helper()
		for url, body := range map[string]string{"upper": "upper", "lower": "lower", "sum": "lower", "s": "by https"} {
			w.reads(w.capture("main", "http://by.test/"+url), body)
		}
		for url, body := range map[string]string{"http://t.test/case": "lower", "http://t.test/Case": "upper"} {
			for _, c := range w.captures("main", url) {
				if c.URL == url && c.Kind == KindRevisit {
					w.reads(c, body)
				}
			}
		}
		for _, url := range []string{"http://by.test/neither", "http://by.test/2"} {
			if _, err := w.lib.Open(t.Context(), w.capture("main", url)); !errors.Is(err, ErrNoOriginal) {
				t.Errorf("%s: %v", url, err)
			}
		}
	}
	check()
	w.rebuild()
	check()
}

func fieldIn(record, name string) string {
	_, rest, _ := strings.Cut(record, name+": ")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// dangling counts the revisits that an inspection tells of.
func dangling(w *world) (n int) {
	w.t.Helper()
	for _, f := range w.inspected(false, false).Flaws {
		if f.Word == WordDangling && f.Try == tryImport {
			n++
		} else {
			w.t.Errorf("%+v", f)
		}
	}
	return n
}

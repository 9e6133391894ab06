package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// end adds an exchange with all that the ledger is made from.
func (a *archive) end(url string, e storage.End) {
	a.t.Helper()
	a.n++
	e.Task = storage.Task{Host: urlkey.Host(url), Run: a.run.ID, ID: urlkey.ID(url), URL: url, Kind: "page", Depth: 1, Via: "http://blog/p",
		Due: storage.Never, Attempts: 1, Outcome: e.Task.Outcome}
	when := at.Add(time.Duration(a.n) * time.Second)
	if o := e.Task.Outcome; o != "captured" {
		e.Attempts = []storage.Attempt{{Collection: a.run.Collection, URL: url, URLKey: urlkey.Key(url), At: when, Segment: "s", Offset: a.n,
			Run: a.run.ID, Outcome: o, Detail: "=HYPERLINK(\"http://evil/\")\nline", MS: e.Took.Milliseconds()}}
	} else {
		kind := "response"
		if e.Post != nil { // stands for a revisit here
			kind, e.Post = "revisit", nil
		}
		e.Captures = []storage.Capture{{Collection: a.run.Collection, URL: url, URLKey: urlkey.Key(url), At: when, Segment: "s", Offset: a.n, Length: 1,
			Status: 200, Mime: "text/html", Kind: kind, RecordID: "<urn:x>", Run: a.run.ID, Outcome: o, Digest: "sha256:D", Size: e.Bytes, MS: e.Took.Milliseconds()}}
	}
	a.adopt(e)
}

func ended(outcome string) storage.Task { return storage.Task{Outcome: outcome} }

func TestRunReport(t *testing.T) {
	a := newArchive(t, "c")
	a.end("http://a.test/1", storage.End{Task: ended("captured"), Bytes: 100, Took: 20 * time.Millisecond,
		LeftOut: []storage.LeftOut{{Reason: "depth", N: 7, Example: "http://a.test/deep"}}})
	a.end("http://a.test/2", storage.End{Task: ended("captured"), Bytes: 100, Took: 40 * time.Millisecond, Post: &storage.Post{}})
	a.end("http://b.test/", storage.End{Task: ended("timeout"), Took: 30 * time.Second})
	a.end("http://c.test/", storage.End{Task: ended("robots")})
	a.adopt(storage.End{New: []storage.Task{{Host: "d.test", Run: a.run.ID, ID: 7, URL: "http://d.test/", Kind: "page", Due: 5}}})
	a.post("http://a.test/1", "!http://share/")
	r, err := BuildRun(t.Context(), a.db, a.run)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Sums{N: 4, Revisits: 1, Bytes: 200, New: 100, MS: 30_060, LongestMS: 30_000}); r.Exchanges != want {
		t.Errorf("exchanges %+v, want %+v", r.Exchanges, want)
	}
	if got := fmt.Sprint(r.Tasks); got != "map[captured:2 pending:1 robots:1 timeout:1]" {
		t.Errorf("tasks %s", got)
	}
	if h := r.Hosts[0]; h.Host != "a.test" || h.N != 2 || h.AverageMS() != 30 || h.LongestMS != 40 || h.New != 100 || h.Failed() != 0 {
		t.Errorf("most exchanges: %+v", h)
	}
	if s := r.Slowest; len(s) != 2 || s[0].Host != "b.test" || s[0].Failed() != 1 {
		t.Errorf("slowest: %+v", s)
	}
	if n := r.NotAsked; len(n) != 1 || n[0].Outcome != "robots" || n[0].N != 1 || !slices.Equal(n[0].Examples, []string{"http://c.test/"}) {
		t.Errorf("not asked for: %+v", n)
	}
	if l := r.LeftOut; len(l) != 2 || l[0].By != "post" || l[0].Reason != "share" || l[1].By != "scope" || l[1].N != 7 || l[1].On[0] != (HostLeft{"a.test", 7}) ||
		!strings.Contains(l[1].Why(), "more link hops") {
		t.Errorf("left out: %+v", l)
	}
	if r.Partial {
		t.Error("nothing of it is of an older version")
	}
}

// TestPartial: what an older version captured is not in the ledger, and the report says so.
func TestPartial(t *testing.T) {
	a := newArchive(t, "c")
	a.adopt(storage.End{New: []storage.Task{{Host: "d.test", Run: a.run.ID, ID: 7, URL: "http://d.test/", Kind: "page", Due: storage.Never, Outcome: "captured"}}})
	if r, err := BuildRun(t.Context(), a.db, a.run); err != nil || !r.Partial {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestCSV(t *testing.T) {
	a := newArchive(t, "c")
	a.end("http://a.test/1", storage.End{Task: ended("captured"), Bytes: 100, Took: 20 * time.Millisecond})
	a.end("http://a.test/2", storage.End{Task: ended("captured"), Bytes: 100, Post: &storage.Post{}})
	a.end("http://b.test/", storage.End{Task: ended("timeout"), Took: 30 * time.Second})
	a.adopt(storage.End{New: []storage.Task{{Host: "d.test", Run: a.run.ID, ID: 7, URL: "http://d.test/", Kind: "page", Due: 5, Via: "@via"}}})
	var many []storage.Task // more than a page of them
	for i := range pageTasks + 3 {
		url := fmt.Sprintf("http://many.test/%d", i)
		many = append(many, storage.Task{Host: "many.test", Run: a.run.ID, ID: urlkey.ID(url), URL: url, Kind: "page", Due: 5})
	}
	a.adopt(storage.End{New: many})
	var b bytes.Buffer
	if err := (&Builder{Replay: "http://r", Collection: "c"}).WriteCSV(t.Context(), a.db, a.run, &b); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.String(), "url,host,kind,") || !strings.Contains(b.String(), "replay\r\n") {
		t.Errorf("it begins %.200q", b.String())
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 1+4+pageTasks+3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	of := map[string]map[string]string{}
	for _, row := range rows[1:] {
		cells := map[string]string{}
		for i, name := range rows[0] {
			cells[name] = row[i]
			if row[i] != "" && strings.ContainsAny(row[i][:1], "=+-@\t\r") {
				t.Errorf("a spreadsheet would take %q for a formula", row[i])
			}
		}
		of[cells["url"]] = cells
	}
	if len(of) != len(rows)-1 {
		t.Errorf("%d addresses in %d lines", len(of), len(rows)-1)
	}
	for _, tc := range []struct{ url, column, want string }{
		{"http://a.test/1", "bytes", "100"}, {"http://a.test/1", "new_bytes", "100"}, {"http://a.test/1", "ms", "20"}, {"http://a.test/1", "status", "200"},
		{"http://a.test/1", "at", "2016-02-21T10:00:01.000Z"}, {"http://a.test/1", "replay", "http://r/web/20160221100001/http://a.test/1"},
		{"http://a.test/2", "new_bytes", "0"}, {"http://b.test/", "outcome", "timeout"}, {"http://b.test/", "ms", "30000"},
		{"http://b.test/", "detail", `'=HYPERLINK("http://evil/") line`}, {"http://d.test/", "outcome", "pending"}, {"http://d.test/", "via", "'@via"},
	} {
		if got := of[tc.url][tc.column]; got != tc.want {
			t.Errorf("%s of %s is %q, want %q", tc.column, tc.url, got, tc.want)
		}
	}
}

func TestInert(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a": "a", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\t=1": "' =1", "\r=1": "' =1", "＝1": "'＝1", "a=1": "a=1", "a\nb": "a b",
	} {
		if got := inert(in); got != want {
			t.Errorf("inert(%q) = %q, want %q", in, got, want)
		}
	}
}

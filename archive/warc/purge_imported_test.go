package warc

import (
	"crypto/sha256"
	"strings"
	"testing"
)

// TestPurgeImported: a purge takes out what was imported, and what this archive has captured whatever imports say of it. A copy is written
// anew without the capture and the records about it. What stays reads as before, and a rebuild makes the same rows. Files that were imported
// in place are the story import_kept's.
func TestPurgeImported(t *testing.T) {
	const first, second = "2016-01-01T00:00:00Z", "2016-02-01T00:00:00Z"
	const body = "a page that must go"
	sum := "WARC-Payload-Digest: " + Digest(sha256.Sum256([]byte(body))) + "\r\n"
	file := func(host string) string {
		return foreignRecord("request", "http://"+host+"/gone", first, foreignID(host+"q")+"WARC-Concurrent-To: <urn:x:"+host+"g>\r\n", "GET /gone?secret HTTP/1.1\r\nHost: x\r\n\r\n") +
			foreignRecord("response", "http://"+host+"/gone", first, foreignID(host+"g")+sum, foreignHead+body) +
			foreignRecord("metadata", "http://"+host+"/gone", first, foreignID(host+"m"), "outlink: secret") +
			foreignRecord("resource", "urn:text:http://"+host+"/gone", first, foreignID(host+"t"), "text of a page that must go") +
			foreignRecord("response", "http://"+host+"/stays", first, foreignID(host+"s"), foreignHead+"a page that stays") +
			foreignRecord("revisit", "http://"+host+"/same", second, foreignID(host+"r")+identical+sum+refersID(host+"g"), foreignHead) +
			foreignRecord("revisit", "http://"+host+"/chain", second, foreignID(host+"c")+identical+refersID(host+"r"), foreignHead)
	}
	w := newWorld(t, nil, nil)
	w.takeIn("main", file("copy.test"))
	r := w.run("main", "http://own.test/", "http://own.test/again")
	own := w.page(r, "http://own.test/", body)
	w.flush()
	again := w.page(r, "http://own.test/again", body)
	w.flush()
	if own.Kind != KindResponse || again.Kind != KindRevisit {
		t.Fatalf("%+v %+v", own, again)
	}
	// Ours, whatever is imported.
	w.purge(own)
	w.reads(w.capture("main", "http://own.test/again"), body)
	// The copies, then what lies in place.
	if done := w.purge(w.capture("main", "http://copy.test/gone")); done.Counts.Captures != 2 {
		t.Errorf("of the copy %+v", done)
	}
	w.purge(w.capture("main", "http://own.test/again"))
	check := func() {
		t.Helper()
		for _, url := range []string{"http://copy.test/gone", "urn:text:http://copy.test/gone"} {
			if got := w.captures("main", url); len(got) > 0 {
				t.Errorf("%s is still there: %+v", url, got)
			}
		}
		w.reads(w.capture("main", "http://copy.test/stays"), "a page that stays")
		for _, url := range []string{"http://copy.test/same", "http://copy.test/chain"} {
			w.reads(w.capture("main", url), body)
		}
		if d := w.inspected(false, false); len(d.Flaws) > 0 {
			t.Errorf("%+v", d.Flaws)
		}
		for blob, err := range w.blobs.List(t.Context(), KeyPrefix) {
			must(t, err)
			in, err := w.blobs.Open(t.Context(), blob.Key, 0, -1)
			must(t, err)
			for rec, err := range Scan(in, 0) {
				must(t, err)
				if strings.Contains(rec.Header.URL(), "copy.test/gone") {
					t.Errorf("%s still has a record of %s", blob.Key, rec.Header.URL())
				}
				must(t, rec.Finish())
			}
			must(t, in.Close())
		}
	}
	check()
	before := w.purgeDump()
	w.rebuild()
	after := w.purgeDump()
	delete(before, "audit")
	delete(after, "audit")
	same(t, after, before)
	check()
	// All that is left, at once: retention.
	w.purge(w.everything("main")...)
	if left := w.everything("main"); len(left) > 0 {
		t.Errorf("%d captures are left", len(left))
	}
	w.rebuild()
	if left := w.everything("main"); len(left) > 0 {
		t.Errorf("after a rebuild, %d captures are there again", len(left))
	}
}

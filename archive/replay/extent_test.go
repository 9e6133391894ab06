package replay

import (
	"testing"

	"linkstead/archive/httpmsg"
)

// FuzzExtent: whatever a capture says of its part, and whatever is asked, what is cut lies in it.
func FuzzExtent(f *testing.F) {
	f.Add("bytes 0-3/10", "bytes=2-")
	f.Add("bytes 2-5/*", "bytes=-1")
	f.Add("bytes 9223372036854775806-9223372036854775807/*", "bytes=0-9223372036854775807")
	f.Add("BYTES  1 - 2 / 3", "bytes=1-1")
	f.Fuzz(func(t *testing.T, content, spec string) {
		e, ok := extentOf(httpmsg.Head{Fields: []httpmsg.Field{{Name: "Content-Range", Value: content}}})
		want, ok2 := parseRange(spec)
		if !ok || !ok2 {
			return
		}
		if e.first < 0 || e.last < e.first || e.total >= 0 && e.total <= e.last {
			t.Fatalf("%q is read as %s", content, e)
		}
		if cut, ok, _ := e.cut(want); ok && (cut.first < e.first || cut.last > e.last || cut.last < cut.first) {
			t.Errorf("%q of %s is %s", spec, e, cut)
		}
	})
}

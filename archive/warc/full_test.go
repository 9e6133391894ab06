package warc

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// TestFullStore: a store without room is told of once, and once more when it takes segments again; capture goes on meanwhile.
func TestFullStore(t *testing.T) {
	w := newWorld(t, nil, func(p *JournalParts) {
		blobs := p.Blobs.(storagetest.BlobStore)
		for n := 1; n <= 4; n++ { // each lets one put fail
			blobs = storagetest.NewFaultBlobs(blobs, storagetest.Point{Op: storagetest.OpPut, N: 1}, syscall.ENOSPC)
		}
		p.Blobs = blobs
	})
	s := newStory(w)
	must(t, s.play())
	s.goOn()
	for _, line := range []string{"the store is full", "the store has room again"} {
		if n := strings.Count(w.log.String(), line); n != 1 {
			t.Errorf("%q is told %d times:\n%s", line, n, w.log)
		}
	}
}

// TestFullSync: what an fsync that failed may have lost is cut off at once, so that the next start can't read it out of memory
// and take it for durable.
func TestFullSync(t *testing.T) {
	fault := storagetest.NewFaultFS(storage.OS{}, storagetest.Point{Op: storagetest.OpSync, Suffix: segmentSuffix, N: 2}, syscall.ENOSPC)
	w := newWorld(t, fault, nil)
	s := newStory(w)
	c := w.page(s.run, "http://h0.test/0", "body 0")
	err := s.one(w.entry(s.run, "http://h0.test/1", okResponse("body 0")))
	if !storage.IsFull(err) {
		t.Errorf("the second fsync fails: %v", err)
	}
	st, serr := os.Stat(w.spool.Path(c.Segment))
	must(t, serr)
	if row := w.segment(c.Segment); st.Size() != row.Committed {
		t.Errorf("the file has %d bytes, %d are acknowledged", st.Size(), row.Committed)
	}
	s.goOn()
}

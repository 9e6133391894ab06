package warc

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"linkstead/storage"
)

// rot adds a page whose record is whole and whose payload is not that of its digest: want is.
func (w *world) rot(r storage.Run, url, body, want string) storage.Capture {
	w.t.Helper()
	e := w.entry(r, url, okResponse(body))
	e.Exchange.Payload.SHA256 = sha256.Sum256([]byte(want))
	w.add(e)
	return w.capture(r.Collection, url)
}

// anew adds a page that is kept in full, though a copy of its digest is there.
func (w *world) anew(r storage.Run, url, body string) storage.Capture {
	w.t.Helper()
	w.flush() // within a segment, none is
	e := w.entry(r, url, okResponse(body))
	e.Anew = true
	w.add(e)
	all := w.captures(r.Collection, url)
	return all[len(all)-1]
}

// TestLibraryRotten: a payload that is not that of its digest is never passed for it. An equal copy of the same address is read in
// its place, once there is one.
func TestLibraryRotten(t *testing.T) {
	for what, size := range map[string]int{"short": 1000, "of the longest that is held": maxProven, "long": maxProven + 70_000} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t, nil, nil)
			u := "http://a.test/1"
			r := w.run("c", u, "http://a.test/2")
			body := noise(size)
			bad := body[:size-50] + "~" + body[size-49:]
			first := w.rot(r, u, bad, body)
			if first.Kind != "response" {
				t.Fatalf("the first is a %s", first.Kind)
			}
			w.anew(r, "http://a.test/2", body) // another address says nothing of this one
			for range 2 {
				got, err := w.payload(first)
				if !errors.As(err, new(*TornError)) || strings.Contains(got, bad[size-50:]) {
					t.Errorf("with no equal copy: %d bytes, %v", len(got), err)
				}
			}
			w.clock.Advance(time.Hour)
			w.anew(w.run("c", u), u, body)
			w.flush()
			w.reads(first, body)
			m, err := w.lib.Open(t.Context(), first)
			must(t, err)
			if m.Damage == nil || m.Capture != first || m.Head.Status != 200 {
				t.Errorf("opened as %+v", m)
			}
			must(t, m.Close())
		})
	}
}

// TestLibraryRottenLong: what is too long to be proven before it is sent lacks its end if it is damaged; the next reader is led to
// an equal copy.
func TestLibraryRottenLong(t *testing.T) {
	w := newWorld(t, nil, nil)
	u := "http://a.test/1"
	body := noise(maxProven + 70_000)
	first := w.rot(w.run("c", u), u, "~"+body[1:], body)
	w.clock.Advance(time.Hour)
	whole := w.anew(w.run("c", u), u, body)
	w.flush()
	got, err := w.payload(first)
	if !errors.As(err, new(*TornError)) || len(got) >= len(body) {
		t.Errorf("the first reader got %d bytes, %v", len(got), err)
	}
	w.reads(first, body)
	w.reads(whole, body)
}

// TestMendLeadsFromRottenPayloads: a payload whose digest is wrong is not whole, though its member is.
func TestMendLeadsFromRottenPayloads(t *testing.T) {
	w := newWorld(t, nil, nil)
	u := []string{"http://a.test/1", "http://a.test/2", "http://a.test/3"}
	r := w.run("c", u...)
	first := w.rot(r, u[0], "the sane body", "the same body")
	revisit := w.page(r, u[1], "the same body")
	if revisit.RefersTo != location(first.Segment, first.Offset) {
		t.Fatalf("revisit %+v", revisit)
	}
	w.flush()
	if d := w.inspected(true, false); d.words()[WordDangling] != 1 || d.Mended != 0 {
		t.Errorf("with no equal payload: %+v", d.Flaws)
	}
	whole := w.anew(r, u[2], "the same body")
	w.flush()
	if d := w.inspected(true, false); d.words()[WordDangling] != 1 || d.Mended != 1 {
		t.Errorf("with an equal payload: %+v", d.Flaws)
	}
	want := location(whole.Segment, whole.Offset)
	if got := w.capture("c", u[1]).RefersTo; got != want {
		t.Errorf("the revisit leads to %s, want %s", got, want)
	}
	if d := w.inspected(false, false); d.words()[WordDangling] != 0 {
		t.Errorf("mended: %+v", d.Flaws)
	}
	w.reads(w.capture("c", u[1]), "the same body")
}

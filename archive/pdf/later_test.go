package pdf

import (
	"fmt"
	"testing"
)

// TestReadLater: of an object with very many parts, what is nested is made when it is asked for, and is then what it would have
// been; a page with 300,000 annotations took 600 MB.
func TestReadLater(t *testing.T) {
	const n = 3000
	var annots []string
	for i := range n {
		annots = append(annots, link(fmt.Sprintf("0 %d 9 9", i), fmt.Sprintf(`http://a.test/\(%d\)`, i)))
	}
	src := paper("BT /F1 12 Tf (text) Tj ET", plainFont, annots...).bytes()
	d, err := Read(src, nil)
	if err != nil || len(d.Links) != n || d.Cut {
		t.Fatalf("%d links, cut: %t, %v", len(d.Links), d.Cut, err)
	}
	for i, l := range d.Links {
		if want := fmt.Sprintf("http://a.test/(%d)", i); l.URI != want {
			t.Fatalf("link %d leads to %s, want %s", i, l.URI, want)
		}
	}
	f := open(src, nil)
	list := f.list(f.dict(ref{num: 4})["Annots"])
	made := 0
	for _, v := range list {
		if _, waits := v.(later); !waits {
			made++
		}
	}
	if len(list) != n || made > maxBuilt/5 {
		t.Errorf("%d of %d annotations were made at once", made, len(list))
	}
}

// TestReadLaterSealed: what is read later of an encrypted object is decrypted then.
func TestReadLaterSealed(t *testing.T) {
	object := fmt.Sprintf("[%s << /V (sealed) >> ]", repeatedRefs(maxBuilt))
	f := &file{src: []byte(object), fuel: fuel{left: maxTokens}, cache: map[int]any{}}
	f.crypt = &crypt{key: []byte("12345"), strings: true}
	of := ref{num: 7}
	p := parser{src: f.src, fuel: &f.fuel}
	list := f.clear(p.next(0), of, 0).([]any)
	got := f.dict(list[len(list)-1])["V"]
	if _, waits := list[len(list)-1].(later); !waits || got != text(f.crypt.text([]byte("sealed"), of)) || got == text("sealed") {
		t.Errorf("%T: %q", list[len(list)-1], got)
	}
}

func repeatedRefs(n int) string {
	b := make([]byte, 0, 2*n)
	for range n {
		b = append(b, "1 "...)
	}
	return string(b)
}

// BenchmarkAnnotations reads a paper with 100,000 annotations on one page.
func BenchmarkAnnotations(b *testing.B) {
	annots := make([]string, 100_000)
	for i := range annots {
		annots[i] = link("0 0 9 9", fmt.Sprintf("http://a.test/%d", i))
	}
	src := paper("BT /F1 12 Tf (text) Tj ET", plainFont, annots...).bytes()
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(src, nil); err != nil {
			b.Fatal(err)
		}
	}
}

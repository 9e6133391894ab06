package pack

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestSorter: however many lines go through files, they come out in the order of their bytes, each once.
func TestSorter(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 10, 5000} {
		dir := t.TempDir()
		s := &sorter{memory: 4096, temp: func() (*os.File, error) { return os.CreateTemp(dir, "run-*") }}
		var want []string
		r := rand.New(rand.NewPCG(1, 2))
		for range n {
			line := fmt.Sprintf("%x%s\n", r.IntN(1000), strings.Repeat("é", r.IntN(9)))
			want = append(want, line)
			if err := s.add([]byte(line)); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(want)
		var got []string
		if err := s.each(func(l []byte) error { got = append(got, string(l)); return nil }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d lines: %d came out", n, len(got))
		}
		if n == 5000 && len(s.runs) < 5 {
			t.Errorf("%d runs", len(s.runs))
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestZipNum: blocks hold 3,000 lines, and those that are no SURTs stand apart.
func TestZipNum(t *testing.T) {
	t.Parallel()
	s := &sorter{}
	for i := range 7001 {
		if err := s.add(fmt.Appendf(nil, "test,a)/%05d 2020 {}\n", i)); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range []string{"file:/x 2020 {}\n", "urn:x 2020 {}\n", "[::1])/ 2020 {}\n"} {
		if err := s.add([]byte(l)); err != nil {
			t.Fatal(err)
		}
	}
	var index, blocks bytes.Buffer
	if err := (&zipNum{blocks: &counter{w: &blocks}, index: &index, name: "x", apart: true}).all(s); err != nil {
		t.Fatal(err)
	}
	var firsts []string
	for l := range strings.Lines(index.String()) {
		key, _, _ := strings.Cut(l, " ")
		firsts = append(firsts, key)
	}
	if want := []string{"!meta", "[::1])/", "test,a)/00000", "test,a)/03000", "test,a)/06000", "urn:x"}; !slices.Equal(firsts, want) {
		t.Errorf("%q, want %q", firsts, want)
	}
}

package cite_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"linkstead/archive/cite"
)

const signs = "0123456789bcdfghjkmnpqrstvwxz"

func newID(t testing.TB) cite.ID {
	t.Helper()
	id, err := cite.NewID(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Every sign of an identifier that is another one, and every two neighbours that have changed places, are found out. What stands elsewhere in
// the identifier only adds to the sum, so that trying each place with each pair of signs tries all.
func TestEverySlipIsFound(t *testing.T) {
	for range 50 {
		id := []byte(newID(t))
		for at := range id {
			for _, c := range []byte(signs) {
				if c == id[at] {
					continue
				}
				wrong := bytes.Clone(id)
				wrong[at] = c
				if _, err := cite.ParseID(string(wrong)); !errors.Is(err, cite.ErrMistyped) {
					t.Fatalf("%s for %s: %v", wrong, id, err)
				}
			}
		}
	}
	for at := range 9 {
		for _, a := range []byte(signs) {
			for _, b := range []byte(signs) {
				id := whole(at, a, b)
				if id == nil || a == b {
					continue
				}
				id[at], id[at+1] = id[at+1], id[at]
				if _, err := cite.ParseID(string(id)); !errors.Is(err, cite.ErrMistyped) {
					t.Fatalf("%c and %c at %d changed places in %s: %v", a, b, at, id, err)
				}
			}
		}
	}
}

// whole is an identifier with two given signs at a place; nil if there is none such.
func whole(at int, a, b byte) []byte {
	id := bytes.Repeat([]byte("0"), 10)
	id[at], id[at+1] = a, b
	free := 0
	if at == 0 {
		free = 5
	}
	for _, c := range []byte(signs) { // the sign before, or far behind, makes the sum come out
		id[free] = c
		if free == at || free == at+1 {
			return nil
		}
		if at+1 < 9 {
			for _, k := range []byte(signs) {
				id[9] = k
				if _, err := cite.ParseID(string(id)); err == nil {
					return id
				}
			}
		}
		if _, err := cite.ParseID(string(id)); err == nil {
			return id
		}
	}
	return nil
}

func TestIDAsItIsTyped(t *testing.T) {
	id := newID(t)
	for strings.ContainsAny(string(id), "01") == false {
		id = newID(t)
	}
	a, b := string(id[:5]), string(id[5:])
	for _, typed := range []string{
		a + b, a + "-" + b, a + "–" + b, a + "—" + b, a + "−" + b, a + "‑" + b, a + " " + b, " " + a + "\u00ad" + b + "\n", a + "\u2060-" + b, strings.ToUpper(a + "-" + b),
		strings.NewReplacer("0", "O", "1", "I").Replace(a + b), strings.NewReplacer("0", "o", "1", "l").Replace(a + b), a[:2] + "-" + a[2:] + "-" + b, wide(a + b), id.String(),
	} {
		if got, err := cite.ParseID(typed); err != nil || got != id {
			t.Errorf("%q: %q, %v, want %q", typed, got, err, id)
		}
	}
	for _, wrong := range []string{"", "-", a, a + b + "0", "igfnmdihr5y4", "https://a.test/", a + "." + b, "aeuy" + a + b, strings.Repeat("-", 300) + a + b, a + "\xff" + b} {
		if got, err := cite.ParseID(wrong); !errors.Is(err, cite.ErrNotID) {
			t.Errorf("%q: %q, %v", wrong, got, err)
		}
	}
}

func wide(s string) string {
	return strings.Map(func(r rune) rune { return r + 0xFEE0 }, s)
}

// The signs are as likely as each other: nobody guesses the next identifier from the last ones.
func TestIDsAreRandom(t *testing.T) {
	seen := map[cite.ID]bool{}
	count := map[rune]int{}
	for range 20_000 {
		id := newID(t)
		if seen[id] {
			t.Fatalf("%s came twice", id)
		}
		seen[id] = true
		for _, c := range id[:9] {
			count[c]++
		}
	}
	for _, c := range signs {
		if n := count[c]; n < 5500 || n > 6900 { // 6207 are expected
			t.Errorf("%c stands %d times in 20,000 identifiers", c, n)
		}
	}
	if _, err := cite.NewID(strings.NewReader("")); err == nil {
		t.Error("an identifier without randomness")
	}
}

func FuzzParseID(f *testing.F) {
	for _, s := range []string{"", "00000-00000", "3f8k2–9qrtz", "\xff", "ＡＢＣ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := cite.ParseID(s)
		if err != nil {
			return
		}
		if again, err := cite.ParseID(id.String()); err != nil || again != id || len(id) != 10 {
			t.Errorf("%q: %q, then %q, %v", s, id, again, err)
		}
	})
}

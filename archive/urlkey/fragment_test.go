package urlkey

import (
	"strings"
	"testing"

	whatwg "github.com/nlnwa/whatwg-url/url"
)

func TestSerialisedFragment(t *testing.T) {
	for _, c := range []struct{ ref, want string }{
		{"", ""}, {"x", ""}, {"x#", ""}, {"x#a", "a"}, {"#a b", "a%20b"}, {"x#ä", "%C3%A4"}, {"x#a\tb\n", "ab"}, {"x#a#b", "a#b"}, {"x#%41", "%41"}, {`x#"<>` + "`", "%22%3C%3E%60"},
	} {
		if got := SerialisedFragment(c.ref); got != c.want {
			t.Errorf("SerialisedFragment(%q) = %q, want %q", c.ref, got, c.want)
		}
	}
}

// FuzzSerialisedFragment holds it to the full parser.
func FuzzSerialisedFragment(f *testing.F) {
	for _, s := range []string{"#a b", "x#ä\x00", " #\t#", "?#`\\{}|^"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		if !strings.HasPrefix(ref, "?") && !strings.HasPrefix(ref, "#") || strings.ToValidUTF8(ref, "") != ref {
			return
		}
		u, err := whatwg.ParseRef("http://h/", ref)
		if err != nil {
			return
		}
		if got, want := SerialisedFragment(ref), strings.TrimPrefix(u.Hash(), "#"); got != want {
			t.Errorf("SerialisedFragment(%q) = %q, the full parser says %q", ref, got, want)
		}
	})
}

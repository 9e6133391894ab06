package main

import (
	"fmt"
	"testing"
)

func TestParseStatuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ list, want string }{
		{"200..=299", "[{200 299}]"},
		{"200..300, 403", "[{200 299} {403 403}]"},
		{"2xx,3XX,404", "[{200 299} {300 399} {404 404}]"},
		{"200-204", "[{200 204}]"},
		{"500..", "[{500 999}]"},
		{"..=299", "[{100 299}]"},
		{"", ""}, {"20", ""}, {"200,", ""}, {"299..=200", ""}, {"200..200", ""}, {"..", ""}, {"xxx", ""}, {"1000000", ""}, {"-1", ""}, {"0xx", ""},
	} {
		got, err := parseStatuses(c.list)
		if s := fmt.Sprint(got); err == nil && s != c.want || err != nil && c.want != "" {
			t.Errorf("%q: %v, %v; want %s", c.list, got, err, c.want)
		}
	}
}

func FuzzParseStatuses(f *testing.F) {
	for _, s := range []string{"200..=299,403", "2xx", "..300", "500-", "-", "..="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := parseStatuses(s)
		if err != nil {
			return
		}
		for _, one := range l {
			if one.low < 100 || one.high > 1000 || one.low > one.high || !l.has(one.low) {
				t.Errorf("%q: %v", s, l)
			}
		}
	})
}

func TestFileBeside(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, ref, want string }{
		{"README.md", "docs/a.md#x", "docs/a.md"},
		{"docs/a.md", "../README.md?plain=1", "README.md"},
		{"docs/a.md", "two%20words.txt", "docs/two words.txt"},
		{"docs/a.md", "./", "docs"},
		{"docs/a.md", "/etc/passwd", ""},
		{"docs/a.md", "#x", ""},
		{"docs/a.md", "a%00b", ""},
		{"docs/a.md", "%zz", ""},
		{"docs/a.md", "", ""},
	} {
		if got := fileBeside("", c.path, c.ref); got != c.want {
			t.Errorf("%q in %s: %q, want %q", c.ref, c.path, got, c.want)
		}
	}
	for ref, want := range map[string]string{"/a/b.png": "site/a/b.png", "/../../x": "site/x", "//host/x": "", "c.md": "docs/c.md"} {
		if got := fileBeside("site", "docs/a.md", ref); got != want {
			t.Errorf("%q, with a root: %q, want %q", ref, got, want)
		}
	}
}

package urlkey

import (
	"os"
	"strings"
	"testing"
)

// TestDocumented holds docs/urlkeys.md to the code: each row of its tables is an example.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/urlkeys.md")
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]func(string) string{
		"Requested": func(ref string) string {
			u, err := Parse("http://site.example/dir/page?q", strings.NewReplacer("⇥", "\t", "⏎", "\n").Replace(ref))
			if err != nil {
				t.Errorf("%q: %v", ref, err)
			}
			return u
		},
		"Key": Key, "Compared as": Sessionless,
		"Asked as": func(request string) string {
			method, rest, _ := strings.Cut(request, " ")
			mime, body, _ := strings.Cut(rest, " ")
			return RequestURL(method, "http://site.example/api", mime, []byte(body))
		},
	}
	var does func(string) string
	rows := map[string]int{}
	table := ""
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 3 {
			continue
		}
		from, to := strings.Trim(cells[1], "`"), strings.Trim(strings.TrimSuffix(cells[2], " |"), "`")
		if f := of[to]; f != nil {
			does, table = f, to
			continue
		}
		rows[table]++
		if got := does(from); got != to {
			t.Errorf("%s: %q gives %q, the page says %q", strings.TrimPrefix(cells[0], "| "), from, got, to)
		}
	}
	if rows["Requested"] < 20 || rows["Key"] < 20 || rows["Compared as"] < 4 || rows["Asked as"] < 4 {
		t.Errorf("tables of %v rows", rows)
	}
}

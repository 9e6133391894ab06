package urlkey

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestWebPlatform holds what is requested to the Web Platform Tests, as far as http and https are concerned: what a browser asks
// for, less fragment and userinfo; and what is no URL to a browser is none to us.
func TestWebPlatform(t *testing.T) {
	text, err := os.ReadFile("testdata/wpt/urltestdata.json")
	if err != nil {
		t.Fatal(err)
	}
	var raw []json.RawMessage // comments stand between the cases
	if err := json.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, r := range raw {
		var c struct {
			Input    string
			Base     *string
			Href     string
			Username string
			Password string
			Failure  bool
		}
		if json.Unmarshal(r, &c) != nil {
			continue
		}
		base := ""
		if c.Base != nil && *c.Base != "about:blank" {
			base = *c.Base
		}
		if c.Failure {
			if got, err := Parse(base, c.Input); err == nil && Fetchable(got) {
				t.Errorf("%q on %q is no URL, but gives %q", c.Input, base, got)
			}
			held++
			continue
		}
		if !strings.HasPrefix(c.Href, "http:") && !strings.HasPrefix(c.Href, "https:") {
			continue
		}
		want, _, _ := strings.Cut(c.Href, "#")
		if c.Username != "" || c.Password != "" {
			scheme, rest, _ := strings.Cut(want, "//")
			want = scheme + "//" + rest[strings.IndexByte(rest, '@')+1:]
		}
		if got, err := Parse(base, c.Input); err != nil || got != want {
			t.Errorf("%q on %q gives %q, %v; a browser asks for %q", c.Input, base, got, err, want)
		}
		held++
	}
	if held < 400 {
		t.Errorf("%d cases", held)
	}
}

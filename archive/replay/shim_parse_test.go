package replay_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/js"
)

var shimAddress = regexp.MustCompile(`src="(/web/-/shim-[0-9a-f]+\.js)"`)

// TestShimIsOneScript: its parts share their names, and one that two of them declare, or a fault of syntax in any, would take all of it away from
// every page.
func TestShimIsOneScript(t *testing.T) {
	a := newArchive(t)
	a.page("http://site.test/", "text/html", "<p>")
	m := shimAddress.FindStringSubmatch(a.get("/web/" + stamp + "/http://site.test/").body)
	if m == nil {
		t.Fatal("a page without our script")
	}
	got := a.get(m[1])
	if got.StatusCode != http.StatusOK {
		t.Fatalf("the script: %d", got.StatusCode)
	}
	if _, err := js.Parse(parse.NewInputString(got.body), js.Options{}); err != nil {
		t.Error(err)
	}
	if _, err := js.Parse(parse.NewInputString(got.body[:len(got.body)-len("})();\n")]+"const facts = 0;})();\n"), js.Options{}); err == nil {
		t.Error("a name declared twice was not told")
	}
}

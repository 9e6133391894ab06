package repair_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"linkstead/archive/post"
	"linkstead/archive/repair"
)

var update = flag.Bool("update", false, "write the goldens anew")

// testdata of package post: a post, and a copy of it that lost its links.
const posts = "../post/testdata"

func source(t testing.TB, name string) []byte {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(posts, name))
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// The links of the post are hung on the copy that lost them. The golden was looked at link by link.
func TestAleppo(t *testing.T) {
	src := source(t, "aleppo.txt")
	damaged, err := post.Text(src, "", post.Options{})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := post.HTML(source(t, "aleppo.html"), "http://blog.wp.test/2016/02/aleppo/", post.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := repair.Align(repair.Blocks(damaged), nil, repair.Blocks(whole))
	text := []rune(string(src))
	var lines strings.Builder
	hung := map[string]string{}
	for _, c := range got {
		fmt.Fprintf(&lines, "%5d %5d %.3f %-45s %-30q %q\n", c.Start, c.End, c.Confidence, c.URL, string(text[c.Start:c.End]), c.Text)
		hung[c.Text+" "+c.URL] = string(text[c.Start:c.End])
	}
	survive, found := 0, 0
	for _, l := range whole.Citations {
		if l.Where != post.InContent || l.LeftOut != "" || !strings.Contains(string(src), l.Text) {
			continue
		}
		survive++
		if hung[l.Text+" "+l.URL] == l.Text {
			found++
		} else {
			t.Logf("not hung: %q %s", l.Text, l.URL)
		}
	}
	t.Logf("%d of %d hung, %d in all", found, survive, len(got))
	if survive < 50 || found*100 < survive*95 || len(got) != found {
		t.Errorf("%d of %d anchors whose words survive are hung where they stood, %d in all", found, survive, len(got))
	}
	golden(t, "aleppo.golden", lines.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at it, then run with -update:\n%s", path, got)
	}
}

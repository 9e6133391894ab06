package repair_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"linkstead/archive/post"
	"linkstead/archive/repair"
)

const article = `What a difference a barge can make in a harbour. Last February the master of the port and his two clerks mounted a large scale attempt to clear the northern quay.

They failed, and failed again, until a barge without a name came up the river at dusk, laid itself across the channel, and put out every lamp it had.`

func reprint(t *testing.T) repair.Reprint {
	t.Helper()
	src := "Before\n\n" + strings.Repeat("Nobody had asked the ferryman either, though he had taken all of them across the river.\n\n", 6) +
		"What a difference a barge can make\n\nWhy the harbour was dark.\n\nFEBRUARY 5, 2016\n\n" + article + "\n"
	d, err := post.Read([]byte(src), "text/plain", "http://blog.test/post.txt", post.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := repair.Reprints(d)
	if len(all) != 1 {
		t.Fatalf("%d reprints", len(all))
	}
	return all[0]
}

func TestReprints(t *testing.T) {
	r := reprint(t)
	if r.Title != "What a difference a barge can make" || r.Said != "FEBRUARY 5, 2016" {
		t.Errorf("%q, %q", r.Title, r.Said)
	}
	if p := r.Passages(5); len(p) != 2 || !strings.HasPrefix(p[0], "What a diff") && !strings.HasPrefix(p[0], "They failed") {
		t.Errorf("%q", p)
	}
	for text, want := range map[string]bool{article: true, "Before.\n\nNobody had asked the ferryman either, though he had taken all of them across.": false} {
		if got := repair.Alike(r.Body, repair.Text([]byte(text))) > 0.9; got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
	if repair.Alike(r.Rest, repair.Text([]byte(article))) > 0.1 {
		t.Error("the article is in the rest")
	}
}

// TestFromReprint: nothing is certain, and rivals share what is to be believed.
func TestFromReprint(t *testing.T) {
	r := reprint(t)
	for _, c := range []struct {
		pages []repair.Reprinted
		want  string
	}{
		{[]repair.Reprinted{{URL: "a", Title: r.Title, Score: 1}}, "0.93"},
		{[]repair.Reprinted{{URL: "a", Title: r.Title + " | The Paper", Score: 0.6}}, "0.65"},
		{[]repair.Reprinted{{URL: "a", Title: "Another of the kind", Score: 1}}, "0.74"},
		{[]repair.Reprinted{{URL: "a", Title: r.Title, Score: 1}, {URL: "b", Title: r.Title, Score: 0.9}, {URL: "c", Score: 0.3}}, "0.47 0.47"},
		{[]repair.Reprinted{{URL: "c", Title: r.Title, Score: 0.3}}, ""},
	} {
		var got []string
		for _, f := range repair.FromReprint(r, c.pages) {
			got = append(got, fmt.Sprintf("%.2f", math.Round(f.Confidence*1000)/1000))
			if f.Method != repair.ByReprint || f.Key != r.Key || f.Explanation == "" || f.Confidence >= repair.Sure {
				t.Errorf("%+v", f)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %v, want %s", c.pages, got, c.want)
		}
	}
}

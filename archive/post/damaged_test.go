package post

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// What is lost is told in each format, by its place in the source; links, code, pictures and what stands around the content are no scars.
func TestDamaged(t *testing.T) {
	const lead = "The people of the city were told that it was not safe for them to go back to their homes, and that they should wait."
	for name, c := range map[string]struct {
		read func([]byte) (Document, error)
		src  string
	}{
		"html": {
			func(b []byte) (Document, error) { return HTML(b, "http://blog.test/post", Options{}) },
			"<nav>Go to the . (</nav><article><p>" + lead + "</p><p>Gr&uuml;&szlig;e: it was told in the paper <b>in October</b> 2015 (, while others said so.</p>" +
				"<p>It was <code>told in (, the</code> paper <a href='/x'>of is is</a> here.</p><figure><img src=a.png><figcaption>Photo: A. Person</figcaption></figure></article>",
		},
		"markdown": {
			func(b []byte) (Document, error) { return Markdown(b, "", Options{}) },
			lead + "\n\nGrüße: it was told in *the* paper in October 2015 (, while others said so.\n\n" +
				"It was `told in (, the` paper [of is is](http://a.test/) here.\n\n![a](http://a.test/a.png)\n\nPhoto: A. Person\n",
		},
		"text": {
			func(b []byte) (Document, error) { return Text(b, "", Options{}) },
			lead + "\n\nGrüße: it was told in the paper\nin October 2015 (, while others said so.\n",
		},
	} {
		d, err := c.read([]byte(c.src))
		if err != nil {
			t.Fatal(err)
		}
		before, _, _ := strings.Cut(c.src, "(, while")
		want := utf8.RuneCountInString(before)
		if len(d.Damaged) != 1 || d.Damaged[0].Start != want || d.Damaged[0].End != want+1 || d.Damaged[0].Text != "(" {
			t.Errorf("%s: want one scar at %d, got %+v", name, want, d.Damaged)
		}
	}
}

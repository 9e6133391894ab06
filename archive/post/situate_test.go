package post

import (
	"strings"
	"testing"
)

// cited reads a page, and brings its first citation whose text is "HERE" or that is an address.
func cited(t *testing.T, mime, src string) Citation {
	t.Helper()
	d, err := Read([]byte(src), mime, address, Options{Links: All})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range d.Citations {
		if c.Text == "HERE" || strings.Contains(c.Raw, "src.test") {
			return c
		}
	}
	t.Fatalf("nothing is cited in %q", src)
	return Citation{}
}

func TestQuotations(t *testing.T) {
	const link = `<a href="http://src.test/">HERE</a>`
	for _, c := range []struct{ name, src, want string }{
		{"before", "<p>He wrote “the war is over now” " + link + ".", "the war is over now"},
		{"behind", "<p>As " + link + " has it, “the war is over now,” and more.", "the war is over now,"},
		{"the nearest", "<p>“One is far away from it,” but in " + link + ": “two is the near one.”", "two is the near one."},
		{"around", "<p>“The war is " + link + " over now.”", "The war is HERE over now."},
		{"straight", `<p>He wrote "the war is over now" ` + link, "the war is over now"},
		{"guillemets", "<p>Il écrit « la guerre est finie maintenant » " + link, "la guerre est finie maintenant"},
		{"German", "<p>Er schrieb „der Krieg ist vorbei, ja“ " + link, "der Krieg ist vorbei, ja"},
		{"turned guillemets", "<p>Er schrieb »der Krieg ist vorbei, ja« " + link, "der Krieg ist vorbei, ja"},
		{"single", "<p>He wrote ‘the war isn’t over by now’ " + link, "the war isn’t over by now"},
		{"brackets", "<p>彼は「戦争はもう終わったと言った」と書いた" + link, "戦争はもう終わったと言った"},
		{"nested", "<p>“He said ‘it is over’ and “went” home,” " + link, "He said ‘it is over’ and “went” home,"},
		{"a term", "<p>The so-called “peace process” goes on " + link, ""},
		{"an inch", `<p>A 5" disk and a 3" disk are here ` + link, ""},
		{"left open", "<p>“Nothing closes this one. He wrote “the war is over now” " + link, "the war is over now"},
		{"too far", "<p>“The war is over now.” " + strings.Repeat("word ", 100) + link, ""},
		{"blockquote behind", "<p>In " + link + ":<blockquote><p>It is over.<p>Quite over.</blockquote>", "It is over. Quite over."},
		{"blockquote before", "<blockquote>It is quite over.</blockquote><p>— " + link, "It is quite over."},
		{"in a blockquote", "<blockquote>“It is over, says " + link + ".”</blockquote>", "It is over, says HERE."},
		{"q", "<p>In " + link + " he says <q>it is over by now</q>.", "it is over by now"},
		{"paragraphs behind", "<p>In " + link + ":<p>“It is over.<p>“Quite over.<p>“So over.”<p>“No more of this one here.”", "It is over. Quite over. So over."},
		{"paragraphs before", "<p>“It is over.<p>“Quite over by now.”<p>(" + link + ")", "It is over. Quite over by now."},
		{"within the second", "<p>“It is over.<p>“Quite " + link + " over by now,” he said.", "It is over. Quite HERE over by now,"},
		{"not next to it", "<p>In " + link + ".<p>No.<p>“The war is over now.”", ""},
		{"a paragraph with more in it", "<p>In " + link + ".<p>He said “the war is over now” yesterday.", ""},
		{"long", "<p>“" + strings.Repeat("word ", 500) + "” " + link, strings.TrimSpace(strings.Repeat("word ", 200))},
	} {
		if got := cited(t, "text/html", c.src).Quotation; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestDatesOfCitations(t *testing.T) {
	for _, c := range []struct{ mime, src, want string }{
		{"text/plain", "Smith, A. http://src.test/ (accessed 3 May 2015).", "2015-05-03"},
		{"text/plain", "Smith, A. (2012). Title. Retrieved May 3, 2015, from http://src.test/", "2015-05-03"},
		{"text/plain", "http://src.test/, 1 January 2001. Last accessed: 2015-05-03", "2015-05-03"},
		{"text/plain", "http://src.test/ (abgerufen am 3. Mai 2015)", "2015-05-03"},
		{"text/plain", "http://src.test/ (Zugriff: 3.5.2015)", "2015-05-03"},
		{"text/plain", "http://src.test/ (consulté le 1er mars 2015)", "2015-03-01"},
		{"text/plain", "http://src.test/ [Consulta: 3 de mayo de 2015]", "2015-05-03"},
		{"text/plain", "http://src.test/ (visited May 2015)", "2015-05"},
		{"text/plain", "http://src.test/ of 3 May 2015", ""},
		{"text/plain", "http://src.test/ accessed 3/5/2015", ""},
		{"text/plain", "http://src.test/ and http://other.test/ accessed 3 May 2015", ""},
		{"text/plain", "http://src.test/ accessed 31 February 2015", ""},
		{"text/markdown", "# Log\n\n## 3 May 2015\n\nhttp://src.test/", "2015-05-03"},
		{"text/markdown", "# Log\n\n## May 3, 2015: a day\n\n### Morning\n\nhttp://src.test/", "2015-05-03"},
		{"text/markdown", "# Log\n\n## 2015-05-03\n\nx\n\n## Notes\n\nhttp://src.test/", ""},
		{"text/markdown", "# Log\n\n## What came of it all on 3 May 2015\n\nhttp://src.test/", ""},
		{"text/html", "<h3>2015年5月3日</h3><p><a href=http://src.test/>x</a>", "2015-05-03"},
	} {
		if got := cited(t, c.mime, c.src).Dated; got != c.want {
			t.Errorf("%q: %q, want %q", c.src, got, c.want)
		}
	}
}

func TestSelectors(t *testing.T) {
	link := func(s string) string { return `<a href="http://src.test/">` + s + `</a>` }
	for _, c := range []struct{ src, want string }{
		{"<p>A " + link("few words") + " here", "text=few%20words"},
		{"<p>A word, a " + link("word") + ", a word", "text=word%2C%20a-,word,-a"},
		{"<p>A word here. <p>Her " + link("Word") + " there", "text=Her-,Word"},
		{"<ul><li>x " + link("Link") + "<li><a>Link</a></ul>", "text=x-,Link"},
		{"<p>First thing<p>" + link("Link") + "<p>Second thing<p>Link", "text=thing-,Link,-Second"},
		{"<p>Thing<p>" + link("Link") + "<p>Thing<p>Link<p>End", "text=Thing-,Link,-Thing"},
		{"<p>al-" + link("Assad’s & Co.") + ", x", "text=Assad%E2%80%99s%20%26%20Co"},
		{"<p>the" + link("problem") + "atic one", "text=theproblematic"},
		{"<p>" + link("one two three four five six seven eight nine ten eleven"), "text=one%20two%20three%20four,eight%20nine%20ten%20eleven"},
		{"<p>one two three four.<p>So " + link("one two three four five a b c d a b c d"), "text=one%20two%20three%20four%20five,d%20a%20b%20c%20d"},
		{"<p>word word word " + link("word") + " word word word", "text=word%20word%20word-,word,-word%20word%20word"},
		{"<p>x word<p>x " + link("word"), ""},
		{"<p>" + link("…"), ""},
		{"<p>他说" + link("战争") + "已经结束，战争。", "text=%E8%AF%B4-,%E6%88%98%E4%BA%89"},
	} {
		if got := cited(t, "text/html", c.src).Selector; got != c.want {
			t.Errorf("%s: %q, want %q", c.src, got, c.want)
		}
	}
}

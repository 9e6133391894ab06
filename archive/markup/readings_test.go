package markup

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// liveURL is what no reading of a rewritten document may lead to.
const liveURL = "http://live.test/"

// leads are the elements that lead a reader or a browser on without a script, with the attribute that says where.
var leads = map[string]string{"a": "href", "link": "href", "base": "href", "form": "action", "area": "href", "iframe": "src", "meta": "content"}

func isLive(element string, attrs []html.Attribute) bool {
	refresh := element != "meta"
	for _, a := range attrs {
		refresh = refresh || a.Key == "http-equiv" && strings.EqualFold(a.Val, "refresh")
	}
	for _, a := range attrs {
		if refresh && (a.Key == leads[element] || element == "a" && a.Key == "xlink:href") &&
			strings.Contains(a.Val, liveURL) && !strings.Contains(a.Val, "/w/"+liveURL) {
			return true
		}
	}
	return false
}

// liveInTree looks through what a tree builder makes of a document, with scripts and without.
func liveInTree(t *testing.T, doc []byte, scripts bool) bool {
	t.Helper()
	root, err := html.ParseWithOptions(bytes.NewReader(doc), html.ParseOptionEnableScripting(scripts))
	if err != nil {
		return false // it is nested too deep for that parser
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && isLive(n.Data, n.Attr) {
			return true
		}
	}
	return false
}

// liveInTokens does the same as preload scanners, which follow tags alone and know nothing of foreign content.
func liveInTokens(doc []byte) bool {
	z := html.NewTokenizer(bytes.NewReader(doc))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return false
		case html.StartTagToken, html.SelfClosingTagToken:
			if tok := z.Token(); isLive(tok.Data, tok.Attr) {
				return true
			}
		}
	}
}

// eachReading checks that a document leads nowhere in any reading after it was rewritten.
func eachReading(t *testing.T, src string) {
	t.Helper()
	got := []byte(rewrite(t, htmlOf(Options{Defuse: "x-"}), src, mark))
	for _, r := range []struct {
		name string
		live bool
	}{
		{"with scripts", liveInTree(t, got, true)},
		{"without scripts", liveInTree(t, got, false)},
		{"scanned ahead", liveInTokens(got)},
	} {
		if r.live {
			t.Errorf("%s, this is live:\n%s\nthe source was\n%s", r.name, got, src)
		}
	}
}

// pieces are what browsers have been seen to read otherwise than scanners, if they come in the right order.
var pieces = []string{
	"<svg>", "</svg>", "<math>", "</math>", "<svg/>", "<mtext>", "</mtext>", "<mi>", "<mglyph>", "<malignmark>", "<annotation-xml>",
	"<annotation-xml encoding='text/HTML'>", "<annotation-xml encoding=application/xhtml+xml>", "</annotation-xml>", "<foreignObject>", "</foreignObject>",
	"<desc>", "</desc>", "<title>", "</title>", "<style>", "</style>", "<style/>", "<script>", "</script>", "<xmp>", "</xmp>", "<textarea>", "</textarea>",
	"<iframe>", "</iframe>", "<noembed>", "</noembed>", "<noframes>", "</noframes>", "<noscript>", "</noscript>", "<template>", "</template>", "<select>", "</select>",
	"<option>", "<table>", "</table>", "<tr>", "<td>", "</td>", "<caption>", "<frameset>", "</frameset>", "<body>", "</body>", "<head>", "</head>", "</html>", "<p>", "</p>", "</br>",
	"<font color=red>", "<font>", "</font>", "<div>", "</div>", "<b>", "</b>", "<a>", "</a>", "<li>", "<form>", "</form>", "<button>", "</button>", "<g>", "</g>", "<path/>",
	"<!--", "-->", "--!>", "<!-->", "<![CDATA[", "]]>", "<!x", "<?x", "</ ", ">", "<!DOCTYPE html>", "<p title='", "<g title=\"", "'>", "\">", "<x ", " x=", "</", "<",
	"text", "&lt;", "/*", "*/", "\"", "'", "\n", "<input>", "<keygen>", "<plaintext>", "<image>", "<math><svg>", "<svg><math>", "</style ", "</script/>", "<!--<script>",
}

// bait are what must not be live.
var bait = []string{
	"<meta http-equiv=refresh content='0;url=" + liveURL + "'>", "<link rel=preconnect href=\"" + liveURL + "\">", "<a href=" + liveURL + ">",
	"<base href='" + liveURL + "'>", "<form action=" + liveURL + ">", "<meta content='0;" + liveURL + "' http-equiv=refresh>",
}

// TestEachReading: no matter whether a browser takes a piece for text or for a tag, it leads nowhere.
func TestEachReading(t *testing.T) {
	m := bait[0]
	for _, src := range []string{
		"<math><mtext><mglyph><style>" + m, "<math><annotation-xml><style>" + m, "<svg><mi><style>" + m, "<math><title><style>" + m,
		"<math><foreignobject><style>" + m, "<svg></p><style><!--</style>" + m, "<svg></br><style><!--</style>" + m,
		"<svg><font color=red><style><!--</style>" + m, "<svg><![CDATA[>" + bait[1] + "]]></svg>", "<svg><style><![CDATA[</style>" + bait[1] + "]]></style>",
		"<svg><title><g title='</title>" + m + "'>", "<svg><xmp><p title='</xmp>" + m + "'>", "<noscript><p title='</noscript><p title=\"'>" + m + "\">",
		"<noscript><style></noscript><p title='</style>" + m + "'>", "<noscript><!--</noscript><p title='-->" + m + "'>",
		"<select><style><p title='</style>" + m + "'>", "<frameset><xmp>" + m, "<svg><script><!-- --!><script></script></svg><p title='</script>" + m + "'>",
		"<math><svg><title><style>" + m, "<svg><noembed><g title=\"</noembed>" + m, "<noscript><p><!--<p><?x" + m, "<base href=x>" + bait[3],
	} {
		eachReading(t, src)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		eachReading(t, woven(r.IntN))
		if t.Failed() {
			return
		}
	}
}

// woven puts pieces and bait together, as chance has it.
func woven(chance func(int) int) string {
	var b strings.Builder
	for range 1 + chance(12) {
		if chance(5) == 0 {
			b.WriteString(bait[chance(len(bait))])
		} else {
			b.WriteString(pieces[chance(len(pieces))])
		}
	}
	b.WriteString(bait[chance(len(bait))])
	b.WriteString(pieces[chance(len(pieces))])
	return b.String()
}

// FuzzEachReading lets the fuzzer choose: each byte is the next piece.
func FuzzEachReading(f *testing.F) {
	f.Add([]byte{0, 20, 90, 200, 255})
	f.Add([]byte("svg style comment"))
	f.Fuzz(func(t *testing.T, choice []byte) {
		if len(choice) > 64 {
			return
		}
		all := append(append([]string{}, pieces...), bait...)
		var b strings.Builder
		for _, c := range choice {
			b.WriteString(all[int(c)%len(all)])
		}
		eachReading(t, b.String())
	})
}

package markup

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// holds checks what every scanner promises for any input: no panic, places in order, the same bytes if nothing is
// replaced, and nothing left to do in what has been rewritten.
func holds(t *testing.T, scan scanner, src []byte, idempotent bool) {
	t.Helper()
	var out bytes.Buffer
	last := 0
	keep := bytes.Clone(src)
	err := scan(&out, src, func(r Ref) (string, bool) {
		if r.Start < last || r.End < r.Start || r.End > len(src) || r.URL == "" || r.Role == None || r.Context == "" {
			t.Errorf("%+v in %q", r, src)
		}
		last = r.Start
		return "", false
	})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), keep) || !bytes.Equal(src, keep) {
		t.Fatalf("%q became %q", keep, out.Bytes())
	}
	if !idempotent {
		return
	}
	once := rewrite(t, scan, string(src), mark)
	if twice := rewrite(t, scan, once, mark); twice != once {
		t.Fatalf("%q became\n%q and then\n%q", src, once, twice)
	}
}

// mark puts a marker before each URL that has none.
func mark(r Ref) (string, bool) {
	if strings.HasPrefix(r.URL, "/w/") {
		return "", false
	}
	return "/w/" + r.URL, true
}

// fuzz runs a scanner over the sources of the tables and what the fuzzer makes of them.
func fuzz(f *testing.F, scan scanner, idempotent func([]byte) bool, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) { holds(t, scan, src, idempotent(src)) })
}

func always([]byte) bool { return true }

// noHiding is false for input in which "<!--" or "<script" may stand in a URL in a script: escaped there, they hide
// the script's end tag no more, so that the document reads another way.
func noHiding(src []byte) bool {
	return !bytes.Contains(src, []byte("<!--")) && len(src) > 1 && src[0] < 0xFE
}

func FuzzHTML(f *testing.F) {
	fuzz(f, asHTML, noHiding, page, `<iframe srcdoc='<a href="u">'>`, `<svg><style>a{b:url(u)}</style></svg>`, `<script type=module>import './u'`,
		"\xFF\xFE<\x00a\x00 \x00h\x00r\x00e\x00f\x00=\x00u\x00>\x00", `<noscript><a href=u></noscript>`, `<p style=a:url(&quot;u&quot;)>`)
}

func FuzzXML(f *testing.F) {
	fuzz(f, asXML, noHiding, page, `<?xml-stylesheet href="s"?><!DOCTYPE x [<!ENTITY a "]">]><svg><style><![CDATA[a{b:url(u)}]]></style></svg>`)
}

func FuzzPlaylist(f *testing.F) {
	fuzz(f, asPlaylist, always, "#EXTM3U\n#EXT-X-KEY:METHOD=NONE,URI=\"k\"\n#EXTINF:1,\ns.ts\r\n")
}

func FuzzFeed(f *testing.F) {
	asFeed := scanner(func(dst *bytes.Buffer, src []byte, visit Visit) error {
		return XML(dst, src, Options{Feeds: true}, visit)
	})
	fuzz(f, asFeed, func([]byte) bool { return false }, `<rss xml:base="b"><link>http://a/</link><description>&lt;a href=u></description><encoded><![CDATA[<p style="a:url(u)">]]></encoded></rss>`)
}

func FuzzCSS(f *testing.F) {
	fuzz(f, asCSS, always, `@import "u" layer;@font-face{src:url(u)}a{b:image-set("u" 1x);c:url( 'u' );d:u\72l(u\)v)}/*`, `a{b:url("u\`, "a{b:url(\\\r\n)")
}

func FuzzSrcset(f *testing.F) {
	fuzz(f, asSrcset, always, "u 1x, data:image/png;base64,AA== 2x,, v (a, b)")
}

func FuzzRefresh(f *testing.F) { fuzz(f, asRefresh, always, "5; url='u' x", "1; urlx", `1,"`) }

func FuzzLinkHeader(f *testing.F) {
	fuzz(f, asLink, always, `<u>; rel="preload"; as=image; imagesrcset="a 1x, b 2x", <v>;x="\"<n>"`, `<u>; imagesrcset="a b"c,d`)
}

func FuzzJavaScript(f *testing.F) {
	fuzz(f, asScript, always, "import a from './u';export*from\"/v\";import(`./w`);/[/]/.test(`${x}`)", `import "\u{41}\`, `"`+"`${`")
}

func FuzzWebManifest(f *testing.F) {
	fuzz(f, asManifest, always, `{"start_url":"\ud800","icons":[{"src":"i\/1"}]}`)
}

func FuzzImportMap(f *testing.F) {
	fuzz(f, asMap, always, `{"imports":{"/a":"./b"},"scopes":{"/s/":{"e":"../e"}}}`)
}

// page has a bit of everything.
const page = `<!doctype html><html manifest=m><head><base href="/b/"><link rel=preload as=image imagesrcset="a 1x, b 2x">
<meta http-equiv=refresh content="5; url=u"><style>@import "i";a{b:url( "u" )}</style><script src=u></script>
<script type=importmap>{"imports":{"a":"./a.js"}}</script></head><body background=u><a href="?a&amp;b" ping="p q">
<svg><use xlink:href="s#x"/><style><![CDATA[a{b:url(u)}]]></style></svg><iframe srcdoc="<img src='u&amp;amp;v'>"></iframe>
<noscript><img src=u></noscript><template><p style="a:url('u')"></template><textarea><a href=n></textarea></body></html>`

// TestLinearTime gives each scanner what would take it quadratic time if it could be led there: half a MB in a blink, where
// quadratic means hours, and even the race detector's slowness leaves room.
func TestLinearTime(t *testing.T) {
	const size = 1 << 19
	for _, c := range []struct {
		scan   scanner
		name   string
		repeat []string
	}{
		{asHTML, "html", []string{
			"<a ", "<a href='", "<a href=u", "<!--", "<!--->", "<!", "<?", "</", "<svg>", "<math></svg>", "<noscript>", "<noscript></noscript>", "<script>",
			"<script><!--", "<script></script>", "<style>", "</style", "<title>", "<template>", "<svg><style>", "<svg><![CDATA[", "<svg><style>a{",
			`<iframe srcdoc="`, `<iframe srcdoc="<iframe srcdoc='`, "<base>", "<base href=u>", "&", "&amp", "<p style='(", "<p>", "<desc><svg>",
		}},
		{asHTML, "one tag", []string{" href=u", " a", " =", " rel=x", " ping='a b'", "/", " &", " rel"}},
		{asXML, "xml", []string{"<!DOCTYPE [", "<!DOCTYPE [>", "<!DOCTYPE []]", "<?xml-stylesheet ", "<?xml-stylesheet ?>", "<a:", "<![CDATA[", "<style>(", "<a b:href='u'>"}},
		{asCSS, "css", []string{"url(", "url(a ", "url('", "(", "{", "}", "\\", "/*", "@import ", "@font-face{", "image-set(", "image-set('a'", "\"", "\"\n", "a", "\\41", "-", "<!--"}},
		{asFeed, "feed", []string{"<description><![CDATA[<]]>", "<link>http://a/", "<x xml:base=b>", "<x xml:base=b></x>", "&lt;", "<description>&lt;a href='"}},
		{asPlaylist, "m3u8", []string{"#EXT-X-KEY:", "#EXT-X-KEY:URI=\"k\"\n", "URI=\"", "\n", "s\n", ",", "=", "\""}},
		{asSrcset, "srcset", []string{",", "a,", "a ", "a (", "a 1x,", " "}},
		{asLink, "link", []string{"<", "<a>", "<a>;", "<a>;rel=x", "\"", ",", ";", "<a>;rel=\"", "<a>;imagesrcset=\"a", "\\"}},
		{asScript, "js", []string{"import ", "/[", "/a", "`${", "`", "import('./a')", "{", "(", "/*", "'", "'\n", "\\", "x=/(", "}", "<!--", "\xF0"}},
		{asManifest, "json", []string{"{", "[", "\"", "\"a\":", "{\"a\":[", "}", "\\", "\"\\", "[\"a\""}},
	} {
		for _, s := range c.repeat {
			src := []byte(strings.Repeat(s, size/len(s)))
			switch c.name {
			case "one tag":
				src = []byte("<a" + string(src) + "><link" + string(src) + ">")
			case "feed":
				src = append([]byte("<rss>"), src...)
			case "m3u8":
				src = append([]byte("#EXTM3U\n#EXT-X-KEY:"), src...)
			case "js":
				src = []byte("import './a';" + string(src))
			}
			begin := time.Now()
			holds(t, c.scan, src, false)
			if d := time.Since(begin); d > 5*time.Second {
				t.Errorf("%s: %q again and again took %v", c.name, s, d)
			}
		}
	}
}

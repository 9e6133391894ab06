package markup

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestRewrite(t *testing.T) {
	// What a visitor may return at worst: every byte that means something to some notation.
	nasty := `/w/a b"c'd<e>&amp;f=(g)` + "`\\$,"
	for _, c := range []struct {
		scan scanner
		src  string
	}{
		{asHTML, `<a href="u">`}, {asHTML, `<a href='u'>`}, {asHTML, `<a href=u>`}, {asHTML, `<a href = u >`},
		{asHTML, `<p style="a:url(u)">`}, {asHTML, `<p style='a:url("u")'>`}, {asHTML, `<p style=a:url(u)>`},
		{asHTML, `<style>a{b:url("u")}</style>`}, {asHTML, `<style>a{b:url(u)}</style>`}, {asHTML, `<svg><style>a{b:url(u)}</style>`},
		{asHTML, `<svg><style><![CDATA[a{b:url(u)}]]></style>`},
		{asHTML, `<iframe srcdoc="<a href='u'>">`}, {asHTML, `<iframe srcdoc='<a href=u>'>`}, {asHTML, `<iframe srcdoc="<p style='a:url(u)'>">`},
		{asHTML, `<script>import "./u"</script>`}, {asHTML, `<script type=importmap>{"imports":{"a":"/u"}}</script>`},
		{asXML, `<a href="u"/>`}, {asXML, `<?xml-stylesheet href="u"?>`},
		{asCSS, `a{b:url(u)}`}, {asCSS, `a{b:url("u")}`}, {asCSS, `@import 'u';`},
		{asScript, `import './u'`}, {asScript, "import(`./u`)"}, {asManifest, `{"start_url":"u"}`},
	} {
		out := rewrite(t, c.scan, c.src, func(Ref) (string, bool) { return nasty, true })
		n := 0
		got := ""
		again := rewrite(t, c.scan, out, func(r Ref) (string, bool) { n++; got = r.URL; return "", false })
		if n != 1 || got != nasty {
			t.Errorf("%s became %s, which holds %d URLs, the last %q; want %q", c.src, out, n, got, nasty)
		}
		if again != out {
			t.Errorf("identity: %s became %s", out, again)
		}
	}
}

func TestRewriteLeavesTheRest(t *testing.T) {
	visit := func(r Ref) (string, bool) {
		return "/w/" + r.URL, r.Role != Base && !strings.HasPrefix(r.URL, "#")
	}
	for _, c := range []struct {
		scan      scanner
		src, want string
	}{
		{asHTML, "<A  HREF = ' u ' x>\x80&eacute;<base href=b>", "<A  HREF = ' /w/u ' x>\x80&eacute;<base href=b>"},
		{asHTML, `<img srcset="a&amp;b 1x,  c  2x" alt="&eacute;">`, `<img srcset="/w/a&amp;b 1x,  /w/c  2x" alt="&eacute;">`},
		{asHTML, `<p style="content:'&eacute;';a:url(u)">`, `<p style="content:'&eacute;';a:url(/w/u)">`},
		{asHTML, `<iframe srcdoc="&lt;p title='&amp;eacute;&eacute;'&gt;<img src=u>">`, `<iframe srcdoc="&lt;p title='&amp;eacute;&eacute;'&gt;<img src=/w/u>">`},
		{asHTML, `<meta http-equiv=refresh content="5; url='u' x">`, `<meta http-equiv=refresh content="5; url='/w/u' x">`},
		{asHTML, `<svg><use href="#a"/><use href="b#c"/></svg>`, `<svg><use href="#a"/><use href="/w/b#c"/></svg>`},
		{asHTML, `<a ping="p  q">`, `<a ping="/w/p  /w/q">`},
		{asHTML, `<a href=u`, `<a href=u`},
		{asLink, `<u>; rel=preload, <v>`, `</w/u>; rel=preload, </w/v>`},
		{asSrcset, `u, v 2x`, `/w/u, /w/v 2x`},
		{asRefresh, `5; url="u"`, `5; url="/w/u"`},
		{asCSS, `@import "u" layer; a{b:url( u\) )}`, `@import "/w/u" layer; a{b:url( /w/u\) )}`},
	} {
		if got := rewrite(t, c.scan, c.src, visit); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}

// TestWord: a word comes to those of an attribute, however that is spelt, once.
func TestWord(t *testing.T) {
	opts := Options{Rename: []Rename{{Element: "iframe", Attr: "sandbox", Word: "allow-x"}}}
	for src, want := range map[string]string{
		`<iframe sandbox>`:                                `<iframe sandbox="allow-x">`,
		`<iframe sandbox src=a>`:                          `<iframe sandbox="allow-x" src=a>`,
		`<iframe sandbox="">`:                             `<iframe sandbox=" allow-x">`,
		`<iframe SANDBOX='allow-y'>`:                      `<iframe SANDBOX='allow-y allow-x'>`,
		`<iframe sandbox=allow-y>`:                        `<iframe sandbox="allow-y allow-x">`,
		`<iframe sandbox="allow-y ALLOW-x">`:              `<iframe sandbox="allow-y ALLOW-x">`,
		`<p sandbox>`:                                     `<p sandbox>`,
		`<iframe srcdoc="<iframe sandbox=&quot;&quot;>">`: `<iframe srcdoc="<iframe sandbox=&quot; allow-x&quot;>">`,
	} {
		for _, again := range []bool{false, true} {
			if again {
				src = want
			}
			var out bytes.Buffer
			err := HTML(&out, []byte(src), opts, func(Ref) (string, bool) { return "", false })
			if err != nil || out.String() != want {
				t.Errorf("%s became %s, want %s (%v)", src, out.String(), want, err)
			}
		}
	}
}

func TestRename(t *testing.T) {
	opts := Options{Rename: []Rename{
		{Attr: "integrity", To: "data-was-integrity"},
		{Element: "script", Attr: "nonce", To: "data-was-nonce"},
		{Element: "meta", Attr: "http-equiv", Value: "content-security-policy", To: "data-was-http-equiv"},
		{Attr: "ping", To: "data-was-ping"},
		{Element: "script", Attr: "type", Value: "speculationrules", To: `type="text/plain" data-was-type`},
	}}
	for _, c := range []struct{ src, want string }{
		{`<script src=u Integrity="x" integrity=y nonce=n>`, `<script src=/w/u data-was-integrity="x" data-was-integrity=y data-was-nonce=n>`},
		{`<style nonce=n integrity>`, `<style nonce=n data-was-integrity>`},
		{`<META http-equiv=" Content-Security-Policy" content="x"><meta http-equiv=x>`, `<META data-was-http-equiv=" Content-Security-Policy" content="x"><meta http-equiv=x>`},
		{`<meta http-equiv="content-security&#45;policy">`, `<meta data-was-http-equiv="content-security&#45;policy">`},
		{`<a href=u ping="v w">`, `<a href=/w/u data-was-ping="v w">`},
		{`<script type='speculationrules'>{"prefetch":[]}</script>`, `<script type="text/plain" data-was-type='speculationrules'>{"prefetch":[]}</script>`},
		{`<script type=importmap>{"integrity":{"/a":"x"},"imports":{"integrity":"/b"}}</script>`,
			`<script type=importmap>{"data-was-integrity":{"/a":"x"},"imports":{"integrity":"/w//b"}}</script>`},
		{`<iframe srcdoc="<script type=speculationrules>{}</script>">`, `<iframe srcdoc="<script type=&quot;text/plain&quot; data-was-type=speculationrules>{}</script>">`},
		{`<iframe srcdoc="<link integrity=x>">`, `<iframe srcdoc="<link data-was-integrity=x>">`},
	} {
		got := rewrite(t, htmlOf(opts), c.src, func(r Ref) (string, bool) { return "/w/" + r.URL, true })
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}

func TestInsert(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{`<!doctype html><html><head lang=x><title>`, `<!doctype html><html><head lang=x><title>[0]`},
		{`<head><meta charset=x><title><a></title><!-- <p> --><meta name=y><link href=u></head>`, `<head><meta charset=x><title><a></title><!-- <p> --><meta name=y>[0]<link href=u></head>`},
		{`<head><meta charset=x></head ><body>`, `<head><meta charset=x>[0]</head ><body>`},
		{`<head><meta charset=x><noscript><p></noscript>`, `<head><meta charset=x>[0]<noscript><p></noscript>`},
		{`<svg><title><script>`, `[0]<svg><title><script>`},
		{`<!-- <head> --><HTML><HEAD/><p>`, `<!-- <head> --><HTML><HEAD/>[0]<p>`},
		{`<html><body><head>`, `<html>[0]<body><head>`},
		{`text<p>x`, `text[0]<p>x`},
		{`text`, `text[0]`},
		{``, `[0]`},
		{`<header><p>`, `[0]<header><p>`},
		{`<iframe srcdoc="<p>"></iframe>`, `[0]<iframe srcdoc="[1]<p>"></iframe>`},
		{`<head><base href=u>`, `<head>[0]<base href=u>`},
	} {
		opts := Options{Insert: func(depth int) string { return "[" + string(rune('0'+depth)) + "]" }}
		if got := rewrite(t, htmlOf(opts), c.src, func(Ref) (string, bool) { return "", false }); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}

// TestInsertInXML: the place is before anything that could run, or there is none, and ShapeOfXML knows.
func TestInsertInXML(t *testing.T) {
	for _, c := range []struct {
		src   string // [x] where the place is
		shape XMLShape
	}{
		{`<rss>[x]<svg><image href="u"/></svg></rss>`, XMLShape{Clear: true, Place: true, Root: "rss"}},
		{`<?xml version="1.0"?><s:svg xmlns:s="x">[x]<s:svg/></s:svg>`, XMLShape{Clear: true, Place: true, Root: "svg"}},
		{`<h:html a = '>' xmlns:h="http://www.w3.org/1999/xhtml"> <!-- <x> --> <h:head>[x]<h:title/>`, XMLShape{Clear: true, Active: true, Place: true, Root: "html"}},
		{`<html xmlns="http://www.w3.org/1999/xhtml"><head/>[x]<body/></html>`, XMLShape{Clear: true, Active: true, Place: true, Root: "html"}},
		{`<html xmlns="http://www.w3.org/1999/xhtml">[x]<body><head/></body></html>`, XMLShape{Clear: true, Active: true, Place: true, Root: "html"}},
		{`<html xmlns="http://www.w3.org/1999/xhtml">[x]<script/><head/></html>`, XMLShape{Clear: true, Active: true, Place: true, Root: "html"}},
		{`<script xmlns="http://www.w3.org/1999/xhtml">x</script>`, XMLShape{Clear: true, Active: true, Root: "script"}},
		{`<é:template xmlns:é="http://www.w3.org/1999/&#120;html"><é:script/></é:template>`, XMLShape{Clear: true, Active: true, Root: "template"}},
		{`<svg xmlns="http://www.w3.org/2000/svg" onload="x" />`, XMLShape{Clear: true, Active: true, Root: "svg"}},
		{`<r>[x]<s xmlns="http://www.w3.org/1999/&#120;html"/></r>`, XMLShape{Clear: true, Active: true, Place: true, Root: "r"}},
		{`<r>[x]<s xmlns:x='a' xmlns ='&e;'/></r>`, XMLShape{Clear: true, Active: true, Place: true, Root: "r"}},
		{"\xEF\xBB\xBF<!-- x --><!DOCTYPE r PUBLIC '>' \"[\"><:r>[x]</:r>", XMLShape{Clear: true, Place: true, Root: "r"}},
		{`<!DOCTYPE r [<!ATTLIST r xmlns:x CDATA #FIXED "u"><!ELEMENT r ANY><?p ]>?><!-- ]> --> ] ><r>[x]</r>`, XMLShape{Clear: true, Active: true, Place: true, Root: "r"}},
		{`<!DOCTYPE r [ x ]><r>[x]</r>`, XMLShape{}},
		{`text<r>[x]</r>`, XMLShape{}},
		{`<r a=b>[x]</r>`, XMLShape{Root: "r"}},
		{``, XMLShape{}},
	} {
		src := strings.ReplaceAll(c.src, "[x]", "")
		if got := ShapeOfXML([]byte(src)); got != c.shape {
			t.Errorf("%s\n got %+v\nwant %+v", src, got, c.shape)
		}
		var out bytes.Buffer
		if err := XML(&out, []byte(src), Options{Insert: func(int) string { return "[x]" }}, nil); err != nil || out.String() != c.src {
			t.Errorf("%s became\n%s (%v)", src, out.String(), err)
		}
	}
}

// TestSubset: what of an internal subset could bring in markup or attributes is taken out; names for pieces of text stay.
func TestSubset(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{`<!ENTITY nbsp "&#160;"><!ENTITY u 'http://a/'><!ENTITY lt "&#38;#60;">`, ""},
		{`<!ENTITY a "&#60;script/>">`, "~"},
		{`<!ENTITY a '&#x00003C;x'>`, "~"},
		{`<!ENTITY a "<x title='&gt;'/>" >`, "~"},
		{`<!ENTITY % p "x">%p;`, "~"},
		{`<!ENTITY a SYSTEM "u">`, "~"},
		{`<!ATTLIST meta http-equiv CDATA "refresh" content CDATA "0;url=u">`, "~"},
		{`<!ATTLIST a xmlns CDATA #FIXED "u" b (c|d) 'c'>`, "~"},
		{`<!ATTLIST a id ID #IMPLIED xmlns:b CDATA #FIXED 'u' xmlns NMTOKEN "v">`, ""},
		{`<!-- <!ENTITY a "<"> --><?a <!ENTITY a "<"> ?><!ELEMENT a (b | c)>`, ""},
	} {
		if c.want == "" {
			c.want = c.src
		}
		c.want = strings.TrimPrefix(c.want, "~")
		var out bytes.Buffer
		src := "<!DOCTYPE r [" + c.src + "]><r/>"
		if err := XML(&out, []byte(src), Options{Defuse: "x-"}, nil); err != nil || out.String() != "<!DOCTYPE r ["+c.want+"]><r/>" {
			t.Errorf("%s became\n%s (%v)", src, out.String(), err)
		}
	}
}

func TestFirstBase(t *testing.T) {
	for _, c := range []struct {
		src, href string
		ok        bool
	}{
		{`<a href=u><base target=t><BASE href=" b&amp;c "><base href=d>`, "b&c", true},
		{`<noscript><base href=n></noscript><p><base href=u>`, "u", true}, // text, where scripts run
		{`<!-- <base href=n> --><script>"<base href=n>"</script><template><base href=n></template>`, "", false},
		{`<iframe srcdoc="<base href=n>">`, "", false},
		{`<base href="">`, "", true},
		{`<basefont href=n>`, "", false},
		{`<base`, "", false},
		{``, "", false},
	} {
		if href, ok := FirstBase([]byte(c.src)); href != c.href || ok != c.ok {
			t.Errorf("%s: %q %v, want %q %v", c.src, href, ok, c.href, c.ok)
		}
	}
}

// TestEarly: what stands before a base element is told from what stands behind it.
func TestEarly(t *testing.T) {
	src := `<img src=a><template><base href=t></template><noscript><base href=n></noscript><img src=b><iframe srcdoc="<base href=s><img src=c>"></iframe>` +
		`<base target=x><img src=d><base href=b><img src=e><base href=late><img src=f>`
	early := ""
	rewrite(t, asHTML, src, func(r Ref) (string, bool) {
		if r.Role == Image && r.Early {
			early += r.URL
		}
		return "", false
	})
	if early != "abcd" {
		t.Errorf("early are %s", early)
	}
}

// failing is a writer whose disk is full after some bytes.
type failing struct{ left int }

var errFull = errors.New("full")

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriteErrors(t *testing.T) {
	src := []byte(`<a href=u><a href=v>x`)
	for n := range 25 {
		err := HTML(&failing{n}, src, Options{}, func(r Ref) (string, bool) { return "/w/" + r.URL, true })
		if !errors.Is(err, errFull) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

func TestFeeds(t *testing.T) {
	asFeed := scanner(func(dst *bytes.Buffer, src []byte, visit Visit) error {
		return XML(dst, src, Options{Feeds: true}, visit)
	})
	check(t, asFeed, []fixture{
		{`<rss><channel><link> http://a/ </link><link>/no</link><title>http://a/</title><item><guid isPermaLink="false">tag:x</guid><enclosure url="e.mp3"/>` +
			`<description>&lt;a href="u&amp;amp;v"&gt;x&lt;/a&gt; http://n/</description><content:encoded><![CDATA[<img src=i>]]></content:encoded></item></channel></rss>`,
			"link feed/text http://a/; media enclosure/@url e.mp3; link a/@href u&v depth 1; image img/@src i depth 1"},
		{`<feed xml:base="/b/"><link href="l"/><entry xml:base="/c/"><content type="html">&lt;img src=i></content><link href="m"/></entry><content src="n"/><summary>&lt;img src=no></summary></feed>`,
			"base */@xml:base /b/; related link/@href l from /b/; base */@xml:base /c/; image img/@src i from /c/ depth 1; related link/@href m from /c/; media content/@src n from /b/"},
		{`<urlset><url><loc>https://a/?x&amp;y</loc><image:image><image:loc>https://a/i</image:loc></image:image></url></urlset>`, "link feed/text https://a/?x&y; link feed/text https://a/i"},
		{`<opml><outline xmlUrl="x" htmlUrl="y"/></opml>`, "link outline/@xmlurl x; link outline/@htmlurl y"},
		{`<MPD><BaseURL>http://cdn/v/</BaseURL><Location>/m.mpd</Location><Period><BaseURL>p/</BaseURL><SegmentTemplate media="$Number$.m4s" initialization="/i.mp4"/>` +
			`<SegmentURL media="https://cdn/$Number%05d$"/><Initialization sourceURL="//cdn/i"/></Period></MPD>`,
			"media dash/text http://cdn/v/; media dash/text /m.mpd; media segmenttemplate/@initialization /i.mp4; media segmenturl/@media https://cdn/$Number%05d$; media initialization/@sourceurl //cdn/i"},
		{`<html><link>http://a/</link><content url="u"/></html>`, ""},
	})
	check(t, asXML, []fixture{{`<rss><link>http://a/</link><enclosure url="u"/></rss>`, ""}})
	src := `<rss><link>http://a/?b</link><description>&lt;a href="u"&gt;</description><x:encoded><![CDATA[<a href="u">]]></x:encoded></rss>`
	want := `<rss><link>/w/&lt;]]&gt;&amp;</link><description>&lt;a href="/w/&amp;lt;]]&gt;&amp;amp;"&gt;</description><x:encoded><![CDATA[<a href="/w/&lt;]]]]><![CDATA[>&amp;">]]></x:encoded></rss>`
	if got := rewrite(t, asFeed, src, func(Ref) (string, bool) { return "/w/<]]>&", true }); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRoles(t *testing.T) {
	for r := None; r <= AppCache; r++ {
		if r.String() == "unknown" || r.Outlink() && r.Requisite() {
			t.Errorf("role %d is %s", r, r)
		}
	}
	if len(roleNames) != int(AppCache)+1 || AppCache.String() != "appcache" || Link.String() != "link" {
		t.Error("the names of the roles don't match")
	}
	if len(table.rules) > 255 || len(table.elems.names) > 255 || len(table.attrs.names) > 255 {
		t.Error("too many names or rules for a byte")
	}
	if table.elems.names[elemMath] != "math" || table.attrs.names[attrCodebase] != "codebase" {
		t.Error("the numbers of the names don't match")
	}
}

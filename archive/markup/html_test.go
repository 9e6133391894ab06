package markup

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// scanner is any of the entry points, made alike.
type scanner func(dst *bytes.Buffer, src []byte, visit Visit) error

func htmlOf(opts Options) scanner {
	return func(dst *bytes.Buffer, src []byte, visit Visit) error { return HTML(dst, src, opts, visit) }
}

var (
	asHTML     = htmlOf(Options{})
	asXML      = scanner(func(dst *bytes.Buffer, src []byte, visit Visit) error { return XML(dst, src, Options{}, visit) })
	asCSS      = scanner(func(dst *bytes.Buffer, src []byte, visit Visit) error { return CSS(dst, src, visit) })
	asSrcset   = scanner(func(dst *bytes.Buffer, src []byte, visit Visit) error { return Srcset(dst, src, visit) })
	asRefresh  = scanner(func(dst *bytes.Buffer, src []byte, visit Visit) error { return RefreshHeader(dst, src, visit) })
	asLink     = scanner(func(dst *bytes.Buffer, src []byte, visit Visit) error { return LinkHeader(dst, src, visit) })
	asManifest = scanner(func(dst *bytes.Buffer, src []byte, visit Visit) error { return WebManifest(dst, src, visit) })
	asMap      = scanner(func(dst *bytes.Buffer, src []byte, visit Visit) error { return ImportMap(dst, src, visit) })
	asFeed     = scanner(func(dst *bytes.Buffer, src []byte, visit Visit) error {
		return XML(dst, src, Options{Feeds: true}, visit)
	})
	asPlaylist = scanner(func(dst *bytes.Buffer, src []byte, visit Visit) error { return Playlist(dst, src, visit) })
	asScript   = scanner(func(dst *bytes.Buffer, src []byte, visit Visit) error { return JavaScript(dst, src, visit) })
)

// list scans src and returns what it finds, a line each, having checked that nothing is altered on the way.
func list(t *testing.T, scan scanner, src string) []string {
	t.Helper()
	var out bytes.Buffer
	var found []string
	last := -1
	err := scan(&out, []byte(src), func(r Ref) (string, bool) {
		if r.Start < last || r.End < r.Start || r.End > len(src) {
			t.Errorf("%+v is out of order or bounds", r)
		}
		last = r.Start
		line := fmt.Sprintf("%s %s %s", r.Role, r.Context, r.URL)
		if r.Base != "" {
			line += " from " + r.Base
		}
		if r.Depth > 0 {
			line += fmt.Sprintf(" depth %d", r.Depth)
		}
		found = append(found, line)
		return "", false
	})
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != src {
		t.Errorf("altered:\n%q\ninto\n%q", src, out.String())
	}
	return found
}

type fixture struct {
	src  string
	want string // lines parted by "; "
}

func check(t *testing.T, scan scanner, fixtures []fixture) {
	t.Helper()
	for _, f := range fixtures {
		if got := strings.Join(list(t, scan, f.src), "; "); got != f.want {
			t.Errorf("%s\n got %s\nwant %s", f.src, got, f.want)
		}
	}
}

func TestHTMLAttributes(t *testing.T) {
	check(t, asHTML, []fixture{
		{`<a href=u ping="p1  p2" attributionsrc="s">`, "link a/@href u; ping a/@ping p1; ping a/@ping p2; ping a/@attributionsrc s"},
		{`<area href='u' ping=p>`, "link area/@href u; ping area/@ping p"},
		{`<A HREF="u">`, "link a/@href u"},
		{`<a href=""><a href><a href="  "><img src=>`, ""},
		{`<a href=" u ` + "\n" + `">`, "link a/@href u"},
		{`<a href=u href=v>`, "link a/@href u"},
		{`<a href="?a=1&amp;b=2&copy=3&lt;&#x41;&notit;&eacute">`, "link a/@href ?a=1&b=2&copy=3<A&notit;é"},
		{`<a href="&#32;u&#x80;&#0;&#x110000;&#99999999999;&#;&#x;">`, "link a/@href u€\uFFFD\uFFFD\uFFFD&#;&#x;"},
		{`<a/href=u/>`, "link a/@href u/"},
		{`<a title='>'href=u>`, "link a/@href u"},
		{`<a =href=u href = "v" >`, "link a/@href v"},
		{`<base href=u><base href=v>`, "base base/@href u"},
		{`<base target=x><base href=v>`, "base base/@href v"},
		{`<template><base href=u></template><base href=v>`, "base base/@href v"},
		{`<noscript><base href=u></noscript><base href=v>`, "base base/@href u; base base/@href v"},
		{`<script src=u></script><script src=v type=" Module "></script>`, "script script/@src u; module script/@src v"},
		{`<script data-src="a.js"></script>`, "script script/@data-src a.js"},
		{`<img src=u lowsrc=l dynsrc=d longdesc=t>`, "image img/@src u; image img/@lowsrc l; media img/@dynsrc d; link img/@longdesc t"},
		{`<image src=u>`, "image image/@src u"},
		{`<img srcset="a 1x, b 2x">`, "image img/@srcset a; image img/@srcset b"},
		{`<img data-src="a.png" data-srcset="a.png 1x" data-lazy-src="b.png" data-lazy-srcset="b.png 1x" data-original="c.png">`,
			"image img/@data-src a.png; image img/@data-srcset a.png; image img/@data-lazy-src b.png; image img/@data-lazy-srcset b.png; " +
				"image img/@data-original c.png"},
		{`<img data-lazy=true data-src="{'a':'b.c'}">`, ""},
		{`<div data-bg="a.png" data-background-image=/b>`, "image */@data-bg a.png; image */@data-background-image /b"},
		{`<picture><source srcset=a><source src=b></picture>`, "image source/@srcset a; media source/@src b"},
		{`<video src=u poster=p><audio src=a><track src=t><bgsound src=b>`, "media video/@src u; poster video/@poster p; media audio/@src a; track track/@src t; media bgsound/@src b"},
		{`<iframe src=u longdesc=l></iframe><frame src=v>`, "frame iframe/@src u; link iframe/@longdesc l; frame frame/@src v"},
		{`<iframe data-src="/u"></iframe>`, "frame iframe/@data-src /u"},
		{`<embed src=u>`, "object embed/@src u"},
		{`<object data=d codebase=c archive="a b" classid=i>`, "object object/@data d from c; codebase object/@codebase c; object object/@archive a from c; object object/@archive b from c; object object/@classid i from c"},
		{`<object><param name=Movie value=m><param name=src value=s><param name=quality value=high></object>`, "object param/@value m; object param/@value s"},
		{`<applet code=c archive="a, b" codebase=k>`, "object applet/@code c from k; object applet/@archive a from k; object applet/@archive b from k; codebase applet/@codebase k"},
		{`<input type=IMAGE src=u formaction=f><input src=v>`, "image input/@src u; form input/@formaction f"},
		{`<form action=u><button formaction=v>`, "form form/@action u; form button/@formaction v"},
		{`<body background=u><table background=v><tr background=w><td background=x><th background=y>`, "image body/@background u; image table/@background v; image tr/@background w; image td/@background x; image th/@background y"},
		{`<blockquote cite=u><q cite=v><ins cite=w><del cite=x>`, "cite blockquote/@cite u; cite q/@cite v; cite ins/@cite w; cite del/@cite x"},
		{`<html manifest=u><head profile="a b">`, "appcache html/@manifest u; related head/@profile a; related head/@profile b"},
		{`<p style="background:url(u)"><i style="color:red">`, "image @style/url() u"},
		{`<p style="background:url(&quot;u&amp;v&quot;)">`, "image @style/url() u&v"},
		{`<amp-img src=u srcset="a 1x"></amp-img><amp-video src=v poster=p><amp-iframe src=w><amp-audio src=x>`,
			"image amp-img/@src u; image amp-img/@srcset a; media amp-video/@src v; poster amp-video/@poster p; frame amp-iframe/@src w; media amp-audio/@src x"},
		{`<menuitem icon=u><math altimg=v><mglyph src=w></math><isindex action=x><layer src=y background=z>`,
			"image menuitem/@icon u; image math/@altimg v; image mglyph/@src w; form isindex/@action x; frame layer/@src y; image layer/@background z"},
		{`<a itemid=n itemtype="http://n/" usemap="#n" data-url="http://n/" data-href="http://n/">`, ""},
	})
}

// TestLazy: scripts that load late keep addresses in attributes of their own, and other scripts keep other things in some.
func TestLazy(t *testing.T) {
	check(t, asHTML, []fixture{
		{`<div data-bg="url('a.png')" data-lazy-bg=b.png>`, "image */@data-bg a.png; image */@data-lazy-bg b.png"},
		{`<div data-bgset="a.png 1x, b.png 2x"><img data-pagespeed-lazy-src=/c data-cfsrc=d.jpg>`, "image */@data-bgset a.png; image */@data-bgset b.png; image */@data-pagespeed-lazy-src /c; image */@data-cfsrc d.jpg"},
		{`<img data-srcset='{"a":"b.png"}' data-lazy=0.5 data-src=1/2 data-lazy-src=true>`, ""},
		{`<a data-image="http://h/x" data-thumb=//h/y data-full="Z.JPG?a=1.0" data-large=pic.webp>`,
			"image */@data-image http://h/x; image */@data-thumb //h/y; image */@data-full Z.JPG?a=1.0; image */@data-large pic.webp"},
		{`<a data-image="card.title" data-thumb="1/2" data-full=true data-large="a/b" data-icon="https:// x" data-poster=.png>`, ""},
		{`<video data-poster=a.png data-lazy-poster=/b><iframe data-lazy=/c data-litespeed-src=//d/e>`,
			"poster video/@data-poster a.png; poster video/@data-lazy-poster /b; frame iframe/@data-lazy /c; frame iframe/@data-litespeed-src //d/e"},
	})
}

func TestHTMLLinks(t *testing.T) {
	for rel, want := range map[string]string{
		"stylesheet": "stylesheet", "alternate stylesheet": "stylesheet", "icon": "icon", "shortcut icon": "icon", "Apple-Touch-Icon": "icon",
		"mask-icon": "icon", "preload": "preload", "modulepreload": "module", "prefetch": "prefetch", "dns-prefetch": "hint",
		"preconnect": "hint", "manifest": "manifest", "alternate": "alternate", "canonical": "canonical", "amphtml": "alternate",
		"next": "link", "search": "link", "Next nofollow": "link", "next alternate": "alternate", "shortlink": "related", "": "related", "prerender": "link",
	} {
		check(t, asHTML, []fixture{{`<link href=u rel="` + rel + `">`, want + " link/@href u"}})
	}
	for as, want := range map[string]string{
		"style": "stylesheet", "script": "script", "font": "font", "Image": "image", "track": "track", "video": "media", "fetch": "preload",
	} {
		check(t, asHTML, []fixture{{`<link as=` + as + ` rel=preload href=u>`, want + " link/@href u"}})
	}
	check(t, asHTML, []fixture{
		{`<link rel=preload as=image href=u imagesrcset="a 1x,b 2x">`, "image link/@href u; image link/@imagesrcset a; image link/@imagesrcset b"},
	})
}

func TestHTMLMeta(t *testing.T) {
	check(t, asHTML, []fixture{
		{`<meta http-equiv=Refresh content="0; url=u">`, "refresh meta/@refresh u"},
		{`<meta content="0;URL='u&amp;v'" http-equiv=refresh>`, "refresh meta/@refresh u&v"},
		{`<meta property="og:image" content=u><meta name=Twitter:Image content=v><meta itemprop=image content=w>`, "social meta/@content u; social meta/@content v; social meta/@content w"},
		{`<meta name=description content="http://x/">`, ""},
	})
}

func TestHTMLContent(t *testing.T) {
	check(t, asHTML, []fixture{
		{`<style>@import "i";a{b:url(u)}</style>`, "import style/@import i; image style/url() u"},
		{`<style type="text/less">a{b:url(u)}</style><style type="text/css">a{b:url(v)}</style>`, "image style/url() v"},
		{`<style>a{b:url(u)}</styles></style ><a href=v>`, "image style/url() u; link a/@href v"},
		{`<textarea><a href=u></textarea><title><a href=v></title><xmp><a href=w></xmp><a href=x>`, "link a/@href x"},
		{`<noembed><a href=u></noembed><noframes><a href=v></noframes><iframe><a href=w></iframe><a href=x>`, "link a/@href x"},
		{`<plaintext><a href=u></plaintext>`, ""},
		{`<!-- <a href=u> --><a href=v><!--><a href=w><!---><a href=x><!-- --!><a href=y><!-- --- <a href=n>`, "link a/@href v; link a/@href w; link a/@href x; link a/@href y"},
		{`<!--[if IE]><script src=u></script><![endif]--><![if !IE]><a href=v><![endif]>`, "link a/@href v"},
		{`<!doctype html><?php <a href=n ?></><//a><a href=v>`, "link a/@href v"},
		{`<noscript><img src=u></noscript><template><img src=v></template>`, "image img/@src u; image img/@src v"},
		{`<noscript><!-- </noscript><img src=v>-->`, "image img/@src v"},
		{`<noscript><a title="</noscript><img src=v>">`, "image img/@src v"},
		{`<noscript><noscript><img src=v>`, "image img/@src v"},
		{`<script>import "./a.js"; import("/b.js")</script>`, "module script/import ./a.js; module script/import /b.js"},
		{`<script type=module>import x from "./a.js"; import y from "bare"</script>`, "module script/import ./a.js"},
		{`<script type="text/template"><img src=u> import "./a.js"</script><script type="application/json">{"u":"/x"}</script>`, ""},
		{`<script type=importmap>{"imports":{"a":"/a.js"}}</script>`, "module importmap/address /a.js"},
		{`<script type=speculationrules>{"prefetch":[{"urls":["n.html"]}]}</script>`, "link script/speculationrules n.html"},
		{`<script><!-- <script> </script> <a href=u> --></script><a href=v>`, "link a/@href v"},
		{`<script><!-- </script><a href=v>`, "link a/@href v"},
		{`<script><!--></script><a href=v>`, "link a/@href v"},
		{`<a href=u`, ""},
		{`<a href="u>`, ""},
		{`x < y <1 <a href=u>`, "link a/@href u"},
		{`<a=b href=u><a href=v>`, "link a/@href v"},
		{`</a href=u><a href=v>`, "link a/@href v"},
	})
}

func TestHTMLForeign(t *testing.T) {
	check(t, asHTML, []fixture{
		{`<svg><image href=a /><image xlink:href=b /><use href="s.svg#x"/><feImage href=c /><a xlink:href=d></a><script href=e></script></svg>`,
			"image image/@href a; image image/@xlink:href b; use */@href s.svg#x; image feimage/@href c; link a/@xlink:href d; script script/@href e"},
		{`<svg><linearGradient xlink:href="#g"/></svg>`, "use */@xlink:href #g"},
		{`<svg><rect fill="url(#p)" filter='url("f.svg#x")'/></svg>`, "image @fill/url() #p; image @filter/url() f.svg#x"},
		{`<svg><style>a{fill:url(u)}</style><title><a href=v></a></title></svg>`, "image style/url() u; link a/@href v"},
		{`<svg><style><![CDATA[a{fill:url(u)}]]></style></svg>`, "image style/url() u"},
		{`<svg><style>a{fill:url(u&amp;v)}</style></svg>`, "image style/url() u&v"},
		{`<svg><foreignObject><title><a href=n></title><img src=u></foreignObject><image href=v /></svg>`, "image img/@src u; image image/@href v"},
		{`<svg><p><title><a href=n></title>`, ""},
		{`<svg/><title><a href=n></title>`, ""},
		{`<svg><a><set attributeName=href to=u /><animate attributeName="xlink:href" values="v ; w" from=x by=y></animate></a></svg>`,
			"link set/@to u; link animate/@values v; link animate/@values w; link animate/@from x; link animate/@by y"},
		{`<svg><set attributeName=fill to=n /><animate to=n></animate></svg><set attributeName=fill to=n>`, ""},
		{`<set attributeName=href to=n><svg></svg><set attributeName="&#104;ref" to=u>`, "link set/@to u"}, // who knows where a browser takes it to be
		{`<math><mi href=u>x</mi></math>`, "link */@href u"},
		{`<div href=u><![CDATA[><a href=v>]]>`, "link a/@href v"},
	})
}

func TestHTMLSrcdoc(t *testing.T) {
	check(t, asHTML, []fixture{
		{`<iframe srcdoc="<a href='u&amp;amp;v'>"></iframe>`, "link a/@href u&v depth 1"},
		{`<iframe srcdoc="<base href=/b/><img src=u>"></iframe><img src=v>`, "base base/@href /b/ depth 1; image img/@src u from /b/ depth 1; image img/@src v"},
		{`<iframe srcdoc="&lt;p style=&quot;a:url(&amp;quot;u&amp;quot;)&quot;>"></iframe>`, "image @style/url() u depth 1"},
	})
	src := `<img src=u>`
	for range maxSrcdoc + 3 {
		src = `<img src=u><iframe srcdoc="` + escapeQuoted(src) + `"></iframe>`
	}
	if n := len(list(t, asHTML, src)); n != maxSrcdoc+1 {
		t.Errorf("followed %d documents, want %d", n, maxSrcdoc+1)
	}
}

func TestXML(t *testing.T) {
	check(t, asXML, []fixture{
		{`<?xml version="1.0"?><?xml-stylesheet type="text/css" href="s.css?a&amp;b"?><svg xmlns:xl="http://www.w3.org/1999/xlink"><image xl:href="i.png"/></svg>`,
			"stylesheet xml-stylesheet s.css?a&b; image image/@xlink:href i.png"},
		{`<!DOCTYPE svg [<!ENTITY x "<a href='n'>">]><svg:svg><svg:use href="u"/></svg:svg>`, "use */@href u"},
		{`<svg><style>a{b:url(u)}<![CDATA[c{d:url(v)}]]></style><script><![CDATA[import("./x.js")]]></script></svg>`, "image style/url() u; image style/url() v; module script/import ./x.js"},
		{`<html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="s"/></head><body><a href="u"/></body></html>`, "script script/@src s; link a/@href u"},
		{`<feed><link rel="alternate" href="u"/><x href="v"/></feed>`, "alternate link/@href u; link */@href v"},
		{`<?xml-stylesheet type="text/xsl" href="s.xsl"?><?xml-stylesheet href=u ?>`, "stylesheet xml-stylesheet/xslt s.xsl; stylesheet xml-stylesheet u"},
		{`<?xml-stylesheet href="s`, ""},
		{`<?xml-stylesheet?><?xml-stylesheets href="n"?>`, ""},
	})
}

func TestUTF16(t *testing.T) {
	for _, bom := range []string{"\xFF\xFE", "\xFE\xFF"} {
		wide := func(s string) string {
			var b strings.Builder
			for _, c := range []byte(s) {
				if bom == "\xFF\xFE" {
					b.WriteString(string([]byte{c, 0}))
				} else {
					b.WriteString(string([]byte{0, c}))
				}
			}
			return b.String()
		}
		src := bom + wide(`<a href="u&amp;v"><iframe srcdoc="<img src=i>">`) + "\xD8\xD8x"
		check(t, asHTML, []fixture{{src, "link a/@href u&v; image img/@src i depth 1"}})
		got := rewrite(t, asHTML, src, func(r Ref) (string, bool) { return "/w/" + r.URL, true })
		want := bom + wide(`<a href="/w/u&amp;v"><iframe srcdoc="<img src=/w/i>">`) + "\xD8\xD8x"
		if got != want {
			t.Errorf("got %q\nwant %q", got, want)
		}
	}
}

func rewrite(t testing.TB, scan scanner, src string, visit Visit) string {
	t.Helper()
	var out bytes.Buffer
	if err := scan(&out, []byte(src), visit); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

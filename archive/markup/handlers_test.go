package markup

import "testing"

// TestScopeHTML scopes the scripts that stand in a document.
func TestScopeHTML(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{`<script>location.href</script>`, `<script>__lsV(location).href</script>`},
		{`<script type=module>import "/a";location</script>`, `<script type=module>import "/w//a";__lsV(location)</script>`},
		{`<script type=text/x-tmpl>location</script>`, ""}, {`<script type=application/json>{"top":top}</script>`, ""},
		{`<a onclick="location='/x'" HREF=u>`, `<a onclick="__lsT(location,v=>location=v).v='/x'" HREF=/w/u>`},
		{`<a onclick=top.x() ONLOAD='f(&quot;a&quot;,top)'>`, `<a onclick=__lsV(top).x() ONLOAD='f(&quot;a&quot;,__lsV(top))'>`},
		{`<a onclick=location=1>`, `<a onclick=__lsT(location,v&#61;&gt;location&#61;v).v=1>`},
		{`<a onclick="f()" once=location>`, `<a onclick="f()" once=__lsV(location)>`},
		{`<a href="javascript:location.reload()">`, `<a href="javascript:__lsV(location).reload()">`},
		{`<a href=" JavaScript:void%20top.f()">`, `<a href=" JavaScript:void%20__lsV(top).f()">`},
		{`<a href="javascript&colon;f(&quot;%22&quot;,top)">`, ""}, // the string never ends
		{`<a href="javascript&#58;f('%22',top)">`, `<a href="javascript&#58;f('%22',__lsV(top))">`},
		{`<a href="javascript:void(0)">`, ""}, {`<a href="java:top">`, `<a href="/w/java:top">`},
		{`<iframe srcdoc="<p onclick='top.x'>">`, `<iframe srcdoc="<p onclick='__lsV(top).x'>">`},
		{`<form action="javascript:f(location)">`, `<form action="javascript:f(__lsV(location))">`},
		{`<p title=top data-onclick=top>`, ""}, {`<textarea onfocus=f()>top</textarea>`, ""},
		{`<svg><script>if(a&lt;top){}</script></svg>`, `<svg><script>if(a&lt;__lsV(top)){}</script></svg>`},
		{"\xFF\xFE<\x00a\x00 \x00o\x00n\x00a\x00=\x00t\x00o\x00p\x00>\x00",
			"\xFF\xFE<\x00a\x00 \x00o\x00n\x00a\x00=\x00_\x00_\x00l\x00s\x00V\x00(\x00t\x00o\x00p\x00)\x00>\x00"},
	} {
		want := c.want
		if want == "" {
			want = c.src
		}
		scan := htmlOf(Options{Scope: true})
		got := rewrite(t, scan, c.src, mark)
		if got != want {
			t.Errorf("%s\nbecame\n%s\nwant\n%s", c.src, got, want)
		}
		if again := rewrite(t, scan, got, mark); again != got {
			t.Errorf("%s\nbecame\n%s\nand then\n%s", c.src, got, again)
		}
	}
}

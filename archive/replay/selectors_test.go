package replay

import (
	"bytes"
	"strings"
	"testing"

	"linkstead/archive/markup"
)

func TestSelectors(t *testing.T) {
	const whole = `:not([href*="/./"],[href*="/%2e/"],[href*="/%2E/"])`
	for css, want := range map[string]string{
		`a[href^="http://x"]{}`: `a[href]:where([href^="http://x"],[href^="/web/"][href*="/%2e/http://x"],[href^="/web/"][href*="/http://x"]` + whole + `){}`,
		`[href='/']`:            `[href]:where([href="/"],[href^="/web/"][href$="/./"]:not([href*="/%2e/"]))`,
		`[ SRC = b.png i ]{}`:   `[ SRC = b.png i ]{}`, // a dot is none of a name
		`[SRC=b i]{}`:           `[SRC]:where([SRC="b" i],[SRC^="/web/" i][SRC$="/%2e/b" i]){}`,
		`[xlink|href="?a"]{}`:   `[xlink|href]:where([xlink|href="?a"],[xlink|href^="/web/"][xlink|href*="/%2E/"][xlink|href$="?a"]){}`,
		`[*|href="//x.test"]{}`: `[*|href]:where([*|href="//x.test"],[*|href^="/./web/"][*|href$="://x.test/."]){}`,
		`[src\=x]{}`:            `[src\=x]{}`,
		`[data-src*="site.test"]{}`: `[data-src]:where([data-src*="site.test"]:not([data-src^="/web/"],[data-src^="/./web/"]),[data-src^="/web/"][data-src*="site.test"]` +
			strings.ReplaceAll(whole, "href", "data-src") + `,[data-src^="/./web/"][data-src*="site.test"]){}`,
		`[href*="up"],[href],[href=""],[href="#a"],[href^="mailto:"],[href$=".pdf"],[title="/a"],[value^="http"]{}`: "",
		`p{content:"[href='/a']";grid-area:[href]}/*[href="/a"]*/`:                                                  "",
		`[href="/a"`: "", `[href="/a`: "", `[href=/a]{}`: "", "[href=\"/a\nb\"]{}": "", `[href=`: "", `[`: "", `[|`: "", `[*`: "",
		`[href="</style>a"]`: `[href]:where([href="\3c /style>a"],[href^="/web/"][href$="/%2e/\3c /style>a"])`,
	} {
		if want == "" {
			want = css
		}
		got := selecting(t, css)
		if got != want {
			t.Errorf("%s became\n%s, want\n%s", css, got, want)
		}
		if again := selecting(t, got); again != got {
			t.Errorf("%s became\n%s, then\n%s", css, got, again)
		}
	}
}

func selecting(t *testing.T, css string) string {
	t.Helper()
	r := inward("http://site.test/dir/page")
	var out bytes.Buffer
	if err := markup.SelectingCSS(&out, []byte(css), r.selects(), r.visit); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// FuzzSelectors: what has been turned stays as it is, and what is not asked for does not change.
func FuzzSelectors(f *testing.F) {
	for _, s := range []string{`a[href^="/"]{color:red}`, `[href="\2f a"],[src*='site.test' s]`, `[href]:where([href="a"])`, `[href]:where([href^="/web/"`, `[*|src=a]{}`, `@import "[href=a]";[a="]"][href$="//x"]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, css string) {
		if len(css) > 4096 {
			return
		}
		once := selecting(t, css)
		if again := selecting(t, once); again != once {
			t.Fatalf("%q became\n%q and then\n%q", css, once, again)
		}
		if !strings.Contains(css, "[") && strings.Contains(once, ":where(") && !strings.Contains(css, ":where(") {
			t.Fatalf("%q became %q", css, once)
		}
	})
}

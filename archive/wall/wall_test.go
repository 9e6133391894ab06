package wall

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// fixture is a page with what is to be said of it.
type fixture struct {
	name  string
	page  Page
	flags []string
}

// fixtures reads a file of testdata: of each page its name, lines that tell of the answer, an empty line and the markup.
func fixtures(t testing.TB, file string) []fixture {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []fixture
	for _, f := range txtar.Parse(src).Files {
		head, body, _ := bytes.Cut(f.Data, []byte("\n\n"))
		x := fixture{name: f.Name}
		if len(body) > 0 {
			x.page.HTML = body
		}
		fields := map[string][]string{}
		for line := range strings.Lines(string(head)) {
			word, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch word {
			case "url":
				x.page.URL = value
			case "target":
				x.page.Target = value
			case "status":
				for _, c := range value {
					x.page.Status = 10*x.page.Status + int(c-'0')
				}
			case "header":
				name, v, _ := strings.Cut(value, ": ")
				fields[strings.ToLower(name)] = append(fields[strings.ToLower(name)], v)
			case "flags":
				x.flags = strings.Fields(value)
			default:
				t.Fatalf("%s: what is %q?", f.Name, word)
			}
		}
		x.page.Values = func(name string) []string { return fields[name] }
		out = append(out, x)
	}
	return out
}

func TestWallsAreRecognised(t *testing.T) {
	hit := map[string]bool{}
	for _, x := range fixtures(t, "testdata/walls.txtar") {
		f := Default.Judge(&x.page)
		rule, _, _ := strings.Cut(x.name, "/")
		hit[rule] = true
		if !slices.Contains(f.Rules, rule) {
			t.Errorf("%s is not hit by its rule, but by %q", x.name, f.Rules)
		}
		want := slices.Clone(x.flags)
		for _, w := range want {
			if !slices.Contains(f.Words(), w) {
				t.Errorf("%s is flagged %q by %q, want %q", x.name, f.Words(), f.Rules, want)
			}
		}
		if extra := len(f.Flags) - len(want); extra > 0 && !slices.Contains(f.Words(), "bot-wall") {
			t.Errorf("%s is flagged %q by %q, want %q alone", x.name, f.Words(), f.Rules, want)
		}
		if Sentence(f.Words()) == "" || Names(f.Words()) == "" {
			t.Errorf("there are no words for %q", f.Flags)
		}
	}
	for _, r := range Default.list {
		if !hit[r.name] {
			t.Errorf("rule %s has no page in testdata/walls.txtar", r.name)
		}
	}
}

func TestHonestPagesAreLeftAlone(t *testing.T) {
	for _, x := range fixtures(t, "testdata/honest.txtar") {
		if f := Default.Judge(&x.page); len(f.Rules) > 0 {
			t.Errorf("%s is flagged %q by %q", x.name, f.Words(), f.Rules)
		}
	}
}

// A rule that looks at a page never looks at one that shows much, wherever its words stand.
func TestMuchTextIsNoWall(t *testing.T) {
	long := strings.Repeat("<p>The council voted on Tuesday to keep the old bridge.</p>", 100)
	for _, x := range fixtures(t, "testdata/walls.txtar") {
		if x.page.HTML == nil {
			continue
		}
		body := bytes.Replace(x.page.HTML, []byte("</body>"), []byte(long+"</body>"), 1)
		if !bytes.Contains(body, []byte(long)) {
			continue
		}
		f := Default.Judge(&Page{URL: "https://news.example/", Status: 200, HTML: body})
		if len(f.Rules) > 0 {
			t.Errorf("%s with an article in it is flagged %q by %q", x.name, f.Words(), f.Rules)
		}
	}
}

func TestFaultyRules(t *testing.T) {
	for file, want := range map[string]string{
		"flag login":                                   "before the first rule",
		"rule a b":                                     "no name",
		"rule a":                                       "no flag",
		"rule a\nflag login":                           "every page",
		"rule a\nflag trouble":                         "no flag \"trouble\"",
		"rule a\nflag login\ntitle x":                  "how many characters",
		"rule a\nflag login\nunder 9000":               "number from 1",
		"rule a\nflag login\nstatus 5-4":               "no status",
		"rule a\nflag login\nurl (":                    "no pattern",
		"rule a\nflag login\nhas money\nunder 5":       "can't have",
		"rule a\nflag login\nwhatever x":               "unknown word",
		"rule a\nflag login\ntitle":                    "says nothing",
		strings.Repeat("# long\n", maxRuleFile/7+1):    "longer than",
		strings.Repeat("rule a\n", maxRules+1) + "x y": "no name",
	} {
		if _, err := Parse(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", file, err, want)
		}
	}
	more, err := Parse("rule ours\nflag login\nunder 100\ntitle ^staff only$\n")
	if err != nil {
		t.Fatal(err)
	}
	p := Page{URL: "https://x.example/", Status: 200, HTML: []byte("<title>Staff only</title>")}
	if f := Default.With(more).Judge(&p); !slices.Equal(f.Rules, []string{"ours"}) {
		t.Errorf("a rule of one's own: %+v", f)
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"a * c", "a b c", true}, {"a * c", "c a", false}, {"^a", "ba", false}, {"^A$", "a", true}, {"a$", "ba", true}, {"a$", "ab", false},
		{"a * b$", "a a b", true}, {"a * c", "a" + strings.Repeat("b", 300) + "c", false}, {"x * c", "x" + strings.Repeat("b", 300) + "x c", true},
	} {
		p := patternOf(c.pattern)
		if got := p.match(c.text); got != c.want {
			t.Errorf("%q in %.20q: %v", c.pattern, c.text, got)
		}
	}
}

func FuzzJudge(f *testing.F) {
	for _, file := range []string{"testdata/walls.txtar", "testdata/honest.txtar"} {
		for _, x := range fixtures(f, file) {
			f.Add(x.page.URL, x.page.Target, x.page.Status, x.page.HTML)
		}
	}
	f.Add("", "", 0, []byte("<a b=\"c'>d</a><script>e</scrip><noscript><textarea>"))
	f.Fuzz(func(t *testing.T, url, target string, status int, body []byte) {
		p := Page{URL: url, Target: target, Status: status, HTML: body}
		a := answer{page: &p}
		if n := a.shows(); n > MaxUnder || n > len(body)+len(body)/2+8 && !bytes.ContainsRune(body, '&') {
			t.Errorf("%d bytes of markup show %d of text", len(body), n)
		}
		if got := Default.Judge(&p); len(got.Flags) > len(Flags) || len(got.Flags) > 0 && Sentence(got.Words()) == "" {
			t.Errorf("flagged %q", got.Words())
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(rulesFile)
	f.Add("rule a\nflag login\nunder 10\ntitle ^$\nhas root\n")
	f.Fuzz(func(t *testing.T, file string) {
		r, err := Parse(file)
		if err == nil {
			r.Judge(&Page{URL: "http://x.example/", Status: 200, HTML: []byte("<title>x</title><p>y</p>")})
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	article := []byte("<title>Bridge</title>" + strings.Repeat("<p>The council voted on <a href=\"/t\">Tuesday</a> to keep the old bridge.</p>\n", 1000))
	short := []byte("<title>Bridge</title><script src=a.js></script>" + strings.Repeat("<p>The council voted on <a href=\"/t\">Tuesday</a> to keep the old bridge.</p>\n", 5))
	for name, body := range map[string][]byte{"article": article, "short": short, "none": nil} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Default.Judge(&Page{URL: "http://x.example/a", Status: 200, HTML: body, Values: func(string) []string { return nil }})
			}
		})
	}
}

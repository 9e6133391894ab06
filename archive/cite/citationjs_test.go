package cite_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"linkstead/archive/cite"
)

// citation-js is fetched by .ci/deps and kept in the cache.
const (
	citationJS    = "0.7.22"
	citationJSSum = "d959f782e9336678c5d98d0a67b076c1401c1a3b284514074209c181d325519a436203543ccd9fa3ee3ec604b7aecceadfc38b75716c091eaf99374258790a67" // SHA-512
)

func citationJSSource(t *testing.T) string {
	t.Helper()
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	name := filepath.Join(cache, "linkstead", "citation-js-"+citationJS+".tgz")
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("citation-js is missing: make deps fetches it: %v", err)
	}
	if sum := sha512.Sum512(raw); hex.EncodeToString(sum[:]) != citationJSSum {
		t.Fatalf("%s is another file: delete it, and make deps fetches it anew", name)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if err != nil {
			t.Fatalf("%s has no build: %v", name, err)
		}
		if h.Name == "package/build/citation.js" {
			js, err := io.ReadAll(in)
			if err != nil {
				t.Fatal(err)
			}
			return string(js)
		}
	}
}

type person struct {
	Family   string `json:"family"`
	Given    string `json:"given"`
	Particle string `json:"non-dropping-particle"`
	Dropping string `json:"dropping-particle"`
	Suffix   string `json:"suffix"`
	Literal  string `json:"literal"`
}

// item is what a reader of bibliographies made of an entry.
type item struct {
	ID        string   `json:"id"`
	Type      string   `json:"type"`
	Title     string   `json:"title"`
	Author    []person `json:"author"`
	Reporter  []string `json:"reporter"` // as written
	Container string   `json:"container-title"`
	Publisher string   `json:"publisher"`
	Volume    any      `json:"volume"`
	Page      string   `json:"page"`
	URL       string   `json:"URL"`
	DOI       string   `json:"DOI"`
	Note      string   `json:"note"`
	Location  string   `json:"archive_location"`
	Issued    struct {
		Parts [][]any `json:"date-parts"`
	} `json:"issued"`
	Accessed struct {
		Parts [][]any `json:"date-parts"`
	} `json:"accessed"`
}

func (i *item) names() (out []string) {
	for _, a := range i.Author {
		if a.Literal != "" {
			out = append(out, a.Literal)
			continue
		}
		out = append(out, strings.Join(strings.Fields(a.Given+" "+a.Particle+a.Dropping+" "+a.Family+" "+a.Suffix), " "))
	}
	return out
}

func date(parts [][]any) string {
	var out []string
	for _, p := range parts {
		for _, n := range p {
			out = append(out, fmt.Sprint(n))
		}
	}
	return strings.Join(out, "-")
}

// TestCitationJS has citation-js, which knows nothing of us, read the bibliographies back: what went in comes out, and a hostile title
// makes no entry of its own.
func TestCitationJS(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("Chromium is missing: apt-get install chromium (%v)", err)
	}
	source := citationJSSource(t)
	alloc, stop := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Env("TMPDIR="+t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"),
	)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // starts it; a deadline on this context would be one on the browser
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(cancel)
	if err := run(ctx, source+";0"); err != nil {
		t.Fatalf("citation-js does not start: %v", err)
	}
	// Its own guess at what it is given takes an entry of BibTeX in a note for BibTeX.
	forms := map[string]string{"csl": "@csl/list+object", "bibtex": "@bibtex/text", "biblatex": "@biblatex/text", "ris": "@ris/file"}
	for _, name := range []string{"csl", "bibtex", "biblatex", "ris"} {
		f, err := cite.FormatOf(name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(f.Write(records()))
		if err != nil {
			t.Fatal(err)
		}
		read, err := chromedp.Run(ctx, chromedp.Evaluate[string](`JSON.stringify(new (require('citation-js'))(`+string(text)+`).data)`))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var items []item
		if err := json.Unmarshal([]byte(read), &items); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, read)
		}
		compare(t, name, items, read)
		hostile := hostileRecords(60)
		if text, err = json.Marshal(f.Write(hostile)); err != nil {
			t.Fatal(err)
		}
		if name == "csl" { // not its text
			text = []byte(f.Write(hostile))
		}
		read, err = chromedp.Run(ctx, chromedp.Evaluate[string](`JSON.stringify(new (require('citation-js'))(`+string(text)+`, {forceType: '`+forms[name]+`'}).data.map(e => e.URL))`))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var urls []string
		if err := json.Unmarshal([]byte(read), &urls); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, read)
		}
		if len(urls) != len(hostile) {
			t.Fatalf("%s: %d entries, want %d", name, len(urls), len(hostile))
		}
		for i := range urls {
			if urls[i] != hostile[i].URL {
				t.Errorf("%s, entry %d: %q, want %q", name, i, urls[i], hostile[i].URL)
			}
		}
	}
}

func run(ctx context.Context, script string) error {
	_, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: script})
	return err
}

func compare(t *testing.T, format string, items []item, read string) {
	t.Helper()
	want := records()
	if len(items) != len(want) {
		t.Fatalf("%s: %d entries, want %d:\n%s", format, len(items), len(want), read)
	}
	for i := range items {
		got, r := &items[i], &want[i]
		same := func(what, got, want string) {
			if got != want {
				t.Errorf("%s, entry %d: %s is\n%q, want\n%q", format, i, what, got, want)
			}
		}
		title := got.Title
		if format == "csl" {
			title = strings.NewReplacer("&#60;", "<", "&#62;", ">").Replace(title)
		}
		same("title", title, r.Title())
		var names []string
		for _, a := range r.Meta.Authors {
			name := a.String()
			if format == "ris" { // which has no way to keep a comma
				name = strings.Join(strings.Fields(strings.ReplaceAll(name, ",", " ")), " ")
			}
			names = append(names, name)
		}
		if format == "ris" && r.Type() == "article-newspaper" {
			same("reporters", strings.Join(got.Reporter, "; "), "Doe, Jane; van der Berg, Jan, Jr.")
		} else {
			same("authors", strings.Join(got.names(), "; "), strings.Join(names, "; "))
		}
		same("URL", got.URL, strings.NewReplacer("{", "%7B", "}", "%7D", "|", "%7C").Replace(r.URL))
		issued := strings.ReplaceAll(r.Meta.Published.ISO(), "-0", "-")
		accessed := "2016-2-6"
		if format == "ris" {
			// It takes who wrote in a newspaper for a reporter, no more than a year for its date, and no date on which a web page was seen.
			switch r.Type() {
			case "article-newspaper":
				issued, _, _ = strings.Cut(issued, "-")
			case "webpage":
				accessed = ""
			}
		}
		same("date", date(got.Issued.Parts), issued)
		same("accessed", date(got.Accessed.Parts), accessed)
		if r.Type() == "article-journal" {
			same("type", got.Type, "article-journal")
			same("journal", got.Container, r.Meta.Container.Value)
			same("volume", fmt.Sprint(got.Volume), r.Meta.Volume)
			same("pages", got.Page, r.Meta.Pages)
			same("DOI", got.DOI, r.Meta.DOI.Value)
		}
		if !strings.Contains(got.Note, "6 February 2016, 14:10 UTC") {
			t.Errorf("%s, entry %d: note %q", format, i, got.Note)
		}
	}
}

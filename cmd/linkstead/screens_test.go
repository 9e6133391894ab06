package main

import (
	"bytes"
	"flag"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// screens is how many pages of the documentation sites are compared by their looks: go test ./cmd/linkstead -run
// TestReplayInChromium -screens 700 -timeout 2h -artifacts.
var screens = flag.Int("screens", 4, "how many pages of the documentation sites are compared by their looks")

const (
	sameWithin  = 4     // of 255 steps in each channel: less is the same pixel
	mostPixels  = 0.005 // of a screen may differ
	kindsFolder = "testdata/screens"
	kindsSite   = "http://kinds.test/"
)

// kinds are pages with what the documentation sites have none of. The last reaches into its frames, and draws by a file of its own:
// in an opaque origin, browsers refuse both.
var kinds = []string{"styles.html", "scripts.html", "old.html", "page.xhtml", "frames.html"}

// kindsHost serves them, with their pictures.
func kindsHost(t testing.TB) vhost {
	t.Helper()
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(kindsFolder)); err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"big.png": 64, "dot.png": 8} {
		if err := os.WriteFile(filepath.Join(root, name), picture(t, size, size, byte(size)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return vhost{name: "kinds.test", root: root}
}

// docURLs are n pages of the documentation sites, from all over them, by a seed.
func docURLs(t testing.TB, n int) (urls []string) {
	t.Helper()
	for _, site := range docSites() {
		err := filepath.WalkDir(site.root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && strings.HasSuffix(path, ".html") {
				urls = append(urls, "http://"+site.name+filepath.ToSlash(strings.TrimPrefix(path, site.root)))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	dice := rand.New(rand.NewPCG(5, 2016)) //nolint:gosec // nothing is to be guessed
	dice.Shuffle(len(urls), func(i, j int) { urls[i], urls[j] = urls[j], urls[i] })
	return urls[:min(n, len(urls))]
}

// captureScreens captures the pages that are compared, and what their scripts ask for, which no scanner can know.
func captureScreens(t testing.TB, n *nginx, archive string) (pages []string) {
	t.Helper()
	var list strings.Builder
	for _, name := range kinds {
		pages = append(pages, kindsSite+name)
	}
	pages = append(pages, docURLs(t, *screens)...)
	for _, url := range append([]string{kindsSite + "list.json", kindsSite + "part.html", kindsSite + "dot.png"}, pages...) {
		fmt.Fprintf(&list, "<p><a href=%q>x</a>\n", url)
	}
	name := filepath.Join(t.TempDir(), "pages.html")
	if err := os.WriteFile(name, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	r := captureReport(t, archive, append(n.resolve(), name)...)
	for _, l := range r.Links {
		if l.Replay == "" || l.Status != 200 {
			t.Errorf("%s was not captured: %s %d %s", l.URL, l.Outcome, l.Status, l.Detail)
		}
	}
	return pages
}

// place is where a copy is shown: by which server, and how.
type place struct {
	name, origin, mod string
	opaque            bool // pages have no origin there
}

// screened compares pages as they are served with their copies, in each place that copies are shown at: fewer than one pixel in
// two hundred differs, nothing is asked of others, nothing is stopped by a policy, and no script complains that did not.
func (b *browser) screened(pages []string, at string, places ...place) {
	b.t.Helper()
	worst := map[string]float64{}
	for i, url := range pages {
		b.load(url)
		was := b.screen(fmt.Sprintf("%03d-live", i))
		live := b.seen()
		for _, p := range places {
			name := fmt.Sprintf("%s, %s", url, p.name)
			if p.opaque && url == kindsSite+"frames.html" {
				continue
			}
			b.forget()
			b.open(p.origin + "/web/" + at + p.mod + "/" + url)
			b.settled(url)
			is := b.screen(fmt.Sprintf("%03d-%s", i, strings.ReplaceAll(p.name, " ", "-")))
			past := b.seen()
			b.confined(name, past, p.origin)
			for _, f := range complaints(past) {
				if !slices.Contains(complaints(live), f) {
					b.t.Errorf("%s: a complaint that the live page did not make: %s (it made %q)", name, f, complaints(live))
				}
			}
			share := differing(b.t, was, is)
			worst[p.name] = max(worst[p.name], share)
			if share > mostPixels {
				b.t.Errorf("%s: %.2f %% of the pixels differ", name, share*100)
			}
		}
	}
	b.t.Logf("%d pages; pixels that differ on the worst, by place: %v", len(pages), worst)
}

// shown waits for fonts and frames, and stops what moves.
const shown = `document.fonts.ready.then(() => {
	const s = new CSSStyleSheet();
	s.replaceSync("*, ::before, ::after { animation: none !important; transition: none !important; caret-color: transparent !important }");
	document.adoptedStyleSheets = [...document.adoptedStyleSheets, s];
	requestAnimationFrame(() => requestAnimationFrame(() => { self.shownForTest = true }));
}), 0`

// screen makes a screenshot of what is in the window, and keeps it among the artifacts.
func (b *browser) screen(name string) *image.RGBA {
	b.t.Helper()
	run(b, chromedp.Evaluate[int](shown))
	b.until("self.shownForTest")
	shot := run(b, chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(b.shots, name+".png"), shot, 0o600); err != nil {
		b.t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		b.t.Fatal(err)
	}
	flat := image.NewRGBA(img.Bounds())
	draw.Draw(flat, img.Bounds(), img, img.Bounds().Min, draw.Src)
	return flat
}

// differing is the share of pixels that are not the same; all of them if the sizes are not.
func differing(t testing.TB, was, is *image.RGBA) float64 {
	t.Helper()
	if was.Bounds() != is.Bounds() || len(was.Pix) == 0 {
		return 1
	}
	n := 0
	for i := 0; i < len(was.Pix); i += 4 {
		for c := range 4 {
			if d := int(was.Pix[i+c]) - int(is.Pix[i+c]); d >= sameWithin || -d >= sameWithin {
				n++
				break
			}
		}
	}
	return float64(n) / float64(len(was.Pix)/4)
}

// seen is what the page did until now.
func (b *browser) seen() sight {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sight
	s.faults, s.violations, s.asked = slices.Clone(s.faults), slices.Clone(s.violations), slices.Clone(s.asked)
	return s
}

var (
	described = regexp.MustCompile(`"description":"[^"]*?(?:\\n|")`)
	inArchive = regexp.MustCompile(`https?://(?:[a-z0-9-]+\.)?replay\.localhost:\d+/web/\d+(?:[a-z]{2}_)?/`)
	notLoaded = regexp.MustCompile(`^(?:Failed to load resource: .* (\S+)|Refused to execute script from '([^']+)'.*)$`)
)

// complaints are the errors on the console, by what the page was then: why an address failed is another matter.
func complaints(s sight) (all []string) {
	for _, f := range s.faults {
		if strings.HasPrefix(f, "Blocked script execution") { // in a sandboxed frame; live, that is another process, which says so elsewhere
			continue
		}
		f = inArchive.ReplaceAllString(f, "")
		if m := notLoaded.FindStringSubmatch(f); m != nil {
			f = "not loaded: " + strings.Replace(m[1]+m[2], "https://", "http://", 1) // which browsers try first, for some
		} else if m := described.FindString(f); m != "" {
			f = m
		}
		all = append(all, f)
	}
	return all
}

// press presses a button of the banner, which no script of the page can reach.
func (b *browser) press(name string) {
	b.t.Helper()
	tree := call(b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	for _, n := range tree.Nodes {
		if n.Name != nil && string(n.Name.Value) == fmt.Sprintf("%q", name) && n.BackendDOMNodeID != 0 {
			at := call(b, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: n.BackendDOMNodeID})
			call(b, runtime.CallFunctionOn, runtime.CallFunctionOnParams{ObjectID: at.Object.ObjectID, FunctionDeclaration: "function() { this.click() }"})
			return
		}
	}
	b.t.Errorf("there is no button %q", name)
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"linkstead/archive/report"
)

// served is the program at work as a server.
type served struct {
	pages, origin string // origins of the archive's own pages and of its copies
	client        *http.Client
}

// serveArchive runs linkstead serve until the test ends. PORT in a flag stands for that of the copies.
func serveArchive(t testing.TB, archive string, flags ...string) *served {
	t.Helper()
	pages, replay := "127.0.0.1:"+freePort(t), freePort(t)
	s := &served{pages: "http://" + pages, origin: "http://replay.localhost:" + replay}
	var d net.Dialer
	s.client = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return d.DialContext(ctx, network, "127.0.0.1:"+replay)
	}}}
	t.Cleanup(s.client.CloseIdleConnections)
	args := []string{"serve", "--archive", archive, "--listen", pages, "--replay-listen", "127.0.0.1:" + replay}
	for _, f := range flags {
		args = append(args, strings.ReplaceAll(f, "PORT", replay))
	}
	cmd := linkstead(t, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { stopProcess(t, "linkstead serve", cmd, ended) })
	for _, addr := range []string{pages, "127.0.0.1:" + replay} {
		if err := answers(t.Context(), "http://"+addr+"/", ended); err != nil {
			t.Fatalf("linkstead serve: %v\n%s", err, said.String())
		}
	}
	return s
}

// sum is the SHA-256 of a copy's exact bytes.
func (s *served) sum(t testing.TB, at, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.origin+"/web/"+at+"id_/"+url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Dest", "empty") // as a requisite: whichever copy is nearest
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%s: %s %v", req.URL, resp.Status, err)
	}
	return sumOf(body)
}

var mementoPath = regexp.MustCompile(`^/web/(\d{1,14})([a-z]*_)?/(.*)$`)

// original tells which URL's copy a request was for.
func (s *served) original(url string) (at, original string, ok bool) {
	m := mementoPath.FindStringSubmatch(strings.TrimPrefix(url, s.origin))
	if m == nil {
		return "", "", false
	}
	return m[1], m[3], true
}

// aleppoPages are the post and one linked page of each site.
var aleppoPages = []struct{ name, url string }{
	{"post", aleppoURL},
	{"python", "http://docs.python.test/library/argparse.html"},
	{"postgres", "http://pg.test/sql-select.html?utm_source=x&b=%20y"},
	{"git", "http://git.test/MyFirstContribution.html"},
}

// TestReplayInChromium captures a post with its sources, and looks at it in Chromium as it is served and as it is
// archived: the copies look the same, have the same bytes, and ask nobody else for anything.
func TestReplayInChromium(t *testing.T) {
	t.Parallel()
	n, archive := startAleppo(t, kindsHost(t)), filepath.Join(t.TempDir(), "A")
	pages := captureScreens(t, n, archive)
	r := captureAleppo(t, n, archive)
	s, b := serveArchive(t, archive), browse(t, n.rules()...)
	for _, p := range aleppoPages {
		b.load(p.url)
		live, was := b.look("live-" + p.name)
		n.forget(t)
		replay := s.origin + "/web/" + r.Post.CapturedAt.UTC().Format("20060102150405") + "/" + p.url
		if p.url == aleppoURL && replay != strings.Replace(r.Post.Replay, "http://replay.localhost:8081", s.origin, 1) {
			t.Errorf("the report says that the copy is at %s, not %s", r.Post.Replay, replay)
		}
		b.forget()
		b.open(strings.Replace(replay, "/"+p.url, "mp_/"+p.url, 1)) // without the banner, which moves the page down
		b.settled(p.url)
		past, is := b.look("replay-" + p.name)
		b.confined(p.name, past, s.origin)
		sameBytes(t, s, live, past)
		sameLook(t, p.name, was, is)
		samePixels(t, b.shots, p.name)
		if asked := n.requests(t); len(asked) > 0 {
			t.Errorf("%s: the live web was asked for %v", p.name, asked)
		}
	}
	sample := sampled(r, 3)
	if len(sample) == 0 {
		t.Error("no link of the post is fit to be compared")
	}
	one := serveArchive(t, archive, "--workers", "0", "--replay-origin", "http://replay.localhost:PORT")
	b.screened(slices.Concat([]string{aleppoURL}, sample, pages), r.Post.CapturedAt.UTC().Format("20060102150405"),
		place{"a host a site", s.origin, "mp_", false}, place{"one host", one.origin, "mp_", true})
	// A reader who hides the banner sees the page as it was, but for the pill that brings it back.
	b.load(aleppoURL)
	was := b.screen("banner-live")
	b.open(strings.Replace(r.Post.Replay, "http://replay.localhost:8081", s.origin, 1))
	b.settled(aleppoURL)
	b.press("Hide the banner")
	if share := differing(t, was, b.screen("banner-hidden")); share > mostPixels {
		t.Errorf("with the banner hidden, %.2f %% of the pixels differ", share*100)
	}
	n.forget(t)
	readAlong(t, b, s)
	if asked := n.requests(t); len(asked) > 0 {
		t.Errorf("the live web was asked for %v", asked)
	}
}

// sampled are n of the post's captured links, by a seed, so that they are the same in every run.
func sampled(r *report.Report, n int) (urls []string) {
	dice := rand.New(rand.NewPCG(5, 2016)) //nolint:gosec // nothing is to be guessed
	for _, i := range dice.Perm(len(r.Links)) {
		if l := r.Links[i]; len(urls) < n && l.Replay != "" && l.Status == http.StatusOK && len(l.Redirects) == 0 && strings.HasSuffix(l.URL, ".html") {
			urls = append(urls, l.URL)
		}
	}
	return urls
}

// confined says what a page asked of others, and what our policy had to stop.
func (b *browser) confined(name string, s sight, origins ...string) {
	b.t.Helper()
	for _, u := range s.beyond(origins...) {
		b.t.Errorf("%s: a request beyond the archive: %s", name, u)
	}
	for _, v := range s.violations {
		b.t.Errorf("%s: the policy had to stop: %s", name, v)
	}
}

// sameBytes checks that all that a page got when it was live comes from the archive, byte for byte.
func sameBytes(t *testing.T, s *served, live, past sight) {
	t.Helper()
	copies := map[string]*response{}
	at := map[string]string{}
	for url, r := range past.requests {
		if when, original, ok := s.original(url); ok && (copies[original] == nil || r.status == 200) {
			copies[original], at[original] = r, when
		}
	}
	n := 0
	for url, was := range live.requests {
		if was.status != 200 || !strings.HasPrefix(url, "http") {
			continue
		}
		n++
		r := copies[url]
		if r == nil || r.status != 200 {
			t.Errorf("%s was there live (%s), and replays as %+v", url, was.kind, r)
			continue
		}
		if got := s.sum(t, at[url], url); got != was.sum {
			t.Errorf("%s: the copy's SHA-256 is %s, was %s", url, got, was.sum)
		}
		// Pictures and fonts reach the page as they are.
		if was.kind == network.ResourceTypeImage && !strings.Contains(url, ".svg") && r.sum != was.sum || r.sum == "" {
			t.Errorf("%s: the page got other bytes: %s, was %s", url, r.sum, was.sum)
		}
	}
	if n == 0 {
		t.Errorf("%d responses were there live: %v", n, urlsOf(live.asked))
	}
	t.Logf("%d responses with equal bytes of %d asked for; live %d", n, len(past.asked), len(live.asked))
}

// sameLook compares every element's computed style and every picture's size.
func sameLook(t *testing.T, name string, was, is facts) {
	t.Helper()
	if is.Title != was.Title || is.Ran != was.Ran {
		t.Errorf("%s: title %q and scripts %s, were %q and %s", name, is.Title, is.Ran, was.Title, was.Ran)
	}
	shown := 0
	if len(is.Pictures) != len(was.Pictures) {
		t.Errorf("%s: %d pictures, were %d", name, len(is.Pictures), len(was.Pictures))
	} else {
		for i, p := range was.Pictures {
			if is.Pictures[i] != p {
				t.Errorf("%s: picture %+v, was %+v", name, is.Pictures[i], p)
			}
			if p.Width > 0 {
				shown++
			}
		}
	}
	if len(is.Styles) != len(was.Styles) {
		t.Errorf("%s: %d elements, were %d", name, len(is.Styles), len(was.Styles))
		return
	}
	wrong := 0
	for i, style := range was.Styles {
		if is.Styles[i] != style {
			if wrong++; wrong < 4 {
				t.Errorf("%s: looks like %s\nand was %s", name, is.Styles[i], style)
			}
		}
	}
	t.Logf("%s: %d elements, %d of them look otherwise; %d of %d pictures shown", name, len(was.Styles), wrong, shown, len(was.Pictures))
	if name == "post" {
		if shown < 5 || !strings.Contains(is.Styles[1], "pattern.png") || !strings.Contains(is.Ran, "modal") {
			t.Errorf("the post shows %d pictures, its body is %s, scripts left %s", shown, is.Styles[1], is.Ran)
		}
	}
}

// samePixels compares the screenshots.
func samePixels(t *testing.T, dir, name string) {
	t.Helper()
	var shots [2][]byte
	for i, kind := range []string{"live-", "replay-"} {
		f, err := os.Open(filepath.Join(dir, kind+name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		img, err := png.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		flat := image.NewRGBA(img.Bounds())
		draw.Draw(flat, img.Bounds(), img, img.Bounds().Min, draw.Src)
		shots[i] = flat.Pix
	}
	wrong := 0
	for i := range min(len(shots[0]), len(shots[1])) {
		if shots[0][i] != shots[1][i] {
			wrong++
		}
	}
	if len(shots[0]) != len(shots[1]) || wrong > len(shots[0])/1000 {
		t.Errorf("%s: the screenshots differ in %d of %d and %d bytes", name, wrong, len(shots[0]), len(shots[1]))
	}
}

// readAlong goes from the archive's own pages into the copy of the post, and on by one of its links.
func readAlong(t *testing.T, b *browser, s *served) {
	t.Helper()
	quiet := func(name string) {
		t.Helper()
		now, _ := b.look(name)
		b.confined(name, now, s.pages, s.origin)
		for _, f := range now.faults {
			t.Errorf("%s: an error on the console: %s", name, f)
		}
	}
	b.load(s.pages + "/")
	quiet("home")
	follow := func(selector, suffix string) string {
		t.Helper()
		b.forget()
		b.do(chromedp.Click(chromedp.CSS(selector)))
		return b.settled(suffix)
	}
	if url := follow(`a[href^="/posts/"]`, ""); !strings.HasPrefix(url, s.pages+"/posts/") {
		t.Errorf("the post's page is at %s", url)
	}
	quiet("report")
	if url := follow(fmt.Sprintf(`a[href^="%s/web/"]`, s.origin), aleppoURL); !strings.HasPrefix(url, s.origin+"/web/2") {
		t.Errorf("the copy of the post is at %s", url)
	}
	const next = "http://docs.python.test/library/abc.html"
	if url := follow(`a[href$="/`+next+`"]`, next); !strings.HasPrefix(url, s.origin+"/web/2") {
		t.Errorf("the post's link leads to %s", url)
	}
	now, f := b.look("followed")
	b.confined("followed", now, s.origin)
	if !strings.HasPrefix(f.Title, "abc — Abstract Base Classes") {
		t.Errorf("the post's link leads to %q", f.Title)
	}
}

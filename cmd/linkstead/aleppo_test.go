package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"linkstead/archive/report"
)

// The post of these tests: a WordPress page of 2016 with 25 comments. Its links lead to the documentation sites; some are
// dead on purpose.
const (
	aleppoHTML = "../../archive/post/testdata/aleppo.html"
	aleppoText = "../../archive/post/testdata/aleppo.txt"
	aleppoURL  = "http://blog.wp.test/2016/02/aleppo/"
)

// startAleppo serves the post and what it leads to, as far as that is still there.
func startAleppo(t testing.TB, more ...vhost) *nginx {
	t.Helper()
	root := t.TempDir()
	src, err := os.ReadFile(aleppoHTML)
	if err != nil {
		t.Fatal(err)
	}
	put := func(name string, data []byte) {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("2016/02/aleppo/index.html", src)
	const nav = "wp-includes/blocks/navigation/"
	put(nav+"style.min.css", []byte("@import url(\"more.css?ver=6.1.9\");\nbody{background:#fdf6e3 url(../../images/pattern.png)}\n"+
		".wp-block-post-title{color:rgb(181,18,70);letter-spacing:2px}\n"))
	put(nav+"more.css", []byte("@import '../../css/last.css';\nblockquote{border-left:9px solid rgb(20,90,60)}"))
	put("wp-includes/css/last.css", []byte(".wp-block-comment-template li{list-style-image:url('/wp-includes/images/dot.png')}"))
	put("wp-includes/images/pattern.png", picture(t, 40, 40, 1))
	put("wp-includes/images/dot.png", picture(t, 8, 8, 2))
	put(nav+"view.min.js", []byte("document.documentElement.dataset.view='ran'"))
	put(nav+"view-modal.min.js", []byte("document.documentElement.dataset.modal='ran'"))
	put("wp-includes/js/comment-reply.min.js", []byte("window.addComment={ran:true}"))
	pictures(t, src, put)
	return startNginx(t, append(append(docSites(), vhost{name: "blog.wp.test", root: root}), more...)...)
}

// pictures makes half of the post's pictures, in every size that it names. The others are gone.
func pictures(t testing.TB, src []byte, put func(string, []byte)) {
	t.Helper()
	n := 0
	for _, m := range regexp.MustCompile(`http://blog\.wp\.test/(wp-content/uploads/[^ ,"]*?/([a-d][^/ ]*\.png)) ([0-9]+)w`).FindAllSubmatch(src, -1) {
		w, err := strconv.Atoi(string(m[3]))
		if err != nil {
			t.Fatal(err)
		}
		put(string(m[1]), picture(t, w, w*2/3, byte(w)))
		n++
	}
	if n < 8 {
		t.Fatalf("the post names only %d pictures", n)
	}
}

// picture is a PNG with a pattern in it.
func picture(t testing.TB, w, h int, seed byte) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, color.NRGBA{byte(x/16%2*20) + 230 - seed%7*9, byte(y/16%2*20) + 235, 240, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// linkstead is the program as a process. It runs in the package's folder, under its own name.
func linkstead(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "linkstead") // testscript's main looks at the program's name
	if err := os.Symlink(exe, link); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(link, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it goes with the test, however that ends
	return cmd
}

// captureReport captures one source and reads the report of it.
func captureReport(t testing.TB, archive string, args ...string) *report.Report {
	t.Helper()
	args = append([]string{"capture", "--archive", archive, "--allow-private", "--delay", "0s", "--retries", "0", "--json"}, args...)
	out, err := linkstead(t, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("linkstead %s: %v\n%s", strings.Join(args, " "), err, exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := &report.Report{}
	if err := json.Unmarshal(out, r); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return r
}

// captureAleppo captures the post as it is served. Nothing leaves the machine: what is not served here is refused, but
// for the names that do not exist.
func captureAleppo(t testing.TB, n *nginx, archive string, more ...string) *report.Report {
	t.Helper()
	args := n.resolve()
	nobody := freeLoopback(t, 80)
	for _, closed := range []string{"pg.test:81", "docs.python.test:443", "wordpress.org:443", "s.w.org:443", "0.gravatar.com:80", "1.gravatar.com:80", "2.gravatar.com:80"} {
		args = append(args, "--resolve", closed+":"+nobody)
	}
	return captureReport(t, archive, append(append(args, more...), aleppoURL)...)
}

// TestAleppo captures a real page as it is served, and its plain-text copy from which the links were lost.
func TestAleppo(t *testing.T) {
	t.Parallel()
	n, archive := startAleppo(t), filepath.Join(t.TempDir(), "A")
	r := captureAleppo(t, n, archive)
	if r.Post.Outcome != "captured" || r.Post.Status != 200 || !strings.HasPrefix(r.Post.Title, "Hospital bombed") {
		t.Errorf("the post: %+v", r.Post)
	}
	checkFates(t, r)
	totals := r.Totals
	totals.Tasks = nil
	// Left out are places, not addresses: a date and a reply button of every comment among them. Of what the pages need,
	// the newsroom serves a part.
	needs := &report.Requisites{N: 67, Captured: 42, Lacking: 25}
	if want := (report.Totals{Links: 55, Captured: 37, Dead: 18, LeftOut: 57, Requisites: needs}); !reflect.DeepEqual(totals, want) {
		t.Errorf("totals %+v, want %+v", totals, want)
	}
	for _, l := range r.LeftOut {
		if strings.Contains(l.URL, "replytocom") != (l.Reason == "reply" && l.Text == "Reply") {
			t.Errorf("left out: %+v", l)
		}
	}
	for url, k := range n.requests(t) {
		if k != 1 {
			t.Errorf("%s was asked for %d times", url, k)
		}
	}

	text := captureReport(t, archive, aleppoText)
	if text.Post.Outcome != "captured" || len(text.Links) != 0 || text.Totals.Pending != 0 || text.Post.Digest == "" {
		t.Errorf("the text: %+v, %d links", text.Post, len(text.Links))
	}
	out, err := linkstead(t, "list", "--archive", archive).Output()
	if err != nil || !strings.Contains(string(out), aleppoURL) || !strings.Contains(string(out), "aleppo.txt") {
		t.Errorf("list: %v\n%s", err, out)
	}
	if err := strictRead(archive); err != nil {
		t.Error(err)
	}
}

// checkFates looks at every link of the post: which are dead, and why, and where each is cited.
func checkFates(t *testing.T, r *report.Report) {
	t.Helper()
	src, err := os.ReadFile(aleppoHTML)
	if err != nil {
		t.Fatal(err)
	}
	runes := []rune(string(src))
	want := map[string]string{
		"http://docs.python.test/gone/page.html":             "captured 404",
		"http://git.test/404-not-here.html":                  "captured 404",
		"http://no-such-host.test/a":                         "dns 0",
		"http://pg.test:81/closed-port":                      "refused 0",
		"https://docs.python.test/library/json.html":         "refused 0", // nothing listens there for https
		"https://wordpress.org/":                             "refused 0",
		"http://pg.test/sql-select.html?utm_source=x&b=%20y": "captured 200",
	}
	for _, l := range r.Links {
		w, named := want[l.URL]
		switch {
		case named:
			delete(want, l.URL)
		case strings.HasPrefix(l.URL, "http://handbook.debian.test/"):
			w = "dns 0"
		default:
			w = "captured 200"
		}
		if got := fmt.Sprintf("%s %d", l.Outcome, l.Status); got != w {
			t.Errorf("%s: %s, want %s", l.URL, got, w)
		}
		if kept := l.Outcome == "captured"; kept != (l.Digest != "" && l.CapturedAt != nil && l.Replay != "") || kept == (l.Detail != "") {
			t.Errorf("%s: digest %q, copy %q, detail %q", l.URL, l.Digest, l.Replay, l.Detail)
		}
		for _, c := range l.Citations {
			if c.Start < 0 || c.End > len(runes) || !strings.HasPrefix(string(runes[c.Start:c.End]), "<a ") {
				t.Errorf("%s: is not cited at %d to %d", l.URL, c.Start, c.End)
			}
		}
	}
	for url := range want {
		t.Errorf("%s is not among the links", url)
	}
}

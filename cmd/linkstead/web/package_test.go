package web

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"linkstead/storage"
)

// TestPackages: a post's package is handed out whole and cleared away; what can't be made is told; one is made at a time.
func TestPackages(t *testing.T) {
	a := filled(t)
	const path = "/posts/waf3kq2m7ayz/post.wacz"
	if w := a.get(path); w.Code != http.StatusNotFound {
		t.Errorf("where none is handed out: %d", w.Code)
	}
	var closed int
	var wrong error
	a.pages.Package = func(_ context.Context, v storage.Post) (*Package, error) {
		if w := a.get(path); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "one post at a time") {
			t.Errorf("a second one: %d", w.Code)
		}
		if wrong != nil {
			return nil, wrong
		}
		f, err := os.Create(filepath.Join(t.TempDir(), "p"))
		if err == nil {
			_, err = f.WriteString("the package of " + v.ID)
		}
		return &Package{File: f, Close: func() error { closed++; return f.Close() }}, err
	}
	w := a.get(path)
	if h := w.Header(); w.Code != http.StatusOK || w.Body.String() != "the package of waf3kq2m7ayz" || h.Get("Content-Type") != "application/wacz" || h.Get("Content-Length") != "27" ||
		h.Get("Content-Disposition") != `attachment; filename="waf3kq2m7ayz.wacz"` || h.Get("Cache-Control") != "no-store" || closed != 1 {
		t.Errorf("%d %v %q, closed %d times", w.Code, h, w.Body, closed)
	}
	if w := a.ask(http.MethodHead, "localhost", path); w.Code != http.StatusOK || w.Body.Len() > 0 || closed != 1 {
		t.Errorf("HEAD: %d", w.Code)
	}
	for status, err := range map[int]error{http.StatusNotFound: ErrNothingToSee, http.StatusRequestEntityTooLarge: &Refused{Text: "more than 1 GiB"}, http.StatusInternalServerError: os.ErrPermission} {
		wrong = err
		if w := a.get(path); w.Code != status || strings.Contains(w.Body.String(), os.ErrPermission.Error()) || w.Header().Get("Content-Disposition") != "" {
			t.Errorf("%v: %d %v\n%s", err, w.Code, w.Header(), w.Body)
		}
	}
	for path, status := range map[string]int{"/posts/none/post.wacz": 404, path + "?run=x": 400, path + "?run=99": 404} {
		if w := a.get(path); w.Code != status {
			t.Errorf("%s: %d, want %d", path, w.Code, status)
		}
	}
	if n := a.pages.packages.Load(); n != 0 {
		t.Errorf("%d packages are left", n)
	}
}

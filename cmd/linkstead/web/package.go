package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"linkstead/storage"
)

// Package is a post with all that is kept for it, as a WACZ. Whoever got it closes it.
type Package struct {
	File  *os.File
	Close func() error
}

// ErrNothingToSee says that readers may see nothing of a post.
var ErrNothingToSee = errors.New("readers may see nothing of it")

// MakePackage makes the package of a version of a post. A *Refused says why it can't be.
type MakePackage func(ctx context.Context, v storage.Post) (*Package, error)

// packageFile is the name of a post's package, beside its page.
const packageFile = "post.wacz"

// maxPackages bounds the packages that are handed out at a time: each takes room on the disk until it is fetched.
const maxPackages = 4

// packed makes the package of a post and hands it out. One at a time is made, for it takes the machine's time.
func (p *Pages) packed(w http.ResponseWriter, r *http.Request) {
	defer p.packages.Add(-1)
	if p.packages.Add(1) > maxPackages {
		p.fail(w, r, &problem{
			status: http.StatusServiceUnavailable, title: "Too many posts are being fetched", text: "The archive hands out four packed posts at a time.", hint: "Try again in a few minutes.",
		})
		return
	}
	f, name, err := p.pack(r)
	if err != nil {
		if r.Context().Err() == nil {
			p.fail(w, r, err)
		}
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/wacz")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store") // a rule may close it
	if f == nil {
		return // a HEAD
	}
	defer func() {
		if err := f.Close(); err != nil {
			p.Log.Warn("a package is left behind", "path", r.URL.Path, "error", err)
		}
	}()
	size, err := f.File.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = f.File.Seek(0, io.SeekStart)
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	_, _ = io.Copy(w, f.File) // who went away is not told
}

func (p *Pages) pack(r *http.Request) (*Package, string, error) {
	if p.Package == nil {
		_, err := nothingHere(r)
		return nil, "", err
	}
	asked, err := viewOf(r.PathValue("id"), r.URL.Query())
	if err != nil {
		return nil, "", err
	}
	versions, err := p.Rows.PostVersions(r.Context(), asked.id)
	if err != nil {
		return nil, "", err
	}
	i, err := choose(versions, asked)
	if err != nil {
		return nil, "", err
	}
	name := versions[i].ID + ".wacz"
	if r.Method == http.MethodHead {
		return nil, name, nil
	}
	if !p.packing.TryLock() {
		return nil, "", &problem{
			status: http.StatusServiceUnavailable, title: "Another post is being packed", text: "The archive packs one post at a time.", hint: "Try again in a minute.",
		}
	}
	defer p.packing.Unlock()
	f, err := p.Package(r.Context(), versions[i])
	var refused *Refused
	switch {
	case errors.Is(err, ErrNothingToSee):
		err = &problem{
			status: http.StatusNotFound, title: "Nothing to hand out", text: "There is nothing of this post that readers may see.", hint: "The page of the post tells what was captured.",
		}
	case errors.As(err, &refused):
		err = &problem{status: http.StatusRequestEntityTooLarge, title: "Too large to be packed here", text: refused.Text}
	}
	return f, name, err
}

// packageHref leads to the package of a version of a post; empty if none is handed out.
func (p *Pages) packageHref(asked view) string {
	if p.Package == nil {
		return ""
	}
	href := "/posts/" + url.PathEscape(asked.id) + "/" + packageFile
	if asked.run != 0 {
		href += "?run=" + strconv.FormatInt(asked.run, 10)
	}
	return href
}

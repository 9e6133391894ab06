package probe

import (
	"context"
	"net/http"
	"path"
	"strings"
	"sync"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
)

// maxHeads bounds the hosts whose HEAD is known, in number: of more, nothing is learnt.
const maxHeads = 10_000

// heads is what is known of how hosts answer HEAD.
type heads struct {
	mu    sync.Mutex
	hosts map[string]*headHost
}

type headHost struct {
	told  *Answer // by HEAD, and not compared yet
	true  bool    // it answered as GET did
	lying bool    // it did not, and is never believed again
}

// files are the endings of addresses whose bodies a look has no use for.
var files = map[string]bool{
	".7z": true, ".avi": true, ".bin": true, ".bz2": true, ".deb": true, ".dmg": true, ".doc": true, ".docx": true, ".epub": true,
	".exe": true, ".flac": true, ".gif": true, ".gz": true, ".iso": true, ".jar": true, ".jpeg": true, ".jpg": true, ".mov": true,
	".mp3": true, ".mp4": true, ".msi": true, ".odt": true, ".ogg": true, ".pdf": true, ".png": true, ".ppt": true, ".pptx": true,
	".rar": true, ".rpm": true, ".svgz": true, ".tar": true, ".tgz": true, ".tif": true, ".tiff": true, ".wav": true, ".webm": true,
	".webp": true, ".xls": true, ".xlsx": true, ".xz": true, ".zip": true, ".zst": true,
}

// fit says whether a request is one for HEAD: for a file, unconditional, on a host that is not known to lie.
func (h *heads) fit(req Request) bool {
	file, _, _ := strings.Cut(req.URL, "?")
	if req.All || len(req.Fragments) > 0 || req.ETag != "" || req.Modified != "" || !files[strings.ToLower(path.Ext(file))] {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hosts == nil {
		h.hosts = map[string]*headHost{}
	}
	host := urlkey.Host(req.URL)
	if h.hosts[host] == nil && len(h.hosts) < maxHeads {
		h.hosts[host] = &headHost{}
	}
	known := h.hosts[host]
	return known != nil && !known.lying
}

// byHead asks by HEAD. It answers only if that can be believed: the host was seen to tell the truth, and says that the file
// is there, with what a server knows of a file alone. Everything else a GET decides; nil, then.
func (p *Prober) byHead(ctx context.Context, req Request, done func(*warc.Exchange), l *Look) (*Answer, error) {
	a, x, err := p.ask(ctx, http.MethodHead, req, l)
	done(x)
	if err != nil {
		return nil, err
	}
	if p.heads.believe(urlkey.Host(req.URL), a) {
		return a, nil
	}
	if p.Gate == nil {
		got, _, err := p.ask(ctx, http.MethodGet, req, l)
		if err == nil {
			p.heads.compare(req.URL, got)
		}
		return got, err
	}
	return nil, nil
}

// believe says whether an answer to HEAD counts. If not, it is remembered, to be compared with that to GET.
func (h *heads) believe(host string, a *Answer) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := h.hosts[host]
	if known.true && !known.lying && filed(a) {
		return true
	}
	known.told = a
	return false
}

// filed says whether an answer tells what is known of a file that is there.
func filed(a *Answer) bool {
	return a.Outcome == outcome.Captured && a.Status == http.StatusOK && !textual(a.Mime) && len(a.Flags) == 0 &&
		a.Size > 0 && (a.ETag != "" || a.Changed != "")
}

// compare holds what a host said to HEAD against what it said to GET. One that says something else is never believed again;
// that a HEAD failed where GET did not says the same.
func (h *heads) compare(url string, got *Answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := h.hosts[urlkey.Host(url)]
	if known == nil || known.told == nil || known.told.URL != got.URL {
		return
	}
	told := known.told
	known.told = nil
	switch {
	case told.Status != got.Status || told.Mime != got.Mime || told.Target != got.Target:
		known.lying = true
	case filed(told) && filed(got) && told.Size == got.Size && told.ETag == got.ETag && told.Changed == got.Changed:
		known.true = true
	}
}

package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"linkstead/archive/pdf"
	"linkstead/archive/post"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// maxDocument bounds a document that is handed in, in bytes.
const maxDocument = 64 << 20

// source is what a person named: an address, or a document with the name under which it is kept.
func (e *env) source(arg string) (name string, doc *storage.Document, err error) {
	if arg == "-" {
		body, err := readBounded(e.stdin, "standard input")
		if err != nil {
			return "", nil, err
		}
		// What is piped in has no name but what it says.
		sum := sha256.Sum256(body)
		name := fmt.Sprintf("file:///stdin/%x", sum[:6])
		doc, err := document("standard input", "", body)
		return name, doc, err
	}
	if hasScheme(arg) {
		url, err := urlkey.Parse("", arg)
		if err != nil || !urlkey.Fetchable(url) {
			return "", nil, usageError{fmt.Errorf("%q is no http(s) address: write it in full, for example https://example.org/post", arg)}
		}
		return url, nil, nil
	}
	body, err := readFile(arg)
	if errors.Is(err, fs.ErrNotExist) {
		err = usageError{fmt.Errorf("there is no file %q; for an address on the web, begin with https://", arg)}
	}
	if err != nil {
		return "", nil, err
	}
	doc, err = document(arg, arg, body)
	return fileName(arg), doc, err
}

// document is what was handed in, if it is something that links can be read out of.
func document(what, name string, body []byte) (*storage.Document, error) {
	t := sniff(name, body)
	switch {
	case t == "text/html" || t == "application/xhtml+xml":
		if !bytes.Contains(bytes.ToLower(body[:min(len(body), 2048)]), []byte("charset")) && utf8.Valid(body) {
			t += "; charset=utf-8"
		}
	case t == "application/pdf", strings.HasSuffix(t, "xml") && post.IsFeed(body), strings.HasSuffix(t, "json") && post.IsJSONFeed(body):
	case strings.HasPrefix(t, "text/"):
		if utf8.Valid(body) {
			t += "; charset=utf-8"
		}
	default:
		return nil, usageError{fmt.Errorf("%s looks like %s; links can be read out of HTML, PDF, Markdown, feeds and plain text alone", what, t)}
	}
	return &storage.Document{Mime: t, Body: body}, nil
}

func hasScheme(s string) bool {
	scheme, _, ok := strings.Cut(s, ":")
	return ok && len(scheme) > 1 && !strings.ContainsAny(scheme, "/\\. ")
}

// hasUser says whether there is a name before an address's host.
func hasUser(arg string) bool {
	_, rest, _ := strings.Cut(arg, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return strings.Contains(rest, "@")
}

func readFile(path string) ([]byte, error) {
	switch st, err := os.Stat(path); {
	case err != nil:
		return nil, err
	case st.IsDir():
		return nil, usageError{fmt.Errorf("%s is a folder; name a file in it", path)}
	case !st.Mode().IsRegular(): // opening a pipe waits for its other end
		return nil, usageError{fmt.Errorf("%s is no file but a pipe or a device; copy what it gives into a file", path)}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	return readBounded(f, path)
}

func readBounded(r io.Reader, name string) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(body) > maxDocument {
		return nil, fmt.Errorf("%s is longer than %d MiB: too long for a post", name, maxDocument>>20)
	}
	if len(body) == 0 {
		return nil, usageError{fmt.Errorf("%s is empty: there is nothing to capture", name)}
	}
	return body, nil
}

// fileName is the name under which a file is kept: its whole path, so that files of one name are not taken for one.
func fileName(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil { // the current folder is gone
		abs = path
	}
	return (&fileURL{filepath.ToSlash(abs)}).String()
}

// fileURL is a path as a file: URL.
type fileURL struct{ path string }

func (u *fileURL) String() string {
	var sb strings.Builder
	sb.WriteString("file:///")
	for _, c := range []byte(strings.TrimPrefix(u.path, "/")) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"#%<>?[\]^`+"`{|}", c) >= 0 {
			fmt.Fprintf(&sb, "%%%02X", c)
		} else {
			sb.WriteByte(c)
		}
	}
	return sb.String()
}

// sniff tells the media type of a document by its name, else by what it looks like.
func sniff(name string, body []byte) string {
	switch ext := strings.ToLower(filepath.Ext(name)); ext {
	case ".md", ".markdown":
		return "text/markdown"
	case ".txt", ".text":
		return "text/plain"
	case ".htm", ".html":
		return "text/html"
	case ".xhtml":
		return "application/xhtml+xml"
	case ".rss":
		return "application/rss+xml"
	case ".atom":
		return "application/atom+xml"
	case ".rdf":
		return "application/rdf+xml"
	case ".pdf", "":
	default:
		if t, _, err := mime.ParseMediaType(mime.TypeByExtension(ext)); err == nil {
			return t
		}
	}
	if pdf.Is(body) && (bytes.HasPrefix(bytes.TrimSpace(body), []byte("%PDF-")) || !utf8.Valid(body)) {
		return "application/pdf"
	}
	if post.IsFeed(body) {
		return "application/xml"
	}
	if post.IsJSONFeed(body) {
		return "application/feed+json"
	}
	start := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 1024)]))
	if bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.Contains(start, []byte("<html")) || bytes.Contains(start, []byte("<body")) {
		return "text/html"
	}
	if !utf8.Valid(body) && bytes.IndexByte(body, 0) >= 0 {
		return "application/octet-stream"
	}
	return "text/plain"
}

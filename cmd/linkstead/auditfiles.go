package main

import (
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"linkstead/archive/post"
	"linkstead/archive/report"
	"linkstead/archive/text"
	"linkstead/archive/urlkey"
	"linkstead/crawler/probe"
)

// Bounds of an audit's files.
const (
	auditFiles = 10_000   // that a folder may have
	auditKept  = 64 << 20 // bytes of files that are kept in memory
)

// auditSources are the sources, with the documents of a folder in its place.
func auditSources(args []string) (out []string, err error) {
	for _, arg := range args {
		st, err := os.Stat(arg)
		if arg == "-" || hasScheme(arg) || err != nil || !st.IsDir() {
			out = append(out, arg)
			continue
		}
		files, err := documentsIn(arg)
		if err != nil {
			return nil, err
		}
		out = append(out, files...)
	}
	return out, nil
}

// documentsIn are the documents of a folder and of those in it, in the order of their names. What is hidden, or is nothing, is left out.
func documentsIn(dir string) (files []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := path != dir && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules")
		switch {
		case d.IsDir() && hidden:
			return fs.SkipDir
		case hidden || !d.Type().IsRegular():
			return nil
		}
		switch strings.ToLower(filepath.Ext(path)) {
		case ".md", ".markdown", ".html", ".htm", ".xhtml", ".txt":
		default:
			return nil
		}
		if st, err := d.Info(); err != nil || st.Size() == 0 {
			return err
		}
		if files = append(files, path); len(files) > auditFiles {
			return usageError{fmt.Errorf("%s has more than %d documents: name folders in it", dir, auditFiles)}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look through %s: %w", dir, err)
	}
	if len(files) == 0 {
		return nil, usageError{fmt.Errorf("%s has no HTML, Markdown or text file; name the files themselves", dir)}
	}
	return files, nil
}

// name is what a document is called in a link to a place in itself.
func (d *auditDoc) name() string {
	if d.path != "" {
		return url.PathEscape(filepath.Base(d.path))
	}
	return d.url
}

// within says whether a citation names a place in its own document, which is looked for.
func (c *auditCmd) within(ct *post.Citation) bool {
	raw := strings.TrimSpace(ct.Raw)
	return c.Fragments && !c.Offline && len(raw) > 1 && raw[0] == '#' && (ct.LeftOut == "no base" || ct.LeftOut == "same page")
}

// local says whether a citation names a file or a folder, beside the file that it stands in.
func (c *auditCmd) local(d *auditDoc, ct *post.Citation) bool {
	return d.path != "" && c.Base == "" && ct.LeftOut == "no base" && fileBeside(c.Root, d.path, ct.Raw) != ""
}

// fileBeside is the file that a reference means which stands in the file at path; empty if it means none that can be told: what
// begins with a slash begins where the site does, at root.
func fileBeside(root, path, ref string) string {
	ref = strings.TrimSpace(ref)
	if i := strings.IndexAny(ref, "?#"); i >= 0 {
		ref = ref[:i]
	}
	name, err := url.PathUnescape(ref)
	if err != nil || name == "" || strings.HasPrefix(name, "//") || strings.ContainsAny(name, "\x00\\") {
		return ""
	}
	if strings.HasPrefix(name, "/") {
		if root == "" {
			return ""
		}
		return filepath.Join(root, filepath.FromSlash(filepath.Clean(name)))
	}
	return filepath.Join(filepath.Dir(path), filepath.FromSlash(name))
}

// auditShelf holds the files in which places are looked for, as pages whose elements bear the names of the places, by path.
type auditShelf struct {
	pages map[string][]byte
	size  int
}

// files looks at the links that are files, and at those to places in the document itself.
func (c *auditCmd) files(d *auditDoc, s *report.AuditSource, kept *auditShelf) {
	for i := range s.Links {
		l := &s.Links[i]
		own := d.own != "" && l.URL == d.own
		if urlkey.Fetchable(l.URL) && !own {
			continue
		}
		l.State, l.Reason = report.StateOK, ""
		page, kind := []byte(nil), ""
		if own {
			page, kind = pageOf(d.body, d.mime, d.charset), d.mime
		} else if name := fileBeside(c.Root, d.path, l.URL); name != "" {
			if st, err := os.Stat(name); err != nil {
				l.State, l.Reason = report.StateBroken, "there is no file "+name+misspelt(name)
				continue
			} else if st.IsDir() {
				name = filepath.Join(name, "index.html")
			}
			if c.Fragments {
				page, kind = kept.read(name)
			}
		}
		if c.Fragments {
			c.look(l, page, kind)
		}
	}
}

// look looks for the places that the citations of a link name.
func (c *auditCmd) look(l *report.AuditLink, page []byte, kind string) {
	var names []string
	for _, ct := range l.Citations {
		if f := ct.Fragment; f != "" && !slices.Contains(names, f) {
			names = append(names, f)
		}
	}
	if page == nil {
		l.Unsure = names
	} else {
		l.Missing, l.Unsure = probe.Places(page, "utf-8", names)
	}
	if kind == "text/markdown" { // the names of headings are in lower case, and forges seek them whatever the case
		l.Missing = slices.DeleteFunc(l.Missing, func(f string) bool {
			missing, _ := probe.Places(page, "utf-8", []string{strings.ToLower(f)})
			return len(missing) == 0
		})
	}
	l.Placed()
}

// misspelt tells of a file beside one that is not there, which differs in case alone: there are file systems that do not mind.
func misspelt(name string) string {
	entries, err := os.ReadDir(filepath.Dir(name))
	if err != nil {
		return ""
	}
	for _, e := range entries {
		if strings.EqualFold(e.Name(), filepath.Base(name)) {
			return ", but " + e.Name()
		}
	}
	return ""
}

// read is a file as a page; nil if it is none in which places can be looked for.
func (k *auditShelf) read(name string) (page []byte, kind string) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".md", ".markdown":
		kind = "text/markdown"
	case ".html", ".htm", ".xhtml":
		kind = "text/html"
	default:
		return nil, ""
	}
	if page, known := k.pages[name]; known {
		return page, kind
	}
	body, err := readFile(name)
	if err != nil {
		var usage usageError
		if !errors.As(err, &usage) { // it is there, but nobody may read it: no place in it can be told
			return nil, kind
		}
		body = nil
	}
	page = pageOf(body, kind, "")
	if k.size += len(page); k.size <= auditKept {
		k.pages[name] = page
	}
	return page, kind
}

var headingName = regexp.MustCompile(`\{[^}\n]{0,200}?#([\w.:-]{1,200})`)

// pageOf is a document as HTML in UTF-8 in which places can be looked for; nil if it is none that has such. Headings of Markdown get the names
// that forges and site generators give them.
func pageOf(body []byte, kind, charset string) []byte {
	contentType := kind
	if charset != "" {
		contentType += "; charset=" + charset
	}
	switch kind {
	case "text/html", "application/xhtml+xml":
		if len(body) == 0 {
			return []byte{}
		}
		return text.Decode(body, contentType, true)
	case "text/markdown":
	default:
		return nil
	}
	body = text.Decode(body, contentType, false)
	blocks, _ := post.Prose(body, kind, "", post.Options{ContentType: contentType})
	var sb strings.Builder
	seen := map[string]int{}
	for i := range blocks {
		b := &blocks[i]
		if b.Kind == post.Heading {
			for _, id := range headingIDs(b.Text, seen) {
				fmt.Fprintf(&sb, "<a id=\"%s\">", html.EscapeString(id))
			}
		}
		fmt.Fprintf(&sb, "<p>%s\n", html.EscapeString(b.Text))
	}
	for _, m := range headingName.FindAllSubmatch(body, -1) {
		fmt.Fprintf(&sb, "<a id=\"%s\">", m[1])
	}
	sb.WriteString("<template>")
	sb.Write(body) // with the elements that it writes out
	return []byte(sb.String())
}

// headingIDs are the names of a heading: as code forges make them, and as site generators do, which write no two dashes in a row. seen
// counts those that were given already.
func headingIDs(heading string, seen map[string]int) []string {
	forge := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(heading))
	var dense strings.Builder
	for part := range strings.SplitSeq(forge, "-") {
		if part != "" && dense.Len() > 0 {
			dense.WriteByte('-')
		}
		dense.WriteString(part)
	}
	out := []string{forge, dense.String()}
	if n := seen[forge]; n > 0 {
		out = []string{fmt.Sprintf("%s-%d", forge, n), fmt.Sprintf("%s_%d", dense.String(), n)}
	}
	seen[forge]++
	return out
}

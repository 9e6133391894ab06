package replay

import (
	"linkstead/archive/cdx"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// cdxjMap is a TimeMap as pywb writes it: lines of a CDXJ index, a capture each.
type cdxjMap struct {
	list
	line []byte
}

func (m *cdxjMap) mime() string { return "text/x-cdxj" }

// index is a line about each page, of the kind that readers of CDXJ pass over if they do not know them.
func (m *cdxjMap) index(pages []mapPage) error {
	for _, p := range pages {
		m.line = append(m.line[:0], `!timemap {"uri": `...)
		m.line = append(cdx.AppendString(m.line, m.h.absolute(&p.address)), `, "from": `...)
		m.line = append(cdx.AppendString(m.line, stampOf(p.from)), `, "until": `...)
		m.line = append(cdx.AppendString(m.line, stampOf(p.until)), "}\n"...)
		if _, err := m.w.Write(m.line); err != nil {
			return err
		}
	}
	return nil
}

func (m *cdxjMap) begin(mapPage, mapPage, mapPage) error { return nil }

func (m *cdxjMap) add(_ *address, c *storage.Capture, _ string) error {
	m.line = cdx.AppendCDXJ(m.line[:0], &cdx.Row{
		Key: c.URLKey, At: c.At, URL: c.URL, Mime: c.Mime, Status: c.Status, Digest: c.Digest, Redirect: c.Redirect,
		Length: c.Length, Offset: c.Offset, File: c.Segment + ".warc.gz", Revisit: c.Kind == warc.KindRevisit,
	})
	_, err := m.w.Write(m.line)
	return err
}

func (m *cdxjMap) end() error { return nil }

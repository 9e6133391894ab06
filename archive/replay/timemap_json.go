package replay

import (
	"encoding/json"
	"errors"
	"io"

	"linkstead/storage"
)

// jsonMap is a TimeMap in the JSON that the Memento project describes (mementoweb.org/guide/timemap-json), which Time Travel
// and MemGator speak and their clients read.
type jsonMap struct {
	list
	listed bool
}

// jsonMemento is a memento there, jsonPage another TimeMap.
type jsonMemento struct {
	Datetime string `json:"datetime"`
	URI      string `json:"uri"`
}

type jsonPage struct {
	From  string `json:"from"`
	Until string `json:"until"`
	URI   string `json:"uri"`
}

func (m *jsonMap) mime() string { return "application/json" }

// write writes a text of ours and the values between its parts, as JSON.
func (m *jsonMap) write(parts ...any) error {
	for _, p := range parts {
		if text, ok := p.(raw); ok {
			if _, err := io.WriteString(m.w, string(text)); err != nil {
				return err
			}
			continue
		}
		b, err := json.Marshal(p)
		if err != nil {
			return err
		}
		if _, err = m.w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

type raw string

func (m *jsonMap) about(self *address) error {
	gate := address{kind: ofGate, name: m.a.name, url: m.a.url}
	in := func(format string) string {
		return m.h.absolute(&address{kind: ofTimeMap, name: m.a.name, format: format, url: m.a.url})
	}
	return m.write(raw("{\"original_uri\": "), m.a.url, raw(",\n\"self\": "), m.h.absolute(self), raw(",\n\"timegate_uri\": "), m.h.absolute(&gate),
		raw(",\n\"timemap_uri\": "), struct {
			Link string `json:"link_format"`
			JSON string `json:"json_format"`
			CDXJ string `json:"cdxj_format"`
		}{in(formatLink), in(formatJSON), in(formatCDXJ)})
}

func (m *jsonMap) index(pages []mapPage) error {
	if err := errors.Join(m.about(m.a), m.write(raw(",\n\"timemap_index\": ["))); err != nil {
		return err
	}
	for i, p := range pages {
		sep := raw(",\n")
		if i == 0 {
			sep = "\n"
		}
		if err := m.write(sep, m.pageOf(p)); err != nil {
			return err
		}
	}
	return m.write(raw("\n]}\n"))
}

func (m *jsonMap) pageOf(p mapPage) jsonPage {
	return jsonPage{iso(p.from), iso(p.until), m.h.absolute(&p.address)}
}

func (m *jsonMap) memento(c *storage.Capture) jsonMemento {
	own := m.a.own(c)
	return jsonMemento{iso(c.At), m.h.absolute(&own)}
}

func (m *jsonMap) begin(self, prev, next mapPage) error {
	if err := m.about(&self.address); err != nil {
		return err
	}
	if prev.page > 0 || next.page > 0 {
		var pages struct {
			Prev *jsonPage `json:"prev,omitempty"`
			Next *jsonPage `json:"next,omitempty"`
		}
		if prev.page > 0 {
			p := m.pageOf(prev)
			pages.Prev = &p
		}
		if next.page > 0 {
			p := m.pageOf(next)
			pages.Next = &p
		}
		if err := m.write(raw(",\n\"pages\": "), pages); err != nil {
			return err
		}
	}
	return m.write(raw(",\n\"mementos\": {\"first\": "), m.memento(m.first), raw(", \"last\": "), m.memento(m.last), raw(", \"list\": ["))
}

func (m *jsonMap) add(_ *address, c *storage.Capture, _ string) error {
	sep := raw(",\n")
	if !m.listed {
		sep, m.listed = "\n", true
	}
	return m.write(sep, m.memento(c))
}

func (m *jsonMap) end() error { return m.write(raw("\n]}}\n")) }

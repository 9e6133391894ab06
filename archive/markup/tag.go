package markup

import "bytes"

// attr is an attribute of the tag being read; positions are those of the text.
type attr struct {
	id           uint8 // 0: unknown, kept only because it may be renamed
	quote        byte  // 0: none
	bare         bool  // there is no value
	again        bool  // the tag has had it before, so that browsers don't see it (HTML §13.2.5.33)
	name, nameTo int
	start, end   int // the value, without its quotes
}

// tag reads what follows the name of a tag, up to and with its ">", by the tokenization states of HTML §13.2.5.32–40.
// The known attributes go to h.attrs. end is -1 if the text ends inside the tag, which browsers drop then.
func (h *htmlScan) tag(i int) (end int, selfClosing bool) {
	h.attrs = h.attrs[:0]
	h.stamp++
	b := h.b
	for {
		selfClosing = false
		for i < len(b) && (isSpace(b[i]) || b[i] == '/') {
			selfClosing = b[i] == '/'
			i++
		}
		if i >= len(b) {
			return -1, false
		}
		if b[i] == '>' {
			return i + 1, selfClosing
		}
		a := attr{name: i}
		for i++; i < len(b) && class[b[i]]&nameEnd == 0; i++ { // an equals sign may start a name
		}
		a.nameTo = i
		i = skipSpace(b, i)
		if i >= len(b) {
			return -1, false
		}
		if b[i] != '=' {
			a.bare, a.start, a.end = true, a.nameTo, a.nameTo
			h.keep(a)
			continue
		}
		if i = h.attrValue(&a, skipSpace(b, i+1)); i < 0 {
			return -1, false
		}
		h.keep(a)
	}
}

// attrValue reads a value at i and returns the position after it, or -1.
func (h *htmlScan) attrValue(a *attr, i int) int {
	b := h.b
	if i >= len(b) {
		return -1
	}
	if b[i] == '"' || b[i] == '\'' {
		a.quote, a.start = b[i], i+1
		n := bytes.IndexByte(b[i+1:], a.quote)
		if n < 0 {
			return -1
		}
		a.end = i + 1 + n
		return a.end + 1
	}
	a.start = i
	for i < len(b) && b[i] != '>' && !isSpace(b[i]) {
		i++
	}
	a.end = i
	return i
}

// keep adds the attribute if it is known or may be renamed.
func (h *htmlScan) keep(a attr) {
	name := h.b[a.name:a.nameTo]
	a.id = table.attrs.lookup(name)
	if a.id == 0 && h.xml && bytes.HasSuffix(name, []byte(":href")) {
		a.id = attrXlinkHref // whatever prefix the document has for XLink
	}
	if a.id == 0 && h.scope && isHandler(name) {
		a.id = attrHandler
	}
	if a.id == 0 && h.renames&firstBit(name[0]) == 0 && !h.matters(&a) {
		return
	}
	if a.id != 0 && a.id != attrHandler {
		a.again = h.seen[a.id] == h.stamp
		h.seen[a.id] = h.stamp
	}
	h.attrs = append(h.attrs, a)
}

// matters says whether an attribute that is not known is looked at all the same: it tells where foreign content ends or begins, or
// has what browsers may take for a tag.
func (h *htmlScan) matters(a *attr) bool {
	if len(h.foreign) > 0 {
		switch name := h.b[a.name:a.nameTo]; {
		case equalFold(name, "encoding"), equalFold(name, "color"), equalFold(name, "face"), equalFold(name, "size"):
			return true
		}
	}
	return h.doubtful() && h.opensIn(a.start, a.end)
}

func firstBit(c byte) uint32 { return 1 << (c & 31) }

// attr returns the raw value of a known attribute, nil if there is none.
func (h *htmlScan) attr(id uint8) []byte {
	if h.seen[id] != h.stamp {
		return nil
	}
	for i := range h.attrs {
		if a := &h.attrs[i]; a.id == id {
			return h.b[a.start:a.end:a.end]
		}
	}
	return nil
}

// plain returns the value of a known attribute, character references undone; nil if there is none.
func (h *htmlScan) plain(id uint8) []byte {
	raw := h.attr(id)
	if bytes.IndexByte(raw, '&') < 0 {
		return raw
	}
	return unescapeRefs(raw, nil)
}

// value returns an attribute's value, character references undone, as a text of its own.
func (h *htmlScan) value(a *attr) *text {
	raw := h.b[a.start:a.end:a.end]
	t := &text{b: raw, outer: h.t, base: a.start, esc: escaper(a)}
	if bytes.IndexByte(raw, '&') >= 0 {
		t.at = make([]int32, 0, len(raw)+1)
		t.b = unescapeRefs(raw, &t.at)
	}
	return t
}

func escaper(a *attr) func(string) string {
	if a.quote == 0 {
		return escapeUnquoted
	}
	return escapeQuoted
}

// url visits the attribute's value as one URL.
func (h *htmlScan) url(a *attr, role Role, context string) {
	start, end := trim(h.b, a.start, a.end)
	raw := h.b[start:end]
	if len(raw) == 0 || h.scriptURL(a) {
		return
	}
	r := Ref{URL: string(raw), Role: role, Context: context, Start: start, End: end, Base: h.codebase, Rel: h.linkRel, Feed: h.linkFeed}
	if bytes.IndexByte(raw, '&') >= 0 {
		u := unescapeRefs(raw, nil)
		from, to := trim(u, 0, len(u))
		r.URL = string(u[from:to])
	}
	h.found(h.t, r, escaper(a))
}

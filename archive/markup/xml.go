package markup

import "bytes"

// doctype skips a document type declaration with its internal subset (XML 1.0 §2.8).
func (h *htmlScan) doctype(i int) int {
	end := h.after(i, ">")
	n := bytes.IndexByte(h.b[i:end], '[')
	if n < 0 {
		return end
	}
	for i += n + 1; i < len(h.b); {
		i = skipSpace(h.b, h.after(i, "]"))
		if i < len(h.b) && h.b[i] == '>' {
			return i + 1
		}
	}
	return len(h.b)
}

// instruction reads a processing instruction; xml-stylesheet names a stylesheet, of CSS or XSLT (Associating Style Sheets
// with XML documents §2).
func (h *htmlScan) instruction(i int) int {
	end := h.after(i+2, "?>")
	const target = "xml-stylesheet"
	from := i + 2 + len(target)
	if !bytes.HasPrefix(h.b[i+2:end], []byte(target)) || from >= end || !isSpace(h.b[from]) {
		return end
	}
	b := h.b
	h.b = b[:max(from, end-2):max(from, end-2)]
	h.tag(from) // ends at the end of h.b, with the pseudo-attributes read
	for k := range h.attrs {
		if a := &h.attrs[k]; a.id == attrHref && !a.bare && !a.again {
			context := "xml-stylesheet"
			if typ := h.attr(attrType); len(typ) > 0 && !trimFold(typ, "text/css") {
				context = "xml-stylesheet/xslt"
			}
			h.url(a, Stylesheet, context)
		}
	}
	h.b = b
	return end
}

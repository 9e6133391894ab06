package markup

import "bytes"

// doctype passes over a document type declaration with its internal subset (XML 1.0 §2.8), and takes out of it what could bring
// markup or attributes into the document that stand nowhere else.
func (h *htmlScan) doctype(i int) int {
	d := readDoctype(h.b, i)
	if h.opts.Defuse != "" {
		for _, hides := range d.hides {
			h.edit(h.t, hides[0], hides[1], "")
		}
	}
	return d.end
}

// doctypeDecl is a document type declaration.
type doctypeDecl struct {
	end   int
	clear bool     // all of it was understood
	names bool     // attributes that stand nowhere else declare namespaces
	hides [][2]int // declarations and references that could bring in markup, or other attributes
}

// readDoctype reads the declaration at i. Declarations of external entities are among those that hide something, though no browser
// loads them.
func readDoctype(b []byte, i int) (d doctypeDecl) {
	const start = "<!DOCTYPE"
	at := declEnd(b, i+len(start), '[')
	if at < 0 {
		d.end = len(b)
		return d
	}
	if b[at] == '>' {
		d.end, d.clear = at+1, true
		return d
	}
	from := at
	for at = skipSpace(b, at+1); at < len(b); at = skipSpace(b, at) {
		if b[at] == ']' {
			at = skipSpace(b, at+1)
			d.clear = at < len(b) && b[at] == '>'
			break
		}
		if at = d.subset(b, at); at < 0 {
			break
		}
	}
	if d.clear {
		d.end = at + 1
		return d
	}
	d.end = len(b)
	for i = from + 1; i < len(b); {
		n := bytes.IndexByte(b[i:], ']')
		if n < 0 {
			break
		}
		if i = skipSpace(b, i+n+1); i < len(b) && b[i] == '>' {
			d.end = i + 1
			break
		}
	}
	return d
}

// subset reads what stands at i of an internal subset, and returns the position after it; -1 if it is not understood.
func (d *doctypeDecl) subset(b []byte, i int) int {
	rest := b[i:]
	end := -1
	switch {
	case rest[0] == '%':
		if n := bytes.IndexAny(rest, "; \t\r\n<>"); n > 0 && rest[n] == ';' {
			end = i + n + 1
			d.hides = append(d.hides, [2]int{i, end})
		}
		return end
	case bytes.HasPrefix(rest, []byte("<!--")):
		return past(b, i+4, "-->")
	case bytes.HasPrefix(rest, []byte("<?")):
		return past(b, i+2, "?>")
	case bytes.HasPrefix(rest, []byte("<!ENTITY")), bytes.HasPrefix(rest, []byte("<!ATTLIST")),
		bytes.HasPrefix(rest, []byte("<!ELEMENT")), bytes.HasPrefix(rest, []byte("<!NOTATION")):
		if end = declEnd(b, i+2, '>') + 1; end == 0 {
			return -1
		}
	default:
		return -1
	}
	switch decl := b[i:end]; decl[3] {
	case 'N': // ENTITY
		if hidesMarkup(decl) {
			d.hides = append(d.hides, [2]int{i, end})
		}
	case 'T': // ATTLIST
		if bytes.ContainsAny(decl, `"'`) {
			if !namespacesOnly(decl) {
				d.hides = append(d.hides, [2]int{i, end})
				break
			}
			d.names = true
		}
	}
	return end
}

// past returns the position after the next end from i on; -1 if there is none.
func past(b []byte, i int, end string) int {
	if n := bytes.Index(b[min(i, len(b)):], []byte(end)); n >= 0 {
		return i + n + len(end)
	}
	return -1
}

// declEnd returns the position of the ">" that ends a declaration, or of the byte stop before it; -1 if there is none. What stands in
// quotes ends nothing.
func declEnd(b []byte, i int, stop byte) int {
	for ; i < len(b); i++ {
		switch c := b[i]; c {
		case '>', stop:
			return i
		case '"', '\'':
			n := bytes.IndexByte(b[i+1:], c)
			if n < 0 {
				return -1
			}
			i += n + 1
		}
	}
	return -1
}

// hidesMarkup says whether an entity is anything but a piece of text. Every tag that entities bring in has its "<" in the literal
// value of one of them, as such or as a character reference (XML 1.0 §4.5).
func hidesMarkup(decl []byte) bool {
	open := bytes.IndexAny(decl, `"'`)
	if open < 0 {
		return true
	}
	for _, word := range []string{"%", "SYSTEM", "PUBLIC"} {
		if bytes.Contains(decl[:open], []byte(word)) {
			return true
		}
	}
	value := decl[open+1:]
	if n := bytes.IndexByte(value, decl[open]); n >= 0 {
		value = value[:n]
	}
	return bytes.IndexByte(unescapeNumeric(value), '<') >= 0
}

// unescapeNumeric undoes numeric character references alone.
func unescapeNumeric(b []byte) []byte {
	var out []byte
	for i := 0; i < len(b); i++ {
		if b[i] == '&' && i+2 < len(b) && b[i+1] == '#' {
			if s, n := numericReference(b[i:]); n > 0 {
				out = append(out, s...)
				i += n - 1
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
}

// namespacesOnly says whether all attributes to which a list gives values declare namespaces.
func namespacesOnly(decl []byte) bool {
	words, last := [3][]byte{}, 0 // the words before the one being read
	for i := len("<!ATTLIST"); i < len(decl); i++ {
		switch c := decl[i]; {
		case isSpace(c) || c == '>':
		case c == '(': // the names that may be chosen
			n := bytes.IndexByte(decl[i:], ')')
			if n < 0 {
				return false
			}
			words[last%3] = []byte("()")
			last++
			i += n
		case c == '"' || c == '\'':
			n := bytes.IndexByte(decl[i+1:], c)
			at := last - 2
			if at >= 0 && bytes.Equal(words[(last-1)%3], []byte("#FIXED")) {
				at--
			}
			if n < 0 || at < 0 || !bytes.HasPrefix(words[at%3], []byte("xmlns")) {
				return false
			}
			i += n + 1
		default:
			from := i
			for i < len(decl) && !isSpace(decl[i]) && bytes.IndexByte([]byte(`>("'`), decl[i]) < 0 {
				i++
			}
			words[last%3] = decl[from:i]
			last++
			i--
		}
	}
	return true
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

package markup

import "bytes"

// rawContent reads the content that begins at i if its element holds text instead of markup, and returns where markup
// goes on (HTML §13.2.6.2, §13.2.5.2–4).
func (h *htmlScan) rawContent(elem uint8, i int) int {
	switch elem {
	case elemScript:
		end := scriptEnd(h.b, i)
		if !h.muffleScript(i, end) && h.visit != nil {
			h.script(&text{b: h.b[i:end:end], outer: h.t, base: i})
		}
		h.closeRaw(elem, end)
		return end
	case elemStyle:
		end := rawEnd(h.b, i, "style")
		if !h.muffled(i, end, ltGone) && h.css && h.visit != nil {
			scanCSS(h.scan, &text{b: h.b[i:end:end], outer: h.t, base: i}, styleContext)
		}
		h.closeRaw(elem, end)
		return end
	case elemTextarea, elemTitle, elemXMP, elemIframe, elemNoembed, elemNoframes:
		end := rawEnd(h.b, i, table.elems.names[elem])
		h.muffled(i, end, ltRef)
		h.closeRaw(elem, end)
		return end
	case elemPlaintext:
		h.muffled(i, len(h.b), ltRef)
		return len(h.b)
	case elemNoscript:
		if !h.inNoscript {
			return h.noscript(i)
		}
	}
	return i
}

// noscript reads the content of a noscript element as markup, and goes on after its end tag wherever that stands, even
// in a comment: a browser with scripts takes the content for text, one without them doesn't, and both must be served.
func (h *htmlScan) noscript(i int) int {
	b, end, open := h.b, rawEnd(h.b, i, "noscript"), len(h.foreign)
	h.b, h.inNoscript = b[:end:end], true
	h.tokens(i)
	h.b, h.inNoscript, h.content = b, false, 0
	h.messy = h.messy || len(h.foreign) != open || h.inSelect
	return end
}

// cut keeps what begins with the "<" at i of a noscript element, and does not end in it, from going on behind it: from there on,
// no browser finds a tag in it. Where it is doubtful what the "<" is, nothing that doesn't end hides anything.
func (h *htmlScan) cut(i int) {
	if h.inNoscript && h.opts.Defuse != "" || h.doubtful() {
		h.muffle(i, len(h.b), ltRef)
	}
}

// closeRaw ends the raw text at the end of a noscript element, if it does not end in it.
func (h *htmlScan) closeRaw(elem uint8, end int) {
	if !h.inNoscript || end < len(h.b) || h.opts.Defuse == "" {
		return
	}
	tag := "</" + table.elems.names[elem] + ">"
	if elem == elemScript {
		tag = "-->" + tag // whatever hides it
	}
	h.edit(h.t, end, end, tag)
}

// rawEnd returns where the end tag of the raw text element stands whose content begins at i, or the text's end.
func rawEnd(b []byte, i int, name string) int {
	for {
		n := bytes.Index(b[i:], []byte("</"))
		if n < 0 {
			return len(b)
		}
		i += n
		if endsRaw(b, i+2, name) {
			return i
		}
		i += 2
	}
}

// endsRaw says whether name and the end of a name stand at i.
func endsRaw(b []byte, i int, name string) bool {
	end := i + len(name)
	return end < len(b) && equalFold(b[i:end], name) && class[b[end]]&nameEnd != 0 && b[end] != '='
}

// scriptEnd is rawEnd for script, whose content may hide an end tag between "<!--" and "-->" if a script start tag
// stands there before it (HTML §13.2.5.15–31).
func scriptEnd(b []byte, i int) int {
	escaped, double := false, false
	for i < len(b) {
		n := bytes.IndexByte(b[i:], '<')
		if escaped {
			n = bytes.IndexAny(b[i:], "<-")
		}
		if n < 0 {
			break
		}
		i += n
		switch {
		case escaped && bytes.HasPrefix(b[i:], []byte("-->")):
			escaped, double = false, false
			i += 3
		case !escaped && bytes.HasPrefix(b[i:], []byte("<!--")):
			escaped = true
			i += 2 // the dashes may be the end's as well
		case bytes.HasPrefix(b[i:], []byte("</")) && endsRaw(b, i+2, "script"):
			if !double {
				return i
			}
			double = false
			i += 2
		case escaped && b[i] == '<' && endsRaw(b, i+1, "script"):
			double = true
			i++
		default:
			i++
		}
	}
	return len(b)
}

package markup

import "bytes"

// Scripts stand in attributes, too: event handlers (HTML §8.1.8.1), and javascript: URLs. They hold no URL that could be
// found, save for imports, and are read only if they are to be scoped.

// isHandler says whether an attribute's name is that of an event handler. Every name that begins like one is taken for
// one, since there is no last event: what no browser runs is changed in vain, and no worse.
func isHandler(name []byte) bool {
	return len(name) > 2 && name[0]|0x20 == 'o' && name[1]|0x20 == 'n' && isAlnum(name[2])
}

// handler scopes the body of an event handler.
func (h *htmlScan) handler(a *attr) {
	if hasScopeNames(h.b[a.start:a.end]) {
		scopeScript(h.scan, h.value(a), "@on/import")
	}
}

var scriptScheme = []byte("javascript:")

// scriptURL scopes the script in a javascript: URL, and says whether an attribute holds one.
func (h *htmlScan) scriptURL(a *attr) bool {
	if !h.scope || a.end-a.start <= len(scriptScheme) || h.visit == nil {
		return false
	}
	start, end := trim(h.b, a.start, a.end)
	if end <= start || h.b[start]|0x20 != 'j' && h.b[start] != '&' {
		return false
	}
	t := h.value(a)
	start, end = trim(t.b, 0, len(t.b))
	if end-start < len(scriptScheme) || !equalFold(t.b[start:start+len(scriptScheme)], string(scriptScheme)) {
		return false
	}
	start += len(scriptScheme)
	if code := percentDecoded(t, start, end); hasScopeNames(code.b) {
		scopeScript(h.scan, code, "javascript:/import")
	}
	return true
}

// percentDecoded is the part of a URL between two positions as a script: a browser undoes the percent-encoding before it
// runs it (HTML §7.4.2.3.2).
func percentDecoded(outer *text, start, end int) *text {
	t := &text{b: outer.b[start:end:end], outer: outer, base: start}
	if bytes.IndexByte(t.b, '%') < 0 {
		return t
	}
	raw := t.b
	t.b, t.at = make([]byte, 0, len(raw)), make([]int32, 0, len(raw)+1)
	for i := 0; i < len(raw); {
		t.at = append(t.at, int32(i)) //nolint:gosec // run has checked the length
		if raw[i] == '%' && i+2 < len(raw) && hexDigit(raw[i+1]) >= 0 && hexDigit(raw[i+2]) >= 0 {
			t.b = append(t.b, byte(hexDigit(raw[i+1])<<4|hexDigit(raw[i+2])))
			i += 3
			continue
		}
		t.b = append(t.b, raw[i])
		i++
	}
	t.at = append(t.at, int32(len(raw))) //nolint:gosec // as above
	return t
}

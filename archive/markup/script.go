package markup

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/tdewolff/parse/v2/js"
)

// JavaScript visits the URLs that a script imports by a plain string: static imports and re-exports of a module, and
// import() anywhere. A specifier that isn't a URL ("react") is left to the import map. Addresses that are computed are
// beyond any scanner.
func JavaScript(dst io.Writer, src []byte, visit Visit) error {
	return run(dst, src, visit, func(s *scan, t *text) { scanScript(s, t, "js/import") })
}

type scriptKind uint8

const (
	classicScript scriptKind = iota
	moduleScript
	importMapScript
	speculationScript
	dataScript
)

// scriptKindOf tells what a script element holds (HTML §4.12.1.1, prepare the script element, steps 8–13).
func scriptKindOf(typ []byte) scriptKind {
	start, end := trim(typ, 0, len(typ))
	typ = typ[start:end]
	switch {
	case len(typ) == 0, scriptTypes.lookup(typ) != 0:
		return classicScript
	case equalFold(typ, "module"):
		return moduleScript
	case equalFold(typ, "importmap"):
		return importMapScript
	case equalFold(typ, "speculationrules"):
		return speculationScript
	}
	return dataScript
}

// scriptTypes are the JavaScript MIME types (MIME Sniffing §4.6).
var scriptTypes = newNameTable("text/javascript", "application/javascript", "application/ecmascript", "application/x-ecmascript",
	"application/x-javascript", "text/ecmascript", "text/javascript1.0", "text/javascript1.1", "text/javascript1.2",
	"text/javascript1.3", "text/javascript1.4", "text/javascript1.5", "text/jscript", "text/livescript", "text/x-ecmascript",
	"text/x-javascript")

// script reads the content of a script element.
func (h *htmlScan) script(t *text) {
	switch h.scriptKind {
	case classicScript, moduleScript:
		if h.scope {
			scopeScript(h.scan, t, "script/import")
		} else {
			scanScript(h.scan, t, "script/import")
		}
	case importMapScript:
		scanImportMap(h.scan, t, h.renamed("integrity"))
	case speculationScript:
		scanSpeculation(h.scan, t)
	}
}

// imports follows the tokens of a script.
type imports struct {
	last   js.TokenType // the last token
	before js.TokenType // the one before it
	own    bool         // the last import is the keyword and not a property's name
	wanted bool         // between import or export and its from
	exact  bool         // import("a" + b) names nothing: it is put right when it is run
	held   jsToken      // what import( begins with, if exact
}

func scanScript(s *scan, t *text, context string) {
	if !bytes.Contains(t.b, []byte("import")) && !bytes.Contains(t.b, []byte("export")) {
		return
	}
	var m imports
	readScript(t.b, func(k jsToken) bool {
		m.visit(s, t, &k, context)
		return true
	})
}

// visit visits the specifier that a token is, or that the one before it was.
func (m *imports) visit(s *scan, t *text, k *jsToken, context string) {
	if m.held.end > 0 {
		if k.tt == js.CloseParenToken || k.tt == js.CommaToken {
			foundSpecifier(s, t, int(m.held.start), int(m.held.end), context)
		}
		m.held = jsToken{}
	}
	if (k.tt == js.StringToken || k.tt == js.TemplateToken) && m.names() {
		if m.exact && m.last == js.OpenParenToken {
			m.held = *k
		} else {
			foundSpecifier(s, t, int(k.start), int(k.end), context)
		}
	}
	m.follow(k.tt)
}

// names says whether a string that comes now is a module specifier (ECMAScript §16.2.2, §16.2.3, §13.3.10).
func (m *imports) names() bool {
	switch m.last {
	case js.ImportToken:
		return m.own
	case js.FromToken:
		return m.wanted
	case js.OpenParenToken:
		return m.before == js.ImportToken && m.own
	}
	return false
}

// follow takes note of a token.
func (m *imports) follow(tt js.TokenType) {
	switch tt {
	case js.ImportToken, js.ExportToken:
		m.own = m.last != js.DotToken
		m.wanted = m.own
	case js.SemicolonToken, js.EqToken, js.OpenParenToken, js.StringToken:
		m.wanted = false
	}
	m.before, m.last = m.last, tt
}

// foundSpecifier visits the literal at [start, end), quotes included, if it is a URL.
func foundSpecifier(s *scan, t *text, start, end int, context string) {
	if end-start < 2 {
		return
	}
	raw := string(t.b[start+1 : end-1])
	if strings.IndexByte(raw, '\\') >= 0 {
		raw = unescapeJS(raw)
	}
	if isSpecifier(raw) {
		s.found(t, Ref{URL: raw, Role: Module, Context: context, Start: start + 1, End: end - 1}, escapeJS)
	}
}

// isSpecifier says whether a module specifier is a URL by itself (HTML §8.1.6.3, resolve a URL-like module specifier).
func isSpecifier(s string) bool {
	if strings.HasPrefix(s, "/") || strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../") {
		return true
	}
	scheme, _, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || scheme[0]|0x20 < 'a' || scheme[0]|0x20 > 'z' {
		return false
	}
	for i := range len(scheme) {
		if c := scheme[i]; !isAlnum(c) && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// unescapeJS undoes the escapes of a string literal (ECMAScript §12.9.4).
func unescapeJS(s string) string {
	var out strings.Builder
	for s != "" {
		if strings.HasPrefix(s, "\\/") || strings.HasPrefix(s, "\\`") || strings.HasPrefix(s, "\\'") || strings.HasPrefix(s, `\"`) {
			out.WriteByte(s[1])
			s = s[2:]
			continue
		}
		if strings.HasPrefix(s, `\u{`) {
			if code, rest, ok := strings.Cut(s[3:], "}"); ok {
				if r, err := strconv.ParseUint(code, 16, 21); err == nil {
					out.WriteRune(rune(r))
					s = rest
					continue
				}
			}
		}
		r, multibyte, rest, err := strconv.UnquoteChar(s, 0)
		switch {
		case err != nil:
			out.WriteByte(s[0])
			s = s[1:]
		case r < 0x80 || !multibyte && s[0] != '\\':
			out.WriteByte(byte(r))
			s = rest
		case s[0] != '\\': // the document's own bytes, whatever their charset
			out.WriteString(s[:len(s)-len(rest)])
			s = rest
		default:
			out.WriteRune(r)
			s = rest
		}
	}
	return out.String()
}

var jsEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "'", `\'`, "`", "\\`", "$", `\x24`, "\n", `\n`, "\r", `\r`, "<", `\x3C`)

// escapeJS spells s so that it can stand in any string literal, in a script element too.
func escapeJS(s string) string { return jsEscaper.Replace(s) }

package markup

import "bytes"

// maxCallback bounds the length of a callback's name, in bytes.
const maxCallback = 256

// Callback finds what a JSONP script calls: the name of a function, a member of an object ("a.b", "a['b']", "a[0]"), and each place
// of that name before the parenthesis, since some look first whether there is such a function:
//
//	/**/ typeof cb === 'function' && cb({"a": 1});
//
// There is none if anything else stands before the call.
func Callback(src []byte) (name string, at []int) {
	i := 0
	if bytes.HasPrefix(src, []byte("\xEF\xBB\xBF")) {
		i = 3
	}
	i = skipScriptSpace(src, i)
	looked, end := 0, 0
	if word := scriptName(src, i); string(src[i:word]) == "typeof" {
		i = skipScriptSpace(src, word)
		looked, end = i, scriptCallee(src, i)
		i = end
		for _, token := range []string{"===", "'function'", "&&"} {
			i = skipScriptSpace(src, i)
			if token == "'function'" && bytes.HasPrefix(src[i:], []byte(`"function"`)) || token == "===" && bytes.HasPrefix(src[i:], []byte("== ")) {
				i += len(token)
				continue
			}
			if !bytes.HasPrefix(src[i:], []byte(token)) {
				return "", nil
			}
			i += len(token)
		}
		i = skipScriptSpace(src, i)
	}
	last := scriptCallee(src, i)
	open := skipScriptSpace(src, last)
	if last == i || last-i > maxCallback || open >= len(src) || src[open] != '(' || notCallee[string(src[i:last])] {
		return "", nil
	}
	name, at = string(src[i:last]), []int{i}
	if end > 0 {
		if string(src[looked:end]) != name {
			return "", nil
		}
		at = []int{looked, i}
	}
	return name, at
}

// notCallee are words that a parenthesis may follow, and that are no name.
var notCallee = map[string]bool{"if": true, "for": true, "while": true, "with": true, "switch": true, "function": true, "return": true,
	"typeof": true, "void": true, "import": true, "new": true, "delete": true, "catch": true, "await": true}

// skipScriptSpace returns the position from i on of what is no space, comment or empty statement.
func skipScriptSpace(b []byte, i int) int {
	for i < len(b) {
		switch {
		case isSpace(b[i]) || b[i] == ';' || b[i] == '\v':
			i++
		case bytes.HasPrefix(b[i:], []byte("//")):
			n := bytes.IndexAny(b[i:], "\r\n")
			if n < 0 {
				return len(b)
			}
			i += n
		case bytes.HasPrefix(b[i:], []byte("/*")):
			i = skipCSSComment(b, i)
		default:
			return i
		}
	}
	return len(b)
}

// scriptName returns the end of the identifier at i, or i.
func scriptName(b []byte, i int) int {
	if i < len(b) && b[i] >= '0' && b[i] <= '9' {
		return i
	}
	for i < len(b) && (isAlnum(b[i]) || b[i] == '_' || b[i] == '$') {
		i++
	}
	return i
}

// scriptCallee returns the end of the member expression at i, or i.
func scriptCallee(b []byte, i int) int {
	end := scriptName(b, i)
	for end > i && end < len(b) {
		next := end
		switch b[end] {
		case '.':
			next = scriptName(b, end+1)
			if next == end+1 {
				return i
			}
		case '[':
			n := bytes.IndexByte(b[end:min(len(b), end+maxCallback)], ']')
			if n < 0 || !isKeyLiteral(b[end+1:end+n]) {
				return i
			}
			next = end + n + 1
		}
		if next == end {
			return end
		}
		end = next
	}
	return end
}

// isKeyLiteral says whether b is a number or a plain string.
func isKeyLiteral(b []byte) bool {
	if n := len(b); n > 2 && (b[0] == '"' || b[0] == '\'') && b[n-1] == b[0] {
		b = b[1 : n-1]
	}
	for _, c := range b {
		if !isAlnum(c) && c != '_' && c != '$' && c != '-' {
			return false
		}
	}
	return len(b) > 0
}

// IsCallback says whether s is the name of a callback as Callback finds it, and nothing else.
func IsCallback(s string) bool {
	name, at := Callback([]byte(s + "("))
	return name == s && len(at) == 1
}

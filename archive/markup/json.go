package markup

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
)

// maxJSONDepth bounds how deep a path is followed; what is deeper holds no URL that anyone defined.
const maxJSONDepth = 8

// WebManifest visits the URLs of a web application manifest (W3C Web Application Manifest §1 and the manifest incubations).
func WebManifest(dst io.Writer, src []byte, visit Visit) error {
	return run(dst, src, visit, func(s *scan, t *text) {
		scanJSON(s, t, func(path []string, key bool) (Role, string) {
			if key {
				return None, ""
			}
			at := strings.Join(path, "/")
			return manifestRole(at), "manifest/" + at
		})
	})
}

func manifestRole(path string) Role {
	switch path {
	case "icons/*/src", "shortcuts/*/icons/*/src", "file_handlers/*/icons/*/src":
		return Icon
	case "screenshots/*/src":
		return Social
	case "start_url", "shortcuts/*/url":
		return Link
	case "share_target/action", "file_handlers/*/action", "protocol_handlers/*/url", "note_taking/new_note_url":
		return Form
	case "serviceworker/src":
		return Script
	case "related_applications/*/url":
		return Related
	case "scope", "id":
		return Prefix
	}
	return None
}

// ImportMap visits the addresses of an import map (HTML §8.1.6.2), and its keys that are URLs.
func ImportMap(dst io.Writer, src []byte, visit Visit) error {
	return run(dst, src, visit, func(s *scan, t *text) { scanImportMap(s, t, "") })
}

// scanImportMap gives the digests of modules another name, if there is one: a rewritten module has another digest, and of keys
// that it does not know a browser takes no notice (HTML §8.1.6.2, parse an import map string, step 9).
func scanImportMap(s *scan, t *text, integrity string) {
	j := &jsonScan{scan: s, t: t, integrity: integrity}
	j.read(func(path []string, key bool) (Role, string) {
		in, n := path[0], len(path)
		switch {
		case in == "imports" && n == 2 || in == "scopes" && n == 3:
			if key {
				return Prefix, "importmap/key"
			}
			return Module, "importmap/address"
		case in == "scopes" && n == 2 && key:
			return Prefix, "importmap/scope"
		}
		return None, ""
	})
}

// scanSpeculation visits the lists of speculation rules (HTML §7.6.1): pages that may come next.
func scanSpeculation(s *scan, t *text) {
	scanJSON(s, t, func(path []string, key bool) (Role, string) {
		if at := strings.Join(path, "/"); !key && (at == "prefetch/*/urls/*" || at == "prerender/*/urls/*") {
			return Link, "script/speculationrules"
		}
		return None, ""
	})
}

// jsonScan walks a JSON text (RFC 8259) and forgives what is wrong with it.
type jsonScan struct {
	*scan
	t    *text
	role func(path []string, key bool) (Role, string)
	path []string // keys; "*" in arrays
	deep int      // levels below maxJSONDepth

	integrity string // what the key "integrity" is called instead; "": as it is
}

func scanJSON(s *scan, t *text, role func(path []string, key bool) (Role, string)) {
	(&jsonScan{scan: s, t: t}).read(role)
}

func (j *jsonScan) read(role func(path []string, key bool) (Role, string)) {
	j.role = role
	b := j.t.b
	for i := 0; i < len(b); {
		switch b[i] {
		case '"':
			end := jsonStringEnd(b, i)
			i = j.string(i, end)
			continue
		case '{':
			j.push("")
		case '[':
			j.push("*")
		case '}', ']':
			j.pop()
		}
		i++
	}
}

func (j *jsonScan) push(key string) {
	if len(j.path) >= maxJSONDepth {
		j.deep++
		return
	}
	j.path = append(j.path, key)
}

func (j *jsonScan) pop() {
	switch {
	case j.deep > 0:
		j.deep--
	case len(j.path) > 0:
		j.path = j.path[:len(j.path)-1]
	}
}

// string visits the string at [start, end), quotes included, and returns the position after it.
func (j *jsonScan) string(start, end int) int {
	if j.deep > 0 || len(j.path) == 0 || end-start < 2 || j.t.b[end-1] != '"' {
		return end
	}
	var value string
	raw := j.t.b[start+1 : end-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		value = string(raw)
	} else if json.Unmarshal(j.t.b[start:end], &value) != nil {
		return end
	}
	last := len(j.path) - 1
	key := j.path[last] != "*" && isKey(j.t.b, end)
	if key {
		j.path[last] = value
		if j.integrity != "" && last == 0 && value == "integrity" {
			j.edit(j.t, start+1, end-1, j.integrity)
		}
	}
	role, context := j.role(j.path, key)
	if role == None || role == Module && !isSpecifier(value) || role == Prefix && key && !isSpecifier(value) {
		return end
	}
	if role == Module && strings.HasSuffix(value, "/") {
		role = Prefix
	}
	j.found(j.t, Ref{URL: value, Role: role, Context: context, Start: start + 1, End: end - 1}, escapeJSON)
	return end
}

// isKey says whether a colon follows.
func isKey(b []byte, i int) bool {
	i = skipSpace(b, i)
	return i < len(b) && b[i] == ':'
}

func jsonStringEnd(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// escapeJSON spells s so that it can stand in a JSON string, in a script element too.
func escapeJSON(s string) string {
	out, err := json.Marshal(s) // escapes <, > and & as well
	if err != nil {
		return ""
	}
	return string(out[1 : len(out)-1])
}

package post

import (
	"cmp"
	"strings"

	"linkstead/archive/urlkey"
)

// frontMatter reads the YAML or TOML before a document; body is where the document begins.
func frontMatter(text string) (d Document, body int) {
	for _, fence := range []string{"---", "+++"} {
		rest, ok := strings.CutPrefix(text, fence)
		if !ok || !strings.HasPrefix(strings.TrimLeft(rest, " \t\r"), "\n") {
			continue
		}
		end := strings.Index(rest, "\n"+fence)
		if end < 0 {
			continue
		}
		fields := parseFields(rest[:end], fence)
		d.Title = collapse(fields["title"])
		d.Dated = isoDate(cmp.Or(fields["date"], fields["published"], fields["pubdate"]))
		d.Lang = cmp.Or(fields["lang"], fields["language"])
		if c := cmp.Or(fields["canonicalurl"], fields["canonical_url"]); urlkey.Fetchable(c) {
			d.Canonical, _ = urlkey.Parse("", c)
		}
		after := len(fence) + end + 1 + len(fence)
		if nl := strings.IndexByte(text[after:], '\n'); nl >= 0 {
			return d, after + nl + 1
		}
		return d, len(text)
	}
	return d, 0
}

// parseFields returns the scalar fields at the top level of YAML or TOML front matter, their names in lower case. Front
// matter is written by hand and by many tools: of what isn't plain, folded and literal blocks are read, the rest is not.
func parseFields(s, fence string) map[string]string {
	fields := map[string]string{}
	sep := map[string]string{"---": ":", "+++": "="}[fence]
	block := "" // the name whose indented lines follow
	for line := range strings.Lines(s) {
		text := strings.TrimSpace(line)
		if text != "" && line[0] <= ' ' {
			if block != "" {
				fields[block] += " " + text
			}
			continue
		}
		block = ""
		if sep == "=" && strings.HasPrefix(text, "[") {
			break
		}
		name, value, ok := strings.Cut(text, sep)
		if !ok || strings.HasPrefix(text, "#") {
			continue
		}
		name, value = strings.ToLower(strings.Trim(strings.TrimSpace(name), `"'`)), strings.TrimSpace(value)
		if sep == ":" && value != "" && strings.Trim(value, "|>+-0123456789") == "" && strings.ContainsAny(value[:1], "|>") {
			block, value = name, ""
		}
		if v, ok := scalar(value); ok {
			fields[name] = v
		}
	}
	return fields
}

// scalar returns the value of a plain or quoted scalar, without the comment behind it.
func scalar(v string) (string, bool) {
	if v == "" {
		return "", true
	}
	switch v[0] {
	case '"':
		end := 1
		for end < len(v) && v[end] != '"' {
			if v[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(v) {
			return "", false
		}
		return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(v[1:end]), true
	case '\'':
		body := strings.ReplaceAll(v[1:], "''", "\x00")
		body, _, ok := strings.Cut(body, "'")
		return strings.ReplaceAll(body, "\x00", "'"), ok
	case '[', '{', '&', '*', '!':
		return "", false
	}
	plain, _, _ := strings.Cut(v, " #")
	return strings.TrimSpace(plain), true
}

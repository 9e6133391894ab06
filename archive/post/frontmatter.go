package post

import (
	"cmp"
	"strings"

	"go.yaml.in/yaml/v3"

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

// parseFields returns the scalar fields of front matter, their names in lower case.
func parseFields(s, fence string) map[string]string {
	fields := map[string]string{}
	if fence == "---" {
		var nodes map[string]yaml.Node
		if yaml.Unmarshal([]byte(s), &nodes) != nil {
			return fields
		}
		for name, n := range nodes {
			if n.Kind == yaml.ScalarNode {
				fields[strings.ToLower(name)] = n.Value
			}
		}
		return fields
	}
	for line := range strings.Lines(s) {
		if strings.HasPrefix(line, "[") {
			break
		}
		if name, value, ok := strings.Cut(line, "="); ok {
			fields[strings.ToLower(strings.TrimSpace(name))] = strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return fields
}

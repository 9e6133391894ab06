package cite

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// Bounds on linked data, which is as deep and as large as its page wants it to be.
const (
	maxDepth = 12
	maxNodes = 5_000
)

// isBody stands before the name of an author who is no person.
const isBody = "\x00"

// graph is the linked data of a page.
type graph struct {
	nodes  []map[string]any
	byID   map[string]map[string]any
	looked int
}

// linked reads the JSON-LD of a page: of all that its scripts describe, the thing that the page is about.
func (r *reader) linked(address string) {
	g := graph{byID: map[string]map[string]any{}}
	for _, s := range r.scripts {
		s = strings.TrimSpace(s)
		for _, wrap := range []string{"<!--", "//<![CDATA[", "/*<![CDATA[*/", "<![CDATA["} {
			s = strings.TrimSpace(strings.TrimPrefix(s, wrap))
		}
		var v any
		// What stands behind the first value, such as the end of a comment, is not looked at.
		if json.NewDecoder(strings.NewReader(s)).Decode(&v) == nil {
			g.walk(v, 0)
		}
	}
	n := g.main(address, r.canon)
	if n == nil {
		return
	}
	for _, t := range texts(n["@type"]) {
		r.said.add(kind, FromLinked, t)
	}
	say := func(f field, values ...any) {
		for _, v := range values {
			for _, t := range texts(v) {
				r.said.add(f, FromLinked, t)
			}
		}
	}
	say(title, n["headline"], n["name"])
	say(published, n["datePublished"], n["dateCreated"], n["uploadDate"])
	say(modified, n["dateModified"])
	say(language, n["inLanguage"])
	say(doi, n["doi"], n["sameAs"])
	for _, key := range []string{"author", "creator"} {
		if names := g.names(n[key]); len(names) > 0 {
			say(author, names)
			break
		}
	}
	if names := g.names(n["publisher"]); len(names) > 0 {
		say(publisher, strings.TrimPrefix(names[0].(string), isBody))
		say(site, strings.TrimPrefix(names[0].(string), isBody))
	}
	if slices.ContainsFunc(texts(n["@type"]), scholarly) {
		for _, name := range g.names(n["isPartOf"]) {
			say(container, strings.TrimPrefix(name.(string), isBody))
		}
	}
}

func scholarly(t string) bool { return strings.HasSuffix(t, "ScholarlyArticle") }

// walk collects the things that are described, wherever they stand.
func (g *graph) walk(v any, depth int) {
	if g.looked++; depth > maxDepth || g.looked > maxNodes {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			g.walk(e, depth+1)
		}
	case map[string]any:
		if v["@type"] != nil {
			g.nodes = append(g.nodes, v)
		}
		if id, ok := v["@id"].(string); ok && len(v) > 1 && g.byID[id] == nil {
			g.byID[id] = v
		}
		for _, key := range []string{"@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "author", "publisher", "isPartOf", "hasPart"} {
			if v[key] != nil {
				g.walk(v[key], depth+1)
			}
		}
	}
}

// main is the thing that the page is about: one whose address is the page's before others, a work before the page that shows it. nil if there is none.
func (g *graph) main(address, canonical string) map[string]any {
	var best map[string]any
	most := 0
	for _, n := range g.nodes {
		score := 0
		for _, t := range texts(n["@type"]) {
			known, ok := typeOf(t)
			switch {
			case ok && known != webpage, strings.HasSuffix(t, "Article"):
				score = max(score, 10)
			case ok:
				score = max(score, 4)
			}
		}
		if score == 0 {
			continue
		}
		for _, key := range []string{"url", "@id", "mainEntityOfPage"} {
			for _, id := range append(texts(n[key]), texts(sub(n[key], "@id"))...) {
				if samePage(id, address) || samePage(id, canonical) {
					score += 5
				}
			}
		}
		if n["headline"] != nil {
			score++
		}
		if score > most {
			best, most = n, score
		}
	}
	return best
}

func sub(v any, key string) any {
	if m, ok := v.(map[string]any); ok {
		return m[key]
	}
	return nil
}

// samePage says whether two addresses name one page, whatever their scheme, fragment and last slash.
func samePage(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	bare := func(s string) string {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" {
			return s
		}
		return strings.TrimPrefix(u.Host, "www.") + strings.TrimSuffix(u.EscapedPath(), "/") + "?" + u.RawQuery
	}
	return bare(a) == bare(b)
}

// texts are the strings of a value: itself, or those of a list, or "@value" and "name" of what describes one.
func texts(v any) (out []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, e := range v {
			if len(out) < maxSaid {
				out = append(out, texts1(e)...)
			}
		}
	case map[string]any:
		return texts1(v)
	}
	return out
}

func texts1(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case map[string]any:
		for _, key := range []string{"@value", "alternateName", "name", "@id"} {
			if s, ok := v[key].(string); ok && (key != "@id" || len(v) == 1) {
				return []string{s}
			}
		}
	}
	return nil
}

// names are the names of persons and bodies, who stand there themselves or by a reference; of a body with isBody before it.
func (g *graph) names(v any) (out []any) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, e := range list {
		if len(out) == maxAuthors {
			break
		}
		switch e := e.(type) {
		case string:
			if n := g.byID[e]; n != nil {
				out = append(out, nameOf(n)...)
			} else if e != "" {
				out = append(out, e)
			}
		case map[string]any:
			if id, ok := e["@id"].(string); ok && e["name"] == nil && g.byID[id] != nil {
				e = g.byID[id]
			}
			out = append(out, nameOf(e)...)
		}
	}
	return out
}

func nameOf(n map[string]any) []any {
	isPerson, isOrg := false, false
	for _, t := range texts(n["@type"]) {
		isPerson = isPerson || strings.HasSuffix(t, "Person")
		isOrg = isOrg || strings.HasSuffix(t, "Organization") || strings.HasSuffix(t, "Corporation")
	}
	family, _ := n["familyName"].(string)
	given, _ := n["givenName"].(string)
	if isPerson && family != "" && given != "" && !strings.ContainsAny(family+given, ",;") {
		return []any{family + ", " + given}
	}
	var out []any
	for _, name := range texts(n["name"]) {
		if isOrg && !isPerson {
			name = isBody + name
		}
		out = append(out, name)
	}
	return out
}

package probe

import (
	"bytes"
	"net/url"
	"strings"

	"golang.org/x/net/html"

	"linkstead/archive/text"
)

// places says which fragments a page has no place for, and of which nobody can tell: since only a part of the page was read, or since
// the fragment is a script's (HTML Standard §7.4.6.4, and what many sites make of it). Words that a fragment seeks (URL Fragment Text
// Directives) are sought as a browser seeks them.
func places(body []byte, charset string, fragments []string, whole bool) (missing, unsure []string) {
	var wanted []string
	for _, f := range fragments {
		switch {
		case anywhere(f):
		case scripted(f):
			unsure = append(unsure, f)
		default:
			wanted = append(wanted, f)
		}
	}
	if len(wanted) == 0 {
		return nil, unsure
	}
	body = text.Decode(body, charset, true)
	ids := namesIn(body, wanted)
	words := ""
	for _, f := range wanted {
		name, directive, _ := strings.Cut(f, ":~:")
		named := name == "" || strings.EqualFold(name, "top") || ids[name] || ids[unescaped(name)]
		found, sure := true, true
		for _, sought := range seeks(directive) {
			if words == "" {
				words = wordsOf(body)
			}
			one, told := sought.in(words)
			found, sure = found && one, sure && told
		}
		switch {
		case named && found:
		case whole && sure:
			missing = append(missing, f)
		default:
			unsure = append(unsure, f)
		}
	}
	return missing, unsure
}

// Places says which fragments a page, which is whole, has no place for.
func Places(body []byte, charset string, fragments []string) (missing, unsure []string) {
	return places(body, charset, fragments, true)
}

// anywhere says whether a fragment is good for any page: its top.
func anywhere(f string) bool { return f == "" || strings.EqualFold(f, "top") }

// scripted says whether a fragment is one that a page's script reads: a route (#/inbox, #!page), a query (#a=b), a line of a
// source (#L10-L20).
func scripted(f string) bool {
	f, _, _ = strings.Cut(f, ":~:")
	if strings.HasPrefix(f, "/") || strings.HasPrefix(f, "!") || strings.ContainsAny(f, "=&") {
		return true
	}
	rest, line := strings.CutPrefix(f, "L")
	return line && rest != "" && strings.Trim(rest, "0123456789-LC") == ""
}

func unescaped(f string) string {
	f, _, _ = strings.Cut(f, ":~:")
	if s, err := url.PathUnescape(f); err == nil {
		return s
	}
	return f
}

// namesIn finds which of the wanted names the elements of a page bear, as id or as an anchor's name.
func namesIn(body []byte, wanted []string) map[string]bool {
	want, found := map[string]bool{}, map[string]bool{}
	for _, f := range wanted {
		want[f], want[unescaped(f)] = true, true
	}
	z := html.NewTokenizer(bytes.NewReader(body))
	z.SetMaxBuf(len(body) + 1)
	for {
		switch z.Next() {
		case html.ErrorToken:
			return found
		case html.StartTagToken, html.SelfClosingTagToken:
			tag, more := z.TagName()
			anchor := len(tag) == 1 && tag[0] == 'a'
			for more {
				var key, val []byte
				key, val, more = z.TagAttr()
				if string(key) != "id" && (!anchor || string(key) != "name") {
					continue
				}
				if name := string(val); want[name] {
					found[name] = true
				} else if name, ok := strings.CutPrefix(name, "user-content-"); ok && want[name] { // as code forges write the ids of a reader's text
					found[name] = true
				}
			}
		}
	}
}

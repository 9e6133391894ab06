package replay

import (
	"net/url"
	"strings"

	"linkstead/archive/markup"
)

// calledBack makes a JSONP script call the function that was asked for. Scripts make up a name for each call, from the clock
// or a counter, and put it into the query; a lookup that takes no notice of it brings an answer that calls the function of
// its own day. Only what the captured URL says is the callback is replaced: a parameter whose value the script calls.
func calledBack(src []byte, captured, asked string) []byte {
	was, now, differ := queriesOf(captured, asked)
	if !differ {
		return src
	}
	name, at := markup.Callback(src)
	if name == "" {
		return src
	}
	with := ""
	params := parameters(now)
	for key, value := range parameters(was) {
		if to := params[key]; value == name && to != name && markup.IsCallback(to) && (with == "" || to < with) {
			with = to
		}
	}
	if with == "" {
		return src
	}
	out, done := make([]byte, 0, len(src)+len(at)*len(with)), 0
	for _, i := range at {
		out = append(append(out, src[done:i]...), with...)
		done = i + len(name)
	}
	return append(out, src[done:]...)
}

// queriesOf are the queries of the URL that was captured and of the one that was asked for, and whether a callback could have another
// name in the one than in the other.
func queriesOf(captured, asked string) (was, now string, differ bool) {
	if captured == asked {
		return "", "", false
	}
	_, was, _ = strings.Cut(captured, "?")
	_, now, _ = strings.Cut(asked, "?")
	return was, now, was != now && was != "" && now != ""
}

// maxParameters bounds how many parameters of a query are looked at.
const maxParameters = 256

// parameters are those of a query, the first of each name.
func parameters(query string) map[string]string {
	m := map[string]string{}
	n := 0
	for pair := range strings.SplitSeq(query, "&") {
		if n++; n > maxParameters {
			break
		}
		key, value, _ := strings.Cut(pair, "=")
		if v, err := url.QueryUnescape(value); err == nil {
			if _, again := m[key]; !again {
				m[key] = v
			}
		}
	}
	return m
}

package cdx_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"linkstead/archive/cdx"
)

// which tells the rows of an answer by their numbers in the index.
func which(t *testing.T, text string) string {
	t.Helper()
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		at := -1
		for i := range index {
			if strings.HasPrefix(line, fmt.Sprint(index[i].Offset, " ")) || line == fmt.Sprint(index[i].Offset) {
				at = i
			}
		}
		if at >= 0 {
			out = append(out, fmt.Sprint(at))
		}
	}
	return strings.Join(out, " ")
}

// TestSelects: what each parameter selects. Rows are told by their numbers in the index.
func TestSelects(t *testing.T) {
	const all = "0 1 2 3 4 5 6 7 8"
	for _, c := range []struct {
		dialect cdx.Dialect
		query   string
		want    string
	}{
		{cdx.Pywb, "", all},
		{cdx.Pywb, "filter=status:20", "0 1 2 4 6 7"},
		{cdx.Pywb, "filter==status:200", "0 1 2 4 6 7"},
		{cdx.Pywb, "filter==status:20", ""},
		{cdx.Pywb, "filter=!=status:200", "3 5 8"},
		{cdx.Pywb, "filter=!status:3", "0 1 2 3 4 6 7"},
		{cdx.Pywb, "filter=~status:[45]..", "3 5"},
		{cdx.Pywb, "filter=~mime:text", "0 2 3 4 5 8"}, // from the beginning, not to the end
		{cdx.Pywb, "filter=!~mime:text", "1 6 7"},
		{cdx.Pywb, "filter==mime:warc/revisit", "1 7"},
		{cdx.Pywb, "filter==status:200&filter==mime:text/html", "0 2 4"},
		{cdx.Pywb, "filter=digest:sha256:E", "6 7"},
		{cdx.Pywb, "filter==redirect:-", all},
		{cdx.Pywb, "filter=original:.pdf", "6 7"}, // the other dialect's names, too
		{cdx.Pywb, "limit=3", "0 1 2"},
		{cdx.Pywb, "limit=3&sort=reverse", "8 7 6"},
		{cdx.Pywb, "limit=2&filter==status:404", "3"},
		{cdx.Pywb, "collapseTime=4", "0 1 3 4 5 6 7 8"},
		{cdx.Pywb, "collapseTime=6", "0 1 3 4 5 6 7 8"},
		{cdx.Pywb, "collapseTime=14", all},

		{cdx.Wayback, "", all},
		{cdx.Wayback, "filter=statuscode:200", "0 2 4 6"}, // revisits have none
		{cdx.Wayback, "filter=!statuscode:200", "1 3 5 7 8"},
		{cdx.Wayback, "filter=statuscode:-", "1 7"},
		{cdx.Wayback, "filter=statuscode:[45]..", "3 5"},
		{cdx.Wayback, "filter=mimetype:text", ""}, // all of it
		{cdx.Wayback, "filter=mimetype:text/.*", "0 2 3 4 5 8"},
		{cdx.Wayback, "filter=mimetype:text/html|application/pdf", "0 2 3 4 6 8"},
		{cdx.Wayback, "filter=original:.*\\.pdf", "6 7"},
		{cdx.Wayback, "collapse=urlkey", "0 6 8"},
		{cdx.Wayback, "collapse=timestamp:4", "0 1 4 6 7"},
		{cdx.Wayback, "collapse=digest", "0 2 3 4 5 6 8"},
		{cdx.Wayback, "collapse=digest&collapse=timestamp:6", "0 2 3 4 6 8"},
		{cdx.Wayback, "collapse=timestamp:4&filter=statuscode:200", "0 2 4 6"},
		{cdx.Wayback, "limit=2&offset=3", "3 4"},
		{cdx.Wayback, "offset=7", "7 8"},
		{cdx.Wayback, "offset=70", ""},
		{cdx.Wayback, "limit=-1", "8"},
		{cdx.Wayback, "limit=-3", "6 7 8"},
		{cdx.Wayback, "limit=-3&fastLatest=true", "6 7 8"},
		{cdx.Wayback, "limit=-30", all},
		{cdx.Wayback, "limit=-3&sort=reverse", "2 1 0"},
		{cdx.Wayback, "limit=-2&collapse=urlkey", "6 8"},
		{cdx.Wayback, "limit=-5&collapse=digest", "3 4 5 6 8"},
		{cdx.Wayback, "limit=-2&filter=statuscode:200", "4 6"},
	} {
		name := "fields"
		if c.dialect == cdx.Wayback {
			name = "fl"
		}
		q := query(t, c.dialect, c.query+"&output=text&"+name+"=offset,url")
		if got := which(t, ask(t, q, index, 0)); got != c.want {
			t.Errorf("%q selects %q, want %q", c.query, got, c.want)
		}
	}
}

// TestResume: an answer in parts is the whole answer, whatever cuts it.
func TestResume(t *testing.T) {
	for _, base := range []string{
		"", "sort=reverse", "filter=!statuscode:404", "collapse=urlkey", "collapse=digest", "collapse=timestamp:4",
	} {
		whole := which(t, ask(t, query(t, cdx.Wayback, base+"&fl=offset,original"), index, 0))
		for limit := 1; limit < 11; limit++ {
			var parts []string
			key := ""
			for range 20 {
				q := query(t, cdx.Wayback, base+"&fl=offset,original&showResumeKey=true&limit="+fmt.Sprint(limit)+"&resumeKey="+key)
				text := ask(t, q, index, 0)
				rows, next, more := strings.Cut(text, "\n\n")
				parts = append(parts, which(t, rows))
				if key = strings.TrimSpace(next); !more {
					break
				}
			}
			if got := strings.Join(strings.Fields(strings.Join(parts, " ")), " "); got != whole {
				t.Errorf("%q by %d: %q, want %q", base, limit, got, whole)
			}
		}
	}
	// What our own bounds cut says so unasked.
	if text := ask(t, query(t, cdx.Wayback, ""), index, 4); strings.Count(text, "\n") != 6 || !strings.Contains(text, "\n\n") {
		t.Errorf("cut text has no key:\n%s", text)
	}
	var table [][]string
	if err := json.Unmarshal([]byte(ask(t, query(t, cdx.Wayback, "output=json"), index, 4)), &table); err != nil || len(table) != 7 || len(table[5]) != 0 || len(table[6]) != 1 {
		t.Errorf("cut table is %v, %v", table, err)
	}
	key := table[6][0]
	if twice := url.QueryEscape(url.QueryEscape(key)); twice != key {
		t.Errorf("key %q is another when it is encoded", key)
	}
	if got := which(t, ask(t, query(t, cdx.Wayback, "fl=offset,original&resumeKey="+key), index, 0)); got != "4 5 6 7 8" {
		t.Errorf("behind the cut come %s", got)
	}
	if text := ask(t, query(t, cdx.Pywb, "output=json"), index, 4); !strings.HasSuffix(text, "{\"resumeKey\": \""+key+"\"}\n") {
		t.Errorf("cut lines end without the key:\n%s", text)
	}
	if text := ask(t, query(t, cdx.Wayback, "limit=2"), index, 0); strings.Contains(text, "\n\n") {
		t.Errorf("nobody asked for a key:\n%s", text)
	}
}

// TestGolden holds the forms of both dialects to their files.
func TestGolden(t *testing.T) {
	for name, c := range map[string]struct {
		dialect cdx.Dialect
		query   string
	}{
		"pywb.cdxj":             {cdx.Pywb, ""},
		"pywb.json":             {cdx.Pywb, "output=json"},
		"pywb.txt":              {cdx.Pywb, "output=text"},
		"pywb.fields.cdxj":      {cdx.Pywb, "fields=urlkey,timestamp,status,redirect"},
		"pywb.fields.json":      {cdx.Pywb, "output=json&fl=url,redirect"},
		"pywb.revisits.json":    {cdx.Pywb, "output=json&resolveRevisits=true&fl=timestamp,mime,orig.length,orig.offset,orig.filename"},
		"pywb.link":             {cdx.Pywb, "url=site.example/&output=link&limit=3"},
		"pywb.11.cdx":           {cdx.Pywb, "output=cdx"},
		"pywb.7.cdx":            {cdx.Pywb, "output=cdx7"},
		"wayback.txt":           {cdx.Wayback, ""},
		"wayback.json":          {cdx.Wayback, "output=json"},
		"wayback.fields.json":   {cdx.Wayback, "output=json&fl=original,timestamp,robotflags,offset,filename"},
		"wayback.dupes.txt":     {cdx.Wayback, "showDupeCount=true"},
		"wayback.skips.txt":     {cdx.Wayback, "collapse=urlkey&showSkipCount=true&lastSkipTimestamp=true"},
		"wayback.skips.json":    {cdx.Wayback, "collapse=digest&filter=!statuscode:404&showSkipCount=true&lastSkipTimestamp=true&limit=3&output=json"},
		"wayback.resume.json":   {cdx.Wayback, "output=json&limit=2&showResumeKey=true"},
		"wayback.none.json":     {cdx.Wayback, "output=json&filter=statuscode:999"},
		"wayback.none.txt":      {cdx.Wayback, "filter=statuscode:999"},
		"wayback.revisits.json": {cdx.Wayback, "output=json&resolveRevisits=true&filter=mimetype:warc/revisit"},
	} {
		text := ask(t, query(t, c.dialect, c.query), index, 0)
		golden(t, name, text)
		if strings.HasPrefix(name, "wayback") && strings.HasSuffix(name, ".json") {
			var table [][]string
			if err := json.Unmarshal([]byte(text), &table); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if strings.HasPrefix(name, "pywb") && strings.HasSuffix(name, ".json") {
			for line := range strings.Lines(text) {
				var object map[string]string
				if err := json.Unmarshal([]byte(line), &object); err != nil {
					t.Errorf("%s: %q: %v", name, line, err)
				}
			}
		}
	}
}

// TestHostileValues: what servers put into their answers breaks no line.
func TestHostileValues(t *testing.T) {
	r := row("20200101000000 / 200 x A")
	r.Mime, r.URL, r.Redirect = "text/html\r\n x\x00\x7f\xff\u2028\u009b<>&\"\\", "http://site.example/ a\nb", "http://r.example/\t\u00e4"
	for _, c := range []struct {
		dialect cdx.Dialect
		query   string
		lines   int
	}{
		{cdx.Pywb, "", 1}, {cdx.Pywb, "output=json", 1}, {cdx.Pywb, "output=text", 1}, {cdx.Pywb, "output=cdx", 2}, {cdx.Pywb, "url=site.example&output=link", 2},
		{cdx.Wayback, "", 1}, {cdx.Wayback, "output=json", 2},
	} {
		text := ask(t, query(t, c.dialect, c.query), []cdx.Row{r}, 0)
		if n := strings.Count(text, "\n"); n != c.lines || strings.ContainsAny(text, "\x00\r\x7f\u009b") {
			t.Errorf("%q has %d lines: %q", c.query, n, text)
		}
		if c.query == "output=json" {
			if !json.Valid([]byte(text)) {
				t.Errorf("%q is no JSON: %q", c.query, text)
			}
		}
		if c.query == "output=text" && strings.Count(text, " ") != 8 {
			t.Errorf("a value has spaces: %q", text)
		}
	}
}

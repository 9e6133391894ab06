package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"linkstead/archive/fulltext"
)

// searchView is the page of what was found.
type searchView struct {
	Query, Collection string
	Asked             bool
	Bad               string // what is wrong with the query
	Total             string
	More              string // address of a longer list
	Results           []foundRow
}

type foundRow struct {
	Title, URL, Replay string
	At                 *moment
	Captures, Versions string // besides; empty if there are none
	Snippet            []fulltext.Piece
}

// searchJSON is the same for programs, as "linkstead search --json" has it.
type searchJSON struct {
	Query      string        `json:"query"`
	Collection string        `json:"collection"`
	Results    []searchFound `json:"results"`
	More       bool          `json:"more"`
}

type searchFound struct {
	Title    string        `json:"title"`
	URL      string        `json:"url"`
	Lang     string        `json:"lang,omitempty"`
	At       string        `json:"captured"`
	Replay   string        `json:"replay"`
	Digest   string        `json:"digest"`
	Captures int           `json:"captures"`
	Versions int           `json:"versions,omitempty"`
	Snippet  []searchPiece `json:"snippet"`
}

type searchPiece struct {
	Text string `json:"text"`
	Mark bool   `json:"mark,omitempty"`
}

// searched is how many pages a page of results has.
const searched = 20

// search finds pages by what they say. These pages are the archivist's: access rules do not count here.
func (p *Pages) search(r *http.Request) (*answer, error) {
	asked, of := r.URL.Query(), p.SearchIn
	v := searchView{Query: strings.TrimSpace(asked.Get("q")), Collection: asked.Get("collection")}
	v.Asked = v.Query != ""
	if v.Collection != "" {
		of = v.Collection
	}
	n, err := strconv.Atoi(asked.Get("limit"))
	if err != nil || n < 1 || n > 1000 {
		n = searched
	}
	asJSON := strings.HasSuffix(r.URL.Path, ".json")
	doc := searchJSON{Query: v.Query, Collection: of, Results: []searchFound{}}
	if v.Asked || asJSON {
		q, err := fulltext.Parse(v.Query)
		switch {
		case errors.Is(err, fulltext.ErrQuery) && asJSON:
			return nil, &problem{status: http.StatusBadRequest, title: "No query", text: err.Error(), hint: "Give words, phrases or beginnings of words as q."}
		case errors.Is(err, fulltext.ErrQuery):
			v.Bad = "There is no word in it that is to be found."
			return &answer{status: http.StatusBadRequest, page: "search", title: "Search", body: v}, nil
		case err != nil:
			return nil, err
		}
		found, err := p.Search.Find(r.Context(), fulltext.Ask{Query: q, Collections: []string{of}, Site: asked.Get("site"), Limit: n})
		if err != nil {
			return nil, err
		}
		for i := range found.Results {
			row, told := p.foundRow(&found.Results[i], of)
			v.Results, doc.Results = append(v.Results, row), append(doc.Results, told)
		}
		if doc.More = found.More; found.More {
			next := url.Values{"q": {v.Query}, "limit": {strconv.Itoa(min(1000, 5*n))}}
			if v.Collection != "" {
				next.Set("collection", v.Collection)
			}
			v.More = "/search?" + next.Encode()
		}
		v.Total = count(len(v.Results), "page", "pages")
	}
	if asJSON {
		raw, err := encode(doc)
		return &answer{status: http.StatusOK, raw: raw, mime: jsonType}, err
	}
	return &answer{status: http.StatusOK, page: "search", title: "Search", body: v}, nil
}

// foundRow is a page that was found, for people and for programs.
func (p *Pages) foundRow(f *fulltext.Result, collection string) (foundRow, searchFound) {
	at := f.Capture.At.UTC()
	name := "web"
	if collection != p.SearchIn {
		name = collection
	}
	row := foundRow{
		Title: f.Title, URL: f.Capture.URL, At: momentOf(at), Snippet: f.Snippet,
		Replay: strings.TrimSuffix(p.Replay, "/") + "/" + name + "/" + at.Format("20060102150405") + "/" + f.Capture.URL,
	}
	if strings.TrimSpace(row.Title) == "" {
		row.Title = row.URL
	}
	if f.Captures > 1 {
		row.Captures = count(f.Captures-1, "more capture of the same", "more captures of the same")
	}
	if f.Versions > 0 {
		row.Versions = count(f.Versions, "other version", "other versions")
	}
	told := searchFound{
		Title: f.Title, URL: row.URL, Lang: f.Lang, At: at.Format(time.RFC3339), Replay: row.Replay, Digest: f.Capture.Digest,
		Captures: f.Captures, Versions: f.Versions, Snippet: []searchPiece{},
	}
	for _, s := range f.Snippet {
		told.Snippet = append(told.Snippet, searchPiece(s))
	}
	return row, told
}

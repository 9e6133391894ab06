package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"linkstead/archive/link"
	"linkstead/crawler"
)

// Lives tells what became of links over time: of a post's, or, of no post, of up to n links in a state, or in any.
type Lives func(ctx context.Context, post, state string, n int) ([]*crawler.LinkReport, error)

// linksShown bounds the links on a page, and in its JSON.
const linksShown = 1000

type linksView struct {
	Total   string
	Filters []linkFilter
	List    []lifeView
}

type linkFilter struct {
	Href, Name string
	Current    bool
}

type lifeView struct {
	Verdict, URL, Live, Says, Suspect string
	Posts                             []string
	Next                              *moment
}

// tellLives writes what is known of a post's links since into their views.
func (p *Pages) tellLives(ctx context.Context, post string, links []linkView) error {
	if p.Lives == nil || len(links) == 0 {
		return nil
	}
	lives, err := p.Lives(ctx, post, "", len(links)+linksShown)
	if err != nil {
		return err
	}
	says := make(map[string]string, len(lives))
	for _, l := range lives {
		says[anchor(l.URL)] = l.Says
	}
	for i := range links {
		links[i].Life = says[links[i].ID]
	}
	return nil
}

// lives are the links that the query asks for.
func (p *Pages) lives(r *http.Request) (list []*crawler.LinkReport, state string, err error) {
	state = r.URL.Query().Get("state")
	if state != "" && !slices.Contains(link.Verdicts, link.Verdict(state)) {
		return nil, "", &problem{status: http.StatusBadRequest, title: "No such state", text: "Links can be selected by the words of docs/verdicts.md, such as gone or moved."}
	}
	list = []*crawler.LinkReport{}
	if p.Lives != nil {
		list, err = p.Lives(r.Context(), "", state, linksShown)
	}
	return list, state, err
}

func (p *Pages) linksPage(r *http.Request) (*answer, error) {
	list, state, err := p.lives(r)
	if err != nil {
		return nil, err
	}
	v := linksView{Total: count(len(list), "link", "links"), Filters: []linkFilter{{"/links", "all", state == ""}}}
	if len(list) == linksShown {
		v.Total = "The first " + v.Total
	}
	for _, w := range link.Verdicts {
		v.Filters = append(v.Filters, linkFilter{"/links?state=" + string(w), string(w), state == string(w)})
	}
	for _, l := range list {
		one := lifeView{Verdict: string(l.Verdict), URL: shownURL(l.URL), Live: liveURL(l.URL), Says: clean(l.Says, 4*maxTitle), Posts: l.Posts}
		if l.Suspect != "" {
			one.Suspect = fmt.Sprintf("Strike %d of %d towards %s.", l.Strikes, l.Needed, l.Suspect)
		}
		if l.Next != nil {
			one.Next = momentOf(*l.Next)
		}
		v.List = append(v.List, one)
	}
	return &answer{status: http.StatusOK, page: "links", title: "Links", body: v}, nil
}

// linksJSON is the document that "linkstead links --json" prints.
func (p *Pages) linksJSON(r *http.Request) (*answer, error) {
	list, _, err := p.lives(r)
	if err != nil {
		return nil, err
	}
	raw, err := encode(list)
	return &answer{status: http.StatusOK, raw: raw, mime: jsonType}, err
}

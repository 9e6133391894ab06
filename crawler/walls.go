package crawler

import (
	"strings"

	"linkstead/archive/wall"
	"linkstead/archive/warc"
	"linkstead/crawler/fetch"
	"linkstead/crawler/scope"
)

// flagDocument notes on an exchange what its document shows instead of what was asked for.
func (c *Crawler) flagDocument(e *warc.Entry, d fetch.Document) {
	if scannerOf(d) == scanHTML && d.Status/100 != 3 {
		c.flag(e, &wall.Page{URL: d.URL, Status: d.Status, Values: d.Head.Values, HTML: d.Body})
	}
}

// flagHead does the same by the head alone, and by where a redirect leads: for answers that bring no document.
func (c *Crawler) flagHead(e *warc.Entry) {
	x := e.Exchange
	head := x.Head
	if e.Confirmed != nil {
		head = e.Confirmed.Head
	}
	if len(e.Meta.Flags) == 0 && x.Head.Len > 0 {
		c.flag(e, &wall.Page{URL: x.URL, Status: head.Status, Values: head.Values, Target: e.Meta.Redirect})
	}
}

func (c *Crawler) flag(e *warc.Entry, p *wall.Page) {
	if scope.Role(e.Task.Hops) == scope.KindRobots {
		return
	}
	rules := c.Walls
	if rules == nil {
		rules = wall.Default
	}
	if f := rules.Judge(p); len(f.Flags) > 0 {
		e.Meta.Flags = f.Words()
		e.Meta.Notes = append(e.Meta.Notes, "flagged "+strings.Join(f.Words(), " ")+" by the rule "+strings.Join(f.Rules, ", "))
	}
}

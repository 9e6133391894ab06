package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"linkstead/archive/report"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// perPage is how many posts a page lists.
const perPage = 25

type homeView struct {
	Posts       []postRow
	Total       string
	Runs        []runRow // going on or interrupted, without a post to show yet
	Newer, More string   // addresses of the pages before and after
}

type postRow struct {
	Href, Title, Source string
	State               state
	Dated, At           *moment
	Fate                fate // of the post itself
	tally
}

type runRow struct {
	Source  string
	State   state
	Started *moment
}

// state is where a run stands, in plain words; empty if it is done.
type state struct{ Word, Hint string }

func stateOf(s storage.RunState) state {
	switch s {
	case storage.RunActive:
		return state{"Being captured", "The capture is going on: what is not tried yet will follow."}
	case storage.RunPaused:
		return state{"Interrupted", "The capture was interrupted. Give the same capture command again to go on."}
	}
	return state{}
}

// tally counts links by what became of them.
type tally struct{ Links, Captured, Partial, Dead, NotCaptured, Pending, Purged, LeftOut int }

func tallyOf(r *report.Report) tally {
	t := r.Totals
	return tally{t.Links, t.Captured, t.Partial, t.Dead, t.NotCaptured, t.Pending, t.Purged, t.LeftOut}
}

// home lists the posts, newest first.
func (p *Pages) home(r *http.Request) (*answer, error) {
	ctx := r.Context()
	posts, err := p.Rows.Posts(ctx)
	if err != nil {
		return nil, err
	}
	runs, err := p.Rows.Unfinished(ctx)
	if err != nil {
		return nil, err
	}
	v := homeView{Total: count(len(posts), "post", "posts"), Runs: postless(runs, posts)}
	page, err := pageNumber(r.URL.Query().Get("page"), len(posts))
	if err != nil {
		return nil, err
	}
	if page > 1 {
		v.Newer = homePage(page - 1)
	}
	if page*perPage < len(posts) {
		v.More = homePage(page + 1)
	}
	for _, post := range posts[(page-1)*perPage : min(page*perPage, len(posts))] {
		row, err := p.row(ctx, post)
		if err != nil {
			return nil, err
		}
		v.Posts = append(v.Posts, row)
	}
	return &answer{status: http.StatusOK, page: "home", title: "Posts", body: v}, nil
}

func homePage(n int) string {
	if n == 1 {
		return "/"
	}
	return "/?page=" + strconv.Itoa(n)
}

func pageNumber(s string, posts int) (int, error) {
	if s == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 1 && n > (posts+perPage-1)/perPage {
		return 0, &problem{
			status: http.StatusNotFound, title: "No such page", text: "The list of posts has no such page.", hint: "It begins on the first one.",
		}
	}
	return n, nil
}

// postless brings the runs that none of the posts tells of.
func postless(runs []storage.Run, posts []storage.Post) []runRow {
	told := map[int64]bool{}
	for i := range posts {
		told[posts[i].Run] = true
	}
	var out []runRow
	for _, r := range runs {
		if !told[r.ID] && r.Source != "" {
			out = append(out, runRow{Source: shownURL(r.Source), State: stateOf(r.State), Started: momentOf(r.Started)})
		}
	}
	return out
}

func (p *Pages) row(ctx context.Context, post storage.Post) (postRow, error) {
	run, err := p.Rows.Run(ctx, post.Run)
	if err != nil {
		return postRow{}, err
	}
	s, ok := p.counts.of(run, post.ID, p.Now())
	if !ok {
		r, err := p.Reports.BuildPost(ctx, run, post.ID)
		if err != nil {
			return postRow{}, err
		}
		s = summary{tallyOf(r), fateOf(&r.Post.Fate)}
		p.counts.keep(run, post.ID, s, p.Now())
	}
	return postRow{
		Href: "/posts/" + url.PathEscape(post.ID), Title: titleOf(post.Title, post.Source), Source: shownURL(post.Source),
		State: stateOf(run.State), Dated: cited(post.Dated), At: momentOf(post.At), Fate: s.post, tally: s.links,
	}, nil
}

// titleOf is what a post is called.
func titleOf(title, source string) string {
	if t := clean(title, maxTitle); t != "" {
		return t
	}
	return shownURL(source)
}

// lookup leads from the form to the copies of an address.
func (p *Pages) lookup(r *http.Request) (*answer, error) {
	asked := strings.TrimSpace(r.URL.Query().Get("url"))
	if asked != "" && !strings.Contains(asked, "://") {
		asked = "http://" + strings.TrimPrefix(asked, "//") // copies are found whatever the scheme
	}
	u, err := urlkey.Parse("", asked)
	if err != nil || !urlkey.Fetchable(u) {
		return nil, &problem{
			status: http.StatusBadRequest, title: "That is no web address",
			text: "Copies are kept under http and https addresses.", hint: "Write it as in https://example.org/page.",
		}
	}
	return &answer{status: http.StatusSeeOther, to: p.Replay + "/web/*/" + u}, nil
}

// countsFor is how long counts of a run that is done are remembered: no capture adds to them, but a rebuild may.
const countsFor = time.Minute

const maxCounts = 1000

// counts remembers what runs came to, so that a long list of posts is not counted anew for each reader.
type counts struct {
	mu   sync.Mutex
	runs map[countKey]remembered
}

type countKey struct {
	run  int64
	post string
}

type summary struct {
	links tally
	post  fate
}

type remembered struct {
	summary
	until time.Time
}

func (c *counts) of(run storage.Run, post string, now time.Time) (summary, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.runs[countKey{run.ID, post}]
	return s.summary, ok && run.State == storage.RunDone && now.Before(s.until)
}

func (c *counts) keep(run storage.Run, post string, s summary, now time.Time) {
	if run.State != storage.RunDone {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.runs == nil || len(c.runs) >= maxCounts {
		c.runs = map[countKey]remembered{}
	}
	c.runs[countKey{run.ID, post}] = remembered{s, now.Add(countsFor)}
}

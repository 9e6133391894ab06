package web

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"linkstead/archive/outcome"
	"linkstead/archive/report"
	"linkstead/storage"
)

// followEvery is how many seconds a page that follows a run waits before it asks again.
const followEvery = 5

// shownCitations is how many places of one link are shown before the rest is folded away.
const shownCitations = 3

type postView struct {
	Title               string
	Source, URL         string // URL is empty if it is the source
	SourceLive, URLLive string
	Collection          string
	Run                 int64
	Dated, At, Now      *moment
	Fate                fate
	Needs, Lacks        string // requisites: of the post and its links, and of the post those that are not there
	Copy                string
	State               state
	Follow              string // address that follows the run, or stops following it
	Following           bool
	Newest              string // address of the newest version, if this isn't it
	JSON                string
	Bibliographies      []citeFormat
	Package             string // address of it as a WACZ; empty: none is handed out
	Identifier          string // its short name; empty: it has none
	Cite                string // address of the page by which it is cited
	Versions            []version
	Filters             []filter
	Total               string
	Links               []linkView
	Repairs             []mended // citations whose links were lost
	Mending             string   // address of the page on them
	LeftOut             []leftOutGroup
	LeftOutTotal        string
	Damaged, Hints      []scarView // citations that lost their link, and what may be such
	DamagedTotal        string
	Tasks               []taskCount
	TasksTotal          string
}

type version struct {
	Href    string
	Run     int64
	At      *moment
	Current bool
}

type filter struct {
	Href, Name string
	N          int
	Current    bool
}

type linkView struct {
	N         int
	ID        string // of its place on the page; the same in every version
	URL, Live string
	Of        string
	Fate      fate
	At        *moment
	Copy      string
	CopyName  string
	Redirects []hop
	Final     string // where they end
	Attempts  []attemptLink
	Lacks     string // what its page needs and is not there
	Insecure  string // why the certificate did not verify
	Other     string // if this version has no good copy: that of another
	OtherAt   *moment
	Life      string     // what is known of it since, in words
	Names     []nameView // short names of copies and attempts
	Citations []citation
	More      []citation
	MoreTotal string
}

type hop struct{ URL, Status string }

// attemptLink leads to the page on an attempt.
type attemptLink struct {
	Href, Word string
	At         *moment
}

// citation is a sentence around a link, in three parts: the link's own text is the middle one.
type citation struct {
	Before, Text, After string
	Page                int // 0: the document has none

	Copy, Fragment string // the copy at the place that the link names; empty if the link's copy has that already
}

type leftOutGroup struct {
	Reason string
	Links  []leftOut
}

type leftOut struct{ URL, Text string }

type taskCount struct {
	Word string
	N    int
}

// view is what the query asks to see of a post.
type view struct {
	id     string
	run    int64 // 0: the newest
	show   group // empty: all
	follow bool
}

func (v view) href() string {
	q := url.Values{}
	if v.run != 0 {
		q.Set("run", strconv.FormatInt(v.run, 10))
	}
	if v.show != "" {
		q.Set("show", string(v.show))
	}
	if v.follow {
		q.Set("follow", "1")
	}
	out := "/posts/" + url.PathEscape(v.id)
	if len(q) > 0 {
		out += "?" + q.Encode()
	}
	return out
}

// post tells of one version of a post, as a page or, under a name that ends in .json, as JSON.
func (p *Pages) post(r *http.Request) (*answer, error) {
	id, isJSON := strings.CutSuffix(r.PathValue("id"), ".json")
	asked, err := viewOf(id, r.URL.Query())
	if err != nil {
		return nil, err
	}
	versions, err := p.Rows.PostVersions(r.Context(), id)
	if err != nil {
		return nil, err
	}
	i, err := choose(versions, asked)
	if err != nil {
		return nil, err
	}
	run, rep, err := p.report(r.Context(), versions[i])
	if err != nil {
		return nil, err
	}
	if isJSON {
		return asJSON(rep)
	}
	v := p.postView(asked, versions, i, run, rep)
	if v.Collection, err = p.collection(r.Context(), rep.Post.Collection); err != nil {
		return nil, err
	}
	if err := p.tellLives(r.Context(), versions[i].ID, v.Links); err != nil {
		return nil, err
	}
	a := &answer{status: http.StatusOK, page: "post", body: v}
	a.title = titleOf(rep.Post.Title, rep.Post.Source)
	if asked.follow && run.State == storage.RunActive {
		a.follow = followEvery
	}
	return a, nil
}

func viewOf(id string, q url.Values) (view, error) {
	v := view{id: id, show: group(q.Get("show")), follow: q.Get("follow") != ""}
	switch v.show {
	case "", captured, partial, walled, dead, notCaptured, pending, purged:
	default:
		return v, &problem{
			status: http.StatusBadRequest, title: "No such selection", text: "Links can be selected by captured, partial, walled, dead, not-captured, pending and purged.",
		}
	}
	if s := q.Get("run"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n == 0 {
			return v, &problem{status: http.StatusBadRequest, title: "No such version", text: "A version is named by the number of its run, such as run=3."}
		}
		v.run = n
	}
	return v, nil
}

// choose finds the version that is asked for.
func choose(versions []storage.Post, asked view) (int, error) {
	if len(versions) == 0 {
		return 0, &problem{
			status: http.StatusNotFound, title: "No such post", text: "The archive keeps no post under this name.",
			hint: "The list of posts tells which are kept; so does the command “linkstead list”.",
		}
	}
	if asked.run == 0 {
		return 0, nil
	}
	i := slices.IndexFunc(versions, func(p storage.Post) bool { return p.Run == asked.run })
	if i < 0 {
		return 0, &problem{
			status: http.StatusNotFound, title: "No such version", text: "No run with this number captured this post.",
			hint: "Leave run out of the address for the newest version; its page lists all.",
		}
	}
	return i, nil
}

func (p *Pages) report(ctx context.Context, post storage.Post) (storage.Run, *report.Report, error) {
	run, err := p.Rows.Run(ctx, post.Run)
	if err != nil {
		return run, nil, err
	}
	r, err := p.Reports.BuildPost(ctx, run, post.ID)
	return run, r, err
}

func (p *Pages) postView(asked view, versions []storage.Post, i int, run storage.Run, r *report.Report) *postView {
	v := &postView{
		Title: titleOf(r.Post.Title, r.Post.Source), Source: shownURL(r.Post.Source), SourceLive: liveURL(r.Post.Source),
		Run: run.ID, Dated: cited(r.Post.Dated), At: momentOf(versions[i].At),
		Now: momentOf(p.Now()), Fate: fateOf(&r.Post.Fate), Copy: p.copyURL(r.Post.Replay), State: stateOf(run.State),
		JSON: jsonHref(asked), Total: count(len(r.Links), "link", "links"),
	}
	v.Bibliographies, v.Package = p.bibliographies(asked), p.packageHref(asked)
	if v.Identifier = r.Post.Identifier; v.Identifier != "" && p.Citations != nil {
		v.Cite = "/cite/" + v.Identifier
	}
	if q := r.Totals.Requisites; q != nil {
		v.Needs = q.Words()
	}
	if r.Post.Requisites.Incomplete() {
		v.Lacks = r.Post.Requisites.Lacks()
	}
	if r.Post.URL != r.Post.Source {
		v.URL, v.URLLive = shownURL(r.Post.URL), liveURL(r.Post.URL)
	}
	if run.State == storage.RunActive {
		other := asked
		other.follow = !asked.follow
		v.Follow, v.Following = other.href(), asked.follow
	}
	if i > 0 {
		v.Newest = view{id: asked.id}.href()
	}
	for j, post := range versions {
		to := view{id: asked.id, run: post.Run}
		if j == 0 {
			to.run = 0
		}
		v.Versions = append(v.Versions, version{to.href(), post.Run, momentOf(post.At), i == j})
	}
	v.Filters = filters(asked, tallyOf(r))
	for n := range r.Links {
		if l := p.link(n+1, &r.Links[n]); asked.show == "" || l.Fate.Group == asked.show {
			v.Links = append(v.Links, l)
		}
	}
	for n := range r.Repairs {
		v.Repairs, v.Mending = append(v.Repairs, p.mended(asked.id, &r.Repairs[n], false)), "/posts/"+url.PathEscape(asked.id)+"/repairs"
	}
	v.LeftOut, v.LeftOutTotal = leftOutOf(r.LeftOut), count(len(r.LeftOut), "link was left out on purpose", "links were left out on purpose")
	v.Damaged, v.Hints = scarsOf(r.Damaged)
	v.DamagedTotal = count(len(v.Hints), "more place may have lost one", "more places may have lost one")
	v.Tasks, v.TasksTotal = tasksOf(r.Totals.Tasks)
	return v
}

func jsonHref(asked view) string {
	out := "/posts/" + url.PathEscape(asked.id) + ".json"
	if asked.run != 0 {
		out += "?run=" + strconv.FormatInt(asked.run, 10)
	}
	return out
}

// filters lead to the links of one group each. Groups without links are left out, unless one is being looked at.
func filters(asked view, t tally) []filter {
	var out []filter
	for _, f := range []struct {
		show group
		name string
		n    int
	}{
		{"", "All", t.Links}, {captured, "Captured", t.Captured}, {partial, "Captured in part", t.Partial}, {walled, "Behind a wall", t.Walled},
		{dead, "Dead", t.Dead}, {notCaptured, "Not captured", t.NotCaptured}, {pending, "Not tried yet", t.Pending},
		{purged, "Taken out of the archive", t.Purged},
	} {
		if f.n == 0 && f.show != "" && f.show != asked.show {
			continue
		}
		to := asked
		to.show = f.show
		out = append(out, filter{to.href(), f.name, f.n, f.show == asked.show})
	}
	return out
}

func (p *Pages) link(n int, l *report.Link) linkView {
	v := linkView{
		N: n, ID: anchor(l.URL), URL: shownURL(l.URL), Live: liveURL(l.URL), Fate: fateOf(&l.Fate), Copy: p.copyURL(l.Replay),
	}
	if l.Of != "" {
		v.Of = shownURL(l.Of)
	}
	if l.CapturedAt != nil {
		v.At = momentOf(*l.CapturedAt)
	} else {
		v.At = momentOf(copiedAt(l.Replay)) // of the first hop, which is what is kept
	}
	switch {
	case l.Good():
		v.CopyName = "Copy"
	case l.Walled():
		v.CopyName = "Kept wall"
	case outcome.Outcome(l.Outcome).Kept():
		v.CopyName = "Kept error page"
	default:
		v.CopyName = "Kept redirect" // a failure has no copy but of the way there
	}
	if o := l.Other; o != nil && o.Replay != "" {
		v.Other, v.OtherAt = p.copyURL(o.Replay), momentOf(o.CapturedAt)
	}
	if l.Good() && l.Requisites.Incomplete() {
		v.Lacks = l.Requisites.Lacks()
	}
	v.Final, v.Insecure = shownURL(l.Final), clean(l.TLSInvalid, maxContext)
	v.Attempts = attemptsOf(&l.Fate)
	v.Names = p.namesOf(l)
	for _, h := range l.Redirects {
		v.Redirects = append(v.Redirects, hop{shownURL(h.URL), status(h.Status)})
	}
	same := !slices.ContainsFunc(l.Citations, func(c report.Citation) bool { return c.Fragment != l.Citations[0].Fragment })
	if same && len(l.Citations) > 0 && l.Citations[0].Replay != "" {
		v.Copy = p.copyURL(l.Citations[0].Replay)
	}
	for _, c := range l.Citations {
		shown := citationOf(c)
		if !same && c.Replay != "" {
			shown.Copy, shown.Fragment = p.copyURL(c.Replay), clean(c.Fragment, maxText)
		}
		v.Citations = append(v.Citations, shown)
	}
	if len(v.Citations) > shownCitations+1 {
		v.Citations, v.More = v.Citations[:shownCitations], v.Citations[shownCitations:]
		v.MoreTotal = count(len(v.More), "more place in the post", "more places in the post")
	}
	return v
}

// copiedAt is the time in the address of a copy; zero if there is none.
func copiedAt(address string) time.Time {
	_, rest, _ := strings.Cut(address, "/web/")
	stamp, _, _ := strings.Cut(rest, "/")
	t, err := time.Parse("20060102150405", stamp)
	if err != nil {
		return time.Time{}
	}
	return t
}

// attemptsOf leads to the pages on the attempts that failed.
func attemptsOf(f *report.Fate) (out []attemptLink) {
	for _, a := range f.Attempts {
		if i := strings.Index(a.Address, "/attempts/"); i >= 0 {
			out = append(out, attemptLink{a.Address[i:], clean(outcome.Outcome(a.Outcome).Describe().Short, maxTitle), momentOf(a.At)})
		}
	}
	return out
}

// anchor is the place of a link on the page: the same in every version of the post, wherever the link stands in it.
func anchor(url string) string {
	sum := sha256.Sum256([]byte(url))
	return "link-" + hex.EncodeToString(sum[:6])
}

func citationOf(c report.Citation) citation {
	text, context := clean(c.Text, maxText), clean(c.Context, maxContext)
	before, after, ok := cutWhole(context, text)
	switch {
	case text == "":
		return citation{Before: context, Page: c.Page}
	case context == "":
		return citation{Text: text, Page: c.Page}
	case !ok:
		return citation{Before: context + " – ", Text: text, Page: c.Page}
	}
	return citation{Before: before, Text: text, After: after, Page: c.Page}
}

// cutWhole cuts s around text, where it stands as a whole word or address if it does anywhere.
func cutWhole(s, text string) (before, after string, ok bool) {
	for at := 0; text != ""; {
		i := strings.Index(s[at:], text)
		if i < 0 {
			break
		}
		rest := s[at+i+len(text):]
		if r, _ := utf8.DecodeRuneInString(rest); rest == "" || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_/-", r) {
			return s[:at+i], rest, true
		}
		at += i + len(text)
	}
	return strings.Cut(s, text)
}

func leftOutOf(list []report.LeftOut) []leftOutGroup {
	by := map[string][]leftOut{}
	for _, l := range list {
		reason := clean(l.Reason, maxText)
		by[reason] = append(by[reason], leftOut{shownURL(l.URL), clean(l.Text, maxText)})
	}
	var out []leftOutGroup
	for _, reason := range slices.Sorted(maps.Keys(by)) {
		out = append(out, leftOutGroup{reason, by[reason]})
	}
	slices.SortStableFunc(out, func(a, b leftOutGroup) int { return cmp.Compare(len(b.Links), len(a.Links)) })
	return out
}

func tasksOf(tasks map[string]int) (out []taskCount, total string) {
	n := 0
	for _, o := range slices.Sorted(maps.Keys(tasks)) {
		n += tasks[o]
		short := outcome.Outcome(o).Describe().Short
		switch o {
		case report.Pending:
			short = "not tried yet"
		case report.Purged:
			short = "taken out of the archive"
		case string(outcome.Captured):
			short = "answered"
		}
		out = append(out, taskCount{clean(short, maxTitle), tasks[o]})
	}
	slices.SortStableFunc(out, func(a, b taskCount) int { return cmp.Compare(b.N, a.N) })
	return out, count(n, "address", "addresses")
}

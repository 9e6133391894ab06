package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"linkstead/archive/outcome"
	"linkstead/storage"
)

// Requisites count the addresses that a page needs to be seen as it was: pictures, styles, scripts, and what these name. One
// that several pages need counts for the page that named it first. Captured, Lacking and Pending add up to N.
type Requisites struct {
	N        int `json:"n"`
	Captured int `json:"captured"`
	Lacking  int `json:"lacking"` // that failed, came in part, answered 400 or above, or were left out by a rule
	Pending  int `json:"pending"`
}

// Incomplete says whether something is known to be lacking.
func (q *Requisites) Incomplete() bool { return q != nil && q.Lacking > 0 }

// Lacks says how many are lacking, in words.
func (q *Requisites) Lacks() string {
	verb := "are"
	if q.Lacking == 1 {
		verb = "is"
	}
	return fmt.Sprintf("%d of %d requisites %s lacking", q.Lacking, q.N, verb)
}

// Words say what became of all of them.
func (q *Requisites) Words() string {
	s := fmt.Sprintf("%d requisites: %d captured, %d lacking", q.N, q.Captured, q.Lacking)
	if q.N == 1 {
		s = strings.Replace(s, "requisites", "requisite", 1)
	}
	if q.Pending > 0 {
		s += fmt.Sprintf(", %d not tried yet", q.Pending)
	}
	return s
}

// Incomplete is a page of a run that lacks requisites.
type Incomplete struct {
	URL string `json:"url"`
	Requisites
}

// Needs is what requisites are read from.
type Needs interface {
	RunRequisites(ctx context.Context, run int64, n int) ([]storage.RunAddress, error)
}

// Bounds of what is looked at, and of what is listed.
const (
	maxRequisites = 50_000 // of a run; of one that has more, nothing is told
	maxIncomplete = 100    // pages of a run
	maxNesting    = 100    // how far it is looked back for the page that a requisite belongs to
)

// need is a requisite and what became of it.
type need struct {
	via                 string
	run                 int64 // the newest that asked for it
	captured, unsettled bool
}

// needs are requisites by URL. nil: there are too many.
type needs map[string]need

// read adds what a run asked for; what any run has captured is captured.
func (n needs) read(ctx context.Context, rows Needs, run int64) (ok bool, err error) {
	list, err := rows.RunRequisites(ctx, run, maxRequisites+1)
	if err != nil || len(list) > maxRequisites {
		return false, err
	}
	for i := range list {
		a := &list[i]
		o := need{via: a.Via, run: run, unsettled: a.Due < storage.Never}
		o.captured = !o.unsettled && a.Outcome == string(outcome.Captured) && a.Status < 400
		if before, known := n[a.URL]; !known || !before.captured {
			n[a.URL] = o
		}
	}
	return true, nil
}

// page is the address of the page that a requisite belongs to.
func (n needs) page(url string) string {
	for range maxNesting {
		q, is := n[url]
		if !is {
			return url
		}
		url = q.via
	}
	return ""
}

func (q *Requisites) add(n need) {
	q.N++
	switch {
	case n.unsettled:
		q.Pending++
	case n.captured:
		q.Captured++
	default:
		q.Lacking++
	}
}

// of says whether a requisite counts for the page that a copy shows. What runs before the copy's asked for in vain was lacking
// to a copy that it has replaced, such as an error or a wall: were it needed still, the copy's run would have asked for it, too.
func (n need) of(f *Fate) bool { return f.run != 0 && (n.captured || n.run >= f.run) }

// requisites tells of the post and of each link what its page needs.
func (b *Builder) requisites(ctx context.Context, runs []int64, r *Report) error {
	all := needs{}
	for _, id := range runs {
		if ok, err := all.read(ctx, b.Rows, id); err != nil || !ok {
			return err
		}
	}
	if len(all) == 0 {
		return nil
	}
	of := map[string][]*Fate{}
	claim := func(f *Fate, urls ...string) {
		for _, h := range f.Redirects {
			urls = append(urls, h.URL)
		}
		slices.Sort(urls)
		for _, u := range slices.Compact(append(urls, f.Final)) {
			if u != "" && !slices.Contains(of[u], f) {
				of[u] = append(of[u], f)
			}
		}
	}
	claim(&r.Post.Fate, r.Post.Source, r.Post.URL)
	for i := range r.Links {
		claim(&r.Links[i].Fate, r.Links[i].URL)
	}
	for url, n := range all {
		fates := slices.DeleteFunc(slices.Clone(of[all.page(url)]), func(f *Fate) bool { return !n.of(f) })
		if len(fates) == 0 {
			continue // of a page beyond the links, or of none that is there
		}
		if r.Totals.Requisites == nil {
			r.Totals.Requisites = &Requisites{}
		}
		r.Totals.Requisites.add(n)
		for _, f := range fates {
			if f.Requisites == nil {
				f.Requisites = &Requisites{}
			}
			f.Requisites.add(n)
		}
	}
	return nil
}

// need tells of a run's pages what they need.
func (r *Run) need(ctx context.Context, rows Needs) error {
	all := needs{}
	if ok, err := all.read(ctx, rows, r.ID); err != nil || !ok {
		return err
	}
	r.Requisites = &Requisites{}
	pages := map[string]*Incomplete{}
	for url, n := range all {
		r.Requisites.add(n)
		page := all.page(url)
		entryOf(pages, page, func() *Incomplete { return &Incomplete{URL: page} }).add(n)
	}
	list := slices.DeleteFunc(valuesOf(pages), func(p Incomplete) bool { return p.Lacking == 0 || p.URL == "" })
	slices.SortFunc(list, func(x, y Incomplete) int {
		return cmp.Or(cmp.Compare(y.Lacking, x.Lacking), strings.Compare(x.URL, y.URL))
	})
	r.Incomplete = append(r.Incomplete, list[:min(maxIncomplete, len(list))]...)
	r.MoreIncomplete = len(list) - len(r.Incomplete)
	return nil
}

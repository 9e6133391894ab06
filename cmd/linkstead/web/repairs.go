package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"linkstead/archive/repair"
	"linkstead/archive/report"
)

// Decision is what a person at this machine says of one damaged citation of a post.
type Decision struct {
	Post, Key string
	Accept    string // the URL of a candidate …
	Reject    string // … of one, or of a repair to take back
	URL       string // an address of the person's own
}

// Mend keeps a decision. A *Refused says why it can't be.
type Mend func(ctx context.Context, d Decision) error

// repairView are the damaged citations of a post.
type repairView struct {
	Title, Href string
	Post        string
	Citations   []mended
	May         bool // whoever asks may decide
}

// mended is one damaged citation.
type mended struct {
	N                     int
	ID, Key, Token, Class string
	State, Around         string
	Place                 string
	Repaired              *proposal
	Fate                  fate
	Copy                  string
	Candidates, Rejected  []proposal
}

// proposal is one candidate.
type proposal struct {
	URL, Shown, Live, Text, How, Why, By string
	At                                   *moment
}

// isRepairs says whether a request is for the damaged citations of a post.
func isRepairs(path string) bool {
	return strings.HasPrefix(path, "/posts/") && strings.HasSuffix(path, "/repairs")
}

// repairs shows the damaged citations of a post, and takes decisions on them.
func (p *Pages) repairs(r *http.Request) (*answer, error) {
	may := p.Mend != nil && Local(r) && LoopbackHost(r.Host)
	if r.Method == http.MethodPost {
		if !may {
			return nil, &problem{
				status: http.StatusForbidden, title: "Only from the machine of the archive",
				text: "Repairs are decided by whoever sits at the machine that the archive runs on: nobody else can be told apart yet.",
				hint: "There, open http://localhost with the port of these pages, or run: linkstead repair",
			}
		}
		return p.mend(r)
	}
	versions, err := p.Rows.PostVersions(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	i, err := choose(versions, view{})
	if err != nil {
		return nil, err
	}
	_, rep, err := p.report(r.Context(), versions[i])
	if err != nil {
		return nil, err
	}
	v := &repairView{Title: titleOf(rep.Post.Title, rep.Post.Source), Href: view{id: rep.Post.ID}.href(), Post: rep.Post.ID, May: may}
	for j := range rep.Repairs {
		v.Citations = append(v.Citations, p.mended(rep.Post.ID, &rep.Repairs[j], may))
	}
	return &answer{status: http.StatusOK, page: "repairs", title: "Damaged citations of " + v.Title, body: v}, nil
}

func (p *Pages) mended(post string, c *report.Repair, may bool) mended {
	m := mended{
		N: c.N, ID: fmt.Sprintf("citation-%d", c.N), Key: c.Key, Class: clean(strings.ReplaceAll(c.Class, "-", " "), maxText), State: c.State,
		Around: clean(c.Around, maxContext), Place: fmt.Sprintf("%d–%d", c.Start, c.End),
	}
	if may {
		m.Token = p.sign(p.Now().Add(formLife), "repair", post, c.Key)
	}
	if c.Repaired != nil {
		done := proposed(*c.Repaired)
		m.Repaired = &done
	}
	if c.Fate != nil {
		m.Fate, m.Copy = fateOf(c.Fate), p.copyURL(c.Fate.Replay)
	}
	for _, o := range c.Candidates {
		m.Candidates = append(m.Candidates, proposed(o))
	}
	for _, o := range c.Rejected {
		m.Rejected = append(m.Rejected, proposed(o))
	}
	return m
}

func proposed(c report.Candidate) proposal {
	out := proposal{
		URL: c.URL, Shown: shownURL(c.URL), Live: liveURL(c.URL), Text: clean(c.Text, maxText), Why: clean(c.Explanation, maxContext),
		How: fmt.Sprintf("%s, %.2f", clean(c.Method, maxText), c.Confidence), By: clean(c.By, maxText), At: momentOf(c.At),
	}
	if c.By == repair.ByRule {
		out.By = "itself"
	}
	return out
}

// mend keeps a decision if the form is one of ours, sent from a page of ours.
func (p *Pages) mend(r *http.Request) (*answer, error) {
	values, err := sent(r, "Nothing was decided")
	if err != nil {
		return nil, err
	}
	d := Decision{Post: r.PathValue("id"), Key: values.Get("key"), Accept: values.Get("accept"), Reject: values.Get("reject"), URL: values.Get("url")}
	if !p.signed(values.Get("token"), "repair", d.Post, d.Key) {
		return nil, &problem{
			status: http.StatusForbidden, title: "Nothing was decided", text: "The form is too old, or the archive was started anew since it was made.",
			hint: "Open the page again, and send the form once more.",
		}
	}
	err = p.Mend(r.Context(), d)
	var refused *Refused
	if errors.As(err, &refused) {
		return nil, &problem{status: http.StatusBadRequest, title: "Nothing was decided", text: refused.Text}
	}
	if err != nil {
		return nil, fmt.Errorf("keep a repair of %s: %w", d.Post, err)
	}
	p.Log.Info("a repair was decided on", "post", d.Post, "citation", d.Key)
	return &answer{status: http.StatusSeeOther, to: "/posts/" + url.PathEscape(d.Post) + "/repairs"}, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"linkstead/archive/link"
	"linkstead/archive/urlkey"
	"linkstead/crawler"
	"linkstead/storage"
)

// linksCmd lists links with what is known of their lives.
type linksCmd struct {
	Post  string   `arg:"" optional:"" help:"Only the links of a post: its short name, its address, or the file's name."`
	State []string `help:"Only links in these states, such as gone,moved: 'linkstead links --help' names them below." placeholder:"WORD,…"`
	Limit int      `help:"At most so many." default:"1000" placeholder:"N"`
	JSON  bool     `name:"json" help:"Print JSON."`
}

// Help names the states.
func (linksCmd) Help() string {
	words := make([]string, len(link.Verdicts))
	for i, v := range link.Verdicts {
		words[i] = string(v)
	}
	return "States: " + strings.Join(words, ", ") + ". docs/watching.md tells how links are looked at, docs/verdicts.md what their states mean."
}

// maxLinks bounds what is listed at once.
const maxLinks = 1_000_000

func (c *linksCmd) run(ctx context.Context, e *env) (err error) {
	for _, w := range c.State {
		if !slices.Contains(link.Verdicts, link.Verdict(w)) {
			return usageError{fmt.Errorf("%q is no state of a link\nUse one of: %s", w, strings.TrimPrefix(c.Help(), "States: "))}
		}
	}
	if c.Limit < 1 || c.Limit > maxLinks {
		return usageError{fmt.Errorf("--limit is %d: use 1 to %d", c.Limit, maxLinks)}
	}
	s, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	reports, err := c.reports(ctx, e, s)
	if err != nil {
		return err
	}
	if c.JSON {
		return encode(e.stdout, reports)
	}
	if len(reports) == 0 {
		fmt.Fprintln(e.stdout, "No such links.")
	}
	for _, r := range reports {
		e.printLink(r)
	}
	return nil
}

// reports are those of the links that are asked for.
func (c *linksCmd) reports(ctx context.Context, e *env, s *store) ([]*crawler.LinkReport, error) {
	if err := linkAll(ctx, s); err != nil {
		return nil, err
	}
	post := ""
	if c.Post != "" {
		versions, err := (&showCmd{Post: c.Post}).find(ctx, s)
		if err != nil {
			return nil, err
		}
		post = versions[0].ID
	}
	if len(c.State) == 0 {
		return e.lives(ctx, s, post, "", c.Limit)
	}
	out := []*crawler.LinkReport{}
	for _, state := range c.State {
		more, err := e.lives(ctx, s, post, state, c.Limit-len(out))
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// lives are reports of up to n links, of a post or of all, in a state or in any.
func (e *env) lives(ctx context.Context, s *store, post, state string, n int) ([]*crawler.LinkReport, error) {
	rows := s.db.LinksIn
	if post != "" {
		rows = func(ctx context.Context, _, _ string, _ int) ([]storage.Link, error) { return s.db.LinksOf(ctx, post) }
	}
	found, err := rows(ctx, "", "", maxLinks)
	if err != nil {
		return nil, err
	}
	past := s.linkPast()
	if s.blobs == nil { // what rows alone tell
		past.Library = nil
	}
	out := []*crawler.LinkReport{}
	for _, l := range found {
		if len(out) >= n {
			break
		}
		if l.Stale == 0 && state != "" && state != l.Live {
			continue
		}
		r, err := past.Report(ctx, l, linkRules(&e.cfg.Verdicts), e.now(), false)
		if err != nil {
			return nil, err
		}
		if state == "" || state == string(r.Verdict) {
			out = append(out, r)
		}
	}
	return out, nil
}

// linkAll gives the links of every post their rows: in an archive that an older version wrote, some lack them.
func linkAll(ctx context.Context, s *store) error {
	for more := true; more; {
		var err error
		if more, err = s.db.LinkPosts(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (e *env) printLink(r *crawler.LinkReport) {
	fmt.Fprintf(e.stdout, "%-12s  %s\n", r.Verdict, r.URL)
	fmt.Fprintf(e.stdout, "%14s%s\n", "", clean(r.Says))
	if r.Suspect != "" {
		fmt.Fprintf(e.stdout, "%14sstrike %d of %d towards %s\n", "", r.Strikes, r.Needed, r.Suspect)
	}
	if r.Target != "" {
		fmt.Fprintf(e.stdout, "%14sleads to %s\n", "", r.Target)
	}
	if r.Next != nil && e.cfg.Watch.Enabled {
		fmt.Fprintf(e.stdout, "%14snext look %s\n", "", minute(*r.Next))
	}
}

// checkCmd tells what is known of a link, or of a post's.
type checkCmd struct {
	What string `arg:"" name:"url-or-post" help:"The link's address, or a post: its short name, its address, or the file's name."`
	Now  bool   `help:"Look at it now, and tell then."`
	JSON bool   `name:"json" help:"Print JSON, with all the evidence."`
}

func (c *checkCmd) run(ctx context.Context, e *env) (err error) {
	s, err := e.open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	links, err := c.find(ctx, s)
	if err != nil {
		return err
	}
	if c.Now {
		if links, err = e.lookNow(ctx, s, links); err != nil {
			return err
		}
	}
	reports := []*crawler.LinkReport{}
	for _, l := range links {
		r, err := s.linkPast().Report(ctx, l, linkRules(&e.cfg.Verdicts), e.now(), c.JSON || len(links) == 1)
		if err != nil {
			return err
		}
		reports = append(reports, r)
	}
	if c.JSON {
		return encode(e.stdout, reports)
	}
	for _, r := range reports {
		e.printLink(r)
		for i := range r.Evidence {
			e.printEvidence(&r.Evidence[i])
		}
	}
	return nil
}

// printEvidence prints a look in one line.
func (e *env) printEvidence(v *link.Evidence) {
	rules := linkRules(&e.cfg.Verdicts)
	f := link.Judge(v, &rules)
	what := string(f.Shows)
	if !f.Counts {
		what = "does not count"
	}
	fmt.Fprintf(e.stdout, "%14s%s  %-7s  %s: %s\n", "", minute(v.At), v.Kind, what, clean(f.Reason))
}

// find brings the link that was named, in each collection that has it, or the links of the post.
func (c *checkCmd) find(ctx context.Context, s *store) ([]storage.Link, error) {
	if err := linkAll(ctx, s); err != nil {
		return nil, err
	}
	if url, err := urlkey.Parse("", c.What); err == nil {
		found, err := s.db.LinksTo(ctx, url)
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	versions, err := (&showCmd{Post: c.What}).find(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("%q is neither a link that a post cites nor a post\n'linkstead links' lists the links, 'linkstead list' the posts", c.What)
	}
	return s.db.LinksOf(ctx, versions[0].ID)
}

// lookNow looks at links, or waits for the process that does.
func (e *env) lookNow(ctx context.Context, s *store, links []storage.Link) ([]storage.Link, error) {
	began := map[int64]time.Time{}
	for i := range links {
		l := &links[i]
		if !urlkey.Fetchable(l.URL) {
			continue
		}
		began[l.ID] = l.Looked
		l.Host, l.URLKey = urlkey.Host(l.URL), urlkey.Key(l.URL)
		if err := s.db.LookNow(ctx, *l); err != nil {
			return nil, err
		}
	}
	looked := func(ctx context.Context) (bool, error) {
		for i := range links {
			l, err := s.db.Link(ctx, links[i].ID)
			if err != nil && !errors.Is(err, storage.ErrNotFound) {
				return false, err
			}
			if since, ok := began[links[i].ID]; err == nil && ok && !l.Looked.After(since) {
				return false, nil
			}
			links[i] = l
		}
		return true, nil
	}
	told := false
	for {
		done, err := looked(ctx)
		if err != nil || done {
			return links, err
		}
		err = e.lookAlone(ctx, s, looked)
		if !errors.Is(err, storage.ErrBusy) {
			if err != nil || ctx.Err() != nil {
				return links, err
			}
			continue
		}
		if !told {
			told = true
			fmt.Fprintln(e.stderr, "Another process works on this archive: it looks, or this one does once the other is done.")
		}
		if pause(ctx, 200*time.Millisecond); ctx.Err() != nil {
			return links, ctx.Err()
		}
	}
}

// lookAlone takes the worker role and works until looks that are due now were made.
func (e *env) lookAlone(ctx context.Context, s *store, looked func(context.Context) (bool, error)) error {
	w, err := e.hire(ctx, s, nil)
	if err != nil {
		return err
	}
	w.crawler.Watch = e.watching(s)
	w.crawler.Watch.Once = true
	err = w.crawler.Work(ctx, looked)
	return errors.Join(err, w.close(context.WithoutCancel(ctx)))
}

// livesOf tells, in words, what links of a post have come to that were looked at since they were captured.
func (e *env) livesOf(ctx context.Context, s *store, post string) (map[string]string, error) {
	list, err := e.lives(ctx, s, post, "", maxLinks)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(list))
	for _, r := range list {
		if r.Looks > 1 {
			out[r.URL] = r.Says
		}
	}
	return out, nil
}

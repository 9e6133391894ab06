package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"linkstead/archive/repair"
	"linkstead/cmd/linkstead/web"
	"linkstead/crawler"
)

// mendNow lets a person at this machine decide on repairs, by forms on the archive's own pages; on the terms of captureNow.
func (e *env) mendNow(s *store, pages *web.Pages) {
	_, host, _ := strings.Cut(e.cfg.Serve.Pages(), "://")
	if e.cfg.Serve.OneOrigin || !e.cfg.Serve.CaptureNow || !web.LoopbackHost(host) {
		return
	}
	pages.Mend = func(ctx context.Context, d web.Decision) error { return e.mend(ctx, s, d) }
}

// mend keeps a decision, and begins the capture of what was accepted: whoever works on the archive sees it through.
func (e *env) mend(ctx context.Context, s *store, d web.Decision) error {
	versions, err := s.db.PostVersions(ctx, d.Post)
	if err != nil {
		return err
	}
	if len(versions) == 0 {
		return &web.Refused{Text: "The archive keeps no such post."}
	}
	_, err = e.noteRepairs(ctx, s, versions[0], func(have []repair.Note) ([]repair.Note, error) { return sitting(repair.Fold(have), d) })
	if err != nil {
		return err
	}
	j, err := e.mending(ctx, s, versions[0])
	if err != nil || j == nil {
		return err
	}
	_, _, err = crawler.Complete(ctx, s.db, j.spec, j.gaps.tasks, e.now())
	return err
}

// bySitting is who decides on the archive's pages: whoever sits at its machine.
const bySitting = "somebody at the archive's machine"

// sitting is the note that a decision on the pages comes to.
func sitting(cs []repair.Citation, d web.Decision) ([]repair.Note, error) {
	i := slices.IndexFunc(cs, func(c repair.Citation) bool { return c.Key == d.Key })
	if i < 0 {
		return nil, &web.Refused{Text: "The post has no such damaged citation any more."}
	}
	c := &cs[i]
	if d.URL != "" {
		n, err := byHand(c, d.URL, bySitting)
		var wrong usageError
		if errors.As(err, &wrong) {
			return nil, &web.Refused{Text: "This is no http or https address. Write it in full, for example https://example.org/post."}
		}
		return []repair.Note{n}, err
	}
	of, verdict, url := c.Open, repair.Accepted, d.Accept
	if d.Reject != "" {
		verdict, url = repair.Rejected, d.Reject
		if c.Repaired != nil {
			of = append(slices.Clone(of), *c.Repaired)
		}
	}
	for _, n := range of {
		if n.URL == url {
			n.Verdict, n.By = verdict, bySitting
			return []repair.Note{n}, nil
		}
	}
	return nil, &web.Refused{Text: "Somebody has decided on this candidate meanwhile."}
}

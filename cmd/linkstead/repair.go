package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"linkstead/archive/repair"
	"linkstead/archive/report"
	"linkstead/archive/urlkey"
	"linkstead/configs"
	"linkstead/storage"
)

// repairCmd finds lost links of a post again.
type repairCmd struct {
	Post   string   `arg:"" help:"A post that is kept (its short name, its address, or the file's name), or a file that isn't: then nothing is written."`
	With   []string `help:"A copy of the same post that has its links: a file, or an address of which the archive has a copy; repeatable." placeholder:"FILE|URL" sep:"none"`
	Accept []string `help:"Accept a candidate: N, the only one of citation N, or N.M, its Mth; repeatable." placeholder:"N" sep:"none"`
	Reject []string `help:"Reject a candidate, or take its repair back: N, all candidates of citation N, or N.M; repeatable." placeholder:"N" sep:"none"`
	URL    *ownURL  `name:"url" help:"Repair citation N with an address of your own." placeholder:"N URL"`
	By     string   `help:"Who decides, as it is kept (default: the name of the user)." placeholder:"NAME"`

	Propose   bool `help:"Accept nothing by itself: what is certain waits for an archivist, too."`
	DryRun    bool `help:"Write nothing, capture nothing: tell what would be proposed and accepted."`
	NoCapture bool `help:"Leave what is accepted to a later capture."`
	Detach    bool `help:"Hand the capture of what is accepted over to whoever works on this archive."`
	JSON      bool `name:"json" help:"Print one JSON document on standard output."`

	Delay        *configs.Duration `help:"Pause between requests to one host, such as 500ms." placeholder:"TIME"`
	Retries      *int              `help:"Tries after the first, for failures that may pass." placeholder:"N"`
	Resolve      []string          `help:"HOST:PORT:ADDRESS as in curl; repeatable." placeholder:"ENTRY" sep:"none"`
	AllowPrivate bool              `help:"Allow private and loopback addresses."`
}

// ownURL is the number of a citation, and the address that it led to.
type ownURL struct{ n, url string }

// Decode takes both words that follow the flag.
func (u *ownURL) Decode(ctx *kong.DecodeContext) error {
	if err := ctx.Scan.PopValueInto("N", &u.n); err != nil {
		return err
	}
	return ctx.Scan.PopValueInto("URL", &u.url)
}

func (c *repairCmd) decides() bool { return len(c.Accept)+len(c.Reject) > 0 || c.URL != nil }

// repaired is what the command tells.
type repaired struct {
	Version int             `json:"version"`
	Post    string          `json:"post,omitempty"` // its short name; none if it is not kept
	Source  string          `json:"source"`
	With    []string        `json:"with"` // the copies that it was aligned with
	Written bool            `json:"written"`
	Repairs []report.Repair `json:"repairs"`
}

func (c *repairCmd) run(ctx context.Context, e *env) (err error) {
	capture := &captureCmd{Delay: c.Delay, Retries: c.Retries, Resolve: c.Resolve, AllowPrivate: c.AllowPrivate, Detach: c.Detach}
	capture.overlay(&e.cfg)
	if err := e.cfg.Validate(); err != nil {
		return usageError{err}
	}
	if c.DryRun && c.decides() {
		return usageError{errors.New("--dry-run decides nothing: leave --accept, --reject and --url out")}
	}
	m := &mender{repairCmd: c, env: e}
	if m.store, err = c.kept(ctx, e); err != nil {
		return err
	}
	if m.store != nil {
		defer func() { err = errors.Join(err, m.store.close()) }()
		versions, err := (&showCmd{Post: c.Post}).find(ctx, m.store)
		if err == nil {
			m.post = &versions[0]
		} else if !fileThere(c.Post) {
			return err
		}
	}
	if m.post == nil && c.decides() {
		return usageError{fmt.Errorf("%s is not kept: what is decided of a post is kept with it\nCapture it first: linkstead capture %s", c.Post, c.Post)}
	}
	if err := m.propose(ctx); err != nil {
		return err
	}
	if err := m.decide(ctx); err != nil {
		return err
	}
	if m.post != nil && !c.DryRun && !c.NoCapture {
		if err := m.capture(ctx, capture); err != nil {
			return err
		}
	}
	return m.tell(ctx)
}

// kept opens the archive; nil if there is none, and a file was named.
func (c *repairCmd) kept(ctx context.Context, e *env) (*store, error) {
	if path, embedded := strings.CutPrefix(e.cfg.Database(), "sqlite:"); embedded && empty(path) && fileThere(c.Post) {
		return nil, nil
	}
	return e.open(ctx, false)
}

// mender carries out one repair.
type mender struct {
	*repairCmd
	*env
	store *store // nil: there is no archive
	post  *storage.Post
	notes []repair.Note
	with  []string
	wrote bool
}

// propose finds candidates, and notes those that are new.
func (m *mender) propose(ctx context.Context) error {
	if m.post != nil {
		var err error
		if m.notes, err = report.RepairNotes(ctx, m.store.db, m.post.ID); err != nil {
			return err
		}
		if m.decides() && len(m.With) == 0 { // of what was proposed
			return nil
		}
	}
	found, scars, err := m.find(ctx)
	if err != nil {
		return err
	}
	fresh := func(have []repair.Note) []repair.Note {
		out := repair.New(have, found, scars, !m.Propose, repair.Strong)
		for i := range out {
			if m.post != nil {
				out[i].Run = m.post.Run
			}
			if out[i].Method == repair.ByAlignment {
				out[i].With = strings.Join(m.with, " ")
			}
		}
		return out
	}
	if m.post == nil || m.DryRun {
		m.notes = append(m.notes, fresh(m.notes)...)
		return nil
	}
	return m.write(ctx, func(have []repair.Note) ([]repair.Note, error) { return fresh(have), nil })
}

// decide notes what the archivist says.
func (m *mender) decide(ctx context.Context) error {
	if !m.decides() {
		return nil
	}
	return m.write(ctx, func(have []repair.Note) ([]repair.Note, error) {
		return decisions(repair.Fold(have), m.Accept, m.Reject, m.URL, m.who())
	})
}

// who decides.
func (m *mender) who() string {
	for _, name := range []string{m.By, m.getenv("LOGNAME"), m.getenv("USER")} {
		if name != "" {
			return name
		}
	}
	return "archivist"
}

// decisions are the notes that an archivist's words come to.
func decisions(cs []repair.Citation, accept, reject []string, own *ownURL, by string) (out []repair.Note, err error) {
	for _, arg := range accept {
		c, of, err := numbered(cs, arg)
		if err != nil {
			return nil, err
		}
		if len(of) != 1 {
			return nil, usageError{fmt.Errorf("citation %d has %s: say which, as in --accept %d.1", c.N, plural(len(of), "candidate", "candidates"), c.N)}
		}
		n := of[0]
		n.Verdict, n.By = repair.Accepted, by
		out = append(out, n)
	}
	for _, arg := range reject {
		c, of, err := numbered(cs, arg)
		if err != nil {
			return nil, err
		}
		if c.Repaired != nil && !strings.Contains(arg, ".") {
			of = append(of, *c.Repaired)
		}
		if len(of) == 0 {
			return nil, usageError{fmt.Errorf("citation %d has no candidate to reject", c.N)}
		}
		for _, n := range of {
			n.Verdict, n.By = repair.Rejected, by
			out = append(out, n)
		}
	}
	if own == nil {
		return out, nil
	}
	c, _, err := numbered(cs, own.n)
	if err != nil {
		return nil, err
	}
	n, err := byHand(c, own.url, by)
	return append(out, n), err
}

// byHand repairs a citation with an address that a person gives.
func byHand(c *repair.Citation, address, by string) (repair.Note, error) {
	url, err := urlkey.Parse("", strings.TrimSpace(address))
	if err != nil || !urlkey.Fetchable(url) || len(url) > urlkey.MaxLength {
		return repair.Note{}, usageError{fmt.Errorf("%q is no http(s) address: write it in full, for example https://example.org/post", address)}
	}
	n := c.Last()
	n.Verdict, n.By, n.With = repair.Accepted, by, ""
	n.URL, n.Method, n.Confidence, n.Explanation = url, repair.ByHand, 1, "An archivist gave this address."
	return n, nil
}

// numbered finds the citation of a number, or of a number and a candidate's, or of a key; and its open candidates, or that one.
func numbered(cs []repair.Citation, arg string) (*repair.Citation, []repair.Note, error) {
	name, which, one := strings.Cut(arg, ".")
	number, err := strconv.Atoi(name)
	for i := range cs {
		c := &cs[i]
		if c.Key != arg && (err != nil || c.N != number) {
			continue
		}
		if !one || c.Key == arg {
			return c, c.Open, nil
		}
		m, err := strconv.Atoi(which)
		if err != nil || m < 1 || m > len(c.Open) {
			return nil, nil, usageError{fmt.Errorf("citation %d has no candidate %s: 'linkstead repair' lists them", c.N, which)}
		}
		return c, c.Open[m-1 : m], nil
	}
	return nil, nil, usageError{fmt.Errorf("there is no damaged citation %s: 'linkstead repair' without --accept, --reject and --url lists them", arg)}
}

// write notes what add returns, and writes it into the WARC files.
func (m *mender) write(ctx context.Context, add func(have []repair.Note) ([]repair.Note, error)) error {
	n, err := m.noteRepairs(ctx, m.store, *m.post, add)
	if err != nil {
		return err
	}
	m.wrote = m.wrote || n > 0
	m.notes, err = report.RepairNotes(ctx, m.store.db, m.post.ID)
	return err
}

// noteRepairs adds notes to a post, and writes them into the WARC files; it says how many they were.
func (e *env) noteRepairs(ctx context.Context, s *store, p storage.Post, add func(have []repair.Note) ([]repair.Note, error)) (added int, err error) {
	at, node := e.now().UTC(), e.node()
	err = s.db.AddRepairs(ctx, p.ID, func(have []storage.Note) ([]storage.Note, error) {
		var old []repair.Note
		for _, h := range have {
			if n, err := repair.ReadNote(h.Body, h.At); err == nil {
				old = append(old, n)
			}
		}
		fresh, err := add(old)
		if err != nil {
			return nil, err
		}
		out := make([]storage.Note, 0, len(fresh))
		for _, n := range fresh {
			body, err := json.Marshal(n)
			if err != nil {
				return nil, err
			}
			out = append(out, storage.Note{ID: storage.Random(10), Collection: p.Collection, Target: n.URL, At: at, Node: node, Body: body})
		}
		added = len(out)
		return out, nil
	}, foundAgain)
	if err != nil || added == 0 {
		return added, err
	}
	if err := e.openBlobs(ctx, s, true); err != nil {
		return added, err
	}
	if err := e.tellAdded(ctx, s); err != nil {
		fmt.Fprintf(e.stderr, "The repairs hold as they are now. They could not be written into the WARC files yet: %v\nThe next worker that starts does so.\n", err)
	}
	return added, nil
}

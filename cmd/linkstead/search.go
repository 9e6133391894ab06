package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"linkstead/archive/cdx"
	"linkstead/archive/fulltext"
	"linkstead/archive/guard"
	"linkstead/storage"
)

// searchCmd finds captures by what they say.
type searchCmd struct {
	Query      []string `arg:"" optional:"" name:"query" help:"Words that all must be there, \"phrases\", beg* of words; after -- also -words that must not be there." placeholder:"QUERY"`
	Collection *string  `help:"Collection to search."`
	Site       string   `help:"Only pages of this host, and of those under it." placeholder:"HOST"`
	From       string   `help:"Only captures of this time or later: 1 to 14 digits, as in 2016 or 20160221." placeholder:"TIME"`
	To         string   `help:"Only captures of this time or earlier." placeholder:"TIME"`
	Limit      int      `help:"Pages at most, up to 1000." default:"20" placeholder:"N"`
	Quote      bool     `help:"The words are a quotation: find the pages in which it stands, with small edits, too; […] stands for words left out."`
	All        bool     `help:"Also what access rules keep from readers."`
	JSON       bool     `name:"json" help:"Print JSON."`
	Index      bool     `help:"First index what is captured and not indexed yet."`
	Reindex    bool     `help:"First index all captures of the collection anew."`
}

// searchJSON is what --json prints.
type searchJSON struct {
	Query      string       `json:"query"`
	Collection string       `json:"collection"`
	Results    []resultJSON `json:"results"`
	More       bool         `json:"more"` // there may be more
}

type resultJSON struct {
	Title    string      `json:"title"`
	URL      string      `json:"url"`
	Lang     string      `json:"lang,omitempty"`
	At       string      `json:"captured"` // RFC 3339
	Replay   string      `json:"replay"`
	Digest   string      `json:"digest"`
	Captures int         `json:"captures"`           // of this very payload
	Versions int         `json:"versions,omitempty"` // others of the address that are found
	Score    float64     `json:"score,omitempty"`    // of a quotation: 1 is word for word
	Snippet  []pieceJSON `json:"snippet"`
}

type pieceJSON struct {
	Text string `json:"text"`
	Mark bool   `json:"mark,omitempty"`
}

func (c *searchCmd) run(ctx context.Context, e *env) (err error) {
	set(&e.cfg.Collection, c.Collection)
	asked := strings.Join(c.Query, " ")
	ask, err := c.ask(e.cfg.Collection, asked)
	if err != nil {
		return usageError{err}
	}
	open := e.openTables
	if c.Index || c.Reindex {
		open = e.open
	}
	s, err := open(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := c.indexFirst(ctx, e, s); err != nil || asked == "" {
		return err
	}
	f := &fulltext.Finder{Texts: s.db, Captures: &guard.Guard{Rows: s.db, Rules: s.db, Now: s.db.Now}}
	if c.All {
		f.Captures = s.db
	}
	out := searchJSON{Query: asked, Collection: e.cfg.Collection, Results: []resultJSON{}}
	if c.Quote {
		quotes, err := f.Quotation(ctx, asked, ask)
		if err != nil {
			return err
		}
		for i := range quotes {
			r := c.result(e, &quotes[i].Result)
			r.Score = quotes[i].Match.Score
			out.Results = append(out.Results, r)
		}
	} else {
		found, err := f.Find(ctx, ask)
		if err != nil {
			return err
		}
		for i := range found.Results {
			out.Results = append(out.Results, c.result(e, &found.Results[i]))
		}
		out.More = found.More
	}
	return c.print(ctx, e, s, &out)
}

// ask is what the flags ask.
func (c *searchCmd) ask(collection, asked string) (a fulltext.Ask, err error) {
	a = fulltext.Ask{Collections: []string{collection}, Site: c.Site, Limit: c.Limit}
	if asked == "" && !c.Index && !c.Reindex {
		return a, errors.New("name what to search for: words, \"phrases\" or beg* of words")
	}
	if c.Limit < 1 || c.Limit > 1000 {
		return a, fmt.Errorf("--limit %d: use 1 to 1000", c.Limit)
	}
	if asked != "" && !c.Quote {
		if a.Query, err = fulltext.Parse(asked); err != nil {
			return a, err
		}
	}
	if c.From != "" {
		if a.From, _, err = cdx.Span(c.From); err != nil {
			return a, fmt.Errorf("--from %s: %w", c.From, err)
		}
	}
	if c.To != "" {
		if _, a.To, err = cdx.Span(c.To); err != nil {
			return a, fmt.Errorf("--to %s: %w", c.To, err)
		}
	}
	return a, nil
}

// indexFirst does what --index and --reindex ask for, and tells of what is not indexed.
func (c *searchCmd) indexFirst(ctx context.Context, e *env, s *store) error {
	if c.Reindex {
		if err := s.db.ForgetTexts(ctx, e.cfg.Collection); err != nil {
			return err
		}
	}
	if c.Index || c.Reindex {
		done, err := e.index(ctx, s, "search")
		if errors.Is(err, storage.ErrLocked) {
			return fmt.Errorf("%w\nIt indexes the same captures: wait for it", err)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(e.stderr, "Indexed %s of %s.\n", plural(int(done.Texts), "new text", "new texts"), plural(int(done.Captures), "capture", "captures"))
		return nil
	}
	waiting, err := s.db.Unindexed(ctx, "", 1)
	if err == nil && len(waiting) > 0 {
		fmt.Fprintln(e.stderr, "Some captures are not indexed yet; a worker indexes them, or 'linkstead search --index' does.")
	}
	return err
}

func (c *searchCmd) result(e *env, r *fulltext.Result) resultJSON {
	name := "web"
	if c.Collection != nil {
		name = *c.Collection
	}
	out := resultJSON{
		Title: r.Title, URL: r.Capture.URL, Lang: r.Lang, At: r.Capture.At.UTC().Format("2006-01-02T15:04:05Z"), Digest: r.Capture.Digest,
		Replay:   strings.TrimSuffix(e.cfg.Serve.Origin(), "/") + "/" + name + "/" + r.Capture.At.UTC().Format("20060102150405") + "/" + r.Capture.URL,
		Captures: r.Captures, Versions: r.Versions, Snippet: []pieceJSON{},
	}
	for _, p := range r.Snippet {
		out.Snippet = append(out.Snippet, pieceJSON(p))
	}
	return out
}

func (c *searchCmd) print(_ context.Context, e *env, _ *store, out *searchJSON) error {
	if c.JSON {
		return encode(e.stdout, out)
	}
	if len(out.Results) == 0 {
		return fmt.Errorf("nothing that is kept in collection %s says that\nTry fewer words, or beg* of words", out.Collection)
	}
	for i := range out.Results {
		r := &out.Results[i]
		title := clean(r.Title)
		if title == "" {
			title = r.URL
		}
		fmt.Fprintln(e.stdout, title)
		fmt.Fprintf(e.stdout, "  %s\n", clean(r.URL))
		more := ""
		if r.Captures > 1 {
			more = fmt.Sprintf(", and %s of the same", plural(r.Captures-1, "capture", "captures"))
		}
		if r.Versions > 0 {
			more += fmt.Sprintf(", and %s of the page", plural(r.Versions, "other version", "other versions"))
		}
		if r.Score > 0 && r.Score < 1 {
			more += fmt.Sprintf("; %.0f %% of the words", 100*r.Score)
		}
		fmt.Fprintf(e.stdout, "  captured %s%s\n", r.At, more)
		var sb strings.Builder
		for _, p := range r.Snippet {
			if p.Mark {
				sb.WriteString("[" + p.Text + "]")
			} else {
				sb.WriteString(p.Text)
			}
		}
		fmt.Fprintf(e.stdout, "  … %s …\n  %s\n", clean(sb.String()), clean(r.Replay))
	}
	if out.More {
		fmt.Fprintf(e.stdout, "There may be more: --limit %d.\n", min(1000, 5*c.Limit))
	}
	return nil
}

package fulltext

import (
	"context"
	"slices"
	"strings"
	"time"

	"linkstead/archive/text"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// Texts is what a Finder asks of the database.
type Texts interface {
	SearchTexts(ctx context.Context, q storage.TextQuery, skip, n int) ([]storage.TextHit, error)
}

// Captures tells of which captures a text is: the database, or for readers a guard over it.
type Captures interface {
	CapturesOfText(ctx context.Context, collection, digest string, n int) ([]storage.Capture, error)
}

var (
	_ Texts    = (*storage.DB)(nil)
	_ Captures = (*storage.DB)(nil)
)

// Finder finds texts, and the captures that they are of.
type Finder struct {
	Texts    Texts
	Captures Captures
}

// Ask is what is looked for, and where.
type Ask struct {
	Query       Query
	Collections []string
	Site        string    // a host; those under it are meant, too. Empty: all
	From, To    time.Time // captured at From or later, and before To; zero: whenever
	Limit       int       // results at most; 0: 20
}

// Result is a page that was found.
type Result struct {
	Title    string
	Lang     string
	Capture  storage.Capture // the first of this payload that may be seen and is asked for
	Captures int             // how many such captures there are of the payload, 200 at most
	Versions int             // other payloads of the same address that are found
	Rank     float64         // more is better; comparable within one answer alone
	Snippet  []Piece
}

// Piece is a part of a snippet.
type Piece struct {
	Text string
	Mark bool // it is what was looked for
}

// Found is an answer.
type Found struct {
	Results []Result
	More    bool // there may be more
}

// Bounds of an answer.
const (
	defaultLimit = 20
	maxLimit     = 1000
	hitRows      = 50
	maxHits      = 5000 // texts that are looked at for one answer
	maxCaptures  = 200  // of one payload
)

// Find answers a query, the best first. Of an address it tells once. The error of a query without words is storage.ErrNothingAsked.
func (f *Finder) Find(ctx context.Context, a Ask) (Found, error) {
	limit := a.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	var out Found
	seen := map[string]bool{} // payloads
	at := map[string]int{}    // addresses
	for skip := 0; skip < maxHits; skip += hitRows {
		hits, err := f.Texts.SearchTexts(ctx, storage.TextQuery{Collections: a.Collections, All: a.Query.all, Any: a.Query.any, Not: a.Query.not}, skip, hitRows)
		if err != nil {
			return out, err
		}
		for i := range hits {
			h := &hits[i]
			name := h.Collection + " " + h.Digest
			if seen[name] {
				continue
			}
			seen[name] = true
			cs, err := f.captures(ctx, h.Collection, h.Digest, &a)
			if err != nil {
				return out, err
			}
			if len(cs) == 0 {
				continue
			}
			key := h.Collection + " " + cs[0].URLKey
			if k, ok := at[key]; ok {
				out.Results[k].Versions++
				continue
			}
			if len(out.Results) == limit {
				out.More = true
				return out, nil
			}
			at[key] = len(out.Results)
			out.Results = append(out.Results, Result{
				Title: h.Title, Lang: h.Lang, Capture: cs[0], Captures: len(cs), Rank: h.Rank, Snippet: snippet(h.Body, a.Query.terms()),
			})
		}
		if len(hits) < hitRows {
			return out, nil
		}
	}
	out.More = true
	return out, nil
}

// captures are those of a payload that are asked for.
func (f *Finder) captures(ctx context.Context, collection, digest string, a *Ask) ([]storage.Capture, error) {
	cs, err := f.Captures.CapturesOfText(ctx, collection, digest, maxCaptures)
	if err != nil {
		return nil, err
	}
	site := strings.ToLower(strings.TrimPrefix(strings.TrimSuffix(a.Site, "."), "*."))
	return slices.DeleteFunc(cs, func(c storage.Capture) bool {
		if !a.From.IsZero() && c.At.Before(a.From) || !a.To.IsZero() && !c.At.Before(a.To) {
			return true
		}
		host := urlkey.Hostname(c.URL)
		return site != "" && host != site && !strings.HasSuffix(host, "."+site)
	}), nil
}

// Quote is a text that a quotation was found in.
type Quote struct {
	Result
	Match text.Match // in Body
	Body  string     // the part of the text that it stands in
}

// Bounds of the search for a quotation.
const (
	quoteRuns  = 6  // runs of words that are looked for
	quoteTexts = 40 // texts that are looked through
)

// quoteRun are how many words in a row a source must have in common with a quotation: where the first leads nowhere, the next may.
var quoteRun = [...]int{5, 3}

// Quotation finds the texts in which a quotation stands, the best first: runs of its words lead to candidates, of which text.Find
// judges. Quotations of a few words are looked for word for word.
func (f *Finder) Quotation(ctx context.Context, quotation string, a Ask) ([]Quote, error) {
	for _, k := range quoteRun {
		some := quotable(quotation, k)
		if len(some) == 0 {
			return nil, nil
		}
		out, err := f.quoted(ctx, quotation, some, &a)
		if len(out) > 0 || err != nil {
			return out, err
		}
	}
	return nil, nil
}

// quoted looks for a quotation in the texts that have one of some runs of words.
func (f *Finder) quoted(ctx context.Context, quotation string, some []storage.TextTerm, a *Ask) ([]Quote, error) {
	hits, err := f.Texts.SearchTexts(ctx, storage.TextQuery{Collections: a.Collections, Any: some}, 0, quoteTexts)
	if err != nil {
		return nil, err
	}
	limit := a.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	var out []Quote
	for i := range hits {
		h := &hits[i]
		m := text.Find(h.Body, quotation)
		if !m.Found {
			continue
		}
		cs, err := f.captures(ctx, h.Collection, h.Digest, a)
		if err != nil {
			return nil, err
		}
		if len(cs) == 0 {
			continue
		}
		before, middle, after := text.Excerpt(h.Body, m.Start, m.End, snippetAround)
		out = append(out, Quote{Match: m, Body: h.Body, Result: Result{
			Title: h.Title, Lang: h.Lang, Capture: cs[0], Captures: len(cs), Rank: m.Score, Snippet: pieces(Piece{before, false}, Piece{middle, true}, Piece{after, false}),
		}})
	}
	slices.SortStableFunc(out, func(a, b Quote) int {
		switch {
		case a.Match.Score > b.Match.Score:
			return -1
		case a.Match.Score < b.Match.Score:
			return 1
		}
		return a.Capture.At.Compare(b.Capture.At)
	})
	seen := map[string]bool{}
	out = slices.DeleteFunc(out, func(q Quote) bool {
		name := q.Capture.Collection + " " + q.Capture.Digest
		old := seen[name]
		seen[name] = true
		return old
	})
	return out[:min(limit, len(out))], nil
}

// quotable are the runs of words by which the sources of a quotation are looked for: those with the most letters, which are the rarest.
// They lie apart, so that an edit spoils one of them alone.
func quotable(quotation string, k int) []storage.TextTerm {
	var words []string
	for t := range text.Terms(quotation) {
		if len(words) == 2000 {
			break
		}
		words = append(words, t.Text)
	}
	if len(words) <= k {
		if t, ok := term(quotation, false); ok {
			return []storage.TextTerm{t}
		}
		return nil
	}
	type run struct{ at, letters int }
	var runs []run
	for i := 0; i+k <= len(words); i++ {
		runs = append(runs, run{i, len(strings.Join(words[i:i+k], ""))})
	}
	slices.SortStableFunc(runs, func(a, b run) int { return b.letters - a.letters })
	var out []storage.TextTerm
	var taken []int
	for _, r := range runs {
		if slices.ContainsFunc(taken, func(at int) bool { return r.at < at+k && at < r.at+k }) {
			continue
		}
		taken = append(taken, r.at)
		if out = append(out, storage.TextTerm{Words: words[r.at : r.at+k]}); len(out) == quoteRuns {
			break
		}
	}
	return out
}

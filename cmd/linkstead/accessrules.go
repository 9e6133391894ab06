package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"linkstead/archive/access"
	"linkstead/archive/guard"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// accessCmd says who may see what.
type accessCmd struct {
	List     accessListCmd     `cmd:"" help:"List the rules that hold."`
	Check    accessCheckCmd    `cmd:"" help:"Tell what a reader gets who asks for an address, and by which rule."`
	Allow    accessAllowCmd    `cmd:"" help:"Open what a rule about more keeps from readers."`
	Deny     accessDenyCmd     `cmd:"" help:"Keep something from readers: they are told that it is not public, or nothing."`
	Embargo  accessEmbargoCmd  `cmd:"" help:"Keep something from readers until a date, or for a time after the capture."`
	Withhold accessWithholdCmd `cmd:"" help:"Withhold something for legal reasons: 451, whatever other rules say."`
	Lift     accessLiftCmd     `cmd:"" help:"Take a rule away."`
	Log      accessLogCmd      `cmd:"" help:"Tell who changed which rule, when and why."`
}

// accessTarget is what a rule is about, and why.
type accessTarget struct {
	Collection string `arg:"" help:"The collection."`
	Pattern    string `arg:"" optional:"" default:"*" help:"An address; a prefix, http://example.org/dir/*; a host, example.org; a domain, *.example.org; a SURT prefix, surt:org,example)/dir/. Without it: all of the collection."`
	From       string `help:"Only captures of that time and later: 2016, 2016-02, 2016-02-21, which begin in UTC, or 2016-02-21T12:00:00+01:00." placeholder:"DATE"`
	Before     string `help:"Only captures before that time." placeholder:"DATE"`
	Reason     string `help:"Why, which a rule must say. It is kept in the log and in the WARC files; readers are told the reason of a withholding alone." placeholder:"TEXT"`
	Contact    string `help:"Who answers questions, as readers are told (default: the collection's contact)." placeholder:"TEXT"`
	JSON       bool   `name:"json" help:"Print JSON."`
}

type accessAllowCmd struct{ accessTarget }

func (c *accessAllowCmd) run(ctx context.Context, e *env) error {
	return c.set(ctx, e, access.Rule{Effect: access.Public})
}

type accessDenyCmd struct {
	accessTarget
	Hidden bool `help:"As if it had never been captured: 404, not 403."`
}

func (c *accessDenyCmd) run(ctx context.Context, e *env) error {
	return c.set(ctx, e, access.Rule{Effect: access.Private, Hidden: c.Hidden})
}

type accessEmbargoCmd struct {
	accessTarget
	Until string `help:"The day or moment at which it ends." placeholder:"DATE"`
	For   string `help:"How long after its capture each copy is kept from readers: 1y, 18mo, 90d." placeholder:"TIME"`
}

func (c *accessEmbargoCmd) run(ctx context.Context, e *env) error {
	r := access.Rule{Effect: access.Embargo}
	var err error
	if (c.Until == "") == (c.For == "") {
		return usageError{errors.New("say when the embargo ends: --until 2030-01-01, or --for 1y after each capture")}
	}
	if c.Until != "" {
		r.Until, err = dateGiven("--until", c.Until)
	} else if r.After, err = access.ParsePeriod(c.For); err != nil {
		err = fmt.Errorf("--for %w", err)
	}
	if err != nil {
		return usageError{err}
	}
	return c.set(ctx, e, r)
}

type accessWithholdCmd struct {
	accessTarget
	BlockedBy string `help:"URI of who withholds it, for the Link header (RFC 7725; default: the replay's address)." placeholder:"URI"`
}

func (c *accessWithholdCmd) run(ctx context.Context, e *env) error {
	return c.set(ctx, e, access.Rule{Effect: access.Withheld, BlockedBy: c.BlockedBy})
}

// rule fills in what all rules have, and checks it.
func (t *accessTarget) rule(e *env, r access.Rule) (access.Rule, access.Pattern, error) {
	r.Collection, r.Pattern, r.Reason, r.Contact = t.Collection, t.Pattern, t.Reason, t.Contact
	r.ID, r.Since = storage.Random(5), e.now().UTC().Truncate(time.Microsecond)
	p, err := access.ParsePattern(t.Pattern, guard.KeyOf)
	if err == nil && t.From != "" {
		r.From, err = dateGiven("--from", t.From)
	}
	if err == nil && t.Before != "" {
		r.Before, err = dateGiven("--before", t.Before)
	}
	if err == nil && strings.TrimSpace(t.Reason) == "" {
		err = errors.New("say why with --reason TEXT: it is kept in the log and in the WARC files")
	}
	for flag, text := range map[string]string{"--reason": t.Reason, "--contact": t.Contact} {
		if err == nil && (clean(text) != text || len(text) > access.MaxText) {
			err = fmt.Errorf("%s: write one line of plain text, up to %d bytes", flag, access.MaxText)
		}
	}
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		return r, p, usageError{err}
	}
	return r, p, nil
}

// set sets a rule, in the place of the one that is about the same.
func (t *accessTarget) set(ctx context.Context, e *env, r access.Rule) (err error) {
	r, p, err := t.rule(e, r)
	if err != nil {
		return err
	}
	s, err := e.openCollection(ctx, t.Collection)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if r.Contact == "" {
		about, err := s.about(ctx, t.Collection)
		if err != nil {
			return err
		}
		r.Contact = about["contact"]
	}
	var change access.Change
	err = e.changeAccess(ctx, s, t.Collection, func(holds []access.Rule) (_ []access.Change, err error) {
		var was *access.Rule
		for i := range holds {
			if holds[i].Slot() == r.Slot() {
				r.ID, was = holds[i].ID, &holds[i]
			}
		}
		if len(holds) >= access.MaxRules {
			return nil, fmt.Errorf("collection %s has %d access rules, and there can be no more: a prefix or a domain stands for many", t.Collection, len(holds))
		}
		change = access.Change{Sets: true, Reason: r.Reason, Rule: r, Was: was}
		return []access.Change{change}, nil
	})
	if err != nil {
		return err
	}
	if t.JSON {
		return encode(e.stdout, r)
	}
	n, more, err := concerned(ctx, s, &r, p)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%s in collection %s: %s.\n", sentence(p.Says()), r.Collection, r.Says())
	if w := change.Was; w != nil {
		fmt.Fprintf(e.stdout, "That is in place of: %s, which held since %s: %s\n", w.Says(), access.Day(w.Since.Truncate(time.Second)), clean(w.Reason))
	}
	if overEmbargo(&r, e.now()) {
		fmt.Fprintln(e.stdout, "That day is over, so that the embargo keeps nothing from anybody.")
	}
	switch {
	case more:
		fmt.Fprintf(e.stdout, "That is about more than %d captures. ", n)
	case n == 0:
		fmt.Fprint(e.stdout, "Nothing is captured there yet: look whether the address is right. ")
	default:
		fmt.Fprintf(e.stdout, "That is about %s. ", plural(n, "capture", "captures"))
	}
	fmt.Fprintf(e.stdout, "'linkstead access lift %s --rule %s' takes the rule away.\n", r.Collection, r.ID)
	return nil
}

// sentence begins with a capital letter.
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// maxConcerned is up to where captures are counted that a rule is about.
const maxConcerned = 1000

// concerned counts the captures that a rule is about.
func concerned(ctx context.Context, s *store, r *access.Rule, p access.Pattern) (n int, more bool, err error) {
	for _, keys := range p.Ranges() {
		span := storage.KeySpan{Collection: r.Collection, From: keys.From, To: keys.To, Since: r.From, Until: r.Before}
		for _, err := range s.db.CapturesIn(ctx, span, storage.Place{}, false) {
			if err != nil {
				return n, false, err
			}
			if n == maxConcerned {
				return n, true, nil
			}
			n++
		}
	}
	return n, false, nil
}

// openCollection opens the rows of an archive that has a collection.
func (e *env) openCollection(ctx context.Context, name string) (*store, error) {
	s, err := e.openTables(ctx, false)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return s, nil
	}
	if _, err := s.db.Collection(ctx, name); err != nil {
		return nil, errors.Join(noCollection(name, err), s.close())
	}
	return s, nil
}

// changeAccess changes the rules of a collection, and tells of it in the WARC files. The rules hold once the rows are written; if
// the store of the files is away, a worker tells of them later.
func (e *env) changeAccess(ctx context.Context, s *store, collection string, change func(holds []access.Rule) ([]access.Change, error)) error {
	node := e.node()
	err := s.db.ChangeAccess(ctx, collection, func(rows []storage.AccessChange) ([]storage.AccessChange, error) {
		changes, err := change(rulesOf(rows))
		out := make([]storage.AccessChange, 0, len(changes))
		for _, c := range changes {
			c.ID, c.At, c.Node, c.By = storage.Random(10), e.now().UTC().Truncate(time.Microsecond), node, e.cfg.Operator
			var raw []byte
			if err == nil {
				raw, err = c.Encode()
			}
			out = append(out, storage.AccessChange{ID: c.ID, Rule: c.Rule.ID, At: c.At, Sets: c.Sets, Change: raw, Node: node})
		}
		return out, err
	})
	if err != nil {
		return err
	}
	if err = e.openBlobs(ctx, s, true); err == nil {
		err = e.tellAdded(ctx, s)
	}
	if err != nil {
		fmt.Fprintf(e.stderr, "The rules hold as they are now. They could not be written into the WARC files yet: %v\n"+
			"The next worker that starts does so, or the next 'linkstead access' that changes something.\n", err)
	}
	return nil
}

// rulesOf are the rules that rows tell of. One that can't be understood is left out: it can be lifted by its id alone.
func rulesOf(rows []storage.AccessChange) []access.Rule {
	var out []access.Rule
	for _, row := range rows {
		c, err := access.ReadChange(row.Change)
		if err != nil {
			c.Rule = access.Rule{Collection: row.Collection, Reason: err.Error()}
		}
		c.Rule.ID = row.Rule
		out = append(out, c.Rule)
	}
	return out
}

// node is the name of this machine.
func (e *env) node() string {
	if name, err := warc.SpoolNode(e.cfg.SpoolDir()); err == nil && name != "" {
		return name
	}
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}

type accessLiftCmd struct {
	Collection string `arg:"" help:"The collection."`
	Pattern    string `arg:"" optional:"" help:"What the rule is about, as 'linkstead access list' tells it."`
	Rule       string `help:"The rule itself, by its id." placeholder:"ID"`
	Reason     string `help:"Why, which the log keeps." placeholder:"TEXT"`
	JSON       bool   `name:"json" help:"Print JSON."`
}

func (c *accessLiftCmd) run(ctx context.Context, e *env) (err error) {
	switch {
	case (c.Pattern == "") == (c.Rule == ""):
		return usageError{fmt.Errorf("say which rule: by what it is about, or by --rule ID\n'linkstead access list %s' tells both", c.Collection)}
	case strings.TrimSpace(c.Reason) == "":
		return usageError{errors.New("say why with --reason TEXT: it is kept in the log and in the WARC files")}
	case clean(c.Reason) != c.Reason || len(c.Reason) > access.MaxText:
		return usageError{fmt.Errorf("--reason: write one line of plain text, up to %d bytes", access.MaxText)}
	}
	s, err := e.openCollection(ctx, c.Collection)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	var lifted access.Rule
	err = e.changeAccess(ctx, s, c.Collection, func(holds []access.Rule) ([]access.Change, error) {
		r, err := c.one(holds)
		lifted = r
		return []access.Change{{Reason: c.Reason, Rule: r}}, err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return encode(e.stdout, lifted)
	}
	fmt.Fprintf(e.stdout, "Lifted rule %s on %s in collection %s; it was %s.\n", lifted.ID, lifted.Pattern, c.Collection, lifted.Says())
	return nil
}

// one is the rule that is meant.
func (c *accessLiftCmd) one(holds []access.Rule) (access.Rule, error) {
	var meant []access.Rule
	for _, r := range holds {
		if r.ID == c.Rule || c.Rule == "" && r.Pattern == c.Pattern {
			meant = append(meant, r)
		}
	}
	switch len(meant) {
	case 1:
		return meant[0], nil
	case 0:
		return access.Rule{}, fmt.Errorf("collection %s has no rule %s\n'linkstead access list %s' tells which there are", c.Collection, c.Rule+c.Pattern, c.Collection)
	}
	var lines []string
	for _, r := range meant {
		lines = append(lines, "  --rule "+r.ID+"  "+r.Says())
	}
	return access.Rule{}, fmt.Errorf("%d rules are about %s: say which\n%s", len(meant), c.Pattern, strings.Join(lines, "\n"))
}

// dateGiven reads a date that a flag gives: the beginning of a year, month or day, in UTC, or a moment.
func dateGiven(flag, s string) (time.Time, error) {
	for _, layout := range []string{"2006", "2006-01", "2006-01-02", time.RFC3339} {
		t, err := time.Parse(layout, s)
		if err == nil && t.UTC().Year() < firstYear {
			return time.Time{}, fmt.Errorf("%s %s: nothing was captured before there was a web: name a date from %d on", flag, s, firstYear)
		}
		if err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%s %q is no date: write it as 2016, 2016-02, 2016-02-21 or 2016-02-21T12:00:00Z", flag, s)
}

// inOrder is the order in which rules are listed: by collection, by what they are about, the newest first.
func inOrder(rules []access.Rule) {
	slices.SortStableFunc(rules, func(a, b access.Rule) int {
		if c := strings.Compare(a.Collection, b.Collection); c != 0 {
			return c
		}
		if c := strings.Compare(a.Pattern, b.Pattern); c != 0 {
			return c
		}
		return b.Since.Compare(a.Since)
	})
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"linkstead/archive/warc"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// collectionCmd names sets of captures, and what they tell of themselves.
type collectionCmd struct {
	Create collectionCreateCmd `cmd:"" help:"Create a collection."`
	List   collectionListCmd   `cmd:"" help:"List the collections, and how much each holds."`
	Show   collectionShowCmd   `cmd:"" help:"Show what a collection tells of itself."`
	Set    collectionSetCmd    `cmd:"" help:"Change what a collection tells of itself: the fields that are given, and no others."`
	Remove collectionRemoveCmd `cmd:"" help:"Remove a collection that holds nothing."`
}

// aboutFlags are the fields of a collection.
type aboutFlags struct {
	Title       *string `help:"What it is called (Dublin Core)." placeholder:"TEXT"`
	Description *string `help:"What it holds, and why (Dublin Core)." placeholder:"TEXT"`
	Creator     *string `help:"Who made it (Dublin Core)." placeholder:"TEXT"`
	Publisher   *string `help:"Who publishes it (Dublin Core)." placeholder:"TEXT"`
	Contributor *string `help:"Who else had a part in it (Dublin Core)." placeholder:"TEXT"`
	Subject     *string `help:"What it is about (Dublin Core)." placeholder:"TEXT"`
	Coverage    *string `help:"Which places and times it is about (Dublin Core)." placeholder:"TEXT"`
	Language    *string `help:"In which languages, as in en, de (Dublin Core)." placeholder:"TEXT"`
	Rights      *string `help:"Who may do what with it (Dublin Core)." placeholder:"TEXT"`
	Contact     *string `help:"Who answers questions and takedown requests." placeholder:"TEXT"`
	Robots      *string `help:"What robots.txt means to its captures: obey, ignore, record." placeholder:"POLICY"`
	Links       *string `help:"Which links of a post are its sources: content, outbound, all." placeholder:"WHICH"`
	Depth       *int    `help:"How many hops its captures follow links within the scope." placeholder:"N"`
	Scope       *string `help:"How far that may lead: host, prefix, domain, any." placeholder:"BOUND"`
}

// given are the fields that flags name, by their names.
func (f *aboutFlags) given() warc.About {
	a := warc.About{}
	for name, value := range map[string]*string{
		"title": f.Title, "description": f.Description, "creator": f.Creator, "publisher": f.Publisher, "contributor": f.Contributor,
		"subject": f.Subject, "coverage": f.Coverage, "language": f.Language, "rights": f.Rights, "contact": f.Contact,
		"robots": f.Robots, "links": f.Links, "scope": f.Scope,
	} {
		if value != nil {
			a[name] = *value
		}
	}
	if f.Depth != nil {
		a["depth"] = strconv.Itoa(*f.Depth)
	}
	return a
}

// maxField bounds one field of a collection, in bytes: they stand in every WARC file.
const maxField = 4000

// checkCollection says what is wrong with a collection's name or fields.
func checkCollection(name string, a warc.About) error {
	s := scope.Default()
	s.Source, s.Collection = "http://collection.invalid/", name
	if err := inherit(&s, a); err != nil {
		return usageError{err}
	}
	if _, err := s.Compile(); err != nil {
		return usageError{err}
	}
	for _, field := range slices.Sorted(maps.Keys(a)) {
		if v := a[field]; v == "" || len(v) > maxField || clean(v) != v {
			return usageError{fmt.Errorf("--%s %.40q: write one line of plain text, up to %d bytes; 'linkstead collection set --unset %s' takes a field away",
				field, v, maxField, field)}
		}
	}
	return nil
}

// inherit gives a run what its collection says of its captures.
func inherit(s *scope.Spec, a warc.About) error {
	if v := a["robots"]; v != "" {
		s.Robots = scope.Policy(v)
	}
	if v := a["links"]; v != "" {
		s.Links = scope.Links(v)
	}
	if v := a["scope"]; v != "" {
		s.Scope = scope.Bound(v)
	}
	if v := a["depth"]; v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			return fmt.Errorf("depth %q of the collection is no number: set another with 'linkstead collection set --depth'", v)
		}
		s.Depth = n
	}
	return nil
}

// about is what a collection tells of itself; one that nobody has made tells nothing.
func (s *store) about(ctx context.Context, name string) (warc.About, error) {
	c, err := s.db.Collection(ctx, name)
	if errors.Is(err, storage.ErrNotFound) {
		return warc.About{}, nil
	}
	if err != nil {
		return nil, err
	}
	return warc.ReadAbout(c.About)
}

type collectionCreateCmd struct {
	Name string `arg:"" help:"Its short name: a-z, 0-9, dot, dash and underscore."`
	aboutFlags
}

func (c *collectionCreateCmd) run(ctx context.Context, e *env) (err error) {
	about := c.given()
	if err := checkCollection(c.Name, about); err != nil {
		return err
	}
	s, err := e.openTables(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	raw, err := about.Encode()
	if err != nil {
		return err
	}
	err = s.db.CreateCollection(ctx, storage.Collection{Name: c.Name, About: raw, Created: e.now().UTC().Truncate(time.Microsecond)})
	if errors.Is(err, storage.ErrExists) {
		return fmt.Errorf("there is a collection %s already\n'linkstead collection set %s' changes it", c.Name, c.Name)
	}
	if err == nil {
		fmt.Fprintf(e.stdout, "Created collection %s. 'linkstead capture --collection %s' captures into it.\n", c.Name, c.Name)
	}
	return err
}

type collectionSetCmd struct {
	Name string `arg:"" help:"The collection."`
	aboutFlags
	Unset []string `help:"Take a field away; repeatable." placeholder:"FIELD"`
}

func (c *collectionSetCmd) run(ctx context.Context, e *env) (err error) {
	given := c.given()
	if err := c.check(given); err != nil {
		return err
	}
	s, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if _, err := s.db.Collection(ctx, c.Name); err != nil {
		return noCollection(c.Name, err)
	}
	err = s.db.ChangeCollection(ctx, c.Name, e.now().UTC().Truncate(time.Microsecond), func(old json.RawMessage) (json.RawMessage, error) {
		a, err := warc.ReadAbout(old)
		if err != nil {
			return nil, err
		}
		maps.Copy(a, given)
		for _, field := range c.Unset {
			delete(a, field)
		}
		return a.Encode()
	})
	if err == nil {
		fmt.Fprintf(e.stdout, "Changed collection %s. WARC files that are begun from now on tell so.\n", c.Name)
	}
	return err
}

func (c *collectionSetCmd) check(given warc.About) error {
	for _, field := range c.Unset {
		known := slices.ContainsFunc(warc.AboutFields, func(f warc.AboutField) bool { return f.Name == field })
		if _, twice := given[field]; !known || twice {
			var names []string
			for _, f := range warc.AboutFields {
				names = append(names, f.Name)
			}
			return usageError{fmt.Errorf("--unset %q: name one of %s, and don't give it as well", field, strings.Join(names, ", "))}
		}
	}
	if len(given)+len(c.Unset) == 0 {
		return usageError{fmt.Errorf("nothing to change: give a field, as in --title TEXT, or --unset FIELD")}
	}
	return checkCollection(c.Name, given)
}

func noCollection(name string, err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("there is no collection %q\n'linkstead collection list' tells which there are", name)
	}
	return err
}

type collectionRemoveCmd struct {
	Name string `arg:"" help:"The collection."`
}

func (c *collectionRemoveCmd) run(ctx context.Context, e *env) (err error) {
	s, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	err = s.db.RemoveCollection(ctx, c.Name)
	if errors.Is(err, storage.ErrInUse) {
		size, serr := s.db.CollectionSize(ctx, c.Name)
		if serr != nil {
			return serr
		}
		return fmt.Errorf("collection %s holds %s in %s, and stays\nTo take captures out of the archive for good, see 'linkstead purge --help'",
			c.Name, plural(int(size.Captures), "capture", "captures"), plural(int(size.Segments), "WARC file", "WARC files"))
	}
	if err != nil {
		return noCollection(c.Name, err)
	}
	fmt.Fprintf(e.stdout, "Removed collection %s; it held nothing.\n", c.Name)
	return nil
}

// collectionJSON is a collection in JSON.
type collectionJSON struct {
	Name     string     `json:"name"`
	About    warc.About `json:"about"`
	Created  *time.Time `json:"created,omitempty"` // none: only captures name it
	Captures int64      `json:"captures"`
	Posts    int64      `json:"posts"`
	Segments int64      `json:"segments"`
	Bytes    int64      `json:"bytes"`
}

func describeCollection(ctx context.Context, s *store, c storage.Collection) (collectionJSON, error) {
	size, err := s.db.CollectionSize(ctx, c.Name)
	if err != nil {
		return collectionJSON{}, err
	}
	out := collectionJSON{Name: c.Name, Captures: size.Captures, Posts: size.Posts, Segments: size.Segments, Bytes: size.Bytes}
	if !c.Created.IsZero() {
		out.Created = &c.Created
	}
	out.About, err = warc.ReadAbout(c.About)
	return out, err
}

type collectionListCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (c *collectionListCmd) run(ctx context.Context, e *env) (err error) {
	s, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	all, err := s.db.Collections(ctx)
	if err != nil {
		return err
	}
	out := []collectionJSON{}
	for _, col := range all {
		j, err := describeCollection(ctx, s, col)
		if err != nil {
			return err
		}
		out = append(out, j)
	}
	if c.JSON {
		return encode(e.stdout, out)
	}
	if len(out) == 0 {
		fmt.Fprintln(e.stdout, "No collections yet. The first capture makes one: linkstead capture https://example.org/some-post")
	}
	for _, j := range out {
		e.printCollection(j)
	}
	return nil
}

func (e *env) printCollection(j collectionJSON) {
	fmt.Fprint(e.stdout, j.Name)
	if t := j.About["title"]; t != "" {
		fmt.Fprintf(e.stdout, "  %s", clean(t))
	}
	fmt.Fprintf(e.stdout, "\n  %s, %s, %s\n", plural(int(j.Captures), "capture", "captures"), plural(int(j.Posts), "post", "posts"), size(j.Bytes))
}

type collectionShowCmd struct {
	Name string `arg:"" help:"The collection."`
	JSON bool   `name:"json" help:"Print JSON."`
}

func (c *collectionShowCmd) run(ctx context.Context, e *env) (err error) {
	s, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	col, err := s.db.Collection(ctx, c.Name)
	if err != nil {
		return noCollection(c.Name, err)
	}
	j, err := describeCollection(ctx, s, col)
	if err != nil {
		return err
	}
	if c.JSON {
		return encode(e.stdout, j)
	}
	e.printCollection(j)
	for _, f := range warc.AboutFields {
		if v := j.About[f.Name]; v != "" {
			fmt.Fprintf(e.stdout, "  %-12s %s\n", f.Name, clean(v))
		}
	}
	if j.Created == nil {
		fmt.Fprintf(e.stdout, "  It tells nothing of itself yet: linkstead collection set %s --title TEXT\n", j.Name)
	}
	return nil
}

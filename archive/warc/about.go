package warc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"linkstead/storage"
)

// About is what a collection tells of itself, by the names of AboutFields. Fields without a value are left out.
type About map[string]string

// AboutField is one thing that a collection can tell.
type AboutField struct {
	Name string // in JSON and on the command line
	Warc string // in the warcinfo record
	Help string
}

// AboutFields are all of them, in order: first Dublin Core's (DCMI Metadata Terms), then ours. What a warcinfo record tells
// of the collection is marked, for its own description and robots are those of the segment (WARC 1.1 §6.2).
var AboutFields = []AboutField{
	{"title", "dc.title", "what it is called"},
	{"description", "dc.description", "what it holds, and why"},
	{"creator", "dc.creator", "who made it"},
	{"publisher", "dc.publisher", "who publishes it"},
	{"contributor", "dc.contributor", "who else had a part in it"},
	{"subject", "dc.subject", "what it is about"},
	{"coverage", "dc.coverage", "which places and times it is about"},
	{"language", "dc.language", "in which languages, as in en, de"},
	{"rights", "dc.rights", "who may do what with it"},
	{"contact", "linkstead.contact", "who answers questions and takedown requests"},
	{"robots", "linkstead.robots", "what robots.txt means to its captures: obey, ignore, record"},
	{"links", "linkstead.links", "which links of a post are its sources: content, outbound, all"},
	{"depth", "linkstead.depth", "how many hops its captures follow links within the scope"},
	{"scope", "linkstead.scope", "how far that may lead: host, prefix, domain, any"},
}

// warcCreated marks what a warcinfo record tells of a collection that somebody has created: a rebuild takes it in.
const warcCreated = "linkstead.created"

// ReadAbout reads what Encode wrote; nothing is an empty About.
func ReadAbout(raw json.RawMessage) (About, error) {
	a := About{}
	if len(raw) == 0 {
		return a, nil
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return nil, fmt.Errorf("read what a collection tells of itself: %w", err)
	}
	return a, nil
}

// Encode gives an About as JSON.
func (a About) Encode() (json.RawMessage, error) {
	b, err := json.Marshal(map[string]string(a))
	if err != nil {
		return nil, fmt.Errorf("encode what a collection tells of itself: %w", err)
	}
	return b, nil
}

// describe fills in what the warcinfo record tells of the collection. One that nobody created tells nothing.
func (i *Info) describe(ctx context.Context, ask func(context.Context, string) (storage.Collection, error)) error {
	if ask == nil {
		return nil
	}
	c, err := ask(ctx, i.IsPartOf)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	i.Since = c.Created
	if i.About, err = ReadAbout(c.About); err != nil {
		return fmt.Errorf("collection %s: %w", c.Name, err)
	}
	if policy := i.About["robots"]; policy != "" {
		i.Robots = policy
	}
	return nil
}

// about writes the fields of the collection.
func (w *fieldsWriter) about(i *Info) {
	for _, f := range AboutFields {
		w.text(f.Warc, i.About[f.Name])
	}
	if !i.Since.IsZero() {
		w.text(warcCreated, i.Since.UTC().Format(time.RFC3339Nano))
	}
}

// readAbout reads the fields of a collection out of the block of a warcinfo record; ok says whether it tells of one that
// somebody created.
func readAbout(block []byte) (c storage.Collection, ok bool, err error) {
	a := About{}
	for name, value := range warcFields(block) {
		switch name {
		case "isPartOf":
			c.Name = value
		case warcCreated:
			c.Created, err = time.Parse(time.RFC3339Nano, value)
			ok = err == nil
		}
		for _, f := range AboutFields {
			if f.Warc == name {
				a[f.Name] = value
			}
		}
	}
	if c.About, err = a.Encode(); err != nil {
		return c, false, err
	}
	return c, ok && c.Name != "", nil
}

// collection takes what a warcinfo record tells of the collection, if none told it later.
func (t *tail) collection(f *Found, file io.ReaderAt) error {
	rec, err := f.Open(file)
	if err != nil {
		return err
	}
	defer rec.Close() //nolint:errcheck // it frees buffers alone
	block, err := io.ReadAll(io.LimitReader(rec.Block, maxInfo))
	if err != nil {
		return err
	}
	c, ok, err := readAbout(block)
	if ok && !f.Header.Date().Before(t.told) {
		t.about, t.told = c, f.Header.Date()
	}
	return err
}

// maxInfo bounds what is read of a warcinfo record's block, in bytes.
const maxInfo = 1 << 20

// warcFields yields the fields of an application/warc-fields block, as fieldsWriter writes them.
func warcFields(block []byte) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for line := range strings.Lines(string(block)) {
			name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ": ")
			if !ok {
				continue
			}
			if plain, err := unescape(value); err == nil && !yield(name, plain) {
				return
			}
		}
	}
}

package warc

import (
	"context"
	"errors"
	"fmt"

	"linkstead/storage"
)

// rule takes the record of a change of an access rule.
func (w *wanted) rule(f *Found) {
	change, err := accessChange(f, nil)
	if err != nil {
		w.bad = append(w.bad, Flaw{Word: WordRecord, Offset: f.Offset, Record: f.Header.ID(), Detail: err.Error()})
		return
	}
	change.Collection, change.Segment = w.collection, w.segment
	w.access = append(w.access, change)
	w.urls[f.Offset] = f.Header.URL()
}

// access looks for the rows of changes of access rules: without them, what is kept from readers would be open.
func (c *comparison) access(ctx context.Context) error {
	for _, want := range c.want.access {
		have, err := c.i.Rows.AccessChange(ctx, want.ID)
		flaw := Flaw{Offset: -1, URL: "urn:linkstead:access:" + want.Rule}
		switch {
		case errors.Is(err, storage.ErrNotFound):
			flaw.Word, flaw.Detail = WordNoRow, fmt.Sprintf("a change of access rule %s of collection %s has no row", want.Rule, want.Collection)
		case err != nil:
			return err
		case have.Collection != want.Collection || have.Rule != want.Rule || have.Sets != want.Sets || string(have.Change) != string(want.Change):
			flaw.Word, flaw.Detail = WordRow, fmt.Sprintf("the row of a change of access rule %s of collection %s is not as its record tells", want.Rule, want.Collection)
		default:
			continue
		}
		c.flaw(flaw)
		c.rulesAnew = append(c.rulesAnew, want)
	}
	return nil
}

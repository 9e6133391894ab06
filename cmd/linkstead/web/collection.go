package web

import (
	"context"
	"errors"

	"linkstead/archive/warc"
	"linkstead/storage"
)

// collection is how a collection is named to a reader: its title with its short name, or that alone.
func (p *Pages) collection(ctx context.Context, name string) (string, error) {
	short := clean(name, maxTitle)
	if p.Collection == nil {
		return short, nil
	}
	c, err := p.Collection(ctx, name)
	if errors.Is(err, storage.ErrNotFound) {
		return short, nil
	}
	if err != nil {
		return "", err
	}
	about, err := warc.ReadAbout(c.About)
	if title := clean(about["title"], maxTitle); err == nil && title != "" {
		return title + " (" + short + ")", nil
	}
	return short, err
}

package guard

import (
	"context"
	"errors"
	"slices"
	"strings"

	"linkstead/archive/httpmsg"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// Opener opens captures: a warc.Library.
type Opener interface {
	Open(ctx context.Context, c storage.Capture) (*warc.Memento, error)
}

// Library opens captures for readers. A capture that may be seen is shown with the payload of another one that may not: its own
// server sent the same bytes. But where its record has kept no head, as those of some tools have not, the other one's
// would stand in for it, and tell of another server: of that, only what says how the payload is to be read remains.
type Library struct {
	Opener
	Guard *Guard
}

// Open opens a capture.
func (l Library) Open(ctx context.Context, c storage.Capture) (*warc.Memento, error) {
	m, err := l.Opener.Open(ctx, c)
	if err == nil && c.Kind == warc.KindRevisit {
		err = l.vouched(ctx, &c, m)
	}
	if err != nil {
		return nil, err
	}
	if c.Kind != warc.KindRevisit || m.Head.Len > 0 {
		return m, nil
	}
	set, err := l.Guard.Set(ctx, c.Collection)
	if err != nil {
		_ = m.Close() // the error is that of the rules
		return nil, err
	}
	if set.Restricts() {
		m.Original.Fields = slices.DeleteFunc(slices.Clone(m.Original.Fields), func(f httpmsg.Field) bool { return !aboutPayload(f.Name) })
	}
	return m, nil
}

// vouched refuses a revisit of another program that only names what it repeats, and does not have its digest: its own server may never
// have sent those bytes, and they are shown to whoever may see the capture that they come from. It closes what it refuses.
func (l Library) vouched(ctx context.Context, c *storage.Capture, m *warc.Memento) error {
	o := &m.From
	if !warc.Imported(c.Segment) || o.Digest == c.Digest && c.Digest != "" {
		return nil
	}
	_, err := l.Guard.CaptureAt(ctx, o.Segment, o.Offset)
	if errors.Is(err, storage.ErrNotFound) {
		err = warc.ErrNoOriginal
	}
	if err != nil {
		err = errors.Join(err, m.Close())
	}
	return err
}

// aboutPayload says whether a field tells how a payload is to be read.
func aboutPayload(name string) bool {
	switch strings.ToLower(name) {
	case "content-type", "content-encoding", "content-language", "content-length", "transfer-encoding":
		return true
	}
	return false
}

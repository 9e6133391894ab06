package guard

import (
	"context"
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
	if err != nil || c.Kind != warc.KindRevisit || m.Head.Len > 0 {
		return m, err
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

// aboutPayload says whether a field tells how a payload is to be read.
func aboutPayload(name string) bool {
	switch strings.ToLower(name) {
	case "content-type", "content-encoding", "content-language", "content-length", "transfer-encoding":
		return true
	}
	return false
}

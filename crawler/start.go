package crawler

import (
	"context"
	"fmt"
	"slices"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// Starter writes new runs.
type Starter interface {
	StartRun(ctx context.Context, r storage.Run, doc *storage.Document, first []storage.Task) (storage.Run, error)
	Unfinished(ctx context.Context) ([]storage.Run, error)
	ResumeRun(ctx context.Context, id int64) error
}

// Begin starts a run of spec, whose source is an http(s) URL, or names doc. If a run of the very same spec was
// interrupted, that one goes on instead, and resumed is true. One that a schedule began is none of the caller's.
func Begin(ctx context.Context, db Starter, spec scope.Spec, doc *storage.Document, now time.Time) (r storage.Run, resumed bool, err error) {
	s, err := spec.Compile()
	if err != nil {
		return r, false, err
	}
	encoded, err := spec.Encode()
	if err != nil {
		return r, false, err
	}
	runs, err := db.Unfinished(ctx)
	if err != nil {
		return r, false, err
	}
	for _, old := range slices.Backward(runs) {
		if doc == nil && old.Schedule == "" && old.Collection == spec.Collection && string(old.Spec) == string(encoded) {
			return old, true, db.ResumeRun(ctx, old.ID)
		}
	}
	t := storage.Task{Kind: string(scope.KindPage), URL: spec.Source, Host: urlkey.Host(spec.Source), Due: s.Post().Due}
	if doc != nil {
		t.Kind, t.Host = KindDocument, HostDocument
	} else if !urlkey.Fetchable(spec.Source) {
		return r, false, fmt.Errorf("%q is no http(s) address", spec.Source)
	}
	t.ID = urlkey.ID(t.URL)
	r, err = db.StartRun(ctx, storage.Run{
		Collection: spec.Collection, Source: spec.Source, Spec: encoded, Started: now.UTC(),
	}, doc, []storage.Task{t})
	return r, false, err
}

package crawler

import (
	"bytes"
	"context"
	"errors"
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
	Document(ctx context.Context, run int64) (storage.Document, error)
	Task(ctx context.Context, host string, run, id int64) (storage.Task, error)
	HandIn(ctx context.Context, run int64, doc storage.Document) error
	ResumeRun(ctx context.Context, id int64) error
}

// Completer writes runs that complete others.
type Completer interface {
	Starter
	ExtendRun(ctx context.Context, id int64, more []storage.Task) (bool, error)
}

// Complete starts a run of spec that asks for what the run lacks which it completes. If there is one of the very same spec that is not
// done, that one goes on and asks for it, too, and resumed is true.
func Complete(ctx context.Context, db Completer, spec scope.Spec, lacking []storage.Task, now time.Time) (r storage.Run, resumed bool, err error) {
	if _, err := spec.Compile(); err != nil {
		return r, false, err
	}
	return begin(ctx, db, spec, nil, lacking, now, func(old storage.Run) (bool, error) { return db.ExtendRun(ctx, old.ID, lacking) })
}

// Begin starts a run of spec, whose source is an http(s) URL, or names doc. If a run of the very same spec and document was
// interrupted, that one goes on instead, and resumed is true. One that a schedule began is none of the caller's.
func Begin(ctx context.Context, db Starter, spec scope.Spec, doc *storage.Document, now time.Time) (r storage.Run, resumed bool, err error) {
	s, err := spec.Compile()
	if err != nil {
		return r, false, err
	}
	t := storage.Task{Kind: string(scope.KindPage), URL: spec.Source, Host: urlkey.Host(spec.Source), Due: s.Post().Due}
	if doc != nil {
		t.Kind, t.Host = KindDocument, HostDocument
	} else if !urlkey.Fetchable(spec.Source) {
		return r, false, fmt.Errorf("%q is no http(s) address", spec.Source)
	}
	t.ID = urlkey.PageID(t.URL)
	return begin(ctx, db, spec, doc, []storage.Task{t}, now, func(old storage.Run) (bool, error) {
		same, err := sameDocument(ctx, db, old, doc)
		if err != nil || !same {
			return false, err
		}
		return true, db.ResumeRun(ctx, old.ID)
	})
}

// sameDocument says whether doc is what was handed in for a run, byte for byte. A run that has lost its own before it could be
// captured gets this one.
func sameDocument(ctx context.Context, db Starter, old storage.Run, doc *storage.Document) (bool, error) {
	if doc == nil {
		return true, nil
	}
	had, err := db.Document(ctx, old.ID)
	if err == nil {
		return had.Mime == doc.Mime && bytes.Equal(had.Body, doc.Body), nil
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return false, err
	}
	t, err := db.Task(ctx, HostDocument, old.ID, urlkey.PageID(old.Source))
	if errors.Is(err, storage.ErrNotFound) || err == nil && t.Outcome != "" {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, db.HandIn(ctx, old.ID, *doc)
}

// begin starts a run with its first tasks, or goes on with one of the same spec that is not done, if resume says that it does.
func begin(ctx context.Context, db Starter, spec scope.Spec, doc *storage.Document, first []storage.Task, now time.Time,
	resume func(old storage.Run) (bool, error)) (r storage.Run, resumed bool, err error) {
	encoded, err := spec.Encode()
	if err != nil {
		return r, false, err
	}
	runs, err := db.Unfinished(ctx)
	if err != nil {
		return r, false, err
	}
	for _, old := range slices.Backward(runs) {
		if old.Schedule != "" || old.Collection != spec.Collection || string(old.Spec) != string(encoded) {
			continue
		}
		if goesOn, err := resume(old); err != nil || goesOn {
			return old, goesOn, err
		}
	}
	r, err = db.StartRun(ctx, storage.Run{
		Collection: spec.Collection, Source: spec.Source, Spec: encoded, Started: now.UTC(),
	}, doc, first)
	return r, false, err
}

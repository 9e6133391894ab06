package main

import (
	"context"
	"errors"
	"time"

	"linkstead/archive/fulltext"
	"linkstead/archive/urlkey"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// When texts are made.
const (
	indexEvery = 15 * time.Second // looked for what is new
	indexTTL   = time.Minute      // of the lock, which is kept meanwhile
)

// indexer makes the texts of captures, without the secrets that the settings tell of.
func (e *env) indexer(s *store) (*fulltext.Indexer, error) {
	x := &fulltext.Indexer{Rows: s.db, Library: s.lib, MaxBytes: int(e.cfg.Search.MaxText), Log: e.log}
	sites, err := e.sites()
	if err != nil {
		return nil, err
	}
	from, err := cookies(e.cfg.Cookies)
	if err != nil {
		return nil, err
	}
	who, err := asking(sites)(scope.Spec{Language: e.cfg.Language, Cookies: from})
	if err != nil || who.Nobody() {
		return x, err
	}
	x.Conceal = func(url, text string) string { return who.Secrets(urlkey.Hostname(url)).Text(text) }
	return x, nil
}

// index makes the texts of all captures that it has not been tried with, if no other process does. storage.ErrLocked if one does.
func (e *env) index(ctx context.Context, s *store, owner string) (done fulltext.Done, err error) {
	owner += " texts " + storage.Random(8) // whoever has it is at work, or its time runs out
	token, err := s.db.Lock(ctx, storage.IndexLock, owner, indexTTL)
	if err != nil {
		return done, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		for ctx.Err() == nil {
			pause(ctx, indexTTL/3)
			if ctx.Err() != nil {
				return
			}
			if err := s.db.KeepLock(ctx, storage.IndexLock, token, indexTTL); errors.Is(err, storage.ErrLocked) {
				cancel(err)
			}
		}
	}()
	x, err := e.indexer(s)
	if err == nil {
		done, err = x.Run(ctx)
	}
	if err != nil && errors.Is(context.Cause(ctx), storage.ErrLocked) {
		err = context.Cause(ctx)
	}
	cancel(nil)
	<-kept
	last, end := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer end()
	return done, errors.Join(err, s.db.Unlock(last, storage.IndexLock, token))
}

// indexOnce is index at the end of a capture: what goes wrong harms nothing, and is made up for by whoever indexes next.
func (e *env) indexOnce(ctx context.Context, s *store, owner string) {
	if !e.cfg.Search.Index {
		return
	}
	if _, err := e.index(ctx, s, owner); err != nil && ctx.Err() == nil && !errors.Is(err, storage.ErrLocked) {
		e.log.Warn("texts of captures are not indexed yet", "error", err)
	}
}

// indexAlong indexes beside other work, until ctx ends.
func (e *env) indexAlong(ctx context.Context, s *store, owner string) {
	for ctx.Err() == nil && e.cfg.Search.Index {
		e.indexOnce(ctx, s, owner)
		pause(ctx, indexEvery)
	}
}

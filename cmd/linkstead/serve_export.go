package main

import (
	"bufio"
	"context"
	"errors"
	"os"
	"path/filepath"

	"linkstead/archive/guard"
	"linkstead/archive/pack"
	"linkstead/cmd/linkstead/web"
	"linkstead/storage"
)

// maxPackage bounds a WACZ that is made while somebody waits for it.
const maxPackage = 1 << 30

var errTooLarge = errors.New("the package is larger than the limit")

// exportNow lets the page of a post hand it out as a WACZ: what readers may see of it, made when it is asked for.
func (e *env) exportNow(s *store, pages *web.Pages) {
	pages.Package = func(ctx context.Context, v storage.Post) (*web.Package, error) { return e.packageOf(ctx, s, v) }
}

// packageOf makes the WACZ of a version of a post, in a file that is gone once it is closed.
func (e *env) packageOf(ctx context.Context, s *store, v storage.Post) (p *web.Package, err error) {
	ch := &chosen{e: e, s: s, readers: &guard.Guard{Rows: s.db, Rules: s.db, Now: s.db.Now}, sel: pack.Selection{}}
	if err := ch.post(ctx, v); err != nil {
		return nil, err
	}
	if len(ch.sel) == 0 {
		return nil, web.ErrNothingToSee
	}
	temp, release, err := storage.HoldExport(e.cfg.SpoolDir())
	if err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(temp, "package.wacz"))
	if err != nil {
		return nil, errors.Join(err, release())
	}
	p = &web.Package{File: f, Close: func() error { return errors.Join(f.Close(), release()) }}
	out := bufio.NewWriterSize(&limited{f, maxPackage}, 256<<10)
	_, err = ch.wacz(ctx, ch.exporter(v.Collection, temp), out)
	if err = errors.Join(err, out.Flush()); err == nil {
		return p, nil
	}
	err = errors.Join(err, p.Close())
	switch {
	case errors.Is(err, pack.ErrNothing):
		err = web.ErrNothingToSee
	case errors.Is(err, errTooLarge):
		err = &web.Refused{Text: "The post is too large to be packed while you wait: it takes more than 1 GiB. On the archive's machine, run: linkstead export " + v.ID}
	}
	return nil, err
}

// limited writes up to so many bytes into a file.
type limited struct {
	f    *os.File
	left int64
}

func (b *limited) Write(p []byte) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errTooLarge
	}
	return b.f.Write(p)
}

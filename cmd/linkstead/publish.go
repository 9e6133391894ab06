package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"linkstead/archive/guard"
	"linkstead/archive/pack"
	"linkstead/storage"
)

// shelf is where files are published, as readers find it.
func (e *env) shelf(s *store) *pack.Shelf {
	return &pack.Shelf{Store: s.blobs, Readers: &guard.Guard{Rows: s.db, Rules: s.db, Now: s.db.Now}, Now: time.Now}
}

// address is where a published file is read.
func (e *env) address(name string) string { return e.cfg.Serve.Origin() + "/web/-/exports/" + name }

// publish puts what is written onto the shelf, under a name of its own.
func publish(ctx context.Context, shelf *pack.Shelf, temp, name string, write func(io.Writer) error) error {
	switch there, err := shelf.Has(ctx, name); {
	case err != nil:
		return err
	case there:
		return taken(name)
	}
	f, err := os.CreateTemp(temp, "publish-*")
	if err != nil {
		return err
	}
	sum, out := sha256.New(), bufio.NewWriterSize(f, 256<<10)
	if err = errors.Join(write(io.MultiWriter(out, sum)), out.Flush()); err == nil {
		err = errors.Join(f.Chmod(0o644), f.Sync())
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = shelf.Put(ctx, name, f.Name(), hex.EncodeToString(sum.Sum(nil)))
	}
	if errors.Is(err, storage.ErrExists) {
		err = taken(name)
	}
	return errors.Join(err, os.Remove(f.Name()))
}

func taken(name string) error {
	return fmt.Errorf("%s is published already\nChoose another name, or take it away first: linkstead export --withdraw %s", name, name)
}

// published lists the files that are published.
func (c *exportCmd) published(ctx context.Context, e *env, s *store) error {
	failed := 0
	list, err := e.shelf(s).List(ctx, func(name string, err error) {
		failed++
		fmt.Fprintf(e.stderr, "linkstead: %s can't be read: %v\n", clean(name), err)
	})
	if err != nil {
		return err
	}
	if c.JSON {
		if list == nil {
			list = []pack.Published{}
		}
		if err := encode(e.stdout, list); err != nil {
			return err
		}
	} else {
		e.printPublished(list)
	}
	if failed > 0 {
		return fmt.Errorf("%s can't be read", plural(failed, "published file", "published files"))
	}
	return nil
}

func (e *env) printPublished(list []pack.Published) {
	for _, p := range list {
		fmt.Fprintf(e.stdout, "%s  %s, %s, of collection %s: %s\n", p.Created.UTC().Format("2006-01-02 15:04"), clean(p.Name), size(p.Size), clean(p.Collection), clean(p.Title))
		if p.Closed {
			fmt.Fprintf(e.stdout, "  closed to readers: it holds what they may see no more, by a rule or a purge that came after it\n  take it away, and publish it anew: linkstead export --withdraw %s\n", clean(p.Name))
			continue
		}
		fmt.Fprintf(e.stdout, "  %s\n", e.address(p.Name))
	}
	if len(list) == 0 {
		fmt.Fprintln(e.stdout, "Nothing is published. 'linkstead export --publish NAME' does that.")
	}
}

// withdraw takes a published file away.
func (c *exportCmd) withdraw(ctx context.Context, e *env, s *store) error {
	name, _ := pack.PublishedName(c.Withdraw)
	err := e.shelf(s).Take(ctx, name)
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("nothing is published as %q\n'linkstead export --published' lists what is", c.Withdraw)
	}
	if err == nil {
		fmt.Fprintf(e.stdout, "%s is published no more.\n", name)
	}
	return err
}

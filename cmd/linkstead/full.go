package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"linkstead/storage"
)

// A disk that is full ends a worker as a crash would: nothing that was acknowledged is lost, nothing torn counts, no task
// has failed. Whoever runs the worker waits for room, and begins it anew: its recovery does the rest.

// Waits for room.
const (
	firstRoom = 200 * time.Millisecond
	mostRoom  = 15 * time.Second
)

// crowded waits for room on behalf of a worker.
type crowded struct {
	e    *env
	say  func(string) // to people; each thing once
	told bool
	wait time.Duration
}

// full says whether a worker ended because a disk is full.
func (c *crowded) full(err error) bool {
	if storage.IsFull(err) {
		return true
	}
	if !storage.MayBeFull(err) {
		return false
	}
	for _, dir := range c.dirs() {
		if free, err := storage.FreeAt(dir); err == nil && free < probeRoom {
			return true
		}
	}
	return false
}

// dirs are the folders of this machine that are written to.
func (c *crowded) dirs() []string {
	dirs := []string{c.e.cfg.SpoolDir()}
	if path, ok := strings.CutPrefix(c.e.cfg.Database(), "sqlite:"); ok {
		dirs = append(dirs, filepath.Dir(path))
	}
	return dirs
}

// rest waits a while, longer each time, until there is room where there was none; false if ctx ended before.
func (c *crowded) rest(ctx context.Context, err error) bool {
	if !c.told {
		c.told = true
		var where []string
		for _, dir := range c.dirs() {
			if free, ferr := storage.FreeAt(dir); ferr == nil {
				where = append(where, fmt.Sprintf("%s has %s left", dir, size(free)))
			}
		}
		first, _, _ := strings.Cut(err.Error(), "\n")
		c.say(fmt.Sprintf("The disk is full: %s. Capture pauses, nothing that was acknowledged is lost, and it goes on by itself. Make room there, or stop and give it another place with --spool. (%s)",
			strings.Join(where, ", "), first))
	}
	for {
		c.wait = min(max(2*c.wait, firstRoom), mostRoom)
		pause(ctx, c.wait)
		if ctx.Err() != nil {
			return false
		}
		if c.room() {
			return true
		}
	}
}

// goesOn tells that the worker has begun anew.
func (c *crowded) goesOn() {
	if c.told {
		c.say("There is room again: capture goes on.")
	}
	c.told = false
}

// calm forgets how long was waited, once work has gone well for a while.
func (c *crowded) calm(since time.Time) {
	if time.Since(since) > mostRoom {
		c.wait = 0
	}
}

// probeRoom is how many bytes must fit before the work is begun anew.
const probeRoom = 256 << 10

// room tries whether the folders take some bytes.
func (c *crowded) room() bool {
	for _, dir := range c.dirs() {
		if err := tryWrite(dir); err != nil {
			return false
		}
	}
	return true
}

// tryWrite writes some bytes, and takes them away again.
func tryWrite(dir string) error {
	f, err := os.CreateTemp(dir, ".room-*")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, probeRoom))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

package storagetest

import (
	"errors"
	"os"
	"sync/atomic"
	"syscall"

	"linkstead/storage"
)

// ErrCrashed is what every operation returns after the crash of a CrashFS whose crash function came back.
var ErrCrashed = errors.New("crashed")

// CrashFS is a file system at one chosen operation of which the process ends: before it, in the middle of it, or after
// it was carried out and before anyone could know. A program under test takes the point from a flag or variable of its
// own ("write@.warc.gz:17") and passes KillSelf.
type CrashFS struct {
	hookFS
	m    meter
	dead atomic.Bool
}

// NewCrashFS wraps fs so that crash is called at p. If crash comes back, this operation and all later ones fail with
// ErrCrashed: for tests that play the crash within one process.
func NewCrashFS(fs storage.FS, p Point, crash func()) *CrashFS {
	c := &CrashFS{m: meter{p: p}}
	c.hookFS = hookFS{fs: fs, around: func(s step) error { return c.around(s, crash) }}
	return c
}

// Seen is how many operations of the point's kind there were so far.
func (c *CrashFS) Seen() int { return c.m.count() }

// Crashed tells whether the point was reached.
func (c *CrashFS) Crashed() bool { return c.dead.Load() }

func (c *CrashFS) around(s step, crash func()) error {
	if c.dead.Load() {
		return ErrCrashed
	}
	if !c.m.strikes(s.op, s.name) {
		return s.full()
	}
	switch {
	case c.m.p.When == After:
		_ = s.full() // nobody lives to see its error
	case c.m.p.When == Half && s.half != nil:
		_ = s.half()
	}
	c.dead.Store(true)
	crash()
	return ErrCrashed
}

// KillSelf ends the own process as kill -9 does, at once: no deferred call runs and nothing is flushed.
func KillSelf() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // the signal is on its way; no step is taken meanwhile
}

package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Finding is what one check of an Exam has found.
type Finding struct {
	Part   string `json:"part"` // blobs, rows or spool
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`          // what was seen and measured
	Means  string `json:"means,omitempty"` // of a failure: what comes of it
	Try    string `json:"try,omitempty"`   // and what to do
}

// Exam proves that the places of an archive keep what they promise. It works with objects, tables and files of its own
// and removes them, be the context over or not. A check that fails is a finding; the error of a part says only that the
// context is over, or that something was left behind.
type Exam struct {
	Temp string        // folder for the files that are put
	Big  int64         // bytes of the big blob
	Need int64         // bytes that the spool should have free
	Tell func(Finding) // is told of each check when it is done
	Now  func() time.Time
}

// check is one question.
type check struct {
	name       string
	ask        func(context.Context) (detail string, err error)
	means, try string
}

// reached is the question without which no other can be asked.
const reached = "connect"

// put asks the questions in order. Of a place that is away, or lets nobody in, there is nothing more to ask.
func (x *Exam) put(ctx context.Context, part string, checks []check) error {
	for i, c := range checks {
		detail, err := c.ask(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		f := Finding{Part: part, Check: c.name, OK: err == nil, Detail: detail}
		if err != nil {
			f.Detail, f.Means, f.Try = err.Error(), c.means, c.try
		}
		last := errors.Is(err, ErrAway) || err != nil && c.name == reached
		if last && i+1 < len(checks) {
			f.Means += "; the rest was not asked"
		}
		x.Tell(f)
		if last {
			return nil
		}
	}
	return nil
}

// cleaning gives what is cleaned up a context of its own, since the one of the exam may be over.
func cleaning(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
}

// differ is a failure of the form: what was asked, what came, what should have come.
func differ(what string, got, want any) error {
	return fmt.Errorf("%s gives %v, not %v", what, got, want)
}

const (
	maxSkew   = time.Minute
	skewTry   = "set the clocks of all machines by NTP"
	slowFsync = 250 * time.Millisecond
)

func skewed(d time.Duration) (string, error) {
	if d.Abs() > maxSkew {
		return "", fmt.Errorf("its clock is %s off from this machine's", d.Round(time.Second))
	}
	return fmt.Sprintf("within %s of this machine's", max(d.Abs().Round(time.Second), time.Second)), nil
}

// Spool examines the folder of segments in the making, or the nearest folder above it if it is not there yet.
func (x *Exam) Spool(ctx context.Context, dir string, fsys FS) error {
	near := Nearest(dir)
	return x.put(ctx, "spool", []check{
		{
			"durable", func(ctx context.Context) (string, error) { return syncs(ctx, near, fsys) },
			"what is acknowledged may be lost when the power fails, or acknowledging is very slow",
			"put the spool on a local disk with --spool; network folders and some containers' layers do not sync",
		},
		{
			"space", func(context.Context) (string, error) { return x.space(near) },
			"capturing pauses while the spool has no room", "make room, or name another folder with --spool",
		},
	})
}

// Nearest is the folder, or the closest one above it that is there.
func Nearest(dir string) string {
	dir = filepath.Clean(dir)
	for p := dir; ; p = filepath.Dir(p) {
		if st, err := os.Stat(p); err == nil && st.IsDir() || p == filepath.Dir(p) {
			return p
		}
	}
}

// syncs writes and syncs as the journal does, and says how long that takes.
func syncs(ctx context.Context, dir string, fsys FS) (_ string, err error) {
	name := filepath.Join(dir, "linkstead-doctor-"+Random(5))
	f, err := fsys.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer func() {
		err = errors.Join(err, f.Close(), fsys.Remove(name))
	}()
	const rounds = 20
	text := make([]byte, 4096)
	copy(text, name)
	began := time.Now()
	for range rounds {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		if _, err := f.Write(text); err != nil {
			return "", err
		}
		if err := f.Sync(); err != nil {
			return "", fmt.Errorf("fsync: %w", err)
		}
	}
	each := time.Since(began) / rounds
	if err := fsys.SyncDir(dir); err != nil {
		return "", err
	}
	back := make([]byte, len(text))
	if _, err := f.ReadAt(back, (rounds-1)*int64(len(text))); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if string(back) != string(text) {
		return "", errors.New("what was written reads back differently")
	}
	if each > slowFsync {
		return "", fmt.Errorf("a flush to the disk takes %s in %s", each.Round(time.Millisecond), dir)
	}
	return fmt.Sprintf("a flush to the disk takes %s in %s", each.Round(10*time.Microsecond), dir), nil
}

// space compares what is free with what is needed.
func (x *Exam) space(dir string) (string, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return "", fmt.Errorf("ask for the free space in %s: %w", dir, err)
	}
	free := int64(st.Bavail) * st.Bsize
	text := fmt.Sprintf("%d MiB are free in %s", free>>20, dir)
	if free < x.Need {
		return "", fmt.Errorf("%s, and %d MiB are needed", text, x.Need>>20)
	}
	return text, nil
}

package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"syscall"

	"linkstead/storage"
)

// ErrInjected is the error of faults for which no other was chosen. It is also an I/O error of the system.
var ErrInjected = fmt.Errorf("injected fault: %w", syscall.EIO)

// FaultFS is a file system of which one chosen operation fails, or all from that one on.
type FaultFS struct {
	hookFS
	m   meter
	err error
}

// NewFaultFS wraps fs so that it fails at p with err; nil means ErrInjected. With a point that is never reached (N of
// a million, say) it merely counts.
func NewFaultFS(fs storage.FS, p Point, err error) *FaultFS {
	if err == nil {
		err = ErrInjected
	}
	f := &FaultFS{m: meter{p: p}, err: err}
	f.hookFS = hookFS{fs: fs, around: func(s step) error { return fault(&f.m, f.err, s) }}
	return f
}

// Seen is how many operations of the point's kind there were so far.
func (f *FaultFS) Seen() int { return f.m.count() }

func fault(m *meter, injected error, s step) error {
	if !m.strikes(s.op, s.name) {
		return s.full()
	}
	cause := fmt.Errorf("%s %s: %w", s.op, s.name, injected)
	switch {
	case m.p.When == After:
		return errors.Join(s.full(), cause)
	case m.p.When == Half && s.half != nil:
		return errors.Join(s.half(), cause)
	}
	return cause
}

// FaultBlobs is a blob store of which one chosen operation fails, or all from that one on. A put that fails After is
// one whose answer was lost.
type FaultBlobs struct {
	BlobStore
	m   meter
	err error
}

var _ BlobStore = (*FaultBlobs)(nil)

// NewFaultBlobs wraps store so that it fails at p (OpPut, OpBlob, OpStat, OpList, OpDelete) with err; nil means
// ErrInjected.
func NewFaultBlobs(store BlobStore, p Point, err error) *FaultBlobs {
	if err == nil {
		err = ErrInjected
	}
	return &FaultBlobs{BlobStore: store, m: meter{p: p}, err: err}
}

// Seen is how many operations of the point's kind there were so far.
func (f *FaultBlobs) Seen() int { return f.m.count() }

// Put implements BlobStore.
func (f *FaultBlobs) Put(ctx context.Context, key, path, sum string) error {
	return fault(&f.m, f.err, step{op: OpPut, name: key, full: func() error { return f.BlobStore.Put(ctx, key, path, sum) }})
}

// Delete implements BlobStore.
func (f *FaultBlobs) Delete(ctx context.Context, key string) error {
	return fault(&f.m, f.err, step{op: OpDelete, name: key, full: func() error { return f.BlobStore.Delete(ctx, key) }})
}

// Open implements BlobStore.
func (f *FaultBlobs) Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	var r io.ReadCloser
	err := fault(&f.m, f.err, step{op: OpBlob, name: key, full: func() (err error) {
		r, err = f.BlobStore.Open(ctx, key, off, n)
		return err
	}})
	if err != nil && r != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, err
}

// Stat implements BlobStore.
func (f *FaultBlobs) Stat(ctx context.Context, key string) (storage.Blob, error) {
	var b storage.Blob
	err := fault(&f.m, f.err, step{op: OpStat, name: key, full: func() (err error) {
		b, err = f.BlobStore.Stat(ctx, key)
		return err
	}})
	return b, err
}

// List implements BlobStore.
func (f *FaultBlobs) List(ctx context.Context, prefix string) iter.Seq2[storage.Blob, error] {
	return func(yield func(storage.Blob, error) bool) {
		if err := fault(&f.m, f.err, step{op: OpList, name: prefix, full: func() error { return nil }}); err != nil {
			yield(storage.Blob{}, err)
			return
		}
		f.BlobStore.List(ctx, prefix)(yield)
	}
}

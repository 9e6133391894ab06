package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Blobs examines a blob store, with objects under a prefix of its own.
func (x *Exam) Blobs(ctx context.Context, r BlobReader, w BlobWriter) (err error) {
	b := &blobExam{x: x, r: r, w: w, prefix: "doctor-" + Random(8) + "/"}
	if b.dir, err = os.MkdirTemp(x.Temp, "linkstead-doctor-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir), b.clean(ctx)) }()
	return x.put(ctx, "blobs", b.checks())
}

type blobExam struct {
	x      *Exam
	r      BlobReader
	w      BlobWriter
	prefix string // of the keys
	dir    string // of the files
}

const (
	notOurs  = "this is no store for an archive: use another, or ask who runs it"
	lostRace = "two workers could overwrite each other's segments, and captures would be lost"
)

func (b *blobExam) checks() []check {
	list := []check{
		{"put and read", b.putRead, "nothing can be stored", "check the rights to write and read there"},
		{"one of 32 wins", b.race, lostRace, "use a store that honours If-None-Match on PUT; " + notOurs},
		{"no overwriting", b.overwrite, lostRace, "use a store that honours If-None-Match on PUT; " + notOurs},
		{"wrong checksum refused", b.wrongSum, "what is damaged on its way is found only by reading it back", "use a store that checks x-amz-checksum-sha256 and the signed hash of the payload"},
		{"ranges", b.ranges, "captures can't be read out of their segments", notOurs},
		{"empty blob", b.empty, "what is empty can't be kept", notOurs},
		{"list in order", b.list, "a rebuild would miss segments, or a purge would leave some", notOurs},
		{"big blob", b.big, "segments of the usual size can't be stored or read", "look for a limit on sizes or times in the store or in what stands before it (a proxy); with --big SIZE try another size"},
		{"delete", b.delete, "what is purged would stay", "give the right to delete"},
	}
	if c, ok := b.r.(interface{ Skew() time.Duration }); ok {
		list = append(list, check{"clock", func(context.Context) (string, error) { return skewed(c.Skew()) },
			"from 15 minutes on the store refuses everything", skewTry})
	}
	return list
}

// file writes a file to put, and gives its checksum.
func (b *blobExam) file(text []byte) (path, sum string, err error) {
	h := sha256.Sum256(text)
	path = filepath.Join(b.dir, Random(5))
	return path, hex.EncodeToString(h[:]), os.WriteFile(path, text, 0o600)
}

func (b *blobExam) store(ctx context.Context, key string, text []byte) error {
	path, sum, err := b.file(text)
	if err != nil {
		return err
	}
	return b.w.Put(ctx, b.prefix+key, path, sum)
}

func (b *blobExam) read(ctx context.Context, key string, off, n int64) ([]byte, error) {
	r, err := b.r.Open(ctx, b.prefix+key, off, n)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(r)
	return text, errors.Join(err, r.Close())
}

const letters = "abcdefghijklmnopqrstuvwxyz"

func (b *blobExam) putRead(ctx context.Context) (string, error) {
	began := time.Now()
	if err := b.store(ctx, "letters ä+%", []byte(letters)); err != nil {
		return "", err
	}
	put := time.Since(began)
	got, err := b.read(ctx, "letters ä+%", 0, -1)
	if err != nil {
		return "", err
	}
	if string(got) != letters {
		return "", differ("a blob", fmt.Sprintf("%q", got), fmt.Sprintf("%q", letters))
	}
	return fmt.Sprintf("%s to put, %s to read", put.Round(time.Millisecond), (time.Since(began) - put).Round(time.Millisecond)), nil
}

// race puts different bytes under one key at the same time. Exactly one may win, and its bytes must be there.
func (b *blobExam) race(ctx context.Context) (string, error) {
	const racers = 32
	var g errgroup.Group
	var mu sync.Mutex
	var won [][]byte
	start := make(chan struct{})
	for i := range racers {
		text := bytes.Repeat([]byte(fmt.Sprintf("racer %02d\n", i)), 2000)
		path, sum, err := b.file(text)
		if err != nil {
			return "", err
		}
		g.Go(func() error {
			<-start
			err := b.w.Put(ctx, b.prefix+"race", path, sum)
			if errors.Is(err, ErrExists) {
				return nil
			}
			if err == nil {
				mu.Lock()
				won = append(won, text)
				mu.Unlock()
			}
			return err
		})
	}
	close(start)
	if err := g.Wait(); err != nil {
		return "", err
	}
	if len(won) != 1 {
		return "", fmt.Errorf("of %d that put different bytes under one key at the same time, %d were told that they are stored", racers, len(won))
	}
	got, err := b.read(ctx, "race", 0, -1)
	if err == nil && !bytes.Equal(got, won[0]) {
		err = errors.New("the winner's bytes are not the ones that are kept")
	}
	return fmt.Sprintf("of %d that put different bytes under one key at the same time, one was told that they are stored", racers), err
}

func (b *blobExam) overwrite(ctx context.Context) (string, error) {
	if err := b.store(ctx, "kept", []byte(letters)); err != nil {
		return "", err
	}
	if err := b.store(ctx, "kept", []byte("other")); !errors.Is(err, ErrExists) {
		return "", errors.Join(errors.New("a blob was put over another under its key"), err)
	}
	if err := b.store(ctx, "kept", []byte(letters)); err != nil {
		return "", fmt.Errorf("the same bytes once more: %w", err)
	}
	got, err := b.read(ctx, "kept", 0, -1)
	if err == nil && string(got) != letters {
		err = differ("the blob", fmt.Sprintf("%q", got), fmt.Sprintf("%q", letters))
	}
	return "other bytes under a taken key are refused, the same bytes are not", err
}

// wrongSum sends what is not what its checksum says: to the store itself, if it can be asked past our own check.
func (b *blobExam) wrongSum(ctx context.Context) (string, error) {
	if s, ok := b.w.(interface {
		RefusesWrong(context.Context) (bool, error)
	}); ok {
		refused, err := s.RefusesWrong(ctx)
		if err == nil && !refused {
			err = errors.New("the store took bytes whose checksum says that they are others")
		}
		return "the store refuses it", err
	}
	path, _, err := b.file([]byte(letters))
	if err != nil {
		return "", err
	}
	if err := b.w.Put(ctx, b.prefix+"wrong", path, emptySum); !errors.Is(err, ErrDamaged) {
		return "", errors.Join(errors.New("a file was stored that is not what its checksum says"), err)
	}
	return "a file that has changed is refused", nil
}

func (b *blobExam) ranges(ctx context.Context) (string, error) {
	if err := b.store(ctx, "ranges", []byte(letters)); err != nil {
		return "", err
	}
	for _, c := range []struct {
		off, n int64
		want   string
	}{
		{0, 1, "a"}, {3, 4, "defg"}, {20, -1, "uvwxyz"}, {-3, -1, "xyz"}, {-30, -1, letters}, {-4, 2, "wx"},
		{24, 100, "yz"}, {26, 5, ""}, {1000, -1, ""},
	} {
		got, err := b.read(ctx, "ranges", c.off, c.n)
		if err != nil {
			return "", fmt.Errorf("%d bytes from %d on: %w", c.n, c.off, err)
		}
		if string(got) != c.want {
			return "", differ(fmt.Sprintf("a read of %d bytes from %d on", c.n, c.off), fmt.Sprintf("%q", got), fmt.Sprintf("%q", c.want))
		}
	}
	return "from the start, from the end, and past it", nil
}

func (b *blobExam) empty(ctx context.Context) (string, error) {
	if err := b.store(ctx, "empty", nil); err != nil {
		return "", err
	}
	st, err := b.r.Stat(ctx, b.prefix+"empty")
	if err != nil {
		return "", err
	}
	got, err := b.read(ctx, "empty", 0, -1)
	if err == nil && (st.Size != 0 || len(got) != 0) {
		err = fmt.Errorf("an empty blob has %d bytes and reads %d", st.Size, len(got))
	}
	return "stored and read", err
}

func (b *blobExam) list(ctx context.Context) (string, error) {
	var want []string
	for _, key := range []string{"B/z", "a-b/x", "a.b", "a/b", "a/c/d", "a/c0", "ab", "ä/ö", "~"} {
		want = append(want, b.prefix+"list/"+key)
		if err := b.store(ctx, "list/"+key, []byte(key)); err != nil {
			return "", err
		}
	}
	slices.Sort(want)
	whole, err := collect(b.r.List(ctx, b.prefix+"list/"))
	if err == nil && !slices.Equal(whole, want) {
		err = differ("a listing", whole, want)
	}
	p, ok := b.r.(interface {
		ListBy(context.Context, string, int) iter.Seq2[Blob, error]
	})
	if err != nil || !ok {
		return fmt.Sprintf("%d keys in byte order", len(want)), err
	}
	paged, err := collect(p.ListBy(ctx, b.prefix+"list/", 2))
	if err == nil && !slices.Equal(paged, want) {
		err = differ("a listing in pages of two", paged, want)
	}
	return fmt.Sprintf("%d keys in byte order, in pages too", len(want)), err
}

func collect(list iter.Seq2[Blob, error]) (keys []string, err error) {
	for b, err := range list {
		if err != nil {
			return keys, err
		}
		keys = append(keys, b.Key)
	}
	return keys, nil
}

// big puts and reads a blob that is as large as a segment gets.
func (b *blobExam) big(ctx context.Context) (_ string, err error) {
	path := filepath.Join(b.dir, "big")
	h := sha256.New()
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(io.MultiWriter(f, h), io.LimitReader(stopping(ctx, rand.NewChaCha8([32]byte{1})), b.x.Big))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	sum := h.Sum(nil)
	began := time.Now()
	if err := b.w.Put(ctx, b.prefix+"big", path, hex.EncodeToString(sum)); err != nil {
		return "", err
	}
	put := time.Since(began)
	r, err := b.r.Open(ctx, b.prefix+"big", 0, -1)
	if err != nil {
		return "", err
	}
	h.Reset()
	n, err := io.Copy(h, r)
	if err = errors.Join(err, r.Close()); err != nil {
		return "", err
	}
	if n != b.x.Big || !bytes.Equal(h.Sum(nil), sum) {
		return "", fmt.Errorf("%d bytes were put, and %d that are not the same are read", b.x.Big, n)
	}
	rate := func(d time.Duration) string {
		return fmt.Sprintf("%.0f MB/s", float64(b.x.Big)/1e6/max(d.Seconds(), 1e-6))
	}
	return fmt.Sprintf("%d MiB, %s to put, %s to read", b.x.Big>>20, rate(put), rate(time.Since(began)-put)), nil
}

func (b *blobExam) delete(ctx context.Context) (string, error) {
	if err := b.store(ctx, "gone", []byte(letters)); err != nil {
		return "", err
	}
	for range 2 {
		if err := b.w.Delete(ctx, b.prefix+"gone"); err != nil {
			return "", err
		}
	}
	if _, err := b.r.Stat(ctx, b.prefix+"gone"); !errors.Is(err, ErrNotFound) {
		return "", errors.Join(errors.New("a blob that was deleted is still there"), err)
	}
	if err := b.store(ctx, "gone", []byte("anew")); err != nil {
		return "", fmt.Errorf("put anew: %w", err)
	}
	return "deleted, once more too, and put anew", nil
}

// clean removes everything that was put.
func (b *blobExam) clean(ctx context.Context) error {
	ctx, cancel := cleaning(ctx)
	defer cancel()
	for range 3 { // a store whose listings lag behind
		keys, err := collect(b.r.List(ctx, b.prefix))
		if err != nil {
			return fmt.Errorf("clean up %s: %w", b.prefix, err)
		}
		if len(keys) == 0 {
			break
		}
		for _, key := range keys {
			if err := b.w.Delete(ctx, key); err != nil {
				return fmt.Errorf("clean up: %w", err)
			}
		}
	}
	if d, ok := b.w.(*Dir); ok {
		return d.dropFolders(b.prefix)
	}
	return nil
}

// dropFolders removes the folders of a prefix, deepest first. They hold nothing: what does is an error.
func (d *Dir) dropFolders(prefix string) error {
	var folders []string
	err := filepath.WalkDir(filepath.Join(d.root, filepath.FromSlash(prefix)), func(path string, _ os.DirEntry, err error) error {
		if absent(err) {
			return nil
		}
		folders = append(folders, path)
		return err
	})
	slices.Reverse(folders)
	for _, f := range folders {
		err = errors.Join(err, os.Remove(f))
	}
	return err
}

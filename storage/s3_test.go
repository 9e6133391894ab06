package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"golang.org/x/sync/errgroup"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

func TestS3Contract(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	bucket := server.NewBucket(t)
	var n atomic.Int64
	storagetest.Blobs(t, func(t testing.TB) storagetest.BlobStore {
		if n.Add(1)%2 == 0 { // a bucket of its own, or a prefix
			return server.Open(t, "s3://"+server.NewBucket(t))
		}
		return server.Open(t, fmt.Sprintf("s3://%s/archive-%d/ä b", bucket, n.Load()))
	})
}

// random is n bytes that are the same in each run.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(b) // never fails
	return b
}

func file(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func readAll(t testing.TB, s *storage.Blobs, key string, off, n int64) []byte {
	t.Helper()
	r, err := s.Open(t.Context(), key, off, n)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		t.Fatalf("read %s: %v", key, err)
	}
	return b
}

func raw(t testing.TB, server *storagetest.S3Server) *minio.Core {
	t.Helper()
	c, err := minio.NewCore(strings.TrimPrefix(server.Endpoint, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(server.AccessKey, server.SecretKey, ""), Region: "us-east-1",
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// behind opens a bucket through a piece of network that can be spoilt.
func behind(t testing.TB, server *storagetest.S3Server, bucket string, patience, stall time.Duration, log *slog.Logger) (*storage.Blobs, *storagetest.Proxy) {
	t.Helper()
	p := storagetest.NewProxy(t, strings.TrimPrefix(server.Endpoint, "http://"))
	o := server.Options()
	o.S3.Endpoint, o.Patience, o.Log = "http://"+p.Addr, patience, log
	s, err := storage.OpenBlobs(t.Context(), "s3://"+bucket, o)
	if err != nil {
		t.Fatal(err)
	}
	s.S3().Bound(storage.S3Bounds{Stall: stall})
	t.Cleanup(func() { s.Close() })
	return s, p
}

// TestS3Parts: what is too large for one PUT goes in parts, under the same contract.
func TestS3Parts(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	bucket := server.NewBucket(t)
	s := server.Open(t, "s3://"+bucket+"/p")
	s.S3().Bound(storage.S3Bounds{Single: 5 << 20, Part: 5 << 20})
	want := random(12<<20 + 1)
	path, sum := file(t, want), storagetest.Sum(want)
	c := raw(t, server)
	id, err := c.NewMultipartUpload(t.Context(), bucket, "p/big", minio.PutObjectOptions{})
	if err == nil { // of a process that died on its way
		_, err = c.PutObjectPart(t.Context(), bucket, "p/big", id, 1, strings.NewReader("x"), 1, minio.PutObjectPartOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	var g errgroup.Group
	for range 3 { // of equal bytes all succeed
		g.Go(func() error { return s.Put(t.Context(), "big", path, sum) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, s, "big", 0, -1); !bytes.Equal(got, want) {
		t.Errorf("read %d bytes that are not the ones that were put", len(got))
	}
	if got := readAll(t, s, "big", 5<<20-3, 10); !bytes.Equal(got, want[5<<20-3:5<<20+7]) {
		t.Errorf("across the parts: %x", got)
	}
	other := bytes.Clone(want)
	other[len(other)-1]++
	if err := s.Put(t.Context(), "big", file(t, other), storagetest.Sum(other)); !errors.Is(err, storage.ErrExists) {
		t.Errorf("other bytes: %v, want ErrExists", err)
	}
	if err := s.Put(t.Context(), "big2", file(t, other), sum); !errors.Is(err, storage.ErrDamaged) {
		t.Errorf("a file that is not what it was: %v, want ErrDamaged", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Put(gone, "big3", path, sum); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	left, err := c.ListMultipartUploads(t.Context(), bucket, "", "", "", "", 100)
	if err != nil || len(left.Uploads) != 0 {
		t.Errorf("uploads are left: %v, %v", left.Uploads, err)
	}
}

// TestS3PartsOvertaken: of two that put equal bytes in parts, the slower one finds its upload swept away, and that the
// key holds what it was to hold.
func TestS3PartsOvertaken(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	bucket := server.NewBucket(t)
	want := random(12<<20 + 1)
	path, sum := file(t, want), storagetest.Sum(want)
	slow, proxy := behind(t, server, bucket, time.Minute, time.Minute, nil)
	quick := server.Open(t, "s3://"+bucket)
	for _, s := range []*storage.Blobs{slow, quick} {
		s.S3().Bound(storage.S3Bounds{Single: 5 << 20, Part: 5 << 20, Stall: time.Minute})
	}
	heal := proxy.Toxic("bandwidth", "upstream", map[string]int{"rate": 500}) // KB/s
	done := make(chan error, 1)
	go func() { done <- slow.Put(t.Context(), "big", path, sum) }()
	c := raw(t, server)
	for begun := false; !begun; {
		left, err := c.ListMultipartUploads(t.Context(), bucket, "", "", "", "", 100)
		if err != nil {
			t.Fatal(err)
		}
		begun = len(left.Uploads) > 0
		select {
		case err := <-done:
			t.Fatalf("the slower ended before anybody overtook it: %v", err)
		default:
		}
	}
	if err := quick.Put(t.Context(), "big", path, sum); err != nil {
		t.Error(err)
	}
	heal()
	if err := <-done; err != nil {
		t.Errorf("the slower: %v", err)
	}
	if got := readAll(t, quick, "big", 0, -1); !bytes.Equal(got, want) {
		t.Errorf("read %d bytes that are not the ones that were put", len(got))
	}
}

// TestS3Paging lists more than a page of the store's own, and in pages that break off.
func TestS3Paging(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	bucket := server.NewBucket(t)
	s, proxy := behind(t, server, bucket, 10*time.Second, 5*time.Second, nil)
	empty := file(t, nil)
	var want []string
	var g errgroup.Group
	g.SetLimit(16)
	for i := range 1050 {
		key := fmt.Sprintf("warc/%02d/segment-%04d.warc.gz", i%7, i)
		want = append(want, key)
		g.Go(func() error { return s.Put(t.Context(), key, empty, storagetest.Sum(nil)) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	list := func(prefix string) (keys []string) {
		t.Helper()
		for b, err := range s.List(t.Context(), prefix) {
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, b.Key)
		}
		return keys
	}
	if got := list(""); !slices.Equal(got, want) {
		t.Errorf("%d keys of %d", len(got), len(want))
	}
	s.S3().Bound(storage.S3Bounds{Page: 50})
	proxy.Toxic("limit_data", "downstream", map[string]int{"bytes": 40_000}) // two pages or so
	if got := list("warc/"); !slices.Equal(got, want) {
		t.Errorf("over connections that break: %d keys of %d", len(got), len(want))
	}
	for n := range s.List(t.Context(), "warc/") {
		if n.Key != want[0] {
			t.Errorf("the first is %s", n.Key)
		}
		break
	}
}

// TestS3LostAnswer: the store has taken it, but nobody heard. The next try finds its own bytes.
func TestS3LostAnswer(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	bucket := server.NewBucket(t)
	s, proxy := behind(t, server, bucket, 20*time.Second, 5*time.Second, nil)
	direct := server.Open(t, "s3://"+bucket)
	b := random(300_000)
	path := file(t, b)
	heal := proxy.Toxic("limit_data", "downstream", map[string]int{"bytes": 0})
	done := make(chan error, 1)
	go func() { done <- s.Put(context.Background(), "k", path, storagetest.Sum(b)) }()
	until(t, func() bool { _, err := direct.Stat(t.Context(), "k"); return err == nil })
	heal()
	if err := <-done; err != nil {
		t.Errorf("put whose answer was lost: %v", err)
	}
	if got := readAll(t, s, "k", 0, -1); !bytes.Equal(got, b) {
		t.Errorf("read %d bytes", len(got))
	}
}

// until waits for something that must come about within 20 seconds.
func until(t testing.TB, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-time.After(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("it did not come about in 20 seconds")
}

// TestS3BrokenReads: connections that break after some bytes, and one that stands still.
func TestS3BrokenReads(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	bucket := server.NewBucket(t)
	s, proxy := behind(t, server, bucket, 10*time.Second, 300*time.Millisecond, nil)
	b := random(3 << 20)
	if err := s.Put(t.Context(), "k", file(t, b), storagetest.Sum(b)); err != nil {
		t.Fatal(err)
	}
	heal := proxy.Toxic("limit_data", "downstream", map[string]int{"bytes": 500_000})
	if got := readAll(t, s, "k", 0, -1); !bytes.Equal(got, b) {
		t.Errorf("over connections that break: %d bytes", len(got))
	}
	if got := readAll(t, s, "k", 100, 700_000); !bytes.Equal(got, b[100:700_100]) {
		t.Errorf("a small range: %d bytes", len(got))
	}
	if got := readAll(t, s, "k", -1_500_000, 1_400_000); !bytes.Equal(got, b[len(b)-1_500_000:len(b)-100_000]) {
		t.Errorf("a range from the end: %d bytes", len(got))
	}
	heal()

	r, err := s.Open(t.Context(), "k", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	head := make([]byte, 1000)
	if _, err := io.ReadFull(r, head); err != nil {
		t.Fatal(err)
	}
	heal = proxy.Toxic("timeout", "downstream", map[string]int{"timeout": 0}) // nothing comes any more
	healed := time.AfterFunc(time.Second, heal)
	defer healed.Stop()
	rest, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(append(head, rest...), b) {
		t.Errorf("after standing still: %d bytes, %v", len(rest), err)
	}
}

// TestS3BrokenPut: what does not come through leaves nothing behind, and what is slow comes through.
func TestS3BrokenPut(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	bucket := server.NewBucket(t)
	s, proxy := behind(t, server, bucket, time.Second, 500*time.Millisecond, nil)
	b := random(1 << 20)
	path, sum := file(t, b), storagetest.Sum(b)
	for _, spoil := range []struct {
		kind       string
		attributes map[string]int
	}{{"limit_data", map[string]int{"bytes": 200_000}}, {"timeout", map[string]int{"timeout": 0}}, {"reset_peer", map[string]int{"timeout": 5}}} {
		heal := proxy.Toxic(spoil.kind, "upstream", spoil.attributes)
		began := time.Now()
		if err := s.Put(t.Context(), "k", path, sum); !errors.Is(err, storage.ErrAway) {
			t.Errorf("%s: %v, want ErrAway", spoil.kind, err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: it gave up after %v", spoil.kind, took)
		}
		heal()
		if _, err := s.Stat(t.Context(), "k"); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%s: something is there: %v", spoil.kind, err)
		}
	}
	s.S3().Bound(storage.S3Bounds{Stall: 5 * time.Second})
	defer proxy.Toxic("bandwidth", "upstream", map[string]int{"rate": 1000})() // KB a second
	defer proxy.Toxic("latency", "downstream", map[string]int{"latency": 100})()
	if err := s.Put(t.Context(), "k", path, sum); err != nil {
		t.Errorf("over a slow connection: %v", err)
	}
}

// TestS3Away: a store that is away is ErrAway to every call, in bounded time; then it is back.
func TestS3Away(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	bucket := server.NewBucket(t)
	var said lines
	s, proxy := behind(t, server, bucket, 300*time.Millisecond, time.Second, slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelWarn})))
	b := []byte("kept")
	path := file(t, b)
	if err := s.Put(t.Context(), "k", path, storagetest.Sum(b)); err != nil {
		t.Fatal(err)
	}
	calls := map[string]func(context.Context) error{
		"Put":  func(ctx context.Context) error { return s.Put(ctx, "k2", path, storagetest.Sum(b)) },
		"Stat": func(ctx context.Context) error { _, err := s.Stat(ctx, "k"); return err },
		"Open": func(ctx context.Context) error { _, err := s.Open(ctx, "k", 0, -1); return err },
		"List": func(ctx context.Context) error {
			for _, err := range s.List(ctx, "") {
				return err
			}
			return nil
		},
		"Delete": func(ctx context.Context) error { return s.Delete(ctx, "none") },
	}
	proxy.Cut()
	for name, call := range calls {
		if err := call(t.Context()); !errors.Is(err, storage.ErrAway) {
			t.Errorf("%s: %v, want ErrAway", name, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := call(ctx); !errors.Is(err, storage.ErrAway) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s with a deadline: %v, want ErrAway", name, err)
		}
		cancel()
	}
	proxy.Mend()
	for name, call := range calls {
		if err := call(t.Context()); err != nil {
			t.Errorf("%s after it is back: %v", name, err)
		}
	}
	log := said.String()
	if strings.Count(log, "does not answer") != 1 || strings.Count(log, "answers again") != 1 {
		t.Errorf("the log is told of each change once:\n%s", log)
	}
	if strings.Contains(log, server.SecretKey) {
		t.Error("the log tells the secret")
	}
}

// lines is a log that many may write and read.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// endless repeats some bytes for ever.
type endless struct {
	start, again string
	at           int
}

func (e *endless) Read(p []byte) (int, error) {
	text := e.start + strings.Repeat(e.again, 1+len(p)/len(e.again)+1)
	from := e.at
	if from >= len(e.start) {
		from = len(e.start) + (from-len(e.start))%len(e.again)
	}
	n := copy(p, text[from:])
	e.at += n
	return n, nil
}

// TestS3Endless: a store whose answers have no end costs a bounded amount of memory and time.
func TestS3Endless(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	bucket := server.NewBucket(t)
	const page = `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>`
	const key = `<Contents><Key>warc/a</Key><Size>1</Size><LastModified>2020-01-01T00:00:00Z</LastModified></Contents>`
	for _, c := range []struct {
		name, want string
		status     int
		body       func() io.Reader
	}{
		{"a page", "does not end within 16 MiB", 200, func() io.Reader { return &endless{start: page, again: key} }},
		{"the same page", "behind", 200, func() io.Reader { return strings.NewReader(page + key + "</ListBucketResult>") }},
		{"a refusal", "may not list", 403, func() io.Reader { return &endless{again: "no "} }},
	} {
		var bad atomic.Bool
		var sent atomic.Int64
		o := server.Options()
		o.Patience = 2 * time.Second
		o.S3.Endpoint = inFront(t, server, func(*http.Request) {}, func(r *http.Response) error {
			if bad.Load() && r.Request.URL.Query().Has("list-type") {
				r.StatusCode, r.ContentLength, r.Body = c.status, -1, io.NopCloser(io.TeeReader(c.body(), counter{&sent}))
				r.Header.Del("Content-Length")
			}
			return nil
		})
		s, err := storage.OpenBlobs(t.Context(), "s3://"+bucket, o)
		if err != nil {
			t.Fatal(err)
		}
		bad.Store(true)
		err = nil
		for _, lerr := range s.List(t.Context(), "warc/") {
			err = errors.Join(err, lerr)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for ever: %v, want %q", c.name, err, c.want)
		}
		if n := sent.Load(); n > 64<<20 {
			t.Errorf("%s for ever: %d MiB were read", c.name, n>>20)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// counter counts what is written.
type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

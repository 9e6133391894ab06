package storagetest

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"linkstead/storage"
)

// gatewayVersion is the version of versitygw that tests run against. .ci/deps builds it.
const gatewayVersion = "v1.8.0"

// S3Server is a real S3 store (versitygw over a temporary folder) on a port of loopback, for as long as a test runs.
type S3Server struct {
	Endpoint  string // http://127.0.0.1:PORT
	AccessKey string
	SecretKey string
	Folder    string // in which the buckets are folders

	t    testing.TB
	tool string
	addr string
	meta string // folder of the objects' metadata, where the file system holds none

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan error
	said  *bytes.Buffer
}

// S3 starts a store, which ends with the test.
func S3(t testing.TB) *S3Server {
	t.Helper()
	tool, err := gateway()
	if err != nil {
		t.Fatal(err)
	}
	addr, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	s := &S3Server{
		Endpoint: "http://" + addr, AccessKey: "reader-and-writer", SecretKey: "secret-" + storage.Random(10),
		Folder: t.TempDir(), t: t, tool: tool, addr: addr,
	}
	if syscall.Setxattr(s.Folder, "user.linkstead", []byte("x"), 0) != nil {
		s.meta = t.TempDir()
	}
	t.Cleanup(s.Stop)
	s.Start()
	return s
}

// gateway finds the server in the cache that .ci/deps fills, or on the PATH.
func gateway() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	found := []string{filepath.Join(cache, "linkstead", "versitygw-"+gatewayVersion, "versitygw")}
	if path, err := exec.LookPath("versitygw"); err == nil {
		found = append(found, path)
	}
	for _, path := range found {
		if info, err := buildinfo.ReadFile(path); err == nil && info.Main.Version == gatewayVersion {
			return path, nil
		}
	}
	return "", fmt.Errorf("the S3 server of the tests, versitygw %s, is not at %s: 'make test' or '.ci/deps' builds it", gatewayVersion, found[0])
}

// freeAddress finds a port that is free, and below those that the system gives to whoever asks for any.
func freeAddress() (string, error) {
	var last error
	for range 50 {
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(20000+rand.IntN(12000)))
		if err == nil {
			return l.Addr().String(), l.Close()
		}
		last = err
	}
	return "", last
}

// Start brings the store up, on the same port with the same contents if it was up before. flags are more of
// versitygw's, such as --readonly.
func (s *S3Server) Start(flags ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		return
	}
	args := []string{"--port", s.addr, "--health", "/healthz", "--keep-alive", "--quiet"}
	args = append(append(args, flags...), "posix")
	if s.meta != "" {
		args = append(args, "--sidecar", s.meta)
	}
	cmd := exec.Command(s.tool, append(args, s.Folder)...)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
	cmd.Dir = s.Folder
	s.said = &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = s.said, s.said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it goes with the test, however that ends
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("start versitygw: %v", err)
	}
	s.cmd, s.ended = cmd, make(chan error, 1)
	go func(ended chan<- error) { ended <- cmd.Wait() }(s.ended) // Stop waits for it
	if err := s.healthy(); err != nil {
		s.t.Fatalf("versitygw does not come up: %v\n%s", err, s.said)
	}
}

func (s *S3Server) healthy() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint+"/healthz", nil)
		if err != nil {
			return err
		}
		req.Close = true
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			if err = resp.Body.Close(); err == nil && resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case e := <-s.ended:
			s.ended <- e
			return fmt.Errorf("it ended: %w", e)
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// Stop takes the store down at once, as a power cut would. What it holds stays.
func (s *S3Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Errorf("stop versitygw: %v", err)
	}
	<-s.ended
	s.cmd = nil
}

// NewBucket makes an empty bucket and returns its name.
func (s *S3Server) NewBucket(t testing.TB) string {
	t.Helper()
	c, err := minio.New(s.addr, &minio.Options{Creds: credentials.NewStaticV4(s.AccessKey, s.SecretKey, "")})
	if err != nil {
		t.Fatal(err)
	}
	name := "bucket-" + storage.Random(8)
	if err := c.MakeBucket(context.Background(), name, minio.MakeBucketOptions{}); err != nil {
		t.Fatalf("make bucket: %v", err)
	}
	return name
}

// Options say how the store is reached.
func (s *S3Server) Options() storage.BlobOptions {
	return storage.BlobOptions{S3: storage.S3Options{Endpoint: s.Endpoint, AccessKey: s.AccessKey, SecretKey: s.SecretKey, Region: "us-east-1"}}
}

// Env are the variables by which another process reaches the store.
func (s *S3Server) Env() []string {
	return []string{
		"AWS_ACCESS_KEY_ID=" + s.AccessKey, "AWS_SECRET_ACCESS_KEY=" + s.SecretKey, "AWS_REGION=us-east-1",
		"AWS_ENDPOINT_URL=" + s.Endpoint,
	}
}

// Open opens a prefix of a bucket of the store.
func (s *S3Server) Open(t testing.TB, where string) *storage.Blobs {
	t.Helper()
	b, err := storage.OpenBlobs(t.Context(), where, s.Options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() }) // it can't fail
	return b
}

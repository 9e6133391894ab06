package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// inFront is a server before the real store that changes what passes. Signatures stay valid, for the Host stays.
func inFront(t testing.TB, server *storagetest.S3Server, in func(*http.Request), out func(*http.Response) error) string {
	t.Helper()
	to, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := &httputil.ReverseProxy{
		Director:       func(r *http.Request) { r.URL.Scheme, r.URL.Host = to.Scheme, to.Host; in(r) },
		ModifyResponse: out, ErrorLog: log.New(io.Discard, "", 0),
	}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return s.URL
}

// TestS3SaysWhatIsWrong: each mistake is told before any work, by name, and never with a secret.
func TestS3SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	bucket := server.NewBucket(t)
	closed, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	nobody := storagetest.NewProxy(t, closed.Host)
	nobody.Cut()
	page := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(page.Close)
	slow := inFront(t, server, func(r *http.Request) { // a clock that is two hours off, on the same day
		at := time.Now().UTC()
		if at.Hour() < 2 {
			at = at.Add(2 * time.Hour)
		} else {
			at = at.Add(-2 * time.Hour)
		}
		r.Header.Set("X-Amz-Date", at.Format("20060102T150405Z"))
	}, nil)
	for _, c := range []struct {
		name, where string
		change      func(*storage.S3Options)
		want        []string
	}{
		{"no bucket named", "s3://", nil, []string{"names no bucket", "s3://BUCKET/PREFIX"}},
		{"missing bucket", "s3://no-such-bucket/p", nil, []string{"no-such-bucket", "does not exist", server.Endpoint, "aws s3 mb s3://no-such-bucket"}},
		{"unknown key", "s3://" + bucket, func(o *storage.S3Options) { o.AccessKey = "nobody" }, []string{"does not know", `"nobody"`, "s3.access_key"}},
		{"wrong secret", "s3://" + bucket, func(o *storage.S3Options) { o.SecretKey = "hidden" }, []string{"secret key", server.AccessKey, "taken from s3.secret_key"}},
		{"half a pair", "s3://" + bucket, func(o *storage.S3Options) { o.SecretKey = "" }, []string{"s3.access_key and s3.secret_key", "both"}},
		{"none", "s3://" + bucket, func(o *storage.S3Options) { o.AccessKey, o.SecretKey = "", "" }, []string{"no credentials", "AWS_ACCESS_KEY_ID", "credentials"}},
		{"nobody there", "s3://" + bucket, func(o *storage.S3Options) { o.Endpoint = "http://" + nobody.Addr }, []string{"the store at http://" + nobody.Addr + ": it can't be reached", "from s3.endpoint", "whether the store is up"}},
		{"no TLS", "s3://" + bucket, func(o *storage.S3Options) { o.Endpoint = strings.Replace(server.Endpoint, "http:", "https:", 1) }, []string{"does not speak TLS", "http://"}},
		{"no URL", "s3://" + bucket, func(o *storage.S3Options) { o.Endpoint = "127.0.0.1:7070" }, []string{"127.0.0.1:7070, from s3.endpoint", "http:// or https://"}},
		{"a password in it", "s3://" + bucket, func(o *storage.S3Options) { o.Endpoint = "http://u:hidden@h" }, []string{"s3.endpoint", "xxxxx"}},
		{"a password in half of it", "s3://" + bucket, func(o *storage.S3Options) { o.Endpoint = "u:hidden@h:7070" }, []string{"s3.endpoint", "not shown"}},
		{"a path in it", "s3://" + bucket, func(o *storage.S3Options) { o.Endpoint = "http://h:7070/path" }, []string{"http://h:7070/path", "http(s)://HOST"}},
		{"nobody there by the environment", "s3://" + bucket, func(o *storage.S3Options) { o.Endpoint = "" }, []string{"(from AWS_ENDPOINT_URL)"}},
		{"style", "s3://" + bucket, func(o *storage.S3Options) { o.PathStyle = "yes" }, []string{`"yes"`, "auto"}},
		{"another server", "s3://" + bucket, func(o *storage.S3Options) { o.Endpoint = page.URL }, []string{page.URL}},
		{"clock", "s3://" + bucket, func(o *storage.S3Options) { o.Endpoint = slow }, []string{"clock", "NTP"}},
		{"bucket name", "s3://No_Bucket", nil, []string{`"No_Bucket" can't be the name of a bucket`}},
		{"short bucket name", "s3://b", nil, []string{`"b" can't be the name of a bucket`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := server.Options()
			o.Patience = 200 * time.Millisecond
			o.Getenv = func(name string) string {
				return map[string]string{"AWS_ENDPOINT_URL": "http://" + nobody.Addr}[name]
			}
			if c.change != nil {
				c.change(&o.S3)
			}
			s, err := storage.OpenBlobs(t.Context(), c.where, o)
			if err == nil {
				t.Fatalf("%s opens", s)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
			if strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), server.SecretKey) {
				t.Errorf("error %q tells a secret", err)
			}
			if strings.Contains(err.Error(), "the blob store s3://") {
				t.Errorf("error %q names the store twice", err)
			}
		})
	}
	left, err := raw(t, server).ListObjectsV2(bucket, "", "", "", "", 10)
	if err != nil || len(left.Contents) != 0 {
		t.Errorf("opening leaves something behind: %v, %v", left.Contents, err)
	}
	if _, err := storage.OpenBlobs(t.Context(), "ftp:x", storage.BlobOptions{}); err == nil || !strings.Contains(err.Error(), "dir:PATH") {
		t.Errorf("ftp: %v", err)
	}
}

// TestS3ReadOnly: who may not write is told so, unless nothing is to be written.
func TestS3ReadOnly(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	bucket := server.NewBucket(t)
	b := []byte("kept")
	if err := server.Open(t, "s3://"+bucket).Put(t.Context(), "k", file(t, b), storagetest.Sum(b)); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	server.Start("--readonly")
	o := server.Options()
	_, err := storage.OpenBlobs(t.Context(), "s3://"+bucket, o)
	var no *storage.Refusal
	if !errors.As(err, &no) || no.Code != "AccessDenied" || !strings.Contains(no.Hint, "may not write") {
		t.Errorf("without the right to write: %v", err)
	}
	o.ReadOnly = true
	s, err := storage.OpenBlobs(t.Context(), "s3://"+bucket, o)
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, s, "k", 0, -1); !bytes.Equal(got, b) {
		t.Errorf("read %q", got)
	}
	if err := s.Put(t.Context(), "k2", file(t, b), storagetest.Sum(b)); !errors.As(err, &no) {
		t.Errorf("put: %v", err)
	}
}

// TestS3Credentials: settings before the environment before the AWS files; a profile that the settings name before all.
func TestS3Credentials(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	where := "s3://" + server.NewBucket(t)
	home := t.TempDir()
	aws := filepath.Join(home, ".aws")
	if err := os.Mkdir(aws, 0o700); err != nil {
		t.Fatal(err)
	}
	pair := fmt.Sprintf("aws_access_key_id = %s\naws_secret_access_key = %s\n", server.AccessKey, server.SecretKey)
	const wrong = "aws_access_key_id = stranger\naws_secret_access_key = hidden\n"
	other := filepath.Join(home, "other")
	for name, text := range map[string]string{
		filepath.Join(aws, "credentials"): "[default]\n" + pair + "[wrong]\n" + wrong,
		filepath.Join(aws, "config"):      "[profile in-config]\n" + pair + "[profile empty]\nregion = x\n",
		other:                             "[default]\n" + wrong + "[mine]\n" + pair,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good := map[string]string{}
	for _, v := range server.Env() {
		k, v, _ := strings.Cut(v, "=")
		good[k] = v
	}
	env := func(change map[string]string) func(string) string {
		return func(name string) string {
			if v, ok := change[name]; ok {
				return v
			}
			return good[name]
		}
	}
	files := func(more ...string) map[string]string {
		m := map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": home}
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	for _, c := range []struct {
		name string
		o    storage.S3Options
		env  map[string]string
		fail string // what the error says; empty: it opens
	}{
		{"environment", storage.S3Options{}, nil, ""},
		{"settings first", storage.S3Options{AccessKey: "stranger", SecretKey: "hidden"}, nil, "stranger"},
		{"endpoint for S3 first", storage.S3Options{}, map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_S3": server.Endpoint}, ""},
		{"endpoint set", storage.S3Options{Endpoint: server.Endpoint}, map[string]string{"AWS_ENDPOINT_URL": "nonsense"}, ""},
		{"region of the settings", storage.S3Options{Region: "us-east-1"}, map[string]string{"AWS_REGION": "mars-1"}, ""},
		{"wrong region", storage.S3Options{}, map[string]string{"AWS_REGION": "mars-1"}, "us-east-1"},
		{"default region", storage.S3Options{}, map[string]string{"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-east-1"}, ""},
		{"region of the store", storage.S3Options{}, map[string]string{"AWS_REGION": ""}, ""},
		{"half a pair", storage.S3Options{}, map[string]string{"AWS_SECRET_ACCESS_KEY": ""}, "AWS_SECRET_ACCESS_KEY"},
		{"file", storage.S3Options{}, files(), ""},
		{"profile of the environment", storage.S3Options{}, files("AWS_PROFILE", "wrong"), `profile "wrong"`},
		{"profile of the settings", storage.S3Options{Profile: "wrong"}, map[string]string{"HOME": home}, "stranger"},
		{"profile in the configuration", storage.S3Options{Profile: "in-config"}, files(), ""},
		{"profile without keys", storage.S3Options{Profile: "empty"}, files(), "no credentials"},
		{"no such profile", storage.S3Options{Profile: "none"}, files(), `profile "none"`},
		{"another file", storage.S3Options{}, files("AWS_SHARED_CREDENTIALS_FILE", other), "stranger"},
		{"profile in another file", storage.S3Options{}, files("AWS_SHARED_CREDENTIALS_FILE", other, "AWS_PROFILE", "mine"), ""},
		{"path style", storage.S3Options{PathStyle: "true"}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := storage.OpenBlobs(t.Context(), where, storage.BlobOptions{S3: c.o, Getenv: env(c.env), Patience: time.Second})
			switch {
			case err == nil && c.fail != "":
				t.Errorf("it opens")
			case err == nil:
				err = s.Close()
			case c.fail != "" && strings.Contains(err.Error(), c.fail):
				err = nil
			}
			if err != nil {
				t.Error(err)
			}
			if err != nil && strings.Contains(err.Error(), "hidden") {
				t.Error("it tells a secret")
			}
		})
	}
}

// TestS3Hot: what many read at the same time is asked for once, stays readable when the store is gone, and leaves with
// the blob.
func TestS3Hot(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	bucket := server.NewBucket(t)
	var gets, heads atomic.Int64
	o := server.Options()
	o.Patience = 200 * time.Millisecond
	o.S3.Endpoint = inFront(t, server, func(r *http.Request) {
		if r.Method == http.MethodHead {
			heads.Add(1)
		}
		if r.Method == http.MethodGet && r.Header.Get("Range") != "" {
			gets.Add(1)
			<-time.After(100 * time.Millisecond)
		}
	}, nil)
	s, err := storage.OpenBlobs(t.Context(), "s3://"+bucket, o)
	if err != nil {
		t.Fatal(err)
	}
	b := random(100_000)
	if err := s.Put(t.Context(), "k", file(t, b), storagetest.Sum(b)); err != nil {
		t.Fatal(err)
	}
	if n := heads.Load(); n != 0 {
		t.Errorf("what the store has confirmed in its answer was asked for %d times more", n)
	}
	var g errgroup.Group
	for range 20 {
		g.Go(func() error {
			if got := readAll(t, s, "k", 1000, 5000); !bytes.Equal(got, b[1000:6000]) {
				return fmt.Errorf("read %d bytes", len(got))
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if n := gets.Load(); n != 1 {
		t.Errorf("20 readers at once made %d requests", n)
	}
	s.Forget("k")
	if readAll(t, s, "k", 1000, 5000); gets.Load() != 2 {
		t.Errorf("what was forgotten was asked for %d times, want once more", gets.Load())
	}
	server.Stop()
	if got := readAll(t, s, "k", 1000, 5000); !bytes.Equal(got, b[1000:6000]) {
		t.Errorf("read %d bytes", len(got))
	}
	if _, err := s.Open(t.Context(), "k", 1001, 5000); !errors.Is(err, storage.ErrAway) {
		t.Errorf("another range: %v, want ErrAway", err)
	}
	server.Start()
	if err := s.Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), "k", 1000, 5000); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("after it was deleted: %v, want ErrNotFound", err)
	}
}

// TestS3Unconfirmed: a store that tells no checksum is read back, and one that holds something else is found out.
func TestS3Unconfirmed(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	bucket := server.NewBucket(t)
	var reads, damage atomic.Int64
	o := server.Options()
	o.S3.Endpoint = inFront(t, server, func(r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/k") {
			reads.Add(1)
		}
	}, func(r *http.Response) error {
		r.Header.Del("X-Amz-Checksum-Sha256")
		if r.Request.Method == http.MethodGet && damage.Load() > 0 {
			r.Body = &flipped{r.Body}
		}
		return nil
	})
	s, err := storage.OpenBlobs(t.Context(), "s3://"+bucket, o)
	if err != nil {
		t.Fatal(err)
	}
	b := random(100_000)
	path := file(t, b)
	if err := s.Put(t.Context(), "k", path, storagetest.Sum(b)); err != nil || reads.Load() != 1 {
		t.Errorf("put: %v; it was read back %d times", err, reads.Load())
	}
	damage.Store(1)
	if err := s.Put(t.Context(), "k2", path, storagetest.Sum(b)); !errors.Is(err, storage.ErrExists) {
		t.Errorf("a store that holds something else: %v", err)
	}
	// What is there already is looked at, and its checksum told by the store is enough.
	direct := server.Open(t, "s3://"+bucket)
	if err := direct.Put(t.Context(), "k", path, storagetest.Sum(b)); err != nil {
		t.Error(err)
	}
}

type flipped struct {
	body interface {
		Read([]byte) (int, error)
		Close() error
	}
}

func (f *flipped) Read(p []byte) (int, error) {
	n, err := f.body.Read(p)
	if n > 0 {
		p[0] ^= 1
	}
	return n, err
}

func (f *flipped) Close() error { return f.body.Close() }

// TestS3SharesABucket: archives under two prefixes see nothing of each other.
func TestS3SharesABucket(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	bucket := server.NewBucket(t)
	one, two := server.Open(t, "s3://"+bucket+"/one"), server.Open(t, "s3:"+bucket+"/one-more/")
	b := []byte("one")
	if err := one.Put(t.Context(), "k", file(t, b), storagetest.Sum(b)); err != nil {
		t.Fatal(err)
	}
	if _, err := two.Stat(t.Context(), "k"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("the other archive sees it: %v", err)
	}
	for b := range two.List(t.Context(), "") {
		t.Errorf("the other archive lists %s", b.Key)
	}
	if two.String() != "s3://"+bucket+"/one-more" || two.S3().Endpoint() != server.Endpoint {
		t.Errorf("it calls itself %s at %s", two, two.S3().Endpoint())
	}
	if d := two.S3().Skew(); d.Abs() > 3*time.Second {
		t.Errorf("the clock of this very machine is %v off", d)
	}
	if err := two.Close(); err != nil {
		t.Error(err)
	}
	var said lines
	o := server.Options()
	o.Log = slog.New(slog.NewTextHandler(&said, nil))
	if _, err := storage.OpenBlobs(context.Background(), "s3://"+bucket, o); err != nil || said.String() != "" {
		t.Errorf("a good store is nothing to tell of: %v, %s", err, said.String())
	}
}

// TestS3DamagedOnItsWay: the store refuses what is not what its checksum says. If the file is well it is sent again, and
// if the file itself has changed, that is said.
func TestS3DamagedOnItsWay(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	bucket := server.NewBucket(t)
	var bad atomic.Int64
	var meanwhile atomic.Value // func()
	meanwhile.Store(func() {})
	o := server.Options()
	o.Patience = 5 * time.Second
	o.S3.Endpoint = inFront(t, server, func(r *http.Request) {
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/k") && bad.Add(-1) >= 0 {
			r.Body = &flipped{r.Body}
			meanwhile.Load().(func())()
		}
	}, nil)
	s, err := storage.OpenBlobs(t.Context(), "s3://"+bucket, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b := random(100_000)
	var path string
	for name, change := range map[string]func() error{
		"cut":       func() error { return os.Truncate(path, 10) },
		"rewritten": func() error { return os.WriteFile(path, make([]byte, len(b)), 0o600) },
	} {
		path = file(t, b)
		bad.Store(1)
		meanwhile.Store(func() {
			if err := change(); err != nil {
				t.Error(err)
			}
		})
		if err := s.Put(t.Context(), "k", path, storagetest.Sum(b)); !errors.Is(err, storage.ErrDamaged) {
			t.Errorf("the file was %s meanwhile: %v, want ErrDamaged", name, err)
		}
	}
	if _, err := s.Stat(t.Context(), "k"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("something was stored: %v", err)
	}
	path = file(t, b)
	bad.Store(2)
	meanwhile.Store(func() {})
	if err := s.Put(t.Context(), "k", path, storagetest.Sum(b)); err != nil || bad.Load() >= 0 {
		t.Errorf("damaged twice on its way: %v, %d left", err, bad.Load())
	}
	if got := readAll(t, s, "k", 0, -1); !bytes.Equal(got, b) {
		t.Errorf("read %d bytes", len(got))
	}
}

// TestS3ContainerCredentials: what the environment of a container hands out is used when nothing else is there.
func TestS3ContainerCredentials(t *testing.T) {
	t.Parallel()
	server := storagetest.S3(t)
	bucket := server.NewBucket(t)
	key := server.AccessKey
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"AccessKeyId":%q,"SecretAccessKey":%q,"Token":"","Expiration":%q}`, key, server.SecretKey,
			time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	t.Cleanup(agent.Close)
	vars := map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": agent.URL + "/creds", "AWS_ENDPOINT_URL": server.Endpoint, "HOME": t.TempDir()}
	o := storage.BlobOptions{Getenv: func(name string) string { return vars[name] }}
	s, err := storage.OpenBlobs(t.Context(), "s3://"+bucket, o)
	if err != nil {
		t.Fatal(err)
	}
	if who := s.S3().Who(); who != key+" (from the web identity or container)" {
		t.Errorf("asked as %s", who)
	}
	s.Close()
	key = "nobody"
	if _, err = storage.OpenBlobs(t.Context(), "s3://"+bucket, o); err == nil || !strings.Contains(err.Error(), `"nobody", which was taken from the web identity`) {
		t.Errorf("wrong ones: %v", err)
	}
	agent.Close()
	if _, err = storage.OpenBlobs(t.Context(), "s3://"+bucket, o); err == nil || !strings.Contains(err.Error(), "web identity or container") {
		t.Errorf("nobody hands them out: %v", err)
	}
}

package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// openS3 connects to a store and asks it once.
func openS3(ctx context.Context, where string, o BlobOptions) (*S3, error) {
	bucket, prefix, err := splitBucket(where)
	if err != nil {
		return nil, err
	}
	if s3utils.CheckValidBucketName(bucket) != nil {
		return nil, badBucket(bucket)
	}
	s := &S3{
		bucket: bucket, prefix: prefix, log: o.Log, hot: newHotRanges(64<<20, 1<<20),
		patience: o.Patience, stall: s3Stall, single: s3Single, part: s3Part,
	}
	if s.patience <= 0 {
		s.patience = s3Patience
	}
	if err := s.connect(ctx, o); err != nil {
		return nil, err
	}
	patience := s.patience
	s.patience = min(patience, s3Knock)
	err = s.probe(ctx, o.ReadOnly)
	s.patience = patience
	if err != nil {
		s.pool.CloseIdleConnections()
		if errors.Is(err, ErrAway) {
			return nil, fmt.Errorf("%w\nCheck the address (from %s) and whether the store is up", err, s.from)
		}
		return nil, err
	}
	return s, nil
}

func (s *S3) connect(ctx context.Context, o BlobOptions) error {
	endpoint, from := firstSet(
		said{o.S3.Endpoint, "s3.endpoint"}, said{o.Getenv("AWS_ENDPOINT_URL_S3"), "AWS_ENDPOINT_URL_S3"},
		said{o.Getenv("AWS_ENDPOINT_URL"), "AWS_ENDPOINT_URL"},
		said{"https://s3.amazonaws.com", "the default; AWS_ENDPOINT_URL or s3.endpoint name another"})
	s.from = from
	if !strings.Contains(endpoint, "://") {
		return fmt.Errorf("its address %s, from %s, can't be used: write http:// or https:// before it", redacted(endpoint), from)
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil || u.RawQuery != "" {
		return fmt.Errorf("its address %s, from %s, can't be used: write http(s)://HOST[:PORT] alone", redacted(endpoint), from)
	}
	lookup, ok := map[string]minio.BucketLookupType{
		"": minio.BucketLookupAuto, "auto": minio.BucketLookupAuto, "true": minio.BucketLookupPath, "false": minio.BucketLookupDNS,
	}[o.S3.PathStyle]
	if !ok {
		return fmt.Errorf("path style %q: write true, false or auto", o.S3.PathStyle)
	}
	region, _ := firstSet(said{o.S3.Region, ""}, said{o.Getenv("AWS_REGION"), ""}, said{o.Getenv("AWS_DEFAULT_REGION"), ""})
	s.pool = s3Transport()
	creds, who, err := identify(o, &http.Client{Transport: s.pool, Timeout: time.Minute})
	if err != nil {
		return err
	}
	s.who = who
	s.client, err = minio.NewCore(u.Host, &minio.Options{
		Creds: creds, Secure: u.Scheme == "https", Region: region, BucketLookup: lookup,
		Transport: &dated{next: s.pool, s: s},
		// S3 tries again by itself, and knows for how long. The second is for the library, which learns the bucket's region
		// from a refusal.
		MaxRetries: 2,
	})
	if err != nil {
		return fmt.Errorf("its address %s, from %s, can't be used: %w", redacted(endpoint), from, err)
	}
	return ctx.Err()
}

// redacted is an address without the password that somebody may have written into it.
func redacted(address string) string {
	if !strings.Contains(address, "@") {
		return address
	}
	if u, err := url.Parse(address); err == nil && u.User != nil {
		return u.Redacted()
	}
	return "(not shown, since it may hold a password)"
}

// s3Transport keeps connections alive and bounds their number and every wait in them.
func s3Transport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: s3Stall,
		ExpectContinueTimeout: time.Second,
		MaxConnsPerHost:       128,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       90 * time.Second,
		DisableCompression:    true, // bytes are what they are
	}
}

// dated notes by how much the store's clock is ahead, and bounds what is read of answers.
type dated struct {
	next http.RoundTripper
	s    *S3
}

func (d *dated) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := d.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		d.s.skew.Store(int64(time.Until(at)))
	}
	if !isObject(r, resp) {
		resp.Body = &bounded{resp.Body, s3Words}
	}
	return resp, nil
}

// isObject says whether an answer holds the bytes of an object, which are written to disk, or read in ranges.
func isObject(r *http.Request, resp *http.Response) bool {
	return r.Method == http.MethodGet && r.URL.RawQuery == "" && resp.StatusCode < http.StatusMultipleChoices
}

// s3Words is how long any other answer may be: a page of a listing takes about 1 MiB.
const s3Words = 16 << 20

// bounded is a body that fails behind its bound. Closed before its end, it takes its connection along.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("its answer does not end within %d MiB: %w", s3Words>>20, errNoStore)
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

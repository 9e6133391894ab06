package storage

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// Put stores the file at path, whose lower-case hex SHA-256 is sum, under key, and returns once the store has it and
// its checksum is confirmed. Confirmed means that the store has told the SHA-256 that it reckoned over what it took:
// in its answer to the PUT or to a HEAD. Of a store that tells none, the whole blob is read back. If the key holds
// equal bytes already, that is success, be it that the answer to an earlier try was lost; if it holds others,
// ErrExists. A file that does not match sum is not stored: ErrDamaged.
func (s *S3) Put(ctx context.Context, key, path, sum string) error {
	name, err := s.name(key)
	if err == nil {
		err = s.put(ctx, name, path, sum)
	}
	if err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return nil
}

func (s *S3) put(ctx context.Context, name, path, sum string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	size, err := matches(ctx, f, sum)
	if err != nil {
		return err
	}
	for range 3 {
		if size > s.single {
			err = s.putParts(ctx, name, f, size, sum)
		} else {
			err = s.putWhole(ctx, name, f, size, sum)
		}
		if !errors.Is(err, ErrNotFound) { // else the key was taken, and free again when we looked who has it
			break
		}
	}
	return err
}

func (s *S3) putWhole(ctx context.Context, name string, f *os.File, size int64, sum string) error {
	var told string
	err := s.try(ctx, "write", func(ctx context.Context, w *watch) error {
		info, err := s.client.PutObject(ctx, s.bucket, name, w.reading(io.NewSectionReader(f, 0, size)), size, "", sum, conditional(sum))
		told = info.ChecksumSHA256
		if err != nil && suspect(f, size, err) {
			if _, changed := matches(ctx, f, sum); changed != nil { // and not on its way
				return changed
			}
		}
		return s.taken(ctx, err)
	})
	if errors.Is(err, errTaken) {
		return s.holds(ctx, name, size, sum)
	}
	if err != nil || told == base64Sum(sum) {
		return err
	}
	return s.confirm(ctx, name, size, sum)
}

// confirm makes sure of an object that the store says it has taken.
func (s *S3) confirm(ctx context.Context, name string, size int64, sum string) error {
	err := s.holds(ctx, name, size, sum)
	if errors.Is(err, ErrExists) {
		return fmt.Errorf("the store took it and holds something else: %w", err)
	}
	return err
}

// errTaken says that the key is taken: by others, by an earlier try of ours, or by somebody with the same bytes.
var errTaken = errors.New("the key is taken")

// taken tells the refusal of a conditional request from other failures.
func (s *S3) taken(ctx context.Context, err error) error {
	if r := answer(err); r.StatusCode == 412 || r.Code == "PreconditionFailed" {
		return fmt.Errorf("%w: %w", errTaken, ErrExists)
	}
	return stalled(ctx, err)
}

// matches reads a file and compares it with its checksum, so that what is sent is what is meant.
func matches(ctx context.Context, f *os.File, sum string) (int64, error) {
	h := sha256.New()
	n, err := io.Copy(h, stopping(ctx, io.NewSectionReader(f, 0, math.MaxInt64)))
	if err != nil {
		return 0, err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return 0, fmt.Errorf("%s: its SHA-256 is %s, not %s: %w", f.Name(), got, sum, ErrDamaged)
	}
	return n, nil
}

// suspect says whether a failure to send a file may come from the file.
func suspect(f *os.File, size int64, err error) bool {
	st, gone := f.Stat()
	return mismatch(answer(err).Code) || gone != nil || st.Size() != size
}

// mismatch is a store's word for bytes that are not what their checksum says.
func mismatch(code string) bool {
	switch code {
	case "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "BadDigest", "InvalidDigest":
		return true
	}
	return false
}

// stopping reads until the context is over.
func stopping(ctx context.Context, r io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return r.Read(p)
	})
}

// send puts an object that a string holds, unless the key is taken. sum is what the store is told of it.
func (s *S3) send(ctx context.Context, w *watch, name string, r io.ReadSeeker, size int64, sum string) error {
	_, err := s.client.PutObject(ctx, s.bucket, name, w.reading(r), size, "", sum, conditional(sum))
	return err
}

// conditional are the options of a PUT of what has a checksum, under a key that must be free. The payload's hash is
// signed too, so that a store that knows nothing of x-amz-checksum-sha256 still checks it.
func conditional(sum string) minio.PutObjectOptions {
	o := minio.PutObjectOptions{
		ContentType:          "application/octet-stream",
		UserMetadata:         map[string]string{checksumHeader: base64Sum(sum)},
		DisableContentSha256: true, // of each chunk: the whole has been hashed
	}
	o.SetMatchETagExcept("*")
	return o
}

const checksumHeader = "x-amz-checksum-sha256"

// base64Sum is how S3 writes a checksum. What is no hexadecimal gives nothing.
func base64Sum(sum string) string {
	b, err := hex.DecodeString(sum)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(b)
}

// reading keeps the watch quiet for as long as the body of a request goes out.
func (w *watch) reading(r io.ReadSeeker) io.ReadSeeker { return &outgoing{r, w} }

type outgoing struct {
	io.ReadSeeker
	w *watch
}

func (o *outgoing) Read(p []byte) (int, error) {
	o.w.touch()
	return o.ReadSeeker.Read(p)
}

// holds compares what a key holds with a checksum. ErrExists says that it holds other bytes.
func (s *S3) holds(ctx context.Context, name string, size int64, sum string) error {
	info, err := s.head(ctx, name)
	if err != nil {
		return err
	}
	if info.Size != size {
		return fmt.Errorf("it holds %d bytes, not %d: %w", info.Size, size, ErrExists)
	}
	if told := info.ChecksumSHA256; told != "" && !strings.Contains(told, "-") && info.ChecksumMode != "COMPOSITE" {
		if told != base64Sum(sum) {
			return fmt.Errorf("it holds SHA-256 %s (base64), not %s: %w", told, base64Sum(sum), ErrExists)
		}
		return nil
	}
	return s.readBack(ctx, name, sum)
}

// readBack reads a whole object, past the cache, and compares it.
func (s *S3) readBack(ctx context.Context, name, sum string) error {
	r, err := s.stream(ctx, name, 0, -1)
	if err != nil {
		return err
	}
	h := sha256.New()
	_, err = io.Copy(h, r)
	if err = errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return fmt.Errorf("it holds SHA-256 %s, not %s: %w", got, sum, ErrExists)
	}
	return nil
}

// putParts stores what is too large for one PUT. Each part's checksum is confirmed by the store; the key becomes its
// own with the last request, and only if it is free then.
func (s *S3) putParts(ctx context.Context, name string, f *os.File, size int64, sum string) error {
	var id string
	err := s.try(ctx, "write", func(ctx context.Context, _ *watch) (err error) {
		id, err = s.client.NewMultipartUpload(ctx, s.bucket, name, minio.PutObjectOptions{
			ContentType:  "application/octet-stream",
			UserMetadata: map[string]string{"x-amz-checksum-algorithm": "SHA256"},
		})
		return err
	})
	if err != nil {
		return err
	}
	parts, whole, err := s.sendParts(ctx, name, id, f, size)
	told := ""
	if err == nil {
		told, err = s.complete(ctx, name, id, parts)
	}
	if err != nil {
		s.abort(ctx, name, id)
	} else if told == whole || strings.TrimSuffix(told, fmt.Sprintf("-%d", len(parts))) == whole {
		s.sweep(ctx, name)
		return nil
	}
	switch {
	case errors.Is(err, errTaken), errors.Is(err, errNoUpload):
		// Taken, or an earlier try has come through whose answer was lost.
		err = s.holds(ctx, name, size, sum)
	case err == nil:
		err = s.confirm(ctx, name, size, sum)
	}
	if err == nil {
		s.sweep(ctx, name)
	}
	return err
}

// sendParts also returns the checksum of the parts' checksums, in base64, as S3 reckons it for the whole.
func (s *S3) sendParts(ctx context.Context, name, id string, f *os.File, size int64) (parts []minio.CompletePart, whole string, err error) {
	all := sha256.New()
	for off := int64(0); off < size; off += s.part {
		n := min(s.part, size-off)
		h := sha256.New()
		if _, err := io.Copy(h, io.NewSectionReader(f, off, n)); err != nil {
			return nil, "", err
		}
		all.Write(h.Sum(nil))
		sum := hex.EncodeToString(h.Sum(nil))
		var p minio.ObjectPart
		err := s.try(ctx, "write", func(ctx context.Context, w *watch) (err error) {
			p, err = s.client.PutObjectPart(ctx, s.bucket, name, id, len(parts)+1, w.reading(io.NewSectionReader(f, off, n)), n,
				minio.PutObjectPartOptions{Sha256Hex: sum, DisableContentSha256: true, CustomHeader: map[string][]string{
					"X-Amz-Checksum-Sha256": {base64Sum(sum)},
				}})
			return stalled(ctx, forgotten(err))
		})
		if err != nil {
			return nil, "", fmt.Errorf("part %d: %w", len(parts)+1, err)
		}
		if p.ChecksumSHA256 != "" && p.ChecksumSHA256 != base64Sum(sum) {
			return nil, "", fmt.Errorf("part %d: the store took SHA-256 %s (base64) for %s", len(parts)+1, p.ChecksumSHA256, base64Sum(sum))
		}
		parts = append(parts, minio.CompletePart{PartNumber: len(parts) + 1, ETag: p.ETag, ChecksumSHA256: p.ChecksumSHA256})
	}
	return parts, base64.StdEncoding.EncodeToString(all.Sum(nil)), nil
}

// errNoUpload says that the store knows no such upload: it is complete already, or somebody aborted it.
var errNoUpload = errors.New("the store knows the upload no more")

// forgotten tells errNoUpload, which no further try mends, from the store's other answers.
func forgotten(err error) error {
	if err != nil && answer(err).Code == "NoSuchUpload" {
		return fmt.Errorf("%w: %w", errNoUpload, ErrNotFound)
	}
	return err
}

func (s *S3) complete(ctx context.Context, name, id string, parts []minio.CompletePart) (told string, err error) {
	err = s.try(ctx, "write", func(ctx context.Context, _ *watch) error {
		o := minio.PutObjectOptions{}
		o.SetMatchETagExcept("*")
		info, err := s.client.CompleteMultipartUpload(ctx, s.bucket, name, id, parts, o)
		told = info.ChecksumSHA256
		return s.taken(ctx, forgotten(err))
	})
	return told, err
}

// abort gives the parts of an upload back, be the context over or not. What it fails to remove, sweep removes, or the
// bucket's own rule for incomplete uploads.
func (s *S3) abort(ctx context.Context, name, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := s.client.AbortMultipartUpload(ctx, s.bucket, name, id); err != nil && answer(err).Code != "NoSuchUpload" {
		s.log.Debug("parts of an upload stay behind", "store", s.String(), "key", name, "error", err)
	}
}

// sweep removes what uploads to name left that did not live to their end. Those that still go on lose nothing: the key
// is taken, and whoever finds its upload gone looks at what the key holds.
func (s *S3) sweep(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	left, err := s.client.ListMultipartUploads(ctx, s.bucket, name, "", "", "", 100)
	if err != nil {
		s.log.Debug("uploads can't be listed", "store", s.String(), "key", name, "error", err)
		return
	}
	for _, u := range left.Uploads {
		if u.Key == name {
			s.abort(ctx, name, u.UploadID)
		}
	}
}

package pack

import (
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/singleflight"

	"linkstead/archive/cdx"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// publishedPrefix begins the keys of the files that are published.
const publishedPrefix = "exports/"

const waczSuffix = ".wacz"

// ErrClosed says that a file holds what readers may see no more: a rule was set since it was made, or a purge took something out.
var ErrClosed = errors.New("it holds what readers may see no more")

// Shelf keeps the files that are published: WACZ files in the store, beside the WARC files, for anyone to read. What may be seen changes after
// a file was made; so what is in it is held against what readers may see when it is asked for.
type Shelf struct {
	Store   Store
	Readers Readers // nil: whatever is there may be seen
	Now     func() time.Time

	mu    sync.Mutex
	known map[string]*verdict // by name
	looks singleflight.Group
}

// Store is where the files are.
type Store interface {
	Open(ctx context.Context, key string, off, n int64) (io.ReadCloser, error)
	Stat(ctx context.Context, key string) (storage.Blob, error)
	List(ctx context.Context, prefix string) iter.Seq2[storage.Blob, error]
	Put(ctx context.Context, key, path, sum string) error
	Delete(ctx context.Context, key string) error
}

// Readers tells what readers may see; see guard.Guard.
type Readers interface {
	Captures(ctx context.Context, collection, urlkey string) iter.Seq2[storage.Capture, error]
	Stamp(ctx context.Context) (string, error)
}

// Published is a file that is published.
type Published struct {
	Name       string    `json:"name"` // with its ending, as in its address
	Collection string    `json:"collection"`
	Title      string    `json:"title"`
	Created    time.Time `json:"created"`
	Size       int64     `json:"bytes"`
	Closed     bool      `json:"closed"` // readers don't get it: see ErrClosed
	Tag        string    `json:"-"`      // entity tag, of these bytes alone
}

// verdict is what was found of a file, and when.
type verdict struct {
	Published
	at    time.Time
	until time.Time // when it is to be looked at again, whatever the rules
	stamp string    // of the rules then
}

var publishedName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}\.wacz$`)

// PublishedName makes the name of a file to be published: letters a-z, digits, dot, dash and underscore, and .wacz. Not ok if it can't be one.
func PublishedName(s string) (string, bool) {
	s = strings.TrimSuffix(s, waczSuffix) + waczSuffix
	return s, publishedName.MatchString(s)
}

// Put publishes a file; storage.ErrExists if another one has its name.
func (s *Shelf) Put(ctx context.Context, name, path, sum string) error {
	return s.Store.Put(ctx, publishedPrefix+name, path, sum)
}

// Has says whether a name is taken.
func (s *Shelf) Has(ctx context.Context, name string) (bool, error) {
	_, err := s.Store.Stat(ctx, publishedPrefix+name)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Take takes a published file away; storage.ErrNotFound if there is none.
func (s *Shelf) Take(ctx context.Context, name string) error {
	if !publishedName.MatchString(name) {
		return fmt.Errorf("published %s: %w", name, storage.ErrNotFound)
	}
	if _, err := s.Store.Stat(ctx, publishedPrefix+name); err != nil {
		return err
	}
	return s.Store.Delete(ctx, publishedPrefix+name)
}

// maxPublished bounds how many files are looked at for a list.
const maxPublished = 1000

// List brings the files, in order of their names; one that can't be read is left out, and told.
func (s *Shelf) List(ctx context.Context, bad func(name string, err error)) (out []Published, err error) {
	for blob, err := range s.Store.List(ctx, publishedPrefix) {
		if err != nil {
			return out, err
		}
		name := strings.TrimPrefix(blob.Key, publishedPrefix)
		if blob.Odd != "" || !publishedName.MatchString(name) {
			continue
		}
		p, err := s.Look(ctx, name)
		if err != nil && !errors.Is(err, ErrClosed) {
			if ctx.Err() != nil {
				return out, ctx.Err()
			}
			bad(name, err)
			continue
		}
		if out = append(out, p); len(out) == maxPublished {
			break
		}
	}
	return out, nil
}

// Open opens a part of a file that Look has found; see storage.BlobReader.
func (s *Shelf) Open(ctx context.Context, name string, off, n int64) (io.ReadCloser, error) {
	return s.Store.Open(ctx, publishedPrefix+name, off, n)
}

const (
	// lookAgain is how long what was found holds while the rules do not change: purges change what is there, too.
	lookAgain = time.Minute
	// lookShare bounds which part of the time is spent on looking.
	lookShare = 20
	// lookFor bounds how long looking may take. It is nobody's own: whoever asks meanwhile waits for it, too.
	lookFor = 5 * time.Minute
)

// Look finds a file, and whether readers may have it: ErrClosed if not, storage.ErrNotFound if there is none.
func (s *Shelf) Look(ctx context.Context, name string) (Published, error) {
	if !publishedName.MatchString(name) {
		return Published{}, fmt.Errorf("published %s: %w", name, storage.ErrNotFound)
	}
	blob, err := s.Store.Stat(ctx, publishedPrefix+name)
	if err != nil {
		return Published{}, err
	}
	stamp := ""
	if s.Readers != nil {
		if stamp, err = s.Readers.Stamp(ctx); err != nil {
			return Published{}, err
		}
	}
	s.mu.Lock()
	v := s.known[name]
	s.mu.Unlock()
	if v == nil || v.Size != blob.Size || v.stamp != stamp || !s.Now().Before(v.until) {
		done := s.looks.DoChan(name+" "+stamp, func() (any, error) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookFor)
			defer cancel()
			return s.look(ctx, name, blob.Size, stamp)
		})
		select {
		case <-ctx.Done():
			return Published{}, ctx.Err()
		case r := <-done:
			if r.Err != nil {
				return Published{}, fmt.Errorf("look at %s: %w", name, r.Err)
			}
			v, _ = r.Val.(*verdict)
		}
	}
	if v.Closed {
		return v.Published, fmt.Errorf("published %s: %w", name, ErrClosed)
	}
	return v.Published, nil
}

// look reads what a file tells of itself, and holds what is in it against what may be seen.
func (s *Shelf) look(ctx context.Context, name string, size int64, stamp string) (*verdict, error) {
	v := &verdict{Published: Published{Name: name, Size: size}, at: s.Now(), stamp: stamp}
	z, err := zip.NewReader(storage.NewReaderAt(ctx, s.Store, publishedPrefix+name, size), size)
	if err != nil {
		return nil, err
	}
	raw, err := small(z, "datapackage.json")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw) // it has the digests of all parts
	v.Tag = `"` + hex.EncodeToString(sum[:16]) + `"`
	var dp dataPackage
	if err := json.Unmarshal(raw, &dp); err != nil {
		return nil, err
	}
	v.Collection, v.Title = dp.Collection, cmp.Or(dp.Title, name)
	v.Created, _ = time.Parse(time.RFC3339, dp.Created) // zero, if it is none
	if s.Readers != nil {
		all, err := s.shown(ctx, z, dp.Collection)
		if err != nil {
			return nil, err
		}
		v.Closed = !all
	}
	v.until = s.Now().Add(max(lookAgain, lookShare*s.Now().Sub(v.at)))
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) > maxPublished || s.known == nil {
		s.known = map[string]*verdict{}
	}
	s.known[name] = v
	return v, nil
}

// maxSmall bounds what is read of a file at once, in bytes.
const maxSmall = 1 << 20

func small(z *zip.Reader, name string) ([]byte, error) {
	f, err := z.Open(name)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxSmall))
	return raw, errors.Join(err, f.Close())
}

// shown says whether readers may see all captures that the index of a file names. Its lines are in the order of keys, so that those of
// one address follow one another.
func (s *Shelf) shown(ctx context.Context, z *zip.Reader, collection string) (bool, error) {
	f, err := z.Open("indexes/" + waczIndex)
	if err != nil {
		return false, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	in, err := gzip.NewReader(bufio.NewReader(f))
	if errors.Is(err, io.EOF) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxSmall)
	key, there := "", map[string]bool{}
	for lines.Scan() {
		line, ok := readViewerLine(lines.Bytes())
		if !ok {
			return false, errors.New("its index can't be read")
		}
		if line.Key != key || len(there) == 0 {
			key = line.Key
			clear(there)
			for c, err := range s.Readers.Captures(ctx, collection, key) {
				if err != nil {
					return false, err
				}
				there[viewerStamp(c.At)+" "+string(cdx.AppendString(nil, c.URL))] = true
			}
		}
		if !there[line.at+" "+string(line.URL)] {
			return false, nil
		}
	}
	return lines.Err() == nil, lines.Err()
}

// viewerLine is what a line of the index tells of which capture it is.
type viewerLine struct {
	at  string
	URL json.RawMessage `json:"url"`    // as it is written: what is no UTF-8 is not to be read back
	Key string          `json:"urlkey"` // of the capture, if it is not that of its URL
}

func readViewerLine(raw []byte) (l viewerLine, ok bool) {
	_, rest, ok := bytes.Cut(raw, []byte(" "))
	at, object, ok2 := bytes.Cut(rest, []byte(" "))
	if !ok || !ok2 || json.Unmarshal(object, &l) != nil {
		return l, false
	}
	l.at = string(at)
	var u string
	if json.Unmarshal(l.URL, &u) != nil || u == "" {
		return l, false
	}
	if l.Key == "" {
		l.Key = urlkey.Key(u)
	}
	return l, true
}

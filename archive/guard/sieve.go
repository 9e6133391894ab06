package guard

import (
	"context"
	"time"

	"linkstead/archive/access"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// sieve lets the rows of one answer through that may be seen. It remembers the rules of the last key: rows that follow one
// another often share it.
type sieve struct {
	set      *access.Set
	now      time.Time
	key, url string
	of       []access.View
}

// sieve brings one for the rows of a collection; nil if all may be seen.
func (g *Guard) sieve(ctx context.Context, collection string) (*sieve, error) {
	set, err := g.Set(ctx, collection)
	if err != nil || !set.Restricts() {
		return nil, err
	}
	return &sieve{set: set, now: g.Now()}, nil
}

// views are the rules that are about a key, and about the URL that it was made of, if that has another. Either may be empty.
func (s *sieve) views(key, url string) []access.View {
	if s.of != nil && s.key == key && s.url == url {
		return s.of
	}
	s.key, s.url = key, url
	s.of = append(s.of[:0:0], s.set.Of(key))
	if url != "" {
		if plain := urlkey.Key(url); plain != key {
			s.of = append(s.of, s.set.Of(plain))
		}
	}
	return s.of
}

// verdict is what the rules say of a row. Of two keys, the one that is kept from readers decides.
func (s *sieve) verdict(key, url string, at time.Time) access.Verdict {
	var v access.Verdict
	for _, view := range s.views(key, url) {
		if v = view.At(at, s.now); !v.Shown() {
			return v
		}
	}
	return v
}

func (s *sieve) shows(c *storage.Capture) bool { return s.verdict(c.URLKey, c.URL, c.At).Shown() }

// open says whether all captures of a key may be seen, as far as the key tells.
func (s *sieve) open(key, url string) bool {
	for _, v := range s.views(key, url) {
		if !v.Open() {
			return false
		}
	}
	return true
}

// spans are the times of captures of a key that may be seen, as far as the key tells.
func (s *sieve) spans(key string) []access.Span { return s.set.Of(key).Spans(s.now) }

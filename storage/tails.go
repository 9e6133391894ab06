package storage

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// Bounds of what is kept of an address to find it by.
const (
	maxTail = 300 // code points of its end
	maxHead = 200 // of its beginning, as the index has it
)

// Tail is how an address, or what is left of one, ends, as it is compared: host and path without case and without escapes, all dashes as
// one, backwards. Query and fragment don't count.
func Tail(address string) string {
	s := address
	if i := strings.Index(s, "://"); i >= 0 {
		s = s[i+len("://"):]
	}
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		s = s[:i]
	}
	if plain, err := url.PathUnescape(s); err == nil {
		s = plain
	}
	var out []rune
	for _, r := range strings.TrimRight(harmlessText(s), "/") {
		if unicode.Is(unicode.Pd, r) || r == '−' {
			r = '-'
		}
		if r == '-' && len(out) > 0 && out[len(out)-1] == '-' {
			continue
		}
		out = append(out, unicode.ToLower(r))
	}
	slices.Reverse(out)
	return string(out[:min(len(out), maxTail)])
}

// documents are the types of captures whose addresses are kept: what a post may cite. Pictures, styles and scripts would be the most.
var documents = map[string]bool{
	"text/html": true, "application/xhtml+xml": true, "application/pdf": true, "text/plain": true, "text/markdown": true,
}

// known is an address that is to be noted.
type known struct{ collection, url, urlkey string }

// insertTails notes addresses that are known from now on.
func (x *tx) insertTails(of map[int64]known) error {
	ids := slices.Sorted(maps.Keys(of)) // whoever writes them does so in their order
	args := make([]any, 0, 5*len(ids))
	for _, id := range ids {
		k := of[id]
		args = append(args, id, k.collection, k.url, foldKey(k.urlkey), Tail(k.url))
	}
	return x.putRows(`INSERT INTO tails (id, collection, url, urlkey, tail)`,
		` ON CONFLICT (id) DO UPDATE SET urlkey=excluded.urlkey WHERE tails.urlkey='' AND excluded.urlkey<>''`, 5, args)
}

// tailCaptures notes the addresses of documents that were captured.
func (x *tx) tailCaptures(cs []Capture) error {
	of := map[int64]known{}
	for i := range cs {
		if c := &cs[i]; c.Status >= 200 && c.Status < 400 && documents[c.Mime] {
			of[LinkID(c.Collection, c.URL)] = known{c.Collection, c.URL, c.URLKey}
		}
	}
	return x.insertTails(of)
}

// dropTails takes addresses away that nothing names any more.
func (x *tx) dropTails() error {
	_, err := x.exec(`DELETE FROM tails WHERE NOT EXISTS (SELECT 1 FROM links l WHERE l.id=tails.id)
		AND NOT EXISTS (SELECT 1 FROM captures c WHERE c.collection=tails.collection AND c.urlkey=tails.urlkey AND c.url=tails.url)`)
	return err
}

// URLsEnding brings up to n addresses that a collection knows and that end as what is left of one does.
func (db *DB) URLsEnding(ctx context.Context, collection, rest string, n int) ([]string, error) {
	tail := Tail(rest)
	if tail == "" {
		return nil, nil
	}
	return db.urlsIn(ctx, `tail`, collection, tail, n)
}

// URLsBeginning brings up to n addresses that a collection knows and that begin so.
func (db *DB) URLsBeginning(ctx context.Context, collection, head string, n int) ([]string, error) {
	if head == "" {
		return nil, nil
	}
	runes := []rune(harmlessText(head))
	out, err := db.urlsIn(ctx, `substr(url, 1, 200)`, collection, string(runes[:min(len(runes), maxHead-1)]), n)
	return slices.DeleteFunc(out, func(u string) bool { return !strings.HasPrefix(u, string(runes)) }), err
}

// urlsIn brings addresses by an index, in its order: no more rows are read than are wanted.
func (db *DB) urlsIn(ctx context.Context, by, collection, from string, n int) ([]string, error) {
	out, err := rowsOf(ctx, db, scanText, `SELECT url FROM tails WHERE collection=$1 AND `+by+`>=$2 AND `+by+`<$3 ORDER BY `+by+`, id LIMIT $4`,
		collection, from, from+"\U0010FFFF", n)
	if err != nil {
		return nil, fmt.Errorf("look for what is left of an address: %w", err)
	}
	return out, nil
}

// FillTails notes the addresses of what an older version has captured. It does so once.
func (db *DB) FillTails(ctx context.Context) error {
	due, err := rowsOf(ctx, db, scanText, `SELECT segment FROM untailed ORDER BY segment`)
	for _, segment := range due {
		if err != nil {
			break
		}
		if segment == "" {
			err = db.tailLinks(ctx)
		} else {
			err = db.tailSegment(ctx, segment)
		}
		if err == nil {
			err = db.write(ctx, func(x *tx) error { return x.put(`DELETE FROM untailed WHERE segment=$1`, segment) })
		}
	}
	if err != nil {
		return fmt.Errorf("note the addresses that are known: %w", err)
	}
	return nil
}

func (db *DB) tailLinks(ctx context.Context) error {
	for after := int64(0); ; {
		ls, err := db.Links(ctx, after, pageRows)
		if err != nil || len(ls) == 0 {
			return err
		}
		of := map[int64]known{}
		for i := range ls {
			of[ls[i].ID] = known{ls[i].Collection, ls[i].URL, ""}
		}
		if err := db.write(ctx, func(x *tx) error { return x.insertTails(of) }); err != nil {
			return err
		}
		after = ls[len(ls)-1].ID
	}
}

func (db *DB) tailSegment(ctx context.Context, segment string) error {
	var some []Capture
	flush := func() error {
		err := db.write(ctx, func(x *tx) error { return x.tailCaptures(some) })
		some = some[:0]
		return err
	}
	for c, err := range db.SegmentCaptures(ctx, segment) {
		if err != nil {
			return err
		}
		if some = append(some, c); len(some) == pageRows {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

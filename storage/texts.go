package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// IndexLock is the name of the lock under which one process at a time makes texts.
const IndexLock = "texts"

// Text is what a payload says, for searching: a part of it, if it is long. It may be lost, and is made anew from the captures.
type Text struct {
	Collection string
	Digest     string // of the payload
	Part       int    // from 0
	Title      string
	Lang       string
	Body       string
	TitleWords []string // of the index: without spaces, folded as those of queries are
	BodyWords  []string
}

// Most of what a part of a text holds, for PostgreSQL: places beyond the first of these are not told apart, and of one word no more
// than 256 are kept.
const maxPlace = 1<<14 - 1

// TextQuery asks for texts. All of All stand in them, one of Any if there are some, and none of Not. There must be something to find:
// All or Any.
type TextQuery struct {
	Collections   []string
	All, Any, Not []TextTerm
}

// TextTerm is what stands in a text: words that follow upon one another, of which the last may only be a beginning.
type TextTerm struct {
	Words  []string
	Prefix bool
}

// TextHit is a text that was found.
type TextHit struct {
	Text // without words
	ID   int64
	Rank float64 // more is better; of one query on one database alone
}

// ErrNothingAsked says that a query has nothing to find.
var ErrNothingAsked = errors.New("a query needs a word that is to be found")

// errNoCapture says that there is nothing to keep a text for.
var errNoCapture = errors.New("no capture has this payload")

// PutTexts keeps the parts of texts, in one transaction, unless no capture has their payload any more; those that are there stay as they are.
// Upto is how far their segment has been looked at by then: see TextMark.
func (db *DB) PutTexts(ctx context.Context, segment string, upto int64, texts []Text) error {
	err := db.write(ctx, func(x *tx) error {
		for i := range texts {
			if err := x.putText(&texts[i]); err != nil && !errors.Is(err, errNoCapture) {
				return err
			}
		}
		// A segment that a purge has taken away meanwhile has no mark.
		_, err := x.exec(`INSERT INTO indexed (segment, upto) SELECT id, CAST($2 AS BIGINT) FROM segments WHERE id=$1 AND state<>'lost'
			ON CONFLICT (segment) DO UPDATE SET upto=excluded.upto`, segment, upto)
		return err
	})
	if err != nil {
		return fmt.Errorf("index the texts of segment %s: %w", segment, err)
	}
	return nil
}

func (x *tx) putText(t *Text) error {
	// Its row is held until the transaction ends: a purge that takes it away comes before, or sees the text.
	held, err := x.strings(`SELECT segment FROM captures WHERE digest=$1 AND collection=$2 AND kind='response' LIMIT 1`+x.db.d.forShare, t.Digest, t.Collection)
	if err == nil && len(held) == 0 {
		held, err = x.strings(`SELECT segment FROM captures WHERE digest=$1 AND collection=$2 AND kind<>'response' LIMIT 1`+x.db.d.forShare, t.Digest, t.Collection)
	}
	if err != nil {
		return err
	}
	if len(held) == 0 {
		return errNoCapture
	}
	body := zipped(t.Body)
	if x.db.d.server {
		_, err := x.exec(`INSERT INTO texts (collection, digest, part, title, lang, body, words) VALUES ($1,$2,$3,$4,$5,$6,CAST($7 AS TSVECTOR)) ON CONFLICT DO NOTHING`,
			t.Collection, t.Digest, t.Part, t.Title, t.Lang, body, vector(t.TitleWords, t.BodyWords))
		return err
	}
	n, err := x.exec(`INSERT INTO texts (collection, digest, part, title, lang, body) VALUES ($1,$2,$3,$4,$5,$6) ON CONFLICT DO NOTHING`,
		t.Collection, t.Digest, t.Part, t.Title, t.Lang, body)
	if err != nil || n == 0 {
		return err
	}
	_, err = x.exec(`INSERT INTO texts_words (rowid, title, body) SELECT id, $4, $5 FROM texts WHERE collection=$1 AND digest=$2 AND part=$3`,
		t.Collection, t.Digest, t.Part, strings.Join(t.TitleWords, " "), strings.Join(t.BodyWords, " "))
	return err
}

// lexeme quotes a word for PostgreSQL.
func lexeme(w string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(harmlessText(w)) + "'"
}

// vector writes words and their places as PostgreSQL reads them. Between title and body is room, so that nothing is found across.
func vector(title, body []string) string {
	places := map[string][]string{}
	for i, w := range title {
		places[w] = append(places[w], strconv.Itoa(min(i+1, maxPlace))+"A")
	}
	for i, w := range body {
		places[w] = append(places[w], strconv.Itoa(min(len(title)+2+i+1, maxPlace)))
	}
	var sb strings.Builder
	for w, at := range places {
		sb.WriteString(lexeme(w) + ":" + strings.Join(at, ",") + " ")
	}
	return sb.String()
}

// HasText says whether a payload's text is kept.
func (db *DB) HasText(ctx context.Context, collection, digest string) (bool, error) {
	n, err := rowsOften(ctx, db, scanText, `SELECT digest FROM texts WHERE collection=$1 AND digest=$2 AND part=0`, collection, digest)
	if err != nil {
		return false, fmt.Errorf("look for a text: %w", err)
	}
	return len(n) > 0, nil
}

// TextOf brings the parts of a payload's text, in order; none if it is not kept.
func (db *DB) TextOf(ctx context.Context, collection, digest string) ([]Text, error) {
	out, err := rowsOf(ctx, db, func(r row) (t Text, err error) {
		t.Collection, t.Digest = collection, digest
		var body []byte
		if err = r.Scan(&t.Part, &t.Title, &t.Lang, &body); err == nil {
			t.Body, err = unzipped(body)
		}
		return t, err
	}, `SELECT part, title, lang, body FROM texts WHERE collection=$1 AND digest=$2 ORDER BY part`, collection, digest)
	if err != nil {
		return nil, fmt.Errorf("read a text: %w", err)
	}
	return out, nil
}

// TextMark is a segment that is to be indexed, and from where on.
type TextMark struct {
	Segment
	Upto int64 // the offset of the last capture that has been looked at; -1: none has
}

// Unindexed brings segments with captures that have not been looked at for their texts, oldest first, n at most, from the one behind a name on.
func (db *DB) Unindexed(ctx context.Context, after string, n int) ([]TextMark, error) {
	out, err := rowsOf(ctx, db, func(r row) (m TextMark, err error) {
		var created int64
		err = r.Scan(&m.ID, &m.Collection, &m.Node, &m.Location, &m.State, &m.Committed, &m.Size, &m.SHA256, &created, &m.Upto)
		m.Created = fromMicros(created)
		return m, err
	}, `SELECT `+segmentCols+`, upto FROM (SELECT s.*, COALESCE((SELECT i.upto FROM indexed i WHERE i.segment=s.id), -1) AS upto
		FROM segments s WHERE s.id>$1 AND s.state<>'lost') t
		WHERE EXISTS (SELECT 1 FROM captures c WHERE c.segment=t.id AND c.pos>t.upto) ORDER BY id LIMIT $2`, after, n)
	if err != nil {
		return nil, fmt.Errorf("read what is to be indexed: %w", err)
	}
	return out, nil
}

// CapturesBehind brings captures of a segment behind an offset, in the order of their offsets, n at most.
func (db *DB) CapturesBehind(ctx context.Context, segment string, offset int64, n int) ([]Capture, error) {
	out, err := db.page(ctx, `WHERE segment=$1 AND pos>$2 ORDER BY pos, urlkey LIMIT $3`, segment, offset, n)
	if err != nil {
		return nil, fmt.Errorf("read the captures of segment %s: %w", segment, err)
	}
	return out, nil
}

// ForgetTexts takes all texts of a collection away, so that they are made anew.
func (db *DB) ForgetTexts(ctx context.Context, collection string) error {
	err := db.write(ctx, func(x *tx) error {
		if _, err := x.exec(`DELETE FROM texts WHERE collection=$1`, collection); err != nil {
			return err
		}
		_, err := x.exec(`DELETE FROM indexed WHERE segment IN (SELECT id FROM segments WHERE collection=$1)`, collection)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget the texts of collection %s: %w", collection, err)
	}
	return nil
}

// SearchTexts brings texts that a query finds, the best first, n at most after the first skipped ones. Of one payload there may be several parts. The
// captures that they are of, if there are any, must be asked for: see CapturesOfText.
func (db *DB) SearchTexts(ctx context.Context, q TextQuery, skip, n int) ([]TextHit, error) {
	if len(q.All)+len(q.Any) == 0 || len(q.Collections) == 0 {
		return nil, ErrNothingAsked
	}
	args := []any{db.d.match(q), n, skip}
	for _, c := range q.Collections {
		args = append(args, c)
	}
	in := db.numbered(len(q.Collections), 4)
	query := `SELECT t.id, t.collection, t.digest, t.part, t.title, t.lang, t.body, -bm25(texts_words, 4.0, 1.0) AS mark
		FROM texts_words JOIN texts t ON t.id=texts_words.rowid
		WHERE texts_words MATCH $1 AND t.collection IN (` + in + `) ORDER BY mark DESC, t.id LIMIT $2 OFFSET $3`
	if db.d.server {
		query = `SELECT t.id, t.collection, t.digest, t.part, t.title, t.lang, t.body, ts_rank_cd(t.words, q, 1) AS mark
		FROM texts t, CAST($1 AS TSQUERY) q
		WHERE t.words @@ q AND t.collection IN (` + in + `) ORDER BY mark DESC, t.id LIMIT $2 OFFSET $3`
	}
	out, err := rowsOf(ctx, db, func(r row) (h TextHit, err error) {
		var body []byte
		if err = r.Scan(&h.ID, &h.Collection, &h.Digest, &h.Part, &h.Title, &h.Lang, &body, &h.Rank); err == nil {
			h.Body, err = unzipped(body)
		}
		return h, err
	}, query, args...)
	if err != nil {
		return nil, fmt.Errorf("search texts: %w", err)
	}
	return out, nil
}

// numbered writes n placeholders with their numbers, from the from-th on.
func (db *DB) numbered(n, from int) string {
	out := make([]string, n)
	for i := range out {
		out[i] = "$" + strconv.Itoa(from+i)
	}
	return strings.Join(out, ",")
}

// match writes a query in the language of the database.
func (d dialect) match(q TextQuery) string {
	term, and, or, not := fts5Term, " AND ", " OR ", " NOT "
	if d.server {
		term, and, or, not = tsTerm, " & ", " | ", " & !"
	}
	var all, some []string
	for _, t := range q.All {
		all = append(all, term(t))
	}
	for _, t := range q.Any {
		some = append(some, term(t))
	}
	if len(some) > 0 {
		all = append(all, "("+strings.Join(some, or)+")")
	}
	s := "(" + strings.Join(all, and) + ")"
	for _, t := range q.Not {
		s += not + term(t)
	}
	return s
}

func fts5Term(t TextTerm) string {
	s := `"` + strings.ReplaceAll(harmlessText(strings.Join(t.Words, " ")), `"`, `""`) + `"`
	if t.Prefix {
		s += " *"
	}
	return s
}

func tsTerm(t TextTerm) string {
	words := make([]string, len(t.Words))
	for i, w := range t.Words {
		words[i] = lexeme(w)
	}
	if t.Prefix {
		words[len(words)-1] += ":*"
	}
	return "(" + strings.Join(words, " <-> ") + ")"
}

// CapturesOfText brings the captures that have a payload: those that answered 200 and are no walls, oldest first, n at most.
func (db *DB) CapturesOfText(ctx context.Context, collection, digest string, n int) ([]Capture, error) {
	const good = ` AND status=200 AND flags='' ORDER BY at, segment, pos LIMIT $3`
	out, err := db.page(ctx, `WHERE digest=$1 AND collection=$2 AND kind='response'`+good, digest, collection, n)
	var more []Capture
	if err == nil {
		more, err = db.page(ctx, `WHERE digest=$1 AND collection=$2 AND kind<>'response' AND kind<>'truncated'`+good, digest, collection, n)
	}
	if err != nil {
		return nil, fmt.Errorf("read the captures of a text: %w", err)
	}
	out = append(out, more...)
	slices.SortStableFunc(out, func(a, b Capture) int { return a.At.Compare(b.At) })
	return out[:min(n, len(out))], nil
}

// TextCount counts the payloads of a collection whose texts are kept.
func (db *DB) TextCount(ctx context.Context, collection string) (n int64, err error) {
	if err := db.r.QueryRowContext(ctx, `SELECT COUNT(*) FROM texts WHERE collection=$1 AND part=0`, collection).Scan(&n); err != nil {
		return 0, fmt.Errorf("count texts: %w", err)
	}
	return n, nil
}

// payload names what a text is of.
type payload struct{ collection, digest string }

// textsOf brings the payloads of a segment whose texts are kept, and takes away how far the segment was indexed: its captures are about to go.
func (x *tx) textsOf(segment string) (out []payload, err error) {
	if _, err := x.exec(`DELETE FROM indexed WHERE segment=$1`, segment); err != nil {
		return nil, err
	}
	err = x.each(func(r row) error {
		var p payload
		err := r.Scan(&p.collection, &p.digest)
		out = append(out, p)
		return err
	}, `SELECT DISTINCT t.collection, t.digest FROM captures c JOIN texts t ON t.collection=c.collection AND t.digest=c.digest WHERE c.segment=$1`, segment)
	return out, err
}

// dropTexts takes the texts away that no capture is left of.
func (x *tx) dropTexts(of []payload) error {
	for _, p := range of {
		if _, err := x.exec(`DELETE FROM texts WHERE collection=$1 AND digest=$2
			AND NOT EXISTS (SELECT 1 FROM captures WHERE digest=$2 AND collection=$1 AND kind='response')
			AND NOT EXISTS (SELECT 1 FROM captures WHERE digest=$2 AND collection=$1 AND kind<>'response')`, p.collection, p.digest); err != nil {
			return err
		}
	}
	return nil
}

// maxBody bounds what a part of a text may come to when it is read back, in bytes.
const maxBody = 64 << 20

var (
	zipper = sync.OnceValue(func() *zstd.Encoder {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithLowerEncoderMem(true))
		if err != nil { // of options alone, which are right
			panic(err)
		}
		return w
	})
	unzipper = sync.OnceValue(func() *zstd.Decoder {
		r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBody))
		if err != nil {
			panic(err)
		}
		return r
	})
)

func zipped(s string) []byte { return zipper().EncodeAll([]byte(s), nil) }

func unzipped(b []byte) (string, error) {
	out, err := unzipper().DecodeAll(b, nil)
	if err != nil {
		return "", fmt.Errorf("unpack a text: %w", err)
	}
	return string(out), nil
}

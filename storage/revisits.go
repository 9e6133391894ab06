package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Lack is what the row of a revisit has in RefersTo as long as nobody knows where its original stands: what the revisit's record says of
// that. Its text begins with "<", as no place in a segment does.
type Lack struct {
	ID     string    // WARC-Record-ID of the original, in brackets; "<>" if the record names none
	URLKey string    // of the original; empty: the record says nothing of it
	Exact  string    // tells the original's URL from others of that key: see Exactly; empty: it is not known
	At     time.Time // when it was captured …
	Before bool      // … at the latest: the record names no original, and the last one of its own address is meant
}

// String writes what the row has.
func (l Lack) String() string {
	if l.URLKey == "" {
		return l.ID
	}
	mark := "="
	if l.Before {
		mark = "~"
	}
	if l.Exact != "" {
		return l.ID + " " + mark + l.At.UTC().Format(time.RFC3339Nano) + "#" + l.Exact + " " + foldKey(l.URLKey)
	}
	return l.ID + " " + mark + l.At.UTC().Format(time.RFC3339Nano) + " " + foldKey(l.URLKey)
}

// Exactly is a short word for a URL, by which a Lack knows it among those whose keys are equal.
func Exactly(url string) string {
	sum := sha256.Sum256([]byte(harmlessText(url)))
	return hex.EncodeToString(sum[:8])
}

// Lacking reads what the row of a revisit has; false if that is no Lack.
func Lacking(refersTo string) (l Lack, ok bool) {
	if !strings.HasPrefix(refersTo, "<") {
		return l, false
	}
	parts := strings.SplitN(refersTo, " ", 3)
	l.ID = parts[0]
	if len(parts) == 3 && len(parts[1]) > 1 {
		date, exact, _ := strings.Cut(parts[1][1:], "#")
		at, err := time.Parse(time.RFC3339Nano, date)
		if err == nil {
			l.Exact, l.URLKey, l.At, l.Before = exact, parts[2], at, parts[1][0] == '~'
		}
	}
	return l, true
}

// Referred reads where the original of a revisit stands: "segment/offset" of Capture.RefersTo. Not ok if that is not known: a [Lack] is no
// place, whatever slashes the address in it has.
func Referred(refersTo string) (segment string, offset int64, ok bool) {
	if _, lacks := Lacking(refersTo); lacks {
		return "", 0, false
	}
	segment, pos, ok := strings.Cut(refersTo, "/")
	offset, err := strconv.ParseInt(pos, 10, 64)
	return segment, offset, ok && err == nil
}

// ResolveRevisits finds the originals of revisits that a rebuild wrote with the original's WARC-Record-ID in RefersTo, by
// Capture.Originals. It tells how many originals are not to be found; their revisits stay as they are.
func (db *DB) ResolveRevisits(ctx context.Context) (lost int, err error) {
	for last := "<"; ; {
		page, err := db.unresolved(ctx, last)
		if err != nil {
			return lost, fmt.Errorf("look for revisits of moved records: %w", err)
		}
		if len(page) == 0 {
			return lost, nil
		}
		last = page[len(page)-1].RefersTo
		n, err := db.lead(ctx, page)
		if lost += n; err != nil {
			return lost, err
		}
	}
}

// LeadRevisits leads the revisits of what stood in a segment and could not be read there to equal payloads, as ResolveRevisits
// does. It tells how many originals are not to be found; their revisits stay as they are.
func (db *DB) LeadRevisits(ctx context.Context, segment string) (lost int, err error) {
	there, err := rowsOf(ctx, db, scanText, `SELECT segment || '/' || CAST(pos AS TEXT) FROM captures WHERE segment=$1 AND kind NOT IN ('revisit','truncated')`, segment)
	if err != nil {
		return 0, fmt.Errorf("read what segment %s holds: %w", segment, err)
	}
	stands := make(map[string]bool, len(there))
	for _, place := range there {
		stands[place] = true
	}
	all, err := rowsOf(ctx, db, scanLack, `SELECT DISTINCT `+lackCols+` FROM captures
		WHERE refers_to>=$1 AND refers_to<$2 AND refers_to<>'' ORDER BY refers_to`, segment+"/", segment+"0") // the byte after the slash
	if err == nil {
		all = slices.DeleteFunc(all, func(c Capture) bool { return stands[c.RefersTo] })
		lost, err = db.lead(ctx, all)
	}
	if err != nil {
		return lost, fmt.Errorf("lead revisits of segment %s: %w", segment, err)
	}
	return lost, nil
}

// unresolved brings what revisits lack: record ids with collection and payload digest, all of one record id together, and the
// URL of one whose server answered 304, which needs the head, too.
func (db *DB) unresolved(ctx context.Context, after string) ([]Capture, error) {
	return rowsOf(ctx, db, scanLack, `SELECT DISTINCT `+lackCols+` FROM captures WHERE refers_to IN (SELECT DISTINCT refers_to
		FROM captures WHERE refers_to>$1 AND refers_to<'=' AND refers_to<>'' ORDER BY refers_to LIMIT $2) AND refers_to<>'' ORDER BY refers_to`, after, pageRows)
}

// lackCols are what tells which revisits lack the same; scanLack reads them. Those of an imported file, which has a run of its own, are
// led to originals of the same file, if it has them: then it does not matter what was imported first.
const lackCols = `refers_to, collection, digest, unmodified, CASE WHEN unmodified=1 THEN url ELSE '' END, CASE WHEN run<0 THEN run ELSE 0 END`

func scanLack(r row) (c Capture, err error) {
	var unmodified int64
	err = r.Scan(&c.RefersTo, &c.Collection, &c.Digest, &unmodified, &c.URL, &c.Run)
	c.Unmodified = unmodified != 0
	return c, err
}

// lead leads revisits, by what they lack, to the best of what may stand for their originals. It tells for how many there is nothing,
// those of imported files apart: their originals may never have been here.
func (db *DB) lead(ctx context.Context, lacks []Capture) (lost int, err error) {
	best := make([]string, len(lacks))
	for k := range lacks {
		if best[k], err = db.originalOf(ctx, &lacks[k]); err != nil {
			return lost, err
		}
		if best[k] == "" && lacks[k].Run >= 0 {
			lost++
		}
	}
	err = db.write(ctx, func(x *tx) error {
		for k := range lacks {
			lack := &lacks[k]
			if best[k] == "" {
				continue
			}
			if _, err := x.exec(`UPDATE captures SET refers_to=$1 WHERE refers_to=$2 AND refers_to<>'' AND collection=$3 AND digest=$4 AND unmodified=$5 AND ($6='' OR url=$6) AND (CAST($7 AS BIGINT)=0 OR run=$7)`,
				best[k], lack.RefersTo, lack.Collection, lack.Digest, bit(lack.Unmodified), lack.URL, lack.Run); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return lost, fmt.Errorf("lead revisits to their originals: %w", err)
	}
	return lost, nil
}

// sqlNear has what holds its payload itself before what refers to it in turn, and what is of the same imported file before others.
const sqlNear = `CASE WHEN kind='revisit' THEN 1 ELSE 0 END, CASE WHEN run=$3 THEN 0 ELSE 1 END`

// apart is 0 if a capture came with the same imported file as what is meant, or that came with none.
func apart(run, meant int64) int {
	if meant == 0 || run == meant {
		return 0
	}
	return 1
}

// originalOf is the place of the best original for a revisit: the record that it names, by its id or by address and date; else an
// equal payload; else, if it names none, the last capture of its own address that it may mean. Empty if there is nothing. All of it is
// of the revisit's collection. A revisit of this archive's own is led to what this archive has captured, and to nothing that was imported.
func (db *DB) originalOf(ctx context.Context, lack *Capture) (string, error) {
	named, _ := Lacking(lack.RefersTo)
	if len(named.ID) > len("<>") && lack.Run < 0 {
		found, err := db.stands(ctx, lack, `record_id=$4 AND segment>='imported-' AND segment<'imported.' ORDER BY `+sqlNear+`, at, segment, pos LIMIT 8`, named.ID)
		if err != nil || found != "" {
			return found, err
		}
	}
	if named.URLKey != "" && !named.Before {
		found, err := db.dated(ctx, lack, &named)
		if err != nil || found != "" {
			return found, err
		}
	}
	if lack.Digest != "" {
		holders, err := db.Holders(ctx, lack.Collection, lack.Digest)
		if err != nil {
			return "", err
		}
		if lack.Run >= 0 { // what an imported record says of its payload, nobody has proved
			holders = slices.DeleteFunc(holders, func(c Capture) bool { return c.Run < 0 })
		}
		holders = lack.Originals(holders, named.ID)
		slices.SortStableFunc(holders, func(a, b Capture) int { return apart(a.Run, lack.Run) - apart(b.Run, lack.Run) })
		if len(holders) > 0 {
			return place(&holders[0]), nil
		}
	}
	if named.URLKey != "" && named.Before {
		return db.stands(ctx, lack, `urlkey=$4 AND at<=$5 AND kind='response' AND status>=200 AND status<300 ORDER BY CASE WHEN url=$6 THEN 0 ELSE 1 END, at DESC, `+sqlNear+`, segment, pos LIMIT 8`,
			foldKey(named.URLKey), micros(named.At), lack.URL)
	}
	return "", nil
}

// stands is the place of the first of some captures that may be what a revisit names: empty if none may.
func (db *DB) stands(ctx context.Context, lack *Capture, where string, args ...any) (string, error) {
	found, err := db.mayBe(ctx, lack, where, args...)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return place(&found[0]), nil
}

// maxDated bounds how many captures of a key and a moment are held against what a revisit names.
const maxDated = 256

// dated is the place of what a revisit names by address and date: of exactly that address before others of its key, the nearest. Empty
// if there is none, or if captures with different payloads are meant alike.
func (db *DB) dated(ctx context.Context, lack *Capture, named *Lack) (string, error) {
	found, err := db.mayBe(ctx, lack, `urlkey=$4 AND at>$5 AND at<$6 ORDER BY `+sqlNear+`, ABS(at-$7), segment, pos LIMIT `+strconv.Itoa(maxDated), foldKey(named.URLKey),
		micros(named.At.Add(-time.Second)), micros(named.At.Add(time.Second)), micros(named.At))
	if err != nil || len(found) == 0 {
		return "", err
	}
	rank := func(c *Capture) (r int) {
		if named.Exact != "" && Exactly(c.URL) != named.Exact {
			r += 4
		}
		if c.Kind == "revisit" {
			r += 2
		}
		return r + apart(c.Run, lack.Run)
	}
	off := func(c *Capture) int64 { return max(micros(c.At)-micros(named.At), micros(named.At)-micros(c.At)) }
	slices.SortStableFunc(found, func(a, b Capture) int { return rank(&a) - rank(&b) })
	best := &found[0]
	for k := range found[1:] {
		if c := &found[1+k]; rank(c) == rank(best) && off(c) == off(best) && !alike(c.Digest, best.Digest) {
			return "", nil
		}
	}
	return place(best), nil
}

// mayBe brings captures that may be what a revisit names. One with another payload is not, whatever its name, nor is the revisit itself.
func (db *DB) mayBe(ctx context.Context, lack *Capture, where string, args ...any) ([]Capture, error) {
	found, err := rowsOf(ctx, db, scanCapture, `SELECT `+captureCols+` FROM captures WHERE collection=$1 AND refers_to<>$2 AND kind<>'truncated' AND `+where,
		slices.Concat([]any{lack.Collection, lack.RefersTo, lack.Run}, args)...)
	if err != nil {
		return nil, fmt.Errorf("look for the original of a revisit: %w", err)
	}
	return slices.DeleteFunc(found, func(c Capture) bool { return !alike(lack.Digest, c.Digest) }), nil
}

// alike says whether two digests may be those of the same payload: they are equal, or nobody can tell.
func alike(a, b string) bool {
	algorithm, _, _ := strings.Cut(a, ":")
	other, _, _ := strings.Cut(b, ":")
	return a == b || a == "" || b == "" || algorithm != other
}

// place is where a capture stands, as revisits refer to it.
func place(c *Capture) string { return fmt.Sprintf("%s/%d", c.Segment, c.Offset) }

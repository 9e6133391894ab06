package storage

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Line adds up what a run did on a host in one segment: exchanges that ended alike, or links that were left out alike.
type Line struct {
	Run     int64
	Segment string
	Host    string        // that was asked; of links left out, the one whose pages name them
	Word    string        // the outcome, see archive/outcome; empty for links left out
	Left    string        // why links were left out, see scope.Reason; empty for exchanges
	N       int64         // exchanges, each try counted; or links
	Revisit int64         // of them: those whose payload was there already
	Bytes   int64         // of payloads …
	Fresh   int64         // … and of those that were new
	Took    time.Duration // all exchanges together, milliseconds
	Longest time.Duration // the longest of them
	Example string        // an address of which no response came, or one of the links left out
}

// LeftOut are the links of one document that did not become tasks, for one reason.
type LeftOut struct {
	Reason  string
	N       int64
	Example string // the first of them
}

// maxExample bounds an example, in bytes: a longer address is none.
const maxExample = 500

type lineKey struct {
	run                 int64
	segment, host, word string
}

const leftOutWord = "out:"

func (l *Line) key() lineKey {
	k := lineKey{l.Run, l.Segment, foldKey(l.Host), l.Word}
	if l.Left != "" {
		k.word = leftOutWord + l.Left
	}
	return k
}

// Ledger adds lines up.
type Ledger map[lineKey]Line

// Add counts an end, with all that its exchange brought. One without an exchange counts for nothing.
func (g Ledger) Add(e *End) {
	l := Line{Run: e.Task.Run, Host: e.Task.Host, N: 1, Bytes: e.Bytes, Fresh: e.Bytes, Took: e.Took, Longest: e.Took}
	switch {
	case len(e.Captures) > 0:
		c := &e.Captures[0]
		l.Segment, l.Word = c.Segment, c.Outcome
		if c.Kind == kindRevisit {
			l.Revisit, l.Fresh = 1, 0
		}
	case len(e.Attempts) > 0:
		l.Segment, l.Word, l.Example = e.Attempts[0].Segment, e.Attempts[0].Outcome, exampleOf(e.Attempts[0].URL)
	default:
		return
	}
	g.line(l)
	for _, o := range e.LeftOut {
		g.line(Line{Run: l.Run, Segment: l.Segment, Host: l.Host, Left: o.Reason, N: o.N, Example: exampleOf(o.Example)})
	}
}

func exampleOf(url string) string {
	if len(url) > maxExample {
		return ""
	}
	return url
}

// kindRevisit is the kind of a capture whose payload stands elsewhere, see archive/warc.
const kindRevisit = "revisit"

func (g Ledger) line(l Line) {
	k := l.key()
	if was, ok := g[k]; ok {
		l = was.plus(l)
	}
	g[k] = l
}

// Join adds another ledger to this one, which may be nil, and returns it.
func (g Ledger) Join(o Ledger) Ledger {
	if g == nil {
		g = Ledger{}
	}
	for _, l := range o {
		g.line(l)
	}
	return g
}

func (l Line) plus(o Line) Line {
	l.N, l.Revisit, l.Bytes, l.Fresh, l.Took = l.N+o.N, l.Revisit+o.Revisit, l.Bytes+o.Bytes, l.Fresh+o.Fresh, l.Took+o.Took
	l.Longest, l.Example = max(l.Longest, o.Longest), cmp.Or(l.Example, o.Example)
	return l
}

func (k lineKey) compare(o lineKey) int {
	return cmp.Or(cmp.Compare(k.run, o.run), strings.Compare(k.segment, o.segment), strings.Compare(k.host, o.host), strings.Compare(k.word, o.word))
}

// addLedger adds lines to those that are there, in the order of their keys. Each segment is one node's, so that nobody
// waits here for another.
func (x *tx) addLedger(g Ledger) error {
	args := make([]any, 0, 11*len(g))
	for _, k := range slices.SortedFunc(maps.Keys(g), lineKey.compare) {
		l := g[k]
		args = append(args, k.run, k.segment, k.host, k.word, l.N, l.Revisit, l.Bytes, l.Fresh, l.Took.Milliseconds(), l.Longest.Milliseconds(), l.Example)
	}
	return x.putRows(`INSERT INTO ledger (run, segment, host, word, n, revisits, bytes, fresh, ms, ms_max, example)`,
		` ON CONFLICT (run, segment, host, word) DO UPDATE SET n=ledger.n+excluded.n, revisits=ledger.revisits+excluded.revisits,
			bytes=ledger.bytes+excluded.bytes, fresh=ledger.fresh+excluded.fresh, ms=ledger.ms+excluded.ms,
			ms_max=CASE WHEN excluded.ms_max>ledger.ms_max THEN excluded.ms_max ELSE ledger.ms_max END,
			example=CASE WHEN ledger.example='' THEN excluded.example ELSE ledger.example END`, 11, args)
}

// speedKept is for how long it is known how fast a node was.
const speedKept = time.Hour

// addSpeed counts exchanges for the minute in which they were acknowledged.
func (x *tx) addSpeed(node string, ends []End, held []bool) error {
	var n, bytes int64
	for i := range ends {
		if held[i] {
			n, bytes = n+1, bytes+ends[i].Bytes
		}
	}
	if n == 0 {
		return nil
	}
	return x.put(`INSERT INTO speed (node, minute, n, bytes) VALUES ($1,$2,$3,$4)
		ON CONFLICT (node, minute) DO UPDATE SET n=speed.n+excluded.n, bytes=speed.bytes+excluded.bytes`, node, minuteOf(x.db.Now()), n, bytes)
}

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

// noteEnds adds the ends that count to all that is added up: the runs' counts, the ledger, the node's speed.
func (x *tx) noteEnds(node string, ends []End, held []bool) error {
	if err := x.countEnds(node, ends, held); err != nil {
		return err
	}
	g := Ledger{}
	for i := range ends {
		if held[i] {
			g.Add(&ends[i])
		}
	}
	if len(g) == 0 {
		return nil
	}
	if err := x.addLedger(g); err != nil || node == "" {
		return err
	}
	return x.addSpeed(node, ends, held)
}

// RunLedger brings the lines of a run, those of all segments added up, by host and word.
func (db *DB) RunLedger(ctx context.Context, run int64) ([]Line, error) {
	out, err := rowsOf(ctx, db, scanLine, `SELECT host, word, `+lineSums+` FROM ledger WHERE run=$1 GROUP BY host, word ORDER BY host, word`, run)
	if err != nil {
		return nil, fmt.Errorf("read what run %d came to: %w", run, err)
	}
	for i := range out {
		out[i].Run = run
	}
	return out, nil
}

const lineSums = `CAST(SUM(n) AS BIGINT), CAST(SUM(revisits) AS BIGINT), CAST(SUM(bytes) AS BIGINT), CAST(SUM(fresh) AS BIGINT),
	CAST(SUM(ms) AS BIGINT), MAX(ms_max), MAX(example)`

func scanLine(r row) (l Line, err error) {
	var ms, most int64
	err = r.Scan(&l.Host, &l.Word, &l.N, &l.Revisit, &l.Bytes, &l.Fresh, &ms, &most, &l.Example)
	l.Took, l.Longest = time.Duration(ms)*time.Millisecond, time.Duration(most)*time.Millisecond
	if reason, left := strings.CutPrefix(l.Word, leftOutWord); left {
		l.Word, l.Left = "", reason
	}
	return l, err
}

// RunSegments brings the segments that hold exchanges of a run, in the order of their names.
func (db *DB) RunSegments(ctx context.Context, run int64) ([]string, error) {
	out, err := rowsOf(ctx, db, scanString,
		`SELECT DISTINCT segment FROM ledger WHERE run=$1 ORDER BY segment`, run)
	if err != nil {
		return nil, fmt.Errorf("read the segments of run %d: %w", run, err)
	}
	return out, nil
}

// Speed is how fast a node worked of late.
type Speed struct {
	Node  string
	N     int64         // exchanges that were acknowledged …
	Bytes int64         // … and their payloads
	Over  time.Duration // in this time
}

// Speeds tells how fast the nodes were that did anything in the last minutes, for a time and what is left of the minute in
// which it began.
func (db *DB) Speeds(ctx context.Context, last time.Duration) ([]Speed, error) {
	now := db.Now()
	from := minuteOf(now.Add(-last))
	out, err := rowsOf(ctx, db, func(r row) (p Speed, err error) {
		p.Over = now.Sub(time.Unix(from*60, 0))
		err = r.Scan(&p.Node, &p.N, &p.Bytes)
		return p, err
	}, `SELECT node, CAST(SUM(n) AS BIGINT), CAST(SUM(bytes) AS BIGINT) FROM speed WHERE minute>=$1 GROUP BY node ORDER BY node`, from)
	if err != nil {
		return nil, fmt.Errorf("read how fast nodes are: %w", err)
	}
	return out, nil
}

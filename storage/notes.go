package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Kinds of notes.
const (
	NoteRepair     = "repair"     // of a damaged citation: the subject is the post
	NoteIdentifier = "identifier" // a short permanent name: the subject is the name, the target what it names
)

// Note is what somebody added to the archive beside its captures. Notes are only ever added: what holds of a subject is what its
// notes say in their order. Its JSON is the record that tells of it.
type Note struct {
	ID         string          `json:"id"`
	Kind       string          `json:"kind"`
	Subject    string          `json:"subject"`
	Seq        int             `json:"seq"` // order among the notes of its kind and subject, from 0
	Collection string          `json:"-"`   // in whose segments it is told
	Target     string          `json:"target,omitempty"`
	At         time.Time       `json:"at"` // microseconds, UTC
	Node       string          `json:"node,omitempty"`
	Body       json.RawMessage `json:"body"` // opaque here
	Segment    string          `json:"-"`    // that tells of it; empty: none does yet
}

// ErrNote says that a record tells of no note.
var ErrNote = errors.New("it names no note, kind or subject")

// ReadNote reads the record of a note.
func ReadNote(raw []byte) (Note, error) {
	var n Note
	err := json.Unmarshal(raw, &n)
	if err == nil && (n.ID == "" || n.Kind == "" || n.Subject == "" || n.Seq < 0 || n.At.IsZero() || len(n.Body) == 0) {
		err = ErrNote
	}
	if err != nil {
		return Note{}, fmt.Errorf("read a note: %w", err)
	}
	n.At = n.At.UTC()
	return n, nil
}

// noteCols are what scanNote reads.
const noteCols = `id, kind, subject, seq, collection, target, at, node, body, segment`

func scanNote(r row) (n Note, err error) {
	var at int64
	var body string
	err = r.Scan(&n.ID, &n.Kind, &n.Subject, &n.Seq, &n.Collection, &n.Target, &at, &n.Node, &body, &n.Segment)
	n.At, n.Body = fromMicros(at), json.RawMessage(body)
	return n, err
}

// errOvertaken says that somebody else has added a note of the same subject in between.
var errOvertaken = errors.New("somebody else added to it at the same time")

// noteTries bounds how often notes are added anew because somebody else was quicker.
const noteTries = 20

// AddNotes hands the notes of a kind and subject to add, in order, and writes what it returns behind them: all or nothing. Nobody
// else adds to them in between. ID, At, Collection, Target, Node and Body are the caller's to set; add may be called again.
func (db *DB) AddNotes(ctx context.Context, kind, subject string, add func(have []Note) ([]Note, error)) error {
	return db.addNotesAnd(ctx, kind, subject, add, func(*tx) error { return nil })
}

// addNotesAnd adds notes, and does something else in the same transaction.
func (db *DB) addNotesAnd(ctx context.Context, kind, subject string, add func(have []Note) ([]Note, error), then func(*tx) error) error {
	var err error
	for range noteTries {
		err = db.write(ctx, func(x *tx) error {
			if err := x.addNotes(kind, subject, add); err != nil {
				return err
			}
			return then(x)
		})
		if !errors.Is(err, errOvertaken) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("add a note about %s: %w", subject, err)
	}
	return nil
}

func (x *tx) addNotes(kind, subject string, add func(have []Note) ([]Note, error)) error {
	have, err := x.notesAbout(kind, subject)
	if err != nil {
		return err
	}
	fresh, err := add(have)
	if err != nil {
		return err
	}
	seq := 0
	if len(have) > 0 {
		seq = have[len(have)-1].Seq + 1
	}
	for _, n := range fresh {
		n.Kind, n.Subject, n.Seq, n.Segment = kind, subject, seq, ""
		seq++
		done, err := x.exec(`INSERT INTO notes (`+noteCols+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10) ON CONFLICT DO NOTHING`, n.values()...)
		if err == nil && done == 0 {
			err = errOvertaken
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *Note) values() []any {
	return []any{n.ID, n.Kind, n.Subject, n.Seq, n.Collection, n.Target, micros(n.At), n.Node, string(n.Body), n.Segment}
}

// AddNote writes one note behind the others of its kind and subject.
func (db *DB) AddNote(ctx context.Context, n Note) error {
	return db.AddNotes(ctx, n.Kind, n.Subject, func([]Note) ([]Note, error) { return []Note{n}, nil })
}

// Notes brings the notes of a kind about a subject, in order.
func (db *DB) Notes(ctx context.Context, kind, subject string) ([]Note, error) {
	return db.notes(ctx, `WHERE kind=$1 AND subject=$2 ORDER BY seq`, kind, subject)
}

// NotesOf brings the notes of a kind with a target: the subject whose first one is oldest first, and those of a subject in order.
func (db *DB) NotesOf(ctx context.Context, kind, target string) ([]Note, error) {
	return db.notes(ctx, `WHERE kind=$1 AND target=$2 AND target<>''
		ORDER BY MIN(at) OVER (PARTITION BY subject), subject, seq`, kind, target)
}

// noteTargets bounds the targets of one statement.
const noteTargets = 500

// NotesAmong brings the notes of a kind with any of the targets, of each target as NotesOf does. An empty target has none.
func (db *DB) NotesAmong(ctx context.Context, kind string, targets []string) (out []Note, err error) {
	targets = slices.DeleteFunc(slices.Clone(targets), func(t string) bool { return t == "" })
	slices.Sort(targets)
	for part := range slices.Chunk(slices.Compact(targets), noteTargets) {
		args := []any{kind}
		for _, t := range part {
			args = append(args, t)
		}
		notes, err := db.notes(ctx, `WHERE kind=`+db.d.places(1, 1)+` AND target<>'' AND target IN (`+db.d.places(len(part), 2)+`)
			ORDER BY target, MIN(at) OVER (PARTITION BY target, subject), subject, seq`, args...)
		if err != nil {
			return nil, err
		}
		out = append(out, notes...)
	}
	return out, nil
}

// AllNotes brings every note, those of a subject in order.
func (db *DB) AllNotes(ctx context.Context) ([]Note, error) {
	return db.notes(ctx, `ORDER BY kind, subject, seq`)
}

// UntoldNotes brings the notes that no segment tells of, by collection, those of a subject in order.
func (db *DB) UntoldNotes(ctx context.Context) ([]Note, error) {
	return db.notes(ctx, `WHERE segment='' ORDER BY collection, kind, subject, seq`)
}

// Note brings one note; ErrNotFound if there is none of that id.
func (db *DB) Note(ctx context.Context, id string) (Note, error) {
	out, err := db.notes(ctx, `WHERE id=$1`, id)
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("note %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return Note{}, err
	}
	return out[0], nil
}

func (db *DB) notes(ctx context.Context, where string, args ...any) ([]Note, error) {
	out, err := rowsOf(ctx, db, scanNote, `SELECT `+noteCols+` FROM notes `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read notes: %w", err)
	}
	return out, nil
}

// AdoptNotes writes notes that a rebuild found, over those that are there. Where another note has its number, it comes behind all
// others of its subject: nothing is lost.
func (db *DB) AdoptNotes(ctx context.Context, notes ...Note) error {
	if len(notes) == 0 {
		return nil
	}
	err := db.write(ctx, func(x *tx) error {
		for i := range notes {
			n := notes[i]
			if _, err := x.exec(`DELETE FROM notes WHERE id=$1`, n.ID); err != nil {
				return err
			}
			var taken, next int
			if err := x.one(&taken, `SELECT COUNT(*) FROM notes WHERE kind=$1 AND subject=$2 AND seq=$3`, n.Kind, n.Subject, n.Seq); err != nil {
				return err
			}
			if taken > 0 {
				if err := x.one(&next, `SELECT MAX(seq)+1 FROM notes WHERE kind=$1 AND subject=$2`, n.Kind, n.Subject); err != nil {
					return err
				}
				n.Seq = next
			}
			if _, err := x.exec(`INSERT INTO notes (`+noteCols+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)`, n.values()...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("take in notes: %w", err)
	}
	return nil
}

// Told writes the row of a segment that is stored, and notes which changes of access rules and which notes it tells of: all or
// nothing. ErrStale if another segment tells of one of them meanwhile, or one is gone: nobody counts on the segment then.
func (db *DB) Told(ctx context.Context, s Segment, changes, notes []string) error {
	err := db.write(ctx, func(x *tx) error {
		if err := x.tellOf(`access`, s.ID, changes); err != nil {
			return err
		}
		if err := x.tellOf(`notes`, s.ID, notes); err != nil {
			return err
		}
		_, err := x.exec(`INSERT INTO segments (`+segmentCols+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9) ON CONFLICT DO NOTHING`,
			s.ID, s.Collection, s.Node, s.Location, SegmentStored, s.Committed, s.Size, s.SHA256, micros(s.Created))
		return err
	})
	if err != nil {
		return fmt.Errorf("note what a segment tells of: %w", err)
	}
	return nil
}

// tellOf notes which segment tells of rows. They are taken in one order by everybody, so that nobody waits in a circle.
func (x *tx) tellOf(table, segment string, ids []string) error {
	for _, id := range slices.Sorted(slices.Values(ids)) {
		n, err := x.exec(`UPDATE `+table+` SET segment=$1 WHERE id=$2 AND (segment='' OR segment=$1)`, segment, id)
		if err == nil && n != 1 {
			err = ErrStale
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// forgetRepairs takes away the repairs of a post of which no version is left. The segments that tell of them go as a whole; what else
// they tell of is untold from then on, until somebody tells of it anew.
func (x *tx) forgetRepairs(post string) error {
	var left int
	if err := x.one(&left, `SELECT COUNT(*) FROM posts WHERE id=$1`, post); err != nil || left > 0 {
		return err
	}
	segments, err := x.strings(`SELECT DISTINCT segment FROM notes WHERE kind=$1 AND subject=$2 AND segment<>''`, NoteRepair, post)
	if err != nil {
		return err
	}
	if _, err := x.exec(`DELETE FROM notes WHERE kind=$1 AND subject=$2`, NoteRepair, post); err != nil {
		return err
	}
	for _, id := range segments {
		for _, q := range []string{
			`INSERT INTO doomed (location) SELECT location FROM segments WHERE id=$1 ON CONFLICT DO NOTHING`,
			`INSERT INTO purged (segment) VALUES ($1) ON CONFLICT DO NOTHING`,
			`DELETE FROM segments WHERE id=$1`,
			`UPDATE notes SET segment='' WHERE segment=$1`,
			`UPDATE access SET segment='' WHERE segment=$1`,
		} {
			if _, err := x.exec(q, id); err != nil {
				return err
			}
		}
	}
	return nil
}

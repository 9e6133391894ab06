package warc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"linkstead/storage"
)

// MendRows is what repairs write.
type MendRows interface {
	Mend(ctx context.Context, m *storage.Mend) error
	GiveUpStored(ctx context.Context, segment string, a storage.Audit) (storage.Loss, error)
	DropStrays(ctx context.Context, s storage.Stray, a storage.Audit) error
	AdoptRun(ctx context.Context, r storage.Run) error
	AccessAdopter
	NoteAdopter
}

// ActionRepair is what a repair is called in the log.
const ActionRepair = "repair"

// Repair is what the log tells of one.
type Repair struct {
	Segment string         `json:"segment"`
	Faults  map[string]int `json:"faults"` // that were mended, by word
}

// Mender repairs what an Inspector finds: rows are written as the records tell them, by the code of a rebuild, and objects
// without rows are adopted. It never deletes bytes, and rows whose bytes are gone only if DeleteRows is set. Each repair
// leaves a line in the log. Nobody may purge meanwhile.
type Mender struct {
	Rows       MendRows
	Adopter    Adopter // what a rebuild writes with
	Store      Putter
	Temp       string // folder for one segment at a time
	Node       string // who repairs, for the log
	DeleteRows bool
	Now        func() time.Time

	mu   sync.Mutex
	runs map[int64]bool
}

// Runs are the runs whose rows were made anew: somebody has to say where they stand.
func (m *Mender) Runs() []int64 { return slices.Sorted(maps.Keys(m.runs)) }

// note is the line in the log.
func (m *Mender) note(segment string, what map[string]int) (storage.Audit, error) {
	detail, err := json.Marshal(Repair{segment, what})
	if err != nil {
		return storage.Audit{}, fmt.Errorf("note a repair: %w", err)
	}
	return storage.Audit{ID: "verify-" + storage.Random(10), At: m.Now().UTC(), Node: m.Node, Action: ActionRepair, Detail: detail}, nil
}

// drop marks a row without a record for deletion, if that is asked for.
func (m *Mender) drop(c *comparison, s storage.Spot) {
	if m == nil || !m.DeleteRows || c.differs && !c.isGone(s.Offset) {
		return
	}
	c.gone = append(c.gone, s)
	if s.Kind == spotPost {
		c.mend.Strays = append(c.mend.Strays, c.there.posts[s.Offset]...)
		return
	}
	c.mend.Drop = append(c.mend.Drop, s)
	again := &c.mend.Again
	for _, v := range c.there.captures[s.Offset] {
		if s.Kind == storage.SpotCapture {
			*again = append(*again, storage.TaskURL{Collection: v.Collection, URLKey: v.URLKey, URL: v.URL, Run: v.Run, Captured: true})
		}
	}
	for _, v := range c.there.attempts[s.Offset] {
		if s.Kind == storage.SpotAttempt {
			*again = append(*again, storage.TaskURL{Collection: v.Collection, URLKey: v.URLKey, URL: v.URL, Run: v.Run})
		}
	}
}

// spotPost are the rows of posts, as a spot.
const spotPost storage.SpotKind = "posts"

// mend writes what the comparison of a segment has found, in one transaction.
func (m *Mender) mend(ctx context.Context, c *comparison) error {
	w := &c.mend
	if m == nil || w.Fields == nil && len(w.Drop)+len(w.Posts)+len(w.Strays)+len(w.Put)+len(w.Voided)+len(w.Tasks)+len(w.Runs) == 0 && len(c.runsAnew)+len(c.rulesAnew)+len(c.notesAnew) == 0 {
		return nil
	}
	moved := map[int64]bool{}
	for i := range w.Put {
		for _, v := range w.Put[i].Captures {
			moved[v.Offset] = true
		}
	}
	counts := map[string]int{}
	for i := range c.Flaws {
		f := &c.Flaws[i]
		switch {
		case c.differs && (f.Word != WordNoRecord || !c.isGone(f.Offset)):
			continue
		case f.Word == WordNoRow && c.noRun[f.Offset], f.Word == WordDangling && !moved[f.Offset]:
			continue
		case f.Word == WordNoRow || f.Word == WordRow || f.Word == WordTask || f.Word == WordDangling:
			f.mended("the rows were written as the record tells them")
		case f.Word == WordNoRecord && m.DeleteRows:
			f.mended("the row was deleted")
		default:
			continue
		}
		counts[string(f.Word)]++
	}
	var err error
	if w.Audit, err = m.note(c.Segment, counts); err != nil {
		return err
	}
	for _, r := range c.runsAnew {
		r.State = storage.RunActive
		if err := m.Rows.AdoptRun(ctx, r); err != nil {
			return err
		}
		m.ran(r.ID)
	}
	if err := errors.Join(m.Rows.AdoptAccess(ctx, c.rulesAnew...), m.Rows.AdoptNotes(ctx, c.notesAnew...)); err != nil {
		return err
	}
	for _, u := range w.Again {
		m.ran(u.Run)
	}
	return m.Rows.Mend(ctx, w)
}

func (m *Mender) ran(ids ...int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.runs == nil {
		m.runs = map[int64]bool{}
	}
	for _, id := range ids {
		m.runs[id] = true
	}
}

// dropStrays deletes rows of segments that are none, if that is asked for.
func (m *Mender) dropStrays(ctx context.Context, f *Flaw, s storage.Stray) error {
	if m == nil || !m.DeleteRows {
		return nil
	}
	a, err := m.note(s.Segment, map[string]int{string(f.Word): int(s.Rows)})
	if err == nil {
		err = m.Rows.DropStrays(ctx, s, a)
	}
	if err == nil {
		f.mended("the rows were deleted")
	}
	return err
}

// giveUp gives the captures of a stored segment up whose object is gone, if that is asked for.
func (m *Mender) giveUp(ctx context.Context, f *Flaw, row storage.Segment) error {
	if m == nil || !m.DeleteRows || row.State != storage.SegmentStored {
		return nil
	}
	a, err := m.note(row.ID, map[string]int{string(WordMissing): 1})
	if err != nil {
		return err
	}
	l, err := m.Rows.GiveUpStored(ctx, row.ID, a)
	if err != nil {
		return err
	}
	f.mended("it was given up: %d captures are gone, %d addresses are due again", l.Captures, l.Tasks)
	return nil
}

// putBack copies an object that holds what a segment lacks to where that belongs.
func (m *Mender) putBack(ctx context.Context, from Getter, f *Flaw, blob storage.Blob, row storage.Segment) (err error) {
	if m == nil {
		return nil
	}
	file, err := os.CreateTemp(m.Temp, "verify-*")
	if err != nil {
		return fmt.Errorf("copy %s: %w", blob.Key, err)
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	in, err := from.Open(ctx, blob.Key, 0, -1)
	if err != nil {
		return err
	}
	if err := errors.Join(copySum(file, in, row.SHA256), in.Close()); err != nil {
		return fmt.Errorf("copy %s: %w", blob.Key, err)
	}
	if err := m.Store.Put(ctx, row.Location, file.Name(), row.SHA256); err != nil {
		return err
	}
	f.mended("it was copied to %s; delete this one", row.Location)
	return nil
}

// relocate lets the row of a segment say where its object stands.
func (m *Mender) relocate(ctx context.Context, f *Flaw, row storage.Segment) error {
	if m == nil {
		return nil
	}
	a, err := m.note(row.ID, map[string]int{string(f.Word): 1})
	if err == nil {
		err = m.Rows.Mend(ctx, &storage.Mend{Segment: row.ID, Fields: &row, Audit: a})
	}
	if err == nil {
		f.mended("the row says so now")
	}
	return err
}

// lead lets the row of a revisit say where an equal payload stands.
func (m *Mender) lead(ctx context.Context, f *Flaw, revisit *storage.Capture, to string) error {
	a, err := m.note(revisit.Segment, map[string]int{string(f.Word): 1})
	if err == nil {
		err = m.Rows.Mend(ctx, &storage.Mend{Segment: revisit.Segment, Lead: map[int64]string{revisit.Offset: to}, Audit: a})
	}
	if err == nil {
		f.mended("it leads to an equal payload now, at %s", to)
	}
	return err
}

// adopt takes an object in that no row names, as a rebuild does.
func (m *Mender) adopt(ctx context.Context, i *Inspector, f *Flaw, blob storage.Blob, row storage.Segment) error {
	if m == nil {
		return nil
	}
	why, runs, err := i.adoptable(ctx, blob)
	if err != nil {
		return err
	}
	if why != "" {
		f.Detail, f.Try = f.Detail+"; it can't be adopted: "+why, "look at it; move it away if it is not yours"
		return nil
	}
	all, err := i.Rows.Segments(ctx)
	if err != nil {
		return err
	}
	known := map[string]bool{segmentID(blob.Key): true}
	for _, s := range all {
		known[s.ID] = true
	}
	if row.State == storage.SegmentLost {
		sum, err := i.sumOf(ctx, blob.Key)
		if err != nil {
			return err
		}
		row.Location, row.Size, row.SHA256 = blob.Key, blob.Size, sum
		a, err := m.note(row.ID, map[string]int{string(f.Word): 1})
		if err == nil {
			err = m.Rows.Mend(ctx, &storage.Mend{Segment: row.ID, Fields: &row, Revive: true, Audit: a})
		}
		if err != nil {
			return err
		}
	}
	b := &Rebuilder{Rows: m.Adopter, Blobs: i.Blobs, Temp: m.Temp}
	done, err := b.adoptOne(ctx, blob, known)
	if err != nil {
		return fmt.Errorf("adopt %s: %w", blob.Key, err)
	}
	m.ran(runs...)
	a, err := m.note(segmentID(blob.Key), map[string]int{string(f.Word): 1})
	if err == nil {
		err = m.Adopter.AdoptAudit(ctx, a)
	}
	f.mended("it was taken in: %d exchanges", done.Exchanges)
	return err
}

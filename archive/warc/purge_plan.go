package warc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// batch is a number of segments that are rewritten together.
type batch struct {
	*Purger
	order    *PurgeOrder
	so       Purged // with this batch
	began    time.Time
	going    map[string]bool // places of everything that is to go, in other batches, too
	rewrites map[string]*rewrite
	todo     []*rewrite         // whose payloads that go are not looked at yet
	instead  map[string]string  // places that go, and where their payloads stand instead
	promoted map[payload]string // places of revisits that are to hold a payload
	moves    map[string]string  // from every place in an old segment to the one in the new segment
	swap     storage.Swap
}

// payload is what others refer to; url is set where they refer to its head, too: a page that was not modified.
type payload struct{ collection, digest, url string }

// rewrite is one segment on its way.
type rewrite struct {
	rows    storage.SegmentRows
	file    *os.File
	row     storage.Segment // the new one
	path    string          // its file
	note    purgeNote
	out     map[int64]bool     // units that go, by the offset that their rows name
	servers map[string]bool    // fingerprints of certificates under which what stays was captured
	holds   map[int64]original // revisits that become responses, by offset
	lost    []lostPayload      // payloads that go
	mains   map[int64]int64    // where main records and records of failures stand in the new file
	extras  map[int64]int64    // the same for posts' records
	lengths map[int64]int64    // of members that are no copies, by the old offset
	ledger  storage.Ledger     // what stays came to
}

// original is where a payload is taken from.
type original struct {
	from   *rewrite
	offset int64
}

type lostPayload struct {
	payload
	place  string
	offset int64
}

func newBatch(p *Purger, o *PurgeOrder, so Purged, began time.Time) *batch {
	b := &batch{
		Purger: p, order: o, so: so, began: began, going: map[string]bool{}, rewrites: map[string]*rewrite{},
		instead: map[string]string{}, promoted: map[payload]string{}, moves: map[string]string{},
	}
	for id, offsets := range o.Spots {
		for _, off := range offsets {
			b.going[location(id, off)] = true
		}
	}
	return b
}

// run rewrites segments and puts the new ones in their place.
func (b *batch) run(ctx context.Context, segments []string) (err error) {
	defer func() { err = errors.Join(err, b.tidy()) }()
	for _, id := range segments {
		if _, err := b.load(ctx, id); err != nil {
			return err
		}
	}
	for len(b.todo) > 0 {
		rw := b.todo[0]
		b.todo = b.todo[1:]
		for _, l := range rw.lost {
			if err := b.rescue(ctx, rw, l); err != nil {
				return err
			}
		}
	}
	var with []string
	for _, rw := range b.all() {
		with = append(with, rw.row.ID)
	}
	for _, rw := range b.all() {
		rw.note.With = with
		if err := b.write(ctx, rw); err != nil {
			return fmt.Errorf("rewrite segment %s: %w", rw.rows.Segment.ID, err)
		}
		b.so.Counts.add(rw.note.Counts)
		b.so.Promoted += len(rw.note.Promoted)
	}
	if err := b.plan(); err != nil {
		return err
	}
	return b.apply(ctx)
}

// all are the rewrites in the order of their names.
func (b *batch) all() []*rewrite {
	out := make([]*rewrite, 0, len(b.rewrites))
	for _, rw := range b.rewrites {
		out = append(out, rw)
	}
	slices.SortFunc(out, func(x, y *rewrite) int { return strings.Compare(x.rows.Segment.ID, y.rows.Segment.ID) })
	return out
}

// tidy closes and removes the files.
func (b *batch) tidy() error {
	var err error
	for _, rw := range b.rewrites {
		err = errors.Join(err, rw.file.Close())
		if rw.path != "" {
			if gone := b.FS.Remove(rw.path); !errors.Is(gone, os.ErrNotExist) {
				err = errors.Join(err, gone)
			}
		}
	}
	return err
}

// load takes a segment into the batch and reads what of it goes.
func (b *batch) load(ctx context.Context, id string) (*rewrite, error) {
	if rw := b.rewrites[id]; rw != nil {
		return rw, nil
	}
	if Imported(id) {
		return nil, fmt.Errorf("segment %s: %w", id, ErrImported)
	}
	rows, err := b.stored(ctx, id)
	if err != nil {
		return nil, err
	}
	s := rows.Segment
	file, err := b.fetch(ctx, s)
	if err != nil {
		return nil, err
	}
	row := storage.Segment{ID: stem(s.ID) + "-" + storage.Random(5), Collection: s.Collection, Node: s.Node, State: storage.SegmentStored, Created: s.Created}
	row.Location = SegmentKey(row)
	rw := &rewrite{
		rows: rows, file: file, row: row, out: map[int64]bool{}, servers: map[string]bool{}, holds: map[int64]original{}, mains: map[int64]int64{},
		extras: map[int64]int64{}, lengths: map[int64]int64{}, ledger: storage.Ledger{},
		note: purgeNote{
			Purge: b.so.ID, At: b.began, Node: b.Node, Reason: b.order.Reason, By: b.order.By, What: b.order.What, Replaces: s.ID,
			Counts: PurgeCounts{Segments: 1},
		},
	}
	b.rewrites[id] = rw
	b.todo = append(b.todo, rw)
	if err := b.read(ctx, rw); err != nil {
		return nil, fmt.Errorf("read segment %s: %w", id, err)
	}
	return rw, b.forgotten(ctx, rw)
}

// stored waits until a segment is stored, and brings its rows.
func (b *batch) stored(ctx context.Context, id string) (storage.SegmentRows, error) {
	deadline := time.NewTimer(b.Wait)
	defer deadline.Stop()
	tick := time.NewTicker(max(b.Wait/100, 50*time.Millisecond))
	defer tick.Stop()
	slow := time.NewTimer(min(time.Second, b.Wait/2))
	defer slow.Stop()
	for {
		rows, err := b.Index.SegmentRows(ctx, id)
		switch {
		case errors.Is(err, storage.ErrPurged):
			return rows, fmt.Errorf("segment %s: %w", id, storage.ErrStale)
		case err != nil || rows.Segment.State == storage.SegmentStored:
			return rows, err
		}
		select {
		case <-ctx.Done():
			return rows, fmt.Errorf("wait for segment %s to be stored: %w", id, ctx.Err())
		case <-tick.C:
			continue
		case <-slow.C:
			if b.Waiting != nil {
				b.Waiting(rows.Segment)
			}
			continue
		case <-deadline.C:
		}
		return rows, fmt.Errorf("%w: segment %s is %s, in the spool of %s", ErrNotStored, id, rows.Segment.State, rows.Segment.Node)
	}
}

// ErrNotStored says that a purge has waited in vain for a segment to be stored.
var ErrNotStored = errors.New("what is to be purged is not in the store yet")

// forgotten lists the runs of which nothing is left.
func (b *batch) forgotten(ctx context.Context, rw *rewrite) error {
	for _, id := range b.order.Forget {
		r, err := b.Tasks.Run(ctx, id)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		rw.note.Forgotten = append(rw.note.Forgotten, forgottenRun{ID: r.ID, Collection: r.Collection, Started: r.Started})
	}
	return nil
}

// read finds the units that go: those that were ordered, and those that never counted.
func (b *batch) read(ctx context.Context, rw *rewrite) error {
	id, size := rw.rows.Segment.ID, rw.rows.Segment.Size
	found := 0
	for u, err := range Exchanges(rw.file, 0, size) {
		var torn *TornError
		if errors.As(err, &torn) {
			return fmt.Errorf("it is damaged at %d, and nothing is taken out of a damaged segment: %w", torn.Offset, err)
		}
		if err != nil {
			return err
		}
		if u.Closing == nil {
			continue
		}
		at := u.rowOffset()
		ordered := b.going[location(id, at)]
		if ordered {
			found++
		}
		if !ordered && !u.Voided {
			if t := u.Closing.TLS; t != nil {
				rw.servers[t.Fingerprint] = true
			}
			continue
		}
		rw.out[at] = true
		b.going[location(id, at)] = true
		if err := b.count(ctx, rw, u); err != nil {
			return err
		}
	}
	if want := len(uniq(b.order.Spots[id])); found != want {
		return fmt.Errorf("it holds %d of the %d exchanges that its rows name: %w", found, want, storage.ErrStale)
	}
	return nil
}

func uniq(offsets []int64) []int64 {
	out := slices.Clone(offsets)
	slices.Sort(out)
	return slices.Compact(out)
}

// rowOffset is the place of the unit that rows name: its main record, or the one that tells of the failure.
func (u *Unit) rowOffset() int64 {
	if m := u.Main(); m != nil {
		return m.Offset
	}
	return u.Last().Offset
}

// count notes what goes with a unit.
func (b *batch) count(ctx context.Context, rw *rewrite, u *Unit) error {
	c := &rw.note.Counts
	c.Bytes += u.End - u.Offset
	m := u.Main()
	switch {
	case u.Voided:
		c.Voided++
	case m != nil:
		c.Captures++
	default:
		c.Attempts++
	}
	if m != nil && m.Kind() == KindResponse {
		rw.lost = append(rw.lost, lostPayload{payload{rw.rows.Segment.Collection, m.Digest(), ""}, location(rw.rows.Segment.ID, m.Offset), m.Offset})
	}
	for _, x := range u.Extras() {
		if !u.Voided && x.Header.Get(fieldContentType) == MimePost {
			c.Posts++
		}
	}
	if u.Voided || slices.Contains(b.order.Forget, u.Closing.Run) {
		return nil
	}
	return b.keepTasks(ctx, rw, u)
}

// keepTasks notes what only the unit tells of tasks: the end of its own if no exchange of it is left, and those that it
// led to and that nobody has carried out.
func (b *batch) keepTasks(ctx context.Context, rw *rewrite, u *Unit) error {
	c := u.Closing
	own, err := b.Tasks.Task(ctx, c.Host, c.Run, c.Task)
	if err == nil {
		var left bool
		if left, err = b.isLeft(ctx, rw.rows.Segment.Collection, u); err == nil && !left {
			rw.note.Ended = append(rw.note.Ended, endedOf(own))
		}
	}
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	for _, t := range c.Tasks(u.URL()) {
		t, err := b.Tasks.Task(ctx, t.Host, t.Run, t.ID)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if t.Due < storage.Never {
			rw.note.Ended = append(rw.note.Ended, endedOf(t))
		}
	}
	return nil
}

// isLeft says whether another exchange of a unit's task stays.
func (b *batch) isLeft(ctx context.Context, collection string, u *Unit) (bool, error) {
	key := urlkey.Key(u.Asked())
	for s, err := range b.Tasks.Spots(ctx, storage.Span{Collection: collection, From: key, To: key}) {
		if err != nil {
			return false, err
		}
		if s.Kind != storage.SpotVoided && s.Run == u.Closing.Run && s.URL == u.URL() && !b.going[location(s.Segment, s.Offset)] {
			return true, nil
		}
	}
	return false, nil
}

// rescue sees to it that captures which stay, and refer to a payload that goes, find it elsewhere: in the oldest whole
// response of it that stays, or in the oldest of them. A page that was not modified needs the head, too: where one is among
// them, it must be a response of the same page, or that page itself.
func (b *batch) rescue(ctx context.Context, rw *rewrite, l lostPayload) error {
	refs, err := b.Index.Referrers(ctx, l.place)
	if err != nil {
		return err
	}
	var stay []storage.Capture
	for _, c := range refs {
		if !b.going[location(c.Segment, c.Offset)] {
			stay = append(stay, c)
		} else if _, err := b.load(ctx, c.Segment); err != nil { // it goes now, or it would have no payload meanwhile
			return err
		}
	}
	if len(stay) == 0 {
		return nil
	}
	page, heads := headed(stay)
	if heads {
		l.url = page.URL
	}
	if place, ok := b.promoted[l.payload]; ok {
		b.instead[l.place] = place
		return nil
	}
	holders, err := b.Index.Holders(ctx, l.collection, l.digest)
	if err != nil {
		return err
	}
	for _, h := range holders {
		if place := location(h.Segment, h.Offset); !b.going[place] && (!heads || h.Heads(&page)) {
			b.instead[l.place] = place
			return nil
		}
	}
	heir, err := b.load(ctx, page.Segment)
	if err != nil {
		return err
	}
	place := location(page.Segment, page.Offset)
	if b.going[place] { // it was voided; the next try does not see it
		return fmt.Errorf("the capture at %s does not count: %w", place, storage.ErrStale)
	}
	heir.holds[page.Offset] = original{rw, l.offset}
	heir.note.Promoted = append(heir.note.Promoted, page.RecordID)
	b.promoted[l.payload], b.instead[l.place] = place, place
	l.url = ""
	if _, ok := b.promoted[l.payload]; !ok {
		b.promoted[l.payload] = place
	}
	return nil
}

// headed is the first of the revisits that needs a head besides the payload, or else the first of all.
func headed(revisits []storage.Capture) (c storage.Capture, heads bool) {
	for _, c := range revisits {
		if c.Unmodified {
			return c, true
		}
	}
	return revisits[0], false
}

// plan makes the swap of what was written.
func (b *batch) plan() error {
	s := &b.swap
	s.Lock, s.Forget = b.token, b.order.Forget
	for _, rw := range b.all() {
		s.Old, s.New, s.Ledger = append(s.Old, rw.rows), append(s.New, rw.row), s.Ledger.Join(rw.ledger)
		if err := b.planRows(rw); err != nil {
			return err
		}
		for _, e := range rw.note.Ended {
			if e.Due >= storage.Never {
				s.Ended = append(s.Ended, e.task())
			}
		}
	}
	for from, to := range b.instead {
		b.moves[from] = cmp.Or(b.moves[to], to)
	}
	s.Moves = b.moves
	var err error
	s.Audit, err = b.all()[0].note.audit(b.so.Counts)
	return err
}

// planRows moves the rows of a segment to the new one.
func (b *batch) planRows(rw *rewrite) error {
	s, id := &b.swap, rw.row.ID
	for _, c := range rw.rows.Captures {
		at, stays := rw.mains[c.Offset]
		if !stays {
			if !rw.out[c.Offset] {
				return fmt.Errorf("segment %s has no record at %d, where the copy of %s should be: %w", c.Segment, c.Offset, c.URL, storage.ErrDamaged)
			}
			continue
		}
		b.moves[location(c.Segment, c.Offset)] = location(id, at)
		if n, ok := rw.lengths[c.Offset]; ok {
			c.Kind, c.RefersTo, c.Length, c.Unmodified = KindResponse, "", n, false
		}
		c.Segment, c.Offset = id, at
		s.Captures = append(s.Captures, c)
	}
	for _, a := range rw.rows.Attempts {
		if at, stays := rw.mains[a.Offset]; stays {
			a.Segment, a.Offset = id, at
			s.Attempts = append(s.Attempts, a)
		}
	}
	for _, p := range rw.rows.Posts {
		if at, stays := rw.extras[p.Offset]; stays {
			p.Segment, p.Offset = id, at
			s.Posts = append(s.Posts, p)
		} else {
			s.Gone = append(s.Gone, p)
		}
	}
	return nil
}

// apply puts the new segments in the place of the old ones. Until the swap the new blobs are doomed, from then on the old
// ones are: whatever stops it, the next purge deletes what no row names.
func (b *batch) apply(ctx context.Context) error {
	var fresh []string
	for _, rw := range b.all() {
		fresh = append(fresh, rw.row.Location)
	}
	if err := b.Rows.Doom(ctx, b.token, fresh...); err != nil {
		return err
	}
	for _, rw := range b.all() {
		if err := b.Blobs.Put(ctx, rw.row.Location, rw.path, rw.row.SHA256); err != nil {
			return err
		}
	}
	err := b.Rows.Swap(ctx, &b.swap)
	if errors.Is(err, storage.ErrStale) {
		for _, key := range fresh {
			err = errors.Join(err, b.delete(ctx, key))
		}
	}
	if err != nil {
		return err
	}
	for _, rw := range b.all() {
		if err := b.delete(ctx, rw.rows.Segment.Location); err != nil {
			return fmt.Errorf("%w\nThe purge is done; the old file is deleted by the next purge or worker", err)
		}
	}
	return nil
}

// newPath is the file of a new segment in the making.
func (b *batch) newPath(rw *rewrite) string {
	return filepath.Join(b.Dir, "new-"+rw.row.ID+segmentSuffix)
}

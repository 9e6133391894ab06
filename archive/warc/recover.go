package warc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"linkstead/storage"
)

// Recovered tells what a recovery found.
type Recovered struct {
	Segments  int      // that were not stored yet
	Exchanges int      // that were whole but not acknowledged, and count now
	Cut       int64    // bytes of torn exchanges
	Missing   []string // segments with acknowledged bytes that are neither in the spool nor in the blob store
}

// Recover goes on where a process of this node was stopped, however it was: exchanges that are whole in an open segment
// are acknowledged if their leases still hold, the torn rest is cut off, and every segment is sealed. They are stored
// while work goes on, however long the blob store is away; FlushAll waits for that. Call it before the node's old leases
// are freed, and before anything is appended.
func (j *Journal) Recover(ctx context.Context) (Recovered, error) {
	var r Recovered
	if err := j.takeIn(ctx); err != nil {
		return r, err
	}
	waiting, err := j.Segments.Waiting(ctx, j.Spool.Node())
	if err != nil {
		return r, err
	}
	for _, row := range waiting {
		r.Segments++
		if err := j.recoverSegment(ctx, row, &r); err != nil {
			return r, fmt.Errorf("recover segment %s: %w", row.ID, err)
		}
	}
	return r, j.dropStored(ctx)
}

// takeIn takes over the segments of this spool that name another node: the spool had another name when they were begun.
func (j *Journal) takeIn(ctx context.Context) error {
	names, err := filepath.Glob(j.Spool.Path("*"))
	if err != nil {
		return err
	}
	for _, name := range names {
		row, err := j.Shelves.Segment(ctx, strings.TrimSuffix(filepath.Base(name), segmentSuffix))
		if errors.Is(err, storage.ErrNotFound) || err == nil && (row.Node == j.Spool.Node() ||
			row.State != storage.SegmentOpen && row.State != storage.SegmentSealed) {
			continue // see dropStored
		}
		if err == nil {
			err = j.Shelves.TakeSegment(ctx, row.ID, j.Spool.Node())
		}
		switch {
		case errors.Is(err, storage.ErrAtWork):
			j.Log.Error("a segment in the spool is not stored: it is of another node that was at work within the last minute; "+
				"if this spool had that name before, start again in a minute, else bring the file back to that node", "file", name, "node", row.Node)
		case err != nil:
			return err
		default:
			j.Log.Warn("a segment in the spool was of another node, and is taken over", "file", name, "node", row.Node)
		}
	}
	return nil
}

// dropStored drops the spool copies of segments that the blob store has: a process was stopped just before it did.
func (j *Journal) dropStored(ctx context.Context) error {
	names, err := filepath.Glob(j.Spool.Path("*"))
	if err != nil {
		return err
	}
	for _, name := range names {
		row, err := j.Shelves.Segment(ctx, strings.TrimSuffix(filepath.Base(name), segmentSuffix))
		if errors.Is(err, storage.ErrPurged) {
			if err := j.Spool.Drop(strings.TrimSuffix(filepath.Base(name), segmentSuffix)); err != nil {
				return err
			}
			continue
		}
		if errors.Is(err, storage.ErrNotFound) {
			j.Log.Warn("the spool has a segment that the database does not know; 'linkstead rebuild' takes it in", "file", name)
			continue
		}
		if err == nil && row.State == storage.SegmentLost {
			j.Log.Warn("a segment was declared lost while this node was away; its file stays where it is, and nothing refers to it", "file", name)
			continue
		}
		if err == nil && row.State == storage.SegmentStored {
			err = j.Spool.Drop(row.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal) recoverSegment(ctx context.Context, row storage.Segment, r *Recovered) error {
	file, size, err := j.Spool.Open(row.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return j.recoverMissing(ctx, row, r)
	}
	if err != nil {
		return err
	}
	if want := max(row.Committed, row.Size); size < want {
		r.Missing = append(r.Missing, row.ID)
		j.Log.Error("the disk has lost the end of a segment: 'linkstead rebuild' takes in what is left of it, or "+giveUp(row), "segment", row.ID,
			"file", j.Spool.Path(row.ID), "bytes", size, "acknowledged", want)
		return file.Close()
	}
	if row.State == storage.SegmentOpen {
		var keep bool
		if row, keep, err = j.recoverOpen(ctx, row, file, size, r); err != nil || !keep {
			return errors.Join(err, file.Close())
		}
	}
	if err := file.Close(); err != nil {
		return err
	}
	j.mu.Lock()
	j.closing = append(j.closing, &segment{row: row, size: row.Size, stored: make(chan struct{})})
	j.mu.Unlock()
	j.nudge()
	return nil
}

// giveUp tells how a segment is given up.
func giveUp(row storage.Segment) string {
	return fmt.Sprintf("'linkstead segments --lost %s --segment %s' gives it up, and its captures are made again", row.Node, row.ID)
}

// recoverMissing deals with a segment whose file is not in the spool: it was never begun, the blob store has it
// although no row says so, or it is gone.
func (j *Journal) recoverMissing(ctx context.Context, row storage.Segment, r *Recovered) error {
	if row.State == storage.SegmentOpen && row.Committed == 0 {
		return j.Segments.DropSegment(ctx, row.ID)
	}
	err := storage.ErrNotFound
	if row.State == storage.SegmentSealed {
		err = j.confirm(ctx, row)
	}
	if err == nil {
		return j.Segments.StoreSegment(ctx, row.ID, SegmentKey(row))
	}
	r.Missing = append(r.Missing, row.ID)
	j.Log.Error("a segment is gone from the spool, and its captures can't be read: bring the file back and start again, or "+giveUp(row), "segment", row.ID, "file", j.Spool.Path(row.ID), "error", err)
	return nil
}

// confirm reads a segment back from the blob store.
func (j *Journal) confirm(ctx context.Context, row storage.Segment) error {
	in, err := j.Blobs.Open(ctx, SegmentKey(row), 0, -1)
	if err != nil {
		return err
	}
	h := sha256.New()
	_, err = io.Copy(h, in)
	if err = errors.Join(err, in.Close()); err == nil && hex.EncodeToString(h.Sum(nil)) != row.SHA256 {
		err = storage.ErrExists
	}
	return err
}

// recoverOpen acknowledges what is whole behind the committed bytes, cuts the rest, voids what does not count and seals
// the segment. One that holds no exchange at all is dropped.
func (j *Journal) recoverOpen(ctx context.Context, row storage.Segment, file storage.File, size int64, r *Recovered) (storage.Segment, bool, error) {
	t, err := readTail(row, file, size)
	if err != nil {
		return row, false, err
	}
	r.Cut += size - t.end
	if err := errors.Join(file.Truncate(t.end), file.Sync()); err != nil {
		return row, false, err
	}
	if len(t.ends) == 0 && row.Committed == 0 {
		// The file first: a row without a file is dropped at the next start, a file without a row would stay for ever.
		if err := j.Spool.Drop(row.ID); err != nil {
			return row, false, err
		}
		return row, false, j.Segments.DropSegment(ctx, row.ID)
	}
	fenced, err := j.Rows.Commit(ctx, []storage.Progress{{Segment: row.ID, Committed: t.end}}, t.ends)
	if err != nil {
		return row, false, err
	}
	r.Exchanges += len(t.ends) - len(fenced)
	if err := j.voidUncounted(ctx, row, file, t.end); err != nil {
		return row, false, err
	}
	if row, err = sealFile(row, file); err != nil {
		return row, false, err
	}
	return row, true, j.Segments.SealSegment(ctx, row.ID, row.Size, row.SHA256)
}

// voidUncounted voids every exchange without rows: those that were fenced just now, and those of a process that was
// stopped after the transaction that fenced them and before their void records were durable.
func (j *Journal) voidUncounted(ctx context.Context, row storage.Segment, file storage.File, size int64) error {
	row.Committed = 0
	t, err := readTail(row, file, size)
	if err != nil {
		return err
	}
	if t.end < size {
		j.Log.Error("a segment is damaged; what is whole in it can be read", "segment", row.ID, "file", j.Spool.Path(row.ID), "offset", t.end)
	}
	uncounted, err := j.Shelves.Uncounted(ctx, t.ends)
	if err != nil {
		return err
	}
	for _, i := range uncounted {
		if err := j.voidIn(file, t.closings[i], t.infoID); err != nil {
			return err
		}
	}
	return nil
}

// tail is what stands in a segment behind its committed bytes.
type tail struct {
	end      int64 // of the last whole unit
	ends     []storage.End
	closings []string // their closing records …
	refers   []string // … and the WARC-Refers-To of those that are revisits
	voided   []storage.End
	runs     []storage.Run
	notes    []purgeNote
	access   []storage.AccessChange
	said     []storage.Note
	about    storage.Collection // of the newest warcinfo record that tells of the collection …
	told     time.Time          // … and its date
	begun    time.Time          // date of the warcinfo record …
	infoID   string             // … and its name
	bad      []int64            // offsets of what could not be read
}

// readTail reads the whole units from row.Committed on.
func readTail(row storage.Segment, file io.ReaderAt, size int64) (tail, error) {
	t := tail{end: row.Committed}
	for u, err := range Exchanges(file, row.Committed, size) {
		var torn *TornError
		if errors.As(err, &torn) {
			return t, nil
		}
		if err != nil {
			return t, err
		}
		t.take(row, u, file)
	}
	return t, nil
}

// take adds the rows of a unit. A JSON record of ours that can't be read is noted and left out: nothing else hangs on it.
func (t *tail) take(row storage.Segment, u *Unit, file io.ReaderAt) {
	t.end = u.End
	if u.Closing == nil {
		if err := t.alone(u.Last(), file); err != nil {
			t.bad = append(t.bad, u.Last().Offset)
		}
		return
	}
	if u.Headless() {
		return
	}
	end, err := unitEnd(row.Collection, row.ID, u, file)
	if u.Voided {
		t.voided = append(t.voided, end)
		return
	}
	if err != nil { // of its post alone: the exchange counts
		t.bad = append(t.bad, u.Offset)
	}
	refers := ""
	if m := u.Main(); m != nil {
		refers = m.Original().RecordID
	}
	t.refers = append(t.refers, refers)
	t.ends = append(t.ends, end)
	t.closings = append(t.closings, u.Last().Header.ID())
}

// alone takes a record that is no part of an exchange.
func (t *tail) alone(f *Found, file io.ReaderAt) error {
	if f.Header.Type() == TypeWarcinfo {
		t.begun, t.infoID = f.Header.Date(), f.Header.ID()
		return t.collection(f, file)
	}
	switch f.Header.Get(fieldContentType) {
	case MimeRun:
		var run storage.Run
		if err := f.decode(file, &run); err != nil {
			return err
		}
		t.runs = append(t.runs, run)
	case MimePurge:
		var note purgeNote
		if err := f.decode(file, &note); err != nil {
			return err
		}
		t.notes = append(t.notes, note)
	case MimeAccess:
		change, err := accessChange(f, file)
		if err != nil {
			return err
		}
		t.access = append(t.access, change)
	case MimeNote:
		n, err := noteOf(f, file)
		if err != nil {
			return err
		}
		t.said = append(t.said, n)
	}
	return nil
}

// voidIn notes at the end of a recovered segment that one of its exchanges came too late.
func (j *Journal) voidIn(file io.Writer, closing, infoID string) error {
	g, err := j.Composer.Void(closing, j.Now().UTC(), whyVoid, Options{WarcinfoID: infoID})
	if err != nil {
		return err
	}
	_, err = g.WriteTo(file)
	return errors.Join(err, g.Release())
}

// sealFile makes a segment's file durable as it lies, and tells its size and checksum.
func sealFile(row storage.Segment, file storage.File) (storage.Segment, error) {
	if err := file.Sync(); err != nil {
		return row, err
	}
	h := sha256.New()
	n, err := io.Copy(h, io.NewSectionReader(file, 0, 1<<62))
	row.Size, row.SHA256, row.State = n, hex.EncodeToString(h.Sum(nil)), storage.SegmentSealed
	return row, err
}

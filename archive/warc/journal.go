package warc

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"slices"
	"sync"
	"time"

	"linkstead/storage"
)

// Rows is what a journal asks of the database for each exchange.
type Rows interface {
	OpenSegment(ctx context.Context, s storage.Segment) error
	Commit(ctx context.Context, progress []storage.Progress, ends []storage.End) (fenced []int, err error)
	Original(ctx context.Context, collection, digest, segment string) (storage.Capture, error)
	Run(ctx context.Context, id int64) (storage.Run, error)
}

// SegmentRows is what a journal asks of the database for each segment.
type SegmentRows interface {
	SealSegment(ctx context.Context, id string, size int64, sum string) error
	StoreSegment(ctx context.Context, id, location string) error
	DropSegment(ctx context.Context, id string) error
	Waiting(ctx context.Context, node string) ([]storage.Segment, error)
}

// Putter stores a whole file under a free key, durably, and confirms its checksum.
type Putter interface {
	Put(ctx context.Context, key, path, sum string) error
}

// Store is what a journal asks of the blob store.
type Store interface {
	Putter
	Getter
}

// Counter tells a recovery what counts, and what is its own.
type Counter interface {
	Shelves
	Uncounted(ctx context.Context, ends []storage.End) ([]int, error)
	TakeSegment(ctx context.Context, id, node string) error
}

// Journal is where exchanges become records and rows. Each collection has one open segment; an exchange is compressed
// outside the lock and appended under it; exchanges that end together share one fsync and one transaction, which is
// their acknowledgement. A full or old segment is sealed, put into the blob store and dropped from the spool. After a
// failure to write or commit the journal takes nothing more: what it has not acknowledged is recovered at the next
// start. A blob store that is away is no failure: segments wait in the spool, as far as its budget goes (see Room).
// Nothing is asked of the database while the lock is held: it may be away for hours.
type Journal struct {
	JournalParts
	mu      sync.Mutex
	open    map[string]*segment // by collection
	closing []*segment          // full ones, until the blob store has them
	pending []*appended
	refused []error // why segments will never be stored
	err     error   // why nothing more is taken
	closed  bool
	full    bool      // the spool has no room
	looked  time.Time // when the disk was last asked for its free space …
	tight   bool      // … and whether it had too little

	begins sync.Mutex // held by who opens a segment

	wake   chan struct{}
	failed chan struct{} // closed when err is set
	quit   chan struct{}
	looped chan struct{}   // closed after the last commit
	ctx    context.Context // of all that goes on behind; ends when Abandon is called
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// JournalParts is what a journal is made of.
type JournalParts struct {
	Rows     Rows
	Segments SegmentRows
	Shelves  Counter
	Blobs    Store
	Spool    *storage.Spool
	Composer *Composer
	Info     Info // of every segment; At, Filename, IsPartOf, Hostname and what the collection tells are filled in
	// Collection tells of a collection as a segment of it begins; nil: nothing is known of any.
	Collection func(ctx context.Context, name string) (storage.Collection, error)
	MaxSize    int64         // bytes at which a segment is sealed
	MaxAge     time.Duration // age at which a segment is sealed
	Window     time.Duration // how long a group waits for others that end with it
	Retry      time.Duration // first wait after a segment could not be stored, doubled up to 150 times that; 0: 200 ms
	Budget     Budget        // of the spool
	Now        func() time.Time
	Log        *slog.Logger
}

// segment is one that is being written.
type segment struct {
	row       storage.Segment
	file      storage.File
	begun     time.Time // by the journal's clock, monotonic if that is
	size      int64     // bytes appended
	hash      hash.Hash
	infoID    string
	originals map[string]Original // by payload digest: the whole responses in this segment
	runs      map[int64]bool      // whose spec stands in this segment
	units     int                 // exchanges appended
	pending   int                 // exchanges appended, not committed
	storing   bool
	stored    chan struct{} // closed when the blob store has it, or never will
	refused   error         // why it never will; set before stored is closed
}

// appended is an exchange whose bytes are in the segment, but not durable yet.
type appended struct {
	seg       *segment
	entry     *Entry
	end       storage.End
	closingID string
	digest    string // of the payload, if others may refer to it
	done      func(held bool, err error)
}

// errClosed is what a journal says after Close.
var errClosed = errors.New("the journal is closed")

// NewJournal starts a journal. Close ends it.
func NewJournal(p JournalParts) *Journal {
	j := &Journal{
		JournalParts: p, open: map[string]*segment{}, wake: make(chan struct{}, 1),
		failed: make(chan struct{}), quit: make(chan struct{}), looped: make(chan struct{}),
	}
	j.ctx, j.cancel = context.WithCancel(context.Background())
	j.work.Go(j.commitLoop)
	return j
}

// ErrAbandoned says that the journal was ended before everything was acknowledged.
var ErrAbandoned = errors.New("what was captured last waits in the spool, and is acknowledged at the next start")

// lastCommit is how long Close waits for the last commit after its context has ended.
const lastCommit = 1500 * time.Millisecond

// Close commits what is pending, seals and stores every segment, and ends the journal. If ctx ends first, segments that
// are not stored yet wait in the spool for the next start; so does what is pending, if the database does not answer
// within a moment then.
func (j *Journal) Close(ctx context.Context) error {
	j.mu.Lock()
	again := j.closed
	j.closed = true
	j.mu.Unlock()
	if again {
		return nil
	}
	err := j.FlushAll(ctx)
	close(j.quit)
	stop := context.AfterFunc(ctx, func() {
		t := time.NewTimer(lastCommit)
		defer t.Stop()
		select {
		case <-t.C:
			j.Abandon()
		case <-j.looped:
		}
	})
	<-j.looped
	stop()
	j.cancel()
	j.work.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.open {
		err = errors.Join(err, s.file.Close())
	}
	for _, s := range j.closing {
		if s.row.State == storage.SegmentOpen {
			err = errors.Join(err, s.file.Close())
		}
	}
	return err
}

// Abandon ends all that the journal waits for, the database and the blob store alike. What is not acknowledged by now is
// told to have failed with ErrAbandoned; it stays in the spool, and is recovered at the next start.
func (j *Journal) Abandon() {
	j.mu.Lock()
	if j.err == nil {
		j.err = ErrAbandoned
		close(j.failed)
	}
	j.mu.Unlock()
	j.cancel()
	j.nudge()
}

// FlushAll seals every open segment and waits until the blob store has them.
func (j *Journal) FlushAll(ctx context.Context) error {
	j.mu.Lock()
	err := j.err
	if err == nil && ctx.Err() != nil {
		err = fmt.Errorf("store the open segments: %w", ctx.Err())
	}
	if err != nil {
		j.mu.Unlock()
		return err
	}
	for c := range j.open {
		j.retire(c)
	}
	waiting := slices.Clone(j.closing)
	refused := errors.Join(j.refused...)
	j.mu.Unlock()
	j.nudge()
	for _, s := range waiting {
		select {
		case <-s.stored:
			refused = errors.Join(refused, s.refused)
		case <-j.failed:
			return j.refusal()
		case <-ctx.Done():
			return fmt.Errorf("wait for segment %s to be stored: %w", s.row.ID, ctx.Err())
		}
	}
	return refused
}

// refusal says why the journal takes nothing, if it doesn't.
func (j *Journal) refusal() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.refuses()
}

// refuses is refusal with the lock held.
func (j *Journal) refuses() error {
	if j.err == nil && j.closed {
		return errClosed
	}
	return j.err
}

// retire takes a collection's open segment out of use; the commit loop stores it after its last commit.
func (j *Journal) retire(collection string) {
	j.closing = append(j.closing, j.open[collection])
	delete(j.open, collection)
}

func (j *Journal) nudge() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// append copies a group to the end of the segment, frees it, and tells where it begins. A group that could not be
// written whole is cut off again, so that nothing torn stands before what comes later.
func (s *segment) append(g *Group) (int64, error) {
	start := s.size
	n, err := g.WriteTo(segmentWriter{s})
	if err == nil && n != g.Size() {
		err = fmt.Errorf("only %d of %d bytes were written", n, g.Size())
	}
	if err != nil {
		err = fmt.Errorf("append to segment %s: %w", s.row.ID, err)
		return 0, errors.Join(err, s.file.Truncate(start), g.Release())
	}
	s.size += n
	return start, g.Release()
}

// segmentWriter writes to the file and keeps the running checksum.
type segmentWriter struct{ s *segment }

func (w segmentWriter) Write(p []byte) (int, error) {
	n, err := w.s.file.Write(p)
	w.s.hash.Write(p[:n])
	return n, err
}

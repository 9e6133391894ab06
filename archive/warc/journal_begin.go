package warc

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"linkstead/storage"
)

// current is the collection's open segment, a new one if need be.
func (j *Journal) current(ctx context.Context, collection string) (*segment, error) {
	if s, err := j.usable(collection); s != nil || err != nil {
		return s, err
	}
	j.begins.Lock()
	defer j.begins.Unlock()
	if s, err := j.usable(collection); s != nil || err != nil {
		return s, err
	}
	ctx, stop := j.until(ctx)
	defer stop()
	s, err := j.begin(ctx, collection)
	if err != nil {
		return nil, j.failUnless(ctx, err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.refuses(); err != nil { // the next start drops what nothing stands in
		return nil, errors.Join(err, s.file.Close())
	}
	j.open[collection] = s
	return s, nil
}

// usable is the collection's open segment, if it has room; nil if there is none.
func (j *Journal) usable(collection string) (*segment, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.refuses(); err != nil {
		return nil, err
	}
	s := j.open[collection]
	if s != nil && s.size >= j.MaxSize {
		j.retire(collection)
		return nil, nil
	}
	return s, nil
}

// until is ctx, and ends with the journal.
func (j *Journal) until(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(j.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// failUnless ends the journal for an error, unless that came of who asked having no more time.
func (j *Journal) failUnless(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.fail(err)
}

// begin opens a segment: its row first, then its file, then its warcinfo record. The names of a collection's segments
// are in the order in which they were begun, to the millisecond: a rebuild reads them so.
func (j *Journal) begin(ctx context.Context, collection string) (*segment, error) {
	at := j.Now()
	now := at.UTC()
	row := storage.Segment{
		ID:         collection + "-" + strings.Replace(now.Format("20060102150405.000"), ".", "", 1) + "-" + storage.Random(5),
		Collection: collection, Node: j.Spool.Node(), State: storage.SegmentOpen, Created: now,
	}
	info := j.Info
	info.At, info.Filename, info.IsPartOf, info.Hostname = now, row.ID+segmentSuffix, collection, row.Node
	if err := info.describe(ctx, j.Collection); err != nil {
		return nil, err
	}
	if err := j.Rows.OpenSegment(ctx, row); err != nil {
		return nil, err
	}
	file, err := j.Spool.Create(row.ID)
	if err != nil {
		return nil, err
	}
	s := &segment{
		row: row, file: file, hash: sha256.New(), originals: map[string]Original{}, runs: map[int64]bool{},
		begun: at, stored: make(chan struct{}),
	}
	g, err := j.Composer.Warcinfo(info)
	if err == nil {
		s.infoID = g.Members[0].RecordID
		_, err = s.append(g)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return s, nil
}

// aboutRun composes the record of a run's spec, which stands in a segment before the first exchange of the run there:
// every segment explains itself. nil if it stands there already.
func (j *Journal) aboutRun(ctx context.Context, seg *segment, run int64) (*Group, error) {
	j.mu.Lock()
	known := run == 0 || seg.runs[run]
	j.mu.Unlock()
	if known {
		return nil, nil
	}
	ctx, stop := j.until(ctx)
	defer stop()
	r, err := j.Rows.Run(ctx, run)
	if err != nil {
		return nil, j.failUnless(ctx, err)
	}
	r.State = "" // these change; the record does not
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode run %d: %w", run, err)
	}
	return j.Composer.Document(Document{
		URL: fmt.Sprintf("urn:linkstead:run:%d", run), ContentType: MimeRun, At: j.Now().UTC(), Body: body,
	}, Options{WarcinfoID: seg.infoID})
}

// describeRun writes what aboutRun composed, unless somebody else has meanwhile. The lock is held.
func (s *segment) describeRun(about *Group, run int64) error {
	if about == nil {
		return nil
	}
	if s.runs[run] {
		return about.Release()
	}
	if _, err := s.append(about); err != nil {
		return err
	}
	s.runs[run] = true
	return nil
}

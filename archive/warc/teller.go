package warc

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"linkstead/storage"
)

// TellerRows is what a Teller asks of the database.
type TellerRows interface {
	UntoldAccess(ctx context.Context) ([]storage.AccessChange, error)
	UntoldNotes(ctx context.Context) ([]storage.Note, error)
	Told(ctx context.Context, s storage.Segment, changes, notes []string) error
}

// TellerBlobs is what a Teller asks of the blob store.
type TellerBlobs interface {
	Putter
	Delete(ctx context.Context, key string) error
}

var _ TellerRows = (*storage.DB)(nil)

// Teller writes what was changed beside captures (access rules, notes) into segments of its own, so that a rebuild knows it. It
// holds before that: as soon as its row says so.
type Teller struct {
	Rows     TellerRows
	Blobs    TellerBlobs
	Composer *Composer
	Info     Info // of new segments, as in JournalParts
	// Collection tells of a collection; nil: nothing is known of any.
	Collection func(ctx context.Context, name string) (storage.Collection, error)
	FS         storage.FS
	Dir        string // for files in the making: made if it is not there
	Node       string // the name of this machine
	Now        func() time.Time
}

// staleFile is the age after which a file in the making is none any longer: whoever made it was stopped.
const staleFile = time.Hour

// tale is what is told of one collection.
type tale struct {
	collection string
	changes    []storage.AccessChange
	notes      []storage.Note
}

// maxTold bounds how often one Tell finds that others have told of something first. Each time, somebody has: it comes to an end.
const maxTold = 100

// Tell tells of all changes and notes that no segment tells of, and says how many they were. Any number may tell at the same time,
// on whatever machines: each change and note ends in one segment. The blob comes first and the rows second; where others were
// quicker, the blob goes again.
func (t *Teller) Tell(ctx context.Context) (told int, err error) {
	for range maxTold {
		n, err := t.tell(ctx)
		told += n
		if !errors.Is(err, storage.ErrStale) {
			return told, err
		}
	}
	return told, fmt.Errorf("write rules and notes into WARC files: %w", storage.ErrStale)
}

// tell is one attempt. storage.ErrStale if somebody else told of something first.
func (t *Teller) tell(ctx context.Context) (int, error) {
	tales, err := t.untold(ctx)
	if err != nil || len(tales) == 0 {
		return 0, err
	}
	if err := os.MkdirAll(t.Dir, 0o755); err != nil {
		return 0, fmt.Errorf("make a folder for WARC files of rules and notes: %w", err)
	}
	t.sweep()
	told := 0
	for _, one := range tales {
		if err := t.segment(ctx, one); err != nil {
			return told, fmt.Errorf("write rules and notes of collection %s into its WARC files: %w", one.collection, err)
		}
		told += len(one.changes) + len(one.notes)
	}
	return told, nil
}

// untold is what no segment tells of, by collection.
func (t *Teller) untold(ctx context.Context) ([]*tale, error) {
	changes, err := t.Rows.UntoldAccess(ctx)
	if err != nil {
		return nil, err
	}
	notes, err := t.Rows.UntoldNotes(ctx)
	if err != nil {
		return nil, err
	}
	var out []*tale
	of := func(collection string) *tale {
		i := slices.IndexFunc(out, func(t *tale) bool { return t.collection == collection })
		if i < 0 {
			i = len(out)
			out = append(out, &tale{collection: collection})
		}
		return out[i]
	}
	for _, c := range changes {
		one := of(c.Collection)
		one.changes = append(one.changes, c)
	}
	for _, n := range notes {
		one := of(n.Collection)
		one.notes = append(one.notes, n)
	}
	return out, nil
}

// sweep removes what stopped processes have left. It is no harm if something stays.
func (t *Teller) sweep() {
	left, _ := filepath.Glob(filepath.Join(t.Dir, "*"))
	for _, name := range left {
		if st, err := os.Stat(name); err == nil && t.Now().Sub(st.ModTime()) > staleFile {
			_ = t.FS.Remove(name)
		}
	}
}

// segment writes and stores one segment with what is told of one collection.
func (t *Teller) segment(ctx context.Context, one *tale) (err error) {
	now := t.Now().UTC()
	row := storage.Segment{
		ID:         one.collection + "-" + strings.Replace(now.Format("20060102150405.000"), ".", "", 1) + "-" + storage.Random(5),
		Collection: one.collection, Node: t.Node, State: storage.SegmentStored, Created: now,
	}
	row.Location = SegmentKey(row)
	path := filepath.Join(t.Dir, row.ID+segmentSuffix)
	file, err := t.FS.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.FS.Remove(path)) }()
	f := &fresh{out: bufio.NewWriterSize(file, 64<<10), hash: sha256.New()}
	err = t.write(ctx, row, one, f)
	if err == nil {
		err = errors.Join(f.out.Flush(), file.Sync())
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	row.Size, row.Committed, row.SHA256 = f.size, f.size, hex.EncodeToString(f.hash.Sum(nil))
	if err := t.Blobs.Put(ctx, row.Location, path, row.SHA256); err != nil {
		return err
	}
	if err = t.rows(ctx, row, one); errors.Is(err, storage.ErrStale) { // no row names it, and the key is nobody else's
		err = errors.Join(err, t.Blobs.Delete(context.WithoutCancel(ctx), row.Location))
	}
	return err
}

// rows makes what a segment tells of told.
func (t *Teller) rows(ctx context.Context, row storage.Segment, one *tale) error {
	changes, notes := make([]string, len(one.changes)), make([]string, len(one.notes))
	for i := range one.changes {
		changes[i] = one.changes[i].ID
	}
	for i := range one.notes {
		notes[i] = one.notes[i].ID
	}
	return t.Rows.Told(ctx, row, changes, notes)
}

func (t *Teller) write(ctx context.Context, row storage.Segment, one *tale, f *fresh) error {
	info := t.Info
	info.At, info.Filename, info.IsPartOf, info.Hostname = row.Created, row.ID+segmentSuffix, row.Collection, t.Node
	info.Description = "What was added to the collection beside its captures: changes of access rules, and notes."
	if err := info.describe(ctx, t.Collection); err != nil {
		return err
	}
	g, err := t.Composer.Warcinfo(info)
	if err != nil {
		return err
	}
	opts := Options{WarcinfoID: g.Members[0].RecordID}
	if err := f.group(g); err != nil {
		return err
	}
	for i := range one.changes {
		c := &one.changes[i]
		if err := t.document(f, opts, Document{URL: "urn:linkstead:access:" + c.Rule, ContentType: MimeAccess, At: c.At, Body: c.Change}); err != nil {
			return err
		}
	}
	for i := range one.notes {
		n := &one.notes[i]
		raw, err := json.Marshal(n)
		if err != nil {
			return fmt.Errorf("encode note %s: %w", n.ID, err)
		}
		if err := t.document(f, opts, Document{URL: noteURN(n), ContentType: MimeNote, At: n.At, Body: raw}); err != nil {
			return err
		}
	}
	return nil
}

func (t *Teller) document(f *fresh, opts Options, d Document) error {
	g, err := t.Composer.Document(d, opts)
	if err != nil {
		return err
	}
	return f.group(g)
}

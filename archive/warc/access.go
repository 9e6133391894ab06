package warc

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"linkstead/archive/access"
	"linkstead/storage"
)

// MimeAccess is the media type of a record that tells of a change of an access rule, as access.Change in JSON.
const MimeAccess = "application/vnd.linkstead.access+json"

// AccessRows is what a Teller asks of the database.
type AccessRows interface {
	UntoldAccess(ctx context.Context) ([]storage.AccessChange, error)
	ToldAccess(ctx context.Context, s storage.Segment, changes []string) error
}

var _ AccessRows = (*storage.DB)(nil)

// Teller writes the changes of access rules into segments of their own, so that a rebuild knows them. A rule holds before that:
// as soon as its row says so.
type Teller struct {
	Rows     AccessRows
	Blobs    Putter
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

// Tell tells of all changes that no segment tells of, and says how many they were. The blob comes first and the rows second:
// what is told of twice counts once.
func (t *Teller) Tell(ctx context.Context) (int, error) {
	changes, err := t.Rows.UntoldAccess(ctx)
	if err != nil || len(changes) == 0 {
		return 0, err
	}
	if err := os.MkdirAll(t.Dir, 0o755); err != nil {
		return 0, fmt.Errorf("make a folder for WARC files of access rules: %w", err)
	}
	t.sweep()
	told := 0
	for from := 0; from < len(changes); {
		to := from + 1
		for to < len(changes) && changes[to].Collection == changes[from].Collection {
			to++
		}
		if err := t.segment(ctx, changes[from:to]); err != nil {
			return told, fmt.Errorf("write the access rules of collection %s into its WARC files: %w", changes[from].Collection, err)
		}
		told += to - from
		from = to
	}
	return told, nil
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

// segment writes and stores one segment with changes of one collection.
func (t *Teller) segment(ctx context.Context, changes []storage.AccessChange) (err error) {
	now := t.Now().UTC()
	collection := changes[0].Collection
	row := storage.Segment{
		ID:         collection + "-" + strings.Replace(now.Format("20060102150405.000"), ".", "", 1) + "-" + storage.Random(5),
		Collection: collection, Node: t.Node, State: storage.SegmentStored, Created: now,
	}
	row.Location = SegmentKey(row)
	path := filepath.Join(t.Dir, row.ID+segmentSuffix)
	file, err := t.FS.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.FS.Remove(path)) }()
	f := &fresh{out: bufio.NewWriterSize(file, 64<<10), hash: sha256.New()}
	err = t.write(ctx, row, changes, f)
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
	ids := make([]string, len(changes))
	for i := range changes {
		ids[i] = changes[i].ID
	}
	return t.Rows.ToldAccess(ctx, row, ids)
}

func (t *Teller) write(ctx context.Context, row storage.Segment, changes []storage.AccessChange, f *fresh) error {
	info := t.Info
	info.At, info.Filename, info.IsPartOf, info.Hostname = row.Created, row.ID+segmentSuffix, row.Collection, t.Node
	info.Description = "Changes of access rules: who may see what of the collection."
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
	for i := range changes {
		c := &changes[i]
		g, err := t.Composer.Document(Document{
			URL: "urn:linkstead:access:" + c.Rule, ContentType: MimeAccess, At: c.At, Body: c.Change,
		}, opts)
		if err != nil {
			return err
		}
		if err := f.group(g); err != nil {
			return err
		}
	}
	return nil
}

// AccessAdopter is what a rebuild asks of the new database to take in access rules.
type AccessAdopter interface {
	AdoptAccess(ctx context.Context, changes ...storage.AccessChange) error
}

// accessChange reads a change of an access rule out of its record. It is one of the collection in whose folder the segment lies.
func accessChange(f *Found, file io.ReaderAt) (storage.AccessChange, error) {
	raw := f.kept
	if raw == nil {
		rec, err := f.Open(file)
		if err != nil {
			return storage.AccessChange{}, err
		}
		defer rec.Close() //nolint:errcheck // it frees buffers alone
		if raw, err = io.ReadAll(io.LimitReader(rec.Block, MaxClosing)); err != nil {
			return storage.AccessChange{}, err
		}
	}
	c, err := access.ReadChange(raw)
	if err != nil {
		return storage.AccessChange{}, fmt.Errorf("record %s at %d: %w", f.Header.ID(), f.Offset, err)
	}
	// Of changes that were made at the same time, the dates of the records tell which was the later one.
	return storage.AccessChange{ID: c.ID, Rule: c.Rule.ID, At: f.Header.Date(), Sets: c.Sets, Change: raw, Node: c.Node}, nil
}

// adoptAccess takes in the changes of access rules that a segment tells of.
func (b *Rebuilder) adoptAccess(ctx context.Context, row storage.Segment, changes []storage.AccessChange) error {
	for i := range changes {
		changes[i].Collection, changes[i].Segment = row.Collection, row.ID
	}
	return b.Rows.AdoptAccess(ctx, changes...)
}

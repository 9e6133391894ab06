package warc

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"linkstead/storage"
)

// Word names a way in which an archive can be at fault.
type Word string

// The words, all there are.
const (
	WordMissing  Word = "object-missing"
	WordUnknown  Word = "object-unknown"
	WordDiffers  Word = "object-differs"
	WordTorn     Word = "torn"
	WordFraming  Word = "framing"
	WordDigest   Word = "digest"
	WordRecord   Word = "record"
	WordUnclosed Word = "unclosed"
	WordDangling Word = "dangling"
	WordNoRecord Word = "no-record"
	WordNoRow    Word = "no-row"
	WordRow      Word = "row-differs"
	WordTask     Word = "task"
	WordStray    Word = "stray-rows"
	WordSpool    Word = "spool"
)

// WordHelp explains a word.
type WordHelp struct {
	Word  Word
	Means string
	Try   string
}

const (
	tryCopy   = "bring the file back from a copy of the store; 'linkstead rebuild --force' takes the store as it is"
	tryRepair = "'linkstead verify --repair' writes the rows as the records tell them"
)

// WordList explains all of them, in the order of Word's constants.
var WordList = []WordHelp{
	{WordMissing, "A segment's bytes are not where its row says.",
		"look whether the whole store is in its place; bring the file back from a copy; if there is none, 'linkstead verify --repair --delete-rows' gives its captures up: those of this archive are made again, imported ones come back when their file is imported again"},
	{WordUnknown, "The store holds an object that no row names.", "'linkstead verify --repair' takes it in"},
	{WordDiffers, "The size or the SHA-256 of an object is not what was stored.", tryCopy},
	{WordTorn, "The bytes end within a record.", tryCopy},
	{WordFraming, "There is no whole gzip member with one whole record (RFC 1952, WARC 1.1 §4).", tryCopy},
	{WordDigest, "A block or payload does not have its digest (WARC 1.1 §5.8, §5.9).", tryCopy},
	{WordRecord, "A record breaks another rule of WARC 1.1.", "what of it can be read stays as it is; report it if this program wrote it and its segment has no other fault"},
	{WordUnclosed, "The records of an exchange are not all there, or stand among another's (WARC 1.1 §5.7).", tryCopy},
	{WordDangling, "A revisit leads to no whole payload of its collection.", "'linkstead verify --repair' leads it to an equal payload, if there is one; else capture the address again, and repair then"},
	{WordNoRecord, "A row tells of a record that is not there, or can't be read.",
		"bring the file back from a copy; if there is none, 'linkstead verify --repair --delete-rows' takes the row away"},
	{WordNoRow, "A record that counts has no row.", tryRepair},
	{WordRow, "A row does not say what its record says.", tryRepair},
	{WordTask, "An address was done by its row, and nothing was kept of it; or the row knows less than the records.", "'linkstead verify --repair' takes over what records tell; else capture the post again"},
	{WordStray, "Rows name a segment that the database does not know, or that was given up.",
		"'linkstead verify --repair' brings back what the store has; bring the files of other segments back from a copy; if there is none, --delete-rows takes their rows away"},
	{WordSpool, "A file in the spool belongs to nothing that waits to be stored.", "the next start of a worker drops what is stored; keep what stays until you have looked at it"},
}

// Help explains a word.
func (w Word) Help() WordHelp {
	for _, h := range WordList {
		if h.Word == w {
			return h
		}
	}
	return WordHelp{Word: w}
}

// Flaw is one fault of an archive.
type Flaw struct {
	Word    Word   `json:"word"`
	Segment string `json:"segment,omitempty"`
	Key     string `json:"key,omitempty"`    // of the object, or the file in the spool
	Offset  int64  `json:"offset"`           // of the gzip member in the segment, bytes; -1 if it is about the whole
	Record  string `json:"record,omitempty"` // WARC-Record-ID
	URL     string `json:"url,omitempty"`
	Clause  string `json:"clause,omitempty"` // of WARC 1.1, or another standard by name
	Detail  string `json:"detail"`
	Try     string `json:"try"`
	Mended  string `json:"mended,omitempty"` // what was done about it
}

// Inspection is what came of one segment.
type Inspection struct {
	Segment   string    `json:"segment"`
	Key       string    `json:"key,omitempty"` // of the object, or the file in the spool
	State     string    `json:"state"`
	At        time.Time `json:"at"`
	Size      int64     `json:"size"` // bytes verified
	SHA256    string    `json:"sha256,omitempty"`
	Records   int       `json:"records"`
	Rows      int       `json:"rows"`
	Flaws     []Flaw    `json:"flaws,omitempty"`
	More      int       `json:"more,omitempty"`      // faults beyond those listed
	Elsewhere string    `json:"elsewhere,omitempty"` // the node whose spool holds it: it can't be verified here
	Old       int       `json:"old,omitempty"`       // rows of an older version, which know less than their records: no faults
	Before    bool      `json:"-"`                   // verified before the interruption
}

func (n *Inspection) flaw(f Flaw) {
	if len(n.Flaws) >= maxFaults {
		n.More++
		return
	}
	if f.Try == "" {
		f.Try = f.Word.Help().Try
	}
	f.Segment, f.Key = n.Segment, n.Key
	n.Flaws = append(n.Flaws, f)
}

// InspectRows is what an inspection reads of the rows of segments.
type InspectRows interface {
	Shelves
	Segments(ctx context.Context) ([]storage.Segment, error)
	SegmentRows(ctx context.Context, segment string) (storage.SegmentRows, error)
	SegmentPosts(ctx context.Context, segment string) ([]storage.Post, error)
	SegmentCaptures(ctx context.Context, segment string) iter.Seq2[storage.Capture, error]
	Voided(ctx context.Context, segment string) ([]storage.Spot, error)
	PostVersion(ctx context.Context, id string, run int64) (storage.Post, error)
	AccessChange(ctx context.Context, id string) (storage.AccessChange, error)
	Note(ctx context.Context, id string) (storage.Note, error)
}

// InspectIndex is what it reads of all others.
type InspectIndex interface {
	Run(ctx context.Context, id int64) (storage.Run, error)
	Runs(ctx context.Context) ([]storage.Run, error)
	Strays(ctx context.Context) ([]storage.Stray, error)
	TasksOf(ctx context.Context, keys []storage.TaskKey) (map[storage.TaskKey]storage.TaskRow, error)
	EndedTasks(ctx context.Context, run int64, after *storage.Task) ([]storage.Task, error)
	Tried(ctx context.Context, collection, urlkey, url string, run int64) (bool, error)
	Holders(ctx context.Context, collection, digest string) ([]storage.Capture, error)
	Referrers(ctx context.Context, place string) ([]storage.Capture, error)
	Doomed(ctx context.Context) ([]string, error)
}

// Inspector verifies a whole archive: every segment's bytes, its rows against its records, its records against its rows,
// what revisits lead to, what the store and the spool hold besides. It only reads, unless Mender is set, and may do so while
// workers work: of a segment that is being written it reads what is acknowledged.
type Inspector struct {
	Rows       InspectRows
	Index      InspectIndex
	Blobs      Lister
	Spool      string                          // folder of this machine's spool
	Node       string                          // its name; empty if there is none
	Collection string                          // only this one; empty: all
	Segment    string                          // only this one; empty: all
	Jobs       int                             // segments at a time
	State      *InspectState                   // what was verified before; nil: nothing
	Begin      func(segments int, bytes int64) // is told what is to be done; may be nil
	Read       func(n int)                     // is told of bytes as they are read, from many goroutines; may be nil
	Tell       func(n *Inspection)             // is told of each segment, one at a time; may be nil
	Mender     *Mender                         // repairs; nil: nothing is changed
	Now        func() time.Time

	read    sync.Map // by place: whether what stands there can be read to its end; see isWhole
	objects sync.Map // by segment: why nothing of it can be read; see objectOf
	settled bool     // what is missing now was found nowhere else
}

// Inspected is what came of it all.
type Inspected struct {
	Segments  int      // verified
	Before    int      // of them, before the interruption
	Elsewhere []string // in spools of other machines: "node segment"
	Bytes     int64    // compressed
	Records   int
	Rows      int
	Flaws     []Flaw
	More      int // faults beyond those listed
	Mended    int
	Old       int // rows of an older version, which know less than their records: no faults; a Mender has filled them in
}

// maxFlaws bounds the list of one inspection.
const maxFlaws = 100_000

func (d *Inspected) add(n *Inspection) {
	if n.Elsewhere != "" {
		d.Elsewhere = append(d.Elsewhere, n.Elsewhere+" "+n.Segment)
	} else {
		d.Segments++
	}
	if n.Before {
		d.Before++
	}
	d.Bytes, d.Records, d.Rows, d.More = d.Bytes+n.Size, d.Records+n.Records, d.Rows+n.Rows, d.More+n.More
	d.Old += n.Old
	d.take(n.Flaws)
}

func (d *Inspected) take(flaws []Flaw) {
	for _, f := range flaws {
		if f.Mended != "" {
			d.Mended++
		}
		if len(d.Flaws) >= maxFlaws {
			d.More++
			continue
		}
		d.Flaws = append(d.Flaws, f)
	}
}

// Left is how many faults were not mended.
func (d *Inspected) Left() int { return len(d.Flaws) + d.More - d.Mended }

// listed yields the objects under the prefix of segments.
func (i *Inspector) listed(ctx context.Context) iter.Seq2[storage.Blob, error] {
	prefix := KeyPrefix
	if i.Collection != "" {
		prefix += i.Collection + "/"
	}
	return i.Blobs.List(ctx, prefix)
}

func (f *Flaw) mended(format string, args ...any) { f.Mended = fmt.Sprintf(format, args...) }

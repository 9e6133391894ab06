package warc

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"
)

// Info is what the warcinfo record at the head of a segment tells (WARC 1.1 §6.2).
type Info struct {
	At          time.Time
	Filename    string // WARC-Filename (§5.17): the segment's file name
	Software    string // name/version
	Operator    string // who to ask about this capture
	Description string
	Robots      string    // the robots policy of the captures: obey, ignore, record
	IsPartOf    string    // the collection
	Hostname    string    // the node that wrote the segment
	About       About     // what the collection tells of itself …
	Since       time.Time // … and when it was created; zero if nobody did
}

// conformsTo and format name the standard, in the words of its own example of a warcinfo record.
const (
	conformsTo = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"
	warcFormat = "WARC File Format 1.1"
)

// Warcinfo makes the group of a warcinfo record. Its record id is what Options.WarcinfoID wants.
func (c *Composer) Warcinfo(info Info) (*Group, error) {
	var w fieldsWriter
	w.text("software", info.Software)
	w.text("format", warcFormat)
	w.text("conformsTo", conformsTo)
	w.text("operator", info.Operator)
	w.text("description", info.Description)
	w.text("robots", info.Robots)
	w.text("isPartOf", info.IsPartOf)
	w.text("hostname", info.Hostname)
	w.about(&info)
	id := newRecordID()
	k := &composition{opts: &Options{}, at: info.At, anchor: id}
	return c.build(k, func() error {
		return k.record(TypeWarcinfo, id, mimeFields, memBlock(w.buf), func(w *headerWriter) {
			w.add(fieldFilename, info.Filename)
		})
	})
}

// Void makes the group of a void record: the exchange that the metadata record closingID closes did not count, because
// its task belonged to somebody else by then. Readers pass over that exchange.
func (c *Composer) Void(closingID string, at time.Time, reason string, opts Options) (*Group, error) {
	var w fieldsWriter
	w.text("format", formatVoid)
	w.text("reason", reason)
	id := newRecordID()
	k := &composition{opts: &opts, at: at, anchor: id}
	return c.build(k, func() error {
		return k.record(TypeMetadata, id, mimeFields, memBlock(w.buf), func(w *headerWriter) {
			w.add(fieldRefersTo, closingID)
		})
	})
}

// Document is a metadata record that stands alone: a run's spec, a collection, a note on an earlier record.
type Document struct {
	URL         string // what it is about
	ContentType string // never application/warc-fields
	At          time.Time
	Body        []byte
	RefersTo    string // WARC-Record-ID of the record that it is about; may be empty
}

// Document makes the group of a metadata record that stands alone.
func (c *Composer) Document(d Document, opts Options) (*Group, error) {
	if err := checkURL(d.URL); err != nil {
		return nil, err
	}
	if isFields(d.ContentType) || d.ContentType == "" {
		return nil, fmt.Errorf("%w: %s: a document of type %q", ErrExchange, d.URL, d.ContentType)
	}
	id := newRecordID()
	k := &composition{opts: &opts, url: d.URL, at: d.At, anchor: id}
	return c.build(k, func() error {
		return k.record(TypeMetadata, id, d.ContentType, memBlock(d.Body), func(w *headerWriter) {
			w.add(fieldRefersTo, d.RefersTo)
		})
	})
}

// Resource makes the group of a document that was handed in, not fetched: a resource record (WARC 1.1 §6.4), the
// extras, a closing metadata record with the outcome "captured". Its payload digest is its block digest.
func (c *Composer) Resource(r *Resource, meta *Meta, opts Options) (*Group, error) {
	if err := checkURL(r.URL); err != nil {
		return nil, err
	}
	if opts.Original != nil {
		return nil, fmt.Errorf("%w: %s: a resource is never a revisit", ErrExchange, r.URL)
	}
	closing, err := closingOf(&Exchange{URL: r.URL, Outcome: "captured"}, meta, nil)
	if err != nil {
		return nil, err
	}
	id := newRecordID()
	k := &composition{opts: &opts, url: r.URL, at: r.At, anchor: id}
	return c.build(k, func() error {
		sum := sha256.Sum256(r.Body)
		err := k.record(TypeResource, id, r.mime(), memBlock(r.Body), func(w *headerWriter) {
			w.addDigest(fieldPayloadDigest, sum)
		})
		if err != nil {
			return err
		}
		if err := k.extras(); err != nil {
			return err
		}
		return k.closing(newRecordID(), &closing)
	})
}

// mime is the Content-Type of the record.
func (r *Resource) mime() string { return cmp.Or(r.Mime, "application/octet-stream") }

// isFields says whether a media type is application/warc-fields, which marks our own closing and void records.
func isFields(contentType string) bool {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(t), mimeFields)
}

package warc

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"linkstead/archive/httpmsg"
)

// Extra is a metadata record that travels with an exchange or a document, such as a post with its citations.
type Extra struct {
	ContentType string // application/vnd.linkstead.post+json, say; never application/warc-fields
	Body        []byte
}

// Original is the record whose payload a revisit refers to.
type Original struct {
	RecordID string // WARC-Record-ID with angle brackets; may be empty for imported records
	URL      string
	At       time.Time
	Location string // "segment/offset" of its member: noted for rebuild, see Closing
}

// Options says how an exchange or a document is to be composed.
type Options struct {
	WarcinfoID string     // WARC-Record-ID of the segment's warcinfo record
	Original   *Original  // set: a revisit of it; nil: the payload in full
	Confirmed  *Confirmed // set, with Original: the answer is a 304 that says so of Original
	Extras     []Extra
}

// Confirmed is what a 304 stands for: the page as its server has it still.
type Confirmed struct {
	Original
	Digest string       // WARC-Payload-Digest of the original
	Size   int64        // of its payload, bytes; -1: unknown
	Head   httpmsg.Head // the original's, with the fields of the 304 in the place of its own
}

// ErrExchange says that an exchange contradicts itself and can't be recorded as it is.
var ErrExchange = errors.New("exchange can't be recorded")

// maxPooled bounds what a pool keeps of one unusually long closing record, in bytes.
const maxPooled = 1 << 20

var (
	headers = sync.Pool{New: func() any { return new(headerWriter) }}
	fields  = sync.Pool{New: func() any { return new(fieldsWriter) }}
)

// composition is a group in the making: what all its records share.
type composition struct {
	*Group
	opts   *Options
	url    string // empty: it can't stand in a header
	ip     string
	over   string // see Exchange.Protocol
	at     time.Time
	anchor string // the record that all others are concurrent to
}

// Compose makes the group of an exchange. The order is that of events: the request, if any byte of it was sent; the response,
// revisit or nothing; the extras; the closing metadata record. Every record has the same WARC-Date (WARC 1.1 §5.4 asks for it
// in records of one capture event), and every other record names the response, or in want of one the closing record, in
// WARC-Concurrent-To (§5.7). Where a 304 stands for a page, the closing record tells the request, too: a record of its own for
// a few lines costs more than the lines.
//
// A response is written once its head is complete, marked WARC-Truncated if its end is missing (§5.15); without a
// complete head its first bytes go into the closing record. A revisit (§6.7.2) holds the head alone; one of an empty,
// truncated or headless response is ErrExchange. One that a 304 asks for (§6.7.3) holds the head of that. A URL that can't stand in WARC-Target-URI is moved into the closing
// record if nothing was sent, and is ErrURL otherwise. Values that could forge a header are ErrHeader.
//
// Of a look at a link nothing is written but the closing record: what came is evidence that some page answered, and a response
// record would be a capture to every other program that reads the segment.
func (c *Composer) Compose(ex *Exchange, meta *Meta, opts Options) (*Group, error) {
	if err := checkExchange(ex, &opts); err != nil {
		return nil, err
	}
	closing, err := closingOf(ex, meta, &opts)
	if err != nil {
		return nil, err
	}
	k := &composition{opts: &opts, url: ex.URL, ip: ex.IP, at: ex.At, over: ex.Protocol}
	if err := checkURL(ex.URL); err != nil {
		if len(ex.Request) > 0 || ex.Head.Len > 0 || len(opts.Extras) > 0 {
			return nil, err
		}
		k.url, closing.URL = "", ex.URL
	}
	return c.build(k, func() error { return k.exchange(ex, &closing) })
}

// build runs steps on a new group and frees it if they fail.
func (c *Composer) build(k *composition, steps func() error) (*Group, error) {
	k.Group = c.newGroup()
	if err := steps(); err != nil {
		return nil, errors.Join(err, k.Release())
	}
	return k.Group, nil
}

func checkExchange(ex *Exchange, opts *Options) error {
	switch {
	case ex.Head.Len > 0 && (ex.Response == nil || ex.Response.Size() < ex.Head.Len):
		return fmt.Errorf("%w: %s: the response is shorter than its head", ErrExchange, ex.URL)
	case ex.Head.Len > maxHead:
		return fmt.Errorf("%w: %s: a head of %d bytes, more than %d", ErrExchange, ex.URL, ex.Head.Len, maxHead)
	case opts.Original == nil:
		return nil
	case ex.Head.Len == 0 || ex.Truncated != "":
		return fmt.Errorf("%w: %s: a revisit needs a complete response", ErrExchange, ex.URL)
	case opts.Confirmed != nil && (ex.Head.Status != http.StatusNotModified || ex.Payload.Size != 0):
		return fmt.Errorf("%w: %s: only a 304 without a body confirms a page", ErrExchange, ex.URL)
	case opts.Confirmed != nil:
		return nil
	case ex.Payload.Size == 0:
		return fmt.Errorf("%w: %s: an empty payload is never a revisit", ErrExchange, ex.URL)
	}
	return nil
}

func (k *composition) exchange(ex *Exchange, closing *Closing) error {
	closingID, answerID := newRecordID(), ""
	k.anchor = closingID
	if ex.Head.Len > 0 && !closing.probe() {
		answerID = newRecordID()
		k.anchor = answerID
	}
	if k.opts.Confirmed != nil {
		closingID = siblingID(answerID)
	}
	if len(ex.Request) > 0 && len(closing.Request) == 0 {
		if err := k.record(TypeRequest, newRecordID(), mimeRequest, memBlock(ex.Request), nil); err != nil {
			return err
		}
	}
	if answerID != "" {
		if err := k.answer(ex, answerID); err != nil {
			return err
		}
	}
	if err := k.extras(); err != nil {
		return err
	}
	return k.closing(closingID, closing)
}

// answer writes the response, or the revisit that stands for it.
func (k *composition) answer(ex *Exchange, id string) error {
	payload := ex.payloadSum()
	if o := k.opts.Original; o != nil {
		if err := checkURL(o.URL); err != nil {
			return err
		}
		profile, digest := ProfileIdentical, Digest(payload)
		if c := k.opts.Confirmed; c != nil {
			profile, digest = ProfileNotModified, c.Digest
		}
		return k.record(TypeRevisit, id, mimeResponse, spillBlock(ex.Response, ex.Head.Len), func(w *headerWriter) {
			w.add(fieldPayloadDigest, digest)
			w.add(fieldProfile, profile)
			w.add(fieldRefersTo, o.RecordID)
			w.add(fieldRefersURI, o.URL)
			w.add(fieldRefersDate, formatDate(o.At))
		})
	}
	return k.record(TypeResponse, id, mimeResponse, spillBlock(ex.Response, ex.Response.Size()), func(w *headerWriter) {
		w.addDigest(fieldPayloadDigest, payload)
		w.add(fieldTruncated, ex.Truncated)
	})
}

func (k *composition) extras() error {
	for _, x := range k.opts.Extras {
		if isFields(x.ContentType) || x.ContentType == "" {
			return fmt.Errorf("%w: %s: an extra record of type %q", ErrExchange, k.url, x.ContentType)
		}
		if err := k.record(TypeMetadata, newRecordID(), x.ContentType, memBlock(x.Body), nil); err != nil {
			return err
		}
	}
	return nil
}

func (k *composition) closing(id string, c *Closing) error {
	w := fields.Get().(*fieldsWriter)
	w.buf = appendClosing(w.buf[:0], c)
	if cap(w.buf) <= maxPooled {
		defer fields.Put(w)
	}
	if len(w.buf) > MaxClosing {
		return fmt.Errorf("%w: %s: the closing record has %d bytes, more than %d", ErrExchange, k.url, len(w.buf), MaxClosing)
	}
	return k.record(TypeMetadata, id, mimeFields, memBlock(w.buf), nil)
}

// record writes one record with the fields that all share; more adds its own.
func (k *composition) record(t Type, id, contentType string, b block, more func(*headerWriter)) error {
	sum, err := b.sum()
	if err != nil {
		return err
	}
	w := headers.Get().(*headerWriter)
	defer headers.Put(w)
	w.start(t, id, k.at)
	w.add(fieldURI, k.url)
	// The records of a page that was not modified are small, and many. What one tells, those concurrent to it don't repeat, and
	// the warcinfo record is the one before, as that of any record which names none (§6.2).
	if k.anchor == id || k.opts.Confirmed == nil {
		w.add(fieldIP, k.ip)
	}
	if k.opts.Confirmed == nil {
		w.add(fieldWarcinfo, k.opts.WarcinfoID)
	}
	if k.anchor != id {
		w.add(fieldConcurrent, k.anchor)
	}
	if t == TypeRequest || t == TypeResponse || t == TypeRevisit {
		w.add(fieldProtocol, k.over)
	}
	if more != nil {
		more(w)
	}
	w.add(fieldContentType, contentType)
	w.addDigest(fieldBlockDigest, sum)
	header, err := w.end(b.size)
	if err != nil {
		return err
	}
	return k.append(t, id, header, b)
}

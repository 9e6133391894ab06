package warc

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"linkstead/archive/outcome"
	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// Kinds of rows in the index of captures, see storage.Capture.
const (
	KindResponse  = "response"
	KindRevisit   = "revisit"
	KindResource  = "resource"
	KindTruncated = "truncated"
)

// EntryContext begins the context of an outlink that is an entry of a feed or a sitemap; what is said there of its version
// follows.
const EntryContext = "entry "

const hopEntry = 'M' // see crawler/scope

// Tasks are the tasks that an exchange led to: its admitted outlinks. The crawler and a rebuild both make them here.
func (m *Meta) Tasks(from string) []storage.Task {
	var out []storage.Task
	for i := range m.Outlinks {
		l := &m.Outlinks[i]
		if l.Kind == "" {
			continue
		}
		stamp, ok := strings.CutPrefix(l.Context, EntryContext)
		if !ok || l.Hop != hopEntry {
			stamp = ""
		}
		out = append(out, storage.Task{
			Stamp: stamp, Host: urlkey.Host(l.URL), Run: m.Run, ID: urlkey.ID(l.URL), URL: l.URL, Kind: l.Kind, Depth: l.Depth,
			Hops: m.Hops + string(l.Hop), Via: from, Due: l.Due,
		})
	}
	return out
}

// unitEnd makes the rows of an exchange anew from its records, as Entry.end made them when it was written.
func unitEnd(collection, segment string, u *Unit, r io.ReaderAt) (storage.End, error) {
	c, url := u.Closing, u.URL()
	end := storage.End{Token: c.Token, New: c.Tasks(url), Task: storage.Task{
		Host: c.Host, Run: c.Run, ID: c.Task, URL: url, Kind: c.Kind, Depth: c.Depth, Hops: c.Hops, Via: c.Via,
		Due: c.Retry, Attempts: c.Attempt,
	}}
	if m := u.Main(); m != nil && m.Header.Type() != TypeRevisit { // a revisit does not tell
		end.Bytes = m.Header.Length
	}
	if c.Retry == 0 {
		end.Task.Due, end.Task.Outcome = storage.Never, string(c.Outcome)
	}
	if m := u.Main(); m != nil {
		end.Captures = []storage.Capture{{
			Collection: collection, URLKey: urlkey.Key(url), At: m.Header.Date(), Segment: segment, Offset: m.Offset,
			Length: m.Length, URL: url, Status: m.Head.Status, Mime: m.Mime(), Digest: m.Digest(), Kind: m.Kind(),
			RefersTo: refersTo(m, c), Redirect: c.Redirect, RecordID: m.Header.ID(), Run: c.Run, Outcome: string(c.Outcome),
		}}
	} else {
		last := u.Last()
		end.Attempts = []storage.Attempt{{
			Collection: collection, URL: url, URLKey: urlkey.Key(url), At: last.Header.Date(), Run: c.Run,
			Outcome: string(c.Outcome), Detail: c.Detail, Segment: segment, Offset: last.Offset,
		}}
	}
	for _, x := range u.Extras() {
		if x.Header.Get(fieldContentType) != MimePost {
			continue
		}
		p := storage.Post{Segment: segment, Offset: x.Offset}
		if err := x.decode(r, &p); err != nil {
			return end, err
		}
		end.Post = &p
	}
	return end, nil
}

// refersTo is where a revisit's original stood when the revisit was written. The closing record of one that a purge has
// made a response of still tells it.
func refersTo(m *Found, c *Closing) string {
	if m.Header.Type() != TypeRevisit {
		return ""
	}
	return c.Original
}

// decode reads a JSON record of ours.
func (i *Found) decode(segment io.ReaderAt, into any) error {
	rec, err := i.Open(segment)
	if err != nil {
		return err
	}
	defer rec.Close() //nolint:errcheck // it frees buffers alone
	if err := decodeJSON(rec.Block, into); err != nil {
		return fmt.Errorf("record %s at %d: %w", i.Header.ID(), i.Offset, err)
	}
	return nil
}

func decodeJSON(block io.Reader, into any) error {
	return json.NewDecoder(io.LimitReader(block, MaxClosing)).Decode(into)
}

// end is what the rows say once the entry's group stands at start in a segment.
func (e *Entry) end(segment string, start int64, g *Group, orig *Original) storage.End {
	end := storage.End{Task: e.Task, Token: e.Meta.Token, New: e.New, Keep: e.Keep, Bytes: e.bytes()}
	end.Task.Attempts = e.Meta.Attempt
	end.Task.Due, end.Task.Outcome = e.Meta.Retry, ""
	if e.Meta.Retry == 0 {
		end.Task.Due, end.Task.Outcome = storage.Never, string(e.outcome())
	}
	if main, ok := g.Main(); ok {
		c := e.capture(orig)
		c.Segment, c.Offset, c.Length, c.RecordID = segment, start+main.Offset, main.Length, main.RecordID
		end.Captures = []storage.Capture{c}
	} else {
		end.Attempts = []storage.Attempt{{
			Collection: e.Collection, URL: e.Exchange.URL, URLKey: urlkey.Key(e.Exchange.URL), At: e.Exchange.At,
			Run: e.Meta.Run, Outcome: string(e.outcome()), Detail: e.Exchange.Detail,
			Segment: segment, Offset: start + g.Closing().Offset,
		}}
	}
	if m, ok := g.Extra(0); ok && e.Post != nil {
		p := *e.Post
		p.Segment, p.Offset = segment, start+m.Offset
		end.Post = &p
	}
	return end
}

// bytes is the size of the payload.
func (e *Entry) bytes() int64 {
	if e.Resource != nil {
		return int64(len(e.Resource.Body))
	}
	return e.Exchange.Payload.Size
}

func (e *Entry) capture(orig *Original) storage.Capture {
	c := storage.Capture{Collection: e.Collection, Run: e.Meta.Run, Outcome: string(e.outcome())}
	if r := e.Resource; r != nil {
		c.URL, c.URLKey, c.At, c.Mime, c.Kind = r.URL, urlkey.Key(r.URL), r.At, bareMime(r.mime()), KindResource
		c.Digest = Digest(sha256.Sum256(r.Body))
		return c
	}
	x := e.Exchange
	c.URL, c.URLKey, c.At, c.Status, c.Mime = x.URL, urlkey.Key(x.URL), x.At, x.Head.Status, e.Meta.Mime
	c.Redirect, c.Kind, c.Digest = e.Meta.Redirect, KindResponse, Digest(x.payloadSum())
	switch {
	case x.Truncated != "":
		c.Kind = KindTruncated
	case orig != nil:
		c.Kind, c.RefersTo = KindRevisit, orig.Location
	}
	return c
}

func (e *Entry) outcome() outcome.Outcome {
	if e.Resource != nil {
		return outcome.Captured
	}
	return e.Exchange.Outcome
}

// payloadSum is the digest of the payload; of an empty one, that of no bytes.
func (x *Exchange) payloadSum() [32]byte {
	if x.Payload.Size == 0 {
		return emptySum
	}
	return x.Payload.SHA256
}

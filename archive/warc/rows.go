package warc

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"linkstead/archive/httpmsg"
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

// CitationContext is the context of an outlink that is a citation of the post.
const CitationContext = "citation"

// EntryContext begins the context of an outlink that is an entry of a feed or a sitemap; what is said there of its version
// follows.
const EntryContext = "entry "

// Hops, see crawler/scope.
const (
	hopEntry    = 'M'
	hopRedirect = 'R'
	hopPrereq   = 'P'
)

// Tasks are the tasks that an exchange led to: its admitted outlinks. The crawler and a rebuild both make them here.
func (m *Meta) Tasks(from string) []storage.Task {
	n := 0
	for i := range m.Outlinks {
		if m.Outlinks[i].Kind != "" {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	out := make([]storage.Task, 0, n)
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
			Stamp: stamp, Host: urlkey.Host(l.URL), Run: m.Run, ID: taskID(l), URL: l.URL, Kind: l.Kind, Depth: l.Depth,
			Hops: m.Hops + string(l.Hop), Via: from, Due: l.Due,
		})
	}
	return out
}

// Contexts of the outlinks that tell a page's preferred address: a link element's, and a Link header's (RFC 6596).
const (
	CanonicalElement = "link/@rel=canonical"
	CanonicalHeader  = "Link rel=canonical"

	reasonNoted = "noted" // see crawler/scope
)

// canonical is the preferred address of the page at url, as it says itself; "" if it says none, or this one.
func (m *Meta) canonical(url string) (out string) {
	for i := range m.Outlinks {
		switch l := &m.Outlinks[i]; {
		case l.Context == CanonicalElement && l.URL != url:
			return l.URL
		case l.Context == CanonicalElement:
			return ""
		case l.Context == CanonicalHeader && out == "" && l.URL != url:
			out = l.URL
		}
	}
	return out
}

// Trim takes out of the outlinks of a page that was not modified what its original's closing record tells, too: those that were
// left out, of which the numbers stay, and those that are no news to the run. fresh are the tasks of the others; an example of what
// was left out for a reason stays where untold says so.
func (m *Meta) Trim(fresh []storage.Task, untold func(reason string) bool) {
	type key struct {
		host string
		id   int64
	}
	news := make(map[key]bool, len(fresh))
	for _, t := range fresh {
		news[key{t.Host, t.ID}] = true
	}
	m.LeftOut = m.leftOut()
	for i := range m.LeftOut {
		if !untold(m.LeftOut[i].Reason) {
			m.LeftOut[i].Example = ""
		}
	}
	kept := m.Outlinks[:0]
	for _, l := range m.Outlinks {
		noted := l.Reason == reasonNoted || l.Context == CitationContext
		if noted || l.Kind != "" && news[key{urlkey.Host(l.URL), taskID(&l)}] {
			kept = append(kept, l)
		}
	}
	m.Outlinks = kept
}

// taskID keys the task of an outlink: the same page under another session id is the same task. A redirect may lead to just
// that, and robots.txt has no pages.
func taskID(l *Outlink) int64 {
	if l.Hop == hopRedirect || l.Hop == hopPrereq {
		return urlkey.ID(l.URL)
	}
	return urlkey.PageID(l.URL)
}

// unitEnd makes the rows of an exchange anew from its records, as Entry.end made them when it was written.
func unitEnd(collection, segment string, u *Unit, r io.ReaderAt) (storage.End, error) {
	c, url, key := u.Closing, u.URL(), urlkey.Key(u.Asked())
	end := storage.End{Token: c.Token, New: c.Tasks(url), Task: storage.Task{
		Host: c.Host, Run: c.Run, ID: c.Task, URL: url, Kind: c.Kind, Depth: c.Depth, Hops: c.Hops, Via: c.Via,
		Due: c.Retry, Attempts: c.Attempt,
	}}
	end.Bytes, end.Took, end.LeftOut = u.payloadSize(), c.Timing.Total.Truncate(time.Millisecond), c.leftOut()
	if c.Retry == 0 {
		end.Task.Due, end.Task.Outcome = storage.Never, string(c.Outcome)
	}
	if m := u.Main(); m != nil {
		end.Captures = []storage.Capture{{
			Collection: collection, URLKey: key, At: m.Header.Date(), Segment: segment, Offset: m.Offset,
			Length: m.Length, URL: url, Status: m.Head.Status, Mime: m.Mime(), Digest: m.Digest(), Kind: m.Kind(),
			RefersTo: refersTo(m, c), Redirect: c.Redirect, RecordID: m.Header.ID(), Run: c.Run, Outcome: string(c.Outcome),
			Flags: strings.Join(c.Flags, " "), TLSInvalid: c.TLS.invalid(),
			Size: end.Bytes, MS: end.Took.Milliseconds(), Canonical: c.canonical(url),
		}}
		end.Captures[0].ETag, end.Captures[0].Modified = validators(m.Head)
		if c.Page.Status != 0 {
			end.Captures[0].Size = c.Page.Size // also of one that a purge has made a response of
		}
		if c.Page.Status != 0 && m.NotModified() {
			if p := &c.Page; !p.Told {
				p.ETag, p.Modified = validators(m.Head)
			}
			confirm(&end.Captures[0], c.Page, c.Mime)
		}
	} else {
		last := u.Last()
		end.Attempts = []storage.Attempt{{
			Collection: collection, URL: url, URLKey: key, At: last.Header.Date(), Run: c.Run,
			Outcome: string(c.Outcome), Detail: c.Detail, Segment: segment, Offset: last.Offset, RecordID: last.Header.ID(),
			MS: end.Took.Milliseconds(), Link: c.Link, Look: c.Look,
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
	if i.kept != nil {
		if err := decodeJSON(bytes.NewReader(i.kept), into); err != nil {
			return fmt.Errorf("record %s at %d: %w", i.Header.ID(), i.Offset, err)
		}
		return nil
	}
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
	end := storage.End{Task: e.Task, Token: e.Meta.Token, New: e.New, Keep: e.Keep, Bytes: e.bytes(), Counted: e.Counted, Named: e.Named, Look: e.Look}
	end.Took, end.LeftOut = e.took(), e.Meta.leftOut()
	end.Task.Attempts = e.Meta.Attempt
	end.Task.Due, end.Task.Outcome = e.Meta.Retry, ""
	if e.Meta.Retry == 0 {
		end.Task.Due, end.Task.Outcome = storage.Never, string(e.outcome())
	}
	if main, ok := g.Main(); ok {
		c := e.capture(orig)
		c.Segment, c.Offset, c.Length, c.RecordID = segment, start+main.Offset, main.Length, main.RecordID
		c.MS = end.Took.Milliseconds()
		if !c.Unmodified {
			c.Size = end.Bytes
		}
		end.Captures = []storage.Capture{c}
	} else {
		end.Attempts = []storage.Attempt{{
			Collection: e.Collection, URL: e.Exchange.URL, URLKey: urlkey.Key(e.Exchange.asked()), At: e.Exchange.At,
			Run: e.Meta.Run, Outcome: string(e.outcome()), Detail: e.Exchange.Detail,
			Segment: segment, Offset: start + g.Closing().Offset, RecordID: g.Closing().RecordID,
			MS: end.Took.Milliseconds(), Link: e.Meta.Link, Look: e.Meta.Look,
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

// took is how long the exchange took, to the millisecond.
func (e *Entry) took() time.Duration {
	if e.Exchange == nil {
		return 0
	}
	return e.Exchange.Timing.Total.Truncate(time.Millisecond)
}

// payloadSize is the size of the payload. A record of an older version tells it of a response alone, and counts the framing
// of chunks.
func (u *Unit) payloadSize() int64 {
	m := u.Main()
	switch {
	case m == nil, u.Closing.Page.Status != 0: // no byte of it crossed the wire
		return 0
	case m.Header.Type() == TypeResource:
		return m.Header.Length
	case u.Closing.PayloadSize > 0:
		return u.Closing.PayloadSize
	case m.Header.Type() == TypeRevisit || m.Digest() == Digest(emptySum):
		return 0
	}
	return max(0, m.Header.Length-m.Head.Len)
}

// leftOut adds up the links that did not become tasks, by reason.
func (m *Meta) leftOut() []storage.LeftOut {
	out := slices.Clone(m.LeftOut)
	for i := range m.Outlinks {
		l := &m.Outlinks[i]
		if l.Reason == "" || l.Reason == reasonNoted || l.Context == CitationContext { // the post's record tells of those
			continue
		}
		k := slices.IndexFunc(out, func(o storage.LeftOut) bool { return o.Reason == l.Reason })
		if k < 0 {
			k = len(out)
			out = append(out, storage.LeftOut{Reason: l.Reason, Example: l.URL})
		}
		out[k].N++
	}
	return out
}

func (e *Entry) capture(orig *Original) storage.Capture {
	c := storage.Capture{Collection: e.Collection, Run: e.Meta.Run, Outcome: string(e.outcome())}
	if r := e.Resource; r != nil {
		c.URL, c.URLKey, c.At, c.Mime, c.Kind = r.URL, urlkey.Key(r.URL), r.At, bareMime(r.mime()), KindResource
		c.Digest = Digest(sha256.Sum256(r.Body))
		return c
	}
	x := e.Exchange
	c.URL, c.URLKey, c.At, c.Status, c.Mime = x.URL, urlkey.Key(x.asked()), x.At, x.Head.Status, e.Meta.Mime
	c.Flags, c.TLSInvalid = strings.Join(e.Meta.Flags, " "), x.TLS.invalid()
	c.ETag, c.Modified = validators(x.Head)
	c.Canonical = e.Meta.canonical(x.URL)
	c.Redirect, c.Kind, c.Digest = e.Meta.Redirect, KindResponse, Digest(x.payloadSum())
	switch {
	case e.Confirmed != nil:
		c.Kind, c.RefersTo, c.Digest = KindRevisit, e.Confirmed.Location, e.Confirmed.Digest
		confirm(&c, e.Confirmed.page(x.Head), e.Meta.Mime)
	case x.Truncated != "":
		c.Kind = KindTruncated
	case orig != nil:
		c.Kind, c.RefersTo = KindRevisit, orig.Location
	}
	return c
}

// confirm has a row tell of the page that a 304 stands for, as a reader gets it: reports, replay and whoever compares runs
// see the page, and not that it crossed the wire no more.
func confirm(c *storage.Capture, p Page, mime string) {
	c.Unmodified, c.Size, c.Status, c.Mime, c.ETag, c.Modified = true, p.Size, p.Status, mime, p.ETag, p.Modified
}

// maxValidator bounds a validator that is kept, in bytes: a longer one is no use of its own.
const maxValidator = 512

// validators are what a later request can ask by whether something has changed (RFC 9110 §8.8): none if each answer is
// for one request alone (Vary: *). A Last-Modified is one only where a change within the same second would have shown: if
// the server's own clock was a second further when it answered (§8.8.2.2), and if the answer does not depend on who asks.
func validators(h httpmsg.Head) (etag, modified string) {
	for _, on := range h.Tokens("Vary") {
		switch strings.ToLower(on) {
		case "*":
			return "", ""
		case "accept", "accept-encoding", "user-agent": // the same in every request of ours
		default:
			h.Fields = slices.DeleteFunc(slices.Clone(h.Fields), func(f httpmsg.Field) bool { return strings.EqualFold(f.Name, "Last-Modified") })
		}
	}
	since, err := http.ParseTime(h.Get("Last-Modified"))
	now, err2 := http.ParseTime(h.Get("Date"))
	strong := err == nil && err2 == nil && now.Sub(since) >= time.Second

	keep := func(s string) string {
		if len(s) > maxValidator || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
			return ""
		}
		return s
	}
	if strong {
		modified = keep(h.Get("Last-Modified"))
	}
	return keep(h.Get("ETag")), modified
}

// invalid says why the certificate did not verify.
func (t *TLS) invalid() string {
	if t == nil {
		return ""
	}
	return t.Invalid
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

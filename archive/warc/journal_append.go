package warc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"linkstead/storage"
)

// Media types of our JSON records.
const (
	MimePost = "application/vnd.linkstead.post+json"
	MimeRun  = "application/vnd.linkstead.run+json"
)

// Entry is what a task yielded: an exchange, or a document that was handed in.
type Entry struct {
	Collection string
	Exchange   *Exchange
	Resource   *Resource
	Meta       Meta
	Task       storage.Task     // as it was leased
	Confirmed  *Confirmed       // if the answer is a 304, and what it stands for can be read
	Anew       bool             // it is kept in full, though a copy of equal bytes may be there: that one can't be read
	Post       *storage.Post    // if the document is the run's post; Segment and Offset are filled in
	New        []storage.Task   // what it led to
	Keep       []byte           // what whoever holds the host next needs of it, see storage.End
	Counted    []string         // what its page counts for, see storage.End
	Named      []storage.Named  // requisites that it names, see storage.End
	Look       *storage.LookEnd // of a look at a link
	Added      int              // how many of New the database did not have; set before done is called
}

// Append records an entry. It returns when the bytes are in the segment, from which time the entry's exchange may be
// released; done is called once they are durable and count (held), or count for nothing because the lease was no longer
// held, or the journal failed. If Append returns an error, done is not called.
func (j *Journal) Append(ctx context.Context, e *Entry, done func(held bool, err error)) error {
	var post []byte
	if e.Post != nil {
		var err error
		if post, err = encodePost(e.Post); err != nil {
			return err
		}
	}
	digest := e.digest()
	for {
		seg, orig, err := j.original(ctx, e, digest)
		if err != nil {
			return err
		}
		group, err := j.compose(e, seg, orig, post)
		if err != nil {
			return err
		}
		about, err := j.aboutRun(ctx, seg, e.Meta.Run)
		if err != nil {
			return errors.Join(err, group.Release())
		}
		server, err := j.aboutServer(seg, e)
		if err != nil {
			err = errors.Join(err, group.Release())
			if about != nil {
				err = errors.Join(err, about.Release())
			}
			return err
		}
		n := &addition{e, seg, orig, digest, group, about, server, done}
		ok, err := j.add(n)
		if err != nil || ok {
			return err
		}
		if err := n.release(); err != nil {
			return err
		}
	}
}

// addition is a group that may be appended.
type addition struct {
	entry  *Entry
	seg    *segment
	orig   *Original
	digest string
	group  *Group
	about  *Group // the run's spec, if the segment may lack it
	server *Group // the server's certificates, if the segment may lack them
	done   func(held bool, err error)
}

// release frees what was not appended.
func (a *addition) release() error {
	var err error
	for _, g := range []*Group{a.about, a.server} {
		if g != nil {
			err = errors.Join(err, g.Release())
		}
	}
	return errors.Join(err, a.group.Release())
}

// encodePost writes a post as its record has it. What could not be read back is not written.
func encodePost(p *storage.Post) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return nil, fmt.Errorf("encode post %s: %w", p.ID, err)
	}
	if b.Len() > MaxClosing {
		return nil, fmt.Errorf("%w: the post record of %s has %d bytes, more than %d", ErrExchange, p.URL, b.Len(), MaxClosing)
	}
	return b.Bytes(), nil
}

// digest is the payload digest by which an equal payload is found; empty if a revisit is out of the question.
func (e *Entry) digest() string {
	if x := e.Exchange; x != nil && !e.Meta.probe() && x.Head.Len > 0 && x.Truncated == "" && x.Payload.Size > 0 {
		return Digest(x.Payload.SHA256)
	}
	return ""
}

// original finds what the entry may be a revisit of: an earlier response of the segment being written, or one in a
// stored segment of the collection.
func (j *Journal) original(ctx context.Context, e *Entry, digest string) (*segment, *Original, error) {
	seg, err := j.current(ctx, e.Collection)
	if err != nil {
		return nil, nil, err
	}
	if e.Confirmed != nil {
		return seg, &e.Confirmed.Original, nil
	}
	if digest == "" {
		return seg, nil, nil
	}
	j.mu.Lock()
	o, ok := seg.originals[digest]
	j.mu.Unlock()
	if ok {
		return seg, &o, nil
	}
	if e.Anew {
		return seg, nil, nil
	}
	ctx, stop := j.until(ctx)
	defer stop()
	c, err := j.Rows.Original(ctx, e.Collection, digest, "")
	if errors.Is(err, storage.ErrNotFound) {
		return seg, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("look for an earlier capture of the same payload: %w", err)
	}
	if !j.stands(ctx, c) {
		return seg, nil, nil
	}
	return seg, &Original{RecordID: c.RecordID, URL: c.URL, At: c.At, Location: location(c.Segment, c.Offset)}, nil
}

func location(segment string, offset int64) string { return fmt.Sprintf("%s/%d", segment, offset) }

func (j *Journal) compose(e *Entry, seg *segment, orig *Original, post []byte) (*Group, error) {
	opts := Options{WarcinfoID: seg.infoID, Original: orig, Confirmed: e.Confirmed}
	if post != nil {
		opts.Extras = []Extra{{ContentType: MimePost, Body: post}}
	}
	if e.Resource != nil {
		return j.Composer.Resource(e.Resource, &e.Meta, opts)
	}
	return j.Composer.Compose(e.Exchange, &e.Meta, opts)
}

// add appends a group under the lock. It says no, and writes nothing, if the segment is no longer the open one, or if
// an equal payload has come into it meanwhile: the group must be composed anew.
func (j *Journal) add(n *addition) (bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e, seg := n.entry, n.seg
	if err := j.refuses(); err != nil {
		return false, errors.Join(err, n.release())
	}
	_, twin := seg.originals[n.digest]
	if j.open[e.Collection] != seg || twin && n.orig == nil {
		return false, nil
	}
	if err := seg.describe(n); err != nil {
		return false, errors.Join(j.fail(err), n.group.Release())
	}
	members := *n.group
	start, err := seg.append(n.group)
	if err != nil {
		return false, j.fail(err)
	}
	a := &appended{seg: seg, entry: e, closingID: members.Closing().RecordID, done: n.done}
	a.end = e.end(seg.row.ID, start, &members, n.orig)
	if main, ok := members.Main(); ok && n.digest != "" && n.orig == nil {
		seg.originals[n.digest] = Original{
			RecordID: main.RecordID, URL: e.Exchange.URL, At: e.Exchange.At, Location: location(seg.row.ID, start+main.Offset),
		}
		a.digest = n.digest
	}
	seg.units++
	seg.pending++
	j.pending = append(j.pending, a)
	j.nudge()
	return true, nil
}

// describe writes what explains an entry before the entry itself. The lock is held.
func (s *segment) describe(n *addition) error {
	if err := s.describeRun(n.about, n.entry.Meta.Run); err != nil {
		if n.server != nil {
			err = errors.Join(err, n.server.Release())
		}
		return err
	}
	return s.describeServer(n.server, n.entry.shown())
}

// fail makes the journal refuse everything from now on, and returns the error as people should read it. The lock is held.
func (j *Journal) fail(err error) error {
	err = j.Spool.Explain(err)
	if j.err == nil {
		j.err = fmt.Errorf("the journal takes nothing more until the next start: %w", err)
		close(j.failed)
		j.Log.Error("the journal stopped", "error", err)
	}
	j.nudge()
	return err
}

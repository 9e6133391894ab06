package warc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"linkstead/storage"
)

// post compares the rows of a post and its citations.
func (c *comparison) post(ctx context.Context, u *unitRows) error {
	want := u.end.Post.Stored()
	flaw := Flaw{Offset: want.Offset, Record: u.closing, URL: want.URL}
	have, err := c.i.Rows.PostVersion(ctx, want.ID, want.Run)
	if errors.Is(err, storage.ErrNotFound) {
		flaw.Word, flaw.Detail = WordNoRow, fmt.Sprintf("post %s of run %d has no row", want.ID, want.Run)
		c.flaw(flaw)
		c.mend.Posts = append(c.mend.Posts, want) // its citations may be there
		c.put(u)
		return nil
	}
	if err != nil {
		return err
	}
	if have.Segment != want.Segment || have.Offset != want.Offset {
		if _, other := c.posts()[have.Offset]; have.Segment == c.Segment && !other || have.Segment != c.Segment && !c.known(ctx, have.Segment, have.Offset) {
			flaw.Word, flaw.Detail = WordRow, fmt.Sprintf("the row of post %s names a place where it does not stand, %s", want.ID, location(have.Segment, have.Offset))
			c.flaw(flaw)
			c.mend.Posts = append(c.mend.Posts, want)
			c.put(u)
			if have.Segment == c.Segment {
				delete(c.there.posts, have.Offset)
			}
		}
		return nil // another capture of the same post, in the same run: that one is looked at where it stands
	}
	delete(c.there.posts, want.Offset)
	citations := slices.Equal(want.Citations, have.Citations) && slices.Equal(want.Damaged, have.Damaged)
	plain, stored := want, have
	plain.Citations, stored.Citations, plain.Damaged, stored.Damaged = nil, nil, nil, nil
	differ := difference(plain, stored)
	if differ == "" && citations {
		return nil
	}
	if differ == "" {
		differ = fmt.Sprintf("its citations are %d, of which the record has %d, and its damaged ones %d of %d, or they differ",
			len(have.Citations), len(want.Citations), len(have.Damaged), len(want.Damaged))
	}
	flaw.Word, flaw.Detail = WordRow, fmt.Sprintf("the row of post %s: %s", want.ID, differ)
	c.flaw(flaw)
	c.mend.Posts = append(c.mend.Posts, want)
	c.put(u)
	return nil
}

// posts are the places of the segment's posts.
func (c *comparison) posts() map[int64]bool {
	out := map[int64]bool{}
	for _, u := range c.want.units {
		if p := u.end.Post; p != nil {
			out[p.Offset] = true
		}
	}
	return out
}

// known says whether a segment is one, and a post can stand at that place in it.
func (c *comparison) known(ctx context.Context, id string, offset int64) bool {
	s, err := c.i.Rows.Segment(ctx, id)
	if err != nil || s.State != storage.SegmentStored {
		return err == nil && s.State != storage.SegmentLost
	}
	h, err := c.i.recordAt(ctx, s, offset, "")
	return err == nil && h.Get(fieldContentType) == MimePost || err != nil && !errors.Is(err, errNoRecord)
}

// tasks holds the tasks' rows against the exchanges: each was asked for, and knows its last end.
func (c *comparison) tasks(ctx context.Context) error {
	last := map[storage.TaskKey]*unitRows{}
	var keys []storage.TaskKey
	for _, u := range c.want.units {
		t := &u.end.Task
		if t.Host == "" || t.Kind == storage.KindProbe || c.want.voids[u.closing] { // when a link is looked at again may be lost
			continue
		}
		k := t.Key()
		if o := last[k]; o == nil {
			keys = append(keys, k)
		} else if o.end.Task.Attempts > t.Attempts {
			continue
		}
		last[k] = u
	}
	rows, err := c.i.Index.TasksOf(ctx, keys)
	if err != nil {
		return err
	}
	for _, k := range keys {
		u := last[k]
		t := u.end.Task
		row, ok := rows[k]
		flaw := Flaw{Word: WordTask, Offset: u.offset, Record: u.closing, URL: u.url()}
		switch {
		case !ok:
			if gone, err := c.forgotten(ctx, t.Run); err != nil || gone {
				if err != nil {
					return err
				}
				continue
			}
			flaw.Detail = fmt.Sprintf("run %d has no task for it", t.Run)
		case row.Attempts < t.Attempts:
			flaw.Detail = fmt.Sprintf("its task in run %d knows of %d tries, and this is number %d", t.Run, row.Attempts, t.Attempts)
		case row.Attempts == t.Attempts && t.Due == storage.Never && row.Due == storage.Never && row.Outcome != t.Outcome:
			flaw.Detail = fmt.Sprintf("its task in run %d ended with %q, and the record says %q", t.Run, row.Outcome, t.Outcome)
		default:
			var old bool
			if flaw.Detail, old = taskDiffers(u, &row); old {
				c.Old++
				c.mend.Tasks = append(c.mend.Tasks, k)
				c.put(u)
			}
			if flaw.Detail == "" {
				continue
			}
		}
		c.flaw(flaw)
		c.mend.Tasks = append(c.mend.Tasks, k)
		c.put(u)
	}
	return nil
}

// taskDiffers says how the row of a task differs from what its last try tells; empty if it does not. A row of an older version
// knows nothing of the answer.
func taskDiffers(u *unitRows, row *storage.TaskRow) (differ string, old bool) {
	t := &u.end.Task
	if row.URL != "" { // a purge leaves no more than that it has ended
		want, have := *t, row.Task
		for _, v := range []*storage.Task{&want, &have} { // these are told of already, or were asked for by
			v.Host, v.Due, v.Attempts, v.Outcome, v.Stamp = "", 0, 0, "", ""
		}
		if want != have {
			return fmt.Sprintf("its task in run %d: %s", t.Run, difference(want, have)), false
		}
	}
	status, version := u.end.Answer()
	if row.Attempts != t.Attempts || t.Due == storage.Never && row.Due != storage.Never || row.Status == status && row.Version == version {
		return "", false
	}
	if row.Status == 0 && row.Version == 0 {
		return "", true
	}
	return fmt.Sprintf("its task in run %d had the answer %d of version %x, and the record says %d and %x", t.Run, row.Status, row.Version, status, version), false
}

// forgotten says whether nothing is to be kept of a run, or it is known to be there no more.
func (c *comparison) forgotten(ctx context.Context, id int64) (bool, error) {
	r, err := c.i.Index.Run(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil && r.Source == "", err
}

// runs makes sure that the runs of the exchanges are there.
func (c *comparison) runs(ctx context.Context) error {
	seen := map[int64]*unitRows{}
	for _, u := range c.want.units {
		if id := u.end.Task.Run; id != 0 && seen[id] == nil {
			seen[id] = u
		}
	}
	for _, id := range slices.Sorted(maps.Keys(seen)) {
		row, err := c.i.Index.Run(ctx, id)
		if !errors.Is(err, storage.ErrNotFound) {
			if err != nil {
				return err
			}
			c.run(&row, seen[id])
			continue
		}
		c.flaw(Flaw{Word: WordNoRow, Offset: seen[id].offset, Record: seen[id].closing, URL: seen[id].url(), Detail: fmt.Sprintf("run %d, which captured it, has no row", id)})
		if run, ok := c.want.runs[id]; ok {
			c.runsAnew = append(c.runsAnew, run)
		} else {
			c.noRun[seen[id].offset] = true
		}
	}
	return nil
}

// run holds the row of a run against its record.
func (c *comparison) run(row *storage.Run, u *unitRows) {
	want, ok := c.want.runs[row.ID]
	if !ok || row.Source == "" { // a purge has forgotten it
		return
	}
	have := storage.Run{ID: row.ID, Collection: row.Collection, Source: row.Source, Spec: row.Spec, Schedule: row.Schedule, Started: row.Started}
	want = storage.Run{ID: want.ID, Collection: want.Collection, Source: want.Source, Spec: want.Spec, Schedule: want.Schedule, Started: want.Started.UTC()}
	if sameJSON(want.Spec, have.Spec) {
		have.Spec = want.Spec
	}
	if differ := difference(want, have); differ != "" {
		c.flaw(Flaw{Word: WordRow, Offset: -1, Record: u.closing, Detail: fmt.Sprintf("the row of run %d: %s", row.ID, differ)})
		c.mend.Runs = append(c.mend.Runs, want)
	}
}

// sameJSON says whether two documents are the same but for their spaces.
func sameJSON(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

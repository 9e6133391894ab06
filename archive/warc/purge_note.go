package warc

import (
	"encoding/json"
	"fmt"
	"time"

	"linkstead/storage"
)

// MimePurge is the media type of the record in which a rewritten segment tells of the purge.
const MimePurge = "application/vnd.linkstead.purge+json"

// purgeNote tells in a rewritten segment that something was taken out of it: when, why and how much, never what. It also
// keeps what a rebuild could not know without the exchanges that are gone.
type purgeNote struct {
	Purge     string         `json:"purge"` // the purge: the same in all its segments
	At        time.Time      `json:"at"`
	Node      string         `json:"node"`
	Reason    string         `json:"reason"`
	By        string         `json:"by,omitempty"`
	What      string         `json:"what,omitempty"`     // the rule, for retention; a takedown names nothing
	Replaces  string         `json:"replaces"`           // the segment that this one was made from
	With      []string       `json:"with"`               // the segments that came into use together: all of them, or none
	Counts    PurgeCounts    `json:"counts"`             // of this segment
	Out       []int64        `json:"out,omitempty"`      // where what was taken out begins in a file that was imported in place: nothing of it is indexed
	Promoted  []string       `json:"promoted,omitempty"` // WARC-Record-IDs of revisits that hold their payload now
	Ended     []endedTask    `json:"ended,omitempty"`    // tasks of which no exchange is left: they stay ended
	Forgotten []forgottenRun `json:"forgotten,omitempty"`
}

// PurgeCounts tell how much was, or would be, taken out.
type PurgeCounts struct {
	Segments int64 `json:"segments"` // rewritten
	Captures int64 `json:"captures"`
	Attempts int64 `json:"attempts"`
	Voided   int64 `json:"voided"` // exchanges that did not count
	Posts    int64 `json:"posts"`
	Bytes    int64 `json:"bytes"` // compressed
}

func (c *PurgeCounts) add(o PurgeCounts) {
	c.Segments += o.Segments
	c.Captures += o.Captures
	c.Attempts += o.Attempts
	c.Voided += o.Voided
	c.Posts += o.Posts
	c.Bytes += o.Bytes
}

// endedTask is a task without its address. One that has not ended keeps what it takes to carry it out.
type endedTask struct {
	Host     string `json:"host"`
	Run      int64  `json:"run"`
	ID       int64  `json:"id"`
	Kind     string `json:"kind"`
	Depth    int    `json:"depth,omitempty"`
	Attempts int    `json:"attempts"`
	Outcome  string `json:"outcome,omitempty"`
	Due      int64  `json:"due"`
	URL      string `json:"url,omitempty"`
	Hops     string `json:"hops,omitempty"`
	Via      string `json:"via,omitempty"`
}

type forgottenRun struct {
	ID         int64     `json:"id"`
	Collection string    `json:"collection"`
	Started    time.Time `json:"started"`
}

func endedOf(t storage.Task) endedTask {
	e := endedTask{Host: t.Host, Run: t.Run, ID: t.ID, Kind: t.Kind, Depth: t.Depth, Attempts: t.Attempts, Outcome: t.Outcome, Due: t.Due}
	if t.Due < storage.Never {
		e.URL, e.Hops, e.Via = t.URL, t.Hops, t.Via
	}
	return e
}

func (e endedTask) task() storage.Task {
	return storage.Task{
		Host: e.Host, Run: e.Run, ID: e.ID, URL: e.URL, Kind: e.Kind, Depth: e.Depth, Hops: e.Hops, Via: e.Via,
		Due: e.Due, Attempts: e.Attempts, Outcome: e.Outcome,
	}
}

func (f forgottenRun) run() storage.Run {
	return storage.Run{ID: f.ID, Collection: f.Collection, Spec: json.RawMessage("{}"), State: storage.RunDone, Started: f.Started}
}

// purgeDetail is what the log keeps of a purge.
type purgeDetail struct {
	Reason string      `json:"reason"`
	By     string      `json:"by,omitempty"`
	What   string      `json:"what,omitempty"`
	Counts PurgeCounts `json:"counts"`
	Runs   []int64     `json:"runs,omitempty"` // of which nothing is left
}

// audit is the line of the log for a purge that has come so far.
func (n *purgeNote) audit(so PurgeCounts) (storage.Audit, error) {
	d := purgeDetail{Reason: n.Reason, By: n.By, What: n.What, Counts: so}
	for _, f := range n.Forgotten {
		d.Runs = append(d.Runs, f.ID)
	}
	detail, err := json.Marshal(d)
	if err != nil {
		return storage.Audit{}, fmt.Errorf("encode the log of a purge: %w", err)
	}
	return storage.Audit{ID: n.Purge, At: n.At, Node: n.Node, Action: "purge", Detail: detail}, nil
}

// document is the record of the note.
func (n *purgeNote) document(c *Composer, infoID string) (*Group, error) {
	body, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("encode the note of a purge: %w", err)
	}
	return c.Document(Document{URL: "urn:linkstead:purge:" + n.Purge, ContentType: MimePurge, At: n.At, Body: body}, Options{WarcinfoID: infoID})
}

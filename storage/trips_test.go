package storage_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"linkstead/storage"
)

// odometer counts trips to a server. Those that prepare a statement, once a connection, are not among them.
type odometer struct{ n atomic.Int64 }

func (o *odometer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	o.n.Add(1)
	return ctx
}
func (o *odometer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	o.n.Add(1)
	return ctx
}
func (o *odometer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData)     {}
func (o *odometer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (o *odometer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// TestPostgresTrips counts the trips of what is done over and over, the transaction's begin and end among them. They don't
// grow with the number of exchanges, nor with what is noted of each.
func TestPostgresTrips(t *testing.T) {
	o, ctx := &odometer{}, t.Context()
	db, err := storage.OpenTraced(ctx, server(t), storage.DBOptions{Now: time.Now}, o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	trips := func(what string, most int64, f func() error) {
		t.Helper()
		before := o.n.Load()
		must(f())
		if n := o.n.Load() - before; n > most {
			t.Errorf("%s took %d trips, want %d", what, n, most)
		}
	}
	const n = 20
	must(db.OpenSegment(ctx, storage.Segment{ID: "old", Collection: "c", Node: "n", State: storage.SegmentOpen, Created: time.Now()}))
	must(db.OpenSegment(ctx, storage.Segment{ID: "new", Collection: "c", Node: "n", State: storage.SegmentOpen, Created: time.Now()}))
	run, err := db.StartRun(ctx, storage.Run{Collection: "c", Schedule: "s", Spec: []byte("{}"), State: storage.RunActive, Started: time.Now()}, nil, nil)
	must(err)
	var tasks []storage.Task
	for i := range int64(2 * n) {
		tasks = append(tasks, storage.Task{Host: fmt.Sprint("h", i%4), Run: run.ID, ID: i, URL: fmt.Sprint("http://h.test/", i), Kind: "page", Hops: "M"})
	}
	_, err = db.Enqueue(ctx, tasks)
	must(err)

	var held []storage.Lease
	trips("a claim", 4, func() (err error) { held, err = db.Claim(ctx, "n", 8, n, time.Minute); return err })
	trips("a renewal", 3, func() error { lost, err := db.Renew(ctx, held, time.Minute); return orLost(err, len(lost)) })

	var old, found, rest []storage.End
	for _, l := range held {
		for i, task := range l.Tasks {
			task.Due, task.Outcome = storage.Never, "captured"
			c := storage.Capture{Collection: "c", URLKey: task.URL, At: time.Now(), Segment: "new", Offset: task.ID, URL: task.URL, Status: 200,
				Kind: "response", Run: task.Run, Outcome: "captured", Digest: fmt.Sprint("sha256:", task.ID)}
			e := storage.End{Task: task, Token: l.Token, Bytes: 10, Took: time.Second, Counted: []string{"p", task.URL}, Keep: []byte("k")}
			switch i % 3 {
			case 0:
				c.Segment = "old"
				e.Captures = []storage.Capture{c}
				old = append(old, e)
			case 1: // a revisit of another segment's, which names what is new
				c.Kind, c.RefersTo, c.Digest = "revisit", fmt.Sprint("old/", old[0].Captures[0].Offset), old[0].Captures[0].Digest
				e.Captures = []storage.Capture{c}
				e.New = []storage.Task{{Host: fmt.Sprint("other", task.ID), Run: task.Run, ID: 1000 + task.ID, URL: "u", Kind: "page", Due: storage.Never - 1}}
				e.LeftOut = []storage.LeftOut{{Reason: "scope", N: 3, Example: "http://x.test/"}}
				found = append(found, e)
			default: // a failure, a redirect: contents that count as none
				e.Attempts = []storage.Attempt{{Collection: "c", URLKey: task.URL, At: time.Now(), Segment: "new", Offset: task.ID, URL: task.URL, Run: task.Run, Outcome: "dns"}}
				rest = append(rest, e)
			}
		}
	}
	if len(old) < 3 || len(found) < 3 || len(rest) < 3 {
		t.Fatalf("%d, %d and %d ends, want some", len(old), len(found), len(rest))
	}
	commit := func(seg string, ends []storage.End) func() error {
		return func() error {
			fenced, err := db.Commit(ctx, []storage.Progress{{Segment: seg, Committed: 1}}, ends)
			return orLost(err, len(fenced))
		}
	}
	trips("a commit of captures", 5, commit("old", old))
	trips("a commit of revisits that found what is new", 7, commit("new", found))
	trips("a commit of failures", 5, commit("new", rest))
	trips("a release", 3, func() error { return db.Release(ctx, held, time.Now()) })
}

func orLost(err error, lost int) error {
	if err == nil && lost > 0 {
		err = fmt.Errorf("%d were lost", lost)
	}
	return err
}

package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"linkstead/storage"
)

// ledger brings a run's lines as text: host, word, count.
func (b *bench) ledger(run int64) (out []string) {
	b.t.Helper()
	lines, err := b.RunLedger(b.t.Context(), run)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, l := range lines {
		out = append(out, fmt.Sprintf("%s %s%s %d", l.Host, l.Word, l.Left, l.N))
	}
	return out
}

// ledgerAddsUp: what ends bring is added up by host and outcome; what is fenced is not; who adopts comes to the same.
func ledgerAddsUp(b *bench) {
	ctx := b.t.Context()
	r := b.startRun(task("h", 0, 1, 1), task("h", 0, 2, 2), task("h", 0, 3, 3), task("h", 0, 4, 4), task("h", 0, 5, 5))
	b.opened("s1", "n1")
	l := b.claimOne("h")
	whole, again := b.captured(l, l.Tasks[0], "s1", 10), b.captured(l, l.Tasks[1], "s1", 20)
	whole.Bytes, whole.Took = 100, 30*time.Millisecond
	whole.LeftOut = []storage.LeftOut{{Reason: "scope", N: 3, Example: "http://x/1"}, {Reason: "depth", N: 1}}
	again.Bytes, again.Took, again.Captures[0].Kind = 100, 50*time.Millisecond, "revisit"
	again.LeftOut = []storage.LeftOut{{Reason: "scope", N: 2, Example: "http://x/2"}}
	b.commit([]storage.Progress{{Segment: "s1", Committed: 40}}, whole, again)
	b.commit([]storage.Progress{{Segment: "s1", Committed: 60}}, b.captured(l, l.Tasks[2], "s1", 45), b.failed(l, l.Tasks[3], "s1", 50, storage.Never))
	late := b.captured(l, l.Tasks[4], "s1", 65)
	late.Token++
	if fenced, err := b.Commit(ctx, []storage.Progress{{Segment: "s1", Committed: 70}}, []storage.End{late}); err != nil || len(fenced) != 1 {
		b.t.Fatalf("fenced %v, %v", fenced, err)
	}
	want := []storage.Line{
		{Run: r.ID, Host: "h", Word: "ok", N: 3, Revisit: 1, Bytes: 200, Fresh: 100, Took: 80 * time.Millisecond, Longest: 50 * time.Millisecond},
		{Run: r.ID, Host: "h", Left: "depth", N: 1},
		{Run: r.ID, Host: "h", Left: "scope", N: 5, Example: "http://x/1"},
		{Run: r.ID, Host: "h", Word: b.failed(l, l.Tasks[3], "s1", 50, storage.Never).Attempts[0].Outcome, N: 1, Example: "http://h/4"},
	}
	byWord := func(x, y storage.Line) int { return strings.Compare(x.Word+x.Left, y.Word+y.Left) }
	slices.SortStableFunc(want, byWord)
	got, err := b.RunLedger(ctx, r.ID)
	slices.SortStableFunc(got, byWord)
	if err != nil || !slices.Equal(got, want) {
		b.t.Errorf("the ledger has %+v, %v\nwant %+v", got, err, want)
	}
	if segments, err := b.RunSegments(ctx, r.ID); err != nil || !slices.Equal(segments, []string{"s1"}) {
		b.t.Errorf("segments %v, %v", segments, err)
	}
	speed, err := b.Speeds(ctx, time.Minute)
	if err != nil || len(speed) != 1 || speed[0].Node != "n1" || speed[0].N != 4 || speed[0].Bytes != 200 {
		b.t.Errorf("paces %+v, %v", speed, err)
	}
}

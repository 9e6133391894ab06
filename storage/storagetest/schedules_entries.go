package storagetest

import (
	"errors"
	"fmt"
	"time"

	"linkstead/storage"
)

// entry is an entry as it is discovered: its task, and what is listed of its version.
func entry(run, id int64, stamp string) storage.Task {
	t := task("h", run, id, 1)
	t.Hops, t.Stamp = "M", stamp
	return t
}

// answered is the end of a task with an answer.
func answered(l storage.Lease, t storage.Task, status int, fresh ...storage.Task) storage.End {
	e := done(l, t, fresh...)
	c := capture("seg", t.ID*100+t.Run, t.URL, time.UnixMilli(1_700_000_000_000))
	c.Run, c.Status = t.Run, status
	e.Captures = []storage.Capture{c}
	return e
}

func (b *bench) known(name string, ids ...int64) string {
	b.t.Helper()
	m, err := b.Known(b.t.Context(), name, ids)
	if err != nil {
		b.t.Fatal(err)
	}
	return fmt.Sprint(m)
}

// listed starts a run of schedule s that lists entries, and leases their host.
func (b *bench) listed(entries ...storage.Task) (storage.Run, storage.Lease) {
	b.t.Helper()
	seed := task("h", 0, 1000, 0)
	seed.Hops = ""
	r, err := b.start("s", nil, time.Hour, seed)
	if err != nil {
		b.t.Fatal(err)
	}
	l := b.claimOne("h")
	for i := range entries {
		entries[i].Run = r.ID
	}
	b.commit(nil, answered(l, l.Tasks[0], 200, entries...))
	return r, l
}

// schedulesEntries: an entry is known once an answer came that is no 429 and none of the server's own errors.
func schedulesEntries(b *bench) {
	b.putSchedule("s", time.Hour)
	b.putSchedule("other", time.Hour)
	r, l := b.listed(entry(0, 1, "v1"), entry(0, 2, "v1"), entry(0, 3, "-"), entry(0, 4, "-"), entry(0, 5, "-"), entry(0, 6, "-"))
	if got := b.known("s", 1, 2, 3, 4, 5, 6, 7); got != "map[]" {
		b.t.Errorf("before they were captured: %s", got)
	}
	for i, status := range []int{200, 404, 503, 429} {
		b.commit(nil, answered(l, b.task("h", r.ID, int64(i+1)), status))
	}
	b.commit(nil, done(l, b.task("h", r.ID, 5))) // no answer
	retried := answered(l, b.task("h", r.ID, 6), 200)
	retried.Task.Due = b.ms() + 1000
	b.commit(nil, retried)
	if got := b.known("s", 1, 2, 3, 4, 5, 6, 7); got != "map[1:v1 2:v1]" {
		b.t.Errorf("known are %s", got)
	}
	if got := b.known("other", 1, 2); got != "map[]" {
		b.t.Errorf("another schedule knows %s", got)
	}
	b.release(0, l)
	b.finishRun(r)
	r, l = b.listed(entry(0, 1, "v2"))
	if got := b.known("s", 1); got != "map[1:v1]" {
		b.t.Errorf("listed anew, not captured: %s", got)
	}
	late := l
	late.Token++
	b.commit(nil, answered(late, b.task("h", r.ID, 1), 200))
	if got := b.known("s", 1); got != "map[1:v1]" {
		b.t.Errorf("by a fenced end: %s", got)
	}
	b.commit(nil, answered(l, b.task("h", r.ID, 1), 200))
	if got := b.known("s", 1); got != "map[1:v2]" {
		b.t.Errorf("captured anew: %s", got)
	}
	var many []int64
	for i := range int64(1203) {
		many = append(many, i-1)
	}
	if got := b.known("s", many...); got != "map[1:v2 2:v1]" {
		b.t.Errorf("asked for many: %s", got)
	}
}

// schedulesEntriesRedirected: an entry that redirects is known once the end of its redirects is.
func schedulesEntriesRedirected(b *bench) {
	b.putSchedule("s", time.Hour)
	r, l := b.listed(entry(0, 1, "-"))
	step := func(from, to int64, hops string) {
		b.t.Helper()
		next := task("h", r.ID, to, 1)
		next.Hops = hops
		b.commit(nil, answered(l, b.task("h", r.ID, from), 301, next))
	}
	step(1, 11, "MR")
	step(11, 12, "MRR")
	if url, err := b.EntryOf(b.t.Context(), "s", 12); err != nil || url != "http://h/1" {
		b.t.Errorf("%q, %v", url, err)
	}
	for _, id := range []int64{1, 11, 99} {
		if _, err := b.EntryOf(b.t.Context(), "s", id); !errors.Is(err, storage.ErrNotFound) {
			b.t.Errorf("entry of %d: %v", id, err)
		}
	}
	if got := b.known("s", 1); got != "map[]" {
		b.t.Errorf("known on the way: %s", got)
	}
	b.commit(nil, answered(l, b.task("h", r.ID, 12), 200))
	if got := b.known("s", 1, 12); got != "map[1:-]" {
		b.t.Errorf("known at the end: %s", got)
	}
}

func (b *bench) tally(run int64) string {
	b.t.Helper()
	m, err := b.Tally(b.t.Context(), run)
	if err != nil {
		b.t.Fatal(err)
	}
	return fmt.Sprint(m)
}

func (b *bench) cut(run int64, budget string, want bool) {
	b.t.Helper()
	if got, err := b.CutRun(b.t.Context(), run, budget); err != nil || got != want {
		b.t.Errorf("cut: %v, %v, want %v", got, err, want)
	}
}

func schedulesCut(b *bench) {
	r := b.startRun(task("a", 0, 1, 1), task("a", 0, 2, 1), task("b", 0, 3, b.ms()+9000))
	other := b.startRun(task("a", 0, 1, 1))
	b.cut(r.ID, "pages", true)
	b.cut(r.ID, "bytes", true)
	if got, err := b.Run(b.t.Context(), r.ID); err != nil || got.Cut != "pages" {
		b.t.Errorf("%+v, %v", got, err)
	}
	if got := b.tally(r.ID) + b.tally(other.ID); got != "map[quota:3]map[pending:1]" {
		b.t.Errorf("tasks: %s", got)
	}
	if n, err := b.Enqueue(b.t.Context(), []storage.Task{task("a", r.ID, 4, 1)}); err != nil || n != 1 || b.tally(r.ID) != "map[quota:4]" {
		b.t.Errorf("what is found later: %s, %v", b.tally(r.ID), err)
	}
	l := b.claimOne("a")
	if len(l.Tasks) != 1 || l.Tasks[0].Run != other.ID {
		b.t.Errorf("left is %+v", l.Tasks)
	}
	b.commit(nil, done(l, l.Tasks[0]))
	b.cut(other.ID, "pages", false)
	if got, err := b.Run(b.t.Context(), other.ID); err != nil || got.Cut != "" {
		b.t.Errorf("a run with nothing left is cut: %+v, %v", got, err)
	}
}

// schedulesCutUnderWay: what a holder has under way when the run is cut still counts; what it leads to is cut.
func schedulesCutUnderWay(b *bench) {
	r := b.startRun(task("a", 0, 1, 1), task("a", 0, 2, 2), task("a", 0, 3, 3), task("b", 0, 1, 9))
	l := b.claim(1)[0]
	if l.Host != "a" {
		b.t.Fatalf("claimed %s", l.Host)
	}
	b.cut(r.ID, "bytes", true)
	if got := b.tally(r.ID); got != "map[pending:3 quota:1]" {
		b.t.Errorf("before the holder knows: %s", got)
	}
	late := l
	late.Token++
	for _, c := range []struct {
		l    storage.Lease
		want string
	}{{late, "map[pending:3 quota:1]"}, {l, "map[pending:2 quota:2]"}} {
		if err := b.CutTasks(b.t.Context(), c.l, r.ID, []int64{1, 2}); err != nil {
			b.t.Fatal(err)
		}
		if got := b.tally(r.ID); got != c.want {
			b.t.Errorf("after the holder knows: %s, want %s", got, c.want)
		}
	}
	if fenced := b.commit(nil, done(l, l.Tasks[0], task("c", r.ID, 7, 1)), again(l, l.Tasks[1], b.ms()+1000)); len(fenced) != 0 {
		b.t.Errorf("fenced: %v", fenced)
	}
	if got := b.tally(r.ID); got != "map[ok:1 quota:4]" {
		b.t.Errorf("at the end: %s", got)
	}
}

// schedulesEnds: the ends of a run in the order of their addresses' bytes, with equal versions for equal payloads.
func schedulesEnds(b *bench) {
	robots, pic := task("h", 0, 5, 1), task("h", 0, 6, 1)
	robots.Kind, pic.Kind = "robots", "requisite"
	tasks := []storage.Task{task("h", 0, 1, 1), task("h", 0, 2, 1), task("h", 0, 3, 1), task("h", 0, 4, 1), robots, pic}
	for i, u := range []string{"http://h/Z", "http://h/a", "http://h/ä", "http://h/_", "http://h/robots.txt", "http://h/pic"} {
		tasks[i].URL = u
	}
	r := b.startRun(tasks...)
	l := b.claimOne("h")
	byID := map[int64]storage.Task{}
	for _, t := range l.Tasks {
		byID[t.ID] = t
	}
	for id, status := range map[int64]int{1: 200, 2: 404, 5: 200, 6: 200} {
		b.commit(nil, answered(l, byID[id], status))
	}
	b.commit(nil, done(l, byID[3]))
	var got []string
	versions := map[int64]bool{}
	for e, err := range b.RunEnds(b.t.Context(), r.ID) {
		if err != nil {
			b.t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %q %d", e.URL, e.Outcome, e.Status))
		if e.Status != 0 {
			versions[e.Version] = true
		} else if e.Version != 0 {
			b.t.Errorf("without an answer: %+v", e)
		}
	}
	want := []string{`http://h/Z "ok" 200`, `http://h/_ "" 0`, `http://h/a "ok" 404`, `http://h/ä "ok" 0`}
	if fmt.Sprint(got) != fmt.Sprint(want) || len(versions) != 1 || versions[0] {
		b.t.Errorf("%q, versions %v; want %q", got, versions, want)
	}
}

// schedulesCopy: a database that was made anew gets back what no WARC tells.
func schedulesCopy(b *bench, rows Rows) {
	b.putSchedule("amiss", 0)
	if err := b.PostponeTick(b.t.Context(), b.claimOne(storage.TickHost("amiss")), b.ms()+1000, "no post"); err != nil {
		b.t.Fatal(err)
	}
	b.putSchedule("s", time.Hour)
	b.putSchedule("paused", time.Hour)
	if err := b.PauseSchedule(b.t.Context(), "paused", true, 0); err != nil {
		b.t.Fatal(err)
	}
	r, l := b.listed(entry(0, 1, "v1"), entry(0, 2, "v1"))
	b.commit(nil, answered(l, b.task("h", r.ID, 1), 200))
	b.release(0, l)
	b.cut(r.ID, "pages", true)
	if err := errors.Join(b.SetChanges(b.t.Context(), r.ID, []byte(`{"against":0}`)), b.SetFault(b.t.Context(), r.ID, "no feed")); err != nil {
		b.t.Fatal(err)
	}
	r, err := b.Run(b.t.Context(), r.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	b.finishRun(r)
	fresh := newBench(b.t, rows)
	if err := fresh.AdoptRun(b.t.Context(), storage.Run{ID: r.ID, Collection: "c", Schedule: "s", State: storage.RunActive, Spec: []byte(`{}`)}); err != nil {
		b.t.Fatal(err)
	}
	fresh.enqueue(task("h", r.ID, 2, 1))
	if n, err := storage.CopySchedules(b.t.Context(), b.DB, fresh.DB); err != nil || n != 3 {
		b.t.Fatalf("%d, %v", n, err)
	}
	for _, name := range []string{"s", "paused", "amiss"} {
		if got, want := fmt.Sprintf("%+v", fresh.schedule(name)), fmt.Sprintf("%+v", b.schedule(name)); got != want {
			b.t.Errorf("%s, want %s", got, want)
		}
	}
	if got := fresh.known("s", 1, 2); got != "map[1:v1]" {
		b.t.Errorf("known: %s", got)
	}
	got, err := fresh.Run(b.t.Context(), r.ID)
	if err != nil || got.State != storage.RunDone || got.Cut != "pages" || string(got.Changes) != `{"against":0}` || got.Fault != "no feed" || fresh.tally(r.ID) != "map[quota:1]" {
		b.t.Errorf("%+v, %v; %s", got, err, fresh.tally(r.ID))
	}
	if _, err := fresh.start("s", nil, 0); err != nil {
		b.t.Errorf("a schedule that was copied does not start: %v", err)
	}
}

package crawler_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"linkstead/archive/urlkey"
	"linkstead/crawler"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// lacks is the task of a page that a post lacks.
func lacks(w *web, hostPath string) []storage.Task {
	url := w.at(hostPath)
	return []storage.Task{{
		Host: urlkey.Host(url), ID: urlkey.PageID(url), URL: url, Kind: string(scope.KindPage), Depth: 1, Hops: string(scope.HopLink), Via: w.at("a.test/"),
		Due: scope.Again(scope.KindPage, string(scope.HopLink), 1),
	}}
}

// TestCompleteMore: what a post lacks is captured, also when a run that completes it goes on already, with something else.
func TestCompleteMore(t *testing.T) {
	w := newWeb(t)
	for _, name := range []string{"a.test/", "a.test/1", "a.test/2", "a.test/3"} {
		w.html(name, name)
	}
	n := newNode(t, archive(t))
	spec := w.spec("a.test/")
	spec.Missing = n.capture(spec).ID
	complete := func(name string, goesOn bool) storage.Run {
		t.Helper()
		r, resumed, err := crawler.Complete(t.Context(), n.db, spec, lacks(w, name), time.Now())
		if err != nil || resumed != goesOn {
			t.Fatalf("%s: run %d, goes on: %v, %v", name, r.ID, resumed, err)
		}
		return r
	}
	r := complete("a.test/1", false)
	must(t, n.db.PauseRun(t.Context(), r.ID))
	if again := complete("a.test/2", true); again.ID != r.ID {
		t.Errorf("run %d goes on, not %d", again.ID, r.ID)
	}
	n.work()
	n.done(r)
	last := complete("a.test/3", false)
	n.work()
	n.done(last)
	w.expect(t, "a.test/", "a.test/1", "a.test/2", "a.test/3")
}

// TestCompleteWhileEnding: whatever is asked for just when a run of the same post comes to its end is captured, once, and no run stays
// behind.
func TestCompleteWhileEnding(t *testing.T) {
	w := newWeb(t)
	w.html("a.test/", "A.")
	dir := archive(t)
	n := newNode(t, dir)
	spec := w.spec("a.test/")
	spec.Missing = n.capture(spec).ID
	db, err := storage.OpenDB(t.Context(), "sqlite:"+dir+"/linkstead.db", storage.DBOptions{})
	must(t, err)
	defer func() { must(t, db.Close()) }()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	asked := make(chan struct{})
	worked := make(chan error, 1)
	go func() {
		worked <- n.Work(ctx, func(ctx context.Context) (bool, error) {
			select {
			case <-asked:
			default:
				return false, nil
			}
			left, err := n.db.Unfinished(ctx)
			return len(left) == 0, err
		})
	}()
	want := []string{"a.test/"}
	var runs []int64
	for i := range 25 {
		name := fmt.Sprintf("a.test/%d", i)
		w.html(name, name)
		want = append(want, name)
		r, _, err := crawler.Complete(ctx, db, spec, lacks(w, name), time.Now())
		must(t, err)
		runs = append(runs, r.ID)
		waitFor(t, name+" is asked for", func() bool { return w.hits()[name] > 0 }) // its run ends next
	}
	close(asked)
	must(t, <-worked)
	w.expect(t, want...)
	for _, id := range slices.Compact(runs) {
		n.done(storage.Run{ID: id})
	}
}

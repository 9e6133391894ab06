package web

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"linkstead/crawler"
	"linkstead/crawler/scope"
	"linkstead/crawler/watch"
	"linkstead/storage"
)

// schedule adds a schedule that is due in an hour, and gives a run of it.
func (a *archive) schedule(name string, kind watch.Kind, source string) storage.Run {
	a.t.Helper()
	s := &watch.Schedule{Name: name, Kind: kind, When: watch.When{Cron: "0 3 * * *", TZ: "Europe/Zurich"}, Spec: scope.Default()}
	s.Spec.Source = source
	if err := s.Check(); err != nil {
		a.t.Fatal(err)
	}
	raw, err := s.Encode()
	if err != nil {
		a.t.Fatal(err)
	}
	ctx := a.t.Context()
	err = a.db.PutSchedule(ctx, storage.Schedule{Name: name, Spec: raw, Created: a.now, Due: a.now.Add(time.Hour).UnixMilli()})
	if err != nil {
		a.t.Fatal(err)
	}
	run, err := a.db.StartScheduled(ctx, storage.Start{Schedule: name, Run: storage.Run{
		Collection: "default", Source: source, Spec: []byte(`{}`), Started: a.now,
	}, First: []storage.Task{{Host: "h", ID: 1, URL: source, Kind: "page", Due: 1}}})
	if err != nil {
		a.t.Fatal(err)
	}
	return run
}

func TestSchedules(t *testing.T) {
	a := newArchive(t)
	golden(t, "noschedules.html", strings.ReplaceAll(a.get("/schedules").Body.String(), styleTag, "STYLE"))
	run := a.schedule("blog", watch.Feed, "https://blog.example/feed")
	d := watch.Diff{Against: 7, New: 2, Changed: 1, Failed: 1, Back: 1, List: []watch.Item{
		{URL: "https://blog.example/<script>", Change: watch.New}, {URL: "https://blog.example/feed", Change: watch.Changed},
		{URL: "https://far.example/\u202ea", Change: watch.Failed},
	}, More: 2}
	raw, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.db.SetChanges(t.Context(), run.ID, raw); err != nil {
		t.Fatal(err)
	}
	if _, err := a.db.CutRun(t.Context(), run.ID, "pages"); err != nil {
		t.Fatal(err)
	}
	run.Changes, run.Cut = raw, "pages"
	a.finish(run)
	a.schedule("going", watch.Sitemap, "https://s.example/sitemap.xml")
	if err := a.db.PauseSchedule(t.Context(), "going", true, 0); err != nil {
		t.Fatal(err)
	}
	a.schedule("list", watch.Recheck, "file:///home/ada/private/sources.txt")
	row, err := a.db.Schedule(t.Context(), "list")
	if err != nil {
		t.Fatal(err)
	}
	row.Fault, row.Due = "the post is not kept <yet>.", 0
	if err := a.db.PutSchedule(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	page := a.get("/schedules")
	checkPage(t, "/schedules", page.Body.String())
	golden(t, "schedules.html", strings.ReplaceAll(page.Body.String(), styleTag, "STYLE"))
	var got []crawler.ScheduleReport
	w := a.get("/schedules.json")
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Header().Get("Content-Type") != jsonType {
		t.Fatalf("%v, %s", err, w.Header())
	}
	if strings.Contains(w.Body.String()+page.Body.String(), "/ada/") {
		t.Error("where a list lies on the server is shown")
	}
	if len(got) != 3 || got[0].Next == nil || got[0].Runs[0].Cut != "pages" || got[0].Runs[0].CutTasks != 1 || got[0].Runs[0].Changes.New != 2 ||
		got[1].State != crawler.SchedulePaused || got[1].Next != nil ||
		got[2].Source != "sources.txt" || got[2].Fault != row.Fault {
		t.Errorf("%+v", got)
	}
}

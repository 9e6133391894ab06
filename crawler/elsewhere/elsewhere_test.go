package elsewhere

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const source = "http://source.test/a?b=c"

var asked = time.Date(2016, 2, 6, 12, 0, 0, 0, time.UTC)

// archive serves copies in all the ways in which archives do.
func archive(t *testing.T, count *atomic.Int64) *httptest.Server {
	mux := http.NewServeMux()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	at := asked.Add(2 * time.Hour).Format(http.TimeFormat)
	gate := func(name string, serve func(w http.ResponseWriter, r *http.Request)) {
		mux.HandleFunc("/"+name+"/", serve)
	}
	// ServeMux cleans paths: the handlers are found by the raw address.
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		name, _, _ := strings.Cut(r.URL.Path[1:], "/")
		r.URL.Path = "/" + name + "/x"
		mux.ServeHTTP(w, r)
	})
	gate("led", func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Accept-Datetime"), "Sat, 06 Feb 2016 12:0") || !strings.HasSuffix(r.RequestURI, "/"+source) {
			t.Errorf("Accept-Datetime %q for %s", r.Header.Get("Accept-Datetime"), r.RequestURI)
		}
		w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="original", <%s/m/1>; rel="first memento"; datetime="%s"`, source, s.URL, at))
		w.Header().Set("Location", "/m/1")
		w.WriteHeader(http.StatusFound)
	})
	gate("far", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/memento/2", http.StatusFound) })
	mux.HandleFunc("/memento/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Memento-Datetime", at)
	})
	gate("shown", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Memento-Datetime", at)
		w.Header().Set("Content-Location", "/m/3")
	})
	gate("none", http.NotFound)
	gate("broken", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "", http.StatusBadGateway) })
	gate("endless", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.RequestURI)
		w.WriteHeader(http.StatusFound)
	})
	gate("hostile", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Memento-Datetime", at)
		w.Header().Set("Content-Location", "javascript:alert(1)")
	})
	gate("map", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "<%s>; rel=\"original\",\n<%s/x>; rel=\"self\",\n", source, s.URL)
		for i := range 5 {
			fmt.Fprintf(w, "<%s/m/%d>; rel=\"memento\"; datetime=\"%s\",\n", s.URL, 2010+i*2, asked.AddDate(2010+i*2-2016, 0, 1).Format(http.TimeFormat))
		}
		fmt.Fprint(w, `<broken`)
	})
	mux.HandleFunc("/wayback/", func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); q.Get("url") != source || q.Get("timestamp") != "20160206120000" {
			t.Errorf("asked for %s", r.URL.RawQuery)
		}
		fmt.Fprintf(w, `{"url":"x","archived_snapshots":{"closest":{"status":"200","available":true,"url":"%s/m/9","timestamp":"20160101000000"}}}`, s.URL)
	})
	mux.HandleFunc("/empty/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"archived_snapshots":{}}`) })
	mux.HandleFunc("/error/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"archived_snapshots":{"closest":{"status":"404","available":true,"url":"http://x.test/","timestamp":"20160101000000"}}}`)
	})
	return s
}

func asker(archives ...Archive) *Asker {
	return &Asker{
		Archives: archives, Now: time.Now,
		Client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

func TestNear(t *testing.T) {
	var n atomic.Int64
	s := archive(t, &n)
	for _, c := range []struct {
		path, kind, want string // what comes of it: the copy's path and date, or a part of the fault
	}{
		{"/led/", TimeGate, "/m/1 2016-02-06T14"},
		{"/far/", TimeGate, "/memento/2 2016-02-06T14"},
		{"/shown/", TimeGate, "/m/3 2016-02-06T14"},
		{"/none/", TimeGate, ""},
		{"/broken/", TimeGate, "fault: 502"},
		{"/endless/", TimeGate, "fault: without end"},
		{"/hostile/", TimeGate, "fault: can't be led to"},
		{"/map/", TimeMap, "/m/2016 2016-02-07T12"},
		{"/none/", TimeMap, ""},
		{"/wayback/", Wayback, "/m/9 2016-01-01T00"},
		{"/empty/", Wayback, ""},
		{"/error/", Wayback, ""},
		{"/map/", Wayback, "fault: read its answer"},
	} {
		got, faults := asker(Archive{"A", c.kind, s.URL + c.path}).Near(t.Context(), source, asked)
		said := ""
		switch {
		case len(faults) > 0:
			said = "fault: " + faults[0].Err.Error()
		case len(got) > 0:
			said = strings.TrimPrefix(got[0].URL, s.URL) + " " + got[0].At.Format("2006-01-02T15")
		}
		rest, isFault := strings.CutPrefix(c.want, "fault: ")
		if isFault && (len(faults) != 1 || !strings.Contains(said, rest)) || !isFault && said != c.want {
			t.Errorf("%s by %s: %q, want %q", c.path, c.kind, said, c.want)
		}
	}
}

// TestNearestFirst: copies of several archives, and the fault of one beside them.
func TestNearestFirst(t *testing.T) {
	var n atomic.Int64
	s := archive(t, &n)
	a := asker(Archive{"Late", Wayback, s.URL + "/wayback/"}, Archive{"Broken", TimeGate, s.URL + "/broken/"}, Archive{"Near", TimeGate, s.URL + "/led/"})
	got, faults := a.Near(t.Context(), source, asked)
	if len(got) != 2 || got[0].Archive != "Near" || got[1].Archive != "Late" || len(faults) != 1 || faults[0].Archive != "Broken" {
		t.Fatalf("%+v, %+v", got, faults)
	}
}

// TestKept: an answer is asked for once, however many ask at once; a fault for a shorter time; and who gives up spoils nothing.
func TestKept(t *testing.T) {
	var n atomic.Int64
	s := archive(t, &n)
	a := asker(Archive{"A", TimeGate, s.URL + "/led/"}, Archive{"B", TimeGate, s.URL + "/broken/"})
	var mu sync.Mutex
	now := asked
	a.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	gone, stop := context.WithCancel(t.Context())
	stop()
	if _, faults := a.Near(gone, source, asked); len(faults) != 2 || !errors.Is(faults[0].Err, context.Canceled) {
		t.Errorf("%+v", faults)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if got, faults := a.Near(t.Context(), source, asked.Add(time.Minute)); len(got) != 1 || len(faults) != 1 {
				t.Errorf("%+v, %+v", got, faults)
			}
		})
	}
	all.Wait()
	if n.Load() != 2 {
		t.Errorf("%d requests", n.Load())
	}
	for _, c := range []struct {
		wait time.Duration
		want int64
	}{{time.Minute, 2}, {15 * time.Minute, 3}, {24 * time.Hour, 5}} {
		pass(c.wait)
		a.Near(t.Context(), source, asked)
		if n.Load() != c.want {
			t.Errorf("after %v more: %d requests, want %d", c.wait, n.Load(), c.want)
		}
	}
}

func FuzzLinks(f *testing.F) {
	f.Add(`<http://a.test/>; rel="first memento"; datetime="Sat, 06 Feb 2016 12:00:00 GMT", </x>;rel=memento`)
	f.Add(`<a>;rel="\"`)
	f.Fuzz(func(t *testing.T, s string) {
		for _, l := range linksOf(s) {
			if l.memento && l.at.IsZero() || !strings.Contains(s, l.to) {
				t.Fatalf("%+v", l)
			}
		}
	})
}

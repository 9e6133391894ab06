package link_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"linkstead/archive/link"
)

// history is written as looks, "+DAYS WHAT" each: hours and days after the first day.
func history(t *testing.T, lines ...string) (out []link.Evidence) {
	t.Helper()
	for i, line := range lines {
		after, what, _ := strings.Cut(line, " ")
		d, err := time.ParseDuration(after)
		if err != nil {
			t.Fatal(err)
		}
		e := ev(nil)
		switch what {
		case "ok":
		case "nx":
			outcome("dns", "not-found")(&e)
		case "servfail":
			outcome("dns", "server-failure")(&e)
		case "timeout", "refused", "robots", "quota", "tls":
			outcome(what)(&e)
		case "void":
			status(404)(&e)
			e.Void = true
		case "soft":
			hop(302, "http://www.site.example/")(&e)
		case "changed":
			e.Copy = &link.Comparison{Had: link.Yes, Quoted: link.No}
		case "301":
			hop(301, "http://new.example/story")(&e)
		case "301b":
			hop(301, "http://newer.example/story")(&e)
		case "301in":
			hop(301, "http://www.site.example/news/story")(&e)
		case "302":
			hop(302, "http://new.example/story")(&e)
		default:
			if _, err := fmt.Sscanf(what, "%d", &e.Status); err != nil {
				t.Fatal(what)
			}
		}
		e.At, e.Ref = aug.Add(d), fmt.Sprintf("r%03d", i)
		out = append(out, e)
	}
	return out
}

func TestFold(t *testing.T) {
	flapping := []string{"0h ok", "100h 404", "200h ok", "300h 404", "400h ok", "500h 404", "600h ok"}
	for _, c := range []struct {
		name    string
		looks   []string
		want    link.Verdict
		suspect link.Verdict
		strikes int
		since   time.Duration
		explain string
	}{
		{"nothing", nil, link.Unknown, "", 0, 0, "Not looked at yet."},
		{"alive", []string{"0h ok", "168h ok"}, link.Alive, "", 0, 0, "Alive on 10 August (2 checks in all)."},
		{"one 404", []string{"0h ok", "168h 404"}, link.Alive, link.Gone, 1, 0, "In doubt: 1 check that counts went wrong (404); 3 in that way make it gone."},
		{"three 404", []string{"0h 404", "72h 404", "144h 404"}, link.Gone, "", 3, 0, "Gone since 3 August (404, 3 checks over 6 days)."},
		{"three over nine days", []string{"0h 404", "108h 404", "216h 404"}, link.Gone, "", 3, 0, "Gone since 3 August (404, 3 checks over 9 days)."},
		{"three within a day", []string{"0h 404", "1h 404", "24h 404"}, link.Unknown, link.Gone, 1, 0, "Nothing is certain yet."},
		{"a second too early", []string{"0h 404", "72h 404", "143h59m59s 404"}, link.Unknown, link.Gone, 2, 0, "2 checks that count went wrong"},
		{"one success resets", []string{"0h 404", "72h 404", "100h ok", "172h 404", "244h 404"}, link.Alive, link.Gone, 2, 100 * time.Hour, "In doubt"},
		{"it comes back", []string{"0h 404", "72h 404", "144h 404", "500h ok"}, link.Alive, "", 0, 500 * time.Hour, "Alive"},
		{"410 twice", []string{"0h 410", "72h 410"}, link.Gone, "", 2, 0, "Gone since 3 August (410, 2 checks over 3 days)."},
		{"410 and 404", []string{"0h 410", "72h 404"}, link.Unknown, link.Gone, 2, 0, ""},
		{"no such name twice", []string{"0h nx", "72h nx"}, link.DNSDead, "", 2, 0, "Its host is gone since 3 August (its name does not resolve, 2 checks over 3 days)."},
		{"name servers fail twice", []string{"0h servfail", "72h servfail"}, link.Unknown, link.DNSDead, 2, 0, ""},
		{"5xx five times over 14 days", []string{"0h 500", "84h 503", "168h 502", "252h 500", "336h 500"}, link.ServerError, "", 5, 0, "Its server fails since 3 August (500, 5 checks over 14 days)."},
		{"5xx five times over 12 days", []string{"0h 500", "72h 503", "144h 502", "216h 500", "288h 500"}, link.Unknown, link.ServerError, 5, 0, ""},
		{"5xx four times over 14 days", []string{"0h 500", "84h 503", "168h 502", "336h 500"}, link.Unknown, link.ServerError, 4, 0, ""},
		{"timeouts", []string{"0h timeout", "84h refused", "168h timeout", "252h timeout", "336h timeout"}, link.Timeout, "", 5, 0, "No answer since"},
		{"tls", []string{"0h tls", "84h tls", "168h tls", "252h tls", "336h tls"}, link.TLSBad, "", 5, 0, "No trusted connection since"},
		{"in different ways", []string{"0h timeout", "84h 500", "168h timeout", "252h 404", "336h 500"}, link.ServerError, "", 2, 0, "5 checks over 14 days"},
		{"blocked", []string{"0h ok", "168h 403"}, link.Blocked, "", 0, 168 * time.Hour, "Not shown to programs since 10 August (403)"},
		{"403 for ever is not dead", []string{"0h 403", "72h 403", "144h 403", "999h 403", "1500h 429"}, link.Blocked, "", 0, 0, ""},
		{"blocked between failures", []string{"0h 404", "72h 403", "144h 404", "216h 404"}, link.Gone, "", 3, 0, ""},
		{"blocked for long between failures", []string{"0h 404", "72h 404", "144h 403", "900h 404"}, link.Blocked, link.Gone, 1, 144 * time.Hour, ""},
		{"paywalled", []string{"0h 402"}, link.Paywalled, "", 0, 0, "login, consent or payment"},
		{"robots", []string{"0h robots"}, link.Excluded, "", 0, 0, "Not looked at since 3 August: robots.txt asks not to fetch it."},
		{"our network", []string{"0h ok", "72h void", "144h void", "216h void"}, link.Alive, "", 0, 0, "(1 check in all)"},
		{"not asked", []string{"0h quota"}, link.Unknown, "", 0, 0, "nothing that counts"},
		{"soft once", []string{"0h ok", "72h soft"}, link.Alive, link.Soft404, 1, 0, ""},
		{"soft twice", []string{"0h ok", "72h soft", "144h soft"}, link.Soft404, "", 2, 72 * time.Hour, "Not there since 6 August"},
		{"changed once", []string{"0h ok", "72h changed"}, link.Alive, link.Drifted, 1, 0, ""},
		{"changed twice", []string{"0h ok", "72h changed", "144h changed"}, link.Drifted, "", 0, 72 * time.Hour, "Changed since 6 August: the quoted sentence is no longer there (2 checks over 3 days)."},
		{"changed, from the beginning", []string{"0h changed"}, link.Unknown, link.Drifted, 1, 0, ""},
		{"and changed back", []string{"0h changed", "72h changed", "144h ok"}, link.Alive, "", 0, 144 * time.Hour, ""},
		{"redirected", []string{"0h 302", "168h 302", "336h 302", "504h 302"}, link.Redirected, "", 0, 0, "leads to http://new.example/story since 3 August (302)"},
		{"within the site for good", []string{"0h 301in", "168h 301in", "336h 301in"}, link.Redirected, "", 0, 0, ""},
		{"not moved yet", []string{"0h 301", "168h 301"}, link.Redirected, "", 0, 0, ""},
		{"moved", []string{"0h 301", "168h 301", "336h 301"}, link.Moved, "", 0, 0, "Moved for good to http://new.example/story since 3 August (301, 3 checks over 14 days)."},
		{"moved to and fro", []string{"0h 301", "168h 301b", "336h 301", "504h 301b"}, link.Redirected, "", 0, 0, ""},
		{"seen thrice in an hour", []string{"0h 301", "20m 301", "1h 301"}, link.Redirected, "", 0, 0, ""},
		{"flapping, three times", append(flapping, "700h 404", "772h 404", "844h 404"), link.Alive, link.Gone, 3, 0, "6 in that way"},
		{"flapping, six times", append(flapping, "700h 404", "772h 404", "844h 404", "916h 404", "988h 404", "1060h 404"), link.Gone, "", 6, 700 * time.Hour, ""},
		{"gone, then no name", []string{"0h 404", "72h 404", "144h 404", "500h nx", "572h nx"}, link.DNSDead, "", 2, 500 * time.Hour, "Its host is gone"},
		{"gone, then one timeout", []string{"0h 404", "72h 404", "144h 404", "500h timeout"}, link.Gone, link.Timeout, 3, 0, "Gone since"},
	} {
		s := link.Fold(history(t, c.looks...), link.Defaults())
		since := time.Duration(0)
		if !s.Since.IsZero() {
			since = s.Since.Sub(aug)
		}
		if s.Verdict != c.want || s.Suspect != c.suspect || s.Strikes != c.strikes || since != c.since {
			t.Errorf("%s: %s since %s, suspect %q, %d strikes; want %s since %s, %q, %d", c.name, s.Verdict, since, s.Suspect, s.Strikes, c.want, c.since, c.suspect, c.strikes)
		}
		if text := link.Explain(s, aug.AddDate(0, 2, 0)); !strings.Contains(text, c.explain) {
			t.Errorf("%s: %q does not say %q", c.name, text, c.explain)
		}
	}
}

func TestEvidenceOfAVerdict(t *testing.T) {
	s := link.Fold(history(t, "0h ok", "168h 404", "169h 404", "240h 404", "312h 404"), link.Defaults())
	var refs []string
	for _, r := range s.Evidence {
		refs = append(refs, fmt.Sprintf("%s %s %v", r.Ref, r.Reason, r.Strike))
	}
	if got, want := strings.Join(refs, ", "), "r001 404 true, r002 404 false, r003 404 true, r004 404 true"; got != want {
		t.Errorf("evidence %s, want %s", got, want)
	}
	if got := link.Explain(s, aug.AddDate(1, 0, 0)); !strings.HasPrefix(got, "Gone since 10 August 2026 ") {
		t.Errorf("another year is told: %q", got)
	}
}

var anything = rapid.Custom(func(t *rapid.T) link.Evidence {
	e := ev(nil)
	e.At = aug.Add(time.Duration(rapid.IntRange(0, 400*24).Draw(t, "hours")) * time.Hour)
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		e.Outcome, e.Status = rapid.SampledFrom([]string{"dns", "timeout", "tls", "robots", "quota", "refused", "empty", ""}).Draw(t, "outcome"), 0
		e.DNS = rapid.SampledFrom([]string{"", "not-found", "server-failure"}).Draw(t, "dns")
	case 1:
		e.Status = rapid.SampledFrom([]int{404, 404, 404, 410, 500, 403, 401, 304, 204, 302}).Draw(t, "status")
	case 2:
		hop(rapid.SampledFrom([]int{301, 302}).Draw(t, "hop"), rapid.SampledFrom([]string{"http://new.example/a", "http://site.example/", page}).Draw(t, "target"))(&e)
	case 3:
		e.Text = &link.Text{Words: rapid.IntRange(0, 2000).Draw(t, "words"), Simhash: rapid.Uint64().Draw(t, "simhash")}
		e.Copy = &link.Comparison{Text: link.Text{Words: 900}, Similarity: rapid.Float64Range(0, 1).Draw(t, "same")}
		if rapid.Bool().Draw(t, "parked") {
			e.Host = &link.Host{Parking: []string{"x"}}
		}
	}
	e.Void = rapid.IntRange(0, 9).Draw(t, "void") == 0
	e.RetryAfter = time.Duration(rapid.IntRange(0, 1e6).Draw(t, "wait")) * time.Second
	return e
})

// One more look laid on a state, which was stored in between, is the whole history folded; in whatever order it is handed in.
func TestAddIsFold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all, r := rapid.SliceOfN(anything, 0, 40).Draw(rt, "history"), link.Defaults()
		for i := range all {
			all[i].Ref = fmt.Sprintf("s/%d", i)
		}
		whole := link.Fold(all, r)
		rand.New(rand.NewPCG(1, uint64(len(all)))).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] }) //nolint:gosec // a test
		if again := link.Fold(append(all, all...), r); !reflect.DeepEqual(again, whole) {
			rt.Fatalf("in another order, and twice:\n%+v\n%+v", again, whole)
		}
		var s link.State
		for n := range all {
			var oldest link.Evidence
			for _, e := range all { // the nth
				rank := 0
				for _, o := range all {
					if o.At.Before(e.At) || o.At.Equal(e.At) && o.Ref < e.Ref {
						rank++
					}
				}
				if rank == n {
					oldest = e
				}
			}
			before := stored(rt, s)
			next, ok := s.Add(oldest, r)
			if !ok {
				rt.Fatalf("%+v is refused", oldest)
			}
			if !reflect.DeepEqual(stored(rt, s), before) {
				rt.Fatal("the state before has changed")
			}
			s = stored(rt, next)
		}
		if len(all) > 0 && !reflect.DeepEqual(s, stored(rt, whole)) {
			rt.Fatalf("one by one:\n%+v\nwhole:\n%+v", s, whole)
		}
		if len(all) > 0 {
			old := all[0]
			old.At = aug.Add(-time.Hour)
			if same, ok := s.Add(old, r); ok || !reflect.DeepEqual(same, s) {
				rt.Fatal("what is older is not laid on")
			}
		}
	})
}

// stored is a state as rows bring it back.
func stored(t *rapid.T, s link.State) (back link.State) {
	body, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(body, &back)
	}
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// Whatever comes: no dead verdict without failures enough, none of what only blocks, and the next look is due in bounds.
func TestWhateverComes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := link.Defaults()
		s := link.Fold(rapid.SliceOfN(anything, 1, 60).Draw(rt, "history"), r)
		if s.Verdict.Dead() && s.Memory.Any.N < 2 && s.Strikes < 2 {
			rt.Fatalf("dead by one look: %+v", s)
		}
		if len(s.Evidence) > link.MaxEvidence || len(s.Memory.Rose) > link.MaxFlaps {
			rt.Fatal("the state grows without bounds")
		}
		next := link.NextCheck(s, s.Asked, r)
		if d := next.Sub(s.Asked); d < time.Hour || d > 91*24*time.Hour {
			rt.Fatalf("due after %s: %+v", d, s)
		}
		if text := link.Explain(s, s.Asked); text == "" || strings.Contains(text, "%!") || strings.Contains(text, "0001") {
			rt.Fatal(text)
		}
	})
}

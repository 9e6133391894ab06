package repair_test

import (
	"slices"
	"testing"

	"linkstead/archive/repair"
)

func cand(key, url string, confidence float64) repair.Candidate {
	return repair.Candidate{Key: key, URL: url, Confidence: confidence, Method: repair.ByAlignment}
}

func TestFold(t *testing.T) {
	note := func(n int, v repair.Verdict, key, url string) repair.Note {
		return repair.Note{N: n, Verdict: v, Candidate: cand(key, url, 0.9)}
	}
	for name, test := range map[string]struct {
		notes          []repair.Note
		repaired       string
		open, rejected []string
	}{
		"damaged":            {[]repair.Note{note(1, repair.Damaged, "k", "")}, "", nil, nil},
		"proposed twice":     {[]repair.Note{note(1, repair.Proposed, "k", "a"), note(1, repair.Proposed, "k", "a")}, "", []string{"a"}, nil},
		"accepted":           {[]repair.Note{note(1, repair.Proposed, "k", "a"), note(1, repair.Proposed, "k", "b"), note(1, repair.Accepted, "k", "b")}, "b", []string{"a"}, nil},
		"rejected":           {[]repair.Note{note(1, repair.Proposed, "k", "a"), note(1, repair.Rejected, "k", "a")}, "", nil, []string{"a"}},
		"rejected stays":     {[]repair.Note{note(1, repair.Rejected, "k", "a"), note(1, repair.Proposed, "k", "a")}, "", nil, []string{"a"}},
		"taken back":         {[]repair.Note{note(1, repair.Accepted, "k", "a"), note(1, repair.Rejected, "k", "a")}, "", nil, []string{"a"}},
		"after all":          {[]repair.Note{note(1, repair.Rejected, "k", "a"), note(1, repair.Accepted, "k", "a")}, "a", nil, nil},
		"another one":        {[]repair.Note{note(1, repair.Accepted, "k", "a"), note(1, repair.Accepted, "k", "b")}, "b", []string{"a"}, nil},
		"without a key":      {[]repair.Note{note(1, repair.Damaged, "k", ""), note(2, repair.Accepted, "", "b")}, "", nil, nil},
		"accepted, proposed": {[]repair.Note{note(1, repair.Accepted, "k", "a"), note(1, repair.Proposed, "k", "a")}, "a", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := repair.Fold(test.notes)
			if len(got) != 1 || got[0].N != 1 {
				t.Fatalf("%+v", got)
			}
			urls := func(ns []repair.Note) (out []string) {
				for _, n := range ns {
					out = append(out, n.URL)
				}
				return out
			}
			repaired := ""
			if got[0].Repaired != nil {
				repaired = got[0].Repaired.URL
			}
			if repaired != test.repaired || !slices.Equal(urls(got[0].Open), test.open) || !slices.Equal(urls(got[0].Rejected), test.rejected) {
				t.Errorf("%+v", got[0])
			}
		})
	}
}

// Numbers stay, only what is certain is accepted by itself, and nothing against what somebody said.
func TestNew(t *testing.T) {
	strong := func(s repair.Scar) bool { return s.Class == "strong" }
	scars := []repair.Scar{{Key: "s1", Class: "strong", Start: 5}, {Key: "s2", Class: "weak", Start: 6}, {Key: "a", Class: "strong"}}
	first := repair.New(nil, []repair.Candidate{cand("a", "u", 0.99), cand("b", "v", 0.94), cand("c", "w", 0.99), cand("c", "x", 0.6)}, scars, true, strong)
	want := []struct {
		n       int
		verdict repair.Verdict
		key     string
	}{{1, repair.Accepted, "a"}, {2, repair.Proposed, "b"}, {3, repair.Proposed, "c"}, {3, repair.Proposed, "c"}, {4, repair.Damaged, "s1"}}
	if len(first) != len(want) {
		t.Fatalf("%+v", first)
	}
	for i, w := range want {
		if first[i].N != w.n || first[i].Verdict != w.verdict || first[i].Key != w.key {
			t.Errorf("%d: %+v, want %+v", i, first[i], w)
		}
	}
	if again := repair.New(first, []repair.Candidate{cand("a", "u", 0.99), cand("b", "v", 0.94)}, scars, true, strong); len(again) > 0 {
		t.Errorf("what is known is noted again: %+v", again)
	}
	rejected := append(slices.Clone(first), repair.Note{N: 1, Verdict: repair.Rejected, Candidate: cand("a", "u", 1)})
	more := repair.New(rejected, []repair.Candidate{cand("a", "u", 0.99), cand("a", "other", 0.99), cand("d", "z", 0.99), cand("s1", "q", 0.99)}, nil, true, strong)
	if len(more) != 3 || more[0].Verdict != repair.Proposed || more[0].N != 1 || more[1].N != 5 || more[1].Verdict != repair.Accepted || more[2].N != 4 || more[2].Verdict != repair.Accepted {
		t.Errorf("%+v", more)
	}
	if quiet := repair.New(nil, []repair.Candidate{cand("a", "u", 0.99)}, nil, false, strong); len(quiet) != 1 || quiet[0].Verdict != repair.Proposed {
		t.Errorf("%+v", quiet)
	}
}

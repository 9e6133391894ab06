package link_test

import (
	"reflect"
	"testing"
	"time"

	"linkstead/archive/link"
)

func TestBestCopy(t *testing.T) {
	cited := time.Date(2016, 2, 6, 12, 0, 0, 0, time.UTC)
	type copied = link.Candidate
	at := func(h int, change func(*copied)) copied {
		c := copied{At: cited.Add(time.Duration(h) * time.Hour), Status: 200, Digest: "a"}
		if change != nil {
			change(&c)
		}
		return c
	}
	quoted := func(a link.Answer) func(*copied) { return func(c *copied) { c.Quoted = a } }
	other := func(c *copied) { c.Digest = "b" }
	for _, c := range []struct {
		name      string
		copies    []copied
		want      int // -1: none
		bracketed bool
		sentence  string
	}{
		{"none", nil, -1, false, ""},
		{"one", []copied{at(2, nil)}, 0, false, "Copy of 6 February 2016, 2 hours after the post."},
		{"nearest", []copied{at(-50, nil), at(9, other), at(30, nil)}, 1, false, "Copy of 6 February 2016, 9 hours after the post."},
		{"earlier on ties", []copied{at(5, other), at(-5, nil)}, 1, false, "Copy of 6 February 2016, 5 hours before the post."},
		{"the quotation goes before nearness", []copied{at(1, quoted(link.No)), at(2, nil), at(999, quoted(link.Yes))}, 2, false, "Copy of 19 March 2016, 41 days after the post; contains the quoted sentence."},
		{"unasked goes before no", []copied{at(1, quoted(link.No)), at(2, nil)}, 1, false, ""},
		{"no copy has it", []copied{at(1, quoted(link.No))}, 0, false, "Copy of 6 February 2016, 1 hour after the post; does not contain the quoted sentence."},
		{"a wall", []copied{at(1, func(c *copied) { c.Flags = []string{"login"} }), at(99, nil)}, 1, false, ""},
		{"a soft 404", []copied{at(1, func(c *copied) { c.Shows, c.Quoted = link.Soft404, link.Yes }), at(99, nil)}, 1, false, ""},
		{"parked", []copied{at(1, func(c *copied) { c.Shows = link.Usurped }), at(99, nil)}, 1, false, ""},
		{"truncated", []copied{at(1, func(c *copied) { c.Outcome = "too-long" }), at(99, nil)}, 1, false, ""},
		{"404", []copied{at(1, func(c *copied) { c.Status = 404 }), at(99, nil)}, 1, false, ""},
		{"nothing else", []copied{at(1, func(c *copied) { c.Outcome = "too-long" })}, 0, false, "Copy of 6 February 2016, 1 hour after the post; its end is missing."},
		{"withheld", []copied{at(1, func(c *copied) { c.Withheld = true }), at(99, nil)}, 1, false, ""},
		{"all withheld", []copied{at(1, func(c *copied) { c.Withheld = true })}, -1, false, ""},
		{"drifted is a copy all the same", []copied{at(1, func(c *copied) { c.Shows = link.Drifted })}, 0, false, ""},
		{"bracketed", []copied{at(-50, nil), at(9, nil)}, 1, true, "Copy of 6 February 2016, 9 hours after the post; the page was the same before and after it."},
		{"bracketed by others", []copied{at(-50, other), at(-5, nil), at(9, nil), at(50, other)}, 1, true, ""},
		{"not bracketed", []copied{at(-50, nil), at(-5, other), at(9, nil)}, 1, false, ""},
		{"a wall does not bracket", []copied{at(-5, func(c *copied) { c.Flags = []string{"login"} }), at(9, nil)}, 1, false, ""},
	} {
		got, ok := link.BestCopy(c.copies, cited)
		if ok != (c.want >= 0) || ok && (got.Index != c.want || got.Bracketed != c.bracketed) {
			t.Errorf("%s: %+v, want %d, bracketed %v", c.name, got, c.want, c.bracketed)
			continue
		}
		if ok && c.sentence != "" && got.Sentence(c.copies[got.Index].At, cited) != c.sentence {
			t.Errorf("%s: %q, want %q", c.name, got.Sentence(c.copies[got.Index].At, cited), c.sentence)
		}
	}
	got, ok := link.BestCopy([]copied{at(9, nil), at(-70, nil), at(80, nil)}, time.Time{})
	if !ok || got.Index != 1 || got.Distance != 0 || got.Sentence(cited, time.Time{}) != "Copy of 6 February 2016." {
		t.Errorf("without a date the earliest is best: %+v", got)
	}
}

func TestDistance(t *testing.T) {
	for d, want := range map[time.Duration]string{
		3 * time.Second: "as the post was written", -90 * time.Second: "1 minute before the post", 47 * time.Hour: "47 hours after the post",
		48 * time.Hour: "2 days after the post", 100 * 24 * time.Hour: "3 months after the post", -1000 * 24 * time.Hour: "2 years before the post",
	} {
		if got := link.Distance(aug.Add(d), aug); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestReferenceAxis(t *testing.T) {
	mark := func(h int, s link.ReferenceState, class, method string) link.Mark {
		m := link.Mark{State: s, Class: class, Method: method, At: aug.Add(time.Duration(h) * time.Hour)}
		if method != "" {
			m.Confidence = 0.97
		}
		return m
	}
	damaged, repaired := mark(0, link.Damaged, "open-parenthesis", ""), mark(2, link.Repaired, "", "alignment")
	for _, c := range []struct {
		name  string
		marks []link.Mark
		want  link.ReferenceAxis
	}{
		{"nothing", nil, link.ReferenceAxis{State: link.Intact}},
		{"damaged", []link.Mark{damaged}, link.ReferenceAxis{State: link.Damaged, Class: "open-parenthesis", Since: aug}},
		{"repaired, in any order", []link.Mark{repaired, damaged}, link.ReferenceAxis{State: link.Repaired, Class: "open-parenthesis", Method: "alignment", Confidence: 0.97, Since: aug.Add(2 * time.Hour)}},
		{"a repair of nothing", []link.Mark{repaired}, link.ReferenceAxis{State: link.Intact}},
		{"taken back", []link.Mark{damaged, repaired, mark(3, link.Damaged, "", "")}, link.ReferenceAxis{State: link.Damaged, Class: "open-parenthesis", Since: aug.Add(3 * time.Hour)}},
		{"given up", []link.Mark{damaged, mark(3, link.Unrecoverable, "", "")}, link.ReferenceAxis{State: link.Unrecoverable, Class: "open-parenthesis", Since: aug.Add(3 * time.Hour)}},
		{"a repair is not given up", []link.Mark{damaged, repaired, mark(3, link.Unrecoverable, "", "")}, link.ReferenceAxis{State: link.Repaired, Class: "open-parenthesis", Method: "alignment", Confidence: 0.97, Since: aug.Add(2 * time.Hour)}},
		{"found damaged again", []link.Mark{damaged, mark(5, link.Damaged, "open-parenthesis", "")}, link.ReferenceAxis{State: link.Damaged, Class: "open-parenthesis", Since: aug}},
		{"a later copy has the link", []link.Mark{damaged, mark(5, link.Intact, "", "")}, link.ReferenceAxis{State: link.Intact, Since: aug.Add(5 * time.Hour)}},
	} {
		if got := link.FoldReference(c.marks); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestCopyAxis(t *testing.T) {
	good := link.Candidate{Ref: "s/1", URL: "http://a.example/", At: aug, Status: 200}
	with := func(change func(*link.Candidate)) link.Candidate { c := good; change(&c); return c }
	wall := with(func(c *link.Candidate) { c.Flags = []string{"login"}; c.Ref = "s/2" })
	hidden := with(func(c *link.Candidate) { c.Withheld = true })
	far := with(func(c *link.Candidate) { c.Elsewhere, c.URL = true, "https://archive.example/x" })
	later := with(func(c *link.Candidate) { c.At, c.Ref = aug.Add(time.Hour), "s/3" })
	failed := ev(outcome("refused"))
	failed.Kind, failed.Ref = link.Attempt, "s/9"
	probe := ev(status(404))
	for _, c := range []struct {
		name   string
		copies []link.Candidate
		tries  []link.Evidence
		want   link.CopyAxis
	}{
		{"none", nil, []link.Evidence{probe}, link.CopyAxis{State: link.NoCopy}},
		{"ours, the newest", []link.Candidate{later, good, wall, far, hidden}, []link.Evidence{failed}, link.CopyAxis{State: link.Ours, Ref: "s/3", At: later.At}},
		{"withheld", []link.Candidate{hidden, far, wall}, nil, link.CopyAxis{State: link.Withheld, Ref: "s/1", At: aug}},
		{"elsewhere", []link.Candidate{far, wall}, []link.Evidence{failed}, link.CopyAxis{State: link.Elsewhere, Ref: "https://archive.example/x", At: aug}},
		{"a wall", []link.Candidate{wall}, nil, link.CopyAxis{State: link.Failed, Reason: "a wall stood before the page", Ref: "s/2", At: aug}},
		{"failed", nil, []link.Evidence{failed, probe}, link.CopyAxis{State: link.Failed, Reason: "connection refused", Ref: "s/9", At: aug}},
	} {
		if got := link.FoldCopy(c.copies, c.tries, link.Defaults()); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

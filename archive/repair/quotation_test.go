package repair_test

import (
	"testing"

	"linkstead/archive/repair"
)

// TestFromQuotation: who has the words is proposed, never accepted by itself; of several each is believed less.
func TestFromQuotation(t *testing.T) {
	s := repair.Scar{Key: "q1", Class: "quotation-without-source", Start: 10, End: 90, Said: "“the words”"}
	one := repair.FromQuotation(s, []repair.Quoted{{URL: "http://a.test/", Title: "A", Score: 1}})
	if len(one) != 1 || one[0].Confidence >= repair.Sure || one[0].Key != "q1" || one[0].Method != repair.ByQuotation || one[0].Start != 10 {
		t.Errorf("one page: %+v", one)
	}
	two := repair.FromQuotation(s, []repair.Quoted{{URL: "http://a.test/", Score: 1}, {URL: "http://b.test/", Score: 0.9}})
	if len(two) != 2 || two[0].Confidence > 0.5 || two[1].Confidence >= two[0].Confidence {
		t.Errorf("two pages: %+v", two)
	}
	if got := repair.Certain(repair.Rank(append(one, two...))); len(got) != 0 {
		t.Errorf("accepted by itself: %+v", got)
	}
	notes := repair.New(nil, one, nil, true, repair.Strong)
	if len(notes) != 1 || notes[0].Verdict != repair.Proposed {
		t.Errorf("noted: %+v", notes)
	}
}

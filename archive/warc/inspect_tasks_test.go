package warc

import (
	"strings"
	"testing"
)

// What a rebuild would write of tasks and runs is compared, too, and mended: all but what no record tells.
func TestInspectTasksAndRuns(t *testing.T) {
	for q, word := range map[string]Word{
		`UPDATE tasks SET status=404 WHERE outcome='captured'`: WordTask,
		`UPDATE tasks SET version=7 WHERE outcome='captured'`:  WordTask,
		`UPDATE tasks SET kind='requisite' WHERE outcome<>''`:  WordTask,
		`UPDATE tasks SET depth=3 WHERE outcome<>''`:           WordTask,
		`UPDATE tasks SET hops='LL' WHERE outcome<>''`:         WordTask,
		`UPDATE tasks SET via='http://x.test/'`:                WordTask,
		`UPDATE tasks SET url=url||'x' WHERE outcome<>''`:      WordTask,
		`UPDATE runs SET spec='{"depth":2}'`:                   WordRow,
		`UPDATE runs SET source='http://x.test/'`:              WordRow,
		`UPDATE runs SET started=started+1000000`:              WordRow,
		`UPDATE runs SET schedule='s'`:                         WordRow,
		`UPDATE runs SET collection='d'`:                       WordRow,
	} {
		t.Run(q, func(t *testing.T) {
			w, _ := twoSegments(t)
			before := w.dump()
			w.spoil(q)
			d := w.inspected(false, false)
			if d.words()[word] == 0 || len(d.Flaws) != d.words()[word] && !strings.Contains(q, "collection") {
				t.Errorf("faults %v", d.words())
			}
			if d := w.inspected(true, false); d.Left() > 0 {
				t.Errorf("left: %+v", d.Flaws)
			}
			if strings.Contains(q, "via") { // also of one that was never tried, of which no record tells
				w.spoil(`UPDATE tasks SET via='' WHERE outcome=''`)
			}
			same(t, w.dump(), before)
		})
	}
}

// Rows of an older version are no faults: they are counted, and filled in if that is asked for. One that says something else is.
func TestInspectOlderRows(t *testing.T) {
	w, _ := rotting(t)
	before := w.dump()
	w.spoil(`UPDATE captures SET ms=-1, size=-1, etag='', modified='', canonical='', flags='', tls_invalid=''`)
	w.spoil(`UPDATE attempts SET ms=-1, record_id=''`)
	w.spoil(`UPDATE tasks SET status=0, version=0`)
	d := w.inspected(false, false)
	if d.Left() > 0 || d.Old < 10 {
		t.Errorf("%d old rows, faults %+v", d.Old, d.Flaws)
	}
	w.spoil(`UPDATE captures SET status=410 WHERE segment=(SELECT MIN(segment) FROM captures) AND kind='response' AND url LIKE '%/x'`)
	if d := w.inspected(false, false); len(d.Flaws) != 1 || d.words()[WordRow] != 1 {
		t.Errorf("one says something else: %+v", d.Flaws)
	}
	if d := w.inspected(true, false); d.Left() > 0 || d.Old == 0 {
		t.Errorf("left: %+v", d.Flaws)
	}
	same(t, w.dump(), before)
	if d := w.inspected(false, false); d.Left() > 0 || d.Old > 0 {
		t.Errorf("once more: %d old rows, %+v", d.Old, d.Flaws)
	}
}

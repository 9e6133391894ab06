package main

import (
	"fmt"

	"linkstead/archive/warc"
)

// places are the tables of which every row can be told by its records.
var placed = []string{"captures", "attempts", "posts"}

// pick brings a row of a table that names a segment.
func (m *mutant) pick(table, where string) (rowid int64, segment string, pos int64, url string) {
	m.t.Helper()
	var n int
	if err := m.db.QueryRow(`SELECT COUNT(*) FROM ` + table + ` WHERE ` + where).Scan(&n); err != nil || n == 0 {
		m.t.Fatalf("%s has %d rows %s: %v", table, n, where, err)
	}
	err := m.db.QueryRow(fmt.Sprintf(`SELECT rowid, segment, pos, url FROM %s WHERE %s ORDER BY rowid LIMIT 1 OFFSET %d`, table, where, m.r.IntN(n))).Scan(&rowid, &segment, &pos, &url)
	if err != nil {
		m.t.Fatal(err)
	}
	return rowid, segment, pos, url
}

func (m *mutant) exec(q string, args ...any) {
	m.t.Helper()
	res, err := m.db.Exec(q, args...)
	if err != nil {
		m.t.Fatalf("%s: %v", q, err)
	}
	if n, err := res.RowsAffected(); n == 0 || err != nil {
		m.t.Fatalf("%s changes nothing: %v", q, err)
	}
}

func deleteRow(m *mutant) {
	m.mends = true
	switch k := m.r.IntN(6); k {
	case 0, 1, 2:
		table := placed[k]
		id, segment, pos, url := m.pick(table, `1=1`)
		m.said = fmt.Sprintf("the row of %s in %s is deleted", url, table)
		m.finds(segment, pos, "", warc.WordNoRow)
		m.finds(segment, pos, url, warc.WordNoRow)
		m.exec(`DELETE FROM `+table+` WHERE rowid=$1`, id)
	case 3:
		_, segment, pos, url := m.pick("posts", `1=1`)
		m.said = "a citation of " + url + " is deleted"
		m.finds(segment, pos, url, warc.WordRow)
		m.exec(`DELETE FROM citations WHERE rowid=(SELECT MIN(c.rowid)+$3 FROM citations c JOIN posts p ON p.id=c.post AND p.run=c.run WHERE p.segment=$1 AND p.pos=$2)`, segment, pos, m.r.IntN(5))
	case 4:
		_, segment, _, _ := m.pick("captures", `1=1`)
		m.said = "the row of segment " + segment + " is deleted"
		m.finds(segment, -1, "", warc.WordUnknown)
		m.finds(segment, -1, "", warc.WordStray)
		m.exec(`DELETE FROM segments WHERE id=$1`, segment)
	case 5:
		_, segment, pos, url := m.pick("captures", `kind='response'`)
		m.said = "the task of " + url + " is deleted"
		m.finds(segment, pos, url, warc.WordTask)
		m.exec(`DELETE FROM tasks WHERE url=$1 AND run=(SELECT run FROM captures WHERE segment=$2 AND pos=$3)`, url, segment, pos)
	}
}

// change is a field, and what is to be written there. Text in quotes.
type change struct{ table, field, to string }

var fieldChanges = []change{
	{"captures", "url", `url||'x'`}, {"captures", "urlkey", `urlkey||'x'`}, {"captures", "at", `at+1`}, {"captures", "length", `length-1`},
	{"captures", "status", `status+1`}, {"captures", "mime", `'x/y'`}, {"captures", "digest", `'sha256:AAAA'`}, {"captures", "kind", `'resource'`},
	{"captures", "redirect", `'http://evil.test/'`}, {"captures", "record_id", `'<urn:uuid:0>'`}, {"captures", "run", `run+100`},
	{"captures", "outcome", `'too-long'`}, {"captures", "flags", `'wall'`}, {"captures", "etag", `'"x"'`}, {"captures", "modified", `'x'`},
	{"captures", "tls_invalid", `'x'`}, {"captures", "collection", `'nobody'`},
	{"attempts", "url", `url||'x'`}, {"attempts", "urlkey", `urlkey||'x'`}, {"attempts", "at", `at-1`}, {"attempts", "run", `run+100`},
	{"attempts", "outcome", `'refused'`}, {"attempts", "detail", `'x'`}, {"attempts", "record_id", `'<urn:uuid:0>'`}, {"attempts", "collection", `'nobody'`},
	{"posts", "title", `'x'`}, {"posts", "source", `'x'`}, {"posts", "dated", `'1999'`}, {"posts", "at", `at+1`}, {"posts", "url", `'http://x.test/'`}, {"posts", "collection", `'nobody'`},
}

func changeField(m *mutant) {
	switch m.r.IntN(12) {
	case 0:
		m.changeSegment()
		return
	case 1:
		_, segment, pos, url := m.pick("posts", `1=1`)
		m.said, m.mends = "a citation of "+url+" is changed", true
		m.finds(segment, pos, url, warc.WordRow)
		m.exec(`UPDATE citations SET anchor='x' WHERE rowid=(SELECT MIN(c.rowid)+$3 FROM citations c JOIN posts p ON p.id=c.post AND p.run=c.run WHERE p.segment=$1 AND p.pos=$2)`, segment, pos, m.r.IntN(5))
		return
	case 2:
		_, segment, pos, url := m.pick("captures", `1=1`)
		m.said, m.mends = "the task of "+url+" is changed", true
		m.finds(segment, pos, url, warc.WordTask)
		m.exec(`UPDATE tasks SET outcome='dns' WHERE url=$1 AND run=(SELECT run FROM captures WHERE segment=$2 AND pos=$3)`, url, segment, pos)
		return
	}
	c := fieldChanges[m.r.IntN(len(fieldChanges))]
	id, segment, pos, url := m.pick(c.table, `1=1`)
	m.said, m.mends = fmt.Sprintf("%s of %s in %s becomes %s", c.field, url, c.table, c.to), true
	m.finds(segment, pos, "", warc.WordRow)
	m.exec(fmt.Sprintf(`UPDATE %s SET %s=%s WHERE rowid=$1`, c.table, c.field, c.to), id)
}

func (m *mutant) changeSegment() {
	_, segment, _, _ := m.pick("captures", `1=1`)
	c := []change{{"", "size", `size+1`}, {"", "sha256", `'00'`}, {"", "committed", `committed-1`}, {"", "collection", `'nobody'`}, {"", "location", `'warc/default/nowhere.warc.gz'`}}[m.r.IntN(5)]
	m.said = fmt.Sprintf("%s of segment %s becomes %s", c.field, segment, c.to)
	switch c.field {
	case "size":
		m.finds(segment, -1, "", warc.WordDiffers)
	case "sha256":
		m.finds(segment, -1, "", warc.WordDiffers)
	case "location":
		m.finds(segment, -1, "", warc.WordMissing)
		m.finds(segment, -1, "", warc.WordUnknown)
		m.mends = true
	default:
		m.finds(segment, -1, "", warc.WordRow)
		m.mends = true
	}
	m.exec(fmt.Sprintf(`UPDATE segments SET %s=%s WHERE id=$1`, c.field, c.to), segment)
}

// swapRows lets the rows of two captures name each other's places.
func swapRows(m *mutant) {
	a, segA, posA, urlA := m.pick("captures", `1=1`)
	b, segB, posB, urlB := m.pick("captures", fmt.Sprintf(`rowid<>%d`, a))
	m.said, m.mends = fmt.Sprintf("the rows of %s and %s name each other's places", urlA, urlB), true
	m.finds(segA, posA, "", warc.WordRow)
	m.finds(segB, posB, "", warc.WordRow)
	m.exec(`UPDATE captures SET segment='', pos=0 WHERE rowid=$1`, a)
	m.exec(`UPDATE captures SET segment=$1, pos=$2 WHERE rowid=$3`, segA, posA, b)
	m.exec(`UPDATE captures SET segment=$1, pos=$2 WHERE rowid=$3`, segB, posB, a)
}

// mislead leads a revisit elsewhere.
func mislead(m *mutant) {
	id, segment, pos, url := m.pick("captures", `kind='revisit'`)
	to := "nowhere/0"
	switch m.r.IntN(4) {
	case 0:
		to = "no place"
	case 1:
		_, s, p, _ := m.pick("captures", `kind='response' AND collection='default' AND digest<>(SELECT digest FROM captures c WHERE c.rowid=`+fmt.Sprint(id)+`)`)
		to = fmt.Sprintf("%s/%d", s, p)
	case 2:
		_, s, p, _ := m.pick("captures", `kind='truncated'`)
		to = fmt.Sprintf("%s/%d", s, p)
	}
	m.said, m.mends = fmt.Sprintf("the revisit of %s leads to %s", url, to), true
	m.finds(segment, pos, url, warc.WordDangling)
	m.exec(`UPDATE captures SET refers_to=$1 WHERE rowid=$2`, to, id)
}

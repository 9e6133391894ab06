package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// The elements of a JUnit report, as CI servers read it. There is no standard; these are those that all know.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	At       string      `xml:"timestamp,attr"`
	Cases    []junitCase `xml:"testcase"`

	took int64
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Line    int           `xml:"line,attr,omitempty"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure"`
	Skipped *junitMessage `xml:"skipped"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the audit as JUnit XML: a suite a source, a test case a link or a place that its page does not have, and a suite more for its
// damaged citations. What the audit fails on are failures; links that were not looked at, or could not be, are skipped.
func (a *Audit) WriteJUnit(w io.Writer) error {
	all := junitSuites{Name: "linkstead audit"}
	var took int64
	for i := range a.Sources {
		for _, s := range a.suites(&a.Sources[i]) {
			all.Tests, all.Failures, all.Skipped, took = all.Tests+s.Tests, all.Failures+s.Failures, all.Skipped+s.Skipped, took+s.took
			all.Suites = append(all.Suites, *s)
		}
	}
	all.Time = seconds(took)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return fmt.Errorf("write JUnit XML: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (a *Audit) suites(s *AuditSource) []*junitSuite {
	at := a.At.UTC().Format("2006-01-02T15:04:05")
	out := &junitSuite{Name: xmlText(s.Source), At: at}
	if s.Failure != "" {
		out.add(junitCase{Class: xmlText(s.Source), Name: "the source can be read", Time: seconds(0),
			Failure: &junitMessage{Message: xmlText(s.Failure), Type: "source"}})
	}
	for i := range s.Links {
		l := &s.Links[i]
		out.took += l.MS
		out.add(a.linkCase(s, l))
		for _, c := range a.placeCases(s, l) {
			out.add(c)
		}
	}
	out.Time = seconds(out.took)
	if len(s.Damaged) == 0 {
		return []*junitSuite{out}
	}
	hurt := &junitSuite{Name: xmlText(s.Source) + ": damaged citations", At: at, Time: seconds(0)}
	for i := range s.Damaged {
		hurt.add(a.damagedCase(s, &s.Damaged[i]))
	}
	return []*junitSuite{out, hurt}
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	}
	if c.Skipped != nil {
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// settle makes a message a failure, if the audit fails on what it tells of, or what is skipped.
func (a *Audit) settle(c *junitCase, m *junitMessage, what string) {
	if slices.Contains(a.FailOn, what) {
		c.Failure = m
	} else {
		c.Skipped = m
	}
}

func (a *Audit) linkCase(s *AuditSource, l *AuditLink) junitCase {
	c := junitCase{Class: xmlText(s.Source), Name: xmlText(l.URL), File: xmlText(s.Source), Time: seconds(l.MS)}
	var where []string
	for i := range l.Citations {
		ct := &l.Citations[i]
		if c.Line == 0 {
			c.Line = ct.Line
		}
		where = append(where, ct.told())
	}
	m := &junitMessage{Message: xmlText(l.Reason), Type: string(l.State), Text: xmlText(strings.Join(where, "\n"))}
	switch {
	case slices.Contains(a.FailOn, string(l.State)):
		c.Failure = m
	case l.State == StateUnchecked || l.State == StateBlocked || l.State == StateBroken:
		c.Skipped = m
	default:
		c.Out = xmlText(l.Reason)
	}
	return c
}

// placeCases are the places that a link's page does not have, each once.
func (a *Audit) placeCases(s *AuditSource, l *AuditLink) (out []junitCase) {
	at := map[string]int{}
	for _, ct := range l.Misplaced() {
		k, known := at[ct.Fragment]
		if !known {
			k = len(out)
			at[ct.Fragment] = k
			c := junitCase{Class: xmlText(s.Source), Name: xmlText(l.URL + "#" + ct.Fragment), File: xmlText(s.Source), Line: ct.Line, Time: seconds(0)}
			a.settle(&c, &junitMessage{Message: xmlText(ct.Misplacing()), Type: FailFragment, Text: xmlText(ct.told())}, FailFragment)
			out = append(out, c)
			continue
		}
		m := out[k].Failure
		if m == nil {
			m = out[k].Skipped
		}
		m.Text += "\n" + xmlText(ct.told())
	}
	return out
}

func (a *Audit) damagedCase(s *AuditSource, d *AuditScar) junitCase {
	where := AuditCitation{Start: d.Start, Line: d.Line, Column: d.Column}
	m := &junitMessage{Message: xmlText(d.Reason), Type: xmlText(d.Class),
		Text: xmlText(fmt.Sprintf("%s: %q, confidence %.2f\n%s", where.Where(), d.Text, d.Confidence, d.Context))}
	c := junitCase{Class: xmlText(s.Source), Name: xmlText(fmt.Sprintf("damaged citation at %d: %.80s", d.Start, d.Text)), File: xmlText(s.Source), Line: d.Line, Time: seconds(0)}
	what := FailDamaged
	if !d.Strong { // on these no audit fails
		what = ""
	}
	a.settle(&c, m, what)
	return c
}

// told is where a citation stands, its sentence, and the quotation that it supports.
func (c *AuditCitation) told() string {
	s := strings.TrimSpace(c.Where() + ": " + c.Context)
	if c.Quotation != "" {
		s += "\n  for the quotation “" + c.Quotation + "”"
	}
	return s
}

// Where says where in its document a citation stands.
func (c *AuditCitation) Where() string {
	switch {
	case c.Page > 0:
		return fmt.Sprintf("page %d", c.Page)
	case c.Line > 0:
		return fmt.Sprintf("line %d, column %d", c.Line, c.Column)
	}
	return fmt.Sprintf("at %d", c.Start)
}

func seconds(ms int64) string {
	return fmt.Sprintf("%.3f", (time.Duration(ms) * time.Millisecond).Seconds())
}

// xmlText takes out what no XML document can hold (XML 1.0 §2.2).
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r >= ' ' && r != 0xfffe && r != 0xffff {
			return r
		}
		return ' '
	}, s)
}

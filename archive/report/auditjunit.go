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

// WriteJUnit writes the audit as JUnit XML: a suite a source, a test case a link or damaged citation. What the audit fails on
// are failures; links that were not looked at, or could not be, are skipped.
func (a *Audit) WriteJUnit(w io.Writer) error {
	all := junitSuites{Name: "linkstead audit"}
	var took int64
	for i := range a.Sources {
		s := a.suite(&a.Sources[i])
		all.Tests, all.Failures, all.Skipped, took = all.Tests+s.Tests, all.Failures+s.Failures, all.Skipped+s.Skipped, took+s.took
		all.Suites = append(all.Suites, s)
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

func (a *Audit) suite(s *AuditSource) junitSuite {
	out := junitSuite{Name: xmlText(s.Source), At: a.At.UTC().Format("2006-01-02T15:04:05")}
	add := func(c junitCase) {
		out.Tests++
		if c.Failure != nil {
			out.Failures++
		}
		if c.Skipped != nil {
			out.Skipped++
		}
		out.Cases = append(out.Cases, c)
	}
	if s.Failure != "" {
		add(junitCase{Class: xmlText(s.Source), Name: "the source can be read", Time: seconds(0),
			Failure: &junitMessage{Message: xmlText(s.Failure), Type: "source"}})
	}
	for i := range s.Links {
		l := &s.Links[i]
		out.took += l.MS
		add(a.linkCase(s, l))
	}
	for i := range s.Damaged {
		d := &s.Damaged[i]
		m := &junitMessage{Message: xmlText(d.Reason), Type: xmlText(d.Class), Text: xmlText(fmt.Sprintf("%q, confidence %.2f", d.Text, d.Confidence))}
		c := junitCase{Class: xmlText(s.Source), Name: xmlText(fmt.Sprintf("damaged citation at %d: %.80s", d.Start, d.Text)), File: xmlText(s.Source), Line: d.Line, Time: seconds(0)}
		if slices.Contains(a.FailOn, FailDamaged) && d.Strong {
			c.Failure = m
		} else {
			c.Skipped = m
		}
		add(c)
	}
	out.Time = seconds(out.took)
	return out
}

func (a *Audit) linkCase(s *AuditSource, l *AuditLink) junitCase {
	c := junitCase{Class: xmlText(s.Source), Name: xmlText(l.URL), File: xmlText(s.Source), Time: seconds(l.MS)}
	var where []string
	for _, ct := range l.Citations {
		if c.Line == 0 {
			c.Line = ct.Line
		}
		where = append(where, strings.TrimSpace(ct.Where()+": "+ct.Context))
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

package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// auditColumns are those of the CSV, see docs/json.md.
var auditColumns = []string{"source", "kind", "state", "url", "status", "outcome", "reason", "final", "suggest", "line", "column", "page", "start", "end",
	"text", "context", "flags", "ms", "tries", "confidence",
	"quotation", "fragment", "place"}

// WriteCSV writes a line for each citation, damaged citation and link that was left out, as RFC 4180 has it, with CRLF.
func (a *Audit) WriteCSV(to io.Writer) error {
	w := csv.NewWriter(to)
	w.UseCRLF = true
	if err := w.Write(auditColumns); err != nil {
		return err
	}
	for i := range a.Sources {
		for _, line := range a.Sources[i].lines() {
			cells := make([]string, len(auditColumns))
			for k, name := range auditColumns {
				cells[k] = inert(line[name])
			}
			if err := w.Write(cells); err != nil {
				return err
			}
		}
	}
	w.Flush()
	return w.Error()
}

func (s *AuditSource) lines() (out []map[string]string) {
	if s.Failure != "" {
		out = append(out, map[string]string{"source": s.Source, "kind": "source", "state": string(StateBroken), "url": s.URL, "reason": s.Failure})
	}
	for i := range s.Links {
		l := &s.Links[i]
		for k := range l.Citations {
			c := &l.Citations[k]
			reason := l.Reason
			if c.Place == PlaceMissing {
				reason = c.Misplacing()
			}
			out = append(out, map[string]string{
				"source": s.Source, "kind": "link", "state": string(l.State), "url": l.URL, "status": nonzero(l.Status), "outcome": l.Outcome,
				"reason": reason, "final": l.Final, "suggest": l.Suggest, "line": nonzero(c.Line), "column": nonzero(c.Column), "page": nonzero(c.Page),
				"start": strconv.Itoa(c.Start), "end": strconv.Itoa(c.End), "text": c.Text, "context": c.Context, "flags": strings.Join(l.Flags, " "),
				"ms": nonzero(int(l.MS)), "tries": nonzero(l.Tries), "quotation": c.Quotation, "fragment": c.Fragment, "place": string(c.Place),
			})
		}
	}
	for _, d := range s.Damaged {
		out = append(out, map[string]string{
			"source": s.Source, "kind": "damaged", "state": d.Class, "reason": d.Reason, "line": nonzero(d.Line), "column": nonzero(d.Column),
			"start": strconv.Itoa(d.Start), "end": strconv.Itoa(d.End), "text": d.Text, "context": d.Context, "confidence": strconv.FormatFloat(d.Confidence, 'g', 3, 64),
		})
	}
	for _, l := range s.LeftOut {
		out = append(out, map[string]string{"source": s.Source, "kind": "left-out", "url": l.URL, "reason": l.Reason, "text": l.Text,
			"line": nonzero(l.Line), "column": nonzero(l.Column)})
	}
	return out
}

func nonzero(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

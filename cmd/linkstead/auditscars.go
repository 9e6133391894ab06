package main

import (
	"linkstead/archive/post"
	"linkstead/archive/report"
)

// damaged lists the damaged citations of a document.
func damaged(doc *post.Document, s *report.AuditSource, lines *post.Lines) {
	for i := range doc.Damaged {
		d := &doc.Damaged[i]
		line, column := lines.At(d.Start)
		s.Damaged = append(s.Damaged, report.AuditScar{
			Class: string(d.Class), Strong: d.Class.Strong(), Confidence: d.Confidence, Start: d.Start, End: d.End,
			Text: d.Text, Context: d.Context, Reason: d.Reason, Key: d.Key, Line: line, Column: column,
		})
	}
}

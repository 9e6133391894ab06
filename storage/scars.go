package storage

import (
	"context"
	"fmt"
)

// Scar is a damaged citation of a post: a place where a link was lost from its text. Its fields are those of archive/scar.
type Scar struct {
	Class      string  `json:"class"`
	Confidence float64 `json:"confidence"` // that a citation was lost here, 0 to 1
	Start      int     `json:"start"`      // in the source, Unicode code points
	End        int     `json:"end"`
	Text       string  `json:"text"`              // what stands there
	Context    string  `json:"context,omitempty"` // some words before and behind it
	Reason     string  `json:"reason"`
	Key        string  `json:"key"` // names it in each copy of the same text
}

// parts fills in what stands in tables of its own: the citations of a post, and its scars.
func (db *DB) parts(ctx context.Context, p *Post) error {
	var err error
	if p.Citations, err = db.citations(ctx, p.ID, p.Run); err != nil {
		return err
	}
	p.Damaged, err = rowsOf(ctx, db, func(r row) (s Scar, err error) {
		err = r.Scan(&s.Class, &s.Confidence, &s.Start, &s.End, &s.Text, &s.Context, &s.Reason, &s.Key)
		return s, err
	}, `SELECT class, confidence, c_start, c_end, words, context, reason, scar FROM scars WHERE post=$1 AND run=$2 ORDER BY seq`, p.ID, p.Run)
	if err != nil {
		return fmt.Errorf("read damaged citations: %w", err)
	}
	return nil
}

// insertScars writes the damaged citations of a post.
func (x *tx) insertScars(p *Post) error {
	args := make([]any, 0, 11*len(p.Damaged))
	for i := range p.Damaged {
		s := &p.Damaged[i]
		args = append(args, p.ID, p.Run, i, s.Class, s.Confidence, s.Start, s.End, s.Text, s.Context, s.Reason, s.Key)
	}
	return x.putRows(`INSERT INTO scars (post, run, seq, class, confidence, c_start, c_end, words, context, reason, scar)`, ` ON CONFLICT DO NOTHING`, 11, args)
}

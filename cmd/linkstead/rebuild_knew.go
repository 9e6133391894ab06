package main

import (
	"context"
	"fmt"
	"strings"

	"linkstead/archive/warc"
	"linkstead/storage"
)

// knew is what the old rows know of the WARC files, by segment.
func (old *replaced) knew(ctx context.Context) (map[string]storage.Segment, error) {
	if old.db == nil {
		return nil, nil
	}
	list, err := old.db.Segments(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]storage.Segment, len(list))
	for _, g := range list {
		out[g.ID] = g
	}
	return out, nil
}

// asStored is an error if the store does not hold what the old rows know that it took.
func asStored(done warc.Rebuilt) error {
	if len(done.Differ) == 0 {
		return nil
	}
	lines := done.Differ[:min(maxNamed, len(done.Differ))]
	if more := len(done.Differ) - len(lines); more > 0 {
		lines = append(lines[:len(lines):len(lines)], fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("the store does not hold what was stored:\n  %s\nBring the right files back, or give --force to take the store as it is",
		strings.Join(lines, "\n  "))
}

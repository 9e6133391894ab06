package report

import (
	"context"
	"encoding/json"
	"errors"

	"linkstead/storage"
)

// Kin brings runs that belong together.
type Kin interface {
	Run(ctx context.Context, id int64) (storage.Run, error)
	Completions(ctx context.Context, r storage.Run) ([]storage.Run, error) // that asked for what r lacked
}

// related is a Builder for the report of a run and of those that have completed it. What completes another tells of the whole.
func (b *Builder) related(ctx context.Context, run storage.Run) (*Builder, storage.Run, []storage.Run, error) {
	if root := missingOf(run); root != 0 {
		whole, err := b.Rows.Run(ctx, root)
		if errors.Is(err, storage.ErrNotFound) {
			return b, run, nil, nil // it was forgotten
		}
		if err != nil {
			return nil, run, nil, err
		}
		run = whole
	}
	runs, err := b.Rows.Completions(ctx, run)
	if err != nil || len(runs) == 0 {
		return b, run, nil, err
	}
	own := *b
	own.kin = map[int64]bool{run.ID: true}
	for _, r := range runs {
		own.kin[r.ID] = true
	}
	return &own, run, runs, nil
}

// of says whether what a run recorded counts for the report of another.
func (b *Builder) of(run storage.Run, recorded int64) bool {
	return recorded == run.ID || b.kin[recorded]
}

// missingOf is the run that a run completes; 0 if it is one of its own.
func missingOf(run storage.Run) int64 {
	var spec struct {
		Missing int64 `json:"missing"`
	}
	if json.Unmarshal(run.Spec, &spec) != nil || spec.Missing == run.ID {
		return 0
	}
	return spec.Missing
}

package main

import (
	"context"
	"fmt"

	"linkstead/archive/outcome"
)

// outcomesCmd explains the outcomes.
type outcomesCmd struct{}

func (c *outcomesCmd) run(_ context.Context, e *env) error {
	fmt.Fprintf(e.stdout, "How a capture can end (list version %d)\n\n", outcome.Version)
	for _, d := range outcome.All() {
		fmt.Fprintf(e.stdout, "  %-14s %-18s %s\n", d.Outcome, d.Short, d.Meaning)
	}
	return nil
}

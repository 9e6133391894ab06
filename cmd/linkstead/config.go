package main

import (
	"context"

	"linkstead/configs"
)

// configCmd prints the default configuration.
type configCmd struct{}

func (c *configCmd) run(_ context.Context, e *env) error {
	_, err := e.stdout.Write(configs.DefaultYAML())
	return err
}

package main

import (
	"fmt"
	"time"

	"linkstead/archive/fuzzy"
	"linkstead/archive/replay"
	"linkstead/configs"
)

// replaySettings hands replay what the settings say of it.
func (e *env) replaySettings(past *replay.Handler) (err error) {
	c := e.cfg.Replay
	past.OpenIndex, past.Viewers = c.OpenIndex, c.Viewers
	others, _ := configs.Elsewheres(c.Elsewhere) // the settings were checked
	for _, o := range others {
		past.Elsewhere = append(past.Elsewhere, replay.Elsewhere{Name: o.Name, Prefix: o.Prefix})
	}
	if past.FuzzyWithin = time.Duration(c.Fuzzy); c.Fuzzy > 0 {
		past.Fuzzy, err = fuzzyRules(c.FuzzyRules)
	}
	return err
}

// fuzzyRules are the program's rules for what does not matter in an address, and those of a file.
func fuzzyRules(file string) (*fuzzy.Rules, error) {
	if file == "" {
		return fuzzy.Default, nil
	}
	body, err := readFile(file)
	if err != nil {
		return nil, usageError{fmt.Errorf("the rules that replay.fuzzy_rules names can't be read: %w", err)}
	}
	own, err := fuzzy.Parse(string(body))
	if err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", file, err)}
	}
	return fuzzy.Default.With(own), nil
}

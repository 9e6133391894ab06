package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"linkstead/storage"
)

// keepSchedules carries the schedules of an old database over to one that was made anew, and says so. If the old one can't
// be read, it says which schedules the WARC files name.
func (e *env) keepSchedules(ctx context.Context, db *storage.DB, old string) (string, error) {
	if path, embedded := strings.CutPrefix(old, "sqlite:"); !embedded || !empty(path) {
		n, empty, err := e.copySchedules(ctx, db, old)
		switch {
		case ctx.Err() != nil:
			return "", err
		case err == nil && n == 0 && !empty:
			return "", nil
		case err == nil && !empty:
			return plural(n, "schedule was", "schedules were") + " carried over from the old database.", nil
		}
		if err != nil {
			e.log.Warn("the schedules can't be read out of the old database", "error", err)
		}
	}
	runs, err := db.Runs(ctx)
	if err != nil {
		return "", err
	}
	var names []string
	for _, r := range runs {
		if r.Schedule != "" && !slices.Contains(names, r.Schedule) {
			names = append(names, r.Schedule)
		}
	}
	if len(names) == 0 {
		return "", nil
	}
	return fmt.Sprintf("Schedules are rows alone, and could not be carried over: %s. 'linkstead schedule apply FILE' brings them back.",
		strings.Join(names, ", ")), nil
}

// copySchedules carries them over, and says whether the old database held nothing at all: it is a new one, made in the
// place of one that was lost.
func (e *env) copySchedules(ctx context.Context, db *storage.DB, from string) (n int, empty bool, err error) {
	old, err := storage.OpenDB(ctx, from, storage.DBOptions{Now: e.clock, Log: e.log})
	if err != nil {
		return 0, false, err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	if n, err = storage.CopySchedules(ctx, old, db); err != nil || n > 0 {
		return n, false, err
	}
	empty, err = old.Fresh(ctx)
	return 0, empty, err
}

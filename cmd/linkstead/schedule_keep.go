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
		n, err := e.copySchedules(ctx, db, old)
		switch {
		case ctx.Err() != nil:
			return "", err
		case err == nil && n == 0:
			return "", nil
		case err == nil:
			return plural(n, "schedule was", "schedules were") + " carried over from the old database.", nil
		}
		e.log.Warn("the schedules can't be read out of the old database", "error", err)
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

func (e *env) copySchedules(ctx context.Context, db *storage.DB, from string) (n int, err error) {
	old, err := storage.OpenDB(ctx, from, storage.DBOptions{Now: e.clock, Log: e.log})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	return storage.CopySchedules(ctx, old, db)
}

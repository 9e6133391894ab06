package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"linkstead/archive/guard"
	"linkstead/archive/pack"
	"linkstead/archive/replay"
	"linkstead/configs"
	"linkstead/storage"
)

// forReaders hands replay what readers may see, unless whoever reads is the archivist.
func (e *env) forReaders(s *store, past *replay.Handler) {
	readers := &guard.Guard{Rows: s.db, Rules: s.db, Now: s.db.Now}
	past.Index, past.Access, past.Library, past.Recent = readers, readers, guard.Library{Opener: s.lib, Guard: readers}, readers.RecentPosts
	if e.unruled {
		e.log.Warn("access rules are left aside: whoever reaches this address sees everything")
		past.Index, past.Access, past.Library, past.Recent = s.db, nil, s.lib, s.db.RecentPosts
	}
	shelf := &pack.Shelf{Store: s.blobs, Readers: readers, Now: e.now}
	if past.Exports = shelf; e.unruled {
		shelf.Readers = nil
	}
	past.Collections = func(ctx context.Context, name string) (bool, error) {
		if served := e.cfg.Replay.Collections; len(served) > 0 && !slices.Contains(served, name) && name != e.cfg.Collection {
			return false, nil
		}
		_, err := s.db.Collection(ctx, name)
		switch {
		case errors.Is(err, storage.ErrNotFound):
			return false, nil
		case err != nil || e.unruled:
			return err == nil, err
		}
		return readers.Served(ctx, name)
	}
}

// alone makes sure that nobody on another machine reads what is served.
func alone(s configs.Serve) error {
	for _, place := range []string{s.Listen, s.ReplayListen} {
		host, _, err := net.SplitHostPort(place)
		addr, aerr := netip.ParseAddr(host)
		if err != nil || host != "localhost" && (aerr != nil || !addr.IsLoopback()) {
			return usageError{fmt.Errorf("--no-access-rules shows everything, and %s can be reached from elsewhere\nServe on a loopback address: --listen 127.0.0.1:8080 --replay-listen 127.0.0.1:8081", place)}
		}
	}
	return nil
}

package storage

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Node is a worker process: the holder of a spool.
type Node struct {
	Name    string
	Started time.Time
	Seen    time.Time // when it last said that it is there
	Ended   bool      // it has said that it leaves
	Version string

	SpoolUsed, SpoolMax int64  // bytes; no bound if SpoolMax is 0
	Waits               string // what its work waits for, see NodeWaits…; empty: nothing
}

// What a node's work waits for.
const (
	NodeWaitsSpool = "spool" // it is full: segments must be stored first
	NodeWaitsStore = "store" // it does not take a segment; the work goes on as long as the spool has room
)

// Announce says that a node is there now.
func (db *DB) Announce(ctx context.Context, n Node) error {
	err := db.write(ctx, func(x *tx) error {
		if _, err := x.exec(`INSERT INTO nodes (node, started, seen, version, spool_used, spool_max, waits) VALUES ($1,$2,$3,$4,$5,$6,$7)
			ON CONFLICT (node) DO UPDATE SET started=excluded.started, seen=excluded.seen, version=excluded.version,
			spool_used=excluded.spool_used, spool_max=excluded.spool_max, waits=excluded.waits`,
			n.Name, micros(n.Started), micros(db.Now()), n.Version, n.SpoolUsed, n.SpoolMax, n.Waits); err != nil {
			return err
		}
		_, err := x.exec(`DELETE FROM speed WHERE node=$1 AND minute<$2`, n.Name, minuteOf(db.Now().Add(-speedKept)))
		return err
	})
	if err != nil {
		return fmt.Errorf("announce node %s: %w", n.Name, err)
	}
	return nil
}

// Nodes brings every node that ever announced itself or began a segment, in the order of their names. Of one that never
// announced itself only the name is known.
func (db *DB) Nodes(ctx context.Context) (out []Node, err error) {
	rows, err := db.r.QueryContext(ctx, `SELECT node, started, seen, version, spool_used, spool_max, waits FROM nodes
		UNION ALL SELECT DISTINCT node, 0, 0, '', 0, 0, '' FROM segments WHERE state<>'stored' AND node NOT IN (SELECT node FROM nodes)
		ORDER BY node`)
	if err != nil {
		return nil, fmt.Errorf("read nodes: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var n Node
		var started, seen int64
		if err := rows.Scan(&n.Name, &started, &seen, &n.Version, &n.SpoolUsed, &n.SpoolMax, &n.Waits); err != nil {
			return nil, fmt.Errorf("read nodes: %w", err)
		}
		if started < 0 { // see Leave
			started, n.Ended = -1-started, true
		}
		n.Started, n.Seen = fromMicros(started), fromMicros(seen)
		out = append(out, n)
	}
	return out, rows.Err()
}

// Leave says that a node's worker has ended: from now on it does not count as alive. When it was last seen stays; that it
// has ended is told by the column started, which holds -1 less the time.
func (db *DB) Leave(ctx context.Context, node string) error {
	err := db.write(ctx, func(x *tx) error {
		_, err := x.exec(`UPDATE nodes SET started=-1-started, waits='' WHERE node=$1 AND started>=0`, node)
		return err
	})
	if err != nil {
		return fmt.Errorf("note that node %s has left: %w", node, err)
	}
	return nil
}

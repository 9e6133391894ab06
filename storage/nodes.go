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
	Version string
}

// Announce says that a node is there now.
func (db *DB) Announce(ctx context.Context, n Node) error {
	err := db.write(ctx, func(x *tx) error {
		_, err := x.exec(`INSERT INTO nodes (node, started, seen, version) VALUES ($1,$2,$3,$4)
			ON CONFLICT (node) DO UPDATE SET started=excluded.started, seen=excluded.seen, version=excluded.version`,
			n.Name, micros(n.Started), micros(db.Now()), n.Version)
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
	rows, err := db.r.QueryContext(ctx, `SELECT node, started, seen, version FROM nodes
		UNION ALL SELECT DISTINCT node, 0, 0, '' FROM segments WHERE state<>'stored' AND node NOT IN (SELECT node FROM nodes)
		ORDER BY node`)
	if err != nil {
		return nil, fmt.Errorf("read nodes: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var n Node
		var started, seen int64
		if err := rows.Scan(&n.Name, &started, &seen, &n.Version); err != nil {
			return nil, fmt.Errorf("read nodes: %w", err)
		}
		n.Started, n.Seen = fromMicros(started), fromMicros(seen)
		out = append(out, n)
	}
	return out, rows.Err()
}

// Leave says that a node's worker has ended: from now on it does not count as alive.
func (db *DB) Leave(ctx context.Context, node string) error {
	err := db.write(ctx, func(x *tx) error {
		gone := micros(db.Now().Add(-aliveFor))
		_, err := x.exec(`UPDATE nodes SET seen=$1 WHERE node=$2 AND seen>$1`, gone, node)
		return err
	})
	if err != nil {
		return fmt.Errorf("note that node %s has left: %w", node, err)
	}
	return nil
}

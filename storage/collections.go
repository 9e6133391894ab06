package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Collection is a named set of captures, with what it tells of itself.
type Collection struct {
	Name    string
	About   json.RawMessage // JSON; opaque here. Empty for a collection that only captures name
	Created time.Time       // zero for a collection that only captures name
}

// CollectionSize tells how much a collection holds.
type CollectionSize struct {
	Captures, Posts, Segments int64
	Bytes                     int64 // of its segments
}

// ErrInUse says that a collection holds something.
var ErrInUse = errors.New("the collection holds captures")

// CreateCollection writes the row of a new collection. Captures may have named it before. ErrExists if it has a row.
func (db *DB) CreateCollection(ctx context.Context, c Collection) error {
	err := db.write(ctx, func(x *tx) error {
		n, err := x.exec(`INSERT INTO collections (name, about, created) VALUES ($1,$2,$3) ON CONFLICT DO NOTHING`,
			c.Name, string(c.About), micros(c.Created))
		if err == nil && n == 0 {
			err = ErrExists
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("create collection %s: %w", c.Name, err)
	}
	return nil
}

// ChangeCollection hands what a collection tells of itself to change and writes what that returns. One that only
// captures name gets its row with that.
func (db *DB) ChangeCollection(ctx context.Context, name string, now time.Time, change func(json.RawMessage) (json.RawMessage, error)) error {
	err := db.write(ctx, func(x *tx) error {
		about, err := x.strings(`SELECT about FROM collections WHERE name=$1`+x.db.d.forUpdate, name)
		if err != nil {
			return err
		}
		var old json.RawMessage
		if len(about) > 0 {
			old = json.RawMessage(about[0])
		}
		next, err := change(old)
		if err != nil {
			return err
		}
		_, err = x.exec(`INSERT INTO collections (name, about, created) VALUES ($1,$2,$3)
			ON CONFLICT (name) DO UPDATE SET about=excluded.about`, name, string(next), micros(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("change collection %s: %w", name, err)
	}
	return nil
}

// AdoptCollection writes the row of a collection that a rebuild found, over the one that is there.
func (db *DB) AdoptCollection(ctx context.Context, c Collection) error {
	err := db.write(ctx, func(x *tx) error {
		_, err := x.exec(`INSERT INTO collections (name, about, created) VALUES ($1,$2,$3)
			ON CONFLICT (name) DO UPDATE SET about=excluded.about, created=excluded.created`, c.Name, string(c.About), micros(c.Created))
		return err
	})
	if err != nil {
		return fmt.Errorf("adopt collection %s: %w", c.Name, err)
	}
	return nil
}

// RemoveCollection removes a collection that holds nothing. ErrInUse if it has a segment, ErrNotFound if there is no such
// collection.
func (db *DB) RemoveCollection(ctx context.Context, name string) error {
	err := db.write(ctx, func(x *tx) error {
		used, err := x.strings(`SELECT id FROM segments WHERE collection=$1 LIMIT 1`, name)
		if err != nil {
			return err
		}
		if len(used) > 0 {
			return ErrInUse
		}
		n, err := x.exec(`DELETE FROM collections WHERE name=$1`, name)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("remove collection %s: %w", name, err)
	}
	return nil
}

// Collection brings one collection; ErrNotFound if it has no row and no segment names it.
func (db *DB) Collection(ctx context.Context, name string) (Collection, error) {
	c := Collection{Name: name}
	var about string
	var created int64
	err := db.r.QueryRowContext(ctx, `SELECT about, created FROM collections WHERE name=$1`, name).Scan(&about, &created)
	if errors.Is(err, sql.ErrNoRows) {
		var one int
		err = db.r.QueryRowContext(ctx, `SELECT 1 FROM segments WHERE collection=$1 LIMIT 1`, name).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return c, fmt.Errorf("collection %s: %w", name, ErrNotFound)
		}
	}
	if err != nil {
		return c, fmt.Errorf("read collection %s: %w", name, err)
	}
	if about != "" {
		c.About, c.Created = json.RawMessage(about), fromMicros(created)
	}
	return c, nil
}

// Collections brings every collection in the order of their names, those that only segments name among them.
func (db *DB) Collections(ctx context.Context) ([]Collection, error) {
	out, err := rowsOf(ctx, db, scanCollection, `SELECT name, about, created FROM collections UNION ALL
		SELECT DISTINCT collection, '', 0 FROM segments WHERE NOT EXISTS (SELECT 1 FROM collections WHERE name=collection)
		ORDER BY 1`)
	if err != nil {
		return nil, fmt.Errorf("read collections: %w", err)
	}
	return out, nil
}

func scanCollection(r row) (Collection, error) {
	var c Collection
	var about string
	var created int64
	err := r.Scan(&c.Name, &about, &created)
	if about != "" {
		c.About = json.RawMessage(about)
	}
	c.Created = fromMicros(created)
	return c, err
}

// CollectionSize counts what a collection holds. It reads the collection's whole index.
func (db *DB) CollectionSize(ctx context.Context, name string) (CollectionSize, error) {
	var s CollectionSize
	err := db.r.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM captures WHERE collection=$1),
		(SELECT COUNT(DISTINCT id) FROM posts WHERE collection=$1), (SELECT COUNT(*) FROM segments WHERE collection=$1),
		(SELECT CAST(COALESCE(SUM(CASE WHEN size>0 THEN size ELSE committed END),0) AS BIGINT) FROM segments WHERE collection=$1)`,
		name).Scan(&s.Captures, &s.Posts, &s.Segments, &s.Bytes)
	if err != nil {
		return s, fmt.Errorf("count collection %s: %w", name, err)
	}
	return s, nil
}

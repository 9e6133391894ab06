package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// AccessChange is a change of an access rule: it sets it, or lifts it.
type AccessChange struct {
	ID         string
	Collection string
	Rule       string // its id
	At         time.Time
	Sets       bool
	Change     json.RawMessage // opaque here
	Segment    string          // that tells of it; empty: none does yet
	Node       string          // where it was made: for the log alone, and not read out of rows
}

// ActionAccess is the word of the log for changes of access rules.
const ActionAccess = "access"

// accessCols are what scanAccess reads.
const accessCols = `id, collection, rule, at, sets, change, segment`

func scanAccess(r row) (c AccessChange, err error) {
	var at, sets int64
	var change string
	err = r.Scan(&c.ID, &c.Collection, &c.Rule, &at, &sets, &change, &c.Segment)
	c.At, c.Sets, c.Change = fromMicros(at), sets != 0, json.RawMessage(change)
	return c, err
}

// AccessRules brings what holds of all access rules, and the stamp that stands while it does.
func (db *DB) AccessRules(ctx context.Context) (stamp string, rules []AccessChange, err error) {
	for {
		if stamp, err = db.AccessStamp(ctx); err != nil {
			return "", nil, err
		}
		rules, err = rowsOf(ctx, db, scanAccess, `SELECT `+accessCols+` FROM access WHERE sets=1 AND NOT EXISTS
			(SELECT 1 FROM access later WHERE later.rule=access.rule AND (later.at>access.at OR later.at=access.at AND later.id>access.id))
			ORDER BY collection, at, id`)
		if err != nil {
			return "", nil, fmt.Errorf("read access rules: %w", err)
		}
		again, err := db.AccessStamp(ctx)
		if err != nil || again == stamp {
			return stamp, rules, err
		}
	}
}

// AccessStamp is another one after each change of an access rule; empty before the first one.
func (db *DB) AccessStamp(ctx context.Context) (string, error) {
	s, err := rowsOf(ctx, db, scanText, `SELECT stamp FROM access_stamp`)
	if err != nil {
		return "", fmt.Errorf("ask whether access rules have changed: %w", err)
	}
	if len(s) == 0 {
		return "", nil
	}
	return s[0], nil
}

// ChangeAccess hands the rules of a collection that hold to change, and writes the changes that it returns and their lines of the log,
// all of them or none. What is changed later is later by its time, too. Once it returns, the rules hold as it says.
func (db *DB) ChangeAccess(ctx context.Context, collection string, change func(holds []AccessChange) ([]AccessChange, error)) error {
	err := db.write(ctx, func(x *tx) error {
		if err := x.stampAccess(); err != nil {
			return err
		}
		holds, last, err := x.access(collection)
		if err != nil {
			return err
		}
		changes, err := change(holds)
		if err != nil {
			return err
		}
		for _, c := range changes {
			c.Collection = collection
			if !c.At.After(last) {
				c.At = last.Add(time.Microsecond)
			}
			last = c.At
			if err := x.putAccess(c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("change access rules of collection %s: %w", collection, err)
	}
	return nil
}

// stampAccess says that rules have changed. Whoever changes them holds this row: changes come one after the other.
func (x *tx) stampAccess() error {
	_, err := x.exec(`INSERT INTO access_stamp (one, stamp) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET stamp=excluded.stamp`, Random(10))
	return err
}

// access reads the rules of a collection that hold, and when its rules were last changed.
func (x *tx) access(collection string) (holds []AccessChange, last time.Time, err error) {
	byRule := map[string]AccessChange{}
	var order []string
	err = x.each(func(r row) error {
		c, err := scanAccess(r)
		if _, ok := byRule[c.Rule]; !ok {
			order = append(order, c.Rule)
		}
		byRule[c.Rule], last = c, c.At
		return err
	}, `SELECT `+accessCols+` FROM access WHERE collection=$1 ORDER BY at, id`, collection)
	for _, id := range order {
		if byRule[id].Sets {
			holds = append(holds, byRule[id])
		}
	}
	return holds, last, err
}

// putAccess writes a change and its line of the log.
func (x *tx) putAccess(c AccessChange) error {
	_, err := x.exec(`INSERT INTO access (`+accessCols+`) VALUES ($1,$2,$3,$4,$5,$6,$7) ON CONFLICT (id) DO UPDATE SET
		collection=excluded.collection, rule=excluded.rule, at=excluded.at, sets=excluded.sets, change=excluded.change, segment=excluded.segment`,
		c.ID, c.Collection, c.Rule, micros(c.At), bit(c.Sets), string(c.Change), c.Segment)
	if err != nil {
		return err
	}
	return x.audit(Audit{ID: c.ID, At: c.At, Node: c.Node, Action: ActionAccess, Detail: c.Change})
}

// UntoldAccess brings the changes of access rules that no segment tells of, oldest first, with the times at which they were made.
func (db *DB) UntoldAccess(ctx context.Context) ([]AccessChange, error) {
	out, err := rowsOf(ctx, db, scanAccess, `SELECT `+accessCols+` FROM access WHERE segment='' ORDER BY collection, at, id`)
	if err != nil {
		return nil, fmt.Errorf("read changes of access rules: %w", err)
	}
	return out, nil
}

// AdoptAccess writes changes of access rules that a rebuild found, each with its line of the log.
func (db *DB) AdoptAccess(ctx context.Context, changes ...AccessChange) error {
	if len(changes) == 0 {
		return nil
	}
	err := db.write(ctx, func(x *tx) error {
		if err := x.stampAccess(); err != nil {
			return err
		}
		for _, c := range changes {
			if err := x.putAccess(c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("take in access rules: %w", err)
	}
	return nil
}

// AccessChanges brings all changes of access rules, oldest first.
func (db *DB) AccessChanges(ctx context.Context) ([]AccessChange, error) {
	out, err := rowsOf(ctx, db, scanAccess, `SELECT `+accessCols+` FROM access ORDER BY at, id`)
	if err != nil {
		return nil, fmt.Errorf("read changes of access rules: %w", err)
	}
	return out, nil
}

// AccessChange brings one change of an access rule; ErrNotFound if there is none of that id.
func (db *DB) AccessChange(ctx context.Context, id string) (AccessChange, error) {
	out, err := rowsOf(ctx, db, scanAccess, `SELECT `+accessCols+` FROM access WHERE id=$1`, id)
	if err == nil && len(out) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return AccessChange{}, fmt.Errorf("change %s of access rules: %w", id, err)
	}
	return out[0], nil
}

package replay

import (
	"context"
	"errors"

	"linkstead/storage"
)

// moment holds the mementos of one second, until all of them are known: several may have one address.
type moment struct {
	h   *Handler
	add func(own *address, c *storage.Capture) error

	stamp string
	rows  []told
	at    map[string]int // of a URL: which row
}

// told is a memento and its address.
type told struct {
	own     address
	c       storage.Capture
	several bool // captures have that address
}

// take takes the next memento in the order of time.
func (m *moment) take(ctx context.Context, own address, c storage.Capture) error {
	if own.stamp != m.stamp {
		if err := m.tell(ctx); err != nil {
			return err
		}
		m.stamp = own.stamp
	}
	if i, ok := m.at[own.url]; ok {
		m.rows[i].several = true
		return nil
	}
	m.at[own.url] = len(m.rows)
	m.rows = append(m.rows, told{own: own, c: c})
	return nil
}

// tell tells of them, of each address what it shows.
func (m *moment) tell(ctx context.Context) error {
	for i := range m.rows {
		t := &m.rows[i]
		if t.several {
			shown, err := m.h.choose(ctx, &t.own, true)
			if err != nil && !errors.Is(err, storage.ErrNotFound) { // it was purged meanwhile
				return err
			}
			if err == nil && t.own.shows(&shown.Capture) {
				t.c = shown.Capture
			}
		}
		if err := m.add(&t.own, &t.c); err != nil {
			return err
		}
	}
	m.rows = m.rows[:0]
	clear(m.at)
	return nil
}

// shows says whether a capture has this address.
func (a *address) shows(c *storage.Capture) bool {
	return stampOf(c.At) == a.stamp && urlOf(c) == a.url
}

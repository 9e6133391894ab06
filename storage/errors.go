package storage

import "errors"

// Sentinels: what callers decide on.
var (
	// ErrNotFound says that no such blob or row exists.
	ErrNotFound = errors.New("not found")
	// ErrExists says that another blob already has the key.
	ErrExists = errors.New("another blob has this key")
	// ErrDamaged says that a file to be stored is not what it was when its checksum was made.
	ErrDamaged = errors.New("the file has changed")
	// ErrBusy says that another process has the worker role of this spool.
	ErrBusy = errors.New("another process works with it")
	// ErrAtWork says that others work on this database: it can't be replaced now.
	ErrAtWork = errors.New("the database is in use")
	// ErrSegmentGone says that a segment is no longer ours to append to: it was declared lost.
	ErrSegmentGone = errors.New("the segment is no longer open")
	// ErrAway says that the database server or the blob store can't be reached just now. It may pass by itself.
	ErrAway = errors.New("it can't be reached")
	// ErrKey says that a blob key has a form that not every store can hold.
	ErrKey = errors.New("unusable blob key")
)

package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// ErrLocked says that somebody else does what one process at a time may do.
var ErrLocked = errors.New("it is being done by another process")

// Lock takes the named lock for a time and returns the token that proves it. A lock of the same owner is taken over at
// once: the caller knows that whoever took it is gone. ErrLocked if another owner has it.
func (db *DB) Lock(ctx context.Context, name, owner string, ttl time.Duration) (token int64, err error) {
	token = newToken()
	err = db.write(ctx, func(x *tx) error {
		now := db.nowMS()
		n, err := x.exec(`INSERT INTO locks (name, token, owner, until) VALUES ($1,$2,$3,$4) ON CONFLICT (name) DO UPDATE
			SET token=excluded.token, owner=excluded.owner, until=excluded.until WHERE locks.owner=excluded.owner OR locks.until<=$5`,
			name, token, owner, now+ttl.Milliseconds(), now)
		if err != nil || n == 1 {
			return err
		}
		held, err := x.strings(`SELECT owner FROM locks WHERE name=$1`, name)
		if err != nil {
			return err
		}
		return fmt.Errorf("%w, on %q", ErrLocked, held)
	})
	if err != nil {
		return 0, fmt.Errorf("take the lock %q: %w", name, err)
	}
	return token, nil
}

// KeepLock prolongs a lock. ErrLocked if it has been lost meanwhile.
func (db *DB) KeepLock(ctx context.Context, name string, token int64, ttl time.Duration) error {
	err := db.write(ctx, func(x *tx) error {
		n, err := x.exec(`UPDATE locks SET until=$1 WHERE name=$2 AND token=$3`, db.nowMS()+ttl.Milliseconds(), name, token)
		if err == nil && n != 1 {
			err = ErrLocked
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the lock %q: %w", name, err)
	}
	return nil
}

// Unlock gives a lock back. One that was lost meanwhile is no error.
func (db *DB) Unlock(ctx context.Context, name string, token int64) error {
	err := db.write(ctx, func(x *tx) error {
		_, err := x.exec(`DELETE FROM locks WHERE name=$1 AND token=$2`, name, token)
		return err
	})
	if err != nil {
		return fmt.Errorf("give the lock %q back: %w", name, err)
	}
	return nil
}

// holds fences a transaction: it goes on only while the lock is held, and nobody takes the lock before its end.
func (x *tx) holds(name string, token int64) error {
	var one int
	err := x.one(&one, `SELECT 1 FROM locks WHERE name=$1 AND token=$2`+x.db.d.forUpdate, name, token)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("the lock %q was lost: %w", name, ErrLocked)
	}
	return err
}

// HoldPurge makes sure that one process at a time purges from a spool's folder, and tells the name under which it takes
// PurgeLock: whoever had that lock under the same name is gone. ErrBusy if another process purges. The returned function
// gives the role back.
func HoldPurge(dir string) (owner string, release func() error, err error) {
	if err := makeDir(OS{}, dir); err != nil {
		return "", nil, fmt.Errorf("prepare a purge: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "purge.lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", nil, fmt.Errorf("prepare a purge: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("purge from %s: %w", dir, ErrLocked)
		}
		return "", nil, errors.Join(err, lock.Close())
	}
	owner, err = purger(dir)
	if err != nil {
		return "", nil, errors.Join(err, lock.Close())
	}
	return owner, lock.Close, nil
}

// HoldImport empties the folder of a spool in which an import unpacks and writes, and names it. Who holds the purge's role of the spool
// is the only one to use it. The returned function takes it away.
func HoldImport(dir string) (temp string, drop func() error, err error) {
	temp = filepath.Join(dir, "import")
	if err := errors.Join(os.RemoveAll(temp), os.Mkdir(temp, 0o755)); err != nil {
		return "", nil, fmt.Errorf("prepare an import: %w", err)
	}
	return temp, func() error { return os.RemoveAll(temp) }, nil
}

// HoldExport names an empty folder of a spool for what an export writes before it is complete. The returned function takes it away.
func HoldExport(dir string) (temp string, release func() error, err error) {
	if err := makeDir(OS{}, dir); err != nil {
		return "", nil, fmt.Errorf("prepare an export: %w", err)
	}
	if temp, err = os.MkdirTemp(dir, "export-"); err != nil {
		return "", nil, fmt.Errorf("prepare an export: %w", err)
	}
	return temp, func() error { return os.RemoveAll(temp) }, nil
}

// purger is the name of the spool's node, or where no worker has ever been, one that no other folder has.
func purger(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, "node"))
	if name := strings.TrimSpace(string(b)); err == nil && name != "" {
		return name, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read node name: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "node"
	}
	path, err := filepath.Abs(dir)
	return host + ":" + path, err
}

package storage

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"syscall"

	"github.com/minio/minio-go/v7"
	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrFull says that the blob store has no room for more. It passes when somebody makes room.
var ErrFull = errors.New("it has no room left")

// IsFull tells whether an error says that a disk, a quota, the database's disk or the blob store is full. Trying again helps
// once there is room.
func IsFull(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, ErrFull) {
		return true
	}
	var lite *driver.Error
	if errors.As(err, &lite) && lite.Code()&0xff == sqlite3.SQLITE_FULL {
		return true
	}
	return stateIn(err, "53100") // disk_full of PostgreSQL
}

// MayBeFull tells whether an error can come of a full disk without saying so: SQLite has a few such.
func MayBeFull(err error) bool {
	var lite *driver.Error
	return errors.As(err, &lite) && slices.Contains([]int{sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC,
		sqlite3.SQLITE_IOERR_TRUNCATE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMOPEN}, lite.Code())
}

// storeFull tells whether an S3 store refuses an object because it has no room: 507, and the words of several stores.
func storeFull(r minio.ErrorResponse) bool {
	return r.StatusCode == http.StatusInsufficientStorage || slices.Contains([]string{"QuotaExceeded", "InsufficientStorage", "InsufficientCapacity",
		"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "StorageFull", "QuotaExceededException", "NoSpaceLeft"}, r.Code)
}

// FreeAt tells how many bytes the disk that holds a folder has left for this process.
func FreeAt(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("ask for the free space of %s: %w", dir, err)
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// Room tells where the store keeps its bytes, and how many more fit there; unknown is -1, as of every S3 store.
func (b *Blobs) Room() (place string, free int64) {
	d, ok := b.BlobReader.(*Dir)
	if !ok {
		return b.name, -1
	}
	free, err := FreeAt(d.root)
	if err != nil {
		free = -1
	}
	return d.root, free
}

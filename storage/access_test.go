package storage_test

import (
	"testing"

	"linkstead/storage/storagetest"
)

func TestSQLiteAccess(t *testing.T)   { storagetest.Access(t, sqlite) }
func TestPostgresAccess(t *testing.T) { storagetest.Access(t, server) }

package storage_test

import (
	"testing"

	"linkstead/storage/storagetest"
)

func TestSQLitePurge(t *testing.T)   { storagetest.Purge(t, sqlite) }
func TestPostgresPurge(t *testing.T) { storagetest.Purge(t, server) }

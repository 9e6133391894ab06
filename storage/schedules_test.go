package storage_test

import (
	"testing"

	"linkstead/storage/storagetest"
)

func TestSQLiteSchedules(t *testing.T)   { storagetest.Schedules(t, sqlite) }
func TestPostgresSchedules(t *testing.T) { storagetest.Schedules(t, server) }

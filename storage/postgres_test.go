package storage_test

import (
	"testing"

	"linkstead/storage/storagetest"
)

// server makes an empty database on a real server.
func server(t testing.TB) string {
	t.Helper()
	return storagetest.Postgres(t).DSN(t)
}

func TestPostgresFrontier(t *testing.T) { storagetest.Frontier(t, server) }
func TestPostgresRuns(t *testing.T)     { storagetest.Runs(t, server) }
func TestPostgresIndex(t *testing.T)    { storagetest.Index(t, server) }
func TestPostgresSpan(t *testing.T)     { storagetest.IndexSpan(t, server) }
func TestPostgresSegments(t *testing.T) { storagetest.Segments(t, server) }
func TestPostgresHostile(t *testing.T)  { storagetest.Hostile(t, server) }
func TestPostgresLinks(t *testing.T)    { storagetest.Links(t, server) }
func TestPostgresTexts(t *testing.T)    { storagetest.Texts(t, server) }

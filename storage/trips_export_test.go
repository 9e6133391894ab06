package storage

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// OpenTraced opens a PostgreSQL database whose trips a tracer sees.
func OpenTraced(ctx context.Context, dsn string, o DBOptions, tracer pgx.QueryTracer) (*DB, error) {
	n, err := parseServer(dsn)
	if err != nil {
		return nil, err
	}
	n.config.Tracer = tracer
	return n.open(ctx, o)
}

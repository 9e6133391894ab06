package storage_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// BenchmarkClaimFinish is the frontier under load: 4 workers claim 32 hosts with 5 tasks each, end them and let the hosts
// go, in a frontier of a million tasks. It tells what the frontier takes up on disk, too.
func BenchmarkClaimFinish(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		dsn := sqlite(b)
		claimFinishAll(b, dsn, func() (float64, error) {
			st, err := os.Stat(strings.TrimPrefix(dsn, "sqlite:"))
			if err != nil {
				return 0, err
			}
			return float64(st.Size()), nil
		})
	})
	b.Run("postgres", func(b *testing.B) {
		dsn := server(b)
		claimFinishAll(b, dsn, func() (size float64, err error) {
			raw, err := sql.Open("pgx", dsn)
			if err != nil {
				return 0, err
			}
			defer raw.Close()
			err = raw.QueryRowContext(b.Context(), `SELECT pg_database_size(current_database())`).Scan(&size)
			return size, err
		})
	})
}

func claimFinishAll(b *testing.B, dsn string, size func() (float64, error)) {
	const hosts, each, workers = 20000, 50, 4
	db := storagetest.OpenRows(b, dsn, time.Now)
	ctx := context.Background()
	left := 0
	id := int64(0)
	fill := func() {
		for range each {
			for from := 0; from < hosts; from += 5000 {
				ts := make([]storage.Task, 0, 5000)
				for h := from; h < from+5000; h++ {
					id++
					host := fmt.Sprintf("host%05d.example.org", h)
					ts = append(ts, storage.Task{Host: host, Run: 1, ID: id, URL: fmt.Sprintf("https://%s/section/article-%d.html", host, id),
						Kind: "page", Depth: 1, Hops: "L", Via: "https://" + host + "/", Due: id % 3})
				}
				if _, err := db.Enqueue(ctx, ts); err != nil {
					b.Fatal(err)
				}
			}
		}
		left = hosts * each
	}
	begun := time.Now()
	fill()
	enqueued := float64(left) / time.Since(begun).Seconds()
	bytes, err := size()
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		if left <= 0 {
			b.StopTimer()
			fill()
			b.StartTimer()
		}
		var g errgroup.Group
		for range workers {
			g.Go(func() error { return claimFinish(ctx, db, 32, 5) })
		}
		if err := g.Wait(); err != nil {
			b.Fatal(err)
		}
		left -= workers * 32 * 5
		n += workers * 32 * 5
	}
	b.ReportMetric(enqueued, "enqueued/s")
	b.ReportMetric(bytes/1e6, "MB/million")
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tasks/s")
}

func claimFinish(ctx context.Context, db *storage.DB, hosts, each int) error {
	ls, err := db.Claim(ctx, "w", hosts, each, time.Minute)
	if err != nil {
		return err
	}
	ends := make([]storage.End, 0, hosts*each)
	for _, l := range ls {
		for _, t := range l.Tasks {
			t.Due, t.Outcome = storage.Never, "ok"
			ends = append(ends, storage.End{Task: t, Token: l.Token})
		}
	}
	if _, err := db.Commit(ctx, nil, ends); err != nil {
		return err
	}
	return db.Release(ctx, ls, time.Now())
}

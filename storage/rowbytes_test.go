package storage_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// BenchmarkRowBytes tells what a task and a capture weigh in each database, with all their indexes, after a life like the
// real one: found, leased, ended. docs/scale.md reckons with it. Rows and addresses are as long as they are on the web.
func BenchmarkRowBytes(b *testing.B) {
	const tasks = 100_000
	for _, db := range []struct {
		name string
		rows storagetest.Rows
		size func(b *testing.B, dsn string) map[string]int64
	}{{"sqlite", sqlite, sqliteSizes}, {"postgres", server, postgresSizes}} {
		b.Run(db.name, func(b *testing.B) {
			for b.Loop() {
				dsn := db.rows(b)
				rows := storagetest.OpenRows(b, dsn, nil)
				begun := time.Now()
				fillFrontier(b, rows, tasks)
				found := db.size(b, dsn)
				workOff(b, rows, tasks)
				size := db.size(b, dsn)
				b.ReportMetric(float64(found["tasks"])/tasks, "B/open_task")
				for _, table := range []string{"tasks", "captures"} {
					b.ReportMetric(float64(size[table])/tasks, "B/"+strings.TrimSuffix(table, "s"))
				}
				b.ReportMetric(float64(size["attempts"])/(tasks/10), "B/attempt")
				b.ReportMetric(float64(size["hosts"])/(tasks/50), "B/host")
				b.ReportMetric(time.Since(begun).Seconds()/tasks*1e6, "µs/task")
				b.ReportMetric(lookups(b, rows, tasks), "lookups/s")
				b.ReportMetric(zipNum(b, rows, tasks), "ZipNum_B/capture")
			}
			b.ReportMetric(0, "ns/op") // the size is what counts
		})
	}
}

// webTask is the i-th task: 50 to a host, 1,000 to a run, with an address of 73 bytes or so.
func webTask(r *rand.Rand, i int) storage.Task {
	host := fmt.Sprintf("www.a-newspaper-%05d.example", i/50)
	return storage.Task{
		Host: host, Run: int64(1 + i/1000), ID: r.Int64(), URL: fmt.Sprintf("https://%s/2026/11/a-story-of-that-day-%08d.html", host, i),
		Kind: "page", Depth: 1, Hops: "L", Via: fmt.Sprintf("https://%s/2026/11/", host), Due: 50,
	}
}

// keyOf is the urlkey of a webTask's address.
func keyOf(address string) string {
	host, path, _ := strings.Cut(strings.TrimPrefix(address, "https://"), "/")
	labels := strings.Split(host, ".")
	return strings.Join([]string{labels[2], labels[1], labels[0]}, ",") + ")/" + path
}

// lookups tells how many captures a second one reader finds, each at a random place.
func lookups(b *testing.B, db *storage.DB, tasks int) float64 {
	b.Helper()
	r := rand.New(rand.NewPCG(5, 6))
	begun, n := time.Now(), 0
	for ; time.Since(begun) < 2*time.Second; n++ {
		t := webTask(r, r.IntN(tasks))
		if _, err := db.Closest(b.Context(), "default", keyOf(t.URL), t.URL, begun); err != nil {
			b.Fatal(err)
		}
	}
	return float64(n) / time.Since(begun).Seconds()
}

// zipNum tells what a capture weighs in CDXJ lines, sorted, 3,000 of them to a gzip member: what cold rows could become.
func zipNum(b *testing.B, db *storage.DB, tasks int) float64 {
	b.Helper()
	var lines []string
	r := rand.New(rand.NewPCG(7, 8))
	for i := range tasks {
		t := webTask(r, i)
		c, err := db.Closest(b.Context(), "default", keyOf(t.URL), t.URL, time.Now())
		if err != nil {
			b.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf(`%s %s {"url":%q,"mime":%q,"status":"%d","digest":%q,"length":"%d","offset":"%d","filename":%q}`+"\n",
			c.URLKey, c.At.Format("20060102150405"), c.URL, c.Mime, c.Status, c.Digest, c.Length, c.Offset, c.Segment+".warc.gz"))
	}
	slices.Sort(lines)
	var out bytes.Buffer
	for block := range slices.Chunk(lines, 3000) {
		w := gzip.NewWriter(&out)
		for _, l := range block {
			if _, err := w.Write([]byte(l)); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	return float64(out.Len()) / float64(tasks)
}

func fillFrontier(b *testing.B, db *storage.DB, n int) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	order := r.Perm(n) // links come as pages happen to have them
	for from := 0; from < n; from += 500 {
		var batch []storage.Task
		for _, i := range order[from : from+500] {
			batch = append(batch, webTask(r, i))
		}
		if added, err := db.Enqueue(b.Context(), batch); err != nil || added != len(batch) {
			b.Fatal(added, err)
		}
	}
}

// workOff ends every task with a capture, and each tenth with an attempt before it.
func workOff(b *testing.B, db *storage.DB, n int) {
	b.Helper()
	ctx, r := b.Context(), rand.New(rand.NewPCG(3, 4))
	const segment = "default-20261123021317123-jcd2hnk4"
	if err := db.OpenSegment(ctx, storage.Segment{ID: segment, Collection: "default", Node: "worker-jcd2hnk4", State: storage.SegmentOpen, Created: time.Now()}); err != nil {
		b.Fatal(err)
	}
	pos, done := int64(0), 0
	for done < n {
		leases, err := db.Claim(ctx, "worker-jcd2hnk4", 32, 5, time.Minute)
		if err != nil || len(leases) == 0 {
			b.Fatalf("%d of %d done: %v", done, n, err)
		}
		var ends []storage.End
		for _, l := range leases {
			for _, t := range l.Tasks {
				pos += 20_000
				ends = append(ends, webEnd(r, l, t, segment, pos, done%10 == 0))
				done++
			}
		}
		if fenced, err := db.Commit(ctx, []storage.Progress{{Segment: segment, Committed: pos}}, ends); err != nil || len(fenced) > 0 {
			b.Fatal(fenced, err)
		}
		if err := db.Release(ctx, leases, time.Time{}); err != nil {
			b.Fatal(err)
		}
	}
}

// webEnd is a page that came, as rows.
func webEnd(r *rand.Rand, l storage.Lease, t storage.Task, segment string, pos int64, again bool) storage.End {
	t.Due, t.Attempts, t.Outcome = storage.Never, 1, "http"
	key, at := keyOf(t.URL), time.Now().UTC().Truncate(time.Microsecond)
	e := storage.End{Task: t, Token: l.Token, Captures: []storage.Capture{{
		Collection: "default", URLKey: key, At: at, Segment: segment, Offset: pos, Length: 18_000, URL: t.URL, Status: 200,
		Mime: "text/html", Digest: "sha256:" + text(r, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 52), Kind: "response",
		RecordID: fmt.Sprintf("<urn:uuid:%s-4000-8000-%s>", text(r, "0123456789abcdef", 13), text(r, "0123456789abcdef", 12)), Run: t.Run, Outcome: "http",
	}}}
	if again {
		e.Attempts = []storage.Attempt{{
			Collection: "default", URLKey: key, URL: t.URL, At: at.Add(-time.Minute), Run: t.Run, Outcome: "timeout",
			Detail: "www.example.org:443 did not answer within 20s", Segment: segment, Offset: pos - 10_000,
		}}
	}
	return e
}

func text(r *rand.Rand, of string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = of[r.IntN(len(of))]
	}
	return string(b)
}

// sqliteSizes are bytes by table, with indexes.
func sqliteSizes(b *testing.B, dsn string) map[string]int64 {
	b.Helper()
	return sizes(b, "sqlite", strings.TrimPrefix(dsn, "sqlite:"), `SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_schema m ON m.name=s.name GROUP BY m.tbl_name`)
}

// postgresSizes are the same, after what autovacuum does by and by.
func postgresSizes(b *testing.B, dsn string) map[string]int64 {
	b.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(b.Context(), `VACUUM ANALYZE`); err != nil {
		b.Fatal(err)
	}
	return sizes(b, "pgx", dsn, `SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind='r' AND relname IN ('tasks','captures','attempts','hosts')`)
}

func sizes(b *testing.B, driver, dsn, query string) map[string]int64 {
	b.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var name string
		var size int64
		if err := rows.Scan(&name, &size); err != nil {
			b.Fatal(err)
		}
		out[name] = size
	}
	if err := rows.Err(); err != nil || out["tasks"] == 0 {
		b.Fatal(out, err)
	}
	return out
}

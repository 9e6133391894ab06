package storage_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// TestStatusIsCheap: what a status asks of the big tables goes by indexes, on either database, and is told by what waits.
func TestStatusIsCheap(t *testing.T) {
	for name, rows := range map[string]func(testing.TB) string{"sqlite": sqlite, "postgres": server} {
		t.Run(name, func(t *testing.T) {
			now := time.Now()
			dsn := rows(t)
			db := storagetest.OpenRows(t, dsn, func() time.Time { return now })
			ctx := t.Context()
			var ts []storage.Task
			for i := range 2500 {
				host := fmt.Sprintf("h%d.test", i%50)
				ts = append(ts, storage.Task{Host: host, Run: 1, ID: int64(i), URL: fmt.Sprintf("http://%s/%d", host, i), Kind: "page", Due: 300})
			}
			for i := range storage.CountedTasks + 5 {
				ts = append(ts, storage.Task{Host: "big.test", Run: 2, ID: int64(i), URL: fmt.Sprintf("http://big.test/%d", i), Kind: "page", Due: 300})
			}
			ts = append(ts, storage.Task{Host: "later.test", Run: 2, ID: 1, URL: "http://later.test/", Kind: "page", Due: now.Add(time.Hour).UnixMilli()},
				storage.Task{Host: storage.TickHost("s"), ID: 1, Kind: storage.KindTick, Due: now.Add(time.Hour).UnixMilli()})
			if _, err := db.Enqueue(ctx, ts); err != nil {
				t.Fatal(err)
			}
			ls, err := db.Claim(ctx, "node", 1, 1, time.Minute)
			if err != nil || len(ls) != 1 {
				t.Fatal(ls, err)
			}
			got := map[string]int64{}
			waiting, err := db.HostsWaiting(ctx)
			for _, w := range waiting {
				got[w.Wait] = w.N
			}
			if want := "map[due:50 later:1 leased:1 schedule:1]"; err != nil || fmt.Sprint(got) != want {
				t.Errorf("hosts wait: %v, %v, want %s", got, err, want)
			}
			states, err := db.HostStates(ctx, "", 0, 5)
			if err != nil || len(states) != 5 || states[0].Wait != storage.WaitLeased || states[0].Owner != "node" || states[1].Wait != storage.WaitDue {
				t.Errorf("hosts: %+v, %v", states, err)
			}
			big, err := db.HostStates(ctx, "big.test", 0, 5)
			if err != nil || len(big) != 1 || big[0].Open != storage.CountedTasks+1 || big[0].NextRun != 2 {
				t.Errorf("the big host: %+v, %v", big, err)
			}
			if of, err := db.HostStates(ctx, "", 2, 5); err != nil || len(of) != 2 {
				t.Errorf("hosts of run 2: %+v, %v", of, err)
			}
			explained(t, name, dsn)
		})
	}
}

// explained looks at the plans of the statements of a status.
func explained(t *testing.T, name, dsn string) {
	t.Helper()
	driver, path := "pgx", dsn
	if name == "sqlite" {
		driver, path = "sqlite", "file:"+strings.TrimPrefix(dsn, "sqlite:")
	}
	raw, err := sql.Open(driver, path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for q, index := range map[string]string{
		`SELECT next_at FROM hosts WHERE next_at<1152921504606846976 ORDER BY next_at LIMIT 5`:                                             "hosts_due",
		`SELECT 1 FROM tasks WHERE host='h1.test' AND due_at<1152921504606846976 AND due_at<=5 LIMIT 5`:                                    "tasks_due",
		`SELECT host FROM tasks WHERE run=2 AND due_at<1152921504606846976 ORDER BY due_at LIMIT 5`:                                        "tasks_run",
		`SELECT host, word, SUM(n) FROM ledger WHERE run=1 GROUP BY host, word`:                                                            "ledger",
		`SELECT 1 FROM attempts WHERE collection='c' AND urlkey='k' AND run=1 AND url='u' ORDER BY at DESC LIMIT 1`:                        "attempts",
		`SELECT node, COUNT(*) FROM segments WHERE state<>'stored' AND id IN (SELECT segment FROM segment_runs WHERE run=1) GROUP BY node`: "segment",
	} {
		words := "EXPLAIN QUERY PLAN "
		if name == "postgres" {
			words = "EXPLAIN "
			if _, err := raw.Exec(`SET enable_seqscan=off`); err != nil { // tables this small are read whole
				t.Fatal(err)
			}
		}
		if plan := planOf(t, raw, words+q); !strings.Contains(plan, "ndex") && !strings.Contains(plan, "INDEX") || !strings.Contains(plan, index) {
			t.Errorf("%s\nis carried out as\n%s", q, plan)
		}
	}
}

func planOf(t *testing.T, db *sql.DB, q string) string {
	t.Helper()
	rows, err := db.Query(q)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var sb strings.Builder
	for rows.Next() {
		vals, into := make([]any, len(cols)), make([]any, len(cols))
		for i := range vals {
			into[i] = &vals[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&sb, vals[len(vals)-1])
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return sb.String()
}

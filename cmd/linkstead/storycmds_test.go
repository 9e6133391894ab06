package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"linkstead/archive/urlkey"
	"linkstead/storage"
)

// cmdDump writes every row that a rebuild must bring back: dump ARCHIVE FILE. It opens the database by itself, since
// only storage speaks SQL.
func cmdDump(ts *testscript.TestScript, neg bool, args []string) {
	text, err := dumpRows(rowsOf(ts, args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o644))
}

func dumpRows(dsn string) (_ string, err error) {
	ctx := context.Background()
	db, err := storage.OpenDB(ctx, dsn, storage.DBOptions{})
	if err != nil {
		return "", err
	}
	defer db.Close()
	var lines []string
	add := func(format string, v ...any) { lines = append(lines, fmt.Sprintf(format, v...)) }
	segments, err := db.Segments(ctx)
	if err != nil {
		return "", err
	}
	for _, s := range segments {
		add("segment %s %s %s %s %d %s", s.ID, s.Collection, s.Location, s.State, s.Size, s.SHA256)
		for c, err := range db.SegmentCaptures(ctx, s.ID) {
			if err != nil {
				return "", err
			}
			add("capture %+v", c)
		}
	}
	changes, err := db.AccessChanges(ctx)
	if err != nil {
		return "", err
	}
	for _, c := range changes {
		add("access %+v", c)
	}
	runs, err := db.Runs(ctx)
	if err != nil {
		return "", err
	}
	for _, r := range runs {
		add("run %d %s %s %s %s %s %s", r.ID, r.Collection, r.Source, r.Spec, r.State, r.Started, r.Changes)
		tally, err := db.Tally(ctx, r.ID)
		if err != nil {
			return "", err
		}
		add("tasks of run %d: %v", r.ID, tally)
		ledger, err := db.RunLedger(ctx, r.ID)
		if err != nil {
			return "", err
		}
		for _, l := range ledger {
			l.Example = "" // of several, which came first
			add("ledger %+v", l)
		}
		p, err := db.PostOf(ctx, r.ID)
		if errors.Is(err, storage.ErrNotFound) {
			continue // it was purged
		}
		if err != nil {
			return "", err
		}
		add("post %+v", p)
		for _, c := range p.Citations {
			as, err := db.Attempts(ctx, r.Collection, urlkey.Key(c.URL))
			if err != nil {
				return "", err
			}
			for _, a := range as {
				add("attempt %+v", a)
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n") + "\n", nil
}

// cmdPorts sets variables to free ports.
func cmdPorts(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		port, err := pickPort()
		ts.Check(err)
		ts.Setenv(name, port)
	}
}

// cmdListen takes a port, $TAKEN, until the script ends.
func cmdListen(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv("TAKEN", strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	ts.Defer(func() { l.Close() })
}

// cmdGet gets an address, for up to ten seconds until it answers with the status wanted, and puts the body on standard
// output: get STATUS URL. Hosts under localhost are on loopback; redirects are followed.
func cmdGet(ts *testscript.TestScript, neg bool, args []string) {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+port)
		}, DisableKeepAlives: true,
	}}
	var last string
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		resp, err := client.Get(args[1])
		if err == nil {
			body, rerr := io.ReadAll(resp.Body)
			ts.Check(rerr)
			ts.Check(resp.Body.Close())
			if last = fmt.Sprintf("%d: %s", resp.StatusCode, body); strconv.Itoa(resp.StatusCode) == args[0] {
				fmt.Fprint(ts.Stdout(), string(body))
				return
			}
		} else {
			last = err.Error()
		}
		<-time.After(50 * time.Millisecond)
	}
	ts.Fatalf("%s: wanted %s, got %s", args[1], args[0], last)
}

// cmdGetUntil gets an address until its body holds a text: getuntil URL TEXT.
func cmdGetUntil(ts *testscript.TestScript, neg bool, args []string) {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		resp, err := http.Get(args[0])
		if err != nil {
			continue
		}
		body, err := io.ReadAll(resp.Body)
		ts.Check(errors.Join(err, resp.Body.Close()))
		if strings.Contains(string(body), args[1]) {
			return
		}
	}
	ts.Fatalf("%s did not come to hold %q in time", args[0], args[1])
}

// cmdWaitHits waits until a page has been asked for so often: waithits HOST/PATH N.
func cmdWaitHits(ts *testscript.TestScript, neg bool, args []string) {
	v, ok := sites.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("no website is up")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-time.After(10 * time.Millisecond) {
		if v.(*website).count(args[0]) >= n {
			return
		}
	}
	ts.Fatalf("%s was not asked for %d times in time", args[0], n)
}

// cmdSegments counts the stored segments of a collection: segments ARCHIVE COLLECTION N.
func cmdSegments(ts *testscript.TestScript, neg bool, args []string) {
	names, err := filepath.Glob(filepath.Join(warcFolder(ts, args[0]), "warc", args[1], "*.warc.gz"))
	ts.Check(err)
	if (fmt.Sprint(len(names)) == args[2]) == neg {
		ts.Fatalf("collection %s of %s has %d segments, want %s", args[1], args[0], len(names), args[2])
	}
}

// cmdObstruct lets the store of an archive take nothing of a collection, since a file stands where its folder should be:
// obstruct ARCHIVE COLLECTION.
func cmdObstruct(ts *testscript.TestScript, neg bool, args []string) {
	folder := filepath.Join(warcFolder(ts, args[0]), "warc")
	ts.Check(errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(filepath.Join(folder, args[1]), []byte("no folder\n"), 0o644)))
}

// cmdClear ends that.
func cmdClear(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(os.Remove(filepath.Join(warcFolder(ts, args[0]), "warc", args[1])))
}

// cmdLose loses an archive's database: lose ARCHIVE.
func cmdLose(ts *testscript.TestScript, neg bool, args []string) {
	path, embedded := strings.CutPrefix(rowsOf(ts, args[0]), "sqlite:")
	if embedded {
		ts.Check(removeDatabase(path))
		return
	}
	db, err := sql.Open("pgx", ts.Getenv(varDSN))
	ts.Check(err)
	_, err = db.Exec(`DROP SCHEMA ` + strings.ToLower(args[0]) + ` CASCADE`)
	ts.Check(errors.Join(err, db.Close()))
}

// cmdSpoil changes rows behind the program's back: spoil ARCHIVE SQL.
func cmdSpoil(ts *testscript.TestScript, neg bool, args []string) {
	driver, dsn := "pgx", rowsOf(ts, args[0])
	if path, embedded := strings.CutPrefix(dsn, "sqlite:"); embedded {
		driver, dsn = "sqlite", "file:"+path+"?_pragma=busy_timeout(15000)"
	}
	db, err := sql.Open(driver, dsn)
	ts.Check(err)
	_, err = db.Exec(args[1])
	ts.Check(errors.Join(err, db.Close()))
}

// cmdDrop takes each stored segment of an archive away: drop ARCHIVE.
func cmdDrop(ts *testscript.TestScript, neg bool, args []string) {
	names, err := filepath.Glob(filepath.Join(warcFolder(ts, args[0]), "warc", "*", "*.warc.gz"))
	ts.Check(err)
	if len(names) == 0 {
		ts.Fatalf("%s has no segment", args[0])
	}
	for _, name := range names {
		ts.Check(os.Remove(name))
	}
}

// cmdFlip flips a bit half way through each segment of an archive: flip ARCHIVE.
func cmdFlip(ts *testscript.TestScript, neg bool, args []string) {
	names, err := filepath.Glob(filepath.Join(warcFolder(ts, args[0]), "warc", "*", "*.warc.gz"))
	ts.Check(err)
	if len(names) == 0 {
		ts.Fatalf("%s has no segment", args[0])
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		ts.Check(err)
		b[len(b)/2] ^= 4
		ts.Check(os.WriteFile(name, b, 0o644))
	}
}

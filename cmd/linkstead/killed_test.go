package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"linkstead/archive/warc"
)

// TestKilledRandom kills a capture a hundred times, each at a random moment, and starts it again. After each kill, all that is
// acknowledged is there and fits the rows: verify finds nothing but a file that the next start drops. Each capture that comes to
// its end has everything, and verify finds nothing at all.
func TestKilledRandom(t *testing.T) {
	t.Parallel()
	const kills, each = 100, 10 // of each archive
	w := smallSite(t)
	root := t.TempDir()
	begun := time.Now()
	killSoon(t, w, filepath.Join(root, "whole"), never)
	whole := time.Since(begun)
	killed := 0
	for round := 0; killed < kills && !t.Failed(); round++ {
		if round > kills {
			t.Fatalf("only %d captures of %d archives could be killed", killed, round)
		}
		archive := filepath.Join(root, fmt.Sprint(round))
		after := func(left int) time.Duration {
			if left == 0 {
				return never
			}
			return time.Duration(rand.Int64N(int64(whole)))
		}
		for left := min(each, kills-killed); !killSoon(t, w, archive, after(left)); left-- {
			killed++
			acknowledgedFits(t, archive)
		}
		if code, v := verifyJSON(t, archive); code != exitOK {
			t.Fatalf("after %d kills: verify: exit %d\n%s", killed, code, listed(v.Faults))
		}
		if err := os.RemoveAll(archive); err != nil {
			t.Fatal(err)
		}
	}
}

// never is when a capture is killed that comes to its end.
const never = time.Hour

// killSoon runs a capture and kills it after a while, and says whether it came to its end before; then it has everything.
func killSoon(t *testing.T, w *website, archive string, after time.Duration) (ended bool) {
	t.Helper()
	cmd := linkstead(t, smallCapture(w, archive)...)
	cmd.Env = append(os.Environ(), smallSegments[0])
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	kill.Stop()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled() {
		return false
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	if !strings.Contains(out.String(), `"captured": 8`) {
		t.Errorf("not all was captured:\n%s", &out)
	}
	return true
}

// acknowledgedFits verifies an archive whose worker was killed.
func acknowledgedFits(t *testing.T, archive string) {
	t.Helper()
	if empty(filepath.Join(archive, "linkstead.db")) {
		return // it was killed before there was anything
	}
	code, out := inProcess(t, nil, "verify", "--archive", archive, "--json")
	if code == exitFailed && !strings.Contains(out, `"faults"`) {
		if !strings.Contains(out, "there is no archive") {
			t.Errorf("verify: %s", out)
		}
		return
	}
	var v verdict
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for k := range v.Faults {
		if v.Faults[k].Word != warc.WordSpool {
			t.Errorf("after a kill:\n%s", listed(v.Faults))
		}
	}
}

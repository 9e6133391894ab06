package main

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestReadPipe: a pipe is refused at once; opening it would wait for a writer that never comes.
func TestReadPipe(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readFile(pipe); !errors.As(err, new(usageError)) || !strings.Contains(err.Error(), "is no file but a pipe or a device") {
		t.Errorf("a pipe: %v", err)
	}
}

func TestLegible(t *testing.T) {
	t.Parallel()
	if got := legible("a\x1b[2Jb\r\n'c' \u202ed\x00"); got != "a [2Jb \n'c'  d " {
		t.Errorf("%q", got)
	}
}

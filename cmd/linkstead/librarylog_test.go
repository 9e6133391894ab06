package main

import (
	"bytes"
	"log"
	"strings"
	"testing"
)

// TestLibraryLog: what a library quotes of a hostile server comes to the log alone, short and without control characters.
func TestLibraryLog(t *testing.T) {
	old, flags := log.Writer(), log.Flags()
	t.Cleanup(func() { log.SetOutput(old); log.SetFlags(flags) })
	said := func(verbose bool) string {
		var b bytes.Buffer
		hearLibraries(logger(&b, verbose))
		log.Print("Unsolicited response received on idle HTTP channel starting with \x1b[31m\xff" + strings.Repeat("x", 10_000))
		return b.String()
	}
	if s := said(false); s != "" {
		t.Errorf("nobody asked, and it says %.100q", s)
	}
	s := said(true)
	if !strings.Contains(s, "Unsolicited response") || len(s) > 500 || strings.Contains(s, "\x1b") || strings.Contains(s, `\u001b`) {
		t.Errorf("it says %d bytes: %.300q", len(s), s)
	}
}

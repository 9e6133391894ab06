package main

import (
	"log"
	"log/slog"
	"strings"
)

// maxSaid bounds what a library says at once: it may quote a server's bytes at length.
const maxSaid = 200

// libraryLog takes what libraries tell Go's standard log. Nothing of it needs attention: what fails, they return.
type libraryLog struct{ log *slog.Logger }

// Write implements io.Writer.
func (l libraryLog) Write(p []byte) (int, error) {
	l.log.Debug("a library says", "text", clean(strings.ToValidUTF8(strings.TrimSpace(string(p[:min(len(p), maxSaid)])), "")))
	return len(p), nil
}

// hearLibraries leads Go's standard log to ours.
func hearLibraries(to *slog.Logger) {
	log.SetFlags(0)
	log.SetOutput(libraryLog{to})
}

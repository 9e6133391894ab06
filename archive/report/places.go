package report

import (
	"fmt"
	"strings"

	"linkstead/storage"
)

// replay is the address of a capture, if it is in the collection that is replayed.
func (b *Builder) replay(c storage.Capture) string {
	if c.Collection != b.Collection {
		return ""
	}
	return ReplayURL(b.Replay, c)
}

// ReplayURL is the address of a copy.
func ReplayURL(origin string, c storage.Capture) string {
	return fmt.Sprintf("%s/web/%s/%s", origin, c.At.UTC().Format("20060102150405"), c.URL)
}

// attempt is the address of the page on an attempt.
func (b *Builder) attempt(a storage.Attempt) string {
	if b.Pages == "" {
		return ""
	}
	return b.Pages + AttemptPath(a)
}

// AttemptPath is the path of an attempt among the archive's pages: by the name of its record, which a purge of others
// leaves as it is; a row of an older version has none, and is named by its place.
func AttemptPath(a storage.Attempt) string {
	if id, ok := strings.CutPrefix(a.RecordID, "<urn:uuid:"); ok {
		return "/attempts/" + strings.TrimSuffix(id, ">")
	}
	return fmt.Sprintf("/attempts/%s/%d", a.Segment, a.Offset)
}

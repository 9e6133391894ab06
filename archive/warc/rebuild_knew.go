package warc

import (
	"fmt"
	"slices"

	"linkstead/storage"
)

// compare holds a segment as the store sent it against what the store lists, and what an older database knew of it. What
// was stored had its checksum confirmed, so that whatever differs is damage, or a store that does not tell the truth.
func (b *Rebuilder) compare(blob storage.Blob, row storage.Segment, done *Rebuilt) {
	if blob.Size != row.Size {
		done.Damaged = append(done.Damaged, fmt.Sprintf("%s: the store lists %d bytes and sends %d", row.ID, blob.Size, row.Size))
	}
	if k := b.Knew[row.ID]; k.SHA256 != "" && (k.Size != row.Size || k.SHA256 != row.SHA256) {
		done.Differ = append(done.Differ, fmt.Sprintf("segment %s holds %d bytes with the SHA-256 %s; %d with %s were stored",
			row.ID, row.Size, row.SHA256, k.Size, k.SHA256))
	}
}

// missing tells of the segments that an older database knew to be stored, and that neither are there nor were replaced.
func (b *Rebuilder) missing(done *Rebuilt) {
	for id, k := range b.Knew {
		if k.State == storage.SegmentStored && !b.listed[id] && !b.gone[id] {
			done.Differ = append(done.Differ, fmt.Sprintf("segment %s is not there; %d bytes with the SHA-256 %s were stored", id, k.Size, k.SHA256))
		}
	}
	slices.Sort(done.Differ)
}

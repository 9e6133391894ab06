package warc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"

	"linkstead/storage"
)

// withoutCopies leaves out what is only a copy of another segment, and tells of it: taken in, it would double every capture, or
// move those of the segment to where the copy stands. A segment's first record says where it belongs: what stands there is the
// segment, and what says the same elsewhere is a copy. Of several that all stand elsewhere, the first counts.
func (b *Rebuilder) withoutCopies(ctx context.Context, all []storage.Blob) ([]storage.Blob, error) {
	belongs := map[string]string{} // by the key where each stands
	names := map[string]storage.Blob{}
	for _, blob := range all {
		key, err := b.belongs(ctx, blob)
		if err != nil {
			return nil, err
		}
		belongs[blob.Key] = key
		if o, ok := names[segmentID(blob.Key)]; !ok || claim(blob.Key, key) > claim(o.Key, belongs[o.Key]) {
			names[segmentID(blob.Key)] = blob
		}
	}
	all = b.without(all, func(blob storage.Blob) storage.Blob { return names[segmentID(blob.Key)] }, belongs)
	places := map[string]storage.Blob{} // by the key where it belongs
	for _, blob := range all {
		key := belongs[blob.Key]
		if key == "" {
			key = blob.Key // what can't say so does not give way
		}
		if o, ok := places[key]; !ok || blob.Key == key && o.Key != key {
			places[key] = blob
		}
	}
	return b.without(all, func(blob storage.Blob) storage.Blob {
		if key := belongs[blob.Key]; key != "" {
			return places[key]
		}
		return blob
	}, belongs), nil
}

// claim weighs the claims of blobs to a segment's name by where they stand, and where they say that they belong.
func claim(stands, belongs string) int {
	switch belongs {
	case stands:
		return 2
	case "":
		return 1
	}
	return 0
}

// without leaves out the blobs for which another counts.
func (b *Rebuilder) without(all []storage.Blob, counts func(storage.Blob) storage.Blob, belongs map[string]string) []storage.Blob {
	return slices.DeleteFunc(all, func(blob storage.Blob) bool {
		of := counts(blob)
		switch {
		case of.Key == blob.Key:
			return false
		case belongs[blob.Key] != of.Key && belongs[blob.Key] != belongs[of.Key]:
			b.copies = append(b.copies, fmt.Sprintf("%s has the name of the segment at %s", blob.Key, of.Key))
		case blob.Size != of.Size:
			b.copies = append(b.copies, fmt.Sprintf("%s says that it is the segment at %s, which has %d bytes and not %d", blob.Key, of.Key, of.Size, blob.Size))
		default:
			b.copies = append(b.copies, fmt.Sprintf("%s says that it is the segment at %s", blob.Key, of.Key))
		}
		return true
	})
}

// belongs is the key at which a segment was stored, by its first record; empty if that can't be read, or doesn't say.
func (b *Rebuilder) belongs(ctx context.Context, blob storage.Blob) (key string, err error) {
	in, err := b.Blobs.Open(ctx, blob.Key, 0, -1)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	rec, err := ReadMember(in)
	if err == nil {
		defer rec.Close() //nolint:errcheck // it frees buffers alone
	}
	var block []byte
	if err == nil && rec.Header.Type() == TypeWarcinfo {
		block, err = io.ReadAll(io.LimitReader(rec.Block, maxInfo))
	}
	switch {
	case errors.As(err, new(*TornError)) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return "", nil // whoever reads the segment will tell
	case err != nil:
		return "", err
	}
	name := ""
	if rec.Header.Type() == TypeWarcinfo {
		name = rec.Header.Get(fieldFilename)
	}
	for field, value := range warcFields(block) {
		if field == "isPartOf" && name != "" && path.Base(name) == name {
			return KeyPrefix + value + "/" + name, nil
		}
	}
	return "", nil
}

package post

import (
	"errors"
	"strings"
)

// ErrType says that a document is of a type in which there are no citations to find.
var ErrType = errors.New("not a document with links")

// Read reads a document by its media type, as HTML, PDF, Markdown, Feed, JSONFeed and Text do; ErrType if it is none of those.
func Read(src []byte, mediaType, base string, o Options) (Document, error) {
	switch {
	case mediaType == "text/html", mediaType == "application/xhtml+xml":
		return HTML(src, base, o)
	case mediaType == "application/pdf":
		return PDF(src, base, o)
	case mediaType == "text/markdown":
		return Markdown(src, base, o)
	case strings.HasSuffix(mediaType, "+xml"), mediaType == "application/xml", mediaType == "text/xml" && IsFeed(src):
		return Feed(src, base, o)
	case mediaType == "application/feed+json", mediaType == "application/json" && IsJSONFeed(src):
		return JSONFeed(src, base, o)
	case strings.HasPrefix(mediaType, "text/"):
		return Text(src, base, o)
	}
	return Document{}, ErrType
}

// Prose returns the blocks of a document, which are those of Document.Blocks: what people read of it, each with its kind, its links, and
// a way from each place in it to the source. Its errors are those of Read.
func Prose(src []byte, mediaType, base string, o Options) ([]Block, error) {
	d, err := Read(src, mediaType, base, o)
	return d.Blocks, err
}

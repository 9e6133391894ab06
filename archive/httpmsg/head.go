// Package httpmsg reads HTTP/1 messages as they crossed the wire: where the head ends, where the body ends, what the
// chunks hold, what the content encoding hides. It forgives what browsers forgive and never alters a byte. It knows no
// network.
package httpmsg

// Field is one header field as it was spelled.
type Field struct{ Name, Value string }

// Head is the start line and the fields of a message.
type Head struct {
	Proto  string // "HTTP/1.1"
	Status int    // 0 in a request
	Reason string
	Fields []Field // in order, obs-fold unfolded, values trimmed
	Len    int64   // bytes, blank line included; 0: incomplete
}

package httpmsg

import "strings"

// kept are the fields of a stored head that a 304 does not replace: they tell of the bytes that are stored, and of how
// they are to be read (RFC 9111 §3.2 lets who keeps bytes and not results omit them), or of one connection alone.
var kept = map[string]bool{
	"content-encoding": true, "content-length": true, "content-range": true, "content-type": true, "content-md5": true,
	"content-digest": true, "repr-digest": true, "digest": true, "transfer-encoding": true, "trailer": true,
	"connection": true, "keep-alive": true, "proxy-connection": true, "proxy-authenticate": true, "te": true, "upgrade": true,
}

// Updated is a stored head with the fields of a 304 in the place of its own (RFC 9111 §3.2): what a cache would show. Its
// Len is that of the stored head.
func (h Head) Updated(by Head) Head {
	stays := func(name string) bool {
		if kept[strings.ToLower(name)] {
			return true
		}
		for _, option := range by.Tokens("Connection") {
			if strings.EqualFold(option, name) {
				return true
			}
		}
		return false
	}
	out := Head{Proto: h.Proto, Status: h.Status, Reason: h.Reason, Len: h.Len}
	for _, f := range h.Fields {
		if stays(f.Name) || len(by.Values(f.Name)) == 0 {
			out.Fields = append(out.Fields, f)
		}
	}
	for _, f := range by.Fields {
		if !stays(f.Name) {
			out.Fields = append(out.Fields, f)
		}
	}
	return out
}

// Append writes the head as a message begins with it, blank line included.
func (h Head) Append(dst []byte) []byte {
	status := [3]byte{byte('0' + h.Status/100%10), byte('0' + h.Status/10%10), byte('0' + h.Status%10)}
	dst = append(append(append(dst, h.Proto...), ' '), status[:]...)
	dst = append(append(append(dst, ' '), h.Reason...), "\r\n"...)
	for _, f := range h.Fields {
		dst = append(append(append(append(dst, f.Name...), ": "...), f.Value...), "\r\n"...)
	}
	return append(dst, "\r\n"...)
}

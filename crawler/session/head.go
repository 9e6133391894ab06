package session

import (
	"bytes"
	"strings"

	"linkstead/archive/httpmsg"
)

// maskHead masks the secrets in a head, and tells how many there were. What makes it the message that it is stays, whatever
// somebody has chosen for a secret: the version and the status, lengths, the names of codings, the colons. What does not begin
// with a version and a status is masked as it is.
func maskHead(all *Set, head []byte) (n int) {
	if all.Empty() {
		return 0
	}
	at := lineEnd(head, 0)
	reason := httpmsg.StatusEnd(head[:at])
	if reason < 0 {
		return all.Mask(head)
	}
	before := bytes.Clone(head[:at])
	n = all.Mask(head[:at]) // from its beginning: a secret may begin in the status
	if copy(head, before[:reason]); bytes.Equal(before, head[:at]) {
		n = 0
	}
	for at < len(head) {
		end := lineEnd(head, at)
		for end < len(head) && (head[end] == ' ' || head[end] == '\t') {
			end = lineEnd(head, end)
		}
		n += maskField(all, head[at:end])
		at = end
	}
	return n
}

func maskField(all *Set, line []byte) (n int) {
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		return all.Mask(line)
	}
	if framing(strings.Trim(string(line[:colon]), " \t"), string(line[colon+1:])) {
		return all.Mask(line[:colon])
	}
	n = all.Mask(line) // whole: a secret may have a colon in it
	line[colon] = ':'
	return n
}

// framing says whether a field frames the message, and its value holds nothing but a length, or the names of codings: then it
// repeats no secret, whatever somebody has chosen for a password.
func framing(name, value string) bool {
	var known func(word string) bool
	switch strings.ToLower(name) {
	case "content-length":
		known = func(word string) bool { return strings.Trim(word, "0123456789") == "" }
	case "transfer-encoding", "content-encoding", "connection":
		known = coding
	default:
		return false
	}
	for word := range strings.FieldsFuncSeq(strings.ToLower(value), func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) }) {
		if !known(word) {
			return false
		}
	}
	return true
}

// coding says whether a word is the name of a coding, or says what becomes of the connection.
func coding(word string) bool {
	switch word {
	case "chunked", "gzip", "x-gzip", "deflate", "compress", "identity", "br", "zstd", "close", "keep-alive":
		return true
	}
	return false
}

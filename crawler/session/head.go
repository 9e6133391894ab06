package session

import (
	"bytes"
	"strings"
)

// maskHead masks the secrets in a head, and tells how many there were. The version and the status stay; of the rest, what
// the reason and the names of fields are made of, and what frames the message, is masked where a person declared it a secret
// alone: no cookie may make another message of this one. What does not begin as HTTP does is masked as it is.
func maskHead(own, all *Set, head []byte) (n int) {
	if all.Empty() {
		return 0
	}
	if !bytes.HasPrefix(head, []byte("HTTP/")) {
		return all.Mask(head)
	}
	at := lineEnd(head, 0)
	n = own.Mask(head[reasonAt(head[:at]):at])
	for at < len(head) {
		end := lineEnd(head, at)
		for end < len(head) && (head[end] == ' ' || head[end] == '\t') {
			end = lineEnd(head, end)
		}
		n += maskField(own, all, head[at:end])
		at = end
	}
	return n
}

// reasonAt is where the reason begins in a status line: behind the version and the status.
func reasonAt(line []byte) int {
	at := bytes.IndexByte(line, ' ') + 1
	for at > 0 && at < len(line) && (line[at] == ' ' || '0' <= line[at] && line[at] <= '9') {
		at++
	}
	return at
}

func maskField(own, all *Set, line []byte) int {
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		return all.Mask(line)
	}
	switch strings.ToLower(strings.Trim(string(line[:colon]), " \t")) {
	case "content-length", "transfer-encoding", "content-encoding", "content-type", "connection", "trailer", "upgrade":
		if framing(string(line[colon+1:])) {
			return own.Mask(line[:colon])
		}
		return own.Mask(line)
	}
	return own.Mask(line) + all.Mask(line[colon+1:])
}

// framing says whether a value holds nothing but a length, or the names of codings: then it repeats no secret, whatever
// somebody has chosen for a password.
func framing(value string) bool {
	for word := range strings.FieldsFuncSeq(strings.ToLower(value), func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) }) {
		switch word {
		case "chunked", "gzip", "x-gzip", "deflate", "compress", "identity", "br", "zstd", "close", "keep-alive":
		default:
			if strings.Trim(word, "0123456789") != "" {
				return false
			}
		}
	}
	return true
}

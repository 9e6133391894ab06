package markup

import (
	"bytes"
	"io"
)

// Playlist visits the addresses of an HLS playlist (RFC 8216, and its second edition in draft): the lines that are no tags, and
// the attributes of tags whose names end in URI. What has variables in it (EXT-X-DEFINE) is put together by the player and left
// alone. A text that does not begin as a playlist has none.
func Playlist(dst io.Writer, src []byte, visit Visit) error {
	return run(dst, src, visit, scanPlaylist)
}

func scanPlaylist(s *scan, t *text) {
	b := t.b
	if !bytes.HasPrefix(bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF")), []byte("#EXTM3U")) {
		return
	}
	for i := 0; i < len(b); {
		end := len(b)
		if n := bytes.IndexAny(b[i:], "\r\n"); n >= 0 {
			end = i + n
		}
		switch {
		case bytes.HasPrefix(b[i:end], []byte("#EXT-X-")):
			playlistTag(s, t, i, end)
		case end > i && b[i] != '#' && b[i] != 0xEF:
			playlistAddress(s, t, i, end, "playlist/line")
		}
		i = end + 1
	}
}

// playlistTag reads the attribute list of a tag (RFC 8216 §4.2): names, equals signs, quoted strings or bare words, commas.
func playlistTag(s *scan, t *text, i, end int) {
	b := t.b[:end]
	colon := bytes.IndexByte(b[i:], ':')
	if colon < 0 {
		return
	}
	for i += colon + 1; i < end; {
		n := bytes.IndexAny(b[i:], "=,")
		if n < 0 {
			return
		}
		from, to := trim(b, i, i+n)
		name := b[from:to]
		if i += n + 1; b[i-1] == ',' {
			continue
		}
		if i >= end || b[i] != '"' {
			i = skipQuoted(b, i, ",") + 1
			continue
		}
		n = bytes.IndexByte(b[i+1:], '"')
		if n < 0 {
			return
		}
		if bytes.HasSuffix(name, []byte("URI")) || string(name) == "X-ASSET-LIST" {
			playlistAddress(s, t, i+1, i+1+n, "playlist/"+string(name))
		}
		i += n + 2
	}
}

func playlistAddress(s *scan, t *text, start, end int, context string) {
	start, end = trim(t.b, start, end)
	if raw := t.b[start:end]; !bytes.Contains(raw, []byte("{$")) {
		s.found(t, Ref{URL: string(raw), Role: Media, Context: context, Start: start, End: end}, escapePlaylist)
	}
}

// escapePlaylist spells a URL so that it ends neither its quotes nor its line, is no tag, and holds no variable.
func escapePlaylist(s string) string {
	s = percent(s, "\"\r\n{")
	if s != "" && s[0] == '#' {
		s = "%23" + s[1:]
	}
	return s
}

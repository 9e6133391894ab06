package cdx

import (
	"encoding/base32"
	"encoding/hex"
	"strings"
)

// Digest gives a digest of a CDX line the form that WARC files use: the algorithm in small letters without hyphens, a colon,
// base32. Without an algorithm 32 characters of base32 are taken for SHA-1, as CDX files have it. What it does not know
// stays as it is; "-" is none.
func Digest(s string) string {
	name, value, ok := strings.Cut(s, ":")
	if !ok {
		if len(s) == 32 && isBase32(strings.ToUpper(s)) {
			return "sha1:" + strings.ToUpper(s)
		}
		return dash(s)
	}
	name = strings.ReplaceAll(strings.ToLower(name), "-", "")
	size := map[string]int{"sha1": 20, "sha256": 32, "sha512": 64, "md5": 16}[name]
	if size == 0 {
		return s
	}
	if len(value) == 2*size {
		if sum, err := hex.DecodeString(value); err == nil {
			return name + ":" + base32.StdEncoding.EncodeToString(sum)
		}
	}
	return name + ":" + value
}

func isBase32(s string) bool { return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567=") == "" }

package storage

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"strings"
	"unicode/utf8"
)

// PostgreSQL's TEXT holds neither NUL nor invalid UTF-8, and its B-trees no keys beyond some 2,700 bytes. Servers put
// the first into whatever they send, and addresses are longer. What goes into a statement is therefore made harmless at
// this border, the same for every database, so that a look-up is changed as the row was.

// harmless replaces in texts what no database needs to hold: each NUL and each run of invalid UTF-8 becomes U+FFFD.
func harmless(args []any) []any {
	for i, a := range args {
		switch v := a.(type) {
		case nil, int, int64, []byte, []int64, bool:
		case string:
			if !isHarmless(v) {
				args[i] = harmlessText(v)
			}
		case []string:
			for k, s := range v {
				if !isHarmless(s) {
					v[k] = harmlessText(s)
				}
			}
		default:
			if r := reflect.ValueOf(a); r.Kind() == reflect.String && !isHarmless(r.String()) {
				args[i] = harmlessText(r.String())
			}
		}
	}
	return args
}

func isHarmless(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

func harmlessText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

const (
	longestKey = 1000 // bytes: two such in one key fit into a page of any database
	keptOfKey  = 900
)

// foldKey makes a key fit into an index: of a long one its first bytes stay, for the order, and its hash, so that equal
// keys still meet. A folded key folds to itself.
func foldKey(s string) string {
	if !isHarmless(s) {
		s = harmlessText(s) // it grows
	}
	if len(s) <= longestKey {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	n := keptOfKey
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "~" + hex.EncodeToString(sum[:])
}

package post

import "linkstead/archive/text"

// decode returns the source as valid UTF-8, by the order that the package documentation tells. markup says whether a
// meta element may name the charset.
func decode(src []byte, contentType string, markup bool) string {
	return string(decoded(src, contentType, markup))
}

// decoded is decode without a copy of what is valid UTF-8 already.
func decoded(src []byte, contentType string, markup bool) []byte {
	return text.Decode(src, contentType, markup)
}

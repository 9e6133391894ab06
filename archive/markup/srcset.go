package markup

import "io"

// Srcset visits the URLs of a srcset or imagesrcset attribute's value.
func Srcset(dst io.Writer, src []byte, visit Visit) error {
	return run(dst, src, visit, func(s *scan, t *text) { scanSrcset(s, t, Image, "@srcset") })
}

// scanSrcset parses by the letter of HTML §4.8.4.3.10, "parsing a srcset attribute": a URL runs to the next space, so it
// may hold commas, as data URLs do; commas at its end part it from the next; parentheses hide commas in descriptors.
func scanSrcset(s *scan, t *text, role Role, context string) {
	b := t.b
	for i := 0; ; {
		for i < len(b) && (isSpace(b[i]) || b[i] == ',') {
			i++
		}
		if i >= len(b) {
			return
		}
		start := i
		for i < len(b) && !isSpace(b[i]) {
			i++
		}
		end := i
		for b[end-1] == ',' {
			end--
		}
		s.found(t, Ref{URL: string(b[start:end]), Role: role, Context: context, Start: start, End: end}, escapeSrcset)
		if end == i {
			i = skipDescriptors(b, i)
		}
	}
}

// skipDescriptors returns the position after the comma that ends the candidate.
func skipDescriptors(b []byte, i int) int {
	parens := false
	for ; i < len(b); i++ {
		switch b[i] {
		case '(':
			parens = true
		case ')':
			parens = false
		case ',':
			if !parens {
				return i + 1
			}
		}
	}
	return i
}

// escapeSrcset spells a URL so that it is one candidate: without spaces, and without commas at its ends.
func escapeSrcset(s string) string {
	s = percent(s, " \t\n\f\r")
	if s != "" && s[0] == ',' {
		s = "%2C" + s[1:]
	}
	if n := len(s); n > 0 && s[n-1] == ',' {
		s = s[:n-1] + "%2C"
	}
	return s
}

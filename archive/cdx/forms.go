package cdx

// cdx7 and cdx11 are the fields of CDX files, cdxj those of the objects in CDXJ lines.
var (
	cdxj  = []field{fieldURL, fieldMime, fieldStatus, fieldDigest, fieldLength, fieldOffset, fieldFile}
	cdx7  = []field{fieldKey, fieldTime, fieldURL, fieldMime, fieldStatus, fieldDigest, fieldLength}
	cdx11 = []field{fieldKey, fieldTime, fieldURL, fieldMime, fieldStatus, fieldDigest, fieldRedirect, fieldRobots, fieldLength, fieldOffset, fieldFile}
)

// The first lines of CDX files: the letters stand for the fields.
const (
	HeadCDX7  = " CDX N b a m s k S\n"
	HeadCDX11 = " CDX N b a m s k r M S V g\n"
)

// write writes a row in the form of the query.
func (a *Answer) write(t *told) (err error) {
	if a.q.Originals && t.row.Revisit && a.Original != nil {
		if t.orig, err = a.Original(&t.row); err != nil {
			return err
		}
	}
	b := a.buf[:0]
	first := a.written == 0
	switch a.q.form {
	case formCDXJ:
		b = appendToken(b, []byte(t.row.Key))
		b = append(appendTime(append(b, ' '), t.row.At), ' ')
		b = append(a.appendObject(b, t), '\n')
	case formJSON:
		b = append(a.appendObject(b, t), '\n')
	case formTable:
		if first {
			b = a.appendNames(append(b, '['))
		}
		b = a.appendArray(append(b, ",\n"...), t)
	case formLink:
		b = a.appendLink(b, t, first)
	default:
		switch {
		case first && a.q.form == formCDX7:
			b = append(b, HeadCDX7...)
		case first && a.q.form == formCDX11:
			b = append(b, HeadCDX11...)
		}
		b = a.appendLine(b, t)
	}
	a.buf = b
	a.written++
	_, err = a.w.Write(b)
	return err
}

// end writes what comes behind the rows.
func (a *Answer) end(resume string) error {
	b := a.buf[:0]
	switch a.q.form {
	case formTable:
		switch {
		case a.written == 0 && resume == "":
			b = append(b, "[]\n"...)
		default:
			if a.written == 0 {
				b = a.appendNames(append(b, '['))
			}
			if resume != "" {
				b = append(b, ",\n[],\n["...)
				b = append(AppendString(b, resume), ']')
			}
			b = append(b, "]\n"...)
		}
	case formJSON:
		if resume != "" {
			b = append(AppendString(append(b, `{"resumeKey": `...), resume), "}\n"...)
		}
	case formLink:
		if a.written > 0 {
			b = append(b, '\n')
		}
	default:
		if resume != "" {
			b = append(append(append(b, '\n'), resume...), '\n')
		}
	}
	a.buf = b
	if len(b) == 0 {
		return nil
	}
	_, err := a.w.Write(b)
	return err
}

// appendLine adds the fields with spaces between.
func (a *Answer) appendLine(b []byte, t *told) []byte {
	for i, f := range a.fields {
		if i > 0 {
			b = append(b, ' ')
		}
		a.val = t.append(a.val[:0], f)
		b = appendToken(b, a.val)
	}
	return append(b, '\n')
}

// appendObject adds the fields as a JSON object. One that is unknown is left out, unless it was asked for by its name.
func (a *Answer) appendObject(b []byte, t *told) []byte {
	b = append(b, '{')
	some := false
	for _, f := range a.fields {
		if a.q.form == formCDXJ && (f == fieldKey || f == fieldTime) {
			continue
		}
		a.val = t.append(a.val[:0], f)
		if len(a.val) == 0 {
			if a.q.fields == nil {
				continue
			}
			a.val = append(a.val, '-')
		}
		if some {
			b = append(b, ", "...)
		}
		some = true
		b = append(append(append(b, '"'), names[f][a.q.Dialect]...), `": `...)
		b = appendJSON(b, a.val)
	}
	return append(b, '}')
}

func (a *Answer) appendArray(b []byte, t *told) []byte {
	b = append(b, '[')
	for i, f := range a.fields {
		if i > 0 {
			b = append(b, ',')
		}
		if a.val = t.append(a.val[:0], f); len(a.val) == 0 {
			a.val = append(a.val, '-')
		}
		b = appendJSON(b, a.val)
	}
	return append(b, ']')
}

func (a *Answer) appendNames(b []byte) []byte {
	b = append(b, '[')
	for i, f := range a.fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, names[f][a.q.Dialect])
	}
	return append(b, ']')
}

// appendLink adds a memento as link-format has it; before the first one, what it is a memento of.
func (a *Answer) appendLink(b []byte, t *told, first bool) []byte {
	if first {
		b = append(appendURI(append(b, '<'), a.q.URL), `>; rel="original"`...)
	}
	b = append(b, ",\n<"...)
	if a.Memento != nil {
		b = appendURI(b, a.Memento(&t.row))
	}
	b = append(b, `>; rel="memento"; datetime="`...)
	b = t.row.At.UTC().AppendFormat(b, "Mon, 02 Jan 2006 15:04:05 GMT")
	return append(b, '"')
}

// appendURI adds a URL such that it can stand between < and >.
func appendURI(b []byte, url string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(url) {
		if c := url[i]; c <= ' ' || c >= 0x7f || c == '<' || c == '>' || c == '"' {
			b = append(b, '%', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return b
}

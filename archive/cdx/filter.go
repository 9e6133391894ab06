package cdx

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
)

// Bounds of what a query may ask of each row.
const (
	maxFilters   = 16
	maxCollapse  = 8
	longestValue = 512 // bytes of a filter
)

// filter is a condition on a field.
type filter struct {
	field field
	not   bool
	part  []byte // contains it …
	whole string // … or is it, if re is nil and exact is set …
	exact bool
	re    *regexp.Regexp // … or matches
}

var (
	errFilterForm  = errors.New("the form is [!]field:expression")
	errFilterLong  = fmt.Errorf("it is longer than %d bytes", longestValue)
	errFilterField = errors.New("rows have no such field: use urlkey, timestamp, url, mime, status, digest, redirect, length, offset or filename")
)

// readFilter reads "[!][=|~]field:expr" as pywb has it, or "[!]field:regex" as Wayback has it.
func readFilter(d Dialect, s string) (f filter, err error) {
	if len(s) > longestValue {
		return f, errFilterLong
	}
	s, f.not = strings.CutPrefix(s, "!")
	kind := byte('~')
	if d == Pywb {
		kind = 0
		if s != "" && (s[0] == '=' || s[0] == '~') {
			kind, s = s[0], s[1:]
		}
	}
	name, expr, ok := strings.Cut(s, ":")
	if !ok {
		return f, errFilterForm
	}
	if f.field, ok = fieldNamed(name); !ok || f.field > fieldFile {
		return f, errFilterField
	}
	switch kind {
	case 0:
		f.part = []byte(expr)
		return f, nil
	case '=':
		f.whole, f.exact = expr, true
		return f, nil
	}
	// pywb's match from the beginning, Wayback's all of it.
	anchored := `\A(?:` + expr + `)`
	if d == Wayback {
		anchored += `\z`
		if regexp.QuoteMeta(expr) == expr {
			f.whole, f.exact = expr, true
			return f, nil
		}
	}
	if f.re, err = regexp.Compile(anchored); err != nil {
		var fault *syntax.Error
		if errors.As(err, &fault) {
			return f, fmt.Errorf("the regular expression can't be read (RE2 syntax): %s", fault.Code)
		}
		return f, err
	}
	return f, nil
}

// passes says whether a row may pass; buf is room for a value.
func (f *filter) passes(t *told, buf []byte) bool {
	v := t.append(buf[:0], f.field)
	if len(v) == 0 && f.field != fieldURL { // what lines show for it
		v = append(v, '-')
	}
	switch {
	case f.re != nil:
		return f.re.Match(v) != f.not
	case f.exact:
		return (string(v) == f.whole) != f.not
	}
	return bytes.Contains(v, f.part) != f.not
}

// collapse leaves out a row whose value is that of the row before it.
type collapse struct {
	field field
	n     int  // bytes that are compared; 0: all
	pywb  bool // collapseTime: the key and the status count, too
	last  []byte
	begun bool
}

var errCollapse = errors.New("the form is field or field:N, where N says how many characters count")

// readCollapse reads "field" or "field:N".
func readCollapse(s string) (c collapse, err error) {
	name, digits, ok := strings.Cut(s, ":")
	if ok {
		if c.n, err = strconv.Atoi(digits); err != nil || c.n < 1 || c.n > longestValue {
			return c, errCollapse
		}
	}
	if c.field, ok = fieldNamed(name); !ok || c.field > fieldFile {
		return c, errFilterField
	}
	return c, nil
}

// repeats says whether a row repeats what the one before it had; buf is room for a value.
func (c *collapse) repeats(t *told, buf []byte) bool {
	v := t.append(buf[:0], c.field)
	if c.n > 0 && len(v) > c.n {
		v = v[:c.n]
	}
	if c.pywb {
		v = append(append(v, ' '), t.row.Key...)
		v = t.append(append(v, ' '), fieldStatus)
	}
	if c.begun && string(v) == string(c.last) {
		return true
	}
	c.last, c.begun = append(c.last[:0], v...), true
	return false
}

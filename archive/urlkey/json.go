package urlkey

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxNested is how deep JSON may be nested that is flattened.
const maxNested = 200

var errNested = errors.New("nested too deep")

// value is one of JSON's: an object, an array, or a text that stands for what is neither.
type value struct {
	text  string
	names []string // of an object, in the order in which they came
	kids  []value
	many  bool // an object or an array
}

// jsonQuery flattens JSON, or lines of it, into the fields of a query; not ok if it is none, or nothing in it has a name.
func jsonQuery(body []byte) (string, bool) {
	if !utf8.Valid(body) {
		return "", false
	}
	values, err := readJSON(body)
	if err != nil {
		values = values[:0]
		for line := range bytes.Lines(body) {
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			more, err := readJSON(line)
			if err != nil {
				return "", false
			}
			values = append(values, more...)
		}
	}
	q, nameless := fields{seen: map[string]int{}}, 0
	for i := range values {
		nameless += q.flatten("", &values[i])
	}
	return q.String(), len(values) > 0 && (q.Len() > 0 || nameless == 0)
}

// readJSON reads a text that is one value.
func readJSON(text []byte) ([]value, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	v, err := readValue(d, t, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return []value{v}, nil
}

func readValue(d *json.Decoder, t json.Token, depth int) (value, error) {
	delim, ok := t.(json.Delim)
	if !ok {
		return value{text: scalar(t)}, nil
	}
	if depth == maxNested {
		return value{}, errNested
	}
	v := value{many: true}
	places := map[string]int{} // a name that comes again replaces what stood under it, as in most languages
	for d.More() {
		name := ""
		t, err := d.Token()
		if err == nil && delim == '{' {
			name, _ = t.(string) // a decoder takes nothing else there
			t, err = d.Token()
		}
		if err != nil {
			return v, err
		}
		kid, err := readValue(d, t, depth+1)
		if err != nil {
			return v, err
		}
		if at, again := places[name]; again && delim == '{' {
			v.kids[at] = kid
			continue
		}
		if delim == '{' {
			places[name] = len(v.kids)
			v.names = append(v.names, name)
		}
		v.kids = append(v.kids, kid)
	}
	_, err := d.Token() // what closes it
	return v, err
}

// scalar spells a value as Python does, whose spelling is that of the keys out there.
func scalar(t json.Token) string {
	switch t := t.(type) {
	case string:
		return t
	case bool:
		if t {
			return "True"
		}
		return "False"
	case json.Number:
		return number(string(t))
	}
	return "None"
}

// number spells integers as they are, and all else as the shortest text that is the same float of 64 bits, never without a
// point or an exponent.
func number(s string) string {
	if !strings.ContainsAny(s, ".eE") {
		if s == "-0" {
			return "0"
		}
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil { // too large
		if strings.HasPrefix(s, "-") {
			return "-inf"
		}
		return "inf"
	}
	out := strconv.FormatFloat(f, 'e', -1, 64)
	e, _ := strconv.Atoi(out[strings.IndexByte(out, 'e')+1:]) // it is always there
	if e < -4 || e >= 16 {
		return out
	}
	out = strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(out, ".") {
		out += ".0"
	}
	return out
}

// flatten adds the values below v, and returns how many have no name.
func (f *fields) flatten(name string, v *value) (nameless int) {
	if !v.many {
		if name == "" {
			return 1
		}
		f.seen[name]++
		if n := f.seen[name]; n > 1 {
			name += "." + strconv.Itoa(n) + "_"
		}
		f.add(name, v.text)
		return 0
	}
	for i := range v.kids {
		of := name
		if v.names != nil {
			of = v.names[i]
		}
		nameless += f.flatten(of, &v.kids[i])
	}
	return nameless
}

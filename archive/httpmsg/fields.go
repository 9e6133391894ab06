package httpmsg

import "strings"

// Get returns the value of the first field called name, whatever its case; "" if there is none.
func (h Head) Get(name string) string {
	for _, f := range h.Fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Values returns the values of all fields called name, in order.
func (h Head) Values(name string) []string {
	var vs []string
	for _, f := range h.Fields {
		if strings.EqualFold(f.Name, name) {
			vs = append(vs, f.Value)
		}
	}
	return vs
}

// Tokens returns the members of the comma-separated list that all fields called name make together (RFC 9110 §5.6.1),
// in lower case, without empty ones. Commas in quoted strings are not known: the lists of framing have none.
func (h Head) Tokens(name string) []string {
	var ts []string
	for _, f := range h.Fields {
		if !strings.EqualFold(f.Name, name) {
			continue
		}
		for t := range strings.SplitSeq(f.Value, ",") {
			if t = strings.ToLower(strings.Trim(t, " \t")); t != "" {
				ts = append(ts, t)
			}
		}
	}
	return ts
}

// Mime returns the declared media type in lower case, without parameters: "text/html". Of several Content-Type fields
// the last that names a type counts, as in browsers; "" if there is none.
func (h Head) Mime() string {
	mime, _ := h.contentType()
	return mime
}

// Charset returns the charset parameter of the declared media type, in lower case; "" if there is none.
func (h Head) Charset() string {
	_, params := h.contentType()
	for p := range strings.SplitSeq(params, ";") {
		name, value, ok := strings.Cut(p, "=")
		if ok && strings.EqualFold(strings.TrimSpace(name), "charset") {
			return strings.ToLower(strings.Trim(strings.TrimSpace(value), `"'`))
		}
	}
	return ""
}

func (h Head) contentType() (mime, params string) {
	for _, f := range h.Fields {
		if !strings.EqualFold(f.Name, "Content-Type") {
			continue
		}
		m, p, _ := strings.Cut(f.Value, ";")
		m = strings.ToLower(strings.TrimSpace(m))
		if major, minor, ok := strings.Cut(m, "/"); ok && major != "" && minor != "" && m != "*/*" {
			mime, params = m, p
		}
	}
	return mime, params
}

// KeepAlive says whether the connection may carry another exchange after this message (RFC 9112 §9.3).
func (h Head) KeepAlive() bool {
	keep := h.atLeast11()
	for _, t := range h.Tokens("Connection") {
		switch t {
		case "close":
			return false
		case "keep-alive":
			keep = true
		}
	}
	return keep
}

func (h Head) atLeast11() bool {
	v := h.Proto[min(len(h.Proto), len("HTTP/")):]
	return v != "" && v != "1.0" && v != "1" && v[0] != '0'
}

package pack

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"linkstead/archive/cdx"
	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// The index of a WACZ is for programs that read it in a browser, and those look for an address in three ways that are not those of
// CDX files elsewhere: by a key of their own, of which they ask for the block of lines that holds it; by the exact URL, with a request
// other than GET made into a URL; and, of revisits, by the millisecond of the original.

// viewerDate is a time in the index of a WACZ: to the millisecond (CDXJ, as pywb has it, with three more digits), so that the original of
// a revisit is told from what came a moment later.
const viewerDate = "20060102150405.000"

// appendViewerLine adds the line for a capture in the index of a WACZ. asked is the request, if it was another than GET.
func appendViewerLine(dst []byte, c *storage.Capture, row *cdx.Row, asked *warc.Request) []byte {
	address, method, body := row.URL, "", ""
	if asked == nil && c.URLKey != urlkey.Key(c.URL) { // its request is not there any more: it must not stand for the answer to a GET
		asked = &warc.Request{Method: methodOf(c.URLKey)}
	}
	if asked != nil {
		method, body = strings.ToUpper(asked.Method), viewerBody(asked)
		address = asGET(address, method, body)
	}
	key, ok := viewerKey(address)
	if !ok {
		key = row.Key
	}
	dst = append(append(dst, key...), ' ')
	dst = append(dst, viewerStamp(row.At)...)
	field := func(name, value string) {
		if value != "" {
			dst = append(append(append(append(dst, ", \""...), name...), `": `...), cdx.AppendString(nil, value)...)
		}
	}
	begin := len(dst)
	mime := row.Mime
	if row.Revisit {
		mime = "warc/revisit"
	}
	field("url", row.URL)
	field("mime", mime)
	if row.Status != 0 {
		field("status", strconv.Itoa(row.Status))
	}
	field("digest", row.Digest)
	field("length", strconv.FormatInt(row.Length, 10))
	field("offset", strconv.FormatInt(row.Offset, 10))
	field("filename", row.File)
	if c.URLKey != urlkey.Key(strings.ToValidUTF8(row.URL, "\uFFFD")) {
		field("urlkey", c.URLKey) // by which Shelf finds it again
	}
	field("method", method)
	field("requestBody", body)
	dst[begin], dst[begin+1] = ' ', '{'
	return append(dst, "}\n"...)
}

func viewerStamp(at time.Time) string {
	return strings.Replace(at.UTC().Format(viewerDate), ".", "", 1)
}

// methodOf is the method that the key of a request tells.
func methodOf(key string) string {
	_, rest, _ := strings.Cut(key, "__wb_method=")
	method, _, _ := strings.Cut(rest, "&")
	if method == "" {
		method = "post"
	}
	return method
}

var wwwHost = regexp.MustCompile(`^(https?://)www\d*\.`)

// viewerKey is the key under which a URL is looked for in the index of a WACZ: www and digits taken off, small letters, host reversed, the
// fields of the query in order, and all else as the URL standard writes it. It folds less than ours: a slash at the end stays. Not ok for
// what has no such key.
func viewerKey(u string) (string, bool) {
	if !strings.HasPrefix(u, "http:") && !strings.HasPrefix(u, "https:") {
		return "", false
	}
	u, err := urlkey.Parse("", strings.ToLower(wwwHost.ReplaceAllString(u, "$1")))
	if err != nil {
		return "", false
	}
	_, rest, _ := strings.Cut(u, "://")
	host, path, _ := strings.Cut(rest, "/")
	host, port, hasPort := cutPort(host)
	labels := strings.Split(host, ".")
	slices.Reverse(labels)
	key := strings.Join(labels, ",")
	if hasPort {
		key += ":" + port
	}
	path, query, _ := strings.Cut("/"+path, "?")
	key += ")" + path
	if query != "" {
		fields := strings.Split(query, "&")
		slices.Sort(fields)
		key += "?" + strings.Join(fields, "&")
	}
	return key, !strings.ContainsAny(key, " \n\r\t")
}

// cutPort takes the port off a host.
func cutPort(host string) (name, port string, ok bool) {
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		return host[:i], host[i+1:], true
	}
	return host, "", false
}

// surtKey tells the keys by which readers see that an index is one of SURTs.
var surtKey = regexp.MustCompile(`^([\w-]+,)*[\w-]+(:\d+)?,?\)/`)

// asGET is the URL as which a request is looked for.
func asGET(u, method, body string) string {
	sep := "?"
	if strings.Contains(u, "?") {
		sep = "&"
	}
	return u + sep + "__wb_method=" + method + "&" + body
}

// maxViewerBody bounds the query that a request's body becomes, in bytes: of longer ones, nothing is looked up any more.
const maxViewerBody = 16 << 10

// viewerBody is the query that a request's body becomes where it is looked for: a form as it was sent; of JSON, the values with the
// names that they have, however they are nested; what is neither in base64. Escapes of characters that mean nothing in a URL are decoded.
func viewerBody(r *warc.Request) string {
	kind, _, _ := strings.Cut(r.Type, ";")
	var q string
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "application/x-www-form-urlencoded":
		q = strings.ToValidUTF8(string(r.Body), "\uFFFD")
	case "application/json", "text/plain":
		q = jsonFields(r.Body)
	case "multipart/form-data":
		q = partFields(r.Type, r.Body)
	default:
		if len(r.Body) <= maxViewerBody {
			q = "__wb_post_data=" + base64.StdEncoding.EncodeToString(r.Body)
		}
	}
	if len(q) > maxViewerBody {
		return ""
	}
	return decodeURI(q)
}

// decodeURI decodes as the function of that name does (ECMA-262 §19.2.6.2): what is reserved in a URL stays as it is. "" of what it refuses.
func decodeURI(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '%' {
			out.WriteByte(s[i])
			i++
			continue
		}
		var raw []byte
		begin := i
		for i+2 < len(s) && s[i] == '%' && !utf8.FullRune(raw) {
			b, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				return ""
			}
			raw = append(raw, byte(b))
			i += 3
		}
		r, n := utf8.DecodeRune(raw)
		switch {
		case len(raw) == 0 || r == utf8.RuneError && n <= 1 || n != len(raw):
			return ""
		case strings.ContainsRune(";/?:@&=+$,#", r):
			out.WriteString(s[begin:i])
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// formFields are the fields of a form's query, in the order in which they are set.
type formFields struct {
	names, values []string
	again         map[string]int
}

// add sets a field under a name of its own: further ones are name.2_, name.3_ and so on.
func (f *formFields) add(name, value string) {
	if slices.Contains(f.names, name) {
		if f.again == nil {
			f.again = map[string]int{}
		}
		f.again[name]++
		name += "." + strconv.Itoa(f.again[name]+1) + "_"
	}
	f.set(name, value)
}

func (f *formFields) set(name, value string) {
	if i := slices.Index(f.names, name); i >= 0 {
		f.values[i] = value
		return
	}
	if len(f.names) < maxFields {
		f.names, f.values = append(f.names, name), append(f.values, value)
	}
}

// maxFields bounds the fields of a request: more make a query that is too long.
const maxFields = maxViewerBody / 2

// String writes them as application/x-www-form-urlencoded (URL standard §5.2).
func (f *formFields) String() string {
	var out strings.Builder
	for i, name := range f.names {
		if i > 0 {
			out.WriteByte('&')
		}
		out.WriteString(formEscape.Replace(url.QueryEscape(name)) + "=" + formEscape.Replace(url.QueryEscape(f.values[i])))
	}
	return out.String()
}

// formEscape are the two characters in which net/url departs from the URL standard.
var formEscape = strings.NewReplacer("%2A", "*", "~", "%7E")

// jsonFields are the values of a JSON text with their names; "" if it is none.
func jsonFields(body []byte) string {
	if !json.Valid(body) {
		return ""
	}
	var f formFields
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	flatten(d, "", &f)
	return f.String()
}

// flatten reads the next value, which has a name. The text is valid, and so nested no deeper than encoding/json bears.
func flatten(d *json.Decoder, name string, f *formFields) {
	t, err := d.Token()
	if err != nil {
		return
	}
	switch v := t.(type) {
	case json.Delim:
		for d.More() {
			of := name
			if v == '{' {
				key, err := d.Token()
				if err != nil {
					return
				}
				of, _ = key.(string)
			}
			flatten(d, of, f)
		}
		_, _ = d.Token() // its end, which is there
	case string:
		if v != "" {
			f.add(name, v)
		}
	case json.Number:
		f.add(name, scriptNumber(v))
	case bool:
		f.add(name, strconv.FormatBool(v))
	case nil:
		f.add(name, "null")
	}
}

// scriptNumber writes a number as scripts do (ECMA-262 §6.1.6.1.20).
func scriptNumber(n json.Number) string {
	x, err := n.Float64()
	switch {
	case err != nil:
		return "Infinity"
	case x == 0:
		return "0"
	case x >= 1e21 || x <= -1e21 || x < 1e-6 && x > -1e-6:
		return strings.Replace(strconv.FormatFloat(x, 'e', -1, 64), "e-0", "e-", 1)
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

var partName = regexp.MustCompile(`(?i)name="([^"]+)"\r\n\r\n([^\r\n]*)`)

// partFields are the fields of a multipart form that are short texts.
func partFields(contentType string, body []byte) string {
	_, boundary, ok := strings.Cut(contentType, "boundary=")
	boundary = strings.Trim(boundary, `"`)
	if !ok || boundary == "" {
		return ""
	}
	var f formFields
	for part := range bytes.SplitSeq(body, []byte(boundary)) {
		if m := partName.FindSubmatch(bytes.TrimSpace(part)); m != nil {
			f.set(strings.ToValidUTF8(string(m[1]), "\uFFFD"), strings.TrimRight(strings.ToValidUTF8(string(m[2]), "\uFFFD"), "-"))
		}
	}
	return f.String()
}

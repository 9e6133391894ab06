package urlkey

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	enchex "encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Bounds of what a request's body adds to what is keyed, in bytes.
const (
	MaxBody  = 1 << 20 // of a body that is looked at: callers need not hold more
	maxAdded = 4096    // of the query that it becomes; a digest tells longer ones apart
	maxParts = 1000    // of a multipart body
)

// The fields by which pywb and those who follow it add a request to a URL.
const (
	methodField = "__wb_method="
	bodyField   = "__wb_post_data="
	digestField = "__linkstead_digest="
)

// RequestURL returns the URL whose key an answer is indexed and looked up under, so that the answers to POST and the like are
// told apart by what was asked, and from those to GET: the method and the body stand in its query, in the form of the
// IIPC's guideline "CDX for non-GET requests", which pywb began. A GET is keyed as it is. The URL is serialised; body is
// decoded, if it was sent with a content coding, and of it the first MaxBody bytes count.
//
//   - Forms are decoded: a=b&c=d. Parts of multipart forms are fields, too.
//   - JSON, and plain text that is JSON, is flattened: the values with the names that they have, whatever they are nested
//     in; further ones of the same name are name.2_, name.3_ and so on. Lines of JSON are read one after another.
//   - All else, and what is not what its type says, is base64 in __wb_post_data.
//
// It departs from pywb in three points, where two requests would have one key though they differ: JSON that is none, or
// names nothing, is base64; a query that is cut at 4096 bytes ends with a digest of the whole; PATCH, DELETE and the like have
// bodies, too. AMF is base64. A URL that has __wb_method in its query stands for its request already, and stays.
func RequestURL(method, url, contentType string, body []byte) string {
	method = strings.ToUpper(method)
	if method == "GET" || method == "" || keyed(url) {
		return url
	}
	query := methodField + bounded(escape(method, reserved)) // imported records may say anything
	if len(body) > 0 || method == "POST" || method == "PUT" {
		if more := bodyQuery(contentType, body[:min(len(body), MaxBody)]); more != "" {
			query += "&" + bounded(more)
		}
	}
	url, _, _ = strings.Cut(url, "#")
	if strings.Contains(url, "?") {
		return url + "&" + query
	}
	return url + "?" + query
}

// reserved are the bytes that would end a query or a field, or be read as an escape.
const reserved = `#%"<>`

// keyed says whether a URL tells a request's method already, as those in some tools' archives do.
func keyed(url string) bool {
	_, query, _ := strings.Cut(url, "?")
	return strings.HasPrefix(query, methodField) || strings.Contains(query, "&"+methodField)
}

func bounded(query string) string {
	if len(query) <= maxAdded {
		return query
	}
	sum := sha256.Sum256([]byte(query))
	cut := query[:maxAdded]
	if i := strings.LastIndexByte(cut[maxAdded-2:], '%'); i >= 0 {
		cut = cut[:maxAdded-2+i] // not within an escape
	}
	return cut + "&" + digestField + enchex.EncodeToString(sum[:16])
}

// bodyQuery is what a body becomes, by its type.
func bodyQuery(contentType string, body []byte) string {
	t, _, _ := strings.Cut(contentType, ";")
	t = lower(strings.TrimSpace(t))
	switch {
	case t == "application/x-www-form-urlencoded":
		if utf8.Valid(body) {
			return escape(unescapeForm(string(body)), reserved)
		}
	case strings.HasPrefix(t, "multipart/"):
		if q, err := partsQuery(contentType, body); err == nil {
			return q
		}
	case t == "application/json" || t == "text/plain":
		if q, ok := jsonQuery(body); ok {
			return q
		}
	}
	return bodyField + base64.StdEncoding.EncodeToString(body)
}

// unescapeForm decodes plus signs and percent-escapes once. What is no escape stays.
func unescapeForm(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			out = append(out, ' ')
		case s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			out = append(out, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return string(out)
}

// fields are those of a query in the making.
type fields struct {
	strings.Builder
	seen map[string]int // how often a name stood
}

// add adds a field, both sides encoded as a form's are.
func (f *fields) add(name, value string) {
	if f.Len() > 0 {
		f.WriteByte('&')
	}
	f.WriteString(url.QueryEscape(name) + "=" + url.QueryEscape(value))
}

var errParts = errors.New("not the parts of a form")

// partsQuery reads a multipart form.
func partsQuery(contentType string, body []byte) (string, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return "", errParts
	}
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	var q fields
	for n := 0; ; n++ {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) && n > 0 {
			return q.String(), nil
		}
		if err != nil || p.FormName() == "" || n == maxParts {
			return "", errParts
		}
		value, err := io.ReadAll(p) // no more than body has
		if err != nil || p.FileName() == "" && !utf8.Valid(value) {
			return "", errParts
		}
		q.add(p.FormName(), string(value))
	}
}

package replay

import (
	"io"
	"net/http"

	"linkstead/archive/httpmsg"
	"linkstead/archive/urlkey"
)

// methods that pages ask with. None of them does anything here: what they bring is what was answered in the past.
const allowed = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

func isAllowed(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return true
	}
	return false
}

// reads says whether a request only reads, as people and most of a page do.
func reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// maxCoded bounds what is read of a body that was sent with a content coding, in bytes.
const maxCoded = 2 * urlkey.MaxBody

// ask reads the body of a request other than GET and notes the URL under whose key its answer is found: the one that the
// index makes of such a request (see warc.Unit). An answer to GET is never taken for it: what a form's page shows is
// no answer to the form.
func (a *address) ask(w http.ResponseWriter, r *http.Request) error {
	if reads(r) {
		return nil
	}
	var body io.Reader = http.MaxBytesReader(w, r.Body, maxCoded)
	if d, err := httpmsg.DecodeWithin(r.Context(), body, r.Header.Get("Content-Encoding")); err == nil {
		defer d.Close() //nolint:errcheck // it frees buffers alone
		body = d
	}
	text, err := io.ReadAll(io.LimitReader(body, urlkey.MaxBody))
	if err != nil && r.Context().Err() != nil {
		return err
	}
	a.asked = urlkey.RequestURL(r.Method, a.url, r.Header.Get("Content-Type"), text)
	return nil
}

// key is the one under which an address's captures are found.
func (a *address) key() string {
	if a.asked != "" {
		return urlkey.Key(a.asked)
	}
	return urlkey.Key(a.url)
}

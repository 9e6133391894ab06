package warc

import (
	"bytes"
	"io"

	"linkstead/archive/httpmsg"
	"linkstead/archive/urlkey"
)

// Request is a request other than GET, as far as its answer is told apart by it.
type Request struct {
	Method string
	Type   string // its Content-Type
	Body   []byte // decoded; of a long one the first urlkey.MaxBody bytes
}

// readRequest reads a request; nil if it is a GET, which is told by its first bytes, or can't be read: whoever reads on learns of that.
func readRequest(request io.Reader) *Request {
	var first [4]byte
	if n, _ := io.ReadFull(request, first[:]); string(first[:n]) == "GET " || n < len(first) {
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(request, maxHead+urlkey.MaxBody))
	raw = append(first[:], raw...)
	head, perr := httpmsg.ParseRequest(raw)
	if err != nil || perr != nil {
		return nil
	}
	body := httpmsg.KeptBody(head.Head, head.Method, bytes.NewReader(raw[head.Len:]))
	if d, err := httpmsg.Decode(body, head.Get("Content-Encoding")); err == nil {
		defer d.Close() //nolint:errcheck // it frees buffers alone
		body = d
	}
	text, _ := io.ReadAll(io.LimitReader(body, urlkey.MaxBody)) // as far as it goes: the same at every reading
	return &Request{Method: head.Method, Type: head.Get("Content-Type"), Body: text}
}

// asked is the URL under whose key the answer to a request is found: see urlkey.RequestURL. Most requests are GETs.
func asked(url string, request io.Reader) string {
	r := readRequest(request)
	if r == nil {
		return url
	}
	return urlkey.RequestURL(r.Method, url, r.Type, r.Body)
}

// Asked is the URL that the unit's answer is indexed under: its own, unless the request was another than GET.
func (u *Unit) Asked() string {
	url := u.URL()
	for i := range u.Records {
		if a := u.Records[i].asked; a != "" && u.Records[i].Header.URL() == url {
			return a
		}
	}
	return url
}

// request reads the unit's request anew, if it was another than GET; nil else, and if it can't be read.
func (u *Unit) request(file io.ReaderAt) *Request {
	for i := range u.Records {
		f := &u.Records[i]
		if f.asked == "" || f.Header.URL() != u.URL() {
			continue
		}
		for rec, err := range Scan(io.NewSectionReader(file, f.Offset, f.Length), f.Offset) {
			if err != nil {
				return nil
			}
			return readRequest(rec.Block)
		}
	}
	return nil
}

// asked is the same of an exchange that is being written.
func (x *Exchange) asked() string { return asked(x.URL, bytes.NewReader(x.Request)) }

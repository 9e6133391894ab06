package warc

import (
	"bytes"
	"io"

	"linkstead/archive/httpmsg"
	"linkstead/archive/urlkey"
)

// asked is the URL under whose key the answer to a request is found: see urlkey.RequestURL. Most requests are GETs, which
// are told by their first bytes. Of one that can't be read it is the URL, and so it is where reading fails: whoever
// reads on learns of that.
func asked(url string, request io.Reader) string {
	var first [4]byte
	if n, _ := io.ReadFull(request, first[:]); string(first[:n]) == "GET " || n < len(first) {
		return url
	}
	raw, err := io.ReadAll(io.LimitReader(request, maxHead+urlkey.MaxBody))
	raw = append(first[:], raw...)
	head, perr := httpmsg.ParseRequest(raw)
	if err != nil || perr != nil {
		return url
	}
	body := httpmsg.Body(head.Head, head.Method, bytes.NewReader(raw[head.Len:]))
	if d, err := httpmsg.Decode(body, head.Get("Content-Encoding")); err == nil {
		defer d.Close() //nolint:errcheck // it frees buffers alone
		body = d
	}
	text, _ := io.ReadAll(io.LimitReader(body, urlkey.MaxBody)) // as far as it goes: the same at every reading
	return urlkey.RequestURL(head.Method, url, head.Get("Content-Type"), text)
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

// asked is the same of an exchange that is being written.
func (x *Exchange) asked() string { return asked(x.URL, bytes.NewReader(x.Request)) }

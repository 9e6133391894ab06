package fetch

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/warc"
	"linkstead/crawler/session"
)

// errWithheld says that a body holds a secret where it can't be masked, or may.
var errWithheld = errors.New("the body holds a secret that can't be masked")

// veil hides secrets in what a server sends, before any byte of it is kept: each is written over with as many asterisks,
// so that the framing stays as it was. A secret is found wherever it is cut in two, by reads or by chunks.
type veil struct {
	who   *session.Session
	at    session.Where
	asked session.Asked

	now     time.Time
	set     *session.Set
	read    bool     // the final head has been looked through
	heads   []string // what was redacted in heads
	places  int      // in the body
	framing bool     // a secret stands in the framing of chunks

	chunked bool
	pend    []byte // of the body: came, and not kept yet
	star    []bool // which of them are to be masked
	spans   []span // where the payload is in pend; only of chunks
	wired   int    // up to here, pend was looked through as it came …
	paid    int    // … and so many bytes of payload in pend were
}

// span is a piece of pend.
type span struct{ from, to int }

// whereOf is the address of a target, as sessions know it.
func whereOf(t target) session.Where {
	return session.Where{Secure: t.secure, Host: strings.ToLower(t.host), Port: t.port, Path: t.path}
}

// about says of which request the exchange will be.
func (v *veil) about(who *session.Session, at session.Where, asked session.Asked) {
	v.who, v.at, v.asked = who, at, asked
	v.begin(time.Time{})
}

// begin forgets an earlier try.
func (v *veil) begin(now time.Time) {
	v.now, v.set, v.read, v.heads, v.places, v.framing = now, v.who.Secrets(v.at.Host), false, nil, 0, false
	v.body(false)
}

// on says whether there is anything to hide in a body.
func (v *veil) on() bool { return !v.set.Empty() }

// head takes the final head, and returns it as it is kept.
func (v *veil) head(h httpmsg.Head, b []byte) (httpmsg.Head, error) {
	if v.read = true; v.who == nil {
		return h, nil
	}
	v.heads = append(v.heads, v.who.Answer(v.at, v.asked, b, v.now)...)
	v.set = v.who.Secrets(v.at.Host)
	if len(v.heads) == 0 {
		return h, nil
	}
	return httpmsg.ParseHead(b)
}

// interim masks an interim head.
func (v *veil) interim(b []byte) {
	v.heads = append(v.heads, v.who.Interim(v.at, v.asked, b)...)
}

// evidence masks what is no whole head, or was taken for none.
func (v *veil) evidence(b []byte) {
	head := len(b)
	if end := httpmsg.HeadEnd(b, 0); end >= 0 {
		head = end
	}
	if v.who != nil && !v.read {
		_, _ = v.head(httpmsg.Head{}, b[:head]) // it is known to be none
	}
	v.places += v.set.Mask(b[head:])
	if k := v.set.Partial(b); k > 0 {
		cover(b[len(b)-k:])
	}
}

func cover(b []byte) {
	for i := range b {
		b[i] = session.Mask
	}
}

// body begins a body.
func (v *veil) body(chunked bool) {
	v.chunked, v.wired, v.paid = chunked, 0, 0
	v.pend, v.star, v.spans = v.pend[:0], v.star[:0], v.spans[:0]
}

// waiting is how many bytes came and are not kept yet.
func (v *veil) waiting() int64 { return int64(len(v.pend)) }

// payload says that of what is passed next, the bytes from one place up to another are payload.
func (v *veil) payload(from, to int) {
	if !v.chunked || from == to {
		return
	}
	s := span{len(v.pend) + from, len(v.pend) + to}
	if n := len(v.spans); n > 0 && v.spans[n-1].to == s.from {
		v.spans[n-1].to = s.to
	} else {
		v.spans = append(v.spans, s)
	}
}

// pass keeps what came of a body, as far as it is sure that no secret begins in it.
func (w *wire) pass(x *warc.Exchange, b []byte) error {
	v := &w.veil
	if !v.on() {
		return w.keep(x, b)
	}
	v.pend = append(v.pend, b...)
	for range b {
		v.star = append(v.star, false)
	}
	return w.reveal(x, v.search(v.set.Longest()-1))
}

// unveiled keeps the rest of a body. If that is not whole, what may be the beginning of a secret at its end is masked.
func (w *wire) unveiled(x *warc.Exchange, whole bool) error {
	v := &w.veil
	n := v.search(0)
	if !whole {
		for i, k := len(v.pend)-1, v.set.Partial(v.pend); k > 0; i, k = i-1, k-1 {
			v.star[i] = true
		}
		pay, at := v.gather()
		for i, k := len(pay)-1, v.set.Partial(pay); k > 0; i, k = i-1, k-1 {
			v.star[at(i)] = true
		}
	}
	return w.reveal(x, n)
}

// search marks the secrets that begin before the last keep bytes, and returns up to where nothing more will be marked.
func (v *veil) search(keep int) int {
	safe := len(v.pend) - keep
	for i := v.wired; i < safe; i++ {
		if k := v.set.At(v.pend, i); k > 0 && v.mark(i, k, func(j int) int { return j }) && v.chunked {
			v.framing = v.framing || !v.within(i, i+k)
		}
	}
	v.wired = max(v.wired, safe)
	if !v.chunked {
		return v.wired
	}
	pay, at := v.gather()
	for i := v.paid; i < len(pay)-keep; i++ {
		if k := v.set.At(pay, i); k > 0 {
			v.mark(i, k, at)
		}
	}
	if v.paid = max(v.paid, len(pay)-keep); v.paid < len(pay) {
		return min(v.wired, at(v.paid))
	}
	return v.wired
}

// mark marks k bytes from the i-th on, of which at tells where in pend they are, and says whether any of them was not.
func (v *veil) mark(i, k int, at func(int) int) bool {
	fresh := false
	for j := i; j < i+k; j++ {
		fresh = fresh || !v.star[at(j)]
		v.star[at(j)] = true
	}
	if fresh {
		v.places++
	}
	return fresh
}

// within says whether a piece of pend is payload throughout.
func (v *veil) within(from, to int) bool {
	for _, s := range v.spans {
		if s.from <= from && to <= s.to {
			return true
		}
	}
	return false
}

// gather is the payload in pend, in one piece, and where in pend its bytes are.
func (v *veil) gather() (pay []byte, at func(int) int) {
	if !v.chunked {
		return nil, nil
	}
	starts := make([]int, len(v.spans)) // of the spans, in pay
	for i, s := range v.spans {
		starts[i] = len(pay)
		pay = append(pay, v.pend[s.from:s.to]...)
	}
	last := 0
	return pay, func(i int) int {
		for last > 0 && starts[last] > i {
			last--
		}
		for last+1 < len(starts) && starts[last+1] <= i {
			last++
		}
		return v.spans[last].from + i - starts[last]
	}
}

// reveal keeps the first n bytes of pend, masked, and hashes the payload among them.
func (w *wire) reveal(x *warc.Exchange, n int) error {
	v := &w.veil
	if n <= 0 {
		return nil
	}
	for i, star := range v.star[:n] {
		if star {
			v.pend[i] = session.Mask
		}
	}
	if !v.chunked {
		_, _ = w.sum.Write(v.pend[:n])
	}
	rest := v.spans[:0]
	for _, s := range v.spans {
		if s.from < n {
			_, _ = w.sum.Write(v.pend[s.from:min(s.to, n)])
			v.paid -= min(s.to, n) - s.from
		}
		if s.to > n {
			rest = append(rest, span{max(s.from, n) - n, s.to - n})
		}
	}
	err := w.keep(x, v.pend[:n])
	v.pend = v.pend[:copy(v.pend, v.pend[n:])]
	v.star = v.star[:copy(v.star, v.star[n:])]
	v.spans, v.wired = rest, v.wired-n
	return err
}

// lookedThrough is how much of a coded body is decoded in search of secrets, in units of Limits.Decoded.
const lookedThrough = 16

// look decodes a body that came compressed, though nobody asked for that, and searches it. Where a secret is found, the
// head alone is kept: nothing can be masked there without making other bytes of it. So it is where the request carried a
// secret and the body can't be searched to its end.
func (w *wire) look(ctx context.Context, x *warc.Exchange) error {
	if x.Payload.Size == 0 {
		return nil
	}
	if w.veil.framing && w.done { // masked, it may be no framing any more
		return w.withhold(x)
	}
	codings := append(x.Head.Values("Content-Encoding"), x.Head.Tokens("Transfer-Encoding")...)
	encoding := strings.ReplaceAll(strings.ToLower(strings.Join(codings, ",")), "chunked", "identity")
	if strings.Trim(strings.ReplaceAll(encoding, "identity", ""), ", \t") == "" {
		return nil
	}
	dec, err := httpmsg.Decode(httpmsg.Body(x.Head, x.Method, x.Response.From(x.Head.Len)), encoding)
	if err == nil {
		capped := httpmsg.NewCapped(dec, lookedThrough*w.rec.limits.Decoded)
		var found bool
		found, err = w.veil.set.In(&obedient{ctx, capped})
		if capped.Capped() {
			err = errWithheld
		}
		if closed := dec.Close(); err == nil {
			err = closed
		}
		if found {
			return w.withhold(x)
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && w.veil.asked.Secret {
		return w.withhold(x)
	}
	return nil
}

// obedient reads no more once its context has ended.
type obedient struct {
	ctx context.Context
	r   io.Reader
}

func (o *obedient) Read(p []byte) (int, error) {
	if err := o.ctx.Err(); err != nil {
		return 0, err
	}
	return o.r.Read(p)
}

// withhold keeps the head alone.
func (w *wire) withhold(x *warc.Exchange) error {
	if err := x.Response.Truncate(x.Head.Len); err != nil {
		return &localError{err}
	}
	w.sum.Reset()
	x.Payload = warc.Payload{SHA256: sha256.Sum256(nil)}
	return errWithheld
}

// notes tells what was redacted and what was not sent.
func (v *veil) notes(sent bool) []string {
	var out []string
	if v.asked.Held != "" {
		out = append(out, v.asked.Held)
	}
	if sent && len(v.asked.Hidden) > 0 {
		out = append(out, "redacted in the request: "+strings.Join(v.asked.Hidden, ", "))
	}
	if len(v.heads) > 0 {
		out = append(out, "redacted in the response: "+strings.Join(v.heads, ", "))
	}
	if v.places > 0 {
		places := "1 place"
		if v.places != 1 {
			places = fmt.Sprintf("%d places", v.places)
		}
		out = append(out, "redacted in the response: what came after its head in "+places)
	}
	return out
}

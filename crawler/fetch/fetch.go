// Package fetch makes one exchange at a time and keeps the exact bytes that crossed the wire, above TLS. It speaks
// HTTP/1.1 over connections of its own, since what is to be kept is what a general client hides: the order and casing of
// the bytes, interim responses, replies that are almost HTTP. It never follows a redirect, reads robots.txt, waits for
// politeness or repeats a request that a server may have had in hand.
package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"linkstead/archive/httpmsg"
	"linkstead/archive/warc"
	"linkstead/crawler/session"
	"linkstead/storage"
)

// Limits bound one exchange. A zero means the default.
type Limits struct {
	Connect   time.Duration // to resolve the name, connect and shake hands; 20 s
	FirstByte time.Duration // from the request to the end of the headers; 30 s
	Idle      time.Duration // without a byte of the body; 60 s
	Total     time.Duration // for the whole exchange; 5 min
	Bytes     int64         // of the response on the wire, head included; 1 GiB
	HeadBytes int64         // of the heads, interim ones included; 256 KiB
	Decoded   int64         // of a document given to discovery; 16 MiB
	Discover  time.Duration // to decode a document; 1 min
	Memory    int64         // of a response, before it spills to a file; 1 MiB
}

func (l Limits) orDefaults() Limits {
	set := func(v *int64, def int64) {
		if *v == 0 {
			*v = def
		}
	}
	wait := func(v *time.Duration, def time.Duration) {
		if *v == 0 {
			*v = def
		}
	}
	wait(&l.Connect, 20*time.Second)
	wait(&l.FirstByte, 30*time.Second)
	wait(&l.Idle, time.Minute)
	wait(&l.Total, 5*time.Minute)
	wait(&l.Discover, time.Minute)
	set(&l.Bytes, 1<<30)
	set(&l.HeadBytes, 256<<10)
	set(&l.Decoded, 16<<20)
	set(&l.Memory, 1<<20)
	return l
}

// Recorder makes exchanges for any number of workers, which share its kept-alive connections. Set the fields before the
// first use; afterwards they must not change.
type Recorder struct {
	Limits       Limits
	UserAgent    string            // as sent; none if empty
	From         string            // e-mail address of the From field; none if empty
	Resolve      map[string]string // "host:port" → address, with or without a port, as in curl's --resolve
	AllowPrivate bool              // talk to private addresses too
	Allow        []netip.Prefix    // private addresses to talk to all the same
	Deny         []netip.Prefix    // addresses never to talk to, whatever allows them
	RequireValid bool              // a certificate that does not verify is a failure, not a note
	Roots        *x509.CertPool    // who may sign certificates; nil: whom the system trusts
	Resolver     *net.Resolver     // nil: the system's
	Spool        string            // folder for the bodies that do not fit in memory; "": the system's
	Meter        *atomic.Int64     // counts the bytes of those there; nil: nobody does
	Room         *Room             // for long documents in hand; nil: no bound
	IdlePerHost  int               // kept-alive connections to one host; 0: 8
	IdleTotal    int               // kept-alive connections in all; 0: 256
	IdleFor      time.Duration     // for so long; 0: 30 s
	Now          func() time.Time  // stamps exchanges; nil: time.Now
	Session      *session.Session  // as whom requests ask that don't say; nil: as nobody

	once   sync.Once
	limits Limits
	tls    *tls.Config
	idle   idle
	onlyH2 onlyH2
	spills sync.Pool
}

// Request is what to ask for.
type Request struct {
	URL    string      // http or https, WHATWG serialisation; a fragment and userinfo are not sent
	Method string      // GET or HEAD; "" is GET
	Any    bool        // a document is handed on whatever its media type is
	PDF    bool        // a PDF is handed on, too, even if it is sent as mere bytes
	Weight int64       // bytes of memory that whoever takes a document needs for each byte of it, its own included; 0: 1
	Bare   bool        // nothing is discovered in what comes: colly is left out, which is quicker
	Bytes  int64       // of the response on the wire, head included, if Limits.Bytes is not less; 0: that
	Header http.Header // sent besides or instead of the defaults; never Host, Connection or what frames a body

	// Enough is asked once the head is there: how much of the body is read, framing included. What is cut so ends as too long,
	// and its connection is closed. nil: all of it, up to Bytes.
	Enough func(httpmsg.Head) int64

	Session  *session.Session // as whom to ask; nil: as Recorder.Session
	Answered func()           // called once the head of the answer is there; may be nil
	Came     func(int)        // called with the number of bytes of the answer that are kept, as they come; may be nil
	Over     func()           // called once the exchange is over, before what it brought is read; may be nil
}

// Document is a response that may name others. Body is good only during the call.
type Document struct {
	URL     string
	Status  int
	Mime    string // declared media type, lower case, without parameters; a guess if none is declared
	Charset string // declared in the header, lower case; "" if it isn't
	Head    httpmsg.Head
	Body    []byte // dechunked and decoded; never transcoded
	Capped  bool   // Body was cut at Limits.Decoded
	Broken  string // why Body lacks its end otherwise; "" if it doesn't
}

// init fills in what the fields leave open.
func (r *Recorder) init() {
	r.once.Do(func() {
		r.limits = r.Limits.orDefaults()
		r.tls = tlsConfig()
		r.idle.open(r.IdlePerHost, r.IdleTotal, r.IdleFor)
		r.spills.New = func() any { return storage.NewSpill(r.Spool, r.limits.Memory).Metered(r.Meter) }
	})
}

func (r *Recorder) now() time.Time {
	if r.Now == nil {
		return time.Now().UTC()
	}
	return r.Now().UTC()
}

// Release gives the memory of x back, once nobody reads x.Response any more. x.Response is nil afterwards.
func (r *Recorder) Release(x *warc.Exchange) error {
	s := x.Response
	if s == nil {
		return nil
	}
	x.Response = nil
	if err := s.Reset(); err != nil {
		return fmt.Errorf("release response of %s: %w", x.URL, err)
	}
	r.spills.Put(s)
	return nil
}

// Close closes the kept-alive connections. Exchanges under way go on; their connections are closed when they end.
func (r *Recorder) Close() {
	r.init()
	r.idle.close()
}

// Fetch makes one exchange and hands the document that it brought, if any, to onDocument (which may be nil). It returns
// an exchange for every end, good or bad. The error is the context's, that of a local fault (a disk, too few file
// descriptors) or onDocument's own; in the last case only is there an exchange as well.
func (w *Worker) Fetch(ctx context.Context, req Request, onDocument func(Document) error) (*warc.Exchange, error) {
	w.job = job{ctx: ctx, req: req, onDocument: onDocument}
	defer func() {
		if w.job.free != nil {
			w.job.free()
		}
		w.job = job{}
	}()
	if req.Method == "" {
		w.job.req.Method = http.MethodGet
	}
	w.visit()
	x, err := w.job.x, w.job.err
	if err != nil {
		if x != nil {
			_ = w.rec.Release(x) // the first fault is the one to tell
		}
		return nil, err
	}
	return x, w.job.docErr
}

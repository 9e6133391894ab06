package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// protocolH2 is HTTP/2 over TLS, as ALPN and WARC-Protocol name it.
const protocolH2 = "h2"

// Bounds of one exchange over HTTP/2: of frames that bring nothing of the response, and the credit that the peer has for its
// body, which is given back as that is read.
const (
	maxIdleFrames = 10_000
	creditH2      = 1 << 20
)

// http2Conn makes one exchange over HTTP/2 (RFC 9113) look like one over HTTP/1.1: what is written is a request, what is read is
// the response, rebuilt: "HTTP/1.1 200 ", the fields in their order and as they were sent, the body without frames. Trailers are
// not kept, nor fields that have no place in HTTP/2 (§8.2.2) and would frame a message that they don't.
type http2Conn struct {
	net.Conn
	framer *http2.Framer
	limit  int    // bytes of heads
	in     []byte // rebuilt and not read yet
	idle   int    // frames that brought nothing
	final  bool   // the final head has come
	err    error  // after in
}

// overHTTP2 begins to speak HTTP/2 on c.
func overHTTP2(c net.Conn, headBytes int64) *http2Conn {
	h := &http2Conn{Conn: c, framer: http2.NewFramer(c, c), limit: int(min(headBytes, 1<<24))}
	h.framer.SetReuseFrames()
	h.framer.SetMaxReadFrameSize(1 << 14)
	h.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	h.framer.MaxHeaderListSize = uint32(h.limit) //nolint:gosec // bounded above
	return h
}

// Write sends a whole request.
func (h *http2Conn) Write(p []byte) (int, error) {
	block, err := h.fields(p)
	if err != nil {
		return 0, err
	}
	// All in one write: a server may answer and close before it has read the rest.
	var out bytes.Buffer
	out.WriteString(http2.ClientPreface)
	f := http2.NewFramer(&out, nil)
	const most = 1 << 14
	err = errors.Join(
		f.WriteSettings(
			http2.Setting{ID: http2.SettingEnablePush, Val: 0},
			http2.Setting{ID: http2.SettingInitialWindowSize, Val: creditH2},
			http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: h.framer.MaxHeaderListSize}),
		f.WriteWindowUpdate(0, creditH2),
		f.WriteHeaders(http2.HeadersFrameParam{
			StreamID: 1, BlockFragment: block[:min(len(block), most)], EndStream: true, EndHeaders: len(block) <= most,
		}))
	for rest := block[min(len(block), most):]; len(rest) > 0 && err == nil; {
		n := min(len(rest), most)
		err = f.WriteContinuation(1, len(rest) == n, rest[:n])
		rest = rest[n:]
	}
	if err == nil {
		_, err = h.Conn.Write(out.Bytes())
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// fields is the field block of a request (§8.3.1). Nothing goes into the table that is shared: secrets are among the fields, and
// the table's size is the peer's to say.
func (h *http2Conn) fields(request []byte) ([]byte, error) {
	lines := strings.Split(strings.TrimSuffix(string(request), "\r\n\r\n"), "\r\n")
	start := strings.Split(lines[0], " ")
	if len(start) != 3 {
		return nil, fmt.Errorf("a request that begins with %.40q", lines[0])
	}
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	add := func(name, value string) error {
		return enc.WriteField(hpack.HeaderField{Name: name, Value: value, Sensitive: true})
	}
	host := ""
	var rest [][2]string
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		switch name = strings.ToLower(name); name {
		case "host":
			host = value
		case "connection":
		default:
			rest = append(rest, [2]string{name, value})
		}
	}
	err := errors.Join(add(":method", start[0]), add(":scheme", "https"), add(":authority", host), add(":path", start[1]))
	for _, f := range rest {
		err = errors.Join(err, add(f[0], f[1]))
	}
	return block.Bytes(), err
}

// Read gives the response, and io.EOF after its end alone.
func (h *http2Conn) Read(p []byte) (int, error) {
	for len(h.in) == 0 && h.err == nil {
		h.err = h.next()
	}
	if len(h.in) == 0 {
		return 0, h.err
	}
	n := copy(p, h.in)
	h.in = h.in[n:]
	return n, nil
}

// next reads one frame. The error is why there are no more.
func (h *http2Conn) next() error {
	frame, err := h.framer.ReadFrame()
	if err != nil {
		return faultOf(err)
	}
	if h.idle++; h.idle > maxIdleFrames {
		return fmt.Errorf("%w: more than %d frames without a part of the response", errNotHTTP, maxIdleFrames)
	}
	switch f := frame.(type) {
	case *http2.MetaHeadersFrame:
		return h.head(f)
	case *http2.DataFrame:
		return h.data(f)
	case *http2.SettingsFrame:
		if !f.IsAck() {
			return h.framer.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			return h.framer.WritePing(true, f.Data)
		}
	case *http2.RSTStreamFrame:
		if f.StreamID == 1 {
			return fmt.Errorf("stream reset, %s: %w", f.ErrCode, syscall.ECONNRESET)
		}
	case *http2.GoAwayFrame:
		if f.LastStreamID < 1 {
			return fmt.Errorf("sent away, %s: %w", f.ErrCode, syscall.ECONNRESET)
		}
	case *http2.PushPromiseFrame:
		return fmt.Errorf("%w: a promise, though they were declined", errNotHTTP)
	}
	return nil
}

// faultOf tells a peer that breaks the protocol from a connection that fails. A connection that ends before the stream does is no
// orderly end.
func faultOf(err error) error {
	var conn http2.ConnectionError
	var stream http2.StreamError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("closed within a stream: %w", syscall.ECONNRESET)
	case errors.As(err, &conn), errors.As(err, &stream), errors.Is(err, http2.ErrFrameTooLarge):
		return fmt.Errorf("%w: %w", errNotHTTP, err)
	}
	return err
}

// head takes a head, interim ones too, or trailers.
func (h *http2Conn) head(f *http2.MetaHeadersFrame) error {
	if f.StreamID != 1 {
		return fmt.Errorf("%w: a head on a stream that was not opened", errNotHTTP)
	}
	if f.Truncated {
		return errHeadLimit
	}
	if h.final {
		if f.StreamEnded() {
			return io.EOF
		}
		return fmt.Errorf("%w: a second head", errNotHTTP)
	}
	status, err := strconv.Atoi(f.PseudoValue("status"))
	if err != nil || status < 100 || status > 999 || status == 101 || status < 200 && f.StreamEnded() {
		return fmt.Errorf("%w: status %.20q", errNotHTTP, f.PseudoValue("status"))
	}
	h.in = fmt.Appendf(h.in[:0], "HTTP/1.1 %d \r\n", status)
	for _, field := range f.RegularFields() {
		switch field.Name {
		case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade":
			continue
		}
		h.in = append(append(append(append(h.in, field.Name...), ": "...), field.Value...), "\r\n"...)
	}
	h.in = append(h.in, "\r\n"...)
	h.final = status >= 200
	if f.StreamEnded() {
		return io.EOF
	}
	return nil
}

// data takes a part of the body, and gives its credit back.
func (h *http2Conn) data(f *http2.DataFrame) error {
	if f.StreamID != 1 || !h.final {
		return fmt.Errorf("%w: data without a head", errNotHTTP)
	}
	h.in = append(h.in[:0], f.Data()...)
	if len(h.in) > 0 {
		h.idle = 0
	}
	if f.StreamEnded() {
		return io.EOF
	}
	if f.Length == 0 {
		return nil
	}
	return errors.Join(h.framer.WriteWindowUpdate(0, f.Length), h.framer.WriteWindowUpdate(1, f.Length))
}

// speaksH2 says whether what came instead of a response begins as HTTP/2 does: with SETTINGS, or with GOAWAY (§3.4).
func speaksH2(b []byte) bool {
	return len(b) >= 9 && b[0] == 0 && (b[3] == byte(http2.FrameSettings) || b[3] == byte(http2.FrameGoAway)) &&
		b[5]&0x7f == 0 && b[6] == 0 && b[7] == 0 && b[8] == 0
}

// onlyH2 are the hosts that were found to refuse HTTP/1.1.
type onlyH2 struct {
	mu    sync.Mutex
	hosts map[string]bool
}

func (o *onlyH2) has(key string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.hosts[key]
}

func (o *onlyH2) add(key string) {
	const most = 4096
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.hosts == nil || len(o.hosts) >= most {
		o.hosts = map[string]bool{}
	}
	o.hosts[key] = true
}

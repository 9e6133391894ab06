package fetchtest

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"strings"
	"time"

	"linkstead/archive/outcome"
	"linkstead/archive/warc"
)

// Case is one way to be hostile, and what has to come of it.
type Case struct {
	Name   string // also the first label of its host
	Script Script
	Slow   bool // it ends by a limit of time alone

	Outcome   outcome.Outcome
	Phase     string
	Truncated string // WARC-Truncated
	Fault     string // of TLS, or how it begins
	Kept      string // how what is kept begins: the response, or the evidence
	Offending string // how the offending bytes begin
}

const (
	ok      = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
	chunked = ok + "Transfer-Encoding: chunked\r\n\r\n"
)

// Cases are all of them. Each server that shakes hands does so with a certificate of its own, which nobody signed.
func Cases() ([]Case, error) {
	var all []Case
	for _, list := range [][]Case{framing(), heads(), ends(), slow()} {
		all = append(all, list...)
	}
	secure, err := secured()
	return append(all, secure...), err
}

// captured is a case that is forgiven as browsers forgive it.
func captured(name, raw string) Case {
	return Case{Name: name, Script: Script{Raw: raw}, Outcome: outcome.Captured, Kept: raw}
}

// framing are bodies whose length is a lie or a riddle.
func framing() []Case {
	cut := func(name, raw, offending string) Case {
		return Case{Name: name, Script: Script{Raw: raw}, Outcome: outcome.CutShort, Phase: warc.PhaseBody, Truncated: "disconnect",
			Kept: raw, Offending: offending}
	}
	two := ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte("<p>page")) // into a buffer
	_ = z.Close()
	return []Case{
		cut("chunk-size-is-none", chunked+"4\r\npart\r\nzz\r\n", "zz\r\n"),
		cut("chunk-longer-than-said", chunked+"3\r\npart\r\n0\r\n\r\n", "t\r\n0"),
		cut("chunk-size-negative", chunked+"-4\r\npart\r\n0\r\n\r\n", "-4\r\n"),
		cut("chunk-size-huge", chunked+"ffffffffffffffff1\r\npart", "f1\r\npart"),
		{Name: "two-lengths", Script: Script{Raw: two}, Outcome: outcome.Protocol, Phase: warc.PhaseHeaders, Kept: two,
			Offending: "Content-Length: 6\r\n"},
		captured("same-length-twice", ok+"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
		captured("length-negative", ok+"Content-Length: -5\r\n\r\nabcdef"),
		captured("length-no-number", ok+"Content-Length: 0x5\r\n\r\nabcdef"),
		captured("chunked-with-length", ok+"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n0\r\n\r\n"),
		captured("gzip-then-chunked", ok+"Transfer-Encoding: gzip, chunked\r\n\r\n4\r\npart\r\n0\r\n\r\n"),
		captured("chunked-then-gzip", ok+"Transfer-Encoding: chunked, gzip\r\n\r\n4\r\npart\r\n0\r\n\r\n"),
		captured("chunked-under-1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n0\r\n\r\n"),
		captured("gzip-with-garbage-behind", ok+"Content-Encoding: gzip\r\n\r\n"+zipped.String()+"\x00garbage\xff"),
		captured("gzip-that-is-none", ok+"Content-Encoding: gzip\r\n\r\n<p>plain"),
		captured("gzip-cut", ok+"Content-Encoding: gzip\r\n\r\n"+zipped.String()[:12]),
		{Name: "endless-body", Script: Script{Raw: ok + "\r\n", Then: Repeat, More: strings.Repeat("x", 4096)},
			Outcome: outcome.TooLong, Phase: warc.PhaseBody, Truncated: "length", Kept: ok + "\r\nxxx"},
		{Name: "endless-chunks", Script: Script{Raw: chunked, Then: Repeat, More: strings.Repeat("1\r\nx\r\n", 500)},
			Outcome: outcome.TooLong, Phase: warc.PhaseBody, Truncated: "length", Kept: chunked + "1\r\nx\r\n"},
	}
}

// heads are what begins an answer and should be HTTP.
func heads() []Case {
	no := func(name, raw, offending string) Case {
		return Case{Name: name, Script: Script{Raw: raw}, Outcome: outcome.Protocol, Phase: warc.PhaseHeaders, Kept: raw, Offending: offending}
	}
	digits := strings.Repeat("2", 100)
	return []Case{
		no("zero-byte-in-headers", "HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\nbody", "\x00b\r\n"),
		no("status-of-100-digits", "HTTP/1.1 "+digits+" OK\r\n\r\n", digits[:64]),
		no("status-of-two-digits", "HTTP/1.1 20 OK\r\n\r\n", "20 OK"),
		no("version-of-letters", "HTTP/one 200 OK\r\n\r\n", "one 200"),
		no("http-0.9", "<html>not a head at all", "<html>"),
		no("http-2-preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI *"),
		no("http-2-settings", "\x00\x00\x12\x04\x00\x00\x00\x00\x00", "\x00\x00\x12"),
		no("tls-on-a-plain-port", "\x15\x03\x01\x00\x02\x02\x46", "\x15\x03\x01"),
		no("ssh", "SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0"),
		captured("no-colon", "HTTP/1.1 200 OK\r\nthis is no field\r\nContent-Length: 2\r\n\r\nok"),
		captured("folded", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\tc\r\nContent-Length: 2\r\n\r\nok"),
		captured("bare-lf", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
		captured("bare-cr-in-a-value", "HTTP/1.1 200 OK\r\nX: a\rY: b\r\nContent-Length: 2\r\n\r\nok"),
		captured("no-reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"),
		captured("status-999", "HTTP/1.1 999 What\r\nContent-Length: 2\r\n\r\nok"),
		captured("switching", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
		{Name: "only-cr", Script: Script{Raw: "HTTP/1.1 200 OK\rX: y\r\r"}, Outcome: outcome.Reset, Phase: warc.PhaseHeaders,
			Kept: "HTTP/1.1 200 OK\rX: y\r\r"},
		{Name: "endless-headers", Script: Script{Raw: ok, Then: Repeat, More: strings.Repeat("X: "+strings.Repeat("y", 90)+"\r\n", 50)},
			Outcome: outcome.Protocol, Phase: warc.PhaseHeaders, Kept: ok + "X: yy"},
		{Name: "endless-header-line", Script: Script{Raw: ok + "X: ", Then: Repeat, More: strings.Repeat("y", 4096)},
			Outcome: outcome.Protocol, Phase: warc.PhaseHeaders, Kept: ok + "X: yy", Offending: "yyyy"},
		{Name: "endless-interim", Script: Script{Then: Repeat, More: strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", 50)},
			Outcome: outcome.Protocol, Phase: warc.PhaseHeaders},
		{Name: "surplus", Script: Script{Raw: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", Then: Stay},
			Outcome: outcome.Captured, Kept: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
	}
}

// ends are connections that end too early.
func ends() []Case {
	return []Case{
		{Name: "empty", Outcome: outcome.Empty, Phase: warc.PhaseHeaders},
		{Name: "reset-at-once", Script: Script{Then: Reset}, Outcome: outcome.Reset, Phase: warc.PhaseHeaders},
		{Name: "half-a-head", Script: Script{Raw: ok}, Outcome: outcome.Reset, Phase: warc.PhaseHeaders, Kept: ok},
		{Name: "half-a-body", Script: Script{Raw: ok + "Content-Length: 9\r\n\r\npart"}, Outcome: outcome.CutShort, Phase: warc.PhaseBody,
			Truncated: "disconnect", Kept: ok + "Content-Length: 9\r\n\r\npart"},
		{Name: "half-a-chunk", Script: Script{Raw: chunked + "9\r\npart"}, Outcome: outcome.CutShort, Phase: warc.PhaseBody,
			Truncated: "disconnect", Kept: chunked + "9\r\npart"},
	}
}

// slow are servers that would never come to an end.
func slow() []Case {
	late := func(name string, s Script, kept string) Case {
		return Case{Name: name, Slow: true, Script: s, Outcome: outcome.Timeout, Phase: warc.PhaseHeaders, Kept: kept}
	}
	body := func(name string, s Script) Case {
		return Case{Name: name, Slow: true, Script: s, Outcome: outcome.TooSlow, Phase: warc.PhaseBody, Truncated: "time", Kept: s.Raw}
	}
	return []Case{
		late("silent", Script{Then: Hang}, ""),
		late("head-stops", Script{Raw: ok, Then: Hang}, ok),
		late("head-drips", Script{Raw: ok + "X: ", Then: Drip, More: "y"}, ok+"X: y"),
		late("fields-drip", Script{Raw: ok, Then: Drip, More: "X: y\r\n"}, ok+"X: y"),
		late("interim-drips", Script{Then: Drip, More: "HTTP/1.1 102 Processing\r\n\r\n"}, ""),
		body("body-stops", Script{Raw: ok + "Content-Length: 9\r\n\r\npart", Then: Hang}),
		body("body-drips", Script{Raw: ok + "Content-Length: 99999\r\n\r\npart", Then: Drip, More: "x"}),
		body("chunks-drip", Script{Raw: chunked, Then: Drip, More: "1\r\nx\r\n"}),
		body("extension-drips", Script{Raw: chunked + "1;", Then: Drip, More: "x"}),
		body("no-end", Script{Raw: ok + "\r\npart", Then: Hang}),
	}
}

// secured are servers that shake hands, or should.
func secured() ([]Case, error) {
	now := time.Now()
	good := ok + "Content-Length: 2\r\n\r\nok"
	cert := func(name string, from, until time.Time) (*tls.Config, error) {
		c, err := Certificate(name+Domain, from, until)
		return &tls.Config{Certificates: []tls.Certificate{c}, NextProtos: []string{"h2", "http/1.1"}}, err
	}
	expired, err := cert("expired", now.AddDate(-2, 0, 0), now.AddDate(-1, 0, 0))
	if err != nil {
		return nil, err
	}
	other, err := cert("another-name", now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0))
	if err != nil {
		return nil, err
	}
	self, err := cert("self-signed", now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0))
	if err != nil {
		return nil, err
	}
	early, err := cert("not-yet", now.AddDate(1, 0, 0), now.AddDate(2, 0, 0))
	if err != nil {
		return nil, err
	}
	strange := self.Clone()
	strange.NextProtos = []string{"strange/1"}
	demanding := self.Clone()
	demanding.ClientAuth, demanding.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12
	with := func(name string, c *tls.Config, fault string) Case {
		return Case{Name: name, Script: Script{TLS: c, Raw: good}, Outcome: outcome.Captured, Fault: fault, Kept: good}
	}
	failed := func(name string, s Script, fault string) Case {
		return Case{Name: name, Script: s, Outcome: outcome.TLS, Phase: warc.PhaseTLS, Fault: fault}
	}
	none := &tls.Config{} // marks a server as one that is asked by https
	return []Case{
		with("expired", expired, "expired"), with("wrong-name", other, "name"), with("self-signed", self, "self-signed"),
		with("not-yet", early, "not-yet-valid"),
		failed("no-common-protocol", Script{TLS: strange, Raw: good}, "alert 120 "),
		failed("wants-a-certificate", Script{TLS: demanding, Raw: good}, "alert "),
		{Name: "plain-on-a-tls-port", Script: Script{TLS: none, Blind: true, Raw: "HTTP/1.1 400 Bad Request\r\n\r\n"},
			Outcome: outcome.TLS, Phase: warc.PhaseTLS, Fault: "not-tls"},
		failed("no-handshake", Script{TLS: none, Blind: true}, "closed"),
		{Name: "handshake-hangs", Slow: true, Script: Script{TLS: none, Blind: true, Then: Hang},
			Outcome: outcome.Timeout, Phase: warc.PhaseTLS, Fault: "timeout"},
	}, nil
}

// Domain is where the hosts of the cases stand.
const Domain = ".hostile.test"

// Host is the host of a case.
func (c Case) Host() string { return c.Name + Domain }

// URL is the address of a case whose server listens at addr, by its own name.
func (c Case) URL(port string) string {
	scheme := "http"
	if c.Script.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + c.Host() + ":" + port + "/"
}

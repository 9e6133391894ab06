package warc

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// server is the TLS of exchanges with a server that shows certificates, the leaf first.
func server(chain ...string) *TLS {
	t := &TLS{Version: "TLS 1.3"}
	for _, c := range chain {
		t.Chain = append(t.Chain, []byte(c))
	}
	sum := sha256.Sum256(t.Chain[0])
	t.Fingerprint = hex.EncodeToString(sum[:])
	return t
}

// chains are the certificates that the stored segments tell, by fingerprint, and how often each stands there.
func (w *world) chains() map[string][]string {
	w.t.Helper()
	out := map[string][]string{}
	for _, name := range w.published() {
		f, err := os.Open(name)
		must(w.t, err)
		for rec, err := range Scan(f, 0) {
			must(w.t, err)
			if !isCertificates(&rec.Header) {
				must(w.t, rec.Finish())
				continue
			}
			block, err := io.ReadAll(rec.Block)
			must(w.t, err)
			chain, err := Certificates(rec.Header.URL(), block)
			must(w.t, err)
			var all []string
			for _, c := range chain {
				all = append(all, string(c))
			}
			key := strings.TrimPrefix(rec.Header.URL(), certificateURN)
			out[key] = append(out[key], strings.Join(all, " "))
			must(w.t, rec.Finish())
		}
		must(w.t, f.Close())
	}
	for _, all := range out {
		slices.Sort(all)
	}
	return out
}

// TestCertificates: what a server showed stands in each segment once, before the first exchange that names it, and goes with
// the last.
func TestCertificates(t *testing.T) {
	w := newWorld(t, nil, nil)
	a, b, short := server("leaf a", "ca"), server("leaf b", "ca"), server("leaf a")
	urls := []string{"https://a.test/1", "https://a.test/2", "https://b.test/", "https://a.test/3", "http://plain.test/", "https://failed.test/"}
	r := w.run("default", urls...)
	for i, x := range []*TLS{a, a, b, short, nil, {Fault: "alert 40 handshake failure"}} {
		e := w.entry(r, urls[i], okResponse(urls[i]))
		e.Exchange.TLS = x
		w.add(e)
	}
	w.settled()
	want := map[string][]string{a.Fingerprint: {"leaf a", "leaf a ca"}, b.Fingerprint: {"leaf b ca"}}
	if got := w.chains(); !reflect.DeepEqual(got, want) {
		t.Errorf("chains %q, want %q", got, want)
	}
	w.contents() // reads strictly

	// Another segment tells it again.
	r = w.run("default", "https://a.test/4")
	e := w.entry(r, "https://a.test/4", okResponse("4"))
	e.Exchange.TLS = a
	w.add(e)
	w.settled()
	want[a.Fingerprint] = append(want[a.Fingerprint], "leaf a ca")
	if got := w.chains(); !reflect.DeepEqual(got, want) {
		t.Errorf("chains %q, want %q", got, want)
	}

	// A purge takes out what nothing refers to any more.
	w.purge(w.capture("default", "https://b.test/"))
	delete(want, b.Fingerprint)
	if got := w.chains(); !reflect.DeepEqual(got, want) {
		t.Errorf("after a purge: chains %q, want %q", got, want)
	}
	w.contents()
	before := w.purgeDump()
	w.rebuild()
	same(t, w.purgeDump(), before)
}

func TestCertificatesRefuse(t *testing.T) {
	s := server("leaf", "ca")
	good := string(encodeChain(s.Chain))
	for url, block := range map[string]string{
		"urn:other:" + s.Fingerprint:              good,
		certificateURN + s.Fingerprint[:60]:       good,
		certificateURN + server("ca").Fingerprint: good,
		certificateURN + s.Fingerprint:            "",
		certificateURN + s.Fingerprint + " ":      strings.Repeat("\n", maxCertificates+1),
	} {
		if _, err := Certificates(url, []byte(block)); !errors.Is(err, errCertificates) {
			t.Errorf("%s, %.40q: %v", url, block, err)
		}
	}
	for _, bad := range []string{good + "x", strings.Replace(good, "CERTIFICATE", "KEY", 2), "x", good[:len(good)-9]} {
		if _, err := Certificates(certificateURN+s.Fingerprint, []byte(bad)); !errors.Is(err, errCertificates) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
}

// Whatever stands in the record, what is read as certificates is written and read again as the same ones.
func FuzzCertificates(f *testing.F) {
	s := server("leaf", "ca")
	f.Add(string(encodeChain(s.Chain)))
	f.Add("-----BEGIN CERTIFICATE-----\nA: b\n\nAAAA\n-----END CERTIFICATE-----")
	f.Add("-----BEGIN KEY-----\n-----END KEY-----")
	f.Fuzz(func(t *testing.T, block string) {
		chain, err := Certificates(certificateURN+s.Fingerprint, []byte(block))
		if err != nil {
			return
		}
		again, err := Certificates(certificateURN+s.Fingerprint, encodeChain(chain))
		if err != nil || !reflect.DeepEqual(again, chain) {
			t.Errorf("%q: %q, %v", block, again, err)
		}
	})
}

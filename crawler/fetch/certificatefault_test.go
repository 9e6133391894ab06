package fetch

import (
	"testing"
	"time"
)

// TestCertificateFault: what rows keep of a fault leads back to its word.
func TestCertificateFault(t *testing.T) {
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for why, want := range map[string]string{
		"": "",
		"the certificate is valid from 2020-01-01 to 2021-01-01 only":        tlsExpired,
		"the certificate is valid from 2027-01-01 to 2028-01-01 only":        tlsNotYet,
		"the certificate is valid from":                                      tlsOther,
		"the certificate is valid from ":                                     tlsExpired,
		"the server showed no certificate":                                   tlsNone,
		"the certificate is for another host":                                tlsName,
		"the certificate is signed by itself, which is an unknown authority": tlsSelfSigned,
		"the certificate is signed by an unknown authority":                  tlsAuthority,
		"the certificate does not verify":                                    tlsOther,
	} {
		if got := CertificateFault(why, at); got != want {
			t.Errorf("%q is %q, not %q", why, got, want)
		}
	}
	if why, word := (&Recorder{}).certify("a.test", nil); CertificateFault(why, at) != word {
		t.Errorf("%q is %q", why, word)
	}
}
